//! Waiting until read models show what was just written.

use crate::checkpoint::furthest_behind;
use onetrip_event_log::{Cursor, Pool};
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
use tokio::{sync::watch, time::timeout};

/// How often it is looked while anybody waits.
const LOOK_EVERY: Duration = Duration::from_millis(4);
/// How long a look may take; its connection is given up then.
const LOOK_PATIENCE: Duration = Duration::from_secs(1);
/// Wait after the database could not be asked.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_millis(50);

/// The waits of one process for some read models: however many wait, one look after the other tells all of them. Cheap to
/// clone.
#[derive(Clone)]
pub struct Waiting {
    inner: Arc<Inner>,
}

struct Inner {
    pool: Pool,
    projections: &'static [&'static str],
    /// What all of them have passed, as far as this process knows.
    passed: watch::Sender<Cursor>,
    /// Whether somebody looks; decided on together with who waits.
    is_looking: Mutex<bool>,
}

impl Waiting {
    /// For these projections, by name.
    pub fn new(pool: Pool, projections: &'static [&'static str]) -> Waiting {
        let inner = Inner {
            pool,
            projections,
            passed: watch::Sender::new(Cursor::default()),
            is_looking: Mutex::new(false),
        };
        Waiting {
            inner: Arc::new(inner),
        }
    }

    /// Waits until all of them have passed `cursor`; false if `patience` ran out first. A database that does not answer is
    /// no failure here, it only takes time.
    pub async fn passed(&self, cursor: Cursor, patience: Duration) -> bool {
        if *self.inner.passed.borrow() >= cursor {
            return true;
        }
        let mut passed = self.listen();
        let waiting = passed.wait_for(|passed| *passed >= cursor);
        matches!(timeout(patience, waiting).await, Ok(Ok(_)))
    }

    fn listen(&self) -> watch::Receiver<Cursor> {
        let mut is_looking = self.inner.is_looking();
        let passed = self.inner.passed.subscribe();
        if !std::mem::replace(&mut *is_looking, true) {
            tokio::spawn(Arc::clone(&self.inner).look_while_anybody_waits());
        }
        passed
    }
}

impl Inner {
    fn is_looking(&self) -> MutexGuard<'_, bool> {
        self.is_looking.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn look_while_anybody_waits(self: Arc<Self>) {
        loop {
            let pause = match self.look().await {
                Ok(Some(now)) => {
                    self.passed.send_if_modified(|passed| {
                        let is_further = now > *passed;
                        *passed = now.max(*passed);
                        is_further
                    });
                    LOOK_EVERY
                }
                Ok(None) => LOOK_EVERY,
                Err(error) => {
                    tracing::warn!(%error, "the read models could not be waited for");
                    PAUSE_AFTER_FAILURE
                }
            };
            tokio::time::sleep(pause).await;
            let mut is_looking = self.is_looking();
            // Under the same lock: nobody can have begun to wait for a look that does not come.
            if self.passed.receiver_count() == 0 {
                *is_looking = false;
                return;
            }
        }
    }

    async fn look(&self) -> Result<Option<Cursor>, sqlx::Error> {
        let mut connection = self.pool.acquire().await?;
        match timeout(LOOK_PATIENCE, furthest_behind(&mut connection, self.projections)).await {
            Ok(found) => {
                connection.release();
                found
            }
            Err(_) => {
                // In the middle of something: it must not go back to the pool (sqlx#4393).
                connection.close();
                Err(sqlx::Error::PoolTimedOut)
            }
        }
    }
}

/// Waits until the named projections have passed `cursor`; false if `patience` ran out first.
pub async fn wait_for(
    pool: &Pool,
    projections: &[&str],
    cursor: Cursor,
    patience: Duration,
) -> Result<bool, sqlx::Error> {
    let start = Instant::now();
    loop {
        let passed = furthest_behind(&mut *pool.acquire().await?, projections).await?;
        if passed.is_some_and(|passed| passed >= cursor) {
            return Ok(true);
        }
        if start.elapsed() >= patience {
            return Ok(false);
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}
