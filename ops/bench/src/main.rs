//! One command that measures what the event log and its projections make of PostgreSQL, each on a private cluster with full
//! durability and beside what it is compared with; and how well possible duplicates are found. Writes tables and plots;
//! see `ops/docs/BENCHMARKS.md`.

mod cpu;
mod drive;
mod duplicates;
mod histories;
mod http;
mod memory;
mod plot;
mod projector;
mod server;
mod store;

use clap::{Parser, Subcommand};

pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Measures what the event log and its projections make of PostgreSQL, on a private cluster with full durability.
#[derive(Parser)]
#[command(version)]
struct Program {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    Store(store::Arguments),
    Projector(projector::Arguments),
    Http(http::Arguments),
    Memory(memory::Arguments),
    Duplicates(duplicates::Arguments),
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    match Program::parse().what {
        What::Store(arguments) => store::run(arguments).await,
        What::Projector(arguments) => projector::run(arguments).await,
        What::Http(arguments) => http::run(arguments).await,
        What::Memory(arguments) => memory::run(arguments).await,
        What::Duplicates(arguments) => duplicates::run(&arguments),
    }
}
