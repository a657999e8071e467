use crate::{
    fold::{Standing, Stored, due},
    scope::push_scope,
};
use chrono::{DateTime, Utc};
use onetrip_model::{
    CaseId,
    access::{Scope, StaffMember},
};
use serde::Deserialize;
use sqlx::{PgConnection, Postgres, QueryBuilder};
use uuid::Uuid;

/// One case in a queue: an open one, or one that has ended and on which something is owed.
#[derive(Clone, Debug)]
pub struct QueueEntry {
    pub case: CaseId,
    pub version: u64,
    pub standing: Standing,
    pub submitted_at: DateTime<Utc>,
    /// What is due next and when; None where nothing is.
    pub due_at: Option<DateTime<Utc>>,
    pub due_what: Option<String>,
    /// The tier that it was escalated to.
    pub escalated_to: Option<String>,
}

/// Which part of what one may see.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QueueFilter {
    pub mine: Option<Mine>,
    pub stage: Option<String>,
    pub kind: Option<String>,
    /// Only what is due at or before this instant.
    pub due_by: Option<DateTime<Utc>>,
    /// Only what was escalated for the result that is owed.
    pub escalated: bool,
}

/// Whose work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mine {
    /// The cases of one's own contact districts.
    ContactDistricts(Vec<String>),
    /// What one's unit holds or is offered.
    Unit(String),
}

impl Mine {
    pub fn districts(staff: &StaffMember) -> Mine {
        Mine::ContactDistricts(
            staff
                .contact_districts
                .iter()
                .map(|district| district.0.clone())
                .collect(),
        )
    }
}

/// Where a page ended. `due_at` is None for cases with nothing due, which come last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueCursor {
    pub due_at: Option<DateTime<Utc>>,
    pub case: Uuid,
}

impl QueueEntry {
    pub fn cursor(&self) -> QueueCursor {
        QueueCursor {
            due_at: self.due_at,
            case: self.case.0,
        }
    }
}

fn push_filter(query: &mut QueryBuilder<'_, Postgres>, scope: &Scope, filter: &QueueFilter) {
    query.push("open AND ");
    push_scope(query, scope);
    match &filter.mine {
        None => {}
        Some(Mine::ContactDistricts(districts)) => {
            query
                .push(" AND contact_district = ANY(")
                .push_bind(districts.clone())
                .push(")");
        }
        Some(Mine::Unit(unit)) => {
            query.push(" AND (unit = ").push_bind(unit.clone());
            query.push(" OR offered_to = ").push_bind(unit.clone());
            query
                .push(" OR joint_units IS NOT NULL AND ")
                .push_bind(unit.clone());
            query.push(" = ANY(string_to_array(joint_units, ' ')))");
        }
    }
    if let Some(stage) = &filter.stage {
        query.push(" AND stage = ").push_bind(stage.clone());
    }
    if let Some(kind) = &filter.kind {
        query.push(" AND kind = ").push_bind(kind.clone());
    }
    if let Some(due_by) = filter.due_by {
        query.push(" AND due_at <= ").push_bind(due_by);
    }
    if filter.escalated {
        query.push(" AND escalated_to IS NOT NULL");
    }
}

/// The queue by time left, after `after`.
pub async fn page(
    connection: &mut PgConnection,
    scope: &Scope,
    filter: &QueueFilter,
    after: Option<QueueCursor>,
    limit: i64,
) -> Result<Vec<QueueEntry>, sqlx::Error> {
    let mut query = QueryBuilder::<Postgres>::new("SELECT row_to_json(t)::text FROM queue_entries t WHERE ");
    push_filter(&mut query, scope, filter);
    if let Some(after) = after {
        query
            .push(" AND (due_at, case_id) > (coalesce(")
            .push_bind(after.due_at);
        query.push(", 'infinity'), ").push_bind(after.case).push(")");
    }
    query.push(" ORDER BY due_at, case_id LIMIT ").push_bind(limit);
    let rows: Vec<String> = query.build_query_scalar().fetch_all(connection).await?;
    rows.into_iter().map(entry).collect()
}

/// Where a page of [`to_act_on`] ended.
pub type ActsCursor = (DateTime<Utc>, CaseId);

