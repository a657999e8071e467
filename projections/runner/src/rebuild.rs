use crate::{
    checkpoint::{ensure, hold_all, move_checkpoint},
    parking::{self, Parked, caught},
    runner::{PAGE_EVENTS, Projection, ProjectionError},
};
use async_trait::async_trait;
use futures::TryStreamExt as _;
use onetrip_event_log::{Cursor, Horizon, LoggedEvent, Pool, read_histories, read_page};
use sqlx::{Connection, Executor, PgConnection};
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

/// Whole histories are written in parts of about so many events.
const PART_EVENTS: usize = 2_000;

/// Folds the whole log anew into tables beside the live ones, which go on being read and written, and then puts them in
/// their place. Returns the number of events folded. Parked events are tried again.
///
/// Where rows come of one aggregate each, the bulk is read history by history and copied into bare tables, each row once;
/// what has come meanwhile follows in pages.
pub async fn rebuild(
    pool: &Pool,
    projection: &dyn Projection,
    report: &mut (dyn FnMut(Progress) + Send),
) -> Result<u64, ProjectionError> {
    // Connections of its own, closed at the end.
    let mut connection = pool.connect().await?;
    let mut beside = Beside::begin(&mut connection, projection).await?;
    let mut again = Vec::new();
    if projection.fills() {
        let mut reading = pool.connect().await?;
        again = beside.fill(&mut connection, &mut reading, report).await?;
        reading.close().await?;
    }
    beside.keys(&mut connection).await?;
    beside.fold_again(&mut connection, again).await?;
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
        // One rebuild of a read model at a time, until the connection is closed: another one takes as long as it takes.
        connection
            .execute("SET statement_timeout = 0; SET lock_timeout = 0")
            .await?;
        sqlx::query("SELECT pg_advisory_lock(hashtextextended($1, 0))")
            .bind(&schema)
            .execute(&mut *connection)
            .await?;
        ensure(connection, projection, None).await?;
        // A rebuild writes for as long as it takes, and what it has written is worth nothing until the swap. Its plans go
        // by index, as those of `plan_steadily`.
        let prepare = format!(
            "SET synchronous_commit = off; SET jit = off;
             SET enable_seqscan = off; SET enable_sort = off; SET enable_hashjoin = off; SET enable_mergejoin = off;
             DROP SCHEMA IF EXISTS {schema} CASCADE; CREATE SCHEMA {schema};
             SET search_path = {schema}, {live};"
        );
        connection.execute(prepare.as_str()).await?;
        // LIKE leaves a table's own settings out.
        let tables = "SELECT format('CREATE TABLE %I.%I (LIKE %I.%I INCLUDING ALL EXCLUDING INDEXES) %s', $3::text, relname,
                                    $1::text, relname, 'WITH (' || array_to_string(reloptions, ', ') || ')')
                      FROM pg_class WHERE relnamespace = $1::text::regnamespace AND relname = ANY($2)";
        run_each(connection, tables, &live, projection.tables(), &schema).await?;
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

    /// Copies everything settled, history by history, into the bare tables. Returns the events of aggregates that could
    /// not be written: they are tried again one by one, once there are keys.
    async fn fill(
        &mut self,
        connection: &mut PgConnection,
        reading: &mut PgConnection,
        report: &mut (dyn FnMut(Progress) + Send),
    ) -> Result<Vec<LoggedEvent>, ProjectionError> {
        // Sorts what it may sort in memory.
        reading
            .execute("SET statement_timeout = 0; SET jit = off; SET work_mem = '64MB'")
            .await?;
        let mut histories = read_histories(reading, self.projection.aggregate_type());
        let (mut part, mut again): (Vec<LoggedEvent>, Vec<LoggedEvent>) = (Vec::new(), Vec::new());
        loop {
            let next = histories.try_next().await?;
            let begins = match (&next, part.last()) {
                (Some(event), Some(last)) => event.aggregate_id != last.aggregate_id,
                (Some(_), None) => false,
                (None, _) => true,
            };
            if begins && (part.len() >= PART_EVENTS || next.is_none()) && !part.is_empty() {
                self.events += part.len() as u64;
                self.at = part.iter().map(|event| event.cursor).fold(self.at, Cursor::max);
                again.extend(self.fill_part(connection, std::mem::take(&mut part)).await?);
                report(Progress { events: self.events });
            }
            match next {
                Some(event) => part.push(event),
                None => return Ok(again),
            }
        }
    }

    /// Copies whole histories; those that could not be written are given back.
    async fn fill_part(
        &self,
        connection: &mut PgConnection,
        part: Vec<LoggedEvent>,
    ) -> Result<Vec<LoggedEvent>, ProjectionError> {
        match self.try_fill(connection, &part).await {
            Ok(()) => return Ok(Vec::new()),
            Err(error) if error.is_poison() => {}
            Err(error) => return Err(error),
        }
        let mut again = Vec::new();
        for history in part.chunk_by(|one, other| one.aggregate_id == other.aggregate_id) {
            match self.try_fill(connection, history).await {
                Ok(()) => {}
                Err(error) if error.is_poison() => again.extend_from_slice(history),
                Err(error) => return Err(error),
            }
        }
        Ok(again)
    }

    async fn try_fill(
        &self,
        connection: &mut PgConnection,
        histories: &[LoggedEvent],
    ) -> Result<(), ProjectionError> {
        let mut transaction = connection.begin().await?;
        caught(self.projection.fill(&mut transaction, histories)).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Folds these events, one after the other, and leaves out what cannot be.
    async fn fold_again(
        &mut self,
        connection: &mut PgConnection,
        events: Vec<LoggedEvent>,
    ) -> Result<(), ProjectionError> {
        let mut transaction = connection.begin().await?;
        let left_out = parking::fold(&mut transaction, self.projection, events, &mut self.parked).await?;
        transaction.commit().await?;
        self.left_out.extend(left_out);
        Ok(())
    }

    /// Keys, by which rows are found and updated.
    async fn keys(&self, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        let keys = "SELECT format('ALTER TABLE %I.%I ADD CONSTRAINT %I %s', $3::text, relname, conname,
                                  pg_get_constraintdef(c.oid))
                    FROM pg_constraint c JOIN pg_class t ON t.oid = conrelid
                    WHERE contype IN ('p', 'u') AND connamespace = $1::text::regnamespace AND relname = ANY($2)";
        run_each(
            connection,
            keys,
            &self.live,
            self.projection.tables(),
            &self.schema,
        )
        .await?;
        self.analyze(connection).await
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
        let (read, first, end) = (page.len(), self.events == 0, last.cursor);
        let left_out = parking::fold(&mut transaction, self.projection, page, &mut self.parked).await?;
        transaction.commit().await?;
        if first {
            // Plans made while the tables were empty would read them from end to end for ever.
            self.analyze(connection).await?;
        }
        self.left_out.extend(left_out);
        self.at = end;
        self.events += read as u64;
        report(Progress { events: self.events });
        Ok(read)
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
        // A transaction that drops a table waits for all of the log before it to be on the disk: readers are not to wait for
        // that at the swap.
        connection.execute("SET synchronous_commit = on").await?;
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
            hold_all(&mut transaction, name).await?;
            while self.page(&mut transaction, report).await? > 0 {}
            let mut places = transaction.begin().await?;
            // All else first: once the places are taken, readers wait, and there is only the commit to come.
            parking::forget(&mut places, name).await?;
            parking::park(&mut places, name, &self.left_out).await?;
            move_checkpoint(&mut places, self.projection, None, self.at).await?;
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
    pool: &Pool,
    what: &dyn LockedRebuild,
    report: &mut (dyn FnMut(Progress) + Send),
) -> Result<u64, ProjectionError> {
    let mut transaction = pool.begin().await?;
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
