//! Deadlines: when something is due, and by which rule.

mod clock;
mod count;
mod kind;
mod proof;
#[cfg(test)]
mod tests;

pub use clock::{Clock, Pause, PauseOwner, PauseReason};
pub use count::Counting;
pub use kind::ClockKind;
pub use proof::{PauseShare, Proof, Roll, Stretch};

use chrono::{DateTime, NaiveDate, Utc};
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
}
