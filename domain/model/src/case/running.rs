//! The clocks of one case: which run, which stand still, what falls due on them next.
//!
//! The facts of a case start, pause and stop clocks; how long each may run comes with the events that set a deadline, so
//! that folding a case needs no rules.

use super::{
    event::{LawPause, SetDeadline},
    stage::Stage,
    state::Filed,
};
use crate::{
    clocks::{Clock, ClockKind, Deadline, Pause, PauseReason, Term},
    primitives::Tier,
};
use chrono::{DateTime, Duration, Utc};
use serde::{Deserialize, Serialize};

/// One clock of a case. A clock of the same kind that starts anew takes its place.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CaseClock {
    pub kind: ClockKind,
    pub started_at: DateTime<Utc>,
    pub deadline: Deadline,
    /// What extensions added, in the unit of the term.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub extended: u32,
    /// How often it was extended.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub extensions: u32,
    /// When what it limits was done, or became needless; None while it runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped_at: Option<DateTime<Utc>>,
    /// At which per cent of its time something is raised, ascending; none for the windows of residents.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<u16>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub raised: Vec<Raised>,
    /// Places of the pauses that were over before it started, whatever the instants say: a computer whose clock was ahead may
    /// have ended one in what is the future of this clock.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    past_pauses: Vec<usize>,
}

fn is_zero(count: &u32) -> bool {
    *count == 0
}

/// How long after a deadline something is late: deadlines are whole seconds, and their own is still in time.
const LATE: Duration = Duration::seconds(1);

/// Something that was raised because this much of a clock's time had gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Raised {
    pub percent: u16,
    pub at: DateTime<Utc>,
}

/// The clocks and pauses of a case.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CaseClocks {
    clocks: Vec<CaseClock>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pauses: Vec<Pause>,
    /// Started by the newest fact, for its event to say the deadline of; never stored.
    #[serde(skip)]
    started: Vec<(ClockKind, DateTime<Utc>)>,
}

/// What the service does by itself when its time has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// A warning, a breach or an escalation.
    Raise { clock: ClockKind, percent: u16 },
    /// Something that a computer's clock which was ahead has raised.
    Withdraw { clock: ClockKind, percent: u16 },
    /// The resident's time to answer, or to give a verdict, is over.
    WindowEnded { clock: ClockKind },
}

impl CaseClocks {
    pub fn all(&self) -> &[CaseClock] {
        &self.clocks
    }

    pub fn get(&self, kind: ClockKind) -> Option<&CaseClock> {
        self.clocks.iter().find(|clock| clock.kind == kind)
    }

    pub fn running(&self, kind: ClockKind) -> Option<&CaseClock> {
        self.get(kind).filter(|clock| clock.stopped_at.is_none())
    }

    /// Whether the clock stands still now.
    pub fn is_paused(&self, kind: ClockKind) -> bool {
        self.pauses
            .iter()
            .any(|pause| pause.to.is_none() && stands_still(kind, pause.reason))
    }

    /// The clock as it is counted, with the pauses that hold it up.
    pub fn counted(&self, clock: &CaseClock) -> Clock {
        let end = clock.stopped_at;
        let pauses = self.pauses.iter().enumerate();
        let pauses = pauses.filter(|(place, _)| !clock.past_pauses.contains(place));
        let pauses = pauses.map(|(_, pause)| pause).filter(|pause| {
            stands_still(clock.kind, pause.reason)
                && pause.to.is_none_or(|to| to > clock.started_at)
                && end.is_none_or(|end| pause.from < end)
        });
        Clock {
            kind: clock.kind,
            term: clock.deadline.term,
            started_at: clock.started_at,
            extended: clock.extended,
            pauses: pauses.cloned().collect(),
        }
    }

    pub(super) fn start(&mut self, kind: ClockKind, at: DateTime<Utc>) {
        self.started.retain(|(started, _)| *started != kind);
        self.started.push((kind, at));
    }

    pub(super) fn stop(&mut self, kind: ClockKind, at: DateTime<Utc>) {
        self.started.retain(|(started, _)| *started != kind);
        if let Some(clock) = self.clock_mut(kind) {
            clock.stopped_at.get_or_insert(at);
        }
    }

