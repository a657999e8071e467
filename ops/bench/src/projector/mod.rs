//! How fast read models follow the log: row by row as stock cqrs-es does it, in pages, and built anew; how far behind
//! they are while commands come in; and how long a rebuild keeps readers waiting.

mod lag;
mod log;
mod report;
mod rows;

use crate::{Failure, server::on_cluster};
use indicatif::{ProgressBar, ProgressStyle};
use log::Log;
pub use log::vault;
use onetrip_cluster::{Cluster, Durability};
use report::Results;
use std::{path::PathBuf, time::Duration};

/// Measures how fast the read models follow the log, beside stock cqrs-es row by row.
///
/// Takes about five minutes with the defaults. Compare ratios within one run only: the machine may be noisy.
#[derive(clap::Args)]
pub struct Arguments {
    /// Cases of the log that pages and rebuilds read; each has seven events.
    #[arg(long, default_value_t = 15_000)]
    cases: u32,
    /// Cases of the log that is read row by row.
    #[arg(long, default_value_t = 800)]
    cases_row_by_row: u32,
    /// Repetitions; the table shows medians.
    #[arg(long, default_value_t = 3)]
    repetitions: u32,
    /// Seconds of commands coming in, for the lag.
    #[arg(long, default_value_t = 10.0)]
    lag_seconds: f64,
    /// Only these read models.
    #[arg(long, value_delimiter = ',', default_value = "case_file,queue,resolution")]
    models: Vec<String>,
    /// Only cells whose name contains this.
    #[arg(long)]
    only: Option<String>,
    /// Where the throw-away cluster is made; removed afterwards.
    #[arg(long, default_value = "/var/tmp/onetrip-bench-projector")]
    data_dir: PathBuf,
    /// Where `projector.md`, `projector.svg` and `projector.json` are written.
    #[arg(long, default_value = "ops/out/bench")]
    out: PathBuf,
    /// Logs what each statement took and how it was planned into the server's log, and keeps the cluster.
    #[arg(long)]
    explain: bool,
}

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cell {
    /// Stock's replay into stock's `GenericQuery`: load the view, fold, write it, one transaction an event.
    Stock,
    /// Our read model, that many events a page.
    Page(i64),
    /// Pages of 1,000 by a read model that remembers no case, and folds each anew from the log.
    Forgetful,
    /// Our read model, folded anew beside the live tables and swapped.
    Rebuild,
}

impl Cell {
    const ALL: [Cell; 6] = [
        Cell::Stock,
        Cell::Page(1),
        Cell::Page(100),
        Cell::Page(1_000),
        Cell::Forgetful,
        Cell::Rebuild,
    ];

    pub fn name(self) -> String {
        match self {
            Cell::Stock => "stock, row by row".to_owned(),
            Cell::Page(1) => "ours, pages of 1".to_owned(),
            Cell::Page(events) => format!("ours, pages of {events}"),
            Cell::Forgetful => "ours, pages of 1000, nothing remembered".to_owned(),
            Cell::Rebuild => "ours, rebuild".to_owned(),
        }
    }

    fn is_row_by_row(self) -> bool {
        matches!(self, Cell::Stock | Cell::Page(1))
    }
}

pub async fn run(arguments: Arguments) -> Result<(), Failure> {
    std::fs::create_dir_all(&arguments.out)?;
    let measuring = async |cluster: &Cluster| measure(&arguments, cluster).await;
    let keep = arguments.explain;
    let results = on_cluster(&arguments.data_dir, Durability::Full, keep, measuring).await?;
    results.write(&arguments.out, &arguments.settings())?;
    println!("{}", results.table(&arguments.settings()));
    println!("written to {}", arguments.out.display());
    Ok(())
}

impl Arguments {
    fn settings(&self) -> String {
        format!(
            "{} repetitions, medians; whole logs of {} cases ({} row by row) with seven events each, neighbours of \
             different cases; fsync and synchronous_commit on; client and server on one machine",
            self.repetitions, self.cases, self.cases_row_by_row
        )
    }

    fn wants(&self, cell: &str) -> bool {
        self.only.as_ref().is_none_or(|only| cell.contains(only))
    }
}

async fn measure(arguments: &Arguments, cluster: &Cluster) -> Result<Results, Failure> {
    let cells: Vec<Cell> = Cell::ALL
        .into_iter()
        .filter(|cell| arguments.wants(&cell.name()))
        .collect();
    let wants_lag = arguments.wants("lag");
    let steps =
        arguments.repetitions as usize * (arguments.models.len() * cells.len() + usize::from(wants_lag));
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {msg} {elapsed} of about {duration}")?;
    let bar = ProgressBar::new(steps as u64).with_style(style);
    bar.set_message("writing the logs");
    let small = Log::make(
        cluster,
        "bench_small",
        arguments.cases_row_by_row,
        arguments.explain,
    )
    .await?;
    let large = Log::make(cluster, "bench_large", arguments.cases, arguments.explain).await?;
    let live = if wants_lag {
        Some(Log::make(cluster, "bench_live", lag::CASES, false).await?)
    } else {
        None
    };
    let mut results = Results::default();
    for _ in 0..arguments.repetitions {
        for model in &arguments.models {
            for &cell in &cells {
                bar.set_message(format!("{model}: {}", cell.name()));
                let log = if cell.is_row_by_row() { &small } else { &large };
                let figures = match cell {
                    Cell::Stock => log.stock().await?,
                    Cell::Page(events) => log.pages(&onetrip_read_models::all(), model, events).await?,
                    Cell::Forgetful => {
                        let forgetful = onetrip_read_models::all_remembering(0);
                        log.pages(&forgetful, model, 1_000).await?
                    }
                    Cell::Rebuild => log.rebuild(model).await?,
                };
                results.add(model, cell, figures);
                bar.inc(1);
            }
        }
        if let Some(live) = &live {
            bar.set_message("lag");
            let time = Duration::from_secs_f64(arguments.lag_seconds);
            results.lags.push(lag::measure(live, time).await?);
            bar.inc(1);
        }
    }
    bar.finish_and_clear();
    Ok(results)
}
