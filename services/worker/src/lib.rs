//! What runs beside requests: the read models following the log, the clocks that act on a case when its time has
//! come, the answers that go from one case to those handled with it, the sealing of the log and the delivery of its heads, the sweep of what has passed its term, the guard that keeps
//! foreign transactions from holding read models back, and the gauges that say how the service stands.

mod clocks;
mod gauges;
mod guard;
mod merging;
mod sealing;
mod setbacks;
mod skew;

pub use clocks::Clocks;
pub use sealing::Sealing;

use futures::FutureExt as _;
use gauges::Gauges;
use guard::Guard;
use onetrip_casework::{Casework, CaseworkError};
use onetrip_runner::{ProjectionError, Runner};
use prometheus::Registry;
use sealing::Evidence;
use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;

const CLOCKS_EVERY: Duration = Duration::from_secs(60);
/// An answer reaches whoever is handled with the case that got it within seconds.
const MERGING_EVERY: Duration = Duration::from_secs(5);
const SWEEP_EVERY: Duration = Duration::from_secs(3600);
const GAUGES_EVERY: Duration = Duration::from_secs(5);
/// A witness that does not answer is tried again this often, however many heads wait for it.
const DELIVER_EVERY: Duration = Duration::from_secs(5);
const GUARD_EVERY: Duration = Duration::from_secs(1);

/// A turn that takes longer hangs on something that will not come; the next one begins anew.
const TURN_PATIENCE: Duration = Duration::from_secs(600);
/// The same for what says how the service stands, and for what keeps others from holding it up: a silent connection must not
/// blind it for long.
const QUICK_PATIENCE: Duration = Duration::from_secs(5);

/// Everything that runs beside requests.
pub struct Worker {
    casework: Casework,
    runner: Runner,
    clocks: Clocks,
    gauges: Gauges,
    evidence: Evidence,
    guard: Guard,
}

impl Worker {
    /// Fails if a metric's name is taken.
    pub fn new(
        casework: Casework,
        sealing: Sealing,
        registry: &Registry,
    ) -> Result<Worker, prometheus::Error> {
        let evidence = Evidence::new(&casework, sealing, registry)?;
        let runner = Runner::new(casework.pool().clone(), onetrip_read_models::all());
        Ok(Worker {
            clocks: Clocks::new(casework.clone(), registry)?,
            casework,
            runner,
            gauges: Gauges::register(registry)?,
            evidence,
            guard: Guard::register(registry)?,
        })
    }

    /// Ends sessions that hold the readers of the log back and have been idle in their transaction for longer than
    /// `patience`; without this call it is five seconds, with None none is ended.
    pub fn guarding_horizon(mut self, patience: Option<Duration>) -> Worker {
        self.guard.patience = patience;
        self
    }

    /// Makes checkpoints, and rebuilds read models whose version has changed. Call before serving.
    pub async fn prepare(&self) -> Result<(), ProjectionError> {
        self.runner.prepare().await
    }

