//! How far a projection has read, moved in the transaction of its rows.

use crate::runner::Projection;
use onetrip_event_log::Cursor;
use sqlx::PgConnection;

/// How a checkpoint is looked at.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hold {
    /// Only read.
    No,
    /// Held until the end of the transaction; None if another instance holds it.
    OrSkip,
    /// Held until the end of the transaction, after whoever holds it now.
    Wait,
}

pub(crate) async fn checkpoint(
    connection: &mut PgConnection,
    projection: &str,
    hold: Hold,
) -> Result<Option<Cursor>, sqlx::Error> {
    let locking = match hold {
        Hold::No => "",
        Hold::OrSkip => "FOR UPDATE SKIP LOCKED",
        Hold::Wait => "FOR UPDATE",
    };
    let row: Option<(i64, i64)> = sqlx::query_as(&format!(
        "SELECT transaction_id::text::bigint, position FROM checkpoints WHERE projection = $1 {locking}"
    ))
    .bind(projection)
    .fetch_optional(connection)
    .await?;
    Ok(row.map(|(transaction_id, position)| Cursor {
        transaction_id,
        position,
    }))
}

/// Makes the checkpoint if there is none; the version of the rows it stands for.
pub(crate) async fn ensure(
    connection: &mut PgConnection,
    projection: &dyn Projection,
) -> Result<i32, sqlx::Error> {
    sqlx::query_scalar(
        "INSERT INTO checkpoints (projection, version) VALUES ($1, $2)
         ON CONFLICT (projection) DO UPDATE SET projection = excluded.projection
         RETURNING version",
    )
    .bind(projection.name())
    .bind(projection.version())
    .fetch_one(connection)
    .await
}

pub(crate) async fn move_checkpoint(
    connection: &mut PgConnection,
    projection: &dyn Projection,
    to: Cursor,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE checkpoints SET version = $2, transaction_id = $3::text::xid8, position = $4, moved_at = now()
         WHERE projection = $1",
    )
    .bind(projection.name())
    .bind(projection.version())
    .bind(to.transaction_id.to_string())
    .bind(to.position)
    .execute(connection)
    .await?;
    Ok(())
}
