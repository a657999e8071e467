use super::query::{QueueEntry, entry};
use crate::scope::push_scope;
use onetrip_model::{CaseKind, access::Scope};
use sqlx::{PgConnection, Postgres, QueryBuilder};

/// Where one matter may have been filed before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Near {
    pub kind: CaseKind,
    /// Codes of the divisions looked at, themselves and not what is inside.
    pub divisions: Vec<String>,
    /// Ids of the categories looked at, the most likely first.
    pub categories: Vec<String>,
    /// Only those that somebody else's may be handled with.
    pub joinable: bool,
}

/// Open cases filed there inside a scope, at most `limit`: category by category, the newest of each first. Of each pair of a
/// division and a category, the newest are looked at until `limit` are found.
pub async fn near(
    connection: &mut PgConnection,
    scope: &Scope,
    near: &Near,
    limit: u32,
) -> Result<Vec<QueueEntry>, sqlx::Error> {
    let limit = i64::from(limit);
    let mut query = QueryBuilder::<Postgres>::new("SELECT row_to_json(t)::text FROM unnest(");
    query
        .push_bind(near.categories.clone())
        .push("::text[]) WITH ORDINALITY AS wanted (category, rank) CROSS JOIN unnest(")
        .push_bind(near.divisions.clone())
        .push("::text[]) AS around (division) CROSS JOIN LATERAL (SELECT * FROM queue_entries WHERE ")
        .push(if near.joinable {
            "joinable AND "
        } else {
            "open AND stage NOT IN ('merged', 'closed', 'withdrawn') AND "
        })
        .push("division = around.division AND category = wanted.category AND kind = ")
        .push_bind(near.kind.as_str())
        .push(" AND ");
    push_scope(&mut query, scope);
    query
        .push(" ORDER BY submitted_at DESC, case_id DESC LIMIT ")
        .push_bind(limit)
        .push(") t ORDER BY wanted.rank, t.submitted_at DESC, t.case_id DESC LIMIT ")
        .push_bind(limit);
    let rows: Vec<String> = query.build_query_scalar().fetch_all(connection).await?;
    rows.into_iter().map(entry).collect()
}
