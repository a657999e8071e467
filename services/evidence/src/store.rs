//! The tables of the tree.

use crate::{
    error::EvidenceError,
    tiles::{Tile, TileId, pack, unpack},
};
use chrono::{DateTime, Utc};
use onetrip_event_log::Cursor;
use sqlx::{PgConnection, Row, postgres::PgRow};
use std::collections::HashMap;

/// How much is sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct State {
    pub size: u64,
    /// Where the newest sealed event lies.
    pub last: Cursor,
}

/// A head as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredHead {
    pub size: u64,
    pub note: String,
    pub made_at: DateTime<Utc>,
}

pub(crate) async fn state(connection: &mut PgConnection) -> Result<Option<State>, sqlx::Error> {
    let row = sqlx::query("SELECT size, xid8send(transaction_id) AS transaction, position FROM tree_state")
        .fetch_optional(connection)
        .await?;
    row.map(|row| {
        Ok(State {
            size: row.try_get::<i64, _>("size")?.cast_unsigned(),
            last: Cursor {
                transaction_id: transaction_of(&row, "transaction")?,
                position: row.try_get("position")?,
            },
        })
    })
    .transpose()
}

/// Moves the state on, and holds its row until the end of the transaction; false if somebody else has moved it.
pub(crate) async fn advance(
    connection: &mut PgConnection,
    from: State,
    to: State,
) -> Result<bool, sqlx::Error> {
    let moved = sqlx::query(
        "UPDATE tree_state SET size = $2, transaction_id = $3::text::xid8, position = $4 WHERE size = $1",
    )
    .bind(from.size.cast_signed())
    .bind(to.size.cast_signed())
    .bind(to.last.transaction_id.cast_unsigned().to_string())
    .bind(to.last.position)
    .execute(connection)
    .await?;
    Ok(moved.rows_affected() == 1)
}

pub(crate) async fn write_tiles(connection: &mut PgConnection, tiles: &[Tile]) -> Result<(), sqlx::Error> {
    let transaction = |tile: &Tile| {
        tile.first
            .map(|first| first.transaction_id.cast_unsigned().to_string())
    };
    sqlx::query(
        "INSERT INTO tree_tiles (level, tile, hashes, first_transaction_id, first_position)
         SELECT level, tile, hashes, transaction::xid8, position
         FROM unnest($1::smallint[], $2::bigint[], $3::bytea[], $4::text[], $5::bigint[])
              AS new (level, tile, hashes, transaction, position)
         ON CONFLICT (level, tile) DO UPDATE SET hashes = excluded.hashes",
    )
    .bind(tiles.iter().map(|tile| tile.id.level).collect::<Vec<_>>())
    .bind(tiles.iter().map(|tile| tile.id.tile).collect::<Vec<_>>())
    .bind(tiles.iter().map(|tile| pack(&tile.hashes)).collect::<Vec<_>>())
    .bind(tiles.iter().map(transaction).collect::<Vec<_>>())
    .bind(
        tiles
            .iter()
            .map(|tile| tile.first.map(|first| first.position))
            .collect::<Vec<_>>(),
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// The tiles of these that are there and have a form that can be read.
pub(crate) async fn tiles(
    connection: &mut PgConnection,
    ids: impl IntoIterator<Item = TileId>,
) -> Result<HashMap<TileId, Tile>, sqlx::Error> {
    let (levels, numbers): (Vec<i16>, Vec<i64>) = ids.into_iter().map(|id| (id.level, id.tile)).unzip();
    let rows = sqlx::query(
        "SELECT level, tile, hashes, xid8send(first_transaction_id) AS transaction, first_position
         FROM tree_tiles JOIN unnest($1::smallint[], $2::bigint[]) AS wanted (level, tile) USING (level, tile)",
    )
    .bind(&levels)
    .bind(&numbers)
    .fetch_all(connection)
    .await?;
    let mut found = HashMap::with_capacity(rows.len());
    for row in &rows {
        if let Some(tile) = tile_of(row)? {
            found.insert(tile.id, tile);
        }
    }
    Ok(found)
}

/// Tiles of the lowest level from number `from` on, in order.
pub(crate) async fn leaf_tiles(
    connection: &mut PgConnection,
    from: u64,
    limit: u64,
) -> Result<Vec<Tile>, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT level, tile, hashes, xid8send(first_transaction_id) AS transaction, first_position
         FROM tree_tiles WHERE level = 0 AND tile >= $1 AND tile < $1 + $2 ORDER BY tile",
    )
    .bind(from.cast_signed())
    .bind(limit.cast_signed())
    .fetch_all(connection)
    .await?;
    let mut tiles = Vec::with_capacity(rows.len());
    for row in &rows {
        tiles.extend(tile_of(row)?);
    }
    Ok(tiles)
}

pub(crate) async fn count_tiles(connection: &mut PgConnection) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar("SELECT count(*) FROM tree_tiles")
        .fetch_one(connection)
        .await
}

/// Number of the tile in which the leaf of an event at `cursor` must be, and where that tile begins.
pub(crate) async fn tile_at(
    connection: &mut PgConnection,
    cursor: Cursor,
) -> Result<Option<(u64, Cursor)>, sqlx::Error> {
    let row = sqlx::query(
        "SELECT tile, xid8send(first_transaction_id) AS transaction, first_position
         FROM tree_tiles
         WHERE level = 0 AND (first_transaction_id, first_position) <= ($1::text::xid8, $2)
         ORDER BY first_transaction_id DESC, first_position DESC LIMIT 1",
    )
    .bind(cursor.transaction_id.cast_unsigned().to_string())
    .bind(cursor.position)
    .fetch_optional(connection)
    .await?;
    row.map(|row| {
        let first = Cursor {
            transaction_id: transaction_of(&row, "transaction")?,
            position: row.try_get("first_position")?,
        };
        Ok((row.try_get::<i64, _>("tile")?.cast_unsigned(), first))
    })
    .transpose()
}

