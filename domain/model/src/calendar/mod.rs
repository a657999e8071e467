//! The legal calendar: public holidays and make-up workdays as versioned data [CC 201, 203].

mod change;
mod read;
#[cfg(test)]
mod tests;

pub use change::ChangedDay;
pub use read::CalendarError;

use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveTime, TimeZone, Utc, Weekday};
use chrono_tz::Tz;
use read::CalendarText;
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// The time zone of the city; instants are stored in UTC.
pub const CITY_ZONE: Tz = chrono_tz::Asia::Shanghai;

/// What a day is to the law. Holidays bear the name that their notice gives them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Day {
    /// Monday to Friday, where no notice says otherwise.
    Weekday,
    /// Saturday or Sunday, where no notice says otherwise.
    Weekend,
    Holiday(Arc<str>),
    /// A weekend day worked in exchange for a day of the named holiday.
    MakeUpWorkday(Arc<str>),
}

impl Day {
    pub fn is_worked(&self) -> bool {
        matches!(self, Day::Weekday | Day::MakeUpWorkday(_))
    }
}

/// Which days are worked. Days that no notice names follow the week: Monday to Friday are working days.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "CalendarText", try_from = "CalendarText")]
pub struct Calendar {
    version: String,
    /// Holidays and make-up workdays; nothing else.
    named: BTreeMap<NaiveDate, Day>,
    published: BTreeSet<i32>,
}

impl Calendar {
    pub fn version(&self) -> &str {
        &self.version
    }

    pub fn day(&self, date: NaiveDate) -> Day {
        match self.named.get(&date) {
            Some(day) => day.clone(),
            None if matches!(date.weekday(), Weekday::Sat | Weekday::Sun) => Day::Weekend,
            None => Day::Weekday,
        }
    }

    pub fn is_working_day(&self, date: NaiveDate) -> bool {
        match self.named.get(&date) {
            Some(day) => day.is_worked(),
            None => !matches!(date.weekday(), Weekday::Sat | Weekday::Sun),
        }
    }

    /// Whether the holidays of this date's year have been published. The notice for the year after may still change the
    /// last days of December.
    pub fn is_published(&self, date: NaiveDate) -> bool {
        self.published.contains(&date.year())
    }

    /// The years whose holidays have been published, in order.
    pub fn published_years(&self) -> impl Iterator<Item = i32> + '_ {
        self.published.iter().copied()
    }

    /// Whether another version says the same of every day.
    pub fn says_the_same(&self, other: &Calendar) -> bool {
        self.named == other.named
    }

    /// The `count`-th working day after `start`; the first day is not counted.
    pub fn add_working_days(&self, start: NaiveDate, count: u32) -> NaiveDate {
        let mut date = start;
        let mut left = count;
        while left > 0 && date < NaiveDate::MAX {
            date = next(date);
            if self.is_working_day(date) {
                left -= 1;
            }
        }
        date
    }

    /// `count` calendar days after `start`, moved to the next working day if it falls on a day off.
    pub fn add_days(&self, start: NaiveDate, count: u32) -> NaiveDate {
        let mut date = start
            .checked_add_days(Days::new(count.into()))
            .unwrap_or(NaiveDate::MAX);
        while !self.is_working_day(date) && date < NaiveDate::MAX {
            date = next(date);
        }
        date
    }
}

/// The day after; the last day there is, for itself.
pub(crate) fn next(date: NaiveDate) -> NaiveDate {
    date.succ_opt().unwrap_or(NaiveDate::MAX)
}

/// The city's date at an instant.
pub fn city_date(at: DateTime<Utc>) -> NaiveDate {
    at.with_timezone(&CITY_ZONE).date_naive()
}

/// The first instant of a city day.
pub fn start_of_city_day(date: NaiveDate) -> DateTime<Utc> {
    city_instant(date, NaiveTime::MIN)
}

/// The last second of a city day, as an instant.
pub fn end_of_city_day(date: NaiveDate) -> DateTime<Utc> {
    city_instant(date, NaiveTime::from_hms_opt(23, 59, 59).unwrap_or_default())
}

fn city_instant(date: NaiveDate, time: NaiveTime) -> DateTime<Utc> {
    match CITY_ZONE.from_local_datetime(&date.and_time(time)).latest() {
        Some(at) => at.with_timezone(&Utc),
        // A zone without this local time: take it as UTC rather than fail; Shanghai has had none since 1991.
        None => date.and_time(time).and_utc(),
    }
}
