use crate::{
    checkpoint::{Shard, ensure, look},
    follower::Follower,
    pages::Pages,
    parking,
};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use onetrip_event_log::{LoggedEvent, Pool, backlog};
use sqlx::PgConnection;
use std::{collections::HashMap, sync::Arc};
use tokio_util::sync::CancellationToken;

/// Events folded in one transaction.
pub(crate) const PAGE_EVENTS: i64 = 1_000;
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
    /// In its fold; the words are in the log.
    #[error("the fold panicked")]
    Panicked,
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

    /// Called with a page when it has been read, for all who fold it: what is done here once need not be done by each.
    fn warm(&self, _page: &[LoggedEvent]) {}

    /// Whether its rows come of one aggregate each, so that a rebuild may write them once, from whole histories.
    fn fills(&self) -> bool {
        false
    }

    /// Writes the rows of aggregates, each with its whole history, into tables that have none of them, nor keys.
    async fn fill(
        &self,
        connection: &mut PgConnection,
        histories: &[LoggedEvent],
    ) -> Result<(), ProjectionError> {
        self.apply(connection, histories).await
    }
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
    pub(crate) pool: Pool,
    projections: Arc<Vec<Arc<dyn Projection>>>,
    pub(crate) page_events: i64,
    pub(crate) pages: Arc<Pages>,
    /// Where there is more than one.
    shards: HashMap<&'static str, i32>,
}

impl Runner {
    pub fn new(pool: impl Into<Pool>, projections: Vec<Arc<dyn Projection>>) -> Runner {
        Runner {
            pool: pool.into(),
            projections: Arc::new(projections),
            page_events: PAGE_EVENTS,
            pages: Arc::default(),
            shards: HashMap::new(),
        }
    }

    /// With pages of at most so many events.
    pub fn with_pages_of(self, events: i64) -> Runner {
        Runner {
            page_events: events,
            pages: Arc::default(),
            ..self
        }
    }

    /// With so many runners for one projection, each with a part of the aggregates. Every instance needs the same number:
    /// one that was started with another steps aside.
    pub fn with_shards(mut self, projection: &'static str, shards: u16) -> Runner {
        self.shards.insert(projection, i32::from(shards.max(1)));
        self
    }

    pub fn projections(&self) -> &[Arc<dyn Projection>] {
        &self.projections
    }

    fn shards_of(&self, projection: &dyn Projection) -> i32 {
        self.shards.get(projection.name()).copied().unwrap_or(1)
    }

    /// Makes the checkpoints of every projection, and rebuilds those whose version has changed.
    pub async fn prepare(&self) -> Result<(), ProjectionError> {
        for projection in self.projections.iter() {
            let mut connection = self.pool.acquire().await?;
            let version = ensure(
                &mut connection,
                &**projection,
                Some(self.shards_of(&**projection)),
            )
            .await?;
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

    fn followers(&self) -> Vec<Follower> {
        let mut followers = Vec::new();
        for projection in self.projections.iter() {
            for shard in Shard::each(self.shards_of(&**projection)) {
                followers.push(Follower::new(self, projection, shard));
            }
        }
        followers
    }

    /// Follows the log until `stop`. `nudge` resolves when this process has appended something. Panics if one of its
    /// tasks does: half of the read models standing still would not be noticed.
    pub async fn run<F, N>(&self, stop: CancellationToken, nudge: F)
    where
        F: Fn() -> N + Clone + Send + 'static,
        N: Future<Output = ()> + Send + 'static,
    {
        let mut running = tokio::task::JoinSet::new();
        for follower in self.followers() {
            running.spawn(follower.run(stop.clone(), nudge.clone()));
        }
        while let Some(ended) = running.join_next().await {
            if let Err(error) = ended
                && let Ok(panic) = error.try_into_panic()
            {
                std::panic::resume_unwind(panic);
            }
        }
    }

    /// Folds everything that can be read now. For imports, tests and tools.
    pub async fn catch_up(&self) -> Result<(), ProjectionError> {
        for follower in self.followers() {
            let mut follower = follower.patiently();
            while follower.step().await? > 0 {}
        }
        Ok(())
    }

    pub async fn lag(&self) -> Result<Vec<Lag>, sqlx::Error> {
        let mut lags = Vec::with_capacity(self.projections.len());
        let mut connection = self.pool.acquire().await?;
        for projection in self.projections.iter() {
            let Some(at) = look(&mut connection, projection.name(), None).await? else {
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
