//! How far the read models are behind while commands come in at half of the highest rate.

use super::log::{Log, vault, why};
use crate::{
    Failure,
    drive::{Figures, drive},
    histories::{id, note},
};
use onetrip_event_log::{EventLog, Limits, LogError, NoInline, Outcome};
use onetrip_model::Case;
use onetrip_read_models::NAMES;
use onetrip_runner::{Runner, wait_for};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};
use tokio_util::sync::CancellationToken;

/// Cases that the commands are about.
pub const CASES: u32 = 2_000;
/// Concurrent commands at the highest rate.
const TASKS: usize = 64;
/// Every so many commands, one is looked for in the read models.
const EVERY: u64 = 100;
const PATIENCE: Duration = Duration::from_secs(60);

/// What it came to.
#[derive(Clone, Copy, Debug)]
pub struct Lag {
    /// Commands per second with no read model following.
    pub highest: f64,
    /// Commands per second meanwhile.
    pub rate: f64,
    /// From a command's acknowledgement until all three read models show it, in milliseconds.
    pub p50: f64,
    pub p99: f64,
    pub max: f64,
    /// Commands that were refused because too many waited.
    pub refused: u64,
}

pub async fn measure(live: &Log, time: Duration) -> Result<Lag, Failure> {
    // The service's pool for commands, and as many connections again for who follows and looks.
    let (commands, following) = (live.connect()?, live.connect()?);
    let log: EventLog<Case> = EventLog::with_limits(
        commands.clone(),
        vault()?,
        NoInline,
        Vec::new(),
        &Limits::default(),
    );
    let ids: Arc<Vec<String>> = Arc::new((0..CASES).map(id).collect());
    let work = {
        let (log, ids) = (log.clone(), Arc::clone(&ids));
        move |n: u64| {
            let (log, ids) = (log.clone(), Arc::clone(&ids));
            async move {
                let id = &ids[(n % u64::from(CASES)) as usize];
                log.execute(id, note(), None, &why(), None, None).await.map(drop)
            }
        }
    };
    drive(TASKS, time / 4, work.clone()).await;
    let highest: Figures = drive(TASKS, time / 2, work).await;

    let runner = Runner::new(following.clone(), onetrip_read_models::all());
    runner.prepare().await?;
    runner.catch_up().await?;
    let stop = CancellationToken::new();
    let nudge = {
        let log = log.clone();
        move || {
            let log = log.clone();
            async move { log.appended().await }
        }
    };
    let running = tokio::spawn({
        let (runner, stop) = (runner.clone(), stop.clone());
        async move { runner.run(stop, nudge).await }
    });
    let rate = highest.per_second / 2.0;
    let (start, mut sent) = (Instant::now(), 0_u64);
    let mut looking = Vec::new();
    let refused = Arc::new(AtomicU64::new(0));
    while start.elapsed() < time {
        let due = (start.elapsed().as_secs_f64() * rate) as u64;
        while sent < due {
            let (log, ids, pool, n) = (log.clone(), Arc::clone(&ids), following.clone(), sent);
            let refused = Arc::clone(&refused);
            sent += 1;
            let command = tokio::spawn(async move {
                let id = &ids[(n % u64::from(CASES)) as usize];
                let outcome = match log.execute(id, note(), None, &why(), None, None).await {
                    Err(LogError::Busy) => {
                        refused.fetch_add(1, Relaxed);
                        return Ok(None);
                    }
                    outcome => outcome?,
                };
                let acknowledged = Instant::now();
                if let Outcome::Appended(appended) = outcome
                    && n % EVERY == 0
                {
                    if !wait_for(&pool, &NAMES, appended.cursor, PATIENCE).await? {
                        return Err("a read model never showed a command".into());
                    }
                    return Ok(Some(acknowledged.elapsed()));
                }
                Ok::<_, Failure>(None)
            });
            if n % EVERY == 0 {
                looking.push(command);
            }
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let took = start.elapsed();
    let mut lags = Vec::new();
    for command in looking {
        if let Some(lag) = command.await?? {
            lags.push(u64::try_from(lag.as_micros())?);
        }
    }
    stop.cancel();
    running.await?;
    let max = lags.iter().max().copied().unwrap_or(0) as f64 / 1_000.0;
    let figures = Figures::of(lags, 0, took);
    Ok(Lag {
        highest: highest.per_second,
        rate: sent as f64 / took.as_secs_f64(),
        p50: figures.p50,
        p99: figures.p99,
        max,
        refused: refused.load(Relaxed),
    })
}
