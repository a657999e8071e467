//! How far each runner of a projection has read, moved in the transaction of its rows.

use crate::runner::Projection;
use onetrip_event_log::{Cursor, LoggedEvent};
use sqlx::{Connection, PgConnection};
use std::borrow::Cow;

/// One of the runners that share a projection, each with a part of the aggregates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shard {
    pub number: i32,
    pub of: i32,
}

impl Shard {
    pub fn each(of: i32) -> impl Iterator<Item = Shard> {
        (0..of).map(move |number| Shard { number, of })
    }

    /// What of a page is this runner's.
    pub fn part_of(self, page: &[LoggedEvent]) -> Cow<'_, [LoggedEvent]> {
        if self.of == 1 {
            return Cow::Borrowed(page);
        }
        Cow::Owned(page.iter().filter(|event| self.holds(event)).cloned().collect())
    }

    /// Whether the aggregate is this runner's. By a hash that is the same in every process and version: FNV-1a.
    fn holds(self, event: &LoggedEvent) -> bool {
        const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
        const PRIME: u64 = 0x0100_0000_01b3;
        let hash = event
            .aggregate_id
            .bytes()
            .fold(OFFSET, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(PRIME));
        // The low bits of FNV alone are poor.
        let mixed = hash ^ (hash >> 32);
        mixed % u64::from(self.of.unsigned_abs()) == u64::from(self.number.unsigned_abs())
    }
}

/// A checkpoint, held until the end of the transaction.
pub(crate) struct Held {
    pub at: Cursor,
    /// Whether the projection has left events out.
    pub has_parked: bool,
}

/// Holds a runner's checkpoint until the end of the transaction. None if another instance has it, or if there are more or
/// fewer runners now than this one knows of.
pub(crate) async fn hold(
    connection: &mut PgConnection,
    projection: &str,
    shard: Shard,
) -> Result<Option<Held>, sqlx::Error> {
    let row: Option<(i64, i64, bool)> = sqlx::query_as(
        "SELECT transaction_id::text::bigint, position,
                EXISTS (SELECT FROM parked_events WHERE parked_events.projection = $1)
         FROM checkpoints
         WHERE projection = $1 AND shard = $2
           AND (SELECT count(*) FROM checkpoints WHERE projection = $1) = $3
         FOR UPDATE OF checkpoints SKIP LOCKED",
    )
    .bind(projection)
    .bind(shard.number)
    .bind(i64::from(shard.of))
    .fetch_optional(connection)
    .await?;
    Ok(row.map(|(transaction_id, position, has_parked)| Held {
        at: Cursor {
            transaction_id,
            position,
        },
        has_parked,
    }))
}

/// Holds all checkpoints of a projection, after whoever has them now.
pub(crate) async fn hold_all(connection: &mut PgConnection, projection: &str) -> Result<(), sqlx::Error> {
    sqlx::query("SELECT FROM checkpoints WHERE projection = $1 ORDER BY shard FOR UPDATE")
        .bind(projection)
        .execute(connection)
        .await?;
    Ok(())
}

/// The checkpoint of one runner, or (without a shard) of the one that is furthest behind. None if there is none.
pub(crate) async fn look(
    connection: &mut PgConnection,
    projection: &str,
    shard: Option<Shard>,
) -> Result<Option<Cursor>, sqlx::Error> {
    let row: Option<(i64, i64)> = sqlx::query_as(
        "SELECT transaction_id::text::bigint, position FROM checkpoints
         WHERE projection = $1 AND shard = coalesce($2, shard) ORDER BY transaction_id, position LIMIT 1",
    )
    .bind(projection)
    .bind(shard.map(|shard| shard.number))
    .fetch_optional(connection)
    .await?;
    Ok(row.map(|(transaction_id, position)| Cursor {
        transaction_id,
        position,
    }))
}

/// What all of these projections have passed; None where one has no checkpoint yet, and so has passed nothing.
pub(crate) async fn furthest_behind(
    connection: &mut PgConnection,
    projections: &[&str],
) -> Result<Option<Cursor>, sqlx::Error> {
    let row: (Option<i64>, Option<i64>) = sqlx::query_as(
        "SELECT transaction_id::text::bigint, position
         FROM unnest($1::text[]) AS wanted (name) LEFT JOIN checkpoints ON projection = name
         ORDER BY transaction_id NULLS FIRST, position LIMIT 1",
    )
    .bind(projections)
    .fetch_one(connection)
    .await?;
    Ok(row.0.zip(row.1).map(|(transaction_id, position)| Cursor {
        transaction_id,
        position,
    }))
}

/// For the rest of the transaction, plans by index and row by row. Plans are kept for as long as a connection lives, and
/// those made while tables were small read them from end to end later (and are then compiled at every page, being dear).
pub(crate) async fn plan_steadily(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query(
        "SELECT set_config('enable_seqscan', 'off', true), set_config('enable_sort', 'off', true),
                set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true),
                set_config('jit', 'off', true)",
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Makes a checkpoint for each of so many runners (None: as many as there are, or one); the version of the rows that they
/// stand for. Where there were more or fewer runners
/// before, all go on from the one that was furthest behind: rows know which events they have seen.
pub(crate) async fn ensure(
    connection: &mut PgConnection,
    projection: &dyn Projection,
    shards: Option<i32>,
) -> Result<i32, sqlx::Error> {
    let name = projection.name();
    let mut transaction = connection.begin().await?;
    // Several instances may start at once.
    sqlx::query("SELECT pg_advisory_xact_lock(hashtextextended('checkpoints of ' || $1, 0))")
        .bind(name)
        .execute(&mut *transaction)
        .await?;
    let before: Vec<(i32, i64, i64)> = sqlx::query_as(
        "SELECT version, transaction_id::text::bigint, position FROM checkpoints
         WHERE projection = $1 ORDER BY transaction_id, position FOR UPDATE",
    )
    .bind(name)
    .fetch_all(&mut *transaction)
    .await?;
    let last = before.first().copied();
    let (version, transaction_id, position) = last.unwrap_or((projection.version(), 0, 0));
    let there = i32::try_from(before.len()).unwrap_or(i32::MAX);
    let shards = shards.unwrap_or(there.max(1));
    if there != shards {
        sqlx::query("DELETE FROM checkpoints WHERE projection = $1")
            .bind(name)
            .execute(&mut *transaction)
            .await?;
        sqlx::query(
            "INSERT INTO checkpoints (projection, shard, version, transaction_id, position)
             SELECT $1, shard, $2, $3::text::xid8, $4 FROM generate_series(0, $5 - 1) AS shard",
        )
        .bind(name)
        .bind(version)
        .bind(transaction_id.to_string())
        .bind(position)
        .bind(shards)
        .execute(&mut *transaction)
        .await?;
    }
    transaction.commit().await?;
    Ok(version)
}

/// Moves the checkpoint of one runner, or (without a shard) those of all.
pub(crate) async fn move_checkpoint(
    connection: &mut PgConnection,
    projection: &dyn Projection,
    shard: Option<Shard>,
    to: Cursor,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE checkpoints SET version = $2, transaction_id = $3::text::xid8, position = $4, moved_at = now()
         WHERE projection = $1 AND shard = coalesce($5, shard)",
    )
    .bind(projection.name())
    .bind(projection.version())
    .bind(to.transaction_id.to_string())
    .bind(to.position)
    .bind(shard.map(|shard| shard.number))
    .execute(connection)
    .await?;
    Ok(())
}
