//! Readers stop below the oldest transaction that writes, anywhere in the cluster. One that somebody has left open holds
//! them all back, so it is watched, and ended.

use sqlx::PgConnection;
use std::time::Duration;

/// Age of the oldest transaction that holds readers back, in seconds; 0 when there is none.
pub async fn horizon_age_seconds(connection: &mut PgConnection) -> Result<f64, sqlx::Error> {
    sqlx::query_scalar(
        "SELECT coalesce(extract(epoch FROM max(clock_timestamp() - xact_start)), 0)::float8
         FROM pg_stat_activity WHERE backend_xid IS NOT NULL AND pid <> pg_backend_pid()",
    )
    .fetch_one(connection)
    .await
}

/// A session that was ended because it held readers back while doing nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    pub pid: i32,
    pub application: String,
    pub idle_seconds: i64,
}

/// Ends sessions that have written something, and then sat idle inside their transaction for longer than `patience`.
/// Whoever they belong to: the horizon is that of the whole cluster. Fails where the service's role may not.
pub async fn end_idle_writers(
    connection: &mut PgConnection,
    patience: Duration,
) -> Result<Vec<Ended>, sqlx::Error> {
    let rows: Vec<(i32, String, i64)> = sqlx::query_as(
        "SELECT pid, application_name, extract(epoch FROM clock_timestamp() - state_change)::bigint
         FROM pg_stat_activity
         WHERE backend_xid IS NOT NULL AND pid <> pg_backend_pid()
           AND state IN ('idle in transaction', 'idle in transaction (aborted)')
           AND clock_timestamp() - state_change > make_interval(secs => $1)
           AND pg_terminate_backend(pid)",
    )
    .bind(patience.as_secs_f64())
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(|(pid, application, idle_seconds)| Ended {
            pid,
            application,
            idle_seconds,
        })
        .collect())
}
