//! The clocks of all cases: what is due on them is done, and what a new calendar moves is counted anew.
//!
//! The queue says which cases to look at, the case itself what is due and that it has been done: a worker that is killed,
//! several that do the same at once, and a read model that lags change nothing but the time it takes.

use crate::{setbacks::Setbacks, skew::Skew};
use chrono::{DateTime, Utc};
use futures::{StreamExt as _, stream};
use onetrip_casework::{Casework, CaseworkError};
use onetrip_model::{
    CaseId,
    case::{Due, Filed},
};
use onetrip_read_models::{histories, queue};
use prometheus::{IntCounter, IntCounterVec, IntGauge, Opts, Registry};

/// Cases looked at in one go.
const PAGE: i64 = 500;
/// Cases at work at the same time: their appends share transactions.
const AT_ONCE: usize = 16;

/// Cases after which a long look at all of them says how far it is.
const PROGRESS_EVERY: usize = 100 * PAGE as usize;

/// Runs the clocks. Any number of these may run at once, over any number of processes.
#[derive(Clone)]
pub struct Clocks {
    casework: Casework,
    skew: Skew,
    raised: IntCounterVec,
    withdrawn: IntCounter,
    windows_ended: IntCounterVec,
    recomputed: IntCounter,
    failing: IntGauge,
}

impl Clocks {
    /// Held against the clock of the database, and against the time that has passed since now. Fails if a metric's name
    /// is taken.
    pub fn new(casework: Casework, registry: &Registry) -> Result<Clocks, prometheus::Error> {
        let clocks = Clocks {
            skew: Skew::register(&casework, registry)?,
            casework,
            raised: IntCounterVec::new(
                Opts::new(
                    "onetrip_clock_raised_total",
                    "Warnings, breaches and escalations raised, by clock and per cent of its limit.",
                ),
                &["clock", "percent"],
            )?,
            withdrawn: IntCounter::new(
                "onetrip_clock_withdrawn_total",
                "Warnings, breaches and escalations withdrawn: a computer's clock had been ahead.",
            )?,
            windows_ended: IntCounterVec::new(
                Opts::new(
                    "onetrip_clock_windows_ended_total",
                    "Residents' windows that ended in silence.",
                ),
                &["clock"],
            )?,
            recomputed: IntCounter::new(
                "onetrip_clock_recomputed_total",
                "Cases whose open deadlines another calendar has moved.",
            )?,
            failing: IntGauge::new(
                "onetrip_clock_failing_cases",
                "Cases whose clocks could not be run at the last turn.",
            )?,
        };
        registry.register(Box::new(clocks.raised.clone()))?;
        registry.register(Box::new(clocks.withdrawn.clone()))?;
        registry.register(Box::new(clocks.windows_ended.clone()))?;
        registry.register(Box::new(clocks.recomputed.clone()))?;
        registry.register(Box::new(clocks.failing.clone()))?;
        Ok(clocks)
    }

    /// Held against this clock instead: for simulations, whose time is not the database's.
    pub fn held_against(self, reference: onetrip_casework::Clock) -> Clocks {
        Clocks {
            skew: self.skew.against(reference),
            ..self
        }
    }

    /// One turn: warnings, breaches, escalations, silence, the end of a window, on every case on which something is due by
    /// every clock there is.
    pub async fn tick(&self) -> Result<(), CaseworkError> {
        let (now, latest) = self.skew.bounds(self.casework.now()).await?;
        let mut setbacks = Setbacks::default();
        let mut after = None;
        loop {
            let mut connection = self.casework.pool().acquire().await?;
            let early = queue::raised_early(&mut connection, latest, after, PAGE).await?;
            drop(connection);
            after = early.last().copied();
            if after.is_none() {
                break;
            }
            self.run(early, now, latest, &mut setbacks).await?;
        }
        let mut after = None;
        loop {
            let due = self.due(now, after).await?;
            after = due.last().copied();
            if after.is_none() {
                break;
            }
            let cases = due.into_iter().map(|(_, case)| case);
            self.run(cases, now, latest, &mut setbacks).await?;
        }
        self.failing.set(setbacks.failed());
        Ok(())
    }

    async fn due(
        &self,
        now: DateTime<Utc>,
        after: Option<queue::ActsCursor>,
    ) -> Result<Vec<queue::ActsCursor>, CaseworkError> {
        let mut connection = self.casework.pool().acquire().await?;
        Ok(queue::to_act_on(&mut connection, now, after, PAGE).await?)
    }

    /// Runs the clocks of these cases. Where those of one cannot run, those of the others do.
    async fn run(
        &self,
        cases: impl IntoIterator<Item = CaseId>,
        now: DateTime<Utc>,
        latest: DateTime<Utc>,
        setbacks: &mut Setbacks,
    ) -> Result<(), CaseworkError> {
        let mut running = stream::iter(cases)
            .map(|case| async move { (case, self.casework.run_clocks(case, now, latest).await) })
            .buffer_unordered(AT_ONCE);
        while let Some((case, done)) = running.next().await {
            match done {
                Ok(done) => self.count(&done),
                Err(error) => {
                    tracing::error!(case.id = %case, %error, "a case's clocks could not run");
                    setbacks.take(error)?;
                }
            }
        }
        Ok(())
    }

    fn count(&self, done: &[Due]) {
        for due in done {
            match due {
                Due::Raise { clock, percent } => self
                    .raised
                    .with_label_values(&[clock.as_str(), &percent.to_string()])
                    .inc(),
                Due::Withdraw { .. } => self.withdrawn.inc(),
                Due::WindowEnded { clock } => {
                    self.windows_ended.with_label_values(&[clock.as_str()]).inc();
                }
            }
        }
    }

    /// Counts the running deadlines of all cases anew that today's calendar moves: once after each start is enough, as a
    /// process has one version of the rules for its life. What has been decided is left as it is.
    pub async fn recompute(&self) -> Result<(), CaseworkError> {
        let rules = self.casework.rules();
        let calendar = rules.calendar.version();
        let (mut looked_at, mut moved) = (0_usize, 0_usize);
        let mut setbacks = Setbacks::default();
        let now = self.casework.now();
        let mut after = None;
        loop {
            let mut connection = self.casework.pool().acquire().await?;
            let running = queue::on_the_clock(&mut connection, now, after, PAGE).await?;
            let Some((last, _)) = running.last() else { break };
            after = Some(*last);
            looked_at += running.len();
            let histories = histories(&mut connection, &running).await?;
            drop(connection);
            for (case, history) in histories {
                let moves = |filed: &Filed| filed.deadlines_move(rules, now);
                if !history.case().filed().is_some_and(moves) {
                    continue;
                }
                match self.casework.recompute_deadlines(case).await {
                    Ok(true) => {
                        moved += 1;
                        self.recomputed.inc();
                    }
                    Ok(false) => {}
                    Err(error) => {
                        tracing::error!(case.id = %case, %error, "a case's deadlines could not be counted anew");
                        setbacks.take(error)?;
                    }
                }
            }
            if looked_at.is_multiple_of(PROGRESS_EVERY) {
                tracing::info!(
                    calendar,
                    looked_at,
                    moved,
                    "holding open deadlines against the calendar"
                );
            }
        }
        tracing::info!(
            calendar,
            looked_at,
            moved,
            "open deadlines are those of the calendar"
        );
        Ok(())
    }
}
