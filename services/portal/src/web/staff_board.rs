//! The supervisor's board and the lists behind its numbers.

use super::{
    failure::PageError,
    submit_fields::city,
    visit::{Visit, page},
    words,
};
use crate::views::{
    BoardCasesPage, BoardFilters, BoardPage, Chart, ChartRow, Choice, ChoiceGroup, CountTile, Kind, QueueRow,
    RangeChart, RangeRow, Tile, Tone,
};
use axum::{extract::Query, response::Response};
use chrono::{DateTime, Datelike, Months, NaiveDate, TimeZone, Utc};
use onetrip_casework::{Board, BoardGroup, CaseworkError};
use onetrip_i18n::per_cent;
use onetrip_model::{
    CaseNumber,
    access::Actor,
    calendar::{CITY_ZONE, city_date},
    figures::{Figure, Figures},
};
use onetrip_read_models::resolution::{BoardFilter, CaseRef, Grouping};
use serde::Deserialize;
use std::cmp::Reverse;

const ROWS: usize = 50;
/// Groups smaller than this are not drawn: one case would speak for a whole unit.
const SMALL: u64 = 5;
/// Bars of one chart; the rest is in the table of the export.
const BARS_MAX: usize = 20;
/// Upright bars need more room: a year of them.
const MONTH_BARS_MAX: usize = 12;
/// Months that can be chosen, back from now.
const MONTHS: u32 = 24;
const SECONDS_PER_HOUR: f64 = 3600.0;

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct BoardQuery {
    area: String,
    unit: String,
    kind: String,
    from: String,
    to: String,
    /// For the list behind a number.
    figure: String,
    /// `unit`, `district`, `kind` or `month`, and the group's name.
    by: String,
    group: String,
    skip: usize,
}

fn month(text: &str) -> Option<NaiveDate> {
    format!("{text}-01").parse().ok()
}

fn start_of(month: NaiveDate) -> Option<DateTime<Utc>> {
    let local = month.and_hms_opt(0, 0, 0)?;
    Some(
        CITY_ZONE
            .from_local_datetime(&local)
            .earliest()?
            .with_timezone(&Utc),
    )
}

fn grouping(name: &str) -> Option<Grouping> {
    match name {
        "unit" => Some(Grouping::Unit),
        "district" => Some(Grouping::District),
        "kind" => Some(Grouping::Kind),
        "month" => Some(Grouping::Month),
        _ => None,
    }
}

impl BoardQuery {
    /// The area shown: the one chosen, else the city where the supervisor looks after everything.
    fn area(&self, visit: &Visit, actor: &Actor) -> String {
        let own = actor
            .staff()
            .map(|staff| staff.area.0.clone())
            .unwrap_or_default();
        if !self.area.is_empty() {
            return self.area.clone();
        }
        if own.is_empty() { city(visit) } else { own }
    }

    fn filter(&self, area: String) -> BoardFilter {
        let filled = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
        BoardFilter {
            area: Some(area),
            unit: filled(&self.unit),
            kind: filled(&self.kind),
            from: month(&self.from).and_then(start_of),
            to: month(&self.to)
                .and_then(|month| month.checked_add_months(Months::new(1)))
                .and_then(start_of),
        }
    }

    fn parts(&self) -> Vec<String> {
        [
            ("area", &self.area),
            ("unit", &self.unit),
            ("kind", &self.kind),
            ("from", &self.from),
            ("to", &self.to),
        ]
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| format!("{name}={}", words::in_query(value)))
        .collect()
    }

    fn board_href(&self) -> String {
        let parts = self.parts();
        if parts.is_empty() {
            "/staff/board".to_owned()
        } else {
            format!("/staff/board?{}", parts.join("&"))
        }
    }

    /// The list behind a figure, of one group where one is named.
    fn list_href(&self, figure: Figure, group: Option<(&str, &str)>) -> String {
        let mut parts = self.parts();
        parts.push(format!("figure={}", figure.as_str()));
        if let Some((by, group)) = group {
            parts.push(format!("by={by}"));
            parts.push(format!("group={}", words::in_query(group)));
        }
        format!("/staff/board/cases?{}", parts.join("&"))
    }
}

