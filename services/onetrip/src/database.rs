use crate::{
    config::Config,
    failure::{Doing, Failure},
};
use onetrip_casework::{Casework, Clock};
use onetrip_event_log::Pool;
use prometheus::Registry;
use sqlx::{migrate::Migrator, postgres::PgConnectOptions};
use std::{str::FromStr, time::Duration};

pub static MIGRATIONS: Migrator = sqlx::migrate!("../../migrations");

/// A connection that is not to be had within this is answered as unavailable; whoever asks is told within a second.
const ANSWER_PATIENCE: Duration = Duration::from_millis(700);
/// Nobody waits for the answer of a command line tool, or of a service that starts.
const TOOL_PATIENCE: Duration = Duration::from_secs(10);

/// Connects for a tool.
pub async fn connect(config: &Config) -> Result<Pool, Failure> {
    let pool = pool(config, TOOL_PATIENCE)?;
    let first = pool.acquire().await.doing("connecting to PostgreSQL")?;
    first.release();
    Ok(pool)
}

/// Connects to answer requests.
pub async fn connect_to_serve(config: &Config) -> Result<Pool, Failure> {
    // A start is not given up because the machine is busy.
    connect(config).await?;
    pool(config, ANSWER_PATIENCE)
}

fn pool(config: &Config, patience: Duration) -> Result<Pool, Failure> {
    Ok(Pool::new(options(config)?, config.database_connections, patience))
}

/// With the limits that keep one bad request from holding back every reader of the log.
fn options(config: &Config) -> Result<PgConnectOptions, Failure> {
    let options = PgConnectOptions::from_str(config.database_url()?)
        .map_err(|error| Failure::setting("database_url", error.to_string()))?;
    Ok(options.application_name("onetrip").options([
        ("statement_timeout", "60s"),
        ("idle_in_transaction_session_timeout", "10s"),
        ("lock_timeout", "10s"),
        // Compiling a statement takes longer than any of ours.
        ("jit", "off"),
    ]))
}

pub async fn migrate(pool: &Pool) -> Result<(), Failure> {
    let mut connection = pool.connect().await.doing("connecting to PostgreSQL")?;
    MIGRATIONS
        .run(&mut connection)
        .await
        .doing("migrating the database")
}

pub async fn casework(
    config: &Config,
    pool: Pool,
    clock: Clock,
    registry: &Registry,
) -> Result<Casework, Failure> {
    Casework::new(pool, config.vault()?, config.rules()?, clock, registry)
        .await
        .doing("starting")?
        .with_origin(&config.evidence_origin)
        .doing("starting")
}
