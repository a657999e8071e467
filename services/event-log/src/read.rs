use chrono::{DateTime, Utc};
use cqrs_es::persist::{EventUpcaster, SerializedEvent};
use futures::{StreamExt as _, stream::BoxStream};
use serde::de::DeserializeOwned;
use serde_json::Value;
use sqlx::{PgConnection, Row, postgres::PgRow};
use std::{
    any::Any,
    sync::{Arc, LazyLock, OnceLock},
};

/// A place in the log. Readers go in this order and stop below the oldest running transaction; the position alone
/// would skip slow writers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cursor {
    pub transaction_id: i64,
    pub position: i64,
}

/// An event as it lies in the log; private parts sealed.
#[derive(Clone, Debug)]
pub struct LoggedEvent {
    pub cursor: Cursor,
    pub aggregate_id: String,
    pub sequence: i64,
    pub event_type: String,
    pub event_version: String,
    /// JSON as it was written: bring it to today's shape with the upcasters of its aggregate.
    pub payload: String,
    pub recorded_at: DateTime<Utc>,
    /// In today's shape, once somebody has asked for it.
    read: OnceLock<Arc<dyn Any + Send + Sync>>,
}

impl LoggedEvent {
    /// The event in today's shape; read from its JSON once, by whoever asks first.
    pub fn read<E: DeserializeOwned + Send + Sync + 'static>(
        &self,
        aggregate_type: &str,
        upcasters: &[Box<dyn EventUpcaster>],
    ) -> Result<Arc<E>, serde_json::Error> {
        if let Some(read) = self.read.get()
            && let Ok(read) = Arc::clone(read).downcast()
        {
            return Ok(read);
        }
        let event: Arc<E> = Arc::new(self.parse(aggregate_type, upcasters)?);
        let _ = self.read.set(event.clone());
        Ok(event)
    }

    /// The same read anew, for who keeps it.
    pub fn parse<E: DeserializeOwned>(
        &self,
        aggregate_type: &str,
        upcasters: &[Box<dyn EventUpcaster>],
    ) -> Result<E, serde_json::Error> {
        if !self.is_older(upcasters) {
            return serde_json::from_str(&self.payload);
        }
        let event = SerializedEvent::new(
            self.aggregate_id.clone(),
            usize::try_from(self.sequence).unwrap_or_default(),
            aggregate_type.to_owned(),
            self.event_type.clone(),
            self.event_version.clone(),
            serde_json::from_str(&self.payload)?,
            Value::Null,
        );
        serde_json::from_value(upcast(event, upcasters).payload)
    }

    /// Whether today's shape is another than the one it was written in.
    pub fn is_older(&self, upcasters: &[Box<dyn EventUpcaster>]) -> bool {
        upcasters
            .iter()
            .any(|upcaster| upcaster.can_upcast(&self.event_type, &self.event_version))
    }
}

/// Brings an event to today's shape, one version after the other.
pub(crate) fn upcast(event: SerializedEvent, upcasters: &[Box<dyn EventUpcaster>]) -> SerializedEvent {
    upcasters.iter().fold(event, |event, upcaster| {
        if upcaster.can_upcast(&event.event_type, &event.event_version) {
            upcaster.upcast(event)
        } else {
            event
        }
    })
}

/// How far a reader may look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Horizon {
    /// Only what no running transaction can still precede: for everything that keeps a cursor.
    Settled,
    /// Everything committed: only for who has locked the writers out.
    Committed,
}

const COLUMNS: &str = "transaction_id::text::bigint AS transaction, position, aggregate_id, sequence, event_type, event_version,
                payload::text AS payload, recorded_at";

/// Up to `limit` events of one aggregate type after `after`, in reading order.
pub async fn read_page(
    connection: &mut PgConnection,
    aggregate_type: &str,
    after: Cursor,
    limit: i64,
    horizon: Horizon,
) -> Result<Vec<LoggedEvent>, sqlx::Error> {
    let below = match horizon {
        Horizon::Settled => "AND transaction_id < pg_snapshot_xmin(pg_current_snapshot())",
        Horizon::Committed => "",
    };
    // The output column has a name of its own: ORDER BY would take it for the indexed one and sort the whole log.
    // The limit is a literal: a plan for any limit would reckon with a tenth of the log, and might sort it.
    let sql = format!(
        "SELECT {COLUMNS}
         FROM events
         WHERE (transaction_id, position) > ($1::text::xid8, $2) {below}
           AND aggregate_type = $3
         ORDER BY transaction_id, position
         LIMIT {limit}"
    );
    let rows = sqlx::query(&sql)
        .bind(after.transaction_id.to_string())
        .bind(after.position)
        .bind(aggregate_type)
        .fetch_all(connection)
        .await?;
    rows.iter().map(read_row).collect()
}

