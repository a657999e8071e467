//! Medians as a table, a plot and JSON.

use super::Cell;
use crate::{
    Failure,
    cpu::Spent,
    drive::{Figures, median},
    plot::{self, Bar},
};
use serde::Serialize;
use std::{fmt::Write, fs, path::Path, time::Duration};

#[derive(Default)]
pub struct Results {
    rows: Vec<(Cell, usize, Vec<Figures>)>,
    pub bytes: Option<Bytes>,
}

/// Heap and indexes for each event, histories of 50.
pub struct Bytes {
    /// With the texts as they were typed.
    pub stock: f64,
    /// With the same sealed texts as ours.
    pub stock_sealed: f64,
    pub ours: f64,
}

/// A line of the table.
#[derive(Serialize)]
struct Line {
    cell: String,
    tasks: usize,
    per_second: f64,
    slowest: f64,
    fastest: f64,
    p50_ms: f64,
    p99_ms: f64,
    of_stock: Option<f64>,
    p99_of_stock: Option<f64>,
    of_single_insert: Option<f64>,
    commands_a_transaction: Option<f64>,
    client_cpu_us: f64,
    server_cpu_us: f64,
    failed: u64,
}

impl Results {
    pub fn add(&mut self, cell: Cell, tasks: usize, figures: Figures) {
        match self.rows.iter_mut().find(|row| (row.0, row.1) == (cell, tasks)) {
            Some(row) => row.2.push(figures),
            None => self.rows.push((cell, tasks, vec![figures])),
        }
    }

    fn of(&self, cell: Cell, tasks: usize) -> Option<&[Figures]> {
        let row = self.rows.iter().find(|row| (row.0, row.1) == (cell, tasks))?;
        Some(&row.2)
    }

    fn lines(&self) -> Vec<Line> {
        let mut lines: Vec<Line> = Vec::new();
        for (cell, tasks, figures) in &self.rows {
            let rates = |figure: &Figures| figure.per_second;
            // Repetition by repetition, so that both sides of a ratio were measured within seconds of each other.
            let ratio = |other: Option<Cell>, pick: fn(&Figures) -> f64| {
                let others = self.of(other?, *tasks)?;
                Some(median(
                    figures
                        .iter()
                        .zip(others)
                        .map(|(mine, other)| pick(mine) / pick(other)),
                ))
            };
            let each = |whose: fn(Spent) -> Duration| {
                let spent = |figure: &Figures| {
                    whose(figure.spent).as_secs_f64() * 1e6 / figure.commands.max(1) as f64
                };
                median(figures.iter().map(spent))
            };
            lines.push(Line {
                cell: cell.name(),
                tasks: *tasks,
                per_second: median(figures.iter().map(rates)),
                slowest: figures.iter().map(rates).fold(f64::INFINITY, f64::min),
                fastest: figures.iter().map(rates).fold(0.0, f64::max),
                p50_ms: median(figures.iter().map(|figure| figure.p50)),
                p99_ms: median(figures.iter().map(|figure| figure.p99)),
                of_stock: ratio(cell.compared_with(), rates),
                p99_of_stock: ratio(cell.compared_with(), |figure| figure.p99),
                of_single_insert: ratio(Some(Cell::SingleInsert), rates),
                commands_a_transaction: figures
                    .iter()
                    .all(|figure| figure.shared.is_some())
                    .then(|| median(figures.iter().filter_map(|figure| figure.shared))),
                client_cpu_us: each(|spent| spent.client),
                server_cpu_us: each(|spent| spent.server),
                failed: figures.iter().map(|figure| figure.failed).sum(),
            });
        }
        lines.sort_by_key(|line| line.tasks);
        lines
    }

    /// Markdown.
    pub fn table(&self, settings: &str) -> String {
        let mut text = format!(
            "{settings}.\n\n| cell | tasks | commands/s | min..max | p50 ms | p99 ms | x stock | p99 x stock | x single insert | a transaction | CPU µs client + server | failed |\n\
             | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n"
        );
        let told = |ratio: Option<f64>| ratio.map_or("-".to_owned(), |ratio| format!("{ratio:.2}"));
        for line in self.lines() {
            let _ = writeln!(
                text,
                "| {} | {} | {:.0} | {:.0}..{:.0} | {:.2} | {:.2} | {} | {} | {} | {} | {:.0} + {:.0} | {} |",
                line.cell,
                line.tasks,
                line.per_second,
                line.slowest,
                line.fastest,
                line.p50_ms,
                line.p99_ms,
                told(line.of_stock),
                told(line.p99_of_stock),
                told(line.of_single_insert),
                line.commands_a_transaction
                    .map_or("-".to_owned(), |commands| format!("{commands:.1}")),
                line.client_cpu_us,
                line.server_cpu_us,
                line.failed,
            );
        }
        if let Some(Bytes {
            stock,
            stock_sealed,
            ours,
        }) = self.bytes
        {
            let _ = writeln!(
                text,
                "\nBytes for each event, heap and indexes, histories of 50: ours {ours:.0}; stock {stock_sealed:.0} with the same \
                 sealed texts ({:.2}x), {stock:.0} with open ones ({:.2}x).",
                ours / stock_sealed,
                ours / stock
            );
        }
        text
    }

    pub fn write(&self, folder: &Path, settings: &str) -> Result<(), Failure> {
        fs::write(folder.join("store.md"), self.table(settings))?;
        fs::write(
            folder.join("store.json"),
            serde_json::to_vec_pretty(&self.lines())?,
        )?;
        fs::write(folder.join("store.svg"), self.plot())?;
        Ok(())
    }

    /// Bars, a group for each number of tasks.
    fn plot(&self) -> String {
        let lines = self.lines();
        let bars = lines.iter().map(|line| Bar {
            group: format!("{} tasks", line.tasks),
            label: &line.cell,
            value: line.per_second,
        });
        plot::bars("Commands per second", bars)
    }
}
