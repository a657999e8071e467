use crate::{
    checkpoint::{Hold, checkpoint, ensure, move_checkpoint},
    parking::{self, Parked},
    runner::{PAGE_EVENTS, Projection, ProjectionError},
};
use async_trait::async_trait;
use onetrip_event_log::{Cursor, Horizon, LoggedEvent, begin, read_page};
use sqlx::{Connection, Executor, PgConnection, PgPool};
use std::{collections::HashSet, time::Duration};

/// How far a rebuild has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    pub events: u64,
}

/// Fewer events than this are left for the transaction that swaps.
const REST_MAX: usize = 100;
/// How long the swap may keep readers waiting at a time. If it does not get the tables within that, it lets them go on
/// and tries again.
const READERS_WAIT: Duration = Duration::from_millis(30);
const SWAP_AGAIN_AFTER: Duration = Duration::from_millis(100);

/// Folds the whole log anew into tables beside the live ones, which go on being read and written, and then puts them in
/// their place. Returns the number of events folded. Parked events are tried again.
pub async fn rebuild(
    pool: &PgPool,
    projection: &dyn Projection,
    report: &mut (dyn FnMut(Progress) + Send),
) -> Result<u64, ProjectionError> {
    // A connection of its own, closed at the end: its settings are nobody else's.
    let mut connection = pool.acquire().await?.detach();
    let mut beside = Beside::begin(&mut connection, projection).await?;
    while beside.page(&mut connection, report).await? > REST_MAX {}
    beside.index(&mut connection).await?;
    while beside.page(&mut connection, report).await? > REST_MAX {}
    let events = beside.swap(&mut connection, report).await?;
    connection.close().await?;
    Ok(events)
}

/// A read model in the making. Its tables have the names of the live ones in a schema of their own, which stands first in
/// the connection's search path: the projection writes them without knowing.
struct Beside<'a> {
    projection: &'a dyn Projection,
    live: String,
    schema: String,
    at: Cursor,
    events: u64,
    parked: HashSet<String>,
    left_out: Vec<Parked>,
}

impl<'a> Beside<'a> {
    async fn begin(
        connection: &mut PgConnection,
        projection: &'a dyn Projection,
    ) -> Result<Beside<'a>, ProjectionError> {
        let name = projection.name();
        let live: String = sqlx::query_scalar("SELECT current_schema()::text")
            .fetch_one(&mut *connection)
            .await?;
        let schema = format!("rebuild_{name}");
        // One rebuild of a read model at a time, until the connection is closed.
        sqlx::query("SELECT pg_advisory_lock(hashtextextended($1, 0))")
            .bind(&schema)
            .execute(&mut *connection)
            .await?;
        ensure(connection, projection).await?;
        // A rebuild writes for as long as it takes, and what it has written is worth nothing until the swap.
        let mut prepare = format!(
            "SET statement_timeout = 0; SET lock_timeout = 0; SET synchronous_commit = off;
             DROP SCHEMA IF EXISTS {schema} CASCADE; CREATE SCHEMA {schema};
             SET search_path = {schema}, {live};"
        );
        for table in projection.tables() {
            prepare.push_str(&format!(
                "CREATE TABLE {schema}.{table} (LIKE {live}.{table} INCLUDING ALL EXCLUDING INDEXES);"
            ));
        }
        connection.execute(prepare.as_str()).await?;
        // Keys first: rows are updated by them.
        let keys = "SELECT format('ALTER TABLE %I.%I ADD CONSTRAINT %I %s', $3::text, relname, conname,
                                  pg_get_constraintdef(c.oid))
                    FROM pg_constraint c JOIN pg_class t ON t.oid = conrelid
                    WHERE contype IN ('p', 'u') AND connamespace = $1::text::regnamespace AND relname = ANY($2)";
        run_each(connection, keys, &live, projection.tables(), &schema).await?;
        Ok(Beside {
            projection,
            live,
            schema,
            at: Cursor::default(),
            events: 0,
            parked: HashSet::new(),
            left_out: Vec::new(),
        })
    }

    /// Folds the next page; how many events it had.
    async fn page(
        &mut self,
        connection: &mut PgConnection,
        report: &mut (dyn FnMut(Progress) + Send),
    ) -> Result<usize, ProjectionError> {
        let kind = self.projection.aggregate_type();
        let page = read_page(connection, kind, self.at, PAGE_EVENTS, Horizon::Settled).await?;
        let Some(last) = page.last() else { return Ok(0) };
        let mut transaction = connection.begin().await?;
        let left_out = parking::fold(&mut transaction, self.projection, &page, &mut self.parked).await?;
        transaction.commit().await?;
        if self.events == 0 {
            // Plans made while the tables were empty would read them from end to end for ever.
            self.analyze(connection).await?;
        }
        self.left_out.extend(left_out);
        self.at = last.cursor;
        self.events += page.len() as u64;
        report(Progress { events: self.events });
        Ok(page.len())
    }

    async fn analyze(&self, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        for table in self.projection.tables() {
            sqlx::query(&format!("ANALYZE {}.{table}", self.schema))
                .execute(&mut *connection)
                .await?;
        }
        Ok(())
    }

    /// Makes the other indexes, under the names they have on the live tables.
    async fn index(&self, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        let indexes =
            "SELECT replace(pg_get_indexdef(i.indexrelid), ' ON ' || $1 || '.', ' ON ' || $3 || '.')
                       FROM pg_index i JOIN pg_class t ON t.oid = indrelid
                       WHERE t.relnamespace = $1::text::regnamespace AND t.relname = ANY($2)
                         AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = i.indexrelid)";
        run_each(
            connection,
            indexes,
            &self.live,
            self.projection.tables(),
            &self.schema,
        )
        .await?;
        self.analyze(connection).await
    }

    /// Folds what has come meanwhile, with the runner held off, and puts the tables in the place of the live ones.
    async fn swap(
        mut self,
        connection: &mut PgConnection,
        report: &mut (dyn FnMut(Progress) + Send),
    ) -> Result<u64, ProjectionError> {
        let name = self.projection.name();
        loop {
            let mut transaction = connection.begin().await?;
            checkpoint(&mut transaction, name, Hold::Wait).await?;
            while self.page(&mut transaction, report).await? > 0 {}
            let mut places = transaction.begin().await?;
            let taken = match self.take_places(&mut places).await {
                Ok(()) => {
                    places.commit().await?;
                    true
                }
                Err(error) if is_lock_timeout(&error) => {
                    places.rollback().await?;
                    false
                }
                Err(error) => return Err(error.into()),
            };
            if taken {
                parking::forget(&mut transaction, name).await?;
                parking::park(&mut transaction, name, &self.left_out).await?;
                move_checkpoint(&mut transaction, self.projection, self.at).await?;
            }
            transaction.commit().await?;
            if taken {
                return Ok(self.events);
            }
            tokio::time::sleep(SWAP_AGAIN_AFTER).await;
        }
    }

    async fn take_places(&self, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        let (live, schema) = (&self.live, &self.schema);
        let tables = self.projection.tables();
        let old: Vec<String> = tables.iter().map(|table| format!("{live}.{table}")).collect();
        let mut swap = format!(
            "SET LOCAL lock_timeout = {}; LOCK TABLE {} IN ACCESS EXCLUSIVE MODE; DROP TABLE {};",
            READERS_WAIT.as_millis(),
            old.join(", "),
            old.join(", "),
        );
        for table in tables {
            swap.push_str(&format!("ALTER TABLE {schema}.{table} SET SCHEMA {live};"));
        }
        swap.push_str(&format!("DROP SCHEMA {schema};"));
        connection.execute(swap.as_str()).await.map(drop)
    }
}

