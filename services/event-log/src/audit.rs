//! Reading the log to seal it and to check it: every event as it is stored, whatever has been done to the row.
//!
//! Nothing in here may fail on a value, because the values are what is checked: transaction ids and instants are read
//! as bytes, which exist for every one that PostgreSQL can hold.

use crate::{
    chain::{Hash, Link, NO_PREDECESSOR},
    read::Cursor,
};
use futures::TryStreamExt as _;
use sqlx::{PgConnection, Row, postgres::PgRow};
use std::ops::ControlFlow;

/// Whether the writer stored a hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// By a stock writer, without one.
    Plain,
    Chained,
}

/// What the sealed tree covers of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    pub cursor: Cursor,
    /// Microseconds since 1970, UTC.
    pub recorded_at: i64,
    pub kind: Kind,
    /// As stored; worked out where none is stored.
    pub event_hash: Hash,
}

/// What is known of the event before, in the same aggregate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Predecessor {
    /// There has to be none.
    First,
    Missing,
    /// It carries no hash.
    Plain,
    Hash(Hash),
}

/// What is wrong with an event by itself and the one before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChainFault {
    #[error("its hash is not one of 32 bytes")]
    HashLength,
    #[error("the event before it in its aggregate is missing")]
    PredecessorMissing,
    #[error("its hash does not fit what is stored in it, or the hash of the event before it")]
    HashDiffers,
}

/// A row of the log.
#[derive(Clone, Debug)]
pub struct AuditEvent {
    pub cursor: Cursor,
    /// Microseconds since 1970, UTC.
    pub recorded_at: i64,
    pub aggregate_type: String,
    pub aggregate_id: String,
    pub sequence: i64,
    pub event_type: String,
    pub event_version: String,
    /// Byte for byte as stored.
    pub payload: String,
    /// Byte for byte as stored.
    pub metadata: String,
    pub hash: Option<Vec<u8>>,
    pub predecessor: Predecessor,
}

impl AuditEvent {
    pub fn kind(&self) -> Kind {
        match self.stored_hash() {
            Some(_) => Kind::Chained,
            None => Kind::Plain,
        }
    }

    fn stored_hash(&self) -> Option<Hash> {
        self.hash.as_deref().and_then(|hash| hash.try_into().ok())
    }

    /// What goes into the hash of this event for the one before it.
    pub fn predecessor_hash(&self) -> Hash {
        match (self.kind(), self.predecessor) {
            (Kind::Chained, Predecessor::Hash(hash)) => hash,
            _ => NO_PREDECESSOR,
        }
    }

    /// The hash that fits what is stored.
    pub fn fitting_hash(&self) -> Hash {
        let link = Link {
            aggregate_type: &self.aggregate_type,
            aggregate_id: &self.aggregate_id,
            sequence: self.sequence,
            event_type: &self.event_type,
            event_version: &self.event_version,
            payload: &self.payload,
            metadata: &self.metadata,
        };
        link.hash(&self.predecessor_hash())
    }

    pub fn stamp(&self) -> Stamp {
        Stamp {
            cursor: self.cursor,
            recorded_at: self.recorded_at,
            kind: self.kind(),
            event_hash: self.stored_hash().unwrap_or_else(|| self.fitting_hash()),
        }
    }

    /// Whether the event fits its own hash and follows the one before it.
    pub fn check(&self) -> Result<(), ChainFault> {
        if self.hash.is_some() && self.stored_hash().is_none() {
            return Err(ChainFault::HashLength);
        }
        if self.predecessor == Predecessor::Missing {
            return Err(ChainFault::PredecessorMissing);
        }
        match self.stored_hash() {
            Some(hash) if hash != self.fitting_hash() => Err(ChainFault::HashDiffers),
            _ => Ok(()),
        }
    }
}

impl Cursor {
    /// Before every event that can be stored.
    pub const BEGINNING: Cursor = Cursor {
        transaction_id: 0,
        position: i64::MIN,
    };

    /// The next place that an event could have.
    pub fn next(self) -> Cursor {
        match self.position.checked_add(1) {
            Some(position) => Cursor { position, ..self },
            None => Cursor {
                transaction_id: self.transaction_id.wrapping_add(1),
                position: i64::MIN,
            },
        }
    }

    /// Transaction ids are unsigned; one beyond half their range is nobody's, but may have been written all the same.
    fn transaction_text(self) -> String {
        self.transaction_id.cast_unsigned().to_string()
    }
}

macro_rules! select_events {
    ($rest:literal) => {
        concat!(
            "SELECT xid8send(transaction_id) AS transaction, position, timestamptz_send(recorded_at) AS recorded,
                    aggregate_type, aggregate_id, sequence, event_type, event_version, payload::text AS payload,
                    metadata::text AS metadata, hash,
                    (SELECT coalesce(before.hash, '') FROM events AS before
                     WHERE before.aggregate_type = event.aggregate_type AND before.aggregate_id = event.aggregate_id
                       AND before.sequence = event.sequence - 1) AS predecessor
             FROM events AS event ",
            $rest
        )
    };
}

