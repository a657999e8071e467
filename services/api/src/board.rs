//! The supervisor's board: figures of units and matters, never of people.

use crate::{
    Api,
    caller::Caller,
    extract::{Params, after, bad_query, checked_code, limit},
    problem::Failure,
    values::{Always, Forbidden, Kind, SignInNeeded, Stage, UnitRef},
};
use axum::{Json, extract::State};
use chrono::{DateTime, Utc};
use onetrip_casework::{BoardGroup, Casework};
use onetrip_http_kit::Cursor;
use onetrip_model::figures::{self, Figures};
use onetrip_read_models::resolution::{BoardFilter, CaseRef, Grouping};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct BoardQuery {
    /// Code of a division inside one's own.
    #[param(min_length = 1, max_length = 64)]
    area: Option<String>,
    #[param(min_length = 1, max_length = 64)]
    unit: Option<String>,
    kind: Option<Kind>,
    /// Start of the period; each figure counts a case at its own instant.
    from: Option<DateTime<Utc>>,
    /// End of the period, itself not included.
    to: Option<DateTime<Utc>>,
    /// What the groups are made by; `unit` if left out.
    group_by: Option<GroupBy>,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct BoardCasesQuery {
    /// The number whose cases are wanted.
    #[param(inline)]
    figure: Figure,
    /// Code of a division inside one's own.
    #[param(min_length = 1, max_length = 64)]
    area: Option<String>,
    #[param(min_length = 1, max_length = 64)]
    unit: Option<String>,
    kind: Option<Kind>,
    /// Start of the period.
    from: Option<DateTime<Utc>>,
    /// End of the period, itself not included.
    to: Option<DateTime<Utc>>,
    /// With `group`: only one group of the board.
    group_by: Option<GroupBy>,
    /// `name` of the group; needs `group_by`.
    #[param(max_length = 64)]
    group: Option<String>,
    /// `next` of the page before.
    #[param(max_length = 512)]
    after: Option<String>,
    /// Rows of a page; 25 if left out.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
}

#[derive(Clone, Copy, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum GroupBy {
    Unit,
    District,
    Kind,
    Category,
    /// In the city's time.
    Month,
}

impl From<GroupBy> for Grouping {
    fn from(by: GroupBy) -> Self {
        match by {
            GroupBy::Unit => Grouping::Unit,
            GroupBy::District => Grouping::District,
            GroupBy::Kind => Grouping::Kind,
            GroupBy::Category => Grouping::Category,
            GroupBy::Month => Grouping::Month,
        }
    }
}

/// A figure of the board whose cases can be listed.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Figure {
    Submitted,
    Open,
    OpenOverdue,
    ContactDue,
    ContactMet,
    ContactMissed,
    ResultDue,
    ResultMet,
    ResultMissed,
    Closed,
    ClosedRunOnce,
    ClosedWithBreach,
    Concluded,
    Reopened,
    Asked,
    Rated,
    Satisfied,
    Dissatisfied,
    Solved,
    NotSolved,
}

