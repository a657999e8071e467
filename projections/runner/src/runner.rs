use crate::{
    checkpoint::{Hold, checkpoint, ensure, move_checkpoint},
    parking,
};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use onetrip_event_log::{Cursor, Horizon, LoggedEvent, backlog, read_page};
use sqlx::{Connection, PgConnection, PgPool};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio_util::sync::CancellationToken;

/// Events folded in one transaction.
pub(crate) const PAGE_EVENTS: i64 = 1_000;
/// The fallback when the nudge of an append in another process is not seen.
const POLL_EVERY: Duration = Duration::from_millis(100);
/// A page that takes longer, or a look for one that takes a quarter of it, is given up, and its connection with it: one that has gone silent must not stop a read model
/// for good. The next try has twice the time, so that a slow page gets through.
const STEP_PATIENCE: Duration = Duration::from_secs(4);
const STEP_PATIENCE_MAX: Duration = Duration::from_secs(64);
/// Wait after a failed page, so that a broken database is not hammered.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_secs(1);

#[derive(Debug, thiserror::Error)]
pub enum ProjectionError {
    #[error("database: {0}")]
    Database(#[from] sqlx::Error),
    #[error("event {sequence} of {aggregate_id} cannot be read: {source}")]
    Unreadable {
        aggregate_id: String,
        sequence: i64,
        source: serde_json::Error,
    },
    #[error("row: {0}")]
    Row(#[from] serde_json::Error),
    #[error("the database did not answer in time")]
    Late,
}

/// A read model as the runner sees it.
#[async_trait]
pub trait Projection: Send + Sync {
    fn name(&self) -> &'static str;

    /// Counted up when the shape or the fold changes; the read model is then rebuilt at the next start.
    fn version(&self) -> i32;

    /// The aggregate whose events it follows.
    fn aggregate_type(&self) -> &'static str;

    /// The tables it alone writes.
    fn tables(&self) -> &'static [&'static str];

    /// Folds a page into the rows. Runs in the transaction that moves the checkpoint, and must be a no-op for events
    /// that its rows have already seen.
    async fn apply(&self, connection: &mut PgConnection, page: &[LoggedEvent])
    -> Result<(), ProjectionError>;
}

/// How far a projection is behind.
#[derive(Clone, Debug, PartialEq)]
pub struct Lag {
    pub projection: &'static str,
    /// At most 10,000 are counted.
    pub events: i64,
    /// Age of the oldest event not yet folded.
    pub seconds: f64,
    /// Events left out because they, or earlier ones of their aggregate, cannot be folded.
    pub parked: i64,
}

/// Runs projections until told to stop.
#[derive(Clone)]
pub struct Runner {
    pool: PgPool,
    projections: Arc<Vec<Arc<dyn Projection>>>,
    page_events: i64,
}

impl Runner {
    pub fn new(pool: PgPool, projections: Vec<Arc<dyn Projection>>) -> Runner {
        Runner {
            pool,
            projections: Arc::new(projections),
            page_events: PAGE_EVENTS,
        }
    }

    /// With pages of at most so many events.
    pub fn with_pages_of(self, events: i64) -> Runner {
        Runner {
            page_events: events,
            ..self
        }
    }

    pub fn projections(&self) -> &[Arc<dyn Projection>] {
        &self.projections
    }

    /// Makes the checkpoint of every projection, and rebuilds those whose version has changed.
    pub async fn prepare(&self) -> Result<(), ProjectionError> {
        for projection in self.projections.iter() {
            let mut connection = self.pool.acquire().await?;
            let version = ensure(&mut connection, &**projection).await?;
            drop(connection);
            if version != projection.version() {
                tracing::info!(
                    projection = projection.name(),
                    "rebuilding: the read model has a new version"
                );
                crate::rebuild(&self.pool, &**projection, &mut |_| {}).await?;
            }
        }
        Ok(())
    }

    /// Follows the log until `stop`. `nudge` resolves when this process has appended something.
    pub async fn run<F, N>(&self, stop: CancellationToken, nudge: F)
    where
        F: Fn() -> N + Clone + Send + 'static,
        N: Future<Output = ()> + Send,
    {
        let mut running = tokio::task::JoinSet::new();
        for projection in self.projections.iter().cloned() {
            let (pool, stop, nudge) = (self.pool.clone(), stop.clone(), nudge.clone());
            let page_events = self.page_events;
            running.spawn(async move {
                let mut patience = STEP_PATIENCE;
                while !stop.is_cancelled() {
                    // Listening begins before the page is read: what is appended meanwhile is not slept through.
                    let mut nudged = Box::pin(nudge());
                    let heard = futures::poll!(&mut nudged).is_ready();
                    let wait = match step(&pool, &*projection, page_events, patience).await {
                        Ok(read) => {
                            patience = STEP_PATIENCE;
                            if read > 0 || heard {
                                continue;
                            }
                            POLL_EVERY
                        }
                        Err(ProjectionError::Late) => {
                            tracing::warn!(
                                projection = projection.name(),
                                seconds = patience.as_secs(),
                                "a page took too long and is tried again with more time"
                            );
                            patience = (patience * 2).min(STEP_PATIENCE_MAX);
                            continue;
                        }
                        Err(error) => {
                            tracing::error!(projection = projection.name(), %error, "a page could not be folded");
                            PAUSE_AFTER_FAILURE
                        }
                    };
                    tokio::select! {
                        () = stop.cancelled() => {}
                        () = nudged => {}
                        () = tokio::time::sleep(wait) => {}
                    }
                }
            });
        }
        while let Some(ended) = running.join_next().await {
            if let Err(error) = ended {
                tracing::error!(%error, "a projection has stopped");
            }
        }
    }

