use onetrip_event_log::Pool;
use onetrip_runner::{Projection, ProjectionError, Runner};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::task::JoinSet;

/// Between two looks at what keeps a read model back.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Brings every read model up to the log, side by side, where no worker runs that does.
///
/// True when all that was recorded before the call has been folded. Readers stop below the oldest transaction that
/// still writes somewhere on the server, so this waits for it, but not longer than `patience` without a step forward:
/// then false.
pub async fn catch_up(pool: &Pool, patience: Duration) -> Result<bool, ProjectionError> {
    let start = Instant::now();
    let mut running = JoinSet::new();
    for projection in onetrip_read_models::all() {
        running.spawn(follow(pool.clone(), projection, start, patience));
    }
    let mut all = true;
    while let Some(ended) = running.join_next().await {
        match ended {
            Ok(done) => all &= done?,
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            // Cancelled: the runtime is going down, and this with it.
            Err(_) => all = false,
        }
    }
    Ok(all)
}

async fn follow(
    pool: Pool,
    projection: Arc<dyn Projection>,
    start: Instant,
    patience: Duration,
) -> Result<bool, ProjectionError> {
    let runner = Runner::new(pool, vec![projection]);
    runner.prepare().await?;
    let mut left = i64::MAX;
    let mut moved = Instant::now();
    loop {
        runner.catch_up().await?;
        // What is younger than this call may go on coming for ever.
        let since_start = start.elapsed().as_secs_f64();
        let behind = runner
            .lag()
            .await?
            .into_iter()
            .find(|lag| lag.events > 0 && lag.seconds >= since_start);
        let Some(behind) = behind else { return Ok(true) };
        if behind.events < left {
            (left, moved) = (behind.events, Instant::now());
        } else if moved.elapsed() >= patience {
            return Ok(false);
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}
