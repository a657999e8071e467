//! The figures of DOMAIN.md: what each counts, over what, and in which period a case counts for it.
//!
//! A case makes contributions, each at the instant that decides in which period it counts; a figure adds them up.
//! The list behind a number is made of the same contributions, so the two always agree.

mod survival;
#[cfg(test)]
mod tests;

pub use survival::{Spell, percentiles};

use chrono::{DateTime, Utc};

/// What the figures need to know of a case; nothing personal.
#[derive(Clone, Debug, PartialEq)]
pub struct CaseFacts {
    pub submitted_at: DateTime<Utc>,
    /// Until when an imported case was watched: what it did not do by then, it may have done later.
    pub observed_until: Option<DateTime<Utc>>,
    pub contact_due_at: Option<DateTime<Utc>>,
    pub contacted_at: Option<DateTime<Utc>>,
    /// Clock of the first result.
    pub first_due_at: Option<DateTime<Utc>>,
    pub first_result_at: Option<DateTime<Utc>>,
    /// The result that stands; None while there is none or it was reopened.
    pub result_at: Option<DateTime<Utc>>,
    pub closed_at: Option<DateTime<Utc>>,
    pub withdrawn_at: Option<DateTime<Utc>>,
    /// When the resident was asked for a verdict on the result that stands.
    pub asked_at: Option<DateTime<Utc>>,
    pub rated_at: Option<DateTime<Utc>>,
    pub reopened_at: Option<DateTime<Utc>>,
    /// When it was closed, or its result reopened, for the first time; whatever came later.
    pub first_ended_at: Option<DateTime<Utc>>,
    /// The verdict on the result that stands, or on the one that was reopened: `solved`, `partly`, `not_solved`.
    pub solved: Option<Solved>,
    /// 1 to 5.
    pub score: Option<u8>,
    pub breaches: u32,
}

pub use crate::case::Verdict as Solved;

/// One case's part in one figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contribution {
    /// Counted when submitted; the spell is its time to result so far.
    Submitted {
        spell: Spell,
    },
    /// The contact limit fell.
    ContactDue {
        met: bool,
    },
    /// The limit of the first result fell.
    ResultDue {
        met: bool,
    },
    Closed {
        in_time: Option<bool>,
        run_once: bool,
    },
    /// Came to its first end: the case was closed, or its result reopened instead.
    Concluded {
        /// Then, or at any time since.
        reopened: bool,
    },
    /// Asked for a verdict.
    Asked,
    Rated {
        solved: Solved,
        satisfied: bool,
    },
    /// Open now.
    Open {
        overdue: bool,
    },
}

/// A score from here on is satisfied, on the national scale of five.
pub const SATISFIED_FROM: u8 = 3;

