use chrono::{DateTime, Duration, NaiveDateTime, TimeZone, Utc};
use onetrip_model::calendar::{CITY_ZONE, city_date, end_of_city_day};

/// An instant in the city's time, written `2026-03-02 09:00`.
pub fn at(city_time: &str) -> DateTime<Utc> {
    let local =
        NaiveDateTime::parse_from_str(city_time, "%Y-%m-%d %H:%M").expect("a time like 2026-03-02 09:00");
    CITY_ZONE
        .from_local_datetime(&local)
        .single()
        .expect("one instant")
        .to_utc()
}

pub fn hours(count: i64) -> Duration {
    Duration::hours(count)
}

pub fn days(count: i64) -> Duration {
    Duration::days(count)
}

/// The last second of the `count`-th working day after `start`, by the shipped calendar.
pub fn working_days(start: DateTime<Utc>, count: u32) -> DateTime<Utc> {
    end_of_city_day(crate::rules().calendar.add_working_days(city_date(start), count))
}

/// Instants with names. The first half of March 2026 has no holiday.
pub mod moments {
    use super::at;
    use chrono::{DateTime, Utc};

    /// Monday morning: where cases are filed unless a test says otherwise.
    pub fn monday_9am() -> DateTime<Utc> {
        at("2026-03-02 09:00")
    }

    pub fn tuesday_9am() -> DateTime<Utc> {
        at("2026-03-03 09:00")
    }

    pub fn friday_5pm() -> DateTime<Utc> {
        at("2026-03-06 17:00")
    }

    /// The last hour of the last working day before Spring Festival, which is followed by nine days off.
    pub fn eve_of_spring_festival() -> DateTime<Utc> {
        at("2026-02-14 17:00")
    }
}
