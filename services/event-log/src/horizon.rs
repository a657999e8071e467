//! Readers stop below the oldest transaction that writes, anywhere in the cluster. One that somebody has left open holds
//! them all back, so its age is watched.

use sqlx::PgConnection;

/// Age of the oldest transaction that holds readers back, in seconds; 0 when there is none.
pub async fn horizon_age_seconds(connection: &mut PgConnection) -> Result<f64, sqlx::Error> {
    sqlx::query_scalar(
        "SELECT coalesce(extract(epoch FROM max(clock_timestamp() - xact_start)), 0)::float8
         FROM pg_stat_activity WHERE backend_xid IS NOT NULL AND pid <> pg_backend_pid()",
    )
    .fetch_one(connection)
    .await
}
