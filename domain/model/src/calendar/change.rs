//! What a late notice changes.

use super::{Calendar, Day};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// A day that two versions of the calendar see differently: worked in one, off in the other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangedDay {
    pub date: NaiveDate,
    pub before: Day,
    pub after: Day,
}

impl Calendar {
    /// The days that `after` makes worked or free, in order.
    pub fn changed_days(&self, after: &Calendar) -> Vec<ChangedDay> {
        let named = |calendar: &Calendar| BTreeSet::from_iter(calendar.named.keys().copied());
        (&named(self) | &named(after))
            .into_iter()
            .filter(|date| self.is_working_day(*date) != after.is_working_day(*date))
            .map(|date| ChangedDay {
                date,
                before: self.day(date),
                after: after.day(date),
            })
            .collect()
    }
}
