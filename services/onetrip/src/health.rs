//! Liveness, readiness and metrics.

use axum::{Router, extract::State, http::StatusCode, response::IntoResponse, routing::get};
use onetrip_casework::Casework;
use prometheus::{Encoder, IntGauge, Registry, TextEncoder};
use std::time::Duration;

/// The database has this long to answer before the service counts as not ready.
const PATIENCE: Duration = Duration::from_secs(1);

#[derive(Clone)]
struct Health {
    casework: Casework,
    registry: Registry,
    connections: IntGauge,
    connections_busy: IntGauge,
}

/// `/healthz` (this process lives), `/readyz` (and its database answers with all migrations run), `/metrics`.
///
/// Fails if a metric's name is taken.
pub fn router(casework: Casework, registry: Registry) -> Result<Router, prometheus::Error> {
    let gauge = |name: &str, help: &str| {
        let gauge = IntGauge::new(name, help)?;
        registry.register(Box::new(gauge.clone()))?;
        Ok::<_, prometheus::Error>(gauge)
    };
    let connections = gauge(
        "onetrip_database_connections",
        "Connections to the database, those of appends not counted.",
    )?;
    let connections_busy = gauge(
        "onetrip_database_connections_busy",
        "Connections to the database in use or coming back, those of appends too.",
    )?;
    Ok(Router::new()
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .with_state(Health {
            casework,
            registry,
            connections,
            connections_busy,
        }))
}

async fn readyz(State(health): State<Health>) -> impl IntoResponse {
    let newest = crate::database::MIGRATIONS
        .iter()
        .map(|migration| migration.version)
        .max();
    let check =
        sqlx::query_scalar::<_, Option<i64>>("SELECT max(version) FROM _sqlx_migrations WHERE success")
            .fetch_one(health.casework.pool());
    match tokio::time::timeout(PATIENCE, check).await {
        Ok(Ok(version)) if version >= newest => (StatusCode::OK, "ready\n"),
        Ok(Ok(_)) => (
            StatusCode::SERVICE_UNAVAILABLE,
            "migrations are missing: run `onetrip migrate`\n",
        ),
        Ok(Err(_)) | Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer\n"),
    }
}

fn gauged(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

async fn metrics(State(health): State<Health>) -> impl IntoResponse {
    let pool = health.casework.pool();
    let busy = pool.busy() + health.casework.log().busy_connections();
    health.connections.set(gauged(pool.busy() + pool.idle()));
    health.connections_busy.set(gauged(busy));
    let mut text = Vec::new();
    match TextEncoder::new().encode(&health.registry.gather(), &mut text) {
        Ok(()) => (
            StatusCode::OK,
            [("content-type", "text/plain; version=0.0.4")],
            text,
        )
            .into_response(),
        Err(error) => {
            tracing::error!(%error, "metrics cannot be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