/// All contributions of a case as known at `now`, each with the instant that decides its period.
pub fn contributions(
    case: &CaseFacts,
    now: DateTime<Utc>,
) -> impl Iterator<Item = (DateTime<Utc>, Contribution)> {
    // What belongs outside is answered by the reply with which it was closed; a reopening has had its first result.
    let answered_at = case.first_result_at.or(case.closed_at);
    let watched_until = case.observed_until.unwrap_or(now).min(now);
    let ended_at = case.result_at.or(case.withdrawn_at).or(case.closed_at);
    let finished = case.result_at.is_some();
    let lasted = (ended_at.unwrap_or(watched_until) - case.submitted_at).num_seconds();
    let spell = Spell {
        seconds: u32::try_from(lasted.max(0)).unwrap_or(u32::MAX),
        finished,
    };
    // What was watched no longer may have been done in time: nobody knows, so it is not counted.
    let fallen = |due: Option<DateTime<Utc>>, done_at: Option<DateTime<Utc>>| {
        due.filter(|due| *due <= now && (*due <= watched_until || done_at.is_some()))
    };
    let met = |due: DateTime<Utc>, at: Option<DateTime<Utc>>| at.is_some_and(|at| at <= due);
    // A withdrawn matter asks nothing of anybody any more.
    let counted_due = |due: DateTime<Utc>| case.withdrawn_at.is_none_or(|withdrawn| withdrawn > due);
    let is_open = case.closed_at.is_none() && case.withdrawn_at.is_none();
    let overdue = case.first_result_at.is_none() && case.first_due_at.is_some_and(|due| due < watched_until);
    [
        Some((case.submitted_at, Contribution::Submitted { spell })),
        fallen(case.contact_due_at, case.contacted_at)
            .filter(|due| counted_due(*due))
            .map(|due| {
                (
                    due,
                    Contribution::ContactDue {
                        met: met(due, case.contacted_at),
                    },
                )
            }),
        fallen(case.first_due_at, answered_at)
            .filter(|due| counted_due(*due))
            .map(|due| {
                (
                    due,
                    Contribution::ResultDue {
                        met: met(due, answered_at),
                    },
                )
            }),
        case.closed_at.map(|at| {
            let in_time = case.first_due_at.map(|due| met(due, answered_at));
            (
                at,
                Contribution::Closed {
                    in_time,
                    run_once: case.breaches == 0,
                },
            )
        }),
        case.first_ended_at.map(|at| {
            let reopened = case.reopened_at.is_some();
            (at, Contribution::Concluded { reopened })
        }),
        case.asked_at.map(|at| (at, Contribution::Asked)),
        case.rated_at.zip(case.solved).map(|(at, solved)| {
            let satisfied = case.score.is_some_and(|score| score >= SATISFIED_FROM);
            (at, Contribution::Rated { solved, satisfied })
        }),
        is_open.then_some((case.submitted_at, Contribution::Open { overdue })),
    ]
    .into_iter()
    .flatten()
}

/// The figures of a group of cases.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    pub submitted: u64,
    pub open: u64,
    pub open_overdue: u64,
    pub contact_due: u64,
    pub contact_met: u64,
    pub result_due: u64,
    pub result_met: u64,
    pub closed: u64,
    pub closed_in_time: u64,
    pub closed_late: u64,
    pub closed_without_target: u64,
    pub closed_run_once: u64,
    /// Came to their first end.
    pub concluded: u64,
    /// Of those that came to their first end.
    pub reopened: u64,
    pub asked: u64,
    pub rated: u64,
    pub satisfied: u64,
    pub solved: u64,
    pub partly: u64,
    pub not_solved: u64,
    spells: Vec<Spell>,
}

/// Times to result in seconds; None where too many are still open to tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Times {
    pub p50: Option<u64>,
    pub p75: Option<u64>,
    pub p90: Option<u64>,
    pub p95: Option<u64>,
}

impl Figures {
    pub fn add(&mut self, contribution: Contribution) {
        match contribution {
            Contribution::Submitted { spell } => {
                self.submitted += 1;
                self.spells.push(spell);
            }
            Contribution::Open { overdue } => {
                self.open += 1;
                self.open_overdue += u64::from(overdue);
            }
            Contribution::ContactDue { met } => {
                self.contact_due += 1;
                self.contact_met += u64::from(met);
            }
            Contribution::ResultDue { met } => {
                self.result_due += 1;
                self.result_met += u64::from(met);
            }
            Contribution::Closed { in_time, run_once } => {
                self.closed += 1;
                self.closed_run_once += u64::from(run_once);
                match in_time {
                    Some(true) => self.closed_in_time += 1,
                    Some(false) => self.closed_late += 1,
                    None => self.closed_without_target += 1,
                }
            }
            Contribution::Concluded { reopened } => {
                self.concluded += 1;
                self.reopened += u64::from(reopened);
            }
            Contribution::Asked => self.asked += 1,
            Contribution::Rated { solved, satisfied } => {
                self.rated += 1;
                self.satisfied += u64::from(satisfied);
                match solved {
                    Solved::Solved => self.solved += 1,
                    Solved::Partly => self.partly += 1,
                    Solved::NotSolved => self.not_solved += 1,
                }
            }
        }
    }

    /// Cases without a result, counted as lasting at least as long as they have.
    pub fn unfinished(&self) -> u64 {
        self.spells.iter().filter(|spell| !spell.finished).count() as u64
    }