const GROUPINGS: [(Grouping, &str); 4] = [
    (Grouping::Unit, "unit"),
    (Grouping::District, "district"),
    (Grouping::Kind, "kind"),
    (Grouping::Month, "month"),
];

pub(super) async fn board(visit: Visit, Query(query): Query<BoardQuery>) -> Result<Response, PageError> {
    let actor = visit.member()?;
    let area = query.area(&visit, &actor);
    let filter = query.filter(area.clone());
    let groupings = GROUPINGS.map(|(grouping, _)| grouping);
    let board = visit.casework().board(&actor, &filter, &groupings).await?;
    let view = BoardPage {
        ui: visit.ui(),
        filters: filters(&visit, &actor, &query, &area),
        as_of: board.as_of,
        counts: counts(&board.total.figures, &query),
        tiles: tiles(&visit, &board.total.figures, &query),
        times: ranges(
            &visit,
            &query,
            "times",
            &visit.t("board-times"),
            "unit",
            std::slice::from_ref(&board.total),
        ),
        ranges: range_charts(&visit, &query, &board),
        charts: charts(&visit, &query, &board),
    };
    page(&view)
}

fn counts(figures: &Figures, query: &BoardQuery) -> Vec<CountTile> {
    vec![
        CountTile {
            id: "open",
            n: figures.open,
            href: query.list_href(Figure::Open, None),
            pressing: false,
        },
        CountTile {
            id: "overdue",
            n: figures.open_overdue,
            href: query.list_href(Figure::OpenOverdue, None),
            pressing: figures.open_overdue > 0,
        },
    ]
}

fn tiles(visit: &Visit, figures: &Figures, query: &BoardQuery) -> Vec<Tile> {
    let ui = visit.ui();
    let tile = |id, numerator: (u64, Figure), denominator: (u64, Figure), beside| Tile {
        id,
        numerator: numerator.0,
        denominator: denominator.0,
        numerator_href: query.list_href(numerator.1, None),
        denominator_href: query.list_href(denominator.1, None),
        beside,
    };
    let rated = ui.t1(
        "board-beside-rated",
        "share",
        per_cent(figures.rated, figures.asked),
    );
    let missed = figures.asked.saturating_sub(figures.rated);
    let reached = ui.t2("board-beside-reached", "partly", figures.partly, "missed", missed);
    vec![
        tile(
            "response-rate",
            (figures.contact_met, Figure::ContactMet),
            (figures.contact_due, Figure::ContactDue),
            None,
        ),
        tile(
            "on-time",
            (figures.result_met, Figure::ResultMet),
            (figures.result_due, Figure::ResultDue),
            None,
        ),
        tile(
            "resolution-rate",
            (figures.solved, Figure::Solved),
            (figures.rated, Figure::Rated),
            Some(reached),
        ),
        tile(
            "satisfaction",
            (figures.satisfied, Figure::Satisfied),
            (figures.rated, Figure::Rated),
            Some(rated),
        ),
        tile(
            "share-rated",
            (figures.rated, Figure::Rated),
            (figures.asked, Figure::Asked),
            None,
        ),
        tile(
            "run-once",
            (figures.closed_run_once, Figure::ClosedRunOnce),
            (figures.closed, Figure::Closed),
            None,
        ),
        tile(
            "reopened",
            (figures.reopened, Figure::Reopened),
            (figures.concluded, Figure::Concluded),
            None,
        ),
    ]
}

/// A group's name in words.
fn name(visit: &Visit, by: &str, group: &str) -> String {
    let (directory, locale) = (visit.casework().directory(), visit.locale());
    match by {
        "unit" => words::unit(directory, locale, group),
        "district" => words::division(directory, locale, group),
        "kind" => group.parse::<Kind>().map_or_else(
            |_| group.to_owned(),
            |kind| visit.t(&format!("kind-{}", kind.slug())),
        ),
        "month" => month(group).map_or_else(|| group.to_owned(), |month| onetrip_i18n::month(locale, month)),
        _ => String::new(),
    }
}

