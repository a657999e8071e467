//! Connections to the database, a bounded number of them, each with a time limit on everything that is waited for.
//!
//! The pool of sqlx asks a connection that comes back whether it is well, and waits for the answer without a limit: one
//! whose line goes silent in that moment keeps its place until TCP gives it up (sqlx#4349). Here a place is given back
//! within a bounded time whatever the line does. And what came back with its last answer read need not be asked at all,
//! which saves a round trip for each use.

use crate::connection::{Exclusive, PooledConnection};
use futures::{
    FutureExt, StreamExt, TryFutureExt, TryStreamExt,
    future::BoxFuture,
    stream::{self, BoxStream},
};
use sqlx::{
    ConnectOptions, Connection, Describe, Either, Execute, Executor, PgConnection, PgPool, Postgres,
    postgres::{PgConnectOptions, PgQueryResult, PgRow, PgStatement, PgTypeInfo},
};
use std::{
    fmt,
    io::ErrorKind,
    sync::{Arc, Mutex as SyncMutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
use tokio::{
    sync::{Mutex, Semaphore},
    time::{sleep, timeout},
};

/// A connection that has been idle for longer may have died since, and is asked before it is used.
const FRESH: Duration = Duration::from_secs(1);
/// So long it may take to answer that.
const IDLE_PATIENCE: Duration = Duration::from_millis(250);
/// A connection that comes back may still have to hear the answer to what its user has given up; so long it has. Not
/// shorter, or statements that wait for a lock would pile up behind connections that nobody holds any more.
const RETURN_PATIENCE: Duration = Duration::from_secs(3);
/// What has been idle for so long is closed.
const IDLE_MAX: Duration = Duration::from_secs(600);
/// So is what has been open for so long: a session of the server grows with what it has seen.
const AGE_MAX: Duration = Duration::from_secs(1800);
/// Between two tries to connect to a server that is starting.
const CONNECT_PAUSE_MAX: Duration = Duration::from_millis(140);
/// SQLSTATE `too_many_connections` and `cannot_connect_now`: it will be otherwise in a moment.
const NOT_YET: [&str; 2] = ["53300", "57P03"];

/// A bounded pool of connections. Cheap to clone; as an [`Executor`] it runs a statement on a connection of its own
/// choice and reads the whole answer before it hands it on, so that no slow reader keeps a connection.
#[derive(Clone)]
pub struct Pool {
    inner: Arc<Inner>,
}

struct Inner {
    options: PgConnectOptions,
    patience: Duration,
    connections_max: usize,
    /// One for each connection that is lent, asked or being opened.
    places: Arc<Semaphore>,
    /// The one that was used last stands last.
    idle: SyncMutex<Vec<Idle>>,
}

/// A connection, and since when it has been open. Behind a lock of its own only so that a guard can hold it whole:
/// nobody else has it meanwhile.
#[derive(Clone)]
pub(crate) struct Session {
    connection: Arc<Mutex<PgConnection>>,
    opened: Instant,
}

struct Idle {
    session: Session,
    since: Instant,
}

impl Pool {
    /// Opens connections as they are needed, at most so many. One that is not to be had within `patience` is an error,
    /// [`sqlx::Error::PoolTimedOut`].
    pub fn new(options: PgConnectOptions, connections_max: u32, patience: Duration) -> Pool {
        let connections_max = usize::try_from(connections_max).unwrap_or(Semaphore::MAX_PERMITS);
        Pool {
            inner: Arc::new(Inner {
                options,
                patience,
                connections_max,
                places: Arc::new(Semaphore::new(connections_max)),
                idle: SyncMutex::default(),
            }),
        }
    }

    /// With which it connects.
    pub fn options(&self) -> &PgConnectOptions {
        &self.inner.options
    }

    /// A connection that has not died or gone silent while it was idle.
    pub async fn acquire(&self) -> Result<PooledConnection, sqlx::Error> {
        timeout(self.inner.patience, self.take())
            .await
            .map_err(|_| sqlx::Error::PoolTimedOut)?
    }

    async fn take(&self) -> Result<PooledConnection, sqlx::Error> {
        let places = Arc::clone(&self.inner.places);
        let place = places
            .acquire_owned()
            .await
            .map_err(|_| sqlx::Error::PoolClosed)?;
        let idle = self.inner.idle().pop();
        let session = match idle {
            Some(idle) if idle.since.elapsed() <= FRESH => idle.session,
            Some(idle) if answers(&idle.session, IDLE_PATIENCE).await => idle.session,
            _ => Session {
                connection: Arc::new(Mutex::new(self.open().await?)),
                opened: Instant::now(),
            },
        };
        let connection = Arc::clone(&session.connection).lock_owned().await;
        Ok(PooledConnection::new(self.clone(), session, connection, place))
    }

    /// A connection of the caller's own, beside the pool's: its settings are nobody else's.
    pub async fn connect(&self) -> Result<PgConnection, sqlx::Error> {
        timeout(self.inner.patience, self.open())
            .await
            .map_err(|_| sqlx::Error::PoolTimedOut)?
    }

    async fn open(&self) -> Result<PgConnection, sqlx::Error> {
        let mut pause = CONNECT_PAUSE_MAX / 16;
        loop {
            match self.inner.options.connect().await {
                Err(error) if is_not_yet(&error) => {}
                done => return done,
            }
            sleep(pause).await;
            pause = (pause * 2).min(CONNECT_PAUSE_MAX);
        }
    }

    /// A transaction that its caller may walk away from at any moment.
    pub async fn begin(&self) -> Result<Exclusive, sqlx::Error> {
        let mut transaction = Exclusive::acquire(self).await?;
        transaction.begin().await?;
        Ok(transaction)
    }

    /// So many connections it opens at most.
    pub fn connections_max(&self) -> usize {
        self.inner.connections_max
    }

    /// Connections that are lent, on their way back or being opened.
    pub fn busy(&self) -> usize {
        self.inner.connections_max - self.inner.places.available_permits()
    }

    /// Connections that wait to be used.
    pub fn idle(&self) -> usize {
        self.inner.idle().len()
    }

    /// Takes one back whose last answer has been read.
    pub(crate) fn keep(&self, session: Session) {
        let now = Instant::now();
        let mut idle = self.inner.idle();
        let old = idle.iter().take_while(|idle| now - idle.since > IDLE_MAX).count();
        idle.drain(..old);
        if now - session.opened <= AGE_MAX {
            idle.push(Idle { session, since: now });
        }
    }

    /// Takes one back that may still have an answer to hear. It has its place until then, or until it is closed.
    pub(crate) fn ask_back(&self, session: Session, place: tokio::sync::OwnedSemaphorePermit) {
        // Where nothing runs any more, it is closed.
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        let pool = self.clone();
        runtime.spawn(async move {
            if answers(&session, RETURN_PATIENCE).await {
                pool.keep(session);
            }
            drop(place);
        });
    }
}

impl Inner {
    fn idle(&self) -> MutexGuard<'_, Vec<Idle>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether everything asked on it is answered in time.
async fn answers(session: &Session, patience: Duration) -> bool {
    let asking = async { session.connection.lock().await.ping().await };
    match timeout(patience, asking).await {
        Ok(Ok(())) => true,
        Ok(Err(error)) => {
            tracing::info!(%error, "closing a connection that has failed");
            false
        }
        Err(_) => {
            tracing::warn!("closing a connection that does not answer");
            false
        }
    }
}

fn is_not_yet(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(error) => error.kind() == ErrorKind::ConnectionRefused,
        sqlx::Error::Database(error) => error.code().is_some_and(|code| NOT_YET.contains(&&*code)),
        _ => false,
    }
}

/// The same database with the same limits.
impl From<PgPool> for Pool {
    fn from(pool: PgPool) -> Pool {
        let options = pool.options();
        Pool::new(
            (*pool.connect_options()).clone(),
            options.get_max_connections(),
            options.get_acquire_timeout(),
        )
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool")
            .field("busy", &self.busy())
            .field("idle", &self.idle())
            .finish_non_exhaustive()
    }
}

impl<'p> Executor<'p> for &'_ Pool {
    type Database = Postgres;

    fn fetch_many<'e, 'q: 'e, E>(
        self,
        query: E,
    ) -> BoxStream<'e, Result<Either<PgQueryResult, PgRow>, sqlx::Error>>
    where
        'p: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        let pool = self.clone();
        let reading = async move {
            let mut connection = pool.acquire().await?;
            let answer: Vec<_> = connection.fetch_many(query).try_collect().await?;
            connection.release();
            Ok(stream::iter(answer).map(Ok))
        };
        reading.try_flatten_stream().boxed()
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, Result<Option<PgRow>, sqlx::Error>>
    where
        'p: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        let pool = self.clone();
        let reading = async move {
            let mut connection = pool.acquire().await?;
            let row = connection.fetch_optional(query).await?;
            connection.release();
            Ok(row)
        };
        reading.boxed()
    }

    fn prepare_with<'e, 'q: 'e>(
        self,
        sql: &'q str,
        parameters: &'e [PgTypeInfo],
    ) -> BoxFuture<'e, Result<PgStatement<'q>, sqlx::Error>>
    where
        'p: 'e,
    {
        let pool = self.clone();
        async move { pool.acquire().await?.prepare_with(sql, parameters).await }.boxed()
    }

    fn describe<'e, 'q: 'e>(self, sql: &'q str) -> BoxFuture<'e, Result<Describe<Postgres>, sqlx::Error>>
    where
        'p: 'e,
    {
        let pool = self.clone();
        async move { pool.acquire().await?.describe(sql).await }.boxed()
    }
}