impl From<Figure> for figures::Figure {
    fn from(figure: Figure) -> Self {
        match figure {
            Figure::Submitted => figures::Figure::Submitted,
            Figure::Open => figures::Figure::Open,
            Figure::OpenOverdue => figures::Figure::OpenOverdue,
            Figure::ContactDue => figures::Figure::ContactDue,
            Figure::ContactMet => figures::Figure::ContactMet,
            Figure::ContactMissed => figures::Figure::ContactMissed,
            Figure::ResultDue => figures::Figure::ResultDue,
            Figure::ResultMet => figures::Figure::ResultMet,
            Figure::ResultMissed => figures::Figure::ResultMissed,
            Figure::Closed => figures::Figure::Closed,
            Figure::ClosedRunOnce => figures::Figure::ClosedRunOnce,
            Figure::ClosedWithBreach => figures::Figure::ClosedWithBreach,
            Figure::Concluded => figures::Figure::Concluded,
            Figure::Reopened => figures::Figure::Reopened,
            Figure::Asked => figures::Figure::Asked,
            Figure::Rated => figures::Figure::Rated,
            Figure::Satisfied => figures::Figure::Satisfied,
            Figure::Dissatisfied => figures::Figure::Dissatisfied,
            Figure::Solved => figures::Figure::Solved,
            Figure::NotSolved => figures::Figure::NotSolved,
        }
    }
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Board {
    as_of: DateTime<Utc>,
    /// Everything that the filter leaves.
    total: Numbers,
    group_by: GroupBy,
    groups: Vec<Group>,
}

#[derive(Serialize, ToSchema)]
struct Group {
    /// Code of the unit or district, kind, category or month; empty where there is none.
    name: String,
    numbers: Numbers,
}

/// A share as the two numbers it is made of; with a denominator of 0 there is none.
#[derive(Serialize, ToSchema)]
struct Share {
    numerator: u64,
    denominator: u64,
}

#[derive(Serialize, ToSchema)]
struct Numbers {
    submitted: u64,
    open: u64,
    open_overdue: u64,
    closed: u64,
    closed_in_time: u64,
    closed_late: u64,
    closed_without_target: u64,
    partly: u64,
    not_solved: u64,
    /// First real contact in time, of the cases whose contact limit fell in the period.
    response: Share,
    /// Result inside the clock, of the cases whose limit fell in the period, open overdue ones included.
    on_time: Share,
    /// Residents who say solved, of those who gave a verdict.
    resolution: Share,
    /// 3 or better of 5, of those who rated. To be read beside `share_rated`.
    satisfaction: Share,
    /// Rated, of those asked.
    share_rated: Share,
    /// Reopened, of those that came to their first end in the period: closed, or reopened instead.
    reopened: Share,
    /// Closed without a breach of the run-once rule, of those closed.
    run_once: Share,
    /// Seconds from submission to the result, open cases counted as not yet finished.
    result_seconds: Percentiles,
}

/// Null where so many cases are still open that it is not reached yet.
#[derive(Serialize, ToSchema)]
struct Percentiles {
    p50: Option<u64>,
    p75: Option<u64>,
    p90: Option<u64>,
    p95: Option<u64>,
}

impl From<&BoardGroup> for Numbers {
    fn from(group: &BoardGroup) -> Self {
        let Figures {
            submitted,
            open,
            open_overdue,
            closed,
            partly,
            not_solved,
            ..
        } = group.figures;
        let figures = &group.figures;
        let share = |numerator, denominator| Share {
            numerator,
            denominator,
        };
        let times = group.times;
        Numbers {
            submitted,
            open,
            open_overdue,
            closed,
            closed_in_time: figures.closed_in_time,
            closed_late: figures.closed_late,
            closed_without_target: figures.closed_without_target,
            partly,
            not_solved,
            response: share(figures.contact_met, figures.contact_due),
            on_time: share(figures.result_met, figures.result_due),
            resolution: share(figures.solved, figures.rated),
            satisfaction: share(figures.satisfied, figures.rated),
            share_rated: share(figures.rated, figures.asked),
            reopened: share(figures.reopened, figures.concluded),
            run_once: share(figures.closed_run_once, closed),
            result_seconds: Percentiles {
                p50: times.p50,
                p75: times.p75,
                p90: times.p90,
                p95: times.p95,
            },
        }
    }
}

/// The board
///
/// For supervisors, of the cases inside their area.
#[utoipa::path(
    get, path = "/api/v1/board", tag = "board", security(("bearer" = [])), params(BoardQuery),
    responses((status = 200, description = "The figures.", body = Board), Always, SignInNeeded, Forbidden),
)]
pub(crate) async fn board(
    State(api): State<Api>,
    caller: Caller,
    Params(query): Params<BoardQuery>,
) -> Result<Json<Board>, Failure> {
    caller.signed_in()?;
    let filter = BoardFilter {
        area: checked_code("area", query.area)?,
        unit: checked_code("unit", query.unit)?,
        kind: query.kind.map(|kind| kind.as_str().to_owned()),
        from: query.from,
        to: query.to,
    };
    let group_by = query.group_by.unwrap_or(GroupBy::Unit);
    let board = api
        .casework
        .board(&caller.actor(), &filter, &[group_by.into()])
        .await?;
    let groups = board.groups.iter().flat_map(|(_, groups)| groups);
    Ok(Json(Board {
        as_of: board.as_of,
        total: Numbers::from(&board.total),
        group_by,
        groups: groups
            .map(|group| Group {
                name: group.name.clone(),
                numbers: group.into(),
            })
            .collect(),
    }))
}

