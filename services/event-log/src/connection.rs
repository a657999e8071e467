//! A connection that is either given back clean or closed.

use sqlx::{
    Connection, Executor, PgConnection, PgPool, Postgres, pool::PoolConnection, postgres::PgPoolOptions,
};
use std::time::Duration;
use tokio::time::timeout;

/// A connection that has been idle for longer may have died since, and is asked before it is used.
const FRESH: Duration = Duration::from_secs(1);
/// So long it may take to answer that.
const IDLE_PATIENCE: Duration = Duration::from_millis(250);
/// A connection that comes back may still have to hear the answer to what its user has given up. One that stays silent is
/// closed: sqlx itself would wait for it for good, and its place in the pool would be lost until then (sqlx#4349). Not
/// shorter, or statements that wait for a lock would pile up behind connections that nobody holds any more.
const RETURN_PATIENCE: Duration = Duration::from_secs(3);

/// A pool that hands out no connection that has died or gone silent while it was idle; quicker than the test of sqlx,
/// which asks each time.
pub fn test_idle(options: PgPoolOptions) -> PgPoolOptions {
    options
        .test_before_acquire(false)
        .before_acquire(|connection, meta| {
            Box::pin(async move {
                if meta.idle_for > FRESH {
                    answers(connection, IDLE_PATIENCE).await?;
                }
                Ok(true)
            })
        })
}

/// A pool that closes what comes back and does not answer.
pub fn test_returned(options: PgPoolOptions) -> PgPoolOptions {
    options.after_release(|connection, _| {
        Box::pin(async move {
            answers(connection, RETURN_PATIENCE).await?;
            Ok(true)
        })
    })
}

/// An error closes the connection.
async fn answers(connection: &mut PgConnection, patience: Duration) -> Result<(), sqlx::Error> {
    match timeout(patience, connection.ping()).await {
        Ok(answer) => answer,
        Err(_) => Err(sqlx::Error::PoolTimedOut),
    }
}

/// Held by one transaction. Dropped without [`Exclusive::release`] (an error, a time limit, a caller that walked away),
/// it is closed instead of going back to the pool in the middle of something.
///
/// Its transactions are plain statements: sqlx counts one of its own only once the answer to `BEGIN` is read, so a future
/// dropped before that would hand back a connection inside a transaction that nobody ends (sqlx#4393).
pub(crate) struct Exclusive {
    pool: PgPool,
    connection: Option<PoolConnection<Postgres>>,
}

impl Exclusive {
    pub async fn acquire(pool: &PgPool) -> Result<Exclusive, sqlx::Error> {
        Ok(Exclusive {
            connection: Some(pool.acquire().await?),
            pool: pool.clone(),
        })
    }

    pub fn get(&mut self) -> Result<&mut PgConnection, sqlx::Error> {
        self.connection.as_deref_mut().ok_or(sqlx::Error::WorkerCrashed)
    }

    /// Begins a transaction. The pool may hold connections that have died since, as after a restart of the server:
    /// nothing has happened on them yet, so another one is taken.
    pub async fn begin(&mut self) -> Result<(), sqlx::Error> {
        let Err(first) = self.get()?.execute("BEGIN").await else {
            return Ok(());
        };
        for _ in 0..self.pool.options().get_max_connections() {
            self.close();
            self.connection = Some(self.pool.acquire().await?);
            if self.get()?.execute("BEGIN").await.is_ok() {
                return Ok(());
            }
        }
        Err(first)
    }

    /// Gives the statements of this transaction the time that rows of a caller's may take.
    pub async fn patiently(&mut self) -> Result<(), sqlx::Error> {
        let limits = "SET LOCAL statement_timeout = '9s'; SET LOCAL lock_timeout = '9s'";
        self.get()?.execute(limits).await.map(|_| ())
    }

    pub async fn commit(&mut self) -> Result<(), sqlx::Error> {
        self.get()?.execute("COMMIT").await.map(|_| ())
    }

    pub async fn rollback(&mut self) -> Result<(), sqlx::Error> {
        self.get()?.execute("ROLLBACK").await.map(|_| ())
    }

    /// Gives the connection back, with nothing open on it.
    pub fn release(mut self) {
        if let Some(mut connection) = self.connection.take() {
            // What dropping it does too, but not for good: sqlx asks it whether it is well, and a line that has gone silent
            // right now never answers.
            tokio::spawn(timeout(RETURN_PATIENCE, connection.return_to_pool()));
        }
    }

    fn close(&mut self) {
        if let Some(connection) = self.connection.take() {
            drop(connection.detach());
        }
    }
}

impl Drop for Exclusive {
    fn drop(&mut self) {
        self.close();
    }
}