/// Cases on which the service has something to do by `now`, those first that wait longest, after `after`.
pub async fn to_act_on(
    connection: &mut PgConnection,
    now: DateTime<Utc>,
    after: Option<ActsCursor>,
    limit: i64,
) -> Result<Vec<ActsCursor>, sqlx::Error> {
    let (acts_at, case) = after.unzip();
    let rows: Vec<(DateTime<Utc>, Uuid)> = sqlx::query_as(
        "SELECT acts_at, case_id FROM queue_entries
         WHERE acts_at <= $1 AND acts_at < 'infinity' AND (acts_at, case_id) > (coalesce($2, '-infinity'), $3)
         ORDER BY acts_at, case_id LIMIT $4",
    )
    .bind(now)
    .bind(acts_at)
    .bind(case.map_or(Uuid::nil(), |case: CaseId| case.0))
    .bind(limit)
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|(at, case)| (at, CaseId(case))).collect())
}

/// Cases on which something was raised at an instant after `now`, by a computer's clock that was ahead, in the order of
/// their ids after `after`.
pub async fn raised_early(
    connection: &mut PgConnection,
    now: DateTime<Utc>,
    after: Option<CaseId>,
    limit: i64,
) -> Result<Vec<CaseId>, sqlx::Error> {
    let rows: Vec<Uuid> = sqlx::query_scalar(
        "SELECT case_id FROM queue_entries WHERE raised_at > $1 AND case_id > $2 ORDER BY case_id LIMIT $3",
    )
    .bind(now)
    .bind(after.map_or(Uuid::nil(), |case| case.0))
    .bind(limit)
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(CaseId).collect())
}

/// For how long the case that has waited longest for the service has waited at `now`, in seconds; 0 where none does.
pub async fn acts_late_by(connection: &mut PgConnection, now: DateTime<Utc>) -> Result<f64, sqlx::Error> {
    let first: Option<DateTime<Utc>> = sqlx::query_scalar(
        "SELECT min(acts_at) FROM queue_entries WHERE acts_at <= $1 AND acts_at < 'infinity'",
    )
    .bind(now)
    .fetch_one(connection)
    .await?;
    let late = first.and_then(|first| (now - first).to_std().ok());
    Ok(late.map_or(0.0, |late| late.as_secs_f64()))
}

/// Cases, also ended ones, with a clock that runs beyond `now`, with the version at which they were last seen, in the order of
/// their ids after `after`.
pub async fn on_the_clock(
    connection: &mut PgConnection,
    now: DateTime<Utc>,
    after: Option<CaseId>,
    limit: i64,
) -> Result<Vec<(CaseId, u64)>, sqlx::Error> {
    let rows: Vec<(Uuid, i64)> = sqlx::query_as(
        "SELECT case_id, version FROM queue_entries
         WHERE runs_until >= $1 AND case_id > $2 ORDER BY case_id LIMIT $3",
    )
    .bind(now)
    .bind(after.map_or(Uuid::nil(), |case| case.0))
    .bind(limit)
    .fetch_all(connection)
    .await?;
    let cases = rows.into_iter();
    Ok(cases
        .map(|(case, version)| (CaseId(case), version.unsigned_abs()))
        .collect())
}

/// How many cases the filter leaves.
pub async fn count(
    connection: &mut PgConnection,
    scope: &Scope,
    filter: &QueueFilter,
) -> Result<u64, sqlx::Error> {
    let mut query = QueryBuilder::<Postgres>::new("SELECT count(*) FROM queue_entries t WHERE ");
    push_filter(&mut query, scope, filter);
    let count: i64 = query.build_query_scalar().fetch_one(connection).await?;
    Ok(count.unsigned_abs())
}

/// How many cases are in the queue, and of these past what is due next, in the whole service.
pub async fn counts(connection: &mut PgConnection, now: DateTime<Utc>) -> Result<Counts, sqlx::Error> {
    let (open, overdue) =
        sqlx::query_as("SELECT count(*), count(*) FILTER (WHERE due_at < $1) FROM queue_entries WHERE open")
            .bind(now)
            .fetch_one(connection)
            .await?;
    Ok(Counts { open, overdue })
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counts {
    pub open: i64,
    pub overdue: i64,
}

/// What a line has beside its standing.
#[derive(Debug, Deserialize)]
struct QueueRow {
    #[serde(deserialize_with = "due::deserialize")]
    due_at: Option<DateTime<Utc>>,
    /// `contact`, `result`, `answer`, `verdict`, `review`, `promise` or `rating_owner`.
    due_what: Option<String>,
    escalated_to: Option<String>,
}

pub(super) fn entry(row: String) -> Result<QueueEntry, sqlx::Error> {
    let stored: Stored<QueueRow> = Stored::from_json(&row)?;
    Ok(QueueEntry {
        case: CaseId(stored.case_id),
        version: stored.version.unsigned_abs(),
        standing: stored.standing,
        submitted_at: stored.submitted_at,
        due_at: stored.row.due_at,
        due_what: stored.row.due_what,
        escalated_to: stored.row.escalated_to,
    })
}
