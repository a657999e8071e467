//! Dates, lengths of time and numbers as each locale writes them. Instants come in UTC and are shown in the
//! time of the city.

use chrono::{DateTime, Datelike, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;

use crate::{Arg, Locale, t, t_args};

/// The zone every date on a page is in: one zone for the whole country.
pub const CITY_TIME: Tz = chrono_tz::Asia::Shanghai;

const WEEKDAYS_ZH: [&str; 7] = ["一", "二", "三", "四", "五", "六", "日"];

/// A day without its year: `11月24日` / `24 Nov`.
pub fn date(locale: Locale, day: NaiveDate) -> String {
    match locale {
        Locale::ZhCn => format!("{}月{}日", day.month(), day.day()),
        Locale::En => day.format("%-d %b").to_string(),
    }
}

/// A day in full: `2026年11月24日（周二）` / `Tuesday 24 November 2026`.
pub fn date_long(locale: Locale, day: NaiveDate) -> String {
    match locale {
        Locale::ZhCn => {
            let weekday = WEEKDAYS_ZH[day.weekday().num_days_from_monday() as usize];
            format!("{}年{}月{}日（周{weekday}）", day.year(), day.month(), day.day())
        }
        Locale::En => day.format("%A %-d %B %Y").to_string(),
    }
}

/// An instant, to the minute: `11月24日 17:30` / `24 Nov, 17:30`.
pub fn date_time(locale: Locale, at: DateTime<Utc>) -> String {
    let local = at.with_timezone(&CITY_TIME);
    let day = date(locale, local.date_naive());
    match locale {
        Locale::ZhCn => format!("{day} {}", local.format("%H:%M")),
        Locale::En => format!("{day}, {}", local.format("%H:%M")),
    }
}

/// The time of day of an instant: `17:30`.
pub fn time_of_day(at: DateTime<Utc>) -> String {
    at.with_timezone(&CITY_TIME).format("%H:%M").to_string()
}

/// A month: `2026年11月` / `Nov 2026`.
pub fn month(locale: Locale, first_day: NaiveDate) -> String {
    match locale {
        Locale::ZhCn => format!("{}年{}月", first_day.year(), first_day.month()),
        Locale::En => first_day.format("%b %Y").to_string(),
    }
}

/// How long until `due_at`: `还剩 3 天 4 小时` / `3 d 4 h left`, or by how much it is overdue.
///
/// The two largest units are enough to act on; a countdown of seconds only presses.
pub fn time_left(locale: Locale, now: DateTime<Utc>, due_at: DateTime<Utc>) -> String {
    let left = due_at - now;
    let length = span(locale, left.abs());
    let key = if left < TimeDelta::zero() {
        "time-overdue"
    } else {
        "time-left"
    };
    t_args(locale, key, &[("length", Arg::Text(length))])
}

/// A length of time given in hours, in its two largest units.
pub fn span_hours(locale: Locale, hours: f64) -> String {
    span(locale, TimeDelta::minutes((hours * 60.0).round() as i64))
}

/// A length of time, in its two largest units.
pub fn span(locale: Locale, length: TimeDelta) -> String {
    let (days, hours, minutes) = (
        length.num_days(),
        length.num_hours() % 24,
        length.num_minutes() % 60,
    );
    let part = |key: &str, n: i64| t_args(locale, key, &[("n", Arg::Number(n))]);
    let parts = if days > 0 {
        [(days, "time-days"), (hours, "time-hours")]
    } else if hours > 0 {
        [(hours, "time-hours"), (minutes, "time-minutes")]
    } else {
        [(minutes, "time-minutes"), (0, "time-minutes")]
    };
    let shown: Vec<String> = parts
        .into_iter()
        .filter(|(n, _)| *n > 0)
        .map(|(n, key)| part(key, n))
        .collect();
    if shown.is_empty() {
        t(locale, "time-moment")
    } else {
        shown.join(" ")
    }
}

/// A count with thousands separators: `37,000`.
pub fn integer(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A share from 0 to 1 as `93.4%`. It is cut, not rounded, so that 99.96 % never shows as 100.0 %.
pub fn share(value: f64) -> String {
    if !value.is_finite() {
        return "–".to_owned();
    }
    format!("{:.1}%", (value * 1000.0 + 1e-9).floor() / 10.0)
}

/// `numerator / denominator` as a share; an en dash where nothing was counted.
pub fn per_cent(numerator: u64, denominator: u64) -> String {
    if denominator == 0 {
        "–".to_owned()
    } else {
        share(numerator as f64 / denominator as f64)
    }
}
