//! The one binary: reads settings, wires the libraries, decides nothing.

mod config;
mod database;
mod deadline;
mod demo;
mod failure;
mod health;
mod policy;
mod serve;
mod tools;
mod verify;
mod whatif;

use clap::{Parser, Subcommand};
use config::{Config, LogFormat};
use failure::Failure;
use std::{path::PathBuf, process::ExitCode};
use tracing_subscriber::EnvFilter;

/// 一次办 Onetrip: residents' appeals, suggestions and hearing requests, tracked to a rated result.
#[derive(Parser)]
#[command(version, about, max_term_width = 100)]
struct Cli {
    /// TOML file with settings; environment variables ONETRIP_<SETTING> go before it
    #[arg(long, global = true, env = "ONETRIP_CONFIG")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve pages and API, follow the log, keep the clocks
    Serve(serve::ServeArgs),
    /// Bring the database to this version's tables
    Migrate,
    /// Rebuild read models from the event log
    Rebuild(tools::RebuildArgs),
    /// Bring in another system's export at its historical instants
    Import(tools::ImportArgs),
    /// Print the figures: on time, times to result, by unit
    Report(tools::ReportArgs),
    /// Run everything with demonstration data and a private PostgreSQL server
    Demo(demo::DemoArgs),
    /// Check that the event log is whole, or that a receipt holds
    Verify(verify::VerifyArgs),
    /// What others need to check the log themselves
    Evidence {
        #[command(subcommand)]
        what: verify::EvidenceCommand,
    },
    /// Look at the city's rules before they rule
    Policy {
        #[command(subcommand)]
        command: policy::PolicyCommand,
    },
    /// Replay history under another policy or calendar, and say what would have changed; nothing is touched
    Whatif(whatif::WhatifArgs),
    /// Why a case's deadlines fall when they do
    Deadline {
        #[command(subcommand)]
        command: deadline::DeadlineCommand,
    },
    /// Check the settings and say what they come to
    CheckConfig,
    /// Print a fresh master key
    GenerateKey,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let result = Config::load(cli.config.as_deref()).and_then(|config| {
        start_logging(config.log_format);
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
        failure::Doing::doing(runtime, "starting")?.block_on(run(cli.command, config))
    });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("onetrip: {failure}");
            ExitCode::FAILURE
        }
    }
}

async fn run(command: Command, config: Config) -> Result<(), Failure> {
    match command {
        Command::Serve(args) => serve::serve(&config, args).await,
        Command::Migrate => tools::migrate(&config).await,
        Command::Rebuild(args) => tools::rebuild(&config, args).await,
        Command::Import(args) => tools::import(&config, args).await,
        Command::Report(args) => tools::report(&config, args).await,
        Command::Demo(args) => demo::demo(config, args).await,
        Command::Verify(args) => verify::verify(&config, args).await,
        Command::Evidence { what } => verify::evidence(&config, &what),
        Command::Policy { command } => policy::policy(&config, &command),
        Command::Whatif(args) => whatif::whatif(&config, args).await,
        Command::Deadline { command } => deadline::deadline(&config, command).await,
        Command::CheckConfig => tools::check_config(&config),
        Command::GenerateKey => tools::generate_key(),
    }
}

/// Logs go to standard error; `RUST_LOG` widens or narrows them.
fn start_logging(format: LogFormat) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info,sqlx=warn"));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    match format {
        LogFormat::Text => builder.init(),
        LogFormat::Json => builder.json().init(),
    }
}