    /// Lets a stopped clock go on, as the total time does after reopening.
    pub(super) fn resume(&mut self, kind: ClockKind) {
        if let Some(clock) = self.clock_mut(kind) {
            clock.stopped_at = None;
        }
    }

    pub(super) fn extend(&mut self, kind: ClockKind, days: u32) {
        if let Some(clock) = self.clock_mut(kind) {
            clock.extended = clock.extended.saturating_add(days);
            clock.extensions += 1;
        }
    }

    pub(super) fn raise(&mut self, kind: ClockKind, percent: u16, at: DateTime<Utc>) {
        if let Some(clock) = self.clock_mut(kind) {
            clock.raised.retain(|raised| raised.percent != percent);
            clock.raised.push(Raised { percent, at });
        }
    }

    pub(super) fn withdraw(&mut self, kind: ClockKind, percent: u16) {
        if let Some(clock) = self.clock_mut(kind) {
            clock.raised.retain(|raised| raised.percent != percent);
        }
    }

    pub(super) fn pause(&mut self, reason: PauseReason, at: DateTime<Utc>) {
        self.pauses.push(Pause::open(reason, at));
    }

    /// Ends the pause for this reason; whether there was one.
    pub(super) fn end_pause(&mut self, reason: PauseReason, at: DateTime<Utc>) -> bool {
        let open = |pause: &&mut Pause| pause.reason == reason && pause.to.is_none();
        match self.pauses.iter_mut().rev().find(open) {
            Some(pause) => {
                pause.to = Some(at.max(pause.from));
                true
            }
            None => false,
        }
    }

    /// Takes over what an event says; a clock that it gave no deadline does not run for this case.
    pub(super) fn set(&mut self, deadlines: &[SetDeadline]) {
        let started = std::mem::take(&mut self.started);
        self.clocks
            .retain(|clock| started.iter().all(|(kind, _)| *kind != clock.kind));
        let past = self.pauses.iter().enumerate();
        let past: Vec<usize> = past
            .filter(|(_, pause)| pause.to.is_some())
            .map(|(place, _)| place)
            .collect();
        for set in deadlines {
            let began = started.iter().find(|(kind, _)| *kind == set.clock);
            match (began, self.clock_mut(set.clock)) {
                (None, Some(clock)) if clock.stopped_at.is_none() => {
                    clock.deadline = set.deadline.clone();
                }
                (Some((kind, started_at)), _) => self.clocks.push(CaseClock {
                    kind: *kind,
                    started_at: *started_at,
                    deadline: set.deadline.clone(),
                    extended: 0,
                    extensions: 0,
                    stopped_at: None,
                    steps: set.steps.clone(),
                    raised: Vec::new(),
                    past_pauses: past.clone(),
                }),
                (None, _) => {}
            }
        }
    }

    /// Clocks started since [`Self::set`].
    pub(super) fn started(&self) -> &[(ClockKind, DateTime<Utc>)] {
        &self.started
    }

    fn clock_mut(&mut self, kind: ClockKind) -> Option<&mut CaseClock> {
        self.clocks.iter_mut().find(|clock| clock.kind == kind)
    }

    /// What the service has to do on these clocks at `now`, which may be as late as `latest`, earliest step of each clock
    /// first; `window` is the one after which it acts for a resident who stayed silent, when all else is done.
    fn due(&self, now: DateTime<Utc>, latest: DateTime<Utc>, window: Option<ClockKind>) -> Vec<Due> {
        let mut due = Vec::new();
        for clock in &self.clocks {
            let kind = clock.kind;
            let since = self.stands_since(clock);
            let until = |at: DateTime<Utc>| since.map_or(at, |since| since.min(at));
            let is_early = |raised: &&Raised| self.is_early(clock, raised, until(latest));
            due.extend(clock.raised.iter().filter(is_early).map(|raised| Due::Withdraw {
                clock: kind,
                percent: raised.percent,
            }));
            let steps = clock
                .to_raise()
                .filter(|percent| self.falls_due(clock, *percent) <= until(now));
            due.extend(steps.map(|percent| Due::Raise { clock: kind, percent }));
        }
        let ended = window.and_then(|kind| self.running(kind));
        let ended = ended.filter(|clock| clock.deadline.due_at + LATE <= now);
        due.extend(ended.map(|clock| Due::WindowEnded { clock: clock.kind }));
        due
    }

