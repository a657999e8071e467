//! One clock with a limit, as the oracle sees it.

use chrono::{DateTime, TimeDelta, Utc};
use onetrip_model::clocks::ClockKind;

/// Instants nearer than this to each other may have been taken the other way round: parts of a second are rounded.
const ROUNDING: TimeDelta = TimeDelta::milliseconds(20);

type Instant = DateTime<Utc>;

pub struct Track {
    pub kind: ClockKind,
    started_at: Instant,
    due_at: Instant,
    /// Per cent, and the instant at which so much of the limit is used up.
    steps: Vec<(u16, Instant)>,
    pub stopped_at: Option<Instant>,
    pauses: Vec<(Instant, Option<Instant>)>,
    /// What stands, and whether it was raised before its time.
    raised: Vec<(u16, bool)>,
}

impl Track {
    pub fn new(kind: ClockKind, started_at: Instant, due_at: Instant, steps: Vec<u16>) -> Track {
        let mut track = Track {
            kind,
            started_at,
            due_at,
            steps: steps.into_iter().map(|percent| (percent, due_at)).collect(),
            stopped_at: None,
            pauses: Vec::new(),
            raised: Vec::new(),
        };
        track.search();
        track
    }

    /// From `at` on, another limit. What was raised before its time, and whose time has come since, is right by now: it was
    /// so under the limit of then.
    pub fn set_due(&mut self, at: Instant, due_at: Instant) {
        let come: Vec<bool> = self
            .raised
            .iter()
            .map(|(percent, _)| self.has_come(*percent, at, ROUNDING))
            .collect();
        for ((_, is_early), has_come) in self.raised.iter_mut().zip(come) {
            *is_early &= !has_come;
        }
        self.due_at = due_at;
        self.search();
    }

    pub fn stop(&mut self, at: Instant) {
        self.stopped_at.get_or_insert(at);
    }

    pub fn pause(&mut self, at: Instant) {
        self.pauses.push((at, None));
    }

    /// Ends the pause that lasts, if one does.
    pub fn go_on(&mut self, at: Instant) {
        if let Some(pause) = self.pauses.iter_mut().find(|pause| pause.1.is_none()) {
            pause.1 = Some(at.max(pause.0));
            self.search();
        }
    }

    /// Milliseconds of `[started_at, to]` that were in no pause that has ended.
    fn ran(&self, to: Instant) -> i64 {
        let mut edges: Vec<(Instant, i32)> = Vec::new();
        for (from, until) in &self.pauses {
            let Some(until) = until else { continue };
            let (from, until) = ((*from).max(self.started_at), (*until).min(to));
            if from < until {
                edges.extend([(from, 1), (until, -1)]);
            }
        }
        edges.sort_unstable();
        let mut ran = (to - self.started_at).num_milliseconds();
        let (mut depth, mut since) = (0, self.started_at);
        for (at, change) in edges {
            if depth > 0 {
                ran -= (at - since).num_milliseconds();
            }
            (depth, since) = (depth + change, at);
        }
        ran
    }

    /// Searches for the instants of all steps.
    fn search(&mut self) {
        let limit = self.ran(self.due_at);
        let steps = self
            .steps
            .iter()
            .map(|(percent, _)| (*percent, self.moment(*percent, limit)));
        self.steps = steps.collect();
    }

    fn moment(&self, percent: u16, limit: i64) -> Instant {
        // The deadline is said by the law, and lateness runs from there.
        let (from, used) = if percent < 100 {
            (self.started_at, 0)
        } else {
            (self.due_at, self.ran(self.due_at))
        };
        let share = if percent < 100 { percent } else { percent - 100 };
        let wanted = used + limit * i64::from(share) / 100;
        let paused: TimeDelta = self
            .pauses
            .iter()
            .filter_map(|pause| Some(pause.1? - pause.0))
            .sum();
        let (mut before, mut after) = (0, (wanted - used) + paused.num_milliseconds());
        while before < after {
            let middle = before + (after - before) / 2;
            if self.ran(from + TimeDelta::milliseconds(middle)) >= wanted {
                after = middle;
            } else {
                before = middle + 1;
            }
        }
        from + TimeDelta::milliseconds(after)
    }

    /// Whether this much was used up at `at`, give or take; what has stopped, or stands still, uses nothing up.
    fn has_come(&self, percent: u16, at: Instant, give: TimeDelta) -> bool {
        let paused = self
            .pauses
            .iter()
            .filter(|pause| pause.1.is_none())
            .map(|pause| pause.0);
        let until = paused.chain(self.stopped_at).fold(at, DateTime::min) + give;
        let step = self.steps.iter().find(|step| step.0 == percent);
        step.is_some_and(|(_, moment)| {
            if percent < 100 {
                *moment <= until
            } else {
                *moment < until
            }
        })
    }

    fn stands(&self, percent: u16) -> bool {
        self.raised.iter().any(|(raised, _)| *raised == percent)
    }

    /// What is not raised and had to be by `at`.
    pub fn missing_at(&self, at: Instant) -> Vec<u16> {
        let percents = self.steps.iter().map(|step| step.0);
        let missing = percents.filter(|percent| {
            (self.stopped_at.is_none() || *percent == 100)
                && !self.stands(*percent)
                && self.has_come(*percent, at, -ROUNDING)
        });
        missing.collect()
    }

    /// What was raised before its time, which has not come by `at` either.
    pub fn wrong_at(&self, at: Instant) -> Vec<u16> {
        let early = self
            .raised
            .iter()
            .filter(|(_, is_early)| *is_early)
            .map(|(percent, _)| *percent);
        early
            .filter(|percent| !self.has_come(*percent, at, ROUNDING))
            .collect()
    }

    /// Whether it was raised before its time, or why it may not have been raised at all by the clock of who did it.
    pub fn raise(&mut self, percent: u16, by_its_clock: Instant, now: Instant) -> Result<bool, &'static str> {
        if self.stands(percent) {
            return Err("twice");
        }
        if self.stopped_at.is_some() && percent != 100 {
            return Err("after the clock had stopped");
        }
        if !self.has_come(percent, by_its_clock, ROUNDING) {
            return Err("before its time, even by the clock of who did it");
        }
        let is_early = !self.has_come(percent, now, ROUNDING);
        self.raised.push((percent, is_early));
        Ok(is_early)
    }

    /// Takes it away; whether it had been early and still is, None if it was not there.
    pub fn withdraw(&mut self, percent: u16, now: Instant) -> Option<bool> {
        let place = self.raised.iter().position(|(raised, _)| *raised == percent)?;
        let (_, is_early) = self.raised.swap_remove(place);
        Some(is_early && !self.has_come(percent, now, -ROUNDING))
    }
}
