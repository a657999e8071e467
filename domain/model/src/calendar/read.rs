//! A calendar as text: one line a date, as people keep it and as the log stores it.

use super::{Calendar, Day};
use chrono::{Datelike, NaiveDate};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt::Write, sync::Arc};

const HEADER: &str = "date,kind,holiday";
const HOLIDAY: &str = "holiday";
const MAKE_UP_WORKDAY: &str = "make-up workday";

/// Every yearly notice names the National Day, and it falls in this month: a year that lists no holiday in it has not
/// been published, only touched by the New Year of its neighbour.
const MONTH_OF_NATIONAL_DAY: u32 = 10;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CalendarError {
    #[error("calendar line {line}: {problem}")]
    Line { line: usize, problem: String },
    #[error(
        "the calendar lists no whole year: each published year has its holidays, the National Day in October among them"
    )]
    NoYear,
}

/// The stored form.
#[derive(Serialize, Deserialize)]
pub(super) struct CalendarText {
    version: String,
    csv: String,
}

impl From<Calendar> for CalendarText {
    fn from(calendar: Calendar) -> CalendarText {
        CalendarText {
            csv: calendar.to_csv(),
            version: calendar.version,
        }
    }
}

impl TryFrom<CalendarText> for Calendar {
    type Error = CalendarError;

    fn try_from(text: CalendarText) -> Result<Calendar, CalendarError> {
        Calendar::from_csv(&text.version, &text.csv)
    }
}

impl Calendar {
    /// Reads `date,kind,holiday` lines with a header; `kind` is `holiday` or `make-up workday`, `holiday` its name.
    pub fn from_csv(version: &str, csv: &str) -> Result<Calendar, CalendarError> {
        let mut named = BTreeMap::new();
        let mut lines = csv.lines().enumerate();
        if lines.next().map(|(_, header)| header.trim()) != Some(HEADER) {
            return Err(fault(0, format!("the first line must be `{HEADER}`")));
        }
        for (index, line) in lines.filter(|(_, line)| !line.trim().is_empty()) {
            let (date, day) = read_line(line).map_err(|problem| fault(index, problem))?;
            if named.insert(date, day).is_some() {
                return Err(fault(
                    index,
                    format!("{date} is listed twice; keep the line that is in force"),
                ));
            }
        }
        let published = named
            .iter()
            .filter(|(date, day)| date.month() == MONTH_OF_NATIONAL_DAY && !day.is_worked())
            .map(|(date, _)| date.year())
            .collect::<std::collections::BTreeSet<_>>();
        if published.is_empty() {
            return Err(CalendarError::NoYear);
        }
        Ok(Calendar {
            version: version.to_owned(),
            named,
            published,
        })
    }

    /// The text that [`Calendar::from_csv`] reads, in order of dates.
    pub fn to_csv(&self) -> String {
        let mut csv = format!("{HEADER}\n");
        for (date, day) in &self.named {
            let (kind, name) = match day {
                Day::Holiday(name) => (HOLIDAY, name),
                Day::MakeUpWorkday(name) => (MAKE_UP_WORKDAY, name),
                Day::Weekday | Day::Weekend => continue,
            };
            // Writing to a string cannot fail.
            let _ = writeln!(csv, "{date},{kind},{name}");
        }
        csv
    }
}

fn fault(index: usize, problem: String) -> CalendarError {
    CalendarError::Line {
        line: index + 1,
        problem,
    }
}

fn read_line(line: &str) -> Result<(NaiveDate, Day), String> {
    let mut fields = line.splitn(3, ',').map(str::trim);
    let mut field = || fields.next().unwrap_or_default();
    let date = field();
    let date = date
        .parse()
        .map_err(|_| format!("`{date}` is not a date like 2026-01-01"))?;
    let kind = field();
    let name = match field() {
        "" => return Err("the third field must name the holiday".to_owned()),
        name => Arc::from(name),
    };
    match kind {
        HOLIDAY => Ok((date, Day::Holiday(name))),
        MAKE_UP_WORKDAY => Ok((date, Day::MakeUpWorkday(name))),
        other => Err(format!(
            "`{other}` is no kind of day; write `{HOLIDAY}` or `{MAKE_UP_WORKDAY}`"
        )),
    }
}