#[derive(Serialize, ToSchema)]
pub(crate) struct BoardCases {
    /// Newest first.
    items: Vec<BoardLine>,
    /// `after` of the next page; null on the last.
    next: Option<String>,
    /// How many cases the number is made of.
    count: u64,
}

#[derive(Serialize, ToSchema)]
struct BoardLine {
    /// Twelve digits, in groups of four.
    number: String,
    kind: String,
    category: String,
    stage: Stage,
    division: String,
    /// Null where none answered for it.
    unit: Option<UnitRef>,
    submitted_at: DateTime<Utc>,
    /// Limit of the first result.
    due_at: Option<DateTime<Utc>>,
    result_at: Option<DateTime<Utc>>,
}

impl BoardLine {
    fn of(casework: &Casework, case: CaseRef) -> BoardLine {
        let number = case
            .number
            .parse()
            .map(|number: onetrip_model::CaseNumber| number.to_string());
        BoardLine {
            number: number.unwrap_or(case.number),
            kind: case.kind,
            category: case.category,
            stage: Stage::named(&case.stage),
            division: case.division,
            unit: Some(case.unit)
                .filter(|unit| !unit.is_empty())
                .map(|unit| UnitRef::of(casework, &unit)),
            submitted_at: case.submitted_at,
            due_at: case.due_at,
            result_at: case.result_at,
        }
    }
}

/// The cases behind a figure
#[utoipa::path(
    get, path = "/api/v1/board/cases", tag = "board", security(("bearer" = [])), params(BoardCasesQuery),
    responses((status = 200, description = "A page of them.", body = BoardCases), Always, SignInNeeded, Forbidden),
)]
pub(crate) async fn cases(
    State(api): State<Api>,
    caller: Caller,
    Params(query): Params<BoardCasesQuery>,
) -> Result<Json<BoardCases>, Failure> {
    caller.signed_in()?;
    let limit = limit(query.limit)? as usize;
    let skip = after::<u32>(query.after.as_deref())?.unwrap_or(0) as usize;
    let filter = BoardFilter {
        area: checked_code("area", query.area)?,
        unit: checked_code("unit", query.unit)?,
        kind: query.kind.map(|kind| kind.as_str().to_owned()),
        from: query.from,
        to: query.to,
    };
    let group = match (query.group_by, &query.group) {
        (Some(by), Some(name)) => Some((Grouping::from(by), name.as_str())),
        (None, None) => None,
        _ => return Err(bad_query().detail("group_by and group go together")),
    };
    let found = api
        .casework
        .board_cases(&caller.actor(), &filter, query.figure.into(), group, skip, limit)
        .await?;
    let (count, cases) = found;
    let shown = skip.saturating_add(cases.len());
    let more = !cases.is_empty() && (shown as u64) < count;
    Ok(Json(BoardCases {
        items: cases
            .into_iter()
            .map(|case| BoardLine::of(&api.casework, case))
            .collect(),
        next: more.then(|| Cursor(shown).to_string()),
        count,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_figure_of_the_model_can_be_asked_for() {
        for figure in figures::Figure::ALL {
            let asked: Figure = serde_json::from_value(figure.as_str().into()).unwrap();
            assert_eq!(figures::Figure::from(asked), figure);
        }
    }
}
