//! The engine behind every deadline and its proof.
//!
//! How days are counted [CC 200, 201, 203]:
//!
//! * The day on which a clock starts is not counted.
//! * A day counts if it is a working day (or any day, where the rule is in calendar days) and lies in no pause. A pause
//!   takes the days after the one on which it begins, up to and with the one on which it ends: the first is partly used and
//!   counts, the last is partly lost and does not. One that begins and ends on the same day takes none. Days in several
//!   pauses are taken once, by the pause that began first.
//! * An extension adds to the term, and is counted on.
//! * The last day must be a working day at whose end the clock runs; otherwise the deadline rolls to the next that is. It
//!   rolls once, at the very end.
//!
//! Hours run round the clock and are moved on by the time that the pauses took, each instant once. A pause counts from the
//! start of the clock on, and only if it began before the deadline it moves. A promise names its own day and is not moved.
//!
//! A pause that has not ended takes nothing yet: the deadline is *suspended*, and its instant is the earliest it can be.

use super::{Clock, Pause, Term};
use crate::calendar::{Calendar, Day, city_date, end_of_city_day, next};
use chrono::{DateTime, Datelike, Duration, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Why a day counted, or did not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Counting {
    /// Counted: any day, where the rule is in calendar days.
    CalendarDay,
    /// Counted.
    WorkingDay,
    /// Counted: a weekend day worked in exchange for a day of the named holiday.
    MakeUpWorkday(Arc<str>),
    /// Not counted.
    Weekend,
    /// Not counted: the named public holiday.
    Holiday(Arc<str>),
    /// Not counted: the clock stood still. Index of the pause among the clock's.
    Paused(usize),
}

impl Counting {
    pub fn is_counted(&self) -> bool {
        matches!(
            self,
            Counting::CalendarDay | Counting::WorkingDay | Counting::MakeUpWorkday(_)
        )
    }
}

impl From<Day> for Counting {
    fn from(day: Day) -> Counting {
        match day {
            Day::Weekday => Counting::WorkingDay,
            Day::Weekend => Counting::Weekend,
            Day::Holiday(name) => Counting::Holiday(name),
            Day::MakeUpWorkday(name) => Counting::MakeUpWorkday(name),
        }
    }
}

/// What the engine tells while it counts.
pub(super) enum Step {
    /// A day of the term, in order.
    Day(NaiveDate, Counting),
    /// A day on which the term ended, or to which it rolled, that cannot be the last.
    Rolled(NaiveDate, Counting),
    /// How much of round-the-clock time a pause took.
    Took(usize, Duration),
}

pub(super) struct Counted {
    pub due_at: DateTime<Utc>,
    /// The first year on whose unpublished holidays the deadline hangs.
    pub provisional_from: Option<i32>,
    pub suspended_since: Option<DateTime<Utc>>,
}

/// Counts a clock's term; `told` hears of every day.
pub(super) fn count(clock: &Clock, calendar: &Calendar, told: &mut dyn FnMut(Step)) -> Counted {
    let spans = spans(&clock.pauses);
    let start = clock.started_at;
    let mut provisional_from = None;
    let due_at = match clock.term {
        Term::Date(date) => end_of_city_day(date),
        Term::Source => moved_on(start, None, &spans, told),
        Term::Hours(hours) => {
            let hours = Duration::hours(hours.saturating_add(clock.extended).into());
            moved_on(later(start, hours), Some(start), &spans, told)
        }
        Term::WorkingDays(days) | Term::Days(days) => {
            let mut ruler = Ruler::new(clock, calendar, &spans);
            let last = ruler.count(city_date(start), days.saturating_add(clock.extended), told);
            let last = ruler.roll(last, told);
            provisional_from = ruler.provisional_from;
            end_of_city_day(last)
        }
    };
    let since = clock.stands_still_since();
    Counted {
        due_at,
        provisional_from,
        suspended_since: since.filter(|since| clock.can_be_moved() && *since <= due_at),
    }
}

impl Clock {
    /// A promise stands, whatever the case waits for.
    fn can_be_moved(&self) -> bool {
        !matches!(self.term, Term::Date(_))
    }
}

/// A piece of a pause that no earlier pause covers.
struct Span {
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    pause: usize,
}

/// The pauses that have ended, cut so that no instant is in two of them, in order.
fn spans(pauses: &[Pause]) -> Vec<Span> {
    let ended = pauses.iter().enumerate();
    let mut spans: Vec<Span> = ended
        .filter_map(|(pause, Pause { from, to, .. })| {
            to.map(|to| Span {
                from: *from,
                to,
                pause,
            })
        })
        .collect();
    spans.sort_by_key(|span| (span.from, span.pause));
    let mut covered = DateTime::<Utc>::MIN_UTC;
    for span in &mut spans {
        span.from = span.from.max(covered);
        covered = covered.max(span.to);
    }
    spans.retain(|span| span.from < span.to);
    spans
}

/// An instant moved on by the spans that begin before it, as far as they lie after `floor`.
fn moved_on(
    mut due: DateTime<Utc>,
    floor: Option<DateTime<Utc>>,
    spans: &[Span],
    told: &mut dyn FnMut(Step),
) -> DateTime<Utc> {
    for span in spans {
        let from = floor.map_or(span.from, |floor| span.from.max(floor));
        if from > due {
            break;
        }
        let took = span.to - from;
        if took > Duration::zero() {
            due = later(due, took);
            told(Step::Took(span.pause, took));
        }
    }
    due
}

fn later(at: DateTime<Utc>, by: Duration) -> DateTime<Utc> {
    at.checked_add_signed(by).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

/// Counts whole days of the city.
struct Ruler<'a> {
    calendar: &'a Calendar,
    only_working: bool,
    /// First and last city day of each span that ends on a later day than it begins, and its pause.
    stands_still: Vec<(NaiveDate, NaiveDate, usize)>,
    provisional_from: Option<i32>,
}

impl<'a> Ruler<'a> {
    fn new(clock: &Clock, calendar: &'a Calendar, spans: &[Span]) -> Ruler<'a> {
        let days = spans
            .iter()
            .map(|span| (city_date(span.from), city_date(span.to), span.pause));
        Ruler {
            calendar,
            only_working: matches!(clock.term, Term::WorkingDays(_)),
            stands_still: days.filter(|(from, to, _)| from < to).collect(),
            provisional_from: None,
        }
    }

    /// The day on which the `count`-th day after `start` is counted.
    fn count(&mut self, start: NaiveDate, count: u32, told: &mut dyn FnMut(Step)) -> NaiveDate {
        let mut date = start;
        let mut left = count;
        while left > 0 && date < NaiveDate::MAX {
            date = next(date);
            let counting = self.counting(date);
            left -= u32::from(counting.is_counted());
            told(Step::Day(date, counting));
        }
        date
    }

    fn counting(&mut self, date: NaiveDate) -> Counting {
        let by_calendar = if self.only_working {
            self.look_up(date)
        } else {
            Counting::CalendarDay
        };
        let pause = || {
            let mut pauses = self.stands_still.iter();
            pauses.find(|(from, to, _)| *from < date && date <= *to)
        };
        match pause() {
            // A day that would not have counted anyway is not taken by the pause.
            Some((_, _, pause)) if by_calendar.is_counted() => Counting::Paused(*pause),
            _ => by_calendar,
        }
    }

    /// The first day from `date` on that may be the last of a period.
    fn roll(&mut self, date: NaiveDate, told: &mut dyn FnMut(Step)) -> NaiveDate {
        let mut last = date;
        while last < NaiveDate::MAX
            && let Some(why) = self.not_last(last)
        {
            told(Step::Rolled(last, why));
            last = next(last);
        }
        last
    }

    /// Why a period cannot end on this day.
    fn not_last(&mut self, date: NaiveDate) -> Option<Counting> {
        let by_calendar = self.look_up(date);
        if !by_calendar.is_counted() {
            return Some(by_calendar);
        }
        let mut pauses = self.stands_still.iter();
        pauses
            .find(|(from, to, _)| (*from..=*to).contains(&date))
            .map(|(_, _, pause)| Counting::Paused(*pause))
    }

    fn look_up(&mut self, date: NaiveDate) -> Counting {
        if self.provisional_from.is_none() && !self.calendar.is_published(date) {
            self.provisional_from = Some(date.year());
        }
        self.calendar.day(date).into()
    }
}
