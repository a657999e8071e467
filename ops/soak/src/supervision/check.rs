//! The oracle of the supervised year. It takes from the log when which deadline was set and what people did, and works out
//! for itself what had to be raised by when: nothing of the service's own clocks is used.

use super::{track::Track, workers::Jump};
use crate::{
    Failure,
    run::{Faults, Report},
};
use chrono::{DateTime, TimeDelta, Utc};
use futures::{Stream, TryStreamExt as _};
use onetrip_event_log::LoggedEvent;
use onetrip_model::{
    By, CaseEvent, CaseFact,
    case::{CloseReason, ReviewDecision, ReviewLevel},
    clocks::ClockKind,
};
use std::pin::pin;

/// One turn of the workers.
#[derive(Clone, Debug)]
pub struct Look {
    /// In true time. Its microseconds are its number, and those of nothing else.
    pub at: DateTime<Utc>,
    pub jumps: [Jump; 2],
    pub is_up: [bool; 2],
    is_lagging: bool,
}

impl Look {
    pub fn at(
        number: usize,
        second: DateTime<Utc>,
        jumps: [Jump; 2],
        is_up: [bool; 2],
        is_lagging: bool,
    ) -> Look {
        let micros = i64::try_from(number + 1).unwrap_or_default();
        Look {
            at: second + TimeDelta::microseconds(micros),
            jumps,
            is_up,
            is_lagging,
        }
    }

    fn acting(&self) -> impl Iterator<Item = TimeDelta> {
        let workers = self.jumps.iter().zip(self.is_up);
        workers.filter(|(_, is_up)| *is_up).map(|(jump, _)| jump.acts())
    }

    /// Whether whatever is due by now has to be seen: some worker has the right time, and an up-to-date queue.
    fn sees_all(&self) -> bool {
        !self.is_lagging && self.acting().any(|off| off.is_zero())
    }

    /// Whether some worker may take back what it takes for early, because every clock that it knows is behind.
    fn may_be_behind(&self) -> bool {
        let workers = self.jumps.iter().zip(self.is_up);
        workers
            .filter(|(_, is_up)| *is_up)
            .any(|(jump, _)| jump.latest() < TimeDelta::zero())
    }

    /// Whether whatever is there too early has to be seen, and nobody makes more of it.
    fn repairs(&self) -> bool {
        self.sees_all() && self.acting().all(|off| off <= TimeDelta::zero())
    }

    fn may_be_ahead(&self) -> bool {
        self.acting().any(|off| off > TimeDelta::zero())
    }
}

#[derive(Default)]
pub(super) struct Counts {
    events: u64,
    warnings: u64,
    breaches: u64,
    escalations: u64,
    withdrawn: u64,
    withdrawn_late: u64,
    silences: u64,
    unrated: u64,
    ended_early: u64,
}

/// Holds every history against what had to happen.
pub async fn check(
    histories: impl Stream<Item = Result<LoggedEvent, sqlx::Error>>,
    looks: &[Look],
    end: DateTime<Utc>,
    report: &mut Report,
) -> Result<(), Failure> {
    let upcasters = onetrip_model::case::upcasters();
    let faults = Faults::default();
    let mut counts = Counts::default();
    let mut histories = pin!(histories);
    let mut current: Option<(String, History<'_>)> = None;
    while let Some(logged) = histories.try_next().await? {
        let event = logged.read::<CaseEvent>("case", &upcasters)?;
        counts.events += 1;
        if current
            .as_ref()
            .is_none_or(|(case, _)| *case != logged.aggregate_id)
        {
            if let Some((_, history)) = current.take() {
                history.end(end);
            }
            let history = History::new(logged.aggregate_id.clone(), looks, &faults, event.at);
            current = Some((logged.aggregate_id.clone(), history));
        }
        if let Some((_, history)) = &mut current {
            history.go_on(&event, &mut counts);
        }
    }
    if let Some((_, history)) = current {
        history.end(end);
    }
    report.figure("events in the log", counts.events);
    report.figure("warnings raised", counts.warnings);
    report.figure("breaches raised", counts.breaches);
    report.figure("escalations raised", counts.escalations);
    report.figure("withdrawn: a clock had been ahead", counts.withdrawn);
    report.figure("withdrawn by clocks that were behind", counts.withdrawn_late);
    report.figure(
        "silences recorded, cases closed unrated",
        format!("{}, {}", counts.silences, counts.unrated),
    );
    report.figure("of these early: every clock was ahead", counts.ended_early);
    report.faults.extend(faults.take());
    Ok(())
}

/// What the oracle knows of one case.
pub(super) struct History<'a> {
    case: String,
    looks: &'a [Look],
    faults: &'a Faults,
    tracks: Vec<Track>,
    /// The resident's window that the case waits for, and its last instant.
    window: Option<(ClockKind, DateTime<Utc>)>,
    tiers_above: usize,
    /// In true time.
    now: DateTime<Utc>,
}