    /// Times to result, open cases counted as not yet finished.
    pub fn times(&mut self) -> Times {
        let [p50, p75, p90, p95] = percentiles(&mut self.spells, [50, 75, 90, 95]);
        Times { p50, p75, p90, p95 }
    }
}

/// A figure whose list can be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Figure {
    Submitted,
    Open,
    OpenOverdue,
    ContactDue,
    ContactMet,
    ContactMissed,
    ResultDue,
    ResultMet,
    ResultMissed,
    Closed,
    ClosedRunOnce,
    ClosedWithBreach,
    Concluded,
    Reopened,
    Asked,
    Rated,
    Satisfied,
    Dissatisfied,
    Solved,
    NotSolved,
}

impl Figure {
    pub const ALL: [Figure; 20] = [
        Figure::Submitted,
        Figure::Open,
        Figure::OpenOverdue,
        Figure::ContactDue,
        Figure::ContactMet,
        Figure::ContactMissed,
        Figure::ResultDue,
        Figure::ResultMet,
        Figure::ResultMissed,
        Figure::Closed,
        Figure::ClosedRunOnce,
        Figure::ClosedWithBreach,
        Figure::Concluded,
        Figure::Reopened,
        Figure::Asked,
        Figure::Rated,
        Figure::Satisfied,
        Figure::Dissatisfied,
        Figure::Solved,
        Figure::NotSolved,
    ];

    /// The stable name used in addresses and catalogue keys.
    pub fn as_str(self) -> &'static str {
        match self {
            Figure::Submitted => "submitted",
            Figure::Open => "open",
            Figure::OpenOverdue => "open_overdue",
            Figure::ContactDue => "contact_due",
            Figure::ContactMet => "contact_met",
            Figure::ContactMissed => "contact_missed",
            Figure::ResultDue => "result_due",
            Figure::ResultMet => "result_met",
            Figure::ResultMissed => "result_missed",
            Figure::Closed => "closed",
            Figure::ClosedRunOnce => "closed_run_once",
            Figure::ClosedWithBreach => "closed_with_breach",
            Figure::Concluded => "concluded",
            Figure::Reopened => "reopened",
            Figure::Asked => "asked",
            Figure::Rated => "rated",
            Figure::Satisfied => "satisfied",
            Figure::Dissatisfied => "dissatisfied",
            Figure::Solved => "solved",
            Figure::NotSolved => "not_solved",
        }
    }

    pub fn parse(name: &str) -> Option<Figure> {
        Figure::ALL.into_iter().find(|figure| figure.as_str() == name)
    }

    /// Whether a case with this contribution belongs to the list behind the figure.
    pub fn counts(self, contribution: Contribution) -> bool {
        match contribution {
            Contribution::Submitted { .. } => self == Figure::Submitted,
            Contribution::Open { overdue } => {
                self == Figure::Open || (self == Figure::OpenOverdue && overdue)
            }
            Contribution::ContactDue { met } => match self {
                Figure::ContactDue => true,
                Figure::ContactMet => met,
                Figure::ContactMissed => !met,
                _ => false,
            },
            Contribution::ResultDue { met } => match self {
                Figure::ResultDue => true,
                Figure::ResultMet => met,
                Figure::ResultMissed => !met,
                _ => false,
            },
            Contribution::Closed { run_once, .. } => match self {
                Figure::Closed => true,
                Figure::ClosedRunOnce => run_once,
                Figure::ClosedWithBreach => !run_once,
                _ => false,
            },
            Contribution::Concluded { reopened } => {
                self == Figure::Concluded || (self == Figure::Reopened && reopened)
            }
            Contribution::Asked => self == Figure::Asked,
            Contribution::Rated { solved, satisfied } => match self {
                Figure::Rated => true,
                Figure::Satisfied => satisfied,
                Figure::Dissatisfied => !satisfied,
                Figure::Solved => solved == Solved::Solved,
                Figure::NotSolved => solved == Solved::NotSolved,
                _ => false,
            },
        }
    }
}
