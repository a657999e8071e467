//! Readers stop below the oldest transaction that writes, anywhere in the cluster. One that somebody has left open holds
//! them all back: its age is watched, and sessions that do nothing inside of one are ended.

use sqlx::{Connection, PgConnection};
use std::time::Duration;

/// What holds the readers of the log back.
#[derive(Clone, Copy, Debug, Default, PartialEq, sqlx::FromRow)]
pub struct HorizonAge {
    /// Age of the oldest transaction that has written something, of a session or prepared; 0 when there is none.
    pub seconds: f64,
    /// Transactions prepared for a two-phase commit and neither committed nor rolled back: no session to end.
    pub prepared: i64,
}

/// Age of the oldest transaction that holds readers back. Of other roles' sessions only who is in `pg_read_all_stats` sees
/// anything.
pub async fn horizon_age(connection: &mut PgConnection) -> Result<HorizonAge, sqlx::Error> {
    sqlx::query_as(
        "SELECT coalesce(extract(epoch FROM max(clock_timestamp() - since)), 0)::float8 AS seconds,
                count(*) FILTER (WHERE is_prepared) AS prepared
         FROM (SELECT xact_start AS since, false AS is_prepared FROM pg_stat_activity
               WHERE backend_xid IS NOT NULL AND pid <> pg_backend_pid()
               UNION ALL SELECT prepared, true FROM pg_prepared_xacts) AS holding",
    )
    .fetch_one(connection)
    .await
}

/// A session that held the readers back and did nothing.
#[derive(Clone, Debug, PartialEq)]
pub struct IdleHolder {
    pub pid: i32,
    pub database: Option<String>,
    pub role: Option<String>,
    pub application: String,
    /// How long it has been idle in its transaction.
    pub seconds: f64,
    pub fate: Fate,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    Ended,
    /// It went on by itself before it could be ended.
    WentOn,
    /// We may not: it belongs to another role, and ours is not in `pg_signal_backend`.
    NotPermitted,
}

/// PostgreSQL's "insufficient privilege".
const NOT_PERMITTED: &str = "42501";

/// Ends every session of the cluster that has written something in a transaction and has been idle in it for longer than
/// `patience`. Sessions that work, or that are idle in a transaction that holds nobody back, are left alone.
///
/// The sessions are listed first and looked at again one by one: were `pg_terminate_backend` a condition among others, the
/// planner might call it before these and end sessions that fulfil none of them.
pub async fn end_idle_holders(
    connection: &mut PgConnection,
    patience: Duration,
) -> Result<Vec<IdleHolder>, sqlx::Error> {
    type Row = (i32, Option<String>, Option<String>, String, f64, String);
    let found: Vec<Row> = sqlx::query_as(
        "SELECT pid, datname::text, usename::text, application_name,
                extract(epoch FROM clock_timestamp() - state_change)::float8,
                backend_start::text || xact_start::text || state_change::text
         FROM pg_stat_activity
         WHERE state = 'idle in transaction' AND backend_xid IS NOT NULL AND pid <> pg_backend_pid()
           AND backend_type = 'client backend'
           AND state_change < clock_timestamp() - make_interval(secs => $1)",
    )
    .bind(patience.as_secs_f64())
    .fetch_all(&mut *connection)
    .await?;
    let mut holders = Vec::with_capacity(found.len());
    for (pid, database, role, application, seconds, since) in found {
        let fate = end(connection, pid, &since).await?;
        holders.push(IdleHolder {
            pid,
            database,
            role,
            application,
            seconds,
            fate,
        });
    }
    Ok(holders)
}

/// Ends one session if nothing has happened in it since it was listed.
async fn end(connection: &mut PgConnection, pid: i32, since: &str) -> Result<Fate, sqlx::Error> {
    // A transaction of its own: one that may not be ended is an error, and the others are still to come.
    let mut transaction = connection.begin().await?;
    let ended: Result<Option<bool>, sqlx::Error> = sqlx::query_scalar(
        "WITH still AS MATERIALIZED (
             SELECT pid FROM pg_stat_activity
             WHERE pid = $1 AND state = 'idle in transaction'
               AND backend_start::text || xact_start::text || state_change::text = $2
         )
         SELECT pg_terminate_backend(pid) FROM still",
    )
    .bind(pid)
    .bind(since)
    .fetch_optional(&mut *transaction)
    .await;
    match ended {
        Ok(ended) => {
            transaction.commit().await?;
            Ok(if ended == Some(true) {
                Fate::Ended
            } else {
                Fate::WentOn
            })
        }
        Err(error) => {
            transaction.rollback().await?;
            let code = error.as_database_error().and_then(|error| error.code());
            if code.as_deref() == Some(NOT_PERMITTED) {
                Ok(Fate::NotPermitted)
            } else {
                Err(error)
            }
        }
    }
}
