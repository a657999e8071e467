use crate::runner::{PAGE_EVENTS, Projection, ProjectionError, checkpoint, move_checkpoint};
use async_trait::async_trait;
use onetrip_event_log::{Cursor, Horizon, LoggedEvent, begin, read_page};
use sqlx::{PgConnection, PgPool};

/// How far a rebuild has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    pub events: u64,
}

/// Something that can be emptied and folded anew from the log.
#[async_trait]
pub trait Rebuild: Send + Sync {
    fn aggregate_type(&self) -> &'static str;
    fn tables(&self) -> &'static [&'static str];

    /// Keeps everybody else from writing the tables until the end of the transaction, and says how far may be read.
    async fn lock(&self, connection: &mut PgConnection) -> Result<Horizon, sqlx::Error>;
    async fn fold(&self, connection: &mut PgConnection, page: &[LoggedEvent]) -> Result<(), ProjectionError>;
    async fn finish(&self, connection: &mut PgConnection, at: Cursor) -> Result<(), sqlx::Error>;
}

/// A projection that follows the log: its checkpoint is its lock.
struct Following<'a>(&'a dyn Projection);

#[async_trait]
impl Rebuild for Following<'_> {
    fn aggregate_type(&self) -> &'static str {
        self.0.aggregate_type()
    }

    fn tables(&self) -> &'static [&'static str] {
        self.0.tables()
    }

    async fn lock(&self, connection: &mut PgConnection) -> Result<Horizon, sqlx::Error> {
        sqlx::query("INSERT INTO checkpoints (projection, version) VALUES ($1, $2) ON CONFLICT DO NOTHING")
            .bind(self.0.name())
            .bind(self.0.version())
            .execute(&mut *connection)
            .await?;
        checkpoint(connection, self.0.name(), "FOR UPDATE").await?;
        Ok(Horizon::Settled)
    }

    async fn fold(&self, connection: &mut PgConnection, page: &[LoggedEvent]) -> Result<(), ProjectionError> {
        self.0.apply(connection, page).await
    }

    async fn finish(&self, connection: &mut PgConnection, at: Cursor) -> Result<(), sqlx::Error> {
        move_checkpoint(connection, self.0, at).await
    }
}

/// Rebuilds a projection that follows the log; see [`rebuild_locked`].
pub async fn rebuild(
    pool: &PgPool,
    projection: &dyn Projection,
    report: &mut (dyn FnMut(Progress) + Send),
) -> Result<u64, ProjectionError> {
    rebuild_locked(pool, &Following(projection), report).await
}

/// Empties the tables and folds the whole log into them again, in one transaction: readers see the old rows until it
/// is done, and writers wait. Returns the number of events folded.
pub async fn rebuild_locked(
    pool: &PgPool,
    what: &dyn Rebuild,
    report: &mut (dyn FnMut(Progress) + Send),
) -> Result<u64, ProjectionError> {
    let mut transaction = begin(pool).await?;
    // A rebuild writes for as long as it takes; the service's own limits are for requests.
    sqlx::query("SET LOCAL statement_timeout = 0")
        .execute(&mut *transaction)
        .await?;
    let horizon = what.lock(&mut transaction).await?;
    for table in what.tables() {
        // DELETE, not TRUNCATE, which would block readers until the end.
        sqlx::query(&format!("DELETE FROM {table}"))
            .execute(&mut *transaction)
            .await?;
    }
    let mut at = Cursor::default();
    let mut events = 0;
    loop {
        let page = read_page(&mut transaction, what.aggregate_type(), at, PAGE_EVENTS, horizon).await?;
        let Some(last) = page.last() else { break };
        at = last.cursor;
        what.fold(&mut transaction, &page).await?;
        events += page.len() as u64;
        report(Progress { events });
    }
    what.finish(&mut transaction, at).await?;
    transaction.commit().await?;
    Ok(events)
}
