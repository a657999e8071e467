//! The store: ours, stock cqrs-es with postgres-es, and pgbench's single insert, cell after cell in one run, so that ratios
//! are of neighbours.

mod ours;
pub mod pgbench;
mod report;
pub mod stock;

use crate::{Failure, server::on_cluster};
use indicatif::{ProgressBar, ProgressStyle};
use onetrip_cluster::{Cluster, Durability};
use report::{Bytes, Results};
use std::{path::PathBuf, time::Duration};

/// Measures commands per second of our event log beside stock cqrs-es/postgres-es and pgbench's single insert.
///
/// Takes about seven minutes with the defaults. Compare ratios within one run only: the machine may be noisy.
#[derive(clap::Args)]
pub struct Arguments {
    /// Numbers of concurrent tasks.
    #[arg(long, value_delimiter = ',', default_value = "1,8,32,64")]
    tasks: Vec<usize>,
    /// Seconds of each measurement.
    #[arg(long, default_value_t = 2.0)]
    seconds: f64,
    /// Repetitions; the table shows medians.
    #[arg(long, default_value_t = 3)]
    repetitions: u32,
    /// Only cells whose name contains this.
    #[arg(long)]
    only: Option<String>,
    /// Where the throw-away cluster is made; removed afterwards.
    #[arg(long, default_value = "/var/tmp/onetrip-bench")]
    data_dir: PathBuf,
    /// Where `store.md`, `store.svg` and `store.json` are written.
    #[arg(long, default_value = "ops/out/bench")]
    out: PathBuf,
}

/// What is measured; `of_stock` names the cell it is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cell {
    /// pgbench: one INSERT of one event for each transaction, from C, prepared.
    SingleInsert,
    Stock {
        events: usize,
        view: bool,
    },
    /// Everything in memory, one event a command.
    Cached,
    /// The same with a request key and the run-once ledger written inline.
    CachedWithRules,
    /// Nothing in memory.
    Cold {
        events: usize,
    },
}

impl Cell {
    const ALL: [Cell; 8] = [
        Cell::SingleInsert,
        Cell::Stock {
            events: 5,
            view: false,
        },
        Cell::Stock {
            events: 5,
            view: true,
        },
        Cell::Cached,
        Cell::CachedWithRules,
        Cell::Cold { events: 5 },
        Cell::Stock {
            events: 50,
            view: false,
        },
        Cell::Cold { events: 50 },
    ];

    pub fn name(self) -> String {
        match self {
            Cell::SingleInsert => "pgbench single insert".to_owned(),
            Cell::Stock { events, view: false } => format!("stock, {events} events"),
            Cell::Stock { events, view: true } => format!("stock, {events} events, one view"),
            Cell::Cached => "ours, cached".to_owned(),
            Cell::CachedWithRules => "ours, cached, request key, run-once".to_owned(),
            Cell::Cold { events } => format!("ours, {events} events, nothing cached"),
        }
    }

    /// The stock cell that does the same work.
    pub fn compared_with(self) -> Option<Cell> {
        match self {
            Cell::Cached => Some(Cell::Stock {
                events: 5,
                view: false,
            }),
            Cell::CachedWithRules => Some(Cell::Stock {
                events: 5,
                view: true,
            }),
            Cell::Cold { events } => Some(Cell::Stock { events, view: false }),
            Cell::SingleInsert | Cell::Stock { .. } => None,
        }
    }
}

pub async fn run(arguments: Arguments) -> Result<(), Failure> {
    std::fs::create_dir_all(&arguments.out)?;
    let measuring = async |cluster: &Cluster| measure(&arguments, cluster).await;
    let results = on_cluster(&arguments.data_dir, Durability::Full, false, measuring).await?;
    results.write(&arguments.out, &arguments.settings())?;
    println!("{}", results.table(&arguments.settings()));
    println!("written to {}", arguments.out.display());
    Ok(())
}

impl Arguments {
    fn settings(&self) -> String {
        format!(
            "{} repetitions of {} s, medians; fsync and synchronous_commit on; client and server on one machine",
            self.repetitions, self.seconds
        )
    }
}

async fn measure(arguments: &Arguments, cluster: &Cluster) -> Result<Results, Failure> {
    let cells: Vec<Cell> = Cell::ALL
        .into_iter()
        .filter(|cell| {
            arguments
                .only
                .as_ref()
                .is_none_or(|only| cell.name().contains(only))
        })
        .collect();
    let stock = stock::Database::make(cluster).await?;
    let ours = ours::Database::make(cluster).await?;
    let steps = cells.len() * arguments.tasks.len() * arguments.repetitions as usize;
    let bar = ProgressBar::new(steps as u64).with_style(ProgressStyle::with_template(
        "{bar:30} {pos}/{len} {msg} {elapsed} of about {duration}",
    )?);
    let time = Duration::from_secs_f64(arguments.seconds);
    let mut results = Results::default();
    for _ in 0..arguments.repetitions {
        for &tasks in &arguments.tasks {
            for &cell in &cells {
                bar.set_message(format!("{} with {tasks} tasks", cell.name()));
                let figures = match cell {
                    Cell::SingleInsert => pgbench::single_insert(cluster, &stock, tasks, time).await?,
                    Cell::Stock { events, view } => stock.run(events, view, tasks, time).await?,
                    Cell::Cached => ours.cached(tasks, time).await?,
                    Cell::CachedWithRules => ours.cached_with_rules(tasks, time).await?,
                    Cell::Cold { events } => ours.cold(events, tasks, time).await?,
                };
                results.add(cell, tasks, figures);
                bar.inc(1);
            }
        }
    }
    bar.finish_and_clear();
    let bytes = ours.bytes_per_event().await?;
    results.bytes = Some(Bytes {
        stock_sealed: stock.bytes_per_event_with(&ours.pool).await?,
        stock: stock.bytes_per_event().await?,
        ours: bytes,
    });
    Ok(results)
}
