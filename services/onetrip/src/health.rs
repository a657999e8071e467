//! Liveness, readiness and metrics.

use axum::{Router, extract::State, http::StatusCode, response::IntoResponse, routing::get};
use prometheus::{Encoder, Registry, TextEncoder};
use sqlx::PgPool;
use std::time::Duration;

/// The database has this long to answer before the service counts as not ready.
const PATIENCE: Duration = Duration::from_secs(1);

#[derive(Clone)]
struct Health {
    pool: PgPool,
    registry: Registry,
}

/// `/healthz` (this process lives), `/readyz` (and its database answers with all migrations run), `/metrics`.
pub fn router(pool: PgPool, registry: Registry) -> Router {
    Router::new()
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .with_state(Health { pool, registry })
}

async fn readyz(State(health): State<Health>) -> impl IntoResponse {
    let newest = crate::database::MIGRATIONS
        .iter()
        .map(|migration| migration.version)
        .max();
    let check =
        sqlx::query_scalar::<_, Option<i64>>("SELECT max(version) FROM _sqlx_migrations WHERE success")
            .fetch_one(&health.pool);
    match tokio::time::timeout(PATIENCE, check).await {
        Ok(Ok(version)) if version >= newest => (StatusCode::OK, "ready\n"),
        Ok(Ok(_)) => (
            StatusCode::SERVICE_UNAVAILABLE,
            "migrations are missing: run `onetrip migrate`\n",
        ),
        Ok(Err(_)) | Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer\n"),
    }
}

async fn metrics(State(health): State<Health>) -> impl IntoResponse {
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
