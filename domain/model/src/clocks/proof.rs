use super::{
    Clock, ClockKind, Deadline, Pause, Term,
    count::{Counting, Step, count},
};
use crate::{
    calendar::{Calendar, city_date, next},
    policy::{Policy, Rules, rules_name},
};
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

/// Everything a deadline was made of, so that anybody can count it again by hand.
///
/// Days are told as stretches of equal days: a clock of sixty days has a few dozen at most.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    pub kind: ClockKind,
    pub term: Term,
    pub policy_version: String,
    pub calendar_version: String,
    pub started_at: DateTime<Utc>,
    /// The city's day of the start, which is not counted where the term is in days.
    pub started_on: NaiveDate,
    /// What an extension added to the term, in its unit.
    pub extended: u32,
    pub pauses: Vec<PauseShare>,
    /// Every day from the one after the start to the one that completes the term, in order; empty where the term is not
    /// in days.
    pub days: Vec<Stretch>,
    /// Set where the day that completes the term cannot be the last.
    pub roll: Option<Roll>,
    /// Days counted, or hours, as the term is in: the term and its extension.
    pub counted: u32,
    pub due_at: DateTime<Utc>,
    /// Set while a pause lasts: the deadline moves on with it, and `due_at` is the earliest it can be.
    pub suspended_since: Option<DateTime<Utc>>,
    /// The first year whose holidays are not published and on which the deadline hangs.
    pub provisional_from: Option<i32>,
}

/// A pause and what it took.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PauseShare {
    #[serde(flatten)]
    pub pause: Pause,
    /// Days that would have counted otherwise; 0 where the term is not in days.
    pub days: u32,
    /// Seconds of round-the-clock time; 0 where the term is in days.
    pub seconds: i64,
}

/// Days in a row that were treated alike.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stretch {
    pub from: NaiveDate,
    pub to: NaiveDate,
    pub counting: Counting,
}

impl Stretch {
    pub fn days(&self) -> u32 {
        u32::try_from((self.to - self.from).num_days() + 1).unwrap_or_default()
    }

    pub fn is_counted(&self) -> bool {
        self.counting.is_counted()
    }
}

/// A deadline moved from a day that cannot be its last to the next that can.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Roll {
    /// The day that completes the term.
    pub from: NaiveDate,
    /// The last day of the deadline.
    pub to: NaiveDate,
    /// Why not the days before `to`, from `from` on.
    pub over: Vec<Stretch>,
}

impl Clock {
    /// When it is due.
    pub fn deadline(&self, rules: &Rules) -> Deadline {
        self.deadline_by(&rules.policy, &rules.calendar)
    }

    pub(super) fn deadline_by(&self, policy: &Policy, calendar: &Calendar) -> Deadline {
        let counted = count(self, calendar, &mut |_| {});
        Deadline {
            due_at: counted.due_at,
            term: self.term,
            rules: rules_name(&policy.version, calendar.version()),
            provisional: counted.provisional_from.is_some(),
            suspended_since: counted.suspended_since,
        }
    }

    /// Why it is due then.
    pub fn prove(&self, rules: &Rules) -> Proof {
        let mut days = Vec::new();
        let mut over = Vec::new();
        let mut pauses: Vec<PauseShare> = self.pauses.iter().cloned().map(PauseShare::nothing).collect();
        let counted = count(self, &rules.calendar, &mut |step| match step {
            Step::Day(date, counting) => {
                if let Counting::Paused(pause) = counting {
                    pauses[pause].days += 1;
                }
                lengthen(&mut days, date, counting);
            }
            Step::Rolled(date, why) => lengthen(&mut over, date, why),
            Step::Took(pause, time) => pauses[pause].seconds += time.num_seconds(),
        });
        let roll = over.first().map(|first: &Stretch| first.from).map(|from| Roll {
            from,
            to: city_date(counted.due_at),
            over,
        });
        Proof {
            kind: self.kind,
            term: self.term,
            policy_version: rules.policy.version.clone(),
            calendar_version: rules.calendar.version().to_owned(),
            started_at: self.started_at,
            started_on: city_date(self.started_at),
            extended: self.extended,
            pauses,
            counted: match self.term {
                Term::Hours(hours) => hours.saturating_add(self.extended),
                Term::WorkingDays(_) | Term::Days(_) => sum(&days, Stretch::is_counted),
                Term::Date(_) | Term::Source => 0,
            },
            days,
            roll,
            due_at: counted.due_at,
            suspended_since: counted.suspended_since,
            provisional_from: counted.provisional_from,
        }
    }
}

impl Proof {
    /// The first day that counts; None where the term is not in days.
    pub fn first_counted(&self) -> Option<NaiveDate> {
        let mut counted = self.days.iter().filter(|stretch| stretch.is_counted());
        counted.next().map(|stretch| stretch.from)
    }

    /// Days left out, whatever the reason.
    pub fn skipped(&self) -> u32 {
        sum(&self.days, |stretch| !stretch.is_counted())
    }

    /// Weekend days that counted because they were worked.
    pub fn make_up_workdays(&self) -> impl Iterator<Item = &Stretch> {
        let is_made_up = |stretch: &&Stretch| matches!(stretch.counting, Counting::MakeUpWorkday(_));
        self.days.iter().filter(is_made_up)
    }
}

impl PauseShare {
    fn nothing(pause: Pause) -> PauseShare {
        PauseShare {
            pause,
            days: 0,
            seconds: 0,
        }
    }
}

fn sum(days: &[Stretch], wanted: impl Fn(&Stretch) -> bool) -> u32 {
    days.iter()
        .filter(|stretch| wanted(stretch))
        .map(Stretch::days)
        .sum()
}

fn lengthen(stretches: &mut Vec<Stretch>, date: NaiveDate, counting: Counting) {
    match stretches.last_mut() {
        Some(last) if last.counting == counting && next(last.to) == date => last.to = date,
        _ => stretches.push(Stretch {
            from: date,
            to: date,
            counting,
        }),
    }
}