impl<'a> History<'a> {
    pub(super) fn new(
        case: String,
        looks: &'a [Look],
        faults: &'a Faults,
        begun: DateTime<Utc>,
    ) -> History<'a> {
        History {
            case,
            looks,
            faults,
            tracks: Vec::new(),
            window: None,
            tiers_above: 0,
            now: begun,
        }
    }

    fn fault(&self, what: impl std::fmt::Display) {
        self.faults
            .add(format!("case {}, {}: {what}", self.case, self.now));
    }

    /// Nothing may be missing, and nothing wrong be left, at the looks from the last event until `to`.
    fn wait_until(&self, to: DateTime<Utc>) {
        let place = |at| self.looks.partition_point(|look| look.at < at);
        let looks = self.looks.get(place(self.now)..place(to)).unwrap_or_default();
        if let Some(look) = looks.iter().rfind(|look| look.sees_all()) {
            for track in &self.tracks {
                for percent in track.missing_at(look.at) {
                    self.fault(format_args!(
                        "{:?} {percent} % was not raised by {}",
                        track.kind, look.at
                    ));
                }
            }
            if let Some((window, until)) = self.window
                && until + TimeDelta::seconds(1) <= look.at
            {
                self.fault(format_args!("the window {window:?} was not ended by {}", look.at));
            }
        }
        // At the first look already: later its time may have come.
        if let Some(look) = looks.iter().find(|look| look.repairs()) {
            for track in &self.tracks {
                for percent in track.wrong_at(look.at) {
                    self.fault(format_args!(
                        "{:?} {percent} % was left at {}",
                        track.kind, look.at
                    ));
                }
            }
        }
    }

    pub(super) fn end(self, end: DateTime<Utc>) {
        self.wait_until(end);
    }

    pub(super) fn go_on(&mut self, event: &CaseEvent, counts: &mut Counts) {
        let number = usize::try_from(event.at.timestamp_subsec_micros()).unwrap_or_default();
        let looks = self.looks;
        let look = number.checked_sub(1).and_then(|number| looks.get(number));
        let now = look.map_or(event.at, |look| look.at);
        if look.is_some() != (event.by == By::Service) {
            self.fault(format_args!(
                "{} by {:?} at {}",
                event.fact.name(),
                event.by,
                event.at
            ));
        }
        self.wait_until(now);
        if now < self.now {
            self.fault(format_args!("{} came after it", event.at));
        }
        self.now = now;
        if let Some(look) = look {
            self.by_the_service(event, look, counts);
        }
        self.apply(event);
    }

    /// What the workers did.
    fn by_the_service(&mut self, event: &CaseEvent, look: &Look, counts: &mut Counts) {
        match &event.fact {
            CaseFact::WarningRaised { clock, percent } => {
                counts.warnings += 1;
                self.raised(*clock, *percent, event.at, look);
            }
            CaseFact::LimitBreached { clock } => {
                counts.breaches += 1;
                self.raised(*clock, 100, event.at, look);
            }
            CaseFact::CaseEscalated { clock, percent, to } => {
                counts.escalations += 1;
                self.raised(*clock, *percent, event.at, look);
                let level = match percent {
                    150 => 1,
                    200 => 2,
                    _ => 3,
                };
                let tiers = ["city", "district", "street"];
                let expected = self
                    .tiers_above
                    .checked_sub(level)
                    .and_then(|place| tiers.get(place));
                if expected != Some(&to.as_str()) {
                    self.fault(format_args!("{percent} % went to {to:?} and not to {expected:?}"));
                }
            }
            CaseFact::RaisingWithdrawn { clock, percent } => self.withdrawn(*clock, *percent, look, counts),
            CaseFact::SilenceRecorded {} => {
                counts.silences += 1;
                self.ended(ClockKind::Materials, event.at, look, counts);
            }
            CaseFact::CaseClosed {
                reason: CloseReason::Unrated,
                ..
            } => {
                counts.unrated += 1;
                self.ended(ClockKind::Rating, event.at, look, counts);
            }
            other => self.fault(format_args!("{} by the service", other.name())),
        }
    }

    fn raised(&mut self, clock: ClockKind, percent: u16, by_its_clock: DateTime<Utc>, look: &Look) {
        let fault = match self.tracks.iter_mut().find(|track| track.kind == clock) {
            None => Some("on a clock that never ran"),
            Some(track) => match track.raise(percent, by_its_clock, look.at) {
                Ok(true) if !look.may_be_ahead() => Some("before its time"),
                Ok(_) => None,
                Err(fault) => Some(fault),
            },
        };
        if let Some(fault) = fault {
            self.fault(format_args!("{clock:?} {percent} % was raised {fault}"));
        }
    }

    fn withdrawn(&mut self, clock: ClockKind, percent: u16, look: &Look, counts: &mut Counts) {
        let track = self.tracks.iter_mut().find(|track| track.kind == clock);
        match track.and_then(|track| track.withdraw(percent, look.at)) {
            Some(true) => counts.withdrawn += 1,
            // By all that this worker could know; it is raised again.
            Some(false) if look.may_be_behind() => counts.withdrawn_late += 1,
            Some(false) => self.fault(format_args!(
                "{clock:?} {percent} % was withdrawn and had been due"
            )),
            None => self.fault(format_args!("{clock:?} {percent} % was withdrawn and not there")),
        }
    }

    fn ended(&mut self, window: ClockKind, by_its_clock: DateTime<Utc>, look: &Look, counts: &mut Counts) {
        match self.window {
            Some((waited_for, until)) if waited_for == window => {
                if until >= by_its_clock {
                    self.fault(format_args!("{window:?} was ended before {until}"));
                } else if until >= look.at {
                    counts.ended_early += 1;
                    if !look.may_be_ahead() {
                        self.fault(format_args!("{window:?} was ended before its time"));
                    }
                }
            }
            _ => self.fault(format_args!("{window:?} was ended and was not waited for")),
        }
    }

    /// What follows from an event for the clocks: DOMAIN.md once more, in other words.
    fn apply(&mut self, event: &CaseEvent) {
        use ClockKind::{
            Contact, FinalReview, Legal, Materials, Promise, Rating, RatingOwner, Receipt, Redo, Result,
            Review,
        };
        const PAUSED_BY_REQUEST: &[ClockKind] = &[Result, Redo, Legal];
        const PAUSED_BY_LAW: &[ClockKind] = &[Result, Redo, Legal, Review, FinalReview];
        let at = event.at;
        let mut goes_on = false;
        let (starts, stops): (&[ClockKind], &[ClockKind]) = match &event.fact {
            CaseFact::CaseSubmitted(submitted) => {
                self.tiers_above = match submitted.place.division.as_str().len() {
                    ..=4 => 0,
                    5..=6 => 1,
                    7..=9 => 2,
                    _ => 3,
                };
                (&[Contact, Receipt, Result], &[])
            }
            CaseFact::CaseAccepted {} => (&[Legal], &[Receipt]),
            CaseFact::CaseAssigned { .. } | CaseFact::RatingOwned {} => (&[], &[RatingOwner]),
            CaseFact::FollowUpRecorded { reached: true, .. } => (&[], &[Contact]),
            CaseFact::MaterialsRequested { .. } => {
                self.pause(PAUSED_BY_REQUEST, at);
                (&[Materials], &[])
            }
            CaseFact::MaterialsAnswered { .. } | CaseFact::SilenceRecorded {} => {
                self.go_on_after_pause(PAUSED_BY_REQUEST, at);
                (&[], &[Materials])
            }
            CaseFact::LawPauseBegun { .. } => {
                self.pause(PAUSED_BY_LAW, at);
                (&[], &[])
            }
            CaseFact::LawPauseEnded {} => {
                self.go_on_after_pause(PAUSED_BY_LAW, at);
                (&[], &[])
            }
            CaseFact::ResultGiven { .. } => {
                self.pause(&[Legal], at);
                (&[Rating], &[Receipt, Result, Redo, RatingOwner])
            }
            CaseFact::PromiseMade { .. } => (&[Promise], &[]),
            CaseFact::PromiseKept { .. } => (&[], &[Promise]),
            // Where it has an owner to be found: the event says so by its deadline.
            CaseFact::ResultRated { .. } if event.deadline(RatingOwner).is_some() => (&[RatingOwner], &[]),
            CaseFact::CaseReopened { .. } => {
                goes_on = true;
                (&[Redo], &[Rating])
            }
            CaseFact::ReviewAsked { level, .. } => match level {
                ReviewLevel::Review => (&[Review], &[Rating]),
                ReviewLevel::FinalReview => (&[FinalReview], &[Rating]),
            },
            CaseFact::ReviewDecided { decision, .. } => {
                goes_on = *decision == ReviewDecision::SentBack;
                match goes_on {
                    true => (&[Redo], &[Review, FinalReview]),
                    false => (&[], &[Review, FinalReview]),
                }
            }
            CaseFact::CaseClosed { .. } | CaseFact::CaseWithdrawn { .. } => {
                self.window = None;
                (
                    &[],
                    &[
                        Contact,
                        Receipt,
                        Result,
                        Redo,
                        Legal,
                        Materials,
                        Review,
                        FinalReview,
                    ],
                )
            }
            _ => (&[], &[]),
        };
        for track in self.tracks.iter_mut().filter(|track| stops.contains(&track.kind)) {
            track.stop(at);
        }
        if goes_on {
            self.go_on_after_pause(&[Legal], at);
            for track in self.tracks.iter_mut().filter(|track| track.kind == Legal) {
                track.stopped_at = None;
            }
        }
        if self.window.is_some_and(|(window, _)| stops.contains(&window)) {
            self.window = None;
        }
        self.tracks.retain(|track| !starts.contains(&track.kind));
        for set in &event.deadlines {
            let due_at = set.deadline.due_at;
            match set.clock {
                window @ (Materials | Rating) if starts.contains(&window) => {
                    self.window = Some((window, due_at))
                }
                clock if starts.contains(&clock) => {
                    let escalations = set.steps.iter().filter(|percent| **percent > 100).count();
                    if escalations != self.tiers_above {
                        let tiers = self.tiers_above;
                        self.fault(format_args!(
                            "{clock:?} has {escalations} escalations for {tiers} tiers"
                        ));
                    }
                    self.tracks.push(Track::new(clock, at, due_at, set.steps.clone()));
                }
                clock => {
                    for track in self.tracks.iter_mut().filter(|track| track.kind == clock) {
                        track.set_due(at, due_at);
                    }
                }
            }
        }
    }

    fn pause(&mut self, kinds: &[ClockKind], at: DateTime<Utc>) {
        let running = self.tracks.iter_mut().filter(|track| track.stopped_at.is_none());
        for track in running.filter(|track| kinds.contains(&track.kind)) {
            track.pause(at);
        }
    }

    fn go_on_after_pause(&mut self, kinds: &[ClockKind], at: DateTime<Utc>) {
        for track in self.tracks.iter_mut().filter(|track| kinds.contains(&track.kind)) {
            track.go_on(at);
        }
    }
}