    /// When [`Self::due`] next has something to do, as things stand.
    fn acts_at(&self, window: Option<ClockKind>) -> Option<DateTime<Utc>> {
        let instants = self.clocks.iter().filter_map(|clock| {
            if clock.is_window(window) {
                return Some(clock.deadline.due_at + LATE);
            }
            let since = self.stands_since(clock);
            if let Some(since) = since
                && clock
                    .raised
                    .iter()
                    .any(|raised| self.is_early(clock, raised, since))
            {
                return Some(since);
            }
            let step = clock.to_raise().next()?;
            let falls_due = self.falls_due(clock, step);
            since.is_none_or(|since| falls_due <= since).then_some(falls_due)
        });
        instants.min()
    }

    /// Since when a clock has stopped or stands still; None while it runs.
    fn stands_since(&self, clock: &CaseClock) -> Option<DateTime<Utc>> {
        let paused = self.counted(clock).stands_still_since();
        clock.stopped_at.into_iter().chain(paused).min()
    }

    /// Whether it was raised by a computer's clock that was ahead: at an instant to which this clock has not run, for a
    /// time that has not gone.
    fn is_early(&self, clock: &CaseClock, raised: &Raised, ran_until: DateTime<Utc>) -> bool {
        raised.at > ran_until && self.falls_due(clock, raised.percent) > ran_until
    }

    /// From when on a step is raised.
    fn falls_due(&self, clock: &CaseClock, percent: u16) -> DateTime<Utc> {
        let moment = self.moment(clock, percent);
        if percent == 100 { moment + LATE } else { moment }
    }

    /// The last of the deadlines that a new calendar may still move: of clocks that run and are ours to count.
    pub fn runs_until(&self) -> Option<DateTime<Utc>> {
        let running = self.clocks.iter().filter(|clock| {
            clock.stopped_at.is_none() && !self.is_paused(clock.kind) && clock.deadline.term != Term::Source
        });
        running.map(|clock| clock.deadline.due_at).max()
    }

    /// When the newest warning, breach or escalation was raised.
    pub fn raised_at(&self) -> Option<DateTime<Utc>> {
        let raised = self.clocks.iter().flat_map(|clock| &clock.raised);
        raised.map(|raised| raised.at).max()
    }

    /// The instant at which so many per cent of a clock's time have gone. Pauses are no part of its time; 100 is the
    /// deadline.
    pub fn moment(&self, clock: &CaseClock, percent: u16) -> DateTime<Utc> {
        let due_at = clock.deadline.due_at;
        let start = clock.started_at.min(due_at);
        let pauses = self.ended_pauses(clock);
        let paused = pauses.iter().map(|(from, to)| {
            let (from, to) = (*from.max(&start), *to.min(&due_at));
            (to - from).max(Duration::zero())
        });
        let whole = due_at - start - paused.sum::<Duration>();
        let share = |percent: u16| {
            Duration::milliseconds(whole.num_milliseconds().saturating_mul(percent.into()) / 100)
        };
        match percent {
            ..100 => run_on(start, share(percent), &pauses).min(due_at),
            100 => due_at,
            101.. => run_on(due_at, share(percent - 100), &pauses),
        }
    }

    /// When this clock stood still, in order; no instant is in two of them.
    fn ended_pauses(&self, clock: &CaseClock) -> Vec<(DateTime<Utc>, DateTime<Utc>)> {
        let counted = self.counted(clock);
        let ended = counted
            .pauses
            .iter()
            .filter_map(|pause| Some((pause.from, pause.to?)));
        let mut pauses: Vec<_> = ended.collect();
        pauses.sort_unstable();
        let mut covered = DateTime::<Utc>::MIN_UTC;
        for (from, to) in &mut pauses {
            *from = covered.max(*from);
            *to = covered.max(*to);
            covered = *to;
        }
        pauses
    }
}

