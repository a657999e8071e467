//! What runs beside requests: the read models following the log, the clocks that act on a case when its time has
//! come, the sweep of what has passed its term, and the gauges that say how the service stands.

mod clocks;
mod gauges;

use gauges::Gauges;
use onetrip_casework::{Casework, CaseworkError};
use onetrip_runner::{ProjectionError, Runner};
use prometheus::Registry;
use std::{sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;

const CLOCKS_EVERY: Duration = Duration::from_secs(60);
const SWEEP_EVERY: Duration = Duration::from_secs(3600);
const GAUGES_EVERY: Duration = Duration::from_secs(5);

/// Everything that runs beside requests.
pub struct Worker {
    casework: Casework,
    runner: Runner,
    gauges: Gauges,
}

impl Worker {
    /// Fails if a metric's name is taken.
    pub fn new(casework: Casework, registry: &Registry) -> Result<Worker, prometheus::Error> {
        let runner = Runner::new(casework.pool().clone(), onetrip_read_models::all());
        Ok(Worker {
            casework,
            runner,
            gauges: Gauges::register(registry)?,
        })
    }

    /// Makes checkpoints, and rebuilds read models whose version has changed. Call before serving.
    pub async fn prepare(&self) -> Result<(), ProjectionError> {
        self.runner.prepare().await
    }

    /// Works until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        let log = self.casework.log().clone();
        let nudge = move || {
            let log = log.clone();
            async move { log.appended().await }
        };
        let gauges = Arc::new(self.gauges);
        let (clocks, sweep, reading) = (self.casework.clone(), self.casework.clone(), self.casework);
        let runner = self.runner.clone();
        tokio::join!(
            self.runner.run(stop.clone(), nudge),
            every("clocks", CLOCKS_EVERY, &stop, move || {
                let casework = clocks.clone();
                async move { clocks::tick(&casework).await }
            }),
            every("sweep", SWEEP_EVERY, &stop, move || {
                let casework = sweep.clone();
                async move { casework.sweep().await }
            }),
            every("gauges", GAUGES_EVERY, &stop, move || {
                let (gauges, casework, runner) = (Arc::clone(&gauges), reading.clone(), runner.clone());
                async move { Ok(gauges.read(&casework, &runner).await?) }
            }),
        );
    }
}

/// Does `work` now and then every `pause`; a failure is logged and the next turn tries again.
async fn every<F, W>(name: &str, pause: Duration, stop: &CancellationToken, work: F)
where
    F: Fn() -> W,
    W: Future<Output = Result<(), CaseworkError>>,
{
    while !stop.is_cancelled() {
        if let Err(error) = work().await {
            tracing::warn!(task = name, %error, "a background task failed and will be tried again");
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
}
