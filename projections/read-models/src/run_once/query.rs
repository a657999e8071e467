use chrono::{DateTime, Utc};
use onetrip_event_log::Appending;
use onetrip_model::{Case, CaseFact, CaseId, PersonId, case::HeldPaper};
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

/// A case's account under the run-once rule.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct Ledger {
    pub trips: i32,
    pub trips_max: i32,
    pub material_requests: i32,
    pub material_requests_max: i32,
    pub held_paper_waivers: i32,
    pub breaches: i32,
}

/// A breach and the event that made it one.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct Breach {
    /// `trip`, `material_request`, `held_paper` or `refiling`.
    pub row: String,
    /// Of the event in the case; for a re-filing, in the later case.
    pub sequence: i64,
    pub unit: Option<String>,
    pub at: DateTime<Utc>,
    /// The later case's number, for a re-filing.
    pub other_number: Option<String>,
}

pub async fn ledger(connection: &mut PgConnection, case: CaseId) -> Result<Option<Ledger>, sqlx::Error> {
    sqlx::query_as(
        "SELECT trips, trips_max, material_requests, material_requests_max, held_paper_waivers, breaches
         FROM run_once_cases WHERE case_id = $1",
    )
    .bind(case.0)
    .fetch_optional(connection)
    .await
}

pub async fn breaches(connection: &mut PgConnection, case: CaseId) -> Result<Vec<Breach>, sqlx::Error> {
    sqlx::query_as(
        "SELECT row, sequence, unit, at, other.number AS other_number
         FROM run_once_breaches breach LEFT JOIN run_once_cases other ON other.case_id = breach.other_case
         WHERE breach.case_id = $1 ORDER BY at, sequence",
    )
    .bind(case.0)
    .fetch_all(connection)
    .await
}

/// Recorded breaches by row of the rule.
pub async fn breach_counts(connection: &mut PgConnection) -> Result<Vec<(String, i64)>, sqlx::Error> {
    sqlx::query_as("SELECT row, count(*) FROM run_once_breaches GROUP BY row")
        .fetch_all(connection)
        .await
}

/// What this resident has handed over, and in which case it is held.
pub async fn held_papers(
    connection: &mut PgConnection,
    person: PersonId,
) -> Result<Vec<HeldPaper>, sqlx::Error> {
    let rows: Vec<(String, String)> =
        sqlx::query_as("SELECT kind, number FROM run_once_held_papers WHERE person_id = $1")
            .bind(person.0)
            .fetch_all(connection)
            .await?;
    rows.into_iter()
        .map(|(kind, number)| {
            let held_in = number
                .parse()
                .map_err(|error| sqlx::Error::Decode(Box::new(error)))?;
            Ok(HeldPaper { kind, held_in })
        })
        .collect()
}

/// The newest case of the same resident and matter that a unit has closed.
pub async fn previous_case(
    connection: &mut PgConnection,
    person: PersonId,
    matter: &str,
) -> Result<Option<CaseId>, sqlx::Error> {
    let case: Option<Uuid> = sqlx::query_scalar(
        "SELECT case_id FROM run_once_matters
         WHERE person_id = $1 AND matter = $2 AND NOT open AND closed_by IS NOT NULL
         ORDER BY closed_at DESC LIMIT 1",
    )
    .bind(person.0)
    .bind(matter)
    .fetch_optional(connection)
    .await?;
    Ok(case.map(CaseId))
}

/// The open case that stands in the way of these events.
pub(super) async fn open_filing(
    connection: &mut PgConnection,
    events: &[Appending<'_, Case>],
) -> Result<Option<Uuid>, sqlx::Error> {
    for appending in events {
        let found: Option<Uuid> = match &appending.event.fact {
            CaseFact::CaseSubmitted(submitted) => {
                sqlx::query_scalar(
                    "SELECT case_id FROM run_once_matters WHERE person_id = $1 AND matter = $2 AND open",
                )
                .bind(submitted.person.0)
                .bind(&submitted.matter)
                .fetch_optional(&mut *connection)
                .await?
            }
            CaseFact::CaseReopened { .. } => {
                sqlx::query_scalar(
                    "SELECT other.case_id FROM run_once_matters own JOIN run_once_matters other USING (person_id, matter)
                     WHERE own.case_id::text = $1 AND other.open AND other.case_id <> own.case_id",
                )
                .bind(appending.aggregate_id)
                .fetch_optional(&mut *connection)
                .await?
            }
            _ => None,
        };
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}
