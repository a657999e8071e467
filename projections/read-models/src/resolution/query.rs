use crate::scope::{push_area, push_scope};
use chrono::{DateTime, Utc};
use futures::TryStreamExt as _;
use onetrip_model::{
    access::Scope,
    calendar::CITY_ZONE,
    case::Verdict,
    figures::{CaseFacts, Contribution, Figure, Figures, contributions},
};
use sqlx::{PgConnection, Postgres, QueryBuilder, Row, postgres::PgRow};
use std::{
    cmp::{Ordering, Reverse},
    collections::{BTreeMap, BinaryHeap},
};
use uuid::Uuid;

/// Which cases, and which instants of theirs, a board is made of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BoardFilter {
    pub area: Option<String>,
    pub unit: Option<String>,
    pub kind: Option<String>,
    /// `from..to`; each figure counts by its own instant.
    pub from: Option<DateTime<Utc>>,
    pub to: Option<DateTime<Utc>>,
}

impl BoardFilter {
    fn covers(&self, at: DateTime<Utc>) -> bool {
        self.from.is_none_or(|from| at >= from) && self.to.is_none_or(|to| at < to)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grouping {
    Unit,
    /// The district, cut off the division code; whole codes of other systems.
    District,
    Kind,
    Category,
    /// `2026-11`, in the city's time.
    Month,
}

/// A case's facts with what it is grouped by.
#[derive(Clone, Debug)]
pub struct BoardRow {
    pub case: Uuid,
    pub number: String,
    pub unit: String,
    pub division: String,
    pub kind: String,
    pub category: String,
    pub stage: String,
    pub facts: CaseFacts,
}

/// A line of the list behind a figure.
#[derive(Clone, Debug, PartialEq)]
pub struct CaseRef {
    pub number: String,
    pub kind: String,
    pub category: String,
    pub division: String,
    pub unit: String,
    pub stage: String,
    pub submitted_at: DateTime<Utc>,
    pub due_at: Option<DateTime<Utc>>,
    pub result_at: Option<DateTime<Utc>>,
}

/// A part of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Paging {
    pub skip: usize,
    pub limit: usize,
}

/// National codes have six digits down to the district.
const DISTRICT_DIGITS: usize = 6;

impl BoardRow {
    fn group(&self, grouping: Grouping, at: DateTime<Utc>) -> String {
        match grouping {
            Grouping::Unit => self.unit.clone(),
            Grouping::Kind => self.kind.clone(),
            Grouping::Category => self.category.clone(),
            Grouping::Month => at.with_timezone(&CITY_ZONE).format("%Y-%m").to_string(),
            Grouping::District => {
                let national = self.division.bytes().all(|byte| byte.is_ascii_digit());
                let digits = if national {
                    DISTRICT_DIGITS
                } else {
                    self.division.len()
                };
                self.division.get(..digits).unwrap_or(&self.division).to_owned()
            }
        }
    }
}

/// Looks at every case that the filter leaves, one after the other: a whole city's are never in memory at once.
async fn each_row(
    connection: &mut PgConnection,
    scope: &Scope,
    filter: &BoardFilter,
    mut look: impl FnMut(BoardRow),
) -> Result<(), sqlx::Error> {
    let mut query = QueryBuilder::<Postgres>::new(
        "SELECT case_id, t.number, coalesce(unit, '') AS unit, division, kind, category, stage, submitted_at,
                observed_until, contact_due_at, contacted_at, first_due_at, first_result_at, result_at, closed_at,
                withdrawn_at, asked_at, rated_at, reopened_at, first_ended_at, verdict, score,
                coalesce(ledger.breaches, 0) AS breaches
         FROM resolution_cases t LEFT JOIN (SELECT case_id, breaches FROM run_once_cases) ledger USING (case_id) WHERE ",
    );
    push_scope(&mut query, scope);
    if let Some(area) = &filter.area {
        query.push(" AND ");
        push_area(&mut query, area);
    }
    if let Some(unit) = &filter.unit {
        query.push(" AND unit = ").push_bind(unit.clone());
    }
    if let Some(kind) = &filter.kind {
        query.push(" AND kind = ").push_bind(kind.clone());
    }
    let mut rows = query.build().fetch(connection);
    while let Some(row) = rows.try_next().await? {
        look(read(&row)?);
    }
    Ok(())
}

fn read(row: &PgRow) -> Result<BoardRow, sqlx::Error> {
    let verdict: Option<String> = row.try_get("verdict")?;
    let score: Option<i16> = row.try_get("score")?;
    let breaches: i32 = row.try_get("breaches")?;
    Ok(BoardRow {
        case: row.try_get("case_id")?,
        number: row.try_get("number")?,
        unit: row.try_get("unit")?,
        division: row.try_get("division")?,
        kind: row.try_get("kind")?,
        category: row.try_get("category")?,
        stage: row.try_get("stage")?,
        facts: CaseFacts {
            submitted_at: row.try_get("submitted_at")?,
            observed_until: row.try_get("observed_until")?,
            contact_due_at: row.try_get("contact_due_at")?,
            contacted_at: row.try_get("contacted_at")?,
            first_due_at: row.try_get("first_due_at")?,
            first_result_at: row.try_get("first_result_at")?,
            result_at: row.try_get("result_at")?,
            closed_at: row.try_get("closed_at")?,
            withdrawn_at: row.try_get("withdrawn_at")?,
            asked_at: row.try_get("asked_at")?,
            rated_at: row.try_get("rated_at")?,
            reopened_at: row.try_get("reopened_at")?,
            first_ended_at: row.try_get("first_ended_at")?,
            solved: verdict
                .and_then(|name| Verdict::ALL.into_iter().find(|verdict| verdict.as_str() == name)),
            score: score.and_then(|score| u8::try_from(score).ok()),
            breaches: breaches.unsigned_abs(),
        },
    })
}

/// The figures over everything the filter leaves, and for each grouping by group.
pub async fn board(
    connection: &mut PgConnection,
    scope: &Scope,
    filter: &BoardFilter,
    groupings: &[Grouping],
    now: DateTime<Utc>,
) -> Result<(Figures, Vec<BTreeMap<String, Figures>>), sqlx::Error> {
    let mut total = Figures::default();
    let mut groups: Vec<BTreeMap<String, Figures>> = vec![BTreeMap::new(); groupings.len()];
    each_row(connection, scope, filter, |row| {
        for (at, contribution) in contributions(&row.facts, now).filter(|(at, _)| filter.covers(*at)) {
            total.add(contribution);
            for (grouping, groups) in groupings.iter().zip(&mut groups) {
                groups
                    .entry(row.group(*grouping, at))
                    .or_default()
                    .add(contribution);
            }
        }
    })
    .await?;
    Ok((total, groups))
}

/// A case in the order of a list.
struct Listed {
    key: (DateTime<Utc>, Uuid),
    row: BoardRow,
}

impl PartialEq for Listed {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl Eq for Listed {}

impl PartialOrd for Listed {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Listed {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key.cmp(&other.key)
    }
}

/// The cases behind one figure, optionally of one group, newest first; and how many there are.
pub async fn cases(
    connection: &mut PgConnection,
    scope: &Scope,
    filter: &BoardFilter,
    figure: Figure,
    group: Option<(Grouping, &str)>,
    now: DateTime<Utc>,
    paging: Paging,
) -> Result<(u64, Vec<CaseRef>), sqlx::Error> {
    let counts = |row: &BoardRow, at: DateTime<Utc>, contribution: Contribution| {
        figure.counts(contribution)
            && filter.covers(at)
            && group.is_none_or(|(grouping, name)| row.group(grouping, at) == name)
    };
    // The newest as far as the page reaches, the oldest of them on top.
    let reach = paging.skip.saturating_add(paging.limit);
    let mut newest: BinaryHeap<Reverse<Listed>> = BinaryHeap::new();
    let mut count = 0;
    each_row(connection, scope, filter, |row| {
        if !contributions(&row.facts, now).any(|(at, contribution)| counts(&row, at, contribution)) {
            return;
        }
        count += 1;
        let listed = Listed {
            key: (row.facts.submitted_at, row.case),
            row,
        };
        if newest.len() < reach {
            newest.push(Reverse(listed));
        } else if let Some(mut oldest) = newest.peek_mut()
            && oldest.0.key < listed.key
        {
            *oldest = Reverse(listed);
        }
    })
    .await?;
    let found = newest
        .into_sorted_vec()
        .into_iter()
        .map(|Reverse(listed)| listed.row);
    let page = found.skip(paging.skip).take(paging.limit);
    let page = page.map(|row| CaseRef {
        number: row.number,
        kind: row.kind,
        category: row.category,
        division: row.division,
        unit: row.unit,
        stage: row.stage,
        submitted_at: row.facts.submitted_at,
        due_at: row.facts.first_due_at,
        result_at: row.facts.result_at,
    });
    Ok((count, page.collect()))
}
