use crate::{
    fold::{Standing, Stored, due},
    scope::push_scope,
};
use chrono::{DateTime, Utc};
use onetrip_model::{
    Case, CaseId, Private,
    access::{Scope, StaffMember},
    case::{Filed, PlaceDetail},
};
use serde::Deserialize;
use sqlx::{PgConnection, Postgres, QueryBuilder};
use uuid::Uuid;

/// One open case in a queue. Private parts are sealed.
#[derive(Clone, Debug)]
pub struct QueueEntry {
    pub case: CaseId,
    pub version: u64,
    pub standing: Standing,
    pub filed: Filed,
    pub submitted_at: DateTime<Utc>,
    pub place_detail: Option<Private<PlaceDetail>>,
    pub words: Private<String>,
    /// What is due next and when; None where nothing is.
    pub due_at: Option<DateTime<Utc>>,
    pub due_what: Option<String>,
}

/// Which part of what one may see.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QueueFilter {
    pub mine: Option<Mine>,
    pub stage: Option<String>,
    pub kind: Option<String>,
    /// Only what is due at or before this instant.
    pub due_by: Option<DateTime<Utc>>,
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
            query.push(" OR offered_to = ").push_bind(unit.clone()).push(")");
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
}

/// Open cases by time left, after `after`.
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

/// How many open cases the filter leaves.
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

/// How many cases are open, and of these past what is due next, in the whole service.
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
    place_detail: Option<Private<PlaceDetail>>,
    words: Private<String>,
    #[serde(deserialize_with = "due::deserialize")]
    due_at: Option<DateTime<Utc>>,
    /// `contact`, `result`, `answer` or `verdict`.
    due_what: Option<String>,
}

fn entry(row: String) -> Result<QueueEntry, sqlx::Error> {
    let stored: Stored<QueueRow> = Stored::from_json(&row)?;
    let Case::Filed(filed) = stored.state else {
        return Err(sqlx::Error::RowNotFound);
    };
    Ok(QueueEntry {
        case: CaseId(stored.case_id),
        version: stored.version.unsigned_abs(),
        standing: stored.standing,
        filed: *filed,
        submitted_at: stored.submitted_at,
        place_detail: stored.row.place_detail,
        words: stored.row.words,
        due_at: stored.row.due_at,
        due_what: stored.row.due_what,
    })
}