    /// Folds everything that can be read now. For imports, tests and tools.
    pub async fn catch_up(&self) -> Result<(), ProjectionError> {
        for projection in self.projections.iter() {
            while step(&self.pool, &**projection, self.page_events, STEP_PATIENCE_MAX).await? > 0 {}
        }
        Ok(())
    }

    pub async fn lag(&self) -> Result<Vec<Lag>, sqlx::Error> {
        let mut lags = Vec::with_capacity(self.projections.len());
        let mut connection = self.pool.acquire().await?;
        for projection in self.projections.iter() {
            let Some(at) = checkpoint(&mut connection, projection.name(), Hold::No).await? else {
                continue;
            };
            let parked = parking::count(&mut connection, projection.name()).await?;
            let (events, oldest) = backlog(&mut connection, projection.aggregate_type(), at).await?;
            let seconds = oldest.map_or(0.0, |oldest: DateTime<Utc>| {
                (Utc::now() - oldest)
                    .to_std()
                    .map_or(0.0, |age| age.as_secs_f64())
            });
            lags.push(Lag {
                projection: projection.name(),
                events,
                seconds,
                parked,
            });
        }
        Ok(lags)
    }
}

/// Waits until the named projections have passed `cursor`; false if `patience` ran out first.
pub async fn wait_for(
    pool: &PgPool,
    projections: &[&str],
    cursor: Cursor,
    patience: Duration,
) -> Result<bool, sqlx::Error> {
    let start = Instant::now();
    let mut pause = Duration::from_millis(2);
    loop {
        // One that has no checkpoint yet has passed nothing.
        let behind: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM unnest($1::text[]) AS wanted (name) LEFT JOIN checkpoints ON projection = name
             WHERE projection IS NULL OR (transaction_id, position) < ($2::text::xid8, $3)",
        )
        .bind(projections)
        .bind(cursor.transaction_id.to_string())
        .bind(cursor.position)
        .fetch_one(pool)
        .await?;
        if behind == 0 {
            return Ok(true);
        }
        if start.elapsed() >= patience {
            return Ok(false);
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_millis(50));
    }
}

/// One page in one transaction; the number of events folded. Another instance that holds the checkpoint wins.
async fn step(
    pool: &PgPool,
    projection: &dyn Projection,
    page_events: i64,
    patience: Duration,
) -> Result<usize, ProjectionError> {
    let mut connection = pool.acquire().await?;
    let stepping = async {
        // Look before locking: a lock draws a transaction id, and an idle service should draw none. It is quick, and where
        // the runner is nearly always when its connection goes silent.
        let looking = is_behind(&mut connection, projection);
        let behind = tokio::time::timeout(patience / 4, looking);
        if !behind.await.unwrap_or(Err(ProjectionError::Late))? {
            return Ok(0);
        }
        let folding = step_on(&mut connection, projection, page_events);
        let folded = tokio::time::timeout(patience, folding).await;
        folded.unwrap_or(Err(ProjectionError::Late))
    };
    let stepped = stepping.await;
    if matches!(stepped, Err(ProjectionError::Late)) {
        // In the middle of something: it must not go back to the pool (sqlx#4393).
        connection.close_on_drop();
    }
    stepped
}

async fn is_behind(
    connection: &mut PgConnection,
    projection: &dyn Projection,
) -> Result<bool, ProjectionError> {
    let (name, kind) = (projection.name(), projection.aggregate_type());
    let Some(after) = checkpoint(connection, name, Hold::No).await? else {
        return Ok(false);
    };
    let next = read_page(connection, kind, after, 1, Horizon::Settled).await?;
    Ok(!next.is_empty())
}

async fn step_on(
    connection: &mut PgConnection,
    projection: &dyn Projection,
    page_events: i64,
) -> Result<usize, ProjectionError> {
    let (name, kind) = (projection.name(), projection.aggregate_type());
    let mut transaction = connection.begin().await?;
    let Some(after) = checkpoint(&mut transaction, name, Hold::OrSkip).await? else {
        return Ok(0);
    };
    let page = read_page(&mut transaction, kind, after, page_events, Horizon::Settled).await?;
    let Some(last) = page.last() else { return Ok(0) };
    let mut parked = parking::parked_among(&mut transaction, name, &page).await?;
    let left_out = parking::fold(&mut transaction, projection, &page, &mut parked).await?;
    parking::park(&mut transaction, name, &left_out).await?;
    move_checkpoint(&mut transaction, projection, last.cursor).await?;
    transaction.commit().await?;
    Ok(page.len())
}
