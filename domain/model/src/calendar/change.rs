//! What a late notice changes.

use super::{Calendar, Day};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, ops::RangeInclusive};

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
        self.changed_within(after, NaiveDate::MIN..=NaiveDate::MAX)
    }

    /// The same within some days.
    pub fn changed_within(&self, after: &Calendar, days: RangeInclusive<NaiveDate>) -> Vec<ChangedDay> {
        let named = |calendar: &Calendar| -> BTreeSet<NaiveDate> {
            calendar
                .named
                .range(days.clone())
                .map(|(date, _)| *date)
                .collect()
        };
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
