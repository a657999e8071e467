//! Medians as a table, a plot and JSON.

use super::{Cell, lag::Lag, log::Figures};
use crate::{
    Failure,
    drive::median,
    plot::{self, Bar},
};
use serde::Serialize;
use std::{fmt::Write, fs, path::Path};

#[derive(Default)]
pub struct Results {
    rows: Vec<(String, Cell, Vec<Figures>)>,
    pub lags: Vec<Lag>,
}

/// A line of the table.
#[derive(Serialize)]
struct Line {
    model: String,
    cell: String,
    events_per_second: f64,
    slowest: f64,
    fastest: f64,
    of_stock: Option<f64>,
    of_pages_of_one: Option<f64>,
    readers_blocked_ms: Option<f64>,
}

#[derive(Serialize)]
struct LagLine {
    highest_commands_per_second: f64,
    commands_per_second: f64,
    p50_ms: f64,
    p99_ms: f64,
    max_ms: f64,
    refused: u64,
}

impl Results {
    pub fn add(&mut self, model: &str, cell: Cell, figures: Figures) {
        match self.rows.iter_mut().find(|row| row.0 == model && row.1 == cell) {
            Some(row) => row.2.push(figures),
            None => self.rows.push((model.to_owned(), cell, vec![figures])),
        }
    }

    fn lines(&self) -> Vec<Line> {
        let rate = |figures: &Figures| figures.per_second();
        let mut lines = Vec::new();
        for (model, cell, figures) in &self.rows {
            // Repetition by repetition: neighbours in time.
            let ratio = |other: Cell| {
                let (_, _, others) = self.rows.iter().find(|row| row.0 == *model && row.1 == other)?;
                let pairs = figures.iter().zip(others);
                (*cell != other).then(|| median(pairs.map(|(mine, other)| rate(mine) / rate(other))))
            };
            let blocked: Vec<f64> = figures.iter().filter_map(|figures| figures.blocked_ms).collect();
            lines.push(Line {
                model: model.clone(),
                cell: cell.name(),
                events_per_second: median(figures.iter().map(rate)),
                slowest: figures.iter().map(rate).fold(f64::INFINITY, f64::min),
                fastest: figures.iter().map(rate).fold(0.0, f64::max),
                of_stock: ratio(Cell::Stock),
                of_pages_of_one: ratio(Cell::Page(1)),
                // The worst of all, not a median: readers must never wait longer.
                readers_blocked_ms: blocked.iter().copied().reduce(f64::max),
            });
        }
        lines
    }

    fn lag(&self) -> Option<LagLine> {
        let of = |pick: fn(&Lag) -> f64| median(self.lags.iter().map(pick));
        (!self.lags.is_empty()).then(|| LagLine {
            highest_commands_per_second: of(|lag| lag.highest),
            commands_per_second: of(|lag| lag.rate),
            p50_ms: of(|lag| lag.p50),
            p99_ms: of(|lag| lag.p99),
            max_ms: self.lags.iter().map(|lag| lag.max).fold(0.0, f64::max),
            refused: self.lags.iter().map(|lag| lag.refused).sum(),
        })
    }

    /// Markdown.
    pub fn table(&self, settings: &str) -> String {
        let mut text = format!(
            "{settings}.\n\n| read model | cell | events/s | min..max | x stock row by row | x pages of 1 | readers blocked, worst, ms |\n\
             | --- | --- | --- | --- | --- | --- | --- |\n"
        );
        let told = |figure: Option<f64>| figure.map_or("-".to_owned(), |figure| format!("{figure:.1}"));
        for line in self.lines() {
            let _ = writeln!(
                text,
                "| {} | {} | {:.0} | {:.0}..{:.0} | {} | {} | {} |",
                line.model,
                line.cell,
                line.events_per_second,
                line.slowest,
                line.fastest,
                told(line.of_stock),
                told(line.of_pages_of_one),
                told(line.readers_blocked_ms),
            );
        }
        if let Some(lag) = self.lag() {
            let _ = writeln!(
                text,
                "\nAll three read models following {:.0} commands/s, half of the {:.0} that the log takes with 64 tasks and \
                 none following: from a command's acknowledgement until all three show it p50 {:.1} ms, p99 {:.1} ms, \
                 longest {:.1} ms; {} commands refused as too many.",
                lag.commands_per_second,
                lag.highest_commands_per_second,
                lag.p50_ms,
                lag.p99_ms,
                lag.max_ms,
                lag.refused,
            );
        }
        text
    }

    pub fn write(&self, folder: &Path, settings: &str) -> Result<(), Failure> {
        fs::write(folder.join("projector.md"), self.table(settings))?;
        let all = serde_json::json!({ "cells": self.lines(), "lag": self.lag() });
        fs::write(folder.join("projector.json"), serde_json::to_vec_pretty(&all)?)?;
        fs::write(folder.join("projector.svg"), self.plot())?;
        Ok(())
    }

    /// Bars, a group for each read model.
    fn plot(&self) -> String {
        let lines = self.lines();
        let bars = lines.iter().map(|line| Bar {
            group: line.model.clone(),
            label: &line.cell,
            value: line.events_per_second,
        });
        plot::bars("Events per second", bars)
    }
}
