//! A connection that is given back clean, asked whether it is, or closed.

use crate::pool::{Pool, Session};
use sqlx::{Executor, PgConnection};
use std::ops::{Deref, DerefMut};
use tokio::sync::{OwnedMutexGuard, OwnedSemaphorePermit};

/// Lent by a [`Pool`]. Dropped, it is asked in the background whether it still answers, in a bounded time; that also ends
/// a transaction of sqlx's that was left open on it.
pub struct PooledConnection {
    connection: OwnedMutexGuard<PgConnection>,
    session: Session,
    pool: Pool,
    way_back: WayBack,
    /// There until it is dropped.
    place: Option<OwnedSemaphorePermit>,
}

#[derive(Clone, Copy)]
enum WayBack {
    Asked,
    Clean,
    Closed,
}

impl PooledConnection {
    pub(crate) fn new(
        pool: Pool,
        session: Session,
        connection: OwnedMutexGuard<PgConnection>,
        place: OwnedSemaphorePermit,
    ) -> PooledConnection {
        PooledConnection {
            connection,
            session,
            pool,
            way_back: WayBack::Asked,
            place: Some(place),
        }
    }

    /// Gives it back at once: every answer on it has been read, and nothing is open.
    pub fn release(mut self) {
        self.way_back = WayBack::Clean;
    }

    /// Whatever is on it ends with it.
    pub fn close(mut self) {
        self.way_back = WayBack::Closed;
    }
}

impl Deref for PooledConnection {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.connection
    }
}

impl DerefMut for PooledConnection {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.connection
    }
}

impl Drop for PooledConnection {
    fn drop(&mut self) {
        let session = self.session.clone();
        match (self.way_back, self.place.take()) {
            (WayBack::Clean, place) => {
                self.pool.keep(session);
                // Not before: who gets the place shall find the connection.
                drop(place);
            }
            (WayBack::Asked, Some(place)) => self.pool.ask_back(session, place),
            (WayBack::Asked | WayBack::Closed, _) => {}
        }
    }
}

/// Held by one transaction. Dropped before its end (an error, a time limit, a caller that walked away), it is closed
/// instead of going back to the pool in the middle of something.
///
/// Its transactions are plain statements: sqlx counts one of its own only once the answer to `BEGIN` is read, so a future
/// dropped before that would hand back a connection inside a transaction that nobody ends (sqlx#4393).
pub struct Exclusive(PooledConnection);

impl Exclusive {
    pub(crate) async fn acquire(pool: &Pool) -> Result<Exclusive, sqlx::Error> {
        let mut connection = pool.acquire().await?;
        connection.way_back = WayBack::Closed;
        Ok(Exclusive(connection))
    }

    /// Begins a transaction. The pool may hold connections that have died since, as after a restart of the server:
    /// nothing has happened on them yet, so another one is taken.
    pub(crate) async fn begin(&mut self) -> Result<(), sqlx::Error> {
        let pool = self.0.pool.clone();
        let mut left = pool.connections_max();
        while let Err(error) = self.execute("BEGIN").await {
            if left == 0 {
                return Err(error);
            }
            left -= 1;
            // Its place first: it may be the last one.
            self.0.place = None;
            *self = Exclusive::acquire(&pool).await?;
        }
        Ok(())
    }

    /// Gives the statements of this transaction the time that rows of a caller's may take.
    pub(crate) async fn patiently(&mut self) -> Result<(), sqlx::Error> {
        let limits = "SET LOCAL statement_timeout = '9s'; SET LOCAL lock_timeout = '9s'";
        self.execute(limits).await.map(|_| ())
    }

    pub async fn commit(mut self) -> Result<(), sqlx::Error> {
        self.execute("COMMIT").await?;
        self.release();
        Ok(())
    }

    pub async fn rollback(mut self) -> Result<(), sqlx::Error> {
        self.execute("ROLLBACK").await?;
        self.release();
        Ok(())
    }

    /// Gives the connection back, with nothing open on it.
    pub(crate) fn release(self) {
        self.0.release();
    }
}

impl Deref for Exclusive {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.0
    }
}

impl DerefMut for Exclusive {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.0
    }
}
