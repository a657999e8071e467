//! Another city's clock readings as instants.

use crate::mapping::{MappingError, fault};
use chrono::{DateTime, Duration, LocalResult, NaiveDate, NaiveDateTime, Offset, SubsecRound, TimeZone, Utc};
use chrono_tz::Tz;

/// How the times of an export are written, and in which zone its clocks stand.
#[derive(Clone, Debug)]
pub(crate) struct LocalTimes {
    zone: Tz,
    format: String,
    /// The format writes the offset from UTC beside the time, which then decides instead of the zone.
    has_offset: bool,
}

impl LocalTimes {
    /// `zone` is an IANA name, `format` one of chrono's: `%Y-%m-%dT%H:%M:%S`.
    pub fn new(zone: &str, format: &str) -> Result<LocalTimes, MappingError> {
        let zone: Tz = zone.parse().map_err(|_| {
            fault(
                "time.zone",
                format!("is `{zone}`, not a zone like America/New_York"),
            )
        })?;
        let has_offset = ["%z", "%:z", "%#z", "%+"]
            .iter()
            .any(|mark| format.contains(mark));
        let times = LocalTimes {
            zone,
            format: format.to_owned(),
            has_offset,
        };
        // A format is good if it brings back a time it has written, to the minute.
        let sample = NaiveDate::from_ymd_opt(2015, 11, 23).and_then(|date| date.and_hms_opt(17, 40, 0));
        let sample = sample.map(|sample| sample.and_utc());
        let written = sample.and_then(|sample| write(sample, format));
        match (
            sample,
            written.and_then(|written| times.parse_naive_or_offset(&written)),
        ) {
            (Some(sample), Some(Read::Local(local))) if local == sample.naive_utc() => Ok(times),
            (Some(sample), Some(Read::Instant(at))) if at == sample => Ok(times),
            _ => Err(fault(
                "time.format",
                format!("is `{format}`, which does not tell a date with its time of day"),
            )),
        }
    }

    /// The instant of a time as the export writes it, in the microseconds that PostgreSQL keeps.
    pub fn parse(&self, text: &str) -> Option<DateTime<Utc>> {
        let at = match self.parse_naive_or_offset(text)? {
            Read::Instant(at) => at,
            Read::Local(local) => instant(self.zone, local)?,
        };
        Some(at.trunc_subsecs(6))
    }

    /// The instant of `2016-01-12T22:22:40` in the zone, or of an RFC 3339 time.
    pub fn parse_iso(&self, text: &str) -> Option<DateTime<Utc>> {
        match text.parse::<DateTime<Utc>>() {
            Ok(at) => Some(at),
            Err(_) => instant(self.zone, text.parse().ok()?),
        }
    }

    fn parse_naive_or_offset(&self, text: &str) -> Option<Read> {
        if self.has_offset {
            let at = DateTime::parse_from_str(text, &self.format).ok()?;
            return Some(Read::Instant(at.with_timezone(&Utc)));
        }
        NaiveDateTime::parse_from_str(text, &self.format)
            .ok()
            .map(Read::Local)
    }
}

enum Read {
    Local(NaiveDateTime),
    Instant(DateTime<Utc>),
}

/// None where the format has an item that chrono does not know.
fn write(at: DateTime<Utc>, format: &str) -> Option<String> {
    use std::fmt::Write;
    let mut written = String::new();
    write!(written, "{}", at.format(format)).ok()?;
    Some(written)
}

/// A local time that comes twice, when clocks go back, is the earlier one. One that never comes, when clocks go
/// forward, is taken as if they had not yet, which is as much later as they were moved.
fn instant(zone: Tz, local: NaiveDateTime) -> Option<DateTime<Utc>> {
    match zone.from_local_datetime(&local) {
        LocalResult::Single(at) => Some(at.with_timezone(&Utc)),
        LocalResult::Ambiguous(earliest, _) => Some(earliest.with_timezone(&Utc)),
        LocalResult::None => {
            let day_before = zone.from_local_datetime(&(local - Duration::days(1))).latest()?;
            let offset = day_before.offset().fix().local_minus_utc();
            Some((local - Duration::seconds(offset.into())).and_utc())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new_york() -> LocalTimes {
        LocalTimes::new("America/New_York", "%Y-%m-%dT%H:%M:%S").unwrap()
    }

    fn at(times: &LocalTimes, text: &str) -> String {
        times.parse(text).map(|at| at.to_rfc3339()).unwrap_or_default()
    }

    #[test]
    fn local_times_follow_the_zone() {
        assert_eq!(
            at(&new_york(), "2015-01-01T00:20:09"),
            "2015-01-01T05:20:09+00:00"
        );
        assert_eq!(
            at(&new_york(), "2015-07-01T00:20:09"),
            "2015-07-01T04:20:09+00:00"
        );
    }

    #[test]
    fn a_time_that_comes_twice_is_the_earlier() {
        assert_eq!(
            at(&new_york(), "2015-11-01T01:30:00"),
            "2015-11-01T05:30:00+00:00"
        );
    }

    #[test]
    fn a_time_that_never_comes_is_shifted_forward() {
        assert_eq!(
            at(&new_york(), "2015-03-08T02:30:00"),
            "2015-03-08T07:30:00+00:00"
        );
        assert_eq!(
            at(&new_york(), "2015-03-08T03:30:00"),
            "2015-03-08T07:30:00+00:00"
        );
    }

    #[test]
    fn what_is_no_time_is_none() {
        for text in [
            "",
            "2015-02-30T00:00:00",
            "2015-01-01",
            "01/02/2015 3:04 PM",
            "2015-01-01T00:20:09Z",
        ] {
            assert_eq!(new_york().parse(text), None, "{text}");
        }
    }

    #[test]
    fn other_formats() {
        let american = LocalTimes::new("America/Chicago", "%m/%d/%Y %I:%M %p").unwrap();
        assert_eq!(at(&american, "01/02/2015 03:04 PM"), "2015-01-02T21:04:00+00:00");
        let with_offset = LocalTimes::new("Asia/Shanghai", "%Y-%m-%d %H:%M:%S%:z").unwrap();
        assert_eq!(
            at(&with_offset, "2015-01-02 03:04:05+01:00"),
            "2015-01-02T02:04:05+00:00"
        );
    }

    #[test]
    fn faulty_zones_and_formats_name_their_key() {
        let fault = |zone, format| LocalTimes::new(zone, format).unwrap_err().to_string();
        assert!(fault("Boston", "%Y-%m-%dT%H:%M:%S").starts_with("mapping: `time.zone`"));
        for format in ["", "%Y-%m-%d", "%H:%M", "%Q", "%Y-%m-%d %I:%M"] {
            assert!(
                fault("America/New_York", format).starts_with("mapping: `time.format`"),
                "{format}"
            );
        }
    }
}
