//! Receipts and heads for who asks.

use crate::{
    error::EvidenceError,
    note::VerifierKey,
    receipt::Receipt,
    store::{self, StoredHead},
    tiles::{PathPlan, TILE, TileId},
    tree::leaf_of,
};
use onetrip_event_log::{
    audit::{AuditEvent, audit_one, count_between},
    chain::Hash,
};
use sqlx::PgConnection;

/// Heads handed out at once, at most.
pub const HEADS_MAX: i64 = 100;

/// The receipt of an event; None if there is no such event. Until a head covers it, the receipt has no proof.
pub async fn receipt(
    connection: &mut PgConnection,
    key: &VerifierKey,
    aggregate_type: &str,
    aggregate_id: &str,
    sequence: i64,
) -> Result<Option<Receipt>, EvidenceError> {
    let Some(event) = audit_one(connection, aggregate_type, aggregate_id, sequence).await? else {
        return Ok(None);
    };
    // What does not hold is not handed out: the resident would find out before we do.
    event
        .check()
        .map_err(|fault| EvidenceError::Broken(format!("event {sequence} of {aggregate_id}: {fault}")))?;
    let head = store::newest_head(connection).await?;
    let found = match &head {
        Some(head) => proof(connection, &event, head.size).await?,
        None => None,
    };
    let proof = found
        .as_ref()
        .zip(head.as_ref())
        .map(|((index, path), head)| (*index, &path[..], &*head.note));
    let receipt = Receipt::of(&event, proof, key).ok_or_else(|| {
        EvidenceError::Broken(format!(
            "event {sequence} of {aggregate_id} has impossible numbers"
        ))
    })?;
    Ok(Some(receipt))
}

/// Index and path of an event in the tree of a head; None if the head does not cover it.
async fn proof(
    connection: &mut PgConnection,
    event: &AuditEvent,
    size: u64,
) -> Result<Option<(u64, Vec<Hash>)>, EvidenceError> {
    let broken = |what: &str| EvidenceError::Broken(what.to_owned());
    if event.cursor > store::state_there(connection).await?.last {
        return Ok(None);
    }
    let (tile, first) = store::tile_at(connection, event.cursor)
        .await?
        .ok_or_else(|| broken("no tile for a sealed event"))?;
    let rank = count_between(connection, first, event.cursor, TILE.cast_signed() + 1).await?;
    let within = (rank - 1).cast_unsigned();
    let index = tile * TILE + within;
    if index >= size {
        return Ok(None);
    }
    let plan = PathPlan::new(index, size);
    let own = TileId {
        level: 0,
        tile: tile.cast_signed(),
    };
    let tiles = store::tiles(connection, plan.tiles().into_iter().chain([own])).await?;
    let kept = tiles
        .get(&own)
        .and_then(|tile| tile.hashes.get(usize::try_from(within).ok()?));
    if kept != Some(&leaf_of(&event.stamp())) {
        return Err(broken("the leaf of an event is not the one that was sealed"));
    }
    let path = plan.path(&tiles).ok_or_else(|| broken("a tile is missing"))?;
    Ok(Some((index, path)))
}

/// The newest heads below a size, newest first; at most [`HEADS_MAX`].
pub async fn heads(
    connection: &mut PgConnection,
    before: Option<u64>,
    limit: i64,
) -> Result<Vec<StoredHead>, sqlx::Error> {
    store::heads_before(connection, before, limit.clamp(1, HEADS_MAX)).await
}