/// The events of aggregates, each up to and with a sequence of its own, history after history.
pub async fn read_until(
    connection: &mut PgConnection,
    aggregate_type: &str,
    wanted: &[(String, i64)],
) -> Result<Vec<LoggedEvent>, sqlx::Error> {
    static SQL: LazyLock<String> = LazyLock::new(|| {
        format!(
            "SELECT {COLUMNS}
             FROM unnest($2::text[], $3::bigint[]) AS wanted (id, until),
                  LATERAL (SELECT * FROM events
                           WHERE aggregate_type = $1 AND aggregate_id = id AND sequence <= until) AS history"
        )
    });
    let (ids, sequences): (Vec<&str>, Vec<i64>) = wanted
        .iter()
        .map(|(id, sequence)| (id.as_str(), *sequence))
        .unzip();
    let rows = sqlx::query(&SQL)
        .bind(aggregate_type)
        .bind(ids)
        .bind(sequences)
        .fetch_all(connection)
        .await?;
    let mut events: Vec<LoggedEvent> = rows.iter().map(read_row).collect::<Result<_, _>>()?;
    events
        .sort_by(|one, other| (&one.aggregate_id, one.sequence).cmp(&(&other.aggregate_id, other.sequence)));
    Ok(events)
}

/// Every settled event of one aggregate type, history after history, each whole and in its own order. The newest cursor
/// of them is where a reader goes on afterwards.
pub fn read_histories<'c>(
    connection: &'c mut PgConnection,
    aggregate_type: &'c str,
) -> BoxStream<'c, Result<LoggedEvent, sqlx::Error>> {
    static SQL: LazyLock<String> = LazyLock::new(|| {
        format!(
            "SELECT {COLUMNS}
             FROM events
             WHERE aggregate_type = $1 AND transaction_id < pg_snapshot_xmin(pg_current_snapshot())
             ORDER BY aggregate_id, sequence"
        )
    });
    let rows = sqlx::query(&SQL).bind(aggregate_type).fetch(connection);
    rows.map(|row| read_row(&row?)).boxed()
}

fn read_row(row: &PgRow) -> Result<LoggedEvent, sqlx::Error> {
    Ok(LoggedEvent {
        cursor: Cursor {
            transaction_id: row.try_get(0)?,
            position: row.try_get(1)?,
        },
        aggregate_id: row.try_get(2)?,
        sequence: row.try_get(3)?,
        event_type: row.try_get(4)?,
        event_version: row.try_get(5)?,
        payload: row.try_get(6)?,
        recorded_at: row.try_get(7)?,
        read: OnceLock::new(),
    })
}

/// Events counted at most when asking how far a reader is behind.
const BACKLOG_MAX: i64 = 10_000;

/// How many events of one aggregate type lie after `after` (at most 10,000 are counted), and when the first of them was
/// recorded.
pub async fn backlog(
    connection: &mut PgConnection,
    aggregate_type: &str,
    after: Cursor,
) -> Result<(i64, Option<DateTime<Utc>>), sqlx::Error> {
    sqlx::query_as(
        "SELECT count(*), min(recorded_at)
         FROM (SELECT recorded_at FROM events
               WHERE (transaction_id, position) > ($1::text::xid8, $2) AND aggregate_type = $4
               ORDER BY transaction_id, position LIMIT $3) AS ahead",
    )
    .bind(after.transaction_id.to_string())
    .bind(after.position)
    .bind(BACKLOG_MAX)
    .bind(aggregate_type)
    .fetch_one(connection)
    .await
}

/// All events of the log.
pub async fn count(connection: &mut PgConnection) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar("SELECT count(*) FROM events")
        .fetch_one(connection)
        .await
}
