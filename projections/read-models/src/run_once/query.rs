use chrono::{DateTime, Utc};
use onetrip_event_log::Appending;
use onetrip_model::{Case, CaseFact, CaseId, CaseNumber, PersonId, case::HeldPaper};
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
    /// `trip`, `material_request`, `held_paper` (waived), `hand_over` (without a taker) or `refiling`.
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

/// A paper that a resident has handed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    pub paper: HeldPaper,
    pub held_at: DateTime<Utc>,
}

/// What this resident has handed over and in which case it is held, oldest first: of each kind in the policy at most one.
pub async fn held_papers(connection: &mut PgConnection, person: PersonId) -> Result<Vec<Held>, sqlx::Error> {
    let rows: Vec<(String, String, DateTime<Utc>)> = sqlx::query_as(
        "SELECT kind, number, held_at FROM run_once_held_papers WHERE person_id = $1 ORDER BY held_at, kind",
    )
    .bind(person.0)
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|(kind, number, held_at)| {
            let held_in = read_number(&number)?;
            Ok(Held {
                paper: HeldPaper { kind, held_in },
                held_at,
            })
        })
        .collect()
}

/// What became of the same matter of the same resident before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Earlier {
    /// The newest case of it that a unit has closed.
    pub case: Option<CaseId>,
    /// One of them has had its final review.
    pub concluded: bool,
}

pub async fn earlier(
    connection: &mut PgConnection,
    person: PersonId,
    matter: &str,
) -> Result<Earlier, sqlx::Error> {
    let newest: Option<(Uuid, bool)> = sqlx::query_as(
        "SELECT case_id, bool_or(concluded) OVER () FROM run_once_matters
         WHERE person_id = $1 AND matter = $2 AND NOT open AND closed_by IS NOT NULL
         ORDER BY closed_at DESC LIMIT 1",
    )
    .bind(person.0)
    .bind(matter)
    .fetch_optional(connection)
    .await?;
    Ok(newest.map_or_else(Earlier::default, |(case, concluded)| Earlier {
        case: Some(CaseId(case)),
        concluded,
    }))
}

/// Members of a lead that [`together`] names.
pub const MEMBERS_MAX: usize = 50;

/// The cases that one is handled with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Together {
    /// The case that it was merged into.
    pub lead: Option<CaseNumber>,
    /// The cases that were merged into it, at most [`MEMBERS_MAX`].
    pub members: Vec<CaseNumber>,
}

/// With which cases this one is handled, or was until it was answered.
pub async fn together(connection: &mut PgConnection, case: CaseId) -> Result<Together, sqlx::Error> {
    let rows: Vec<(bool, String)> = sqlx::query_as(
        "SELECT true, number FROM run_once_merges own JOIN run_once_cases lead ON lead.case_id = own.lead
         WHERE own.case_id = $1
         UNION ALL
         (SELECT false, number FROM run_once_merges merge JOIN run_once_cases member USING (case_id)
          WHERE merge.lead = $1 ORDER BY case_id LIMIT $2)",
    )
    .bind(case.0)
    .bind(i64::try_from(MEMBERS_MAX).unwrap_or(i64::MAX))
    .fetch_all(connection)
    .await?;
    let mut together = Together::default();
    for (is_lead, number) in rows {
        let number = read_number(&number)?;
        match is_lead {
            true => together.lead = Some(number),
            false => together.members.push(number),
        }
    }
    Ok(together)
}

/// A case that waits for the answer of its lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Merge {
    pub lead: CaseId,
    pub member: CaseId,
}

/// Cases that wait for the answer of their lead, each lead's together, after this one.
pub async fn open_merges(
    connection: &mut PgConnection,
    after: Option<Merge>,
    limit: i64,
) -> Result<Vec<Merge>, sqlx::Error> {
    let rows: Vec<(Uuid, Uuid)> = sqlx::query_as(
        "SELECT lead, case_id FROM run_once_merges
         WHERE open AND ($1::uuid IS NULL OR (lead, case_id) > ($1, $2)) ORDER BY lead, case_id LIMIT $3",
    )
    .bind(after.map(|merge| merge.lead.0))
    .bind(after.map(|merge| merge.member.0))
    .bind(limit)
    .fetch_all(connection)
    .await?;
    let merges = rows.into_iter().map(|(lead, member)| Merge {
        lead: CaseId(lead),
        member: CaseId(member),
    });
    Ok(merges.collect())
}

fn read_number(digits: &str) -> Result<CaseNumber, sqlx::Error> {
    digits
        .parse()
        .map_err(|error| sqlx::Error::Decode(Box::new(error)))
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
            CaseFact::CaseReopened { .. } | CaseFact::ReviewAsked { .. } => {
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