/// The instant at which a clock has run for `left` from `start` on.
fn run_on(
    start: DateTime<Utc>,
    mut left: Duration,
    pauses: &[(DateTime<Utc>, DateTime<Utc>)],
) -> DateTime<Utc> {
    let mut at = start;
    for (from, to) in pauses.iter().filter(|(_, to)| *to > start) {
        let runs = (*from - at).max(Duration::zero());
        if left <= runs {
            break;
        }
        left -= runs;
        at = *to;
    }
    // A promise may name any day there is.
    at.checked_add_signed(left).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

impl CaseClock {
    /// What is still to be raised, ascending. Once it has stopped there is nothing to warn of or to press for; a breach
    /// remains one.
    fn to_raise(&self) -> impl Iterator<Item = u16> {
        let is_raised = |percent: u16| self.raised.iter().any(|raised| raised.percent == percent);
        let has_stopped = self.stopped_at.is_some();
        let steps = self.steps.iter().copied();
        steps.filter(move |percent| (*percent == 100 || !has_stopped) && !is_raised(*percent))
    }

    /// Whether it is the one that is waited for, and still runs.
    fn is_window(&self, window: Option<ClockKind>) -> bool {
        window == Some(self.kind) && self.stopped_at.is_none()
    }
}

/// DOMAIN.md: waiting for another department and transfer are no pauses.
fn stands_still(kind: ClockKind, reason: PauseReason) -> bool {
    match reason {
        PauseReason::MaterialsRequested => {
            matches!(kind, ClockKind::Result | ClockKind::Redo | ClockKind::Legal)
        }
        PauseReason::StatutoryHearing | PauseReason::ExpertTime => matches!(
            kind,
            ClockKind::Result
                | ClockKind::Redo
                | ClockKind::Legal
                | ClockKind::Review
                | ClockKind::FinalReview
        ),
        // The first result's clock has stopped by then; this is the total time.
        PauseReason::AwaitingVerdict => kind == ClockKind::Legal,
    }
}

impl From<LawPause> for PauseReason {
    fn from(kind: LawPause) -> Self {
        match kind {
            LawPause::Hearing => PauseReason::StatutoryHearing,
            LawPause::Expert => PauseReason::ExpertTime,
        }
    }
}

impl Filed {
    /// What the service has to do by itself at `now`; it may be as late as `latest`.
    pub fn due(&self, now: DateTime<Utc>, latest: DateTime<Utc>) -> Vec<Due> {
        self.clocks.due(now, latest.max(now), self.window())
    }

    /// When it next has something to do, as things stand.
    pub fn acts_at(&self) -> Option<DateTime<Utc>> {
        self.clocks.acts_at(self.window())
    }

    /// The tier that so many per cent of a clock's time call: one up with every step after the limit; None above the city.
    pub(super) fn tier_called(&self, clock: &CaseClock, percent: u16) -> Option<Tier> {
        let levels = clock
            .steps
            .iter()
            .filter(|step| (101..=percent).contains(*step))
            .count();
        Tier::of(&self.division).up(levels)
    }

    fn window(&self) -> Option<ClockKind> {
        match self.stage {
            Stage::AwaitingResident { .. } => Some(ClockKind::Materials),
            Stage::ResultGiven { .. } => Some(ClockKind::Rating),
            _ => None,
        }
    }

    /// The last instant that is still in time; None where this clock does not run, or ran, for this case.
    pub fn due_at(&self, kind: ClockKind) -> Option<DateTime<Utc>> {
        self.clocks.get(kind).map(|clock| clock.deadline.due_at)
    }

    /// The clock of the result that is owed now, or was last: the first one's, or a redo's.
    pub fn result_clock(&self) -> Option<&CaseClock> {
        self.clocks
            .get(ClockKind::Redo)
            .or_else(|| self.clocks.get(ClockKind::Result))
    }

    /// Until when the resident may rate the result, or have it done again.
    pub fn verdict_until(&self) -> Option<DateTime<Utc>> {
        self.due_at(ClockKind::Rating)
    }
}