/// Hands the events from `from` on, `before` another place where one is named, at most `limit` of them, to `each` in
/// reading order until it breaks. It looks beyond the horizon.
pub async fn audit(
    connection: &mut PgConnection,
    from: Cursor,
    before: Option<Cursor>,
    limit: Option<i64>,
    mut each: impl FnMut(AuditEvent) -> ControlFlow<()>,
) -> Result<(), sqlx::Error> {
    let end = before.unwrap_or(Cursor::BEGINNING);
    let mut rows = sqlx::query(select_events!(
        "WHERE (transaction_id, position) >= ($1::text::xid8, $2)
           AND ($5 OR (transaction_id, position) < ($3::text::xid8, $4))
         ORDER BY transaction_id, position LIMIT $6"
    ))
    .bind(from.transaction_text())
    .bind(from.position)
    .bind(end.transaction_text())
    .bind(end.position)
    .bind(before.is_none())
    .bind(limit)
    .fetch(connection);
    while let Some(row) = rows.try_next().await? {
        if each(event_of(&row)?).is_break() {
            break;
        }
    }
    Ok(())
}

/// One event of an aggregate.
pub async fn audit_one(
    connection: &mut PgConnection,
    aggregate_type: &str,
    aggregate_id: &str,
    sequence: i64,
) -> Result<Option<AuditEvent>, sqlx::Error> {
    let row = sqlx::query(select_events!(
        "WHERE aggregate_type = $1 AND aggregate_id = $2 AND sequence = $3"
    ))
    .bind(aggregate_type)
    .bind(aggregate_id)
    .bind(sequence)
    .fetch_optional(connection)
    .await?;
    row.as_ref().map(event_of).transpose()
}

/// Up to `limit` events after `after` that no running transaction can still precede, for the tree.
pub async fn stamps_after(
    connection: &mut PgConnection,
    after: Cursor,
    limit: i64,
) -> Result<Vec<Stamp>, sqlx::Error> {
    // What a stored hash already covers is not read.
    let rows = sqlx::query(
        "SELECT xid8send(transaction_id) AS transaction, position, timestamptz_send(recorded_at) AS recorded,
                aggregate_type, aggregate_id, sequence, event_type, event_version, hash,
                CASE WHEN octet_length(hash) = 32 THEN '' ELSE payload::text END AS payload,
                CASE WHEN octet_length(hash) = 32 THEN '' ELSE metadata::text END AS metadata,
                ''::bytea AS predecessor
         FROM events
         WHERE (transaction_id, position) > ($1::text::xid8, $2)
           AND transaction_id < pg_snapshot_xmin(pg_current_snapshot())
         ORDER BY transaction_id, position
         LIMIT $3",
    )
    .bind(after.transaction_text())
    .bind(after.position)
    .bind(limit)
    .fetch_all(connection)
    .await?;
    rows.iter().map(|row| Ok(event_of(row)?.stamp())).collect()
}

/// How many events lie from `from` through `through`; at most `most` are counted.
pub async fn count_between(
    connection: &mut PgConnection,
    from: Cursor,
    through: Cursor,
    most: i64,
) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar(
        "SELECT count(*) FROM (SELECT FROM events
                               WHERE (transaction_id, position) >= ($1::text::xid8, $2)
                                 AND (transaction_id, position) <= ($3::text::xid8, $4)
                               LIMIT $5) AS counted",
    )
    .bind(from.transaction_text())
    .bind(from.position)
    .bind(through.transaction_text())
    .bind(through.position)
    .bind(most)
    .fetch_one(connection)
    .await
}

/// How many events lie after `after`, sealable or not; at most `most` are counted.
pub async fn count_after(
    connection: &mut PgConnection,
    after: Cursor,
    most: i64,
) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar(
        "SELECT count(*) FROM (SELECT FROM events WHERE (transaction_id, position) > ($1::text::xid8, $2)
                               LIMIT $3) AS counted",
    )
    .bind(after.transaction_text())
    .bind(after.position)
    .bind(most)
    .fetch_one(connection)
    .await
}

/// From 1970 to 2000, where PostgreSQL counts from.
const EPOCH_MICROSECONDS: i64 = 946_684_800_000_000;

fn event_of(row: &PgRow) -> Result<AuditEvent, sqlx::Error> {
    let number = |column: &str| -> Result<i64, sqlx::Error> {
        let bytes: &[u8] = row.try_get(column)?;
        <[u8; 8]>::try_from(bytes)
            .map(i64::from_be_bytes)
            .map_err(|error| sqlx::Error::Decode(error.into()))
    };
    let sequence = row.try_get("sequence")?;
    let predecessor: Option<&[u8]> = row.try_get("predecessor")?;
    let predecessor = match predecessor {
        _ if sequence <= 1 => Predecessor::First,
        None => Predecessor::Missing,
        Some(hash) => hash.try_into().map_or(Predecessor::Plain, Predecessor::Hash),
    };
    Ok(AuditEvent {
        cursor: Cursor {
            transaction_id: number("transaction")?,
            position: row.try_get("position")?,
        },
        recorded_at: number("recorded")?.wrapping_add(EPOCH_MICROSECONDS),
        aggregate_type: row.try_get("aggregate_type")?,
        aggregate_id: row.try_get("aggregate_id")?,
        sequence,
        event_type: row.try_get("event_type")?,
        event_version: row.try_get("event_version")?,
        payload: row.try_get("payload")?,
        metadata: row.try_get("metadata")?,
        hash: row.try_get("hash")?,
        predecessor,
    })
}
