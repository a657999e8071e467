use crate::{
    config::Config,
    failure::{Doing, Failure},
};
use onetrip_casework::{Casework, Clock};
use onetrip_event_log::{test_idle, test_returned};
use prometheus::Registry;
use sqlx::{
    PgPool,
    migrate::Migrator,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use std::{str::FromStr, time::Duration};

pub static MIGRATIONS: Migrator = sqlx::migrate!("../../migrations");

/// A connection that is not to be had within this is answered as unavailable; whoever asks is told within a second.
const ACQUIRE_PATIENCE: Duration = Duration::from_millis(700);
/// Connects, with the limits that keep one bad request from holding back every reader of the log.
pub async fn connect(config: &Config) -> Result<PgPool, Failure> {
    let options = PgConnectOptions::from_str(config.database_url()?)
        .map_err(|error| Failure::setting("database_url", error.to_string()))?
        .application_name("onetrip")
        .options([
            ("statement_timeout", "60s"),
            ("idle_in_transaction_session_timeout", "10s"),
            ("lock_timeout", "10s"),
            // Compiling a statement takes longer than any of ours.
            ("jit", "off"),
        ]);
    test_returned(test_idle(PgPoolOptions::new()))
        .max_connections(config.database_connections)
        .acquire_timeout(ACQUIRE_PATIENCE)
        .connect_with(options)
        .await
        .doing("connecting to PostgreSQL")
}

pub async fn migrate(pool: &PgPool) -> Result<(), Failure> {
    MIGRATIONS.run(pool).await.doing("migrating the database")
}

pub async fn casework(
    config: &Config,
    pool: PgPool,
    clock: Clock,
    registry: &Registry,
) -> Result<Casework, Failure> {
    Casework::new(pool, config.vault()?, config.rules()?, clock, registry)
        .await
        .doing("starting")?
        .with_origin(&config.evidence_origin)
        .doing("starting")
}
