//! Deadlines: when something is due, and by which rule.

mod clock;
mod count;
mod kind;
mod proof;
mod recompute;
#[cfg(test)]
mod tests;

pub use clock::{Clock, Pause, PauseOwner, PauseReason};
pub use count::Counting;
pub use kind::ClockKind;
pub use proof::{PauseShare, Proof, Roll, Stretch};
pub use recompute::Recomputed;

use crate::{
    calendar::{city_date, end_of_city_day},
    policy::{AppealClass, Rules},
    primitives::CaseKind,
};
use chrono::{DateTime, Duration, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

/// How long something may take, in the unit of its own rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Term {
    /// Round the clock.
    Hours(u32),
    WorkingDays(u32),
    /// Calendar days; an end on a day off moves to the next working day [CC 203].
    Days(u32),
    /// The city day that a reply promised.
    Date(NaiveDate),
    /// Set by the system the case came from.
    Source,
}

/// An instant by which something is due, with the versions it was computed with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deadline {
    /// The last instant that is still in time.
    pub due_at: DateTime<Utc>,
    pub term: Term,
    /// `policy version / calendar version`.
    pub rules: String,
    /// Reaches into a year whose holidays have not been published.
    pub provisional: bool,
    /// Set while a pause lasts: `due_at` is then the earliest it can be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspended_since: Option<DateTime<Utc>>,
}

impl Deadline {
    /// `term` counted from `start`.
    pub fn new(rules: &Rules, start: DateTime<Utc>, term: Term) -> Deadline {
        // The kind of a clock makes no difference to its counting.
        Clock::new(ClockKind::Result, term, start).deadline(rules)
    }

    /// A target set by another system.
    pub fn from_source(source: &str, due_at: DateTime<Utc>) -> Deadline {
        Deadline {
            due_at,
            term: Term::Source,
            rules: source.to_owned(),
            provisional: false,
            suspended_since: None,
        }
    }

    /// The same deadline after the clock stood still from `from` to `to`, in the unit of its rule.
    pub fn after_pause(&self, rules: &Rules, from: DateTime<Utc>, to: DateTime<Utc>) -> Deadline {
        let calendar = &rules.calendar;
        let due_on = city_date(self.due_at);
        let mut moved = self.clone();
        match self.term {
            Term::Date(_) => {}
            Term::Hours(_) | Term::Source => moved.due_at = self.due_at + (to - from).max(Duration::zero()),
            Term::WorkingDays(_) => {
                let paused = calendar.working_days_between(city_date(from), city_date(to));
                let end = calendar.add_working_days(due_on, paused);
                moved.due_at = end_of_city_day(end);
                moved.provisional |= !calendar.is_published(end);
            }
            Term::Days(_) => {
                let paused = (city_date(to) - city_date(from))
                    .num_days()
                    .clamp(0, i64::from(u32::MAX));
                let end = calendar.add_days(due_on, u32::try_from(paused).unwrap_or(u32::MAX));
                moved.due_at = end_of_city_day(end);
                moved.provisional |= !calendar.is_published(end);
            }
        }
        moved
    }
}

/// First real contact with the resident [SZ].
pub fn contact_deadline(rules: &Rules, submitted_at: DateTime<Utc>) -> Deadline {
    Clock::new(ClockKind::Contact, rules.policy.contact.term(), submitted_at).deadline(rules)
}

/// The result, from submission: hours where life or supply is in danger, else working days [BJ draft, GD].
pub fn result_deadline(
    rules: &Rules,
    start: DateTime<Utc>,
    kind: CaseKind,
    class: Option<AppealClass>,
    category: &str,
) -> Deadline {
    let term = rules.policy.result_term(kind, class, category);
    Clock::new(ClockKind::Result, term, start).deadline(rules)
}