    /// Works until `stop`. It ends before that only by a panic, which ends all of it: whoever spawned this watches for
    /// it.
    pub async fn run(self, stop: CancellationToken) {
        let log = self.casework.log().clone();
        let nudge = move || {
            let log = log.clone();
            async move { log.appended().await }
        };
        let (gauges, guard) = (Arc::new(self.gauges), Arc::new(self.guard));
        let pool = self.casework.pool().clone();
        let merging = self.casework.clone();
        let (clocks, calendar) = (self.clocks.clone(), self.clocks);
        let (sweep, reading) = (self.casework.clone(), self.casework);
        let runner = self.runner.clone();
        let (sealing, evidence) = (self.evidence.clone(), self.evidence);
        let deliveries = evidence.deliveries.iter().cloned().map(|delivery| {
            let stop = stop.clone();
            async move {
                let name = format!("delivering to {}", delivery.name());
                every(&name, DELIVER_EVERY, TURN_PATIENCE, &stop, || {
                    sealing::deliver(&delivery)
                })
                .await;
            }
        });
        let deliveries = futures::future::join_all(deliveries);
        tokio::join!(
            deliveries,
            every("sealing", sealing.head_every, TURN_PATIENCE, &stop, || sealing
                .seal()),
            self.runner.run(stop.clone(), nudge),
            every("clocks", CLOCKS_EVERY, TURN_PATIENCE, &stop, move || {
                let clocks = clocks.clone();
                async move { clocks.tick().await }
            }),
            once("calendar", CLOCKS_EVERY, TURN_PATIENCE, &stop, move || {
                let clocks = calendar.clone();
                async move { clocks.recompute().await }
            }),
            every("merging", MERGING_EVERY, TURN_PATIENCE, &stop, move || {
                let casework = merging.clone();
                async move { merging::tick(&casework).await }
            }),
            every("sweep", SWEEP_EVERY, TURN_PATIENCE, &stop, move || {
                let casework = sweep.clone();
                async move { casework.sweep().await }
            }),
            every("gauges", GAUGES_EVERY, QUICK_PATIENCE, &stop, move || {
                let (gauges, casework, runner) = (Arc::clone(&gauges), reading.clone(), runner.clone());
                let evidence = evidence.clone();
                async move {
                    gauges.read(&casework, &runner).await?;
                    Ok(evidence.read_gauges().await?)
                }
            }),
            every("guard", GUARD_EVERY, QUICK_PATIENCE, &stop, move || {
                let (guard, pool) = (Arc::clone(&guard), pool.clone());
                async move { Ok(guard.tick(&pool).await?) }
            }),
        );
    }
}

/// Does `work` now and then every `pause`; a failure or a panic is logged and the next turn tries again.
async fn every<F, W>(name: &str, pause: Duration, patience: Duration, stop: &CancellationToken, work: F)
where
    F: Fn() -> W,
    W: Future<Output = Result<(), CaseworkError>>,
{
    while !stop.is_cancelled() {
        turn(name, patience, &work).await;
        rest(pause, stop).await;
    }
}

/// Does `work` until it has succeeded once, with a `pause` after every failure.
async fn once<F, W>(name: &str, pause: Duration, patience: Duration, stop: &CancellationToken, work: F)
where
    F: Fn() -> W,
    W: Future<Output = Result<(), CaseworkError>>,
{
    while !stop.is_cancelled() && !turn(name, patience, &work).await {
        rest(pause, stop).await;
    }
}

async fn rest(pause: Duration, stop: &CancellationToken) {
    tokio::select! {
        () = stop.cancelled() => {}
        () = tokio::time::sleep(pause) => {}
    }
}

/// One try; whether it succeeded. What became of it otherwise is logged.
async fn turn<F, W>(name: &str, patience: Duration, work: &F) -> bool
where
    F: Fn() -> W,
    W: Future<Output = Result<(), CaseworkError>>,
{
    let turn = AssertUnwindSafe(async { work().await }).catch_unwind();
    match tokio::time::timeout(patience, turn).await {
        Ok(Ok(Ok(()))) => return true,
        Err(_) => tracing::error!(
            task = name,
            "a background task took too long and will be tried again"
        ),
        Ok(Ok(Err(error))) => {
            tracing::warn!(task = name, %error, "a background task failed and will be tried again");
        }
        // The panic's own words go to the log by the panic hook.
        Ok(Err(_)) => tracing::error!(task = name, "a background task panicked and will be tried again"),
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};

    #[tokio::test]
    async fn a_task_that_panics_is_tried_again_and_the_others_go_on() {
        let stop = CancellationToken::new();
        let (shaky, steady) = (AtomicU32::new(0), AtomicU32::new(0));
        tokio::join!(
            every(
                "shaky",
                Duration::from_millis(1),
                TURN_PATIENCE,
                &stop,
                || async {
                    match shaky.fetch_add(1, Ordering::Relaxed) {
                        0 => panic!("on purpose"),
                        1 => Err(CaseworkError::Unavailable("on purpose".to_owned())),
                        _ => {
                            stop.cancel();
                            Ok(())
                        }
                    }
                }
            ),
            every(
                "steady",
                Duration::from_millis(1),
                TURN_PATIENCE,
                &stop,
                || async {
                    steady.fetch_add(1, Ordering::Relaxed);
                    Ok(())
                }
            ),
        );
        assert_eq!(shaky.into_inner(), 3);
        assert!(steady.into_inner() > 0);
    }
}
