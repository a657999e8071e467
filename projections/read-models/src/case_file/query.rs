use crate::{
    fold::{Standing, Stored},
    history::{History, TimelineEntry, histories},
    scope::push_scope,
};
use chrono::{DateTime, Utc};
use onetrip_model::{
    AttachmentRef, Case, CaseFact, CaseId, CaseNumber, Channel, Private,
    access::Scope,
    case::{Contact, Filed, PlaceDetail, ReviewDecision, Source, Verdict},
};
use serde::Deserialize;
use sqlx::{PgConnection, Postgres, QueryBuilder};
use std::collections::HashSet;
use uuid::Uuid;

/// A case with all that has happened to it, as far as the read model has seen it. Private parts are sealed.
#[derive(Clone, Debug)]
pub struct CaseFile {
    pub case: CaseId,
    /// Sequence of the newest event in this file.
    pub version: u64,
    pub standing: Standing,
    /// Where the case stands, for decisions about what can be offered on a page.
    pub filed: Filed,
    pub submitted_at: DateTime<Utc>,
    pub contact: Option<Private<Contact>>,
    pub place_detail: Option<Private<PlaceDetail>>,
    pub words: Private<String>,
    pub attachments: Vec<AttachmentRef>,
    pub channel: Channel,
    pub source: Option<Source>,
    pub previous: Option<CaseId>,
    pub outcome: Outcome,
    /// Oldest first.
    pub timeline: Vec<TimelineEntry>,
}

/// What has come of a case so far; a result that was sent back is none.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    pub resulted_at: Option<DateTime<Utc>>,
    pub closed_at: Option<DateTime<Utc>>,
    pub verdict: Option<Verdict>,
    pub score: Option<u8>,
}

impl Outcome {
    fn of(timeline: &[TimelineEntry]) -> Outcome {
        let mut outcome = Outcome::default();
        for TimelineEntry { event, .. } in timeline {
            outcome.take(&event.fact, event.at);
        }
        outcome
    }

    fn take(&mut self, fact: &CaseFact, at: DateTime<Utc>) {
        match fact {
            CaseFact::ResultGiven { .. } => self.resulted_at = Some(at),
            CaseFact::ResultRated { verdict, score, .. } => {
                self.verdict = Some(*verdict);
                self.score = Some(*score);
            }
            CaseFact::CaseReopened { .. }
            | CaseFact::ReviewDecided {
                decision: ReviewDecision::SentBack,
                ..
            } => {
                self.resulted_at = None;
                self.closed_at = None;
            }
            CaseFact::ReviewAsked { .. } => self.closed_at = None,
            CaseFact::CaseClosed { .. } | CaseFact::CaseWithdrawn { .. } => self.closed_at = Some(at),
            _ => {}
        }
    }
}

/// A file has nothing beside its standing.
#[derive(Debug, Deserialize)]
struct FileRow {}

impl CaseFile {
    fn of(row: Stored<FileRow>, history: History) -> Option<CaseFile> {
        let Case::Filed(filed) = history.case() else {
            return None;
        };
        let (first, submitted) = history.submission()?;
        Some(CaseFile {
            case: CaseId(row.case_id),
            version: row.version.unsigned_abs(),
            standing: row.standing,
            filed: *filed,
            submitted_at: row.submitted_at,
            contact: submitted.contact.clone(),
            place_detail: submitted.place.detail.clone(),
            words: submitted.words.clone(),
            attachments: submitted.attachments.clone(),
            channel: first.channel,
            source: submitted.source.clone(),
            previous: submitted.previous,
            outcome: Outcome::of(&history.timeline),
            timeline: history.timeline,
        })
    }
}

