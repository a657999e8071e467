//! Events that a projection cannot fold are parked with their error, and the projection goes on without their aggregate:
//! one bad event is not to keep a city's queue standing. A rebuild tries them again.

use crate::runner::{Projection, ProjectionError};
use futures::FutureExt as _;
use onetrip_event_log::LoggedEvent;
use sqlx::{Connection, PgConnection};
use std::{collections::HashSet, panic::AssertUnwindSafe};

/// An event that was left out, and why.
#[derive(Clone, Debug)]
pub(crate) struct Parked {
    event: LoggedEvent,
    error: String,
}

impl ProjectionError {
    /// Whether the event is to blame, and would be at every other time: not a database that is away or busy.
    pub(crate) fn is_poison(&self) -> bool {
        match self {
            ProjectionError::Unreadable { .. } | ProjectionError::Row(_) | ProjectionError::Panicked => true,
            ProjectionError::Late => false,
            // Data exceptions and violated constraints.
            ProjectionError::Database(error) => error
                .as_database_error()
                .and_then(|error| error.code())
                .is_some_and(|code| code.starts_with("22") || code.starts_with("23")),
        }
    }
}

/// A panic in a fold is an error like another: the process and the other read models go on.
pub(crate) async fn caught(
    work: impl Future<Output = Result<(), ProjectionError>>,
) -> Result<(), ProjectionError> {
    // Whatever it left half done is rolled back with its transaction.
    AssertUnwindSafe(work)
        .catch_unwind()
        .await
        .unwrap_or(Err(ProjectionError::Panicked))
}

/// Folds a page in a transaction under way, halving it around what can't be folded. That is given back, together with
/// everything later of the same aggregate: its rows would not be what they seem.
pub(crate) async fn fold(
    connection: &mut PgConnection,
    projection: &dyn Projection,
    page: Vec<LoggedEvent>,
    parked: &mut HashSet<String>,
) -> Result<Vec<Parked>, ProjectionError> {
    let mut left_out = Vec::new();
    let mut parts = vec![page];
    while let Some(part) = parts.pop() {
        let (after_parked, mut part): (Vec<_>, Vec<_>) = part
            .into_iter()
            .partition(|event| parked.contains(&event.aggregate_id));
        left_out.extend(after_parked.into_iter().map(Parked::after_another));
        if part.is_empty() {
            continue;
        }
        let mut trial = connection.begin().await?;
        match caught(projection.apply(&mut trial, &part)).await {
            Ok(()) => trial.commit().await?,
            Err(error) if !error.is_poison() => return Err(error),
            Err(error) => {
                trial.rollback().await?;
                let rest = part.split_off(part.len() / 2);
                if part.is_empty() {
                    left_out.extend(
                        rest.into_iter()
                            .map(|event| Parked::because(projection, event, &error)),
                    );
                    parked.extend(left_out.last().map(|parked| parked.event.aggregate_id.clone()));
                } else {
                    parts.extend([rest, part]);
                }
            }
        }
    }
    Ok(left_out)
}

impl Parked {
    fn because(projection: &dyn Projection, event: LoggedEvent, error: &ProjectionError) -> Parked {
        tracing::error!(
            projection = projection.name(),
            aggregate.id = %event.aggregate_id,
            event.sequence = event.sequence,
            %error,
            "an event cannot be folded and is parked; a rebuild tries it again"
        );
        Parked {
            event,
            error: error.to_string(),
        }
    }

    fn after_another(event: LoggedEvent) -> Parked {
        Parked {
            event,
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
    let ids: HashSet<&str> = page.iter().map(|event| &*event.aggregate_id).collect();
    let ids: Vec<&str> = ids.into_iter().collect();
    let parked: Vec<String> = sqlx::query_scalar(
        "SELECT DISTINCT aggregate_id FROM parked_events JOIN unnest($2::text[]) AS wanted (id) ON aggregate_id = id
         WHERE projection = $1",
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
