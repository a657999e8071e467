//! How often the case that another one duplicates is among the first suggestions, on an export whose city has marked
//! its duplicates; and how much is suggested for cases that were none.

mod replay;
mod report;

use crate::Failure;
use onetrip_import::{Mapping, glance};
use onetrip_model::policy::Policy;
use std::{fs, path::PathBuf, time::Instant};

/// Measures the suggestions of possible duplicates on an export whose city has marked its duplicates.
///
/// Cases come in the order of time. Each is compared, by the service's own scores and numbers, with as many open cases
/// as the service looks at. Needs no database.
#[derive(clap::Args)]
pub struct Arguments {
    #[arg(long, default_value = "ops/data/boston311-2015.csv.gz")]
    file: PathBuf,
    #[arg(long, default_value = "ops/import/boston311.toml")]
    mapping: PathBuf,
    /// Whose `[duplicates]` and categories are used.
    #[arg(long, default_value = "ops/policy/2026-1.toml")]
    policy: PathBuf,
    /// The column that names the case that a row duplicates.
    #[arg(long, default_value = "duplicate_of")]
    marked_by: String,
    /// The outcome of duplicates, whether or not the row names its original.
    #[arg(long, default_value = "duplicate")]
    outcome: String,
    /// Months that the policy's numbers were tuned on: 1-3.
    #[arg(long, default_value = "1-3", value_parser = months)]
    tuned: Months,
    /// Months held out.
    #[arg(long, default_value = "4-6", value_parser = months)]
    held_out: Months,
    /// Where `duplicates.md`, `duplicates.json` and `duplicates.svg` are written.
    #[arg(long, default_value = "ops/out/bench")]
    out: PathBuf,
}

/// First and last month of a year, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Months {
    pub first: u32,
    pub last: u32,
}

fn months(text: &str) -> Result<Months, String> {
    let wrong = || format!("`{text}` is not like 1-3");
    let (first, last) = text.split_once('-').ok_or_else(wrong)?;
    let month = |text: &str| text.parse().ok().filter(|month| (1..=12).contains(month));
    match (month(first), month(last)) {
        (Some(first), Some(last)) if first <= last => Ok(Months { first, last }),
        _ => Err(wrong()),
    }
}

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let mapping = Mapping::from_toml(&fs::read_to_string(&arguments.mapping)?)?;
    let policy = Policy::read(&fs::read_to_string(&arguments.policy)?)?;
    let mut rows = glance(&mapping, &arguments.file, &arguments.marked_by)?;
    rows.sort_by(|one, other| (one.opened_at, &one.source_id).cmp(&(other.opened_at, &other.source_id)));
    let last = arguments.tuned.last.max(arguments.held_out.last);
    let start = Instant::now();
    let replay = replay::replay(&policy, &rows, &arguments.outcome, last);
    let took = start.elapsed();
    let report = report::Report::of(&policy, &replay, arguments.tuned, arguments.held_out, took);
    fs::create_dir_all(&arguments.out)?;
    report.write(&arguments.out)?;
    println!("{}\nwritten to {}", report.table(), arguments.out.display());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_are_a_range_within_a_year() {
        assert_eq!(months("1-3"), Ok(Months { first: 1, last: 3 }));
        for text in ["", "3", "3-1", "0-3", "1-13", "a-b"] {
            assert!(months(text).is_err(), "{text}");
        }
    }
}
