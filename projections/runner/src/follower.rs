//! One runner of one projection: page after page, each in one transaction with the checkpoint.

use crate::{
    checkpoint::{Shard, hold, look, move_checkpoint, plan_steadily},
    pages::{Page, Pages},
    parking::{self, caught},
    runner::{Projection, ProjectionError, Runner},
};
use onetrip_event_log::{Cursor, LoggedEvent, Pool};
use sqlx::{Connection, PgConnection};
use std::{
    collections::HashSet,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{task::JoinHandle, time::timeout};
use tokio_util::sync::CancellationToken;

/// The fallback when the nudge of an append in another process is not seen.
const POLL_EVERY: Duration = Duration::from_millis(100);
/// While commands come in one after the other, pages begin no oftener: what comes meanwhile shares one.
const PAGE_EVERY: Duration = Duration::from_millis(10);
/// Under load a page lasts for so many times as long as it took: the more events share one, the less each of them costs,
/// and what is saved is there for the commands.
const PAGE_LASTS: u32 = 4;
/// But not for longer, so that who waits for a read model does not wait much.
const PAGE_EVERY_MAX: Duration = Duration::from_millis(100);
/// Wait after a failed page, so that a broken database is not hammered.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_secs(1);

/// A page that takes longer, or a look for one that takes a quarter of it, is given up, and its connection with it: one that has gone silent must not stop a read model
/// for good. The next try has twice the time, so that a slow page gets through.
const PATIENCE: Duration = Duration::from_secs(4);
const PATIENCE_MAX: Duration = Duration::from_secs(64);

pub(crate) struct Follower {
    pool: Pool,
    projection: Arc<dyn Projection>,
    shard: Shard,
    page_events: i64,
    pages: Arc<Pages>,
    patience: Duration,
    /// The checkpoint as this runner left it; another instance may have moved it since.
    at: Option<Cursor>,
    /// There is more to read than what was folded last.
    is_behind: bool,
    /// After a full page, the next one is read while this one is written.
    ahead: Option<Ahead>,
}

/// The page after a cursor, under way.
struct Ahead {
    after: Cursor,
    page: JoinHandle<Result<Page, ProjectionError>>,
}

/// How a page fared.
enum Turn {
    Folded(usize),
    /// There is nothing to read, or somebody else is at it.
    Idle,
    /// Somebody else has moved the checkpoint since.
    Moved(Cursor),
}

impl Follower {
    pub fn new(runner: &Runner, projection: &Arc<dyn Projection>, shard: Shard) -> Follower {
        Follower {
            pool: runner.pool.clone(),
            projection: Arc::clone(projection),
            shard,
            page_events: runner.page_events,
            pages: Arc::clone(&runner.pages),
            patience: PATIENCE,
            at: None,
            is_behind: false,
            ahead: None,
        }
    }

    /// With all the time a page may ever have, for who cannot try again.
    pub fn patiently(self) -> Follower {
        Follower {
            patience: PATIENCE_MAX,
            ..self
        }
    }

    /// Follows the log until `stop`: in full pages while behind, with whatever is there while live.
    pub async fn run<F, N>(mut self, stop: CancellationToken, nudge: F)
    where
        F: Fn() -> N + Send,
        N: Future<Output = ()> + Send,
    {
        while !stop.is_cancelled() {
            // Listening begins before the page is read: what is appended meanwhile is not slept through.
            let mut nudged = Box::pin(nudge());
            let heard = futures::poll!(&mut nudged).is_ready();
            let begun = Instant::now();
            let step = self.step().await;
            let every = (begun.elapsed() * PAGE_LASTS).clamp(PAGE_EVERY, PAGE_EVERY_MAX);
            let (is_behind, projection) = (self.is_behind, self.projection.name());
            self.patience = match step {
                Err(ProjectionError::Late) => (self.patience * 2).min(PATIENCE_MAX),
                _ => PATIENCE,
            };
            let wait = async {
                match step {
                    Ok(_) if is_behind => return,
                    Ok(read) if read > 0 || heard => {}
                    Ok(_) => {
                        tokio::select! {
                            () = nudged => {}
                            () = tokio::time::sleep(POLL_EVERY) => {}
                        }
                    }
                    Err(ProjectionError::Late) => {
                        tracing::warn!(
                            projection,
                            "a page took too long and is tried again with more time"
                        );
                        return;
                    }
                    Err(error) => {
                        tracing::error!(projection, %error, "a page could not be folded");
                        tokio::time::sleep(PAUSE_AFTER_FAILURE).await;
                    }
                }
                // Whoever was idle for a while acts at once.
                tokio::time::sleep_until((begun + every).into()).await;
            };
            tokio::select! {
                () = stop.cancelled() => {}
                () = wait => {}
            }
        }
    }

    /// One page; how many events were read.
    pub async fn step(&mut self) -> Result<usize, ProjectionError> {
        loop {
            match self.page(false).await {
                Ok(Turn::Folded(events)) => return Ok(events),
                Ok(Turn::Idle) => return Ok(0),
                Ok(Turn::Moved(to)) => self.at = Some(to),
                Err(error) if error.is_poison() => {
                    if let Turn::Folded(events) = self.page(true).await? {
                        return Ok(events);
                    }
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// One page in one transaction; `carefully`, it is taken apart around what cannot be folded.
    async fn page(&mut self, carefully: bool) -> Result<Turn, ProjectionError> {
        self.is_behind = false;
        // Waited for with no connection in hand: it may need the last one.
        let ahead = match self.ahead.take() {
            Some(ahead) => Some((
                ahead.after,
                ahead.page.await.map_err(|_| sqlx::Error::WorkerCrashed)??,
            )),
            None => None,
        };
        let mut connection = self.pool.acquire().await?;
        let patience = self.patience;
        match timeout(patience, self.page_on(&mut connection, ahead, carefully)).await {
            Ok(Ok(turn)) => Ok(turn),
            Ok(Err(error)) if !matches!(error, ProjectionError::Late) => Err(error),
            Ok(Err(_)) | Err(_) => {
                // In the middle of something: it must not go back to the pool (sqlx#4393).
                connection.close();
                self.at = None;
                Err(ProjectionError::Late)
            }
        }
    }

    async fn page_on(
        &mut self,
        connection: &mut PgConnection,
        ahead: Option<(Cursor, Page)>,
        carefully: bool,
    ) -> Result<Turn, ProjectionError> {
        let name = self.projection.name();
        // The look is quick, and where a runner nearly always is when its connection goes silent.
        let looking = async {
            let mut transaction = connection.begin().await?;
            plan_steadily(&mut transaction).await?;
            let at = match self.at {
                Some(at) => Some(at),
                None => look(&mut transaction, name, Some(self.shard)).await?,
            };
            let Some(after) = at else {
                return Ok::<_, ProjectionError>(None);
            };
            // Before locking: a lock draws a transaction id, and an idle service should draw none.
            let read = match ahead {
                Some((begins, page)) if begins == after => page,
                _ => {
                    self.pages
                        .read(&mut transaction, &*self.projection, after, self.page_events)
                        .await?
                }
            };
            Ok(Some((transaction, after, read)))
        };
        let looked = timeout(self.patience / 4, looking).await;
        let Some((mut transaction, after, page)) = looked.unwrap_or(Err(ProjectionError::Late))? else {
            return Ok(Turn::Idle);
        };
        let (Some(last), events) = (page.events.last().map(|event| event.cursor), page.events.len()) else {
            // Somebody else may have moved it on, or back: the next look starts from there.
            self.at = None;
            return Ok(Turn::Idle);
        };
        let Some(held) = hold(&mut transaction, name, self.shard).await? else {
            self.at = None;
            return Ok(Turn::Idle);
        };
        if held.at != after {
            return Ok(Turn::Moved(held.at));
        }
        // Only for who folds: another instance that waits for its turn would read the same pages again and again.
        if self.is_full(events) {
            self.ahead = Some(self.read_ahead(last));
        }
        // What another runner has read a while ago is not what there is now.
        let is_behind = self.ahead.is_some() || page.age > PAGE_EVERY;
        let own = self.shard.part_of(&page.events);
        if carefully || held.has_parked {
            self.fold_carefully(&mut transaction, own.into_owned()).await?;
        } else if !own.is_empty() {
            caught(self.projection.apply(&mut transaction, &own)).await?;
        }
        move_checkpoint(&mut transaction, &*self.projection, Some(self.shard), last).await?;
        transaction.commit().await?;
        (self.at, self.is_behind) = (Some(last), is_behind);
        Ok(Turn::Folded(events))
    }

    fn is_full(&self, events: usize) -> bool {
        i64::try_from(events).is_ok_and(|events| events >= self.page_events)
    }

    fn read_ahead(&self, after: Cursor) -> Ahead {
        let (pool, projection, events) = (self.pool.clone(), Arc::clone(&self.projection), self.page_events);
        let (patience, pages) = (self.patience, Arc::clone(&self.pages));
        let page = tokio::spawn(async move {
            let mut connection = pool.acquire().await?;
            let reading = async {
                let mut transaction = connection.begin().await?;
                plan_steadily(&mut transaction).await?;
                let page = pages.read(&mut transaction, &*projection, after, events).await?;
                transaction.rollback().await?;
                Ok::<_, sqlx::Error>(page)
            };
            let Ok(page) = timeout(patience, reading).await else {
                connection.close();
                return Err(ProjectionError::Late);
            };
            let page = page?;
            connection.release();
            Ok(page)
        });
        Ahead { after, page }
    }

    async fn fold_carefully(
        &self,
        connection: &mut PgConnection,
        page: Vec<LoggedEvent>,
    ) -> Result<(), ProjectionError> {
        let name = self.projection.name();
        let mut parked: HashSet<String> = parking::parked_among(connection, name, &page).await?;
        let left_out = parking::fold(connection, &*self.projection, page, &mut parked).await?;
        parking::park(connection, name, &left_out).await?;
        Ok(())
    }
}