fn is_lock_timeout(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|error| error.code());
    code.as_deref() == Some("55P03")
}

/// Runs every statement that `query` makes for these tables; $1 is the live schema, $2 the tables, $3 the new schema.
async fn run_each(
    connection: &mut PgConnection,
    query: &str,
    live: &str,
    tables: &[&str],
    schema: &str,
) -> Result<(), sqlx::Error> {
    let statements: Vec<String> = sqlx::query_scalar(query)
        .bind(live)
        .bind(tables)
        .bind(schema)
        .fetch_all(&mut *connection)
        .await?;
    for statement in statements {
        connection.execute(statement.as_str()).await?;
    }
    Ok(())
}

/// Something written by appends that can be emptied and folded anew from the log while they wait.
#[async_trait]
pub trait LockedRebuild: Send + Sync {
    fn aggregate_type(&self) -> &'static str;
    fn tables(&self) -> &'static [&'static str];

    /// Keeps everybody else from writing the tables until the end of the transaction, so that everything committed may
    /// be read.
    async fn lock(&self, connection: &mut PgConnection) -> Result<(), sqlx::Error>;
    async fn fold(&self, connection: &mut PgConnection, page: &[LoggedEvent]) -> Result<(), ProjectionError>;
    async fn finish(&self, connection: &mut PgConnection) -> Result<(), sqlx::Error>;
}

/// Empties the tables and folds the whole log into them again, in one transaction: readers see the old rows until it
/// is done, and appends wait. Returns the number of events folded.
pub async fn rebuild_locked(
    pool: &PgPool,
    what: &dyn LockedRebuild,
    report: &mut (dyn FnMut(Progress) + Send),
) -> Result<u64, ProjectionError> {
    let mut transaction = begin(pool).await?;
    // A rebuild writes for as long as it takes; the service's own limits are for requests.
    sqlx::query("SET LOCAL statement_timeout = 0")
        .execute(&mut *transaction)
        .await?;
    what.lock(&mut transaction).await?;
    for table in what.tables() {
        // DELETE, not TRUNCATE, which would block readers until the end.
        sqlx::query(&format!("DELETE FROM {table}"))
            .execute(&mut *transaction)
            .await?;
    }
    let mut at = Cursor::default();
    let mut events = 0;
    loop {
        let page = read_page(
            &mut transaction,
            what.aggregate_type(),
            at,
            PAGE_EVENTS,
            Horizon::Committed,
        )
        .await?;
        let Some(last) = page.last() else { break };
        at = last.cursor;
        what.fold(&mut transaction, &page).await?;
        events += page.len() as u64;
        report(Progress { events });
    }
    what.finish(&mut transaction).await?;
    transaction.commit().await?;
    Ok(events)
}