/// The groups of a chart: months in order of time, the others by size.
fn ordered<'a>(by: &str, groups: &'a [BoardGroup], size: impl Fn(&Figures) -> u64) -> Vec<&'a BoardGroup> {
    let mut ordered: Vec<&BoardGroup> = groups.iter().filter(|group| size(&group.figures) > 0).collect();
    if by == "month" {
        let from = ordered.len().saturating_sub(MONTH_BARS_MAX);
        ordered.drain(..from);
    } else {
        ordered.sort_by_key(|group| Reverse(size(&group.figures)));
        ordered.truncate(BARS_MAX);
    }
    ordered
}

fn charts(visit: &Visit, query: &BoardQuery, board: &Board) -> Vec<Chart> {
    let ui = visit.ui();
    let mut charts = Vec::new();
    for (grouping, by) in GROUPINGS {
        let Some((_, groups)) = board.groups.iter().find(|(found, _)| *found == grouping) else {
            continue;
        };
        let by_words = visit.t(&format!("board-by-{by}"));
        let rows: Vec<ChartRow> = ordered(by, groups, |figures| figures.submitted)
            .into_iter()
            .map(|group| ChartRow {
                label: name(visit, by, &group.name),
                href: query.list_href(Figure::Submitted, Some((by, &group.name))),
                n: group.figures.submitted,
                value: group.figures.submitted as f64,
                value_text: onetrip_i18n::integer(group.figures.submitted),
                small: false,
            })
            .collect();
        let max = rows.iter().map(|row| row.value).fold(1.0, f64::max);
        charts.push(Chart {
            id: received_id(by),
            title: ui.t1("board-title-received", "by", by_words.clone()),
            by: visit.t(&format!("board-col-{by}")),
            value_name: visit.t("board-cases"),
            rows,
            max,
            over_time: by == "month",
        });
        let shares = ordered(by, groups, |figures| figures.result_due);
        if shares.is_empty() {
            continue;
        }
        let rows = shares.into_iter().map(|group| {
            let figures = &group.figures;
            let share = figures.result_met as f64 / figures.result_due.max(1) as f64 * 100.0;
            ChartRow {
                label: name(visit, by, &group.name),
                href: query.list_href(Figure::ResultDue, Some((by, &group.name))),
                n: figures.result_due,
                value: share,
                value_text: per_cent(figures.result_met, figures.result_due),
                small: figures.result_due < SMALL,
            }
        });
        charts.push(Chart {
            id: on_time_id(by),
            title: ui.t2(
                "board-title-by",
                "figure",
                visit.t("figure-on-time"),
                "by",
                by_words,
            ),
            by: visit.t(&format!("board-col-{by}")),
            value_name: visit.t("figure-on-time"),
            rows: rows.collect(),
            max: 100.0,
            over_time: by == "month",
        });
    }
    charts
}

fn received_id(by: &str) -> &'static str {
    match by {
        "unit" => "received-unit",
        "district" => "received-district",
        "kind" => "received-kind",
        _ => "received-month",
    }
}

fn on_time_id(by: &str) -> &'static str {
    match by {
        "unit" => "on-time-unit",
        "district" => "on-time-district",
        "kind" => "on-time-kind",
        _ => "on-time-month",
    }
}

fn range_charts(visit: &Visit, query: &BoardQuery, board: &Board) -> Vec<RangeChart> {
    let charts = [
        ("unit", "times-unit"),
        ("district", "times-district"),
        ("kind", "times-kind"),
        ("month", "times-month"),
    ];
    charts
        .into_iter()
        .filter_map(|(by, id)| {
            let (_, groups) = board
                .groups
                .iter()
                .find(|(found, _)| grouping(by) == Some(*found))?;
            let chosen: Vec<BoardGroup> = ordered(by, groups, |figures| figures.submitted)
                .into_iter()
                .cloned()
                .collect();
            let title = visit
                .ui()
                .t1("board-title-times", "by", visit.t(&format!("board-by-{by}")));
            Some(ranges(visit, query, id, &title, by, &chosen))
        })
        .collect()
}

