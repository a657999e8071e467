use crate::{
    fold::{Standing, Stored},
    scope::push_scope,
};
use chrono::{DateTime, Utc};
use onetrip_model::{
    AttachmentRef, Case, CaseEvent, CaseId, CaseNumber, Channel, Private,
    access::Scope,
    case::{Contact, Filed, PlaceDetail},
};
use serde::Deserialize;
use sqlx::{PgConnection, Postgres, QueryBuilder};
use std::collections::HashSet;
use uuid::Uuid;

/// The head of a case. Private parts are sealed.
#[derive(Clone, Debug)]
pub struct CaseFile {
    pub case: CaseId,
    /// Sequence of the newest event folded into this file.
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
    pub source_system: Option<String>,
    pub source_id: Option<String>,
    pub previous: Option<CaseId>,
    pub resulted_at: Option<DateTime<Utc>>,
    pub closed_at: Option<DateTime<Utc>>,
    pub verdict: Option<String>,
    pub score: Option<i16>,
}

#[derive(Clone, Debug)]
pub struct TimelineEntry {
    pub sequence: u64,
    pub recorded_at: DateTime<Utc>,
    pub event: CaseEvent,
}

/// What a file has beside its standing.
#[derive(Debug, Deserialize)]
struct FileRow {
    contact: Option<Private<Contact>>,
    place_detail: Option<Private<PlaceDetail>>,
    words: Private<String>,
    attachments: Vec<AttachmentRef>,
    channel: Channel,
    source_system: Option<String>,
    source_id: Option<String>,
    previous_case: Option<Uuid>,
    resulted_at: Option<DateTime<Utc>>,
    closed_at: Option<DateTime<Utc>>,
    verdict: Option<String>,
    score: Option<i16>,
}

impl CaseFile {
    fn from_json(row: String) -> Result<CaseFile, sqlx::Error> {
        let stored: Stored<FileRow> = Stored::from_json(&row)?;
        let Case::Filed(filed) = stored.state else {
            return Err(sqlx::Error::RowNotFound);
        };
        let row = stored.row;
        Ok(CaseFile {
            case: CaseId(stored.case_id),
            version: stored.version.unsigned_abs(),
            standing: stored.standing,
            filed: *filed,
            submitted_at: stored.submitted_at,
            contact: row.contact,
            place_detail: row.place_detail,
            words: row.words,
            attachments: row.attachments,
            channel: row.channel,
            source_system: row.source_system,
            source_id: row.source_id,
            previous: row.previous_case.map(CaseId),
            resulted_at: row.resulted_at,
            closed_at: row.closed_at,
            verdict: row.verdict,
            score: row.score,
        })
    }
}

async fn one(
    connection: &mut PgConnection,
    condition: &str,
    value: &str,
) -> Result<Option<CaseFile>, sqlx::Error> {
    let sql = format!("SELECT row_to_json(t)::text FROM case_files t WHERE {condition}");
    let row: Option<String> = sqlx::query_scalar(&sql)
        .bind(value)
        .fetch_optional(connection)
        .await?;
    row.map(CaseFile::from_json).transpose()
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
    let row: Option<String> = query.build_query_scalar().fetch_optional(connection).await?;
    row.map(CaseFile::from_json).transpose()
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
    let rows: Vec<String> = query.build_query_scalar().fetch_all(connection).await?;
    rows.into_iter().map(CaseFile::from_json).collect()
}

/// All events of a case, oldest first.
pub async fn timeline(
    connection: &mut PgConnection,
    case: CaseId,
) -> Result<Vec<TimelineEntry>, sqlx::Error> {
    let rows: Vec<(i64, DateTime<Utc>, sqlx::types::Json<CaseEvent>)> = sqlx::query_as(
        "SELECT sequence, recorded_at, event FROM case_timeline WHERE case_id = $1 ORDER BY sequence",
    )
    .bind(case.0)
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(|(sequence, recorded_at, event)| TimelineEntry {
            sequence: sequence.unsigned_abs(),
            recorded_at,
            event: event.0,
        })
        .collect())
}
