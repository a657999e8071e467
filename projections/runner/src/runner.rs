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
}

/// Runs projections until told to stop.
#[derive(Clone)]
pub struct Runner {
    pool: PgPool,
    projections: Arc<Vec<Arc<dyn Projection>>>,
}

impl Runner {
    pub fn new(pool: PgPool, projections: Vec<Arc<dyn Projection>>) -> Runner {
        Runner {
            pool,
            projections: Arc::new(projections),
        }
    }

    pub fn projections(&self) -> &[Arc<dyn Projection>] {
        &self.projections
    }

    /// Makes the checkpoint of every projection, and rebuilds those whose version has changed.
    pub async fn prepare(&self) -> Result<(), ProjectionError> {
        for projection in self.projections.iter() {
            let version: i32 = sqlx::query_scalar(
                "INSERT INTO checkpoints (projection, version) VALUES ($1, $2)
                 ON CONFLICT (projection) DO UPDATE SET projection = excluded.projection
                 RETURNING version",
            )
            .bind(projection.name())
            .bind(projection.version())
            .fetch_one(&self.pool)
            .await?;
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
            running.spawn(async move {
                while !stop.is_cancelled() {
                    // Listening begins before the page is read: what is appended meanwhile is not slept through.
                    let mut nudged = Box::pin(nudge());
                    let heard = futures::poll!(&mut nudged).is_ready();
                    let wait = match step(&pool, &*projection).await {
                        Ok(read) if read > 0 || heard => continue,
                        Ok(_) => POLL_EVERY,
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
            while step(&self.pool, &**projection).await? > 0 {}
        }
        Ok(())
    }

    pub async fn lag(&self) -> Result<Vec<Lag>, sqlx::Error> {
        let mut lags = Vec::with_capacity(self.projections.len());
        let mut connection = self.pool.acquire().await?;
        for projection in self.projections.iter() {
            let Some(at) = checkpoint(&mut connection, projection.name(), "").await? else {
                continue;
            };
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

pub(crate) async fn checkpoint(
    connection: &mut PgConnection,
    projection: &str,
    locking: &str,
) -> Result<Option<Cursor>, sqlx::Error> {
    let row: Option<(i64, i64)> = sqlx::query_as(&format!(
        "SELECT transaction_id::text::bigint, position FROM checkpoints WHERE projection = $1 {locking}"
    ))
    .bind(projection)
    .fetch_optional(connection)
    .await?;
    Ok(row.map(|(transaction_id, position)| Cursor {
        transaction_id,
        position,
    }))
}

pub(crate) async fn move_checkpoint(
    connection: &mut PgConnection,
    projection: &dyn Projection,
    to: Cursor,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE checkpoints SET version = $2, transaction_id = $3::text::xid8, position = $4, moved_at = now()
         WHERE projection = $1",
    )
    .bind(projection.name())
    .bind(projection.version())
    .bind(to.transaction_id.to_string())
    .bind(to.position)
    .execute(connection)
    .await?;
    Ok(())
}

/// One page in one transaction; the number of events folded. Another instance that holds the checkpoint wins.
async fn step(pool: &PgPool, projection: &dyn Projection) -> Result<usize, ProjectionError> {
    // Look before locking: a lock draws a transaction id, and an idle service should draw none.
    let mut connection = pool.acquire().await?;
    let Some(after) = checkpoint(&mut connection, projection.name(), "").await? else {
        return Ok(0);
    };
    if read_page(
        &mut connection,
        projection.aggregate_type(),
        after,
        1,
        Horizon::Settled,
    )
    .await?
    .is_empty()
    {
        return Ok(0);
    }
    let mut transaction = connection.begin().await?;
    let Some(after) = checkpoint(&mut transaction, projection.name(), "FOR UPDATE SKIP LOCKED").await? else {
        return Ok(0);
    };
    let page = read_page(
        &mut transaction,
        projection.aggregate_type(),
        after,
        PAGE_EVENTS,
        Horizon::Settled,
    )
    .await?;
    let Some(last) = page.last() else { return Ok(0) };
    projection.apply(&mut transaction, &page).await?;
    move_checkpoint(&mut transaction, projection, last.cursor).await?;
    transaction.commit().await?;
    Ok(page.len())
}