fn ranges(
    visit: &Visit,
    query: &BoardQuery,
    id: &'static str,
    title: &str,
    by: &str,
    groups: &[BoardGroup],
) -> RangeChart {
    let hours = |seconds: Option<u64>| seconds.map(|seconds| seconds as f64 / SECONDS_PER_HOUR);
    let rows: Vec<RangeRow> = groups
        .iter()
        .map(|group| RangeRow {
            label: name(visit, if group.name.is_empty() { "" } else { by }, &group.name),
            href: match group.name.as_str() {
                "" => query.list_href(Figure::Submitted, None),
                name => query.list_href(Figure::Submitted, Some((by, name))),
            },
            n: group.figures.submitted,
            open: group.figures.unfinished(),
            hours: [
                hours(group.times.p50),
                hours(group.times.p75),
                hours(group.times.p90),
                hours(group.times.p95),
            ],
            small: group.figures.submitted < SMALL,
        })
        .collect();
    let max_hours = rows
        .iter()
        .flat_map(|row| row.hours)
        .flatten()
        .fold(1.0, f64::max);
    RangeChart {
        id,
        title: title.to_owned(),
        by: visit.t(&format!("board-col-{by}")),
        rows,
        max_hours,
    }
}

fn filters(visit: &Visit, actor: &Actor, query: &BoardQuery, area: &str) -> BoardFilters {
    let (directory, locale) = (visit.casework().directory(), visit.locale());
    let own = actor
        .staff()
        .map(|staff| staff.area.clone())
        .unwrap_or_else(|| "".into());
    let choice = |code: &str| Choice::new(code, words::division(directory, locale, code), code == area);
    // The cities one looks after with their districts.
    let mut areas = Vec::new();
    for city in directory.cities().into_iter().filter(|city| {
        own.contains(&city.code.as_str().into()) || city.code == own.as_str() || city.code.is_empty()
    }) {
        let districts = directory.children(&city.code);
        let choices = std::iter::once(choice(&city.code))
            .chain(districts.iter().map(|district| choice(&district.code)));
        areas.push(ChoiceGroup {
            label: words::division(directory, locale, &city.code),
            choices: choices.collect(),
        });
    }
    if areas.is_empty() {
        let inside = directory.children(own.as_str());
        let choices =
            std::iter::once(choice(own.as_str())).chain(inside.iter().map(|division| choice(&division.code)));
        areas.push(ChoiceGroup {
            label: words::division(directory, locale, own.as_str()),
            choices: choices.collect(),
        });
    }
    // Streets are many: those of the chosen district only. A smaller area comes from an address and stays chosen.
    let path = directory.path(area);
    if let Some(district) = path.iter().find(|part| part.level == "district") {
        let mut streets: Vec<Choice> = directory
            .children(&district.code)
            .iter()
            .map(|street| choice(&street.code))
            .collect();
        if area != district.code && !streets.iter().any(|street| street.chosen) {
            streets.push(choice(area));
        }
        areas.push(ChoiceGroup {
            label: words::division(directory, locale, &district.code),
            choices: streets,
        });
    }
    let units = directory.units_in(area).into_iter().map(|unit| {
        let chosen = unit.code == query.unit;
        Choice::new(unit.code, words::pick(locale, unit.name, unit.name_en), chosen)
    });
    let kinds = Kind::ALL.map(|kind| {
        Choice::new(
            kind.id(),
            visit.t(&format!("kind-{}", kind.slug())),
            kind.id() == query.kind,
        )
    });
    let months = |chosen: &str| {
        let this = city_date(visit.casework().now()).with_day(1).unwrap_or_default();
        // A month chosen in the address stays choosable, however long ago: imports bring other years.
        let mut listed: Vec<NaiveDate> = (0..MONTHS)
            .filter_map(|back| this.checked_sub_months(Months::new(back)))
            .collect();
        listed.extend(month(chosen).filter(|month| !listed.contains(month)));
        let any = Choice::new("", visit.t("board-any-month"), chosen.is_empty());
        let months = listed.into_iter().map(|first| {
            let value = first.format("%Y-%m").to_string();
            let label = onetrip_i18n::month(locale, first);
            let on = value == chosen;
            Choice::new(value, label, on)
        });
        std::iter::once(any).chain(months).collect::<Vec<_>>()
    };
    BoardFilters {
        areas,
        units: units.collect(),
        kinds: kinds.to_vec(),
        from: query.from.clone(),
        to: query.to.clone(),
        from_months: months(&query.from),
        to_months: months(&query.to),
    }
}

