use chrono::{DateTime, Utc};
use cqrs_es::persist::{EventUpcaster, SerializedEvent};
use serde::de::DeserializeOwned;
use serde_json::Value;
use sqlx::{PgConnection, Row};

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
    /// As it was written: bring it to today's shape with the upcasters of its aggregate.
    pub payload: Value,
    pub recorded_at: DateTime<Utc>,
}

impl LoggedEvent {
    /// The event in today's shape.
    pub fn read<E: DeserializeOwned>(
        &self,
        aggregate_type: &str,
        upcasters: &[Box<dyn EventUpcaster>],
    ) -> Result<E, serde_json::Error> {
        let applies =
            |upcaster: &dyn EventUpcaster| upcaster.can_upcast(&self.event_type, &self.event_version);
        if !upcasters.iter().any(|upcaster| applies(&**upcaster)) {
            return E::deserialize(&self.payload);
        }
        let event = SerializedEvent::new(
            self.aggregate_id.clone(),
            usize::try_from(self.sequence).unwrap_or_default(),
            aggregate_type.to_owned(),
            self.event_type.clone(),
            self.event_version.clone(),
            self.payload.clone(),
            Value::Null,
        );
        serde_json::from_value(upcast(event, upcasters).payload)
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

/// Up to `limit` events of one aggregate type after `after`, in reading order.
pub async fn read_page(
    connection: &mut PgConnection,
    aggregate_type: &str,
    after: Cursor,
    limit: i64,
    horizon: Horizon,
) -> Result<Vec<LoggedEvent>, sqlx::Error> {
    // The output column has a name of its own: ORDER BY would take it for the indexed one and sort the whole log.
    let rows = sqlx::query(
        "SELECT transaction_id::text::bigint AS transaction, position, aggregate_id, sequence, event_type, event_version,
                payload, recorded_at
         FROM events
         WHERE (transaction_id, position) > ($1::text::xid8, $2)
           AND ($5 OR transaction_id < pg_snapshot_xmin(pg_current_snapshot()))
           AND aggregate_type = $3
         ORDER BY transaction_id, position
         LIMIT $4",
    )
    .bind(after.transaction_id.to_string())
    .bind(after.position)
    .bind(aggregate_type)
    .bind(limit)
    .bind(horizon == Horizon::Committed)
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(LoggedEvent {
                cursor: Cursor {
                    transaction_id: row.try_get("transaction")?,
                    position: row.try_get("position")?,
                },
                aggregate_id: row.try_get("aggregate_id")?,
                sequence: row.try_get("sequence")?,
                event_type: row.try_get("event_type")?,
                event_version: row.try_get("event_version")?,
                payload: row.try_get("payload")?,
                recorded_at: row.try_get("recorded_at")?,
            })
        })
        .collect()
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
