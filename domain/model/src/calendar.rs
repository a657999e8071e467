//! The legal calendar: public holidays and make-up workdays as versioned data [CC 201, 203].

use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveTime, TimeZone, Utc, Weekday};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The time zone of the city; instants are stored in UTC.
pub const CITY_ZONE: Tz = chrono_tz::Asia::Shanghai;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum DayKind {
    Holiday,
    MakeUpWorkday,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CalendarError {
    #[error("calendar line {line}: {problem}")]
    Line { line: usize, problem: String },
    #[error("the calendar holds no day")]
    Empty,
}

/// Which days are worked. Days that are not listed follow the week: Monday to Friday are working days.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Calendar {
    version: String,
    special: BTreeMap<NaiveDate, DayKind>,
    /// First and last year for which the holidays have been published.
    years: (i32, i32),
}

impl Calendar {
    /// Reads `date,kind,holiday` lines with a header; `kind` is `holiday` or `make-up workday`.
    pub fn from_csv(version: &str, csv: &str) -> Result<Calendar, CalendarError> {
        let mut special = BTreeMap::new();
        for (index, line) in csv
            .lines()
            .enumerate()
            .skip(1)
            .filter(|(_, line)| !line.trim().is_empty())
        {
            let fault = |problem: &str| CalendarError::Line {
                line: index + 1,
                problem: problem.to_owned(),
            };
            let mut fields = line.splitn(3, ',');
            let date = fields.next().unwrap_or_default();
            let date: NaiveDate = date
                .parse()
                .map_err(|_| fault("the first field is not a date like 2026-01-01"))?;
            let kind = match fields.next().map(str::trim) {
                Some("holiday") => DayKind::Holiday,
                Some("make-up workday") => DayKind::MakeUpWorkday,
                _ => {
                    return Err(fault(
                        "the second field is neither `holiday` nor `make-up workday`",
                    ));
                }
            };
            if special.insert(date, kind).is_some() {
                return Err(fault("this date is listed twice"));
            }
        }
        let (Some(first), Some(last)) = (special.keys().next(), special.keys().next_back()) else {
            return Err(CalendarError::Empty);
        };
        let years = (first.year(), last.year());
        Ok(Calendar {
            version: version.to_owned(),
            special,
            years,
        })
    }

    pub fn version(&self) -> &str {
        &self.version
    }

    pub fn is_working_day(&self, date: NaiveDate) -> bool {
        match self.special.get(&date) {
            Some(DayKind::Holiday) => false,
            Some(DayKind::MakeUpWorkday) => true,
            None => !matches!(date.weekday(), Weekday::Sat | Weekday::Sun),
        }
    }

    /// Whether the holidays of this date's year have been published.
    pub fn is_published(&self, date: NaiveDate) -> bool {
        (self.years.0..=self.years.1).contains(&date.year())
    }

    /// The `count`-th working day after `start`; the first day is not counted.
    pub fn add_working_days(&self, start: NaiveDate, count: u32) -> NaiveDate {
        let mut date = start;
        let mut left = count;
        while left > 0 {
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

    /// Working days in `(from, to]`.
    pub fn working_days_between(&self, from: NaiveDate, to: NaiveDate) -> u32 {
        let mut date = from;
        let mut count = 0;
        while date < to {
            date = next(date);
            count += u32::from(self.is_working_day(date));
        }
        count
    }
}

fn next(date: NaiveDate) -> NaiveDate {
    date.succ_opt().unwrap_or(NaiveDate::MAX)
}

/// The city's date at an instant.
pub fn city_date(at: DateTime<Utc>) -> NaiveDate {
    at.with_timezone(&CITY_ZONE).date_naive()
}

/// The last second of a city day, as an instant.
pub fn end_of_city_day(date: NaiveDate) -> DateTime<Utc> {
    let last_second = NaiveTime::from_hms_opt(23, 59, 59).unwrap_or_default();
    match CITY_ZONE
        .from_local_datetime(&date.and_time(last_second))
        .latest()
    {
        Some(at) => at.with_timezone(&Utc),
        // A zone without this local time: take it as UTC rather than fail; Shanghai has had none since 1991.
        None => date.and_time(last_second).and_utc(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calendar() -> Calendar {
        Calendar::from_csv("test", include_str!("../../../ops/data/cn-calendar.csv")).unwrap()
    }

    fn date(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn make_up_weekends_are_worked_and_holidays_are_not() {
        let calendar = calendar();
        assert!(
            calendar.is_working_day(date("2026-02-14")),
            "make-up Saturday before Spring Festival"
        );
        assert!(
            !calendar.is_working_day(date("2026-02-17")),
            "Spring Festival Tuesday"
        );
        assert!(!calendar.is_working_day(date("2026-11-22")), "an ordinary Sunday");
        assert!(calendar.is_working_day(date("2026-11-23")));
    }

    #[test]
    fn the_first_day_is_not_counted() {
        // Friday 2026-02-13: the next two working days are the make-up Saturday and, after the holiday, 02-24.
        assert_eq!(
            calendar().add_working_days(date("2026-02-13"), 2),
            date("2026-02-24")
        );
    }

    #[test]
    fn a_period_ending_on_a_day_off_ends_on_the_next_working_day() {
        assert_eq!(calendar().add_days(date("2026-02-10"), 7), date("2026-02-24"));
    }

    #[test]
    fn an_unpublished_year_is_known_as_such() {
        assert!(calendar().is_published(date("2026-12-31")));
        assert!(!calendar().is_published(date("2027-01-04")));
    }

    #[test]
    fn faults_name_their_line() {
        let error = Calendar::from_csv("x", "date,kind,holiday\n2026-01-01,feast,New Year\n").unwrap_err();
        assert_eq!(
            error.to_string(),
            "calendar line 2: the second field is neither `holiday` nor `make-up workday`"
        );
    }

    #[test]
    fn a_city_day_ends_in_shanghai() {
        assert_eq!(
            end_of_city_day(date("2026-11-23")).to_rfc3339(),
            "2026-11-23T15:59:59+00:00"
        );
    }
}