pub(super) async fn cases(visit: Visit, Query(query): Query<BoardQuery>) -> Result<Response, PageError> {
    let actor = visit.member()?;
    let figure = Figure::parse(&query.figure).ok_or(PageError::from(CaseworkError::NotFound))?;
    let filter = query.filter(query.area(&visit, &actor));
    let group = grouping(&query.by).map(|grouping| (grouping, query.group.as_str()));
    let (total, cases) = visit
        .casework()
        .board_cases(&actor, &filter, figure, group, query.skip, ROWS)
        .await?;
    let group_name = group.map(|_| (query.by.as_str(), query.group.as_str()));
    let page_href = |skip: usize| {
        let href = query.list_href(figure, group_name);
        if skip == 0 {
            href
        } else {
            format!("{href}&skip={skip}")
        }
    };
    let shown = query.skip + cases.len();
    let view = BoardCasesPage {
        title: visit.t(&format!("list-{}", figure.as_str().replace('_', "-"))),
        restated: restated(&visit, &query, &filter),
        total,
        rows: cases.iter().map(|case| row(&visit, case)).collect(),
        back_href: query.board_href(),
        first_href: (query.skip > 0).then(|| page_href(0)),
        next_href: ((shown as u64) < total).then(|| page_href(shown)),
        ui: visit.ui(),
    };
    page(&view)
}

fn restated(visit: &Visit, query: &BoardQuery, filter: &BoardFilter) -> Vec<(String, String)> {
    let mut restated = Vec::new();
    let mut say = |label: &str, value: String| restated.push((visit.t(label), value));
    if let Some(area) = &filter.area {
        say("board-area", name(visit, "district", area));
    }
    if let Some(unit) = &filter.unit {
        say("board-unit", name(visit, "unit", unit));
    }
    if let Some(kind) = &filter.kind {
        say("board-kind", name(visit, "kind", kind));
    }
    for (label, value) in [("board-from", &query.from), ("board-to", &query.to)] {
        if !value.is_empty() {
            say(label, name(visit, "month", value));
        }
    }
    if grouping(&query.by).is_some() {
        say(
            &format!("board-col-{}", query.by),
            name(visit, &query.by, &query.group),
        );
    }
    restated
}

fn row(visit: &Visit, case: &CaseRef) -> QueueRow {
    let (locale, directory) = (visit.locale(), visit.casework().directory());
    let number = case
        .number
        .parse::<CaseNumber>()
        .map_or(case.number.clone(), |number| number.to_string());
    let (status, tone) = words::status(locale, &case.stage, 0);
    let overdue = case.result_at.is_none() && case.due_at.is_some_and(|due| due < visit.casework().now());
    let due = case.due_at.map(|due_at| crate::views::Due {
        label: visit.t("clock-result"),
        started_at: case.submitted_at,
        due_at,
        done_at: case.result_at,
        paused: false,
        proof: Vec::new(),
    });
    QueueRow {
        number,
        href: format!("/staff/case/{}", case.number),
        kind: case.kind.parse().unwrap_or(Kind::Appeal),
        category: words::category(locale, &case.category),
        place: format!(
            "{} · {}",
            words::division_path(directory, locale, &case.division),
            words::unit(directory, locale, &case.unit)
        ),
        words: String::new(),
        status,
        tone: if overdue { Tone::Bad } else { tone },
        due,
        marks: Vec::new(),
        merge_href: None,
    }
}
