//! The supervisor's board. Units are compared, people are not: there is nothing here by person, on purpose.

use std::borrow::Borrow;

use askama::Template;
use chrono::{DateTime, Utc};

use super::{Choice, ChoiceGroup, QueueRow, StaffPart, Ui};

/// What the board is narrowed to. The form goes by `GET /staff/board?area=&unit=&kind=&from=&to=`.
#[derive(Debug, Clone)]
pub struct BoardFilters {
    /// Streets under their districts; the first choice is the whole area of the supervisor.
    pub areas: Vec<ChoiceGroup>,
    pub units: Vec<Choice>,
    pub kinds: Vec<Choice>,
    /// First and last month, `2026-06`.
    pub from: String,
    pub to: String,
    /// Months that can be chosen, newest first.
    pub from_months: Vec<Choice>,
    pub to_months: Vec<Choice>,
}

/// A share with the two numbers it is made of.
#[derive(Debug, Clone)]
pub struct Tile {
    /// End of its catalogue keys `figure-<id>` and `figure-<id>-definition`.
    pub id: &'static str,
    pub numerator: u64,
    pub denominator: u64,
    /// The lists behind the two numbers.
    pub numerator_href: String,
    pub denominator_href: String,
    /// What must be read together with it, already in words: "62.1 % rated".
    pub beside: Option<String>,
}

impl Tile {
    pub fn share(&self) -> String {
        onetrip_i18n::per_cent(self.numerator, self.denominator)
    }
}

/// A plain count: open, overdue.
#[derive(Debug, Clone)]
pub struct CountTile {
    pub id: &'static str,
    pub n: u64,
    pub href: String,
    /// Drawn as something to act on.
    pub pressing: bool,
}

/// One bar.
#[derive(Debug, Clone)]
pub struct ChartRow {
    pub label: String,
    pub href: String,
    /// Cases behind the bar.
    pub n: u64,
    /// Length of the bar, in the unit of the chart's `max`.
    pub value: f64,
    pub value_text: String,
    /// Fewer than five cases: the bar is hidden and no value shown.
    pub small: bool,
}

/// A chart of bars with the table behind it.
#[derive(Debug, Clone)]
pub struct Chart {
    pub id: &'static str,
    pub title: String,
    /// Heading of the first column of the table.
    pub by: String,
    /// Heading of the value column.
    pub value_name: String,
    pub rows: Vec<ChartRow>,
    pub max: f64,
    /// Upright bars in order of time, rather than lying ones.
    pub over_time: bool,
}

impl Chart {
    /// Groups too small for a bar of their own.
    pub fn small(&self) -> u64 {
        self.rows.iter().filter(|row| row.small).count() as u64
    }

    /// Length of a bar from 0 to 100.
    pub fn length(&self, value: &f64) -> String {
        let max = if self.max > 0.0 { self.max } else { 1.0 };
        format!("{:.1}", (value / max * 100.0).clamp(0.0, 100.0))
    }

    /// Where an upright bar begins, counted from the top.
    pub fn top(&self, value: &f64) -> String {
        let max = if self.max > 0.0 { self.max } else { 1.0 };
        format!("{:.1}", 100.0 - (value / max * 100.0).clamp(0.0, 100.0))
    }
}

/// Percentiles of one group, in hours. `None`: so many cases are still open that it isn't reached yet.
#[derive(Debug, Clone)]
pub struct RangeRow {
    pub label: String,
    pub href: String,
    pub n: u64,
    /// Of them still open and counted as such.
    pub open: u64,
    /// Median, 75th, 90th and 95th percentile.
    pub hours: [Option<f64>; 4],
    pub small: bool,
}

/// Times to the result by group.
#[derive(Debug, Clone)]
pub struct RangeChart {
    pub id: &'static str,
    pub title: String,
    pub by: String,
    pub rows: Vec<RangeRow>,
    pub max_hours: f64,
}

impl RangeChart {
    /// Groups too small for a bar of their own.
    pub fn small(&self) -> u64 {
        self.rows.iter().filter(|row| row.small).count() as u64
    }

    /// Position of a percentile from 0 to 100; one not reached lies at the end.
    pub fn at(&self, row: &RangeRow, index: impl Borrow<usize>) -> f64 {
        let max = if self.max_hours > 0.0 { self.max_hours } else { 1.0 };
        let hours = row.hours.get(*index.borrow()).copied().flatten().unwrap_or(max);
        (hours / max * 100.0).clamp(0.0, 100.0)
    }

    /// Start and width of the piece between two neighbouring percentiles.
    pub fn piece(&self, row: &RangeRow, index: impl Borrow<usize>) -> (String, String) {
        let index = *index.borrow();
        let start = if index == 0 { 0.0 } else { self.at(row, index - 1) };
        // What is not reached yet is not drawn: its length is not known.
        let reached = row.hours.get(index).is_some_and(Option::is_some);
        let end = if reached { self.at(row, index) } else { start };
        (format!("{start:.1}"), format!("{:.1}", (end - start).max(0.0)))
    }

    /// A percentile in words; "not reached" where too many cases are open.
    pub fn text(&self, ui: &Ui, row: &RangeRow, index: impl Borrow<usize>) -> String {
        match row.hours.get(*index.borrow()).copied().flatten() {
            Some(hours) => onetrip_i18n::span_hours(ui.locale(), hours),
            None => ui.t("board-not-reached"),
        }
    }
}

/// `/staff/board`.
#[derive(Debug, Clone, Template)]
#[template(path = "board.html")]
pub struct BoardPage {
    pub ui: Ui,
    pub filters: BoardFilters,
    /// How old the figures are.
    pub as_of: DateTime<Utc>,
    pub counts: Vec<CountTile>,
    pub tiles: Vec<Tile>,
    /// One row for everything, shown as a tile.
    pub times: RangeChart,
    pub ranges: Vec<RangeChart>,
    pub charts: Vec<Chart>,
}

impl BoardPage {
    pub fn part(&self) -> StaffPart {
        StaffPart::Board
    }
}

/// `/staff/board/cases`: the cases behind a number.
#[derive(Debug, Clone, Template)]
#[template(path = "board_cases.html")]
pub struct BoardCasesPage {
    pub ui: Ui,
    /// Which number this is: the figure and which part of it.
    pub title: String,
    /// The board's filters in words: label and value.
    pub restated: Vec<(String, String)>,
    /// Equal to the number that led here.
    pub total: u64,
    pub rows: Vec<QueueRow>,
    pub back_href: String,
    pub first_href: Option<String>,
    pub next_href: Option<String>,
}

impl BoardCasesPage {
    pub fn part(&self) -> StaffPart {
        StaffPart::Board
    }
}