pub(crate) async fn write_head(connection: &mut PgConnection, head: &StoredHead) -> Result<(), sqlx::Error> {
    sqlx::query("INSERT INTO tree_heads (size, note, made_at) VALUES ($1, $2, $3)")
        .bind(head.size.cast_signed())
        .bind(&head.note)
        .bind(head.made_at)
        .execute(connection)
        .await?;
    Ok(())
}

pub(crate) async fn newest_head(connection: &mut PgConnection) -> Result<Option<StoredHead>, sqlx::Error> {
    Ok(heads_before(connection, None, 1).await?.pop())
}

/// The newest heads below a size, newest first.
pub(crate) async fn heads_before(
    connection: &mut PgConnection,
    before: Option<u64>,
    limit: i64,
) -> Result<Vec<StoredHead>, sqlx::Error> {
    let before = before.map_or(i64::MAX, |size| i64::try_from(size).unwrap_or(i64::MAX));
    let rows =
        sqlx::query("SELECT size, note, made_at FROM tree_heads WHERE size < $1 ORDER BY size DESC LIMIT $2")
            .bind(before)
            .bind(limit)
            .fetch_all(connection)
            .await?;
    rows.iter().map(head_of).collect()
}

/// Heads above a size, in order.
pub(crate) async fn heads_after(
    connection: &mut PgConnection,
    after: u64,
    limit: i64,
) -> Result<Vec<StoredHead>, sqlx::Error> {
    let rows =
        sqlx::query("SELECT size, note, made_at FROM tree_heads WHERE size > $1 ORDER BY size LIMIT $2")
            .bind(after.cast_signed())
            .bind(limit)
            .fetch_all(connection)
            .await?;
    rows.iter().map(head_of).collect()
}

pub(crate) async fn head_at(
    connection: &mut PgConnection,
    size: u64,
) -> Result<Option<StoredHead>, sqlx::Error> {
    let row = sqlx::query("SELECT size, note, made_at FROM tree_heads WHERE size = $1")
        .bind(size.cast_signed())
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(head_of).transpose()
}

/// Up to which head a witness has got them all.
pub(crate) async fn delivered(connection: &mut PgConnection, witness: &str) -> Result<u64, sqlx::Error> {
    let size: Option<i64> =
        sqlx::query_scalar("SELECT delivered_size FROM witness_deliveries WHERE witness = $1")
            .bind(witness)
            .fetch_optional(connection)
            .await?;
    Ok(size.unwrap_or_default().cast_unsigned())
}

pub(crate) async fn set_delivered(
    connection: &mut PgConnection,
    witness: &str,
    size: u64,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO witness_deliveries (witness, delivered_size) VALUES ($1, $2)
         ON CONFLICT (witness) DO UPDATE SET delivered_size = excluded.delivered_size, delivered_at = now()
         WHERE witness_deliveries.delivered_size < excluded.delivered_size",
    )
    .bind(witness)
    .bind(size.cast_signed())
    .execute(connection)
    .await?;
    Ok(())
}

/// How many heads a witness has not got yet; at most `most` are counted.
pub(crate) async fn backlog(
    connection: &mut PgConnection,
    witness: &str,
    most: i64,
) -> Result<i64, sqlx::Error> {
    let after = delivered(connection, witness).await?;
    sqlx::query_scalar("SELECT count(*) FROM (SELECT FROM tree_heads WHERE size > $1 LIMIT $2) AS ahead")
        .bind(after.cast_signed())
        .bind(most)
        .fetch_one(connection)
        .await
}

fn head_of(row: &PgRow) -> Result<StoredHead, sqlx::Error> {
    Ok(StoredHead {
        size: row.try_get::<i64, _>("size")?.cast_unsigned(),
        note: row.try_get("note")?,
        made_at: row.try_get("made_at")?,
    })
}

fn tile_of(row: &PgRow) -> Result<Option<Tile>, sqlx::Error> {
    let first: Option<&[u8]> = row.try_get("transaction")?;
    let first = match first {
        None => None,
        Some(_) => Some(Cursor {
            transaction_id: transaction_of(row, "transaction")?,
            position: row.try_get("first_position")?,
        }),
    };
    let id = TileId {
        level: row.try_get("level")?,
        tile: row.try_get("tile")?,
    };
    Ok(unpack(row.try_get("hashes")?).map(|hashes| Tile { id, hashes, first }))
}

fn transaction_of(row: &PgRow, column: &str) -> Result<i64, sqlx::Error> {
    let bytes: &[u8] = row.try_get(column)?;
    <[u8; 8]>::try_from(bytes)
        .map(i64::from_be_bytes)
        .map_err(|error| sqlx::Error::Decode(error.into()))
}

/// The state, which the migration made.
pub(crate) async fn state_there(connection: &mut PgConnection) -> Result<State, EvidenceError> {
    state(connection)
        .await?
        .ok_or_else(|| EvidenceError::Broken("the row of tree_state is missing".to_owned()))
}
