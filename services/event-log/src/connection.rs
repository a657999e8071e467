//! A connection that is either given back clean or closed.

use sqlx::{Executor, PgConnection, PgPool, Postgres, pool::PoolConnection};

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

    pub async fn commit(&mut self) -> Result<(), sqlx::Error> {
        self.get()?.execute("COMMIT").await.map(|_| ())
    }

    pub async fn rollback(&mut self) -> Result<(), sqlx::Error> {
        self.get()?.execute("ROLLBACK").await.map(|_| ())
    }

    /// Gives the connection back, with nothing open on it.
    pub fn release(mut self) {
        self.connection.take();
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