/// Of rows as JSON, in their order.
async fn files(connection: &mut PgConnection, rows: &[String]) -> Result<Vec<CaseFile>, sqlx::Error> {
    let rows: Vec<Stored<FileRow>> = rows
        .iter()
        .map(|row| Stored::from_json(row))
        .collect::<Result<_, _>>()?;
    let wanted = rows
        .iter()
        .map(|row| (CaseId(row.case_id), row.version.unsigned_abs()));
    let wanted: Vec<(CaseId, u64)> = wanted.collect();
    let mut histories = histories(connection, &wanted).await?;
    rows.into_iter()
        .map(|row| {
            let history = histories.remove(&CaseId(row.case_id)).unwrap_or_default();
            CaseFile::of(row, history).ok_or(sqlx::Error::RowNotFound)
        })
        .collect()
}

async fn one(
    connection: &mut PgConnection,
    condition: &str,
    value: &str,
) -> Result<Option<CaseFile>, sqlx::Error> {
    let sql = format!("SELECT row_to_json(t)::text FROM case_files t WHERE {condition}");
    let rows: Vec<String> = sqlx::query_scalar(&sql)
        .bind(value)
        .fetch_all(&mut *connection)
        .await?;
    Ok(files(connection, &rows).await?.pop())
}

pub async fn by_number(
    connection: &mut PgConnection,
    number: &CaseNumber,
) -> Result<Option<CaseFile>, sqlx::Error> {
    one(connection, "number = $1", number.digits()).await
}

pub async fn by_id(connection: &mut PgConnection, case: CaseId) -> Result<Option<CaseFile>, sqlx::Error> {
    one(connection, "case_id = $1::uuid", &case.to_string()).await
}

/// Which of these cases wait for nothing but a verdict, or for nothing at all.
pub async fn answered_or_ended(
    connection: &mut PgConnection,
    cases: &[CaseId],
) -> Result<HashSet<CaseId>, sqlx::Error> {
    let cases: Vec<Uuid> = cases.iter().map(|case| case.0).collect();
    let found: Vec<Uuid> = sqlx::query_scalar(
        "SELECT case_id FROM case_files
         WHERE case_id = ANY($1) AND stage IN ('result_given', 'closed', 'withdrawn')",
    )
    .bind(cases)
    .fetch_all(connection)
    .await?;
    Ok(found.into_iter().map(CaseId).collect())
}

/// The case with this id in another system, which need not be unique across systems.
pub async fn by_source(
    connection: &mut PgConnection,
    scope: &Scope,
    source_id: &str,
) -> Result<Option<CaseFile>, sqlx::Error> {
    let mut query = QueryBuilder::<Postgres>::new(
        "SELECT row_to_json(t)::text FROM case_files t WHERE source_system IS NOT NULL AND source_id = ",
    );
    query.push_bind(source_id.to_owned()).push(" AND ");
    push_scope(&mut query, scope);
    query.push(" LIMIT 1");
    let rows: Vec<String> = query.build_query_scalar().fetch_all(&mut *connection).await?;
    Ok(files(connection, &rows).await?.pop())
}

/// The newest cases inside a scope, older than `before`.
pub async fn list(
    connection: &mut PgConnection,
    scope: &Scope,
    stage: Option<&str>,
    before: Option<(DateTime<Utc>, Uuid)>,
    limit: i64,
) -> Result<Vec<CaseFile>, sqlx::Error> {
    let mut query = QueryBuilder::<Postgres>::new("SELECT row_to_json(t)::text FROM case_files t WHERE ");
    push_scope(&mut query, scope);
    if let Some(stage) = stage {
        query.push(" AND stage = ").push_bind(stage.to_owned());
    }
    if let Some((at, case)) = before {
        query
            .push(" AND (submitted_at, case_id) < (")
            .push_bind(at)
            .push(", ")
            .push_bind(case)
            .push(")");
    }
    query
        .push(" ORDER BY submitted_at DESC, case_id DESC LIMIT ")
        .push_bind(limit);
    let rows: Vec<String> = query.build_query_scalar().fetch_all(&mut *connection).await?;
    files(connection, &rows).await
}
