//! Events that a projection cannot fold are parked with their error, and the projection goes on without their aggregate:
//! one bad event is not to keep a city's queue standing. A rebuild tries them again.

use crate::runner::{Projection, ProjectionError};
use onetrip_event_log::LoggedEvent;
use sqlx::{Connection, PgConnection};
use std::collections::HashSet;

/// An event that was left out, and why.
#[derive(Clone, Debug)]
pub(crate) struct Parked {
    event: LoggedEvent,
    error: String,
}

impl ProjectionError {
    /// Whether the event is to blame, and would be at every other time: not a database that is away or busy.
    fn is_poison(&self) -> bool {
        match self {
            ProjectionError::Unreadable { .. } | ProjectionError::Row(_) => true,
            ProjectionError::Late => false,
            // Data exceptions and violated constraints.
            ProjectionError::Database(error) => error
                .as_database_error()
                .and_then(|error| error.code())
                .is_some_and(|code| code.starts_with("22") || code.starts_with("23")),
        }
    }
}

/// Folds a page in a transaction under way. What can't be folded is given back, together with everything later of the
/// same aggregate: its rows would not be what they seem.
pub(crate) async fn fold(
    connection: &mut PgConnection,
    projection: &dyn Projection,
    page: &[LoggedEvent],
    parked: &mut HashSet<String>,
) -> Result<Vec<Parked>, ProjectionError> {
    let mut left_out = Vec::new();
    let mut readable = Vec::with_capacity(page.len());
    for event in page {
        if parked.contains(&event.aggregate_id) {
            left_out.push(Parked::after_another(event));
        } else {
            readable.push(event.clone());
        }
    }
    let mut trial = connection.begin().await?;
    match projection.apply(&mut trial, &readable).await {
        Ok(()) => {
            trial.commit().await?;
            return Ok(left_out);
        }
        Err(error) if error.is_poison() => trial.rollback().await?,
        Err(error) => return Err(error),
    }
    for event in readable {
        if parked.contains(&event.aggregate_id) {
            left_out.push(Parked::after_another(&event));
            continue;
        }
        let mut trial = connection.begin().await?;
        match projection.apply(&mut trial, std::slice::from_ref(&event)).await {
            Ok(()) => trial.commit().await?,
            Err(error) if error.is_poison() => {
                trial.rollback().await?;
                tracing::error!(
                    projection = projection.name(),
                    aggregate.id = %event.aggregate_id,
                    event.sequence = event.sequence,
                    %error,
                    "an event cannot be folded and is parked; a rebuild tries it again"
                );
                parked.insert(event.aggregate_id.clone());
                left_out.push(Parked {
                    event,
                    error: error.to_string(),
                });
            }
            Err(error) => return Err(error),
        }
    }
    Ok(left_out)
}

impl Parked {
    fn after_another(event: &LoggedEvent) -> Parked {
        Parked {
            event: event.clone(),
            error: "an earlier event of the same aggregate is parked".to_owned(),
        }
    }
}

/// Aggregates the projection goes on without, of these.
pub(crate) async fn parked_among(
    connection: &mut PgConnection,
    projection: &str,
    page: &[LoggedEvent],
) -> Result<HashSet<String>, sqlx::Error> {
    let ids: Vec<&str> = page.iter().map(|event| &*event.aggregate_id).collect();
    let parked: Vec<String> = sqlx::query_scalar(
        "SELECT DISTINCT aggregate_id FROM parked_events WHERE projection = $1 AND aggregate_id = ANY($2)",
    )
    .bind(projection)
    .bind(&ids)
    .fetch_all(connection)
    .await?;
    Ok(parked.into_iter().collect())
}

pub(crate) async fn park(
    connection: &mut PgConnection,
    projection: &str,
    events: &[Parked],
) -> Result<(), sqlx::Error> {
    for parked in events {
        let event = &parked.event;
        sqlx::query(
            "INSERT INTO parked_events (projection, aggregate_id, sequence, error) VALUES ($1, $2, $3, $4)
             ON CONFLICT DO NOTHING",
        )
        .bind(projection)
        .bind(&event.aggregate_id)
        .bind(event.sequence)
        .bind(&parked.error)
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

pub(crate) async fn forget(connection: &mut PgConnection, projection: &str) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM parked_events WHERE projection = $1")
        .bind(projection)
        .execute(connection)
        .await?;
    Ok(())
}

pub(crate) async fn count(connection: &mut PgConnection, projection: &str) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar("SELECT count(*) FROM parked_events WHERE projection = $1")
        .bind(projection)
        .fetch_one(connection)
        .await
}
