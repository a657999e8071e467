//! The commands that run once and end.

use crate::{
    config::Config,
    database,
    failure::{Doing, Failure},
};
use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use onetrip_casework::{Casework, system_clock};
use onetrip_event_log::{MasterKey, Pool};
use onetrip_import::{Format, Mapping, ReportQuery, catch_up, render};
use onetrip_read_models::{RunOnceLedger, run_once};
use onetrip_runner::{Progress, rebuild as rebuild_projection, rebuild_locked};
use prometheus::Registry;
use std::{path::PathBuf, time::Duration};

/// How long a standstill of the read models is waited for after an import.
const CATCH_UP_PATIENCE: Duration = Duration::from_secs(10);

#[derive(Args)]
pub struct RebuildArgs {
    /// Read models to rebuild: case_file, queue, resolution, run_once; all of them where none is named
    names: Vec<String>,
}

#[derive(Args)]
pub struct ImportArgs {
    /// TOML file that describes the export's columns, times, kinds, units and outcomes
    #[arg(long)]
    pub mapping: PathBuf,
    /// The export: CSV, also compressed (.gz)
    pub file: PathBuf,
    /// Where rows that cannot be taken are written with their reasons [default: <file>.rejects.csv]
    #[arg(long)]
    pub rejects: Option<PathBuf>,
}

#[derive(Args)]
pub struct ReportArgs {
    #[arg(long, value_enum, default_value_t = ReportFormat::Table)]
    pub format: ReportFormat,
    /// Only this division, by code (for an import: its system's name)
    #[arg(long)]
    pub area: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ReportFormat {
    Table,
    Csv,
    Json,
}

impl From<ReportFormat> for Format {
    fn from(format: ReportFormat) -> Format {
        match format {
            ReportFormat::Table => Format::Table,
            ReportFormat::Csv => Format::Csv,
            ReportFormat::Json => Format::Json,
        }
    }
}

pub async fn migrate(config: &Config) -> Result<(), Failure> {
    let pool = database::connect(config).await?;
    database::migrate(&pool).await?;
    println!(
        "The database has all {} migrations.",
        database::MIGRATIONS.iter().count()
    );
    Ok(())
}

pub async fn rebuild(config: &Config, args: RebuildArgs) -> Result<(), Failure> {
    let projections = onetrip_read_models::all();
    let known: Vec<&str> = projections
        .iter()
        .map(|projection| projection.name())
        .chain([run_once::NAME])
        .collect();
    if let Some(unknown) = args.names.iter().find(|name| !known.contains(&name.as_str())) {
        return Err(Failure::setting(
            "read model",
            format!("{unknown} is none of {}", known.join(", ")),
        ));
    }
    let pool = database::connect(config).await?;
    let wanted = |name: &str| args.names.is_empty() || args.names.iter().any(|wanted| wanted == name);
    let total = event_count(&pool).await?;
    for projection in projections.iter().filter(|projection| wanted(projection.name())) {
        let bar = bar(projection.name(), total);
        let mut report = |progress: Progress| bar.set_position(progress.events);
        let events = rebuild_projection(&pool, &**projection, &mut report)
            .await
            .doing(projection.name())?;
        bar.finish_and_clear();
        println!("{}: rebuilt from {events} events", projection.name());
    }
    if wanted(run_once::NAME) {
        let bar = bar(run_once::NAME, total);
        let ledger = RunOnceLedger::new(&config.rules()?.policy);
        let mut report = |progress: Progress| bar.set_position(progress.events);
        let events = rebuild_locked(&pool, &ledger, &mut report)
            .await
            .doing(run_once::NAME)?;
        bar.finish_and_clear();
        println!("{}: rebuilt from {events} events", run_once::NAME);
    }
    Ok(())
}

pub async fn event_count(pool: &Pool) -> Result<u64, Failure> {
    let mut connection = pool.acquire().await.doing("connecting to PostgreSQL")?;
    let count = onetrip_event_log::count(&mut connection)
        .await
        .doing("counting events")?;
    Ok(count.unsigned_abs())
}

/// A progress bar on standard error; nothing where that is no terminal.
pub fn bar(what: &str, total: u64) -> ProgressBar {
    let bar = ProgressBar::new(total);
    if let Ok(style) =
        ProgressStyle::with_template("{msg:<14} {bar:40} {percent:>3}% {human_pos}/{human_len} {eta}")
    {
        bar.set_style(style);
    }
    bar.set_message(what.to_owned());
    bar
}

pub async fn import(config: &Config, args: ImportArgs) -> Result<(), Failure> {
    let pool = database::connect(config).await?;
    let casework = database::casework(config, pool, system_clock(), &Registry::new()).await?;
    import_into(&casework, &args).await?;
    let caught_up = catch_up(casework.pool(), CATCH_UP_PATIENCE)
        .await
        .doing("following the log")?;
    if !caught_up {
        println!("The read models are still following; a running worker goes on with them.");
    }
    Ok(())
}

/// The import itself, also part of `onetrip demo --with-boston`.
pub async fn import_into(casework: &Casework, args: &ImportArgs) -> Result<(), Failure> {
    let text =
        std::fs::read_to_string(&args.mapping).doing(format_args!("reading {}", args.mapping.display()))?;
    let mapping =
        Mapping::from_toml(&text).map_err(|error| Failure::setting("--mapping", error.to_string()))?;
    let rejects = args.rejects.clone().unwrap_or_else(|| {
        let mut name = args.file.clone().into_os_string();
        name.push(".rejects.csv");
        name.into()
    });
    let bar = byte_bar(mapping.system());
    let mut show = |progress: onetrip_import::Progress| {
        bar.set_length(progress.bytes_total);
        bar.set_position(progress.bytes_read);
    };
    let summary = onetrip_import::import(casework, &mapping, &args.file, &rejects, &mut show).await;
    bar.finish_and_clear();
    let summary = summary.doing(format_args!("importing {}", args.file.display()))?;
    println!(
        "{}: {} rows read, {} cases added, {} already there, {} rejected",
        mapping.system(),
        summary.rows_read,
        summary.cases_added,
        summary.already_there,
        summary.rejected_rows()
    );
    for (reason, rows) in &summary.rejected {
        println!("  {rows} rejected: {reason} (see {})", rejects.display());
    }
    Ok(())
}

/// Like [`bar`], over bytes.
fn byte_bar(what: &str) -> ProgressBar {
    let bar = ProgressBar::new(0);
    if let Ok(style) =
        ProgressStyle::with_template("{msg:<14} {bar:40} {percent:>3}% {bytes}/{total_bytes} {eta}")
    {
        bar.set_style(style);
    }
    bar.set_message(what.to_owned());
    bar
}

pub async fn report(config: &Config, args: ReportArgs) -> Result<(), Failure> {
    let pool = database::connect(config).await?;
    let casework = database::casework(config, pool, system_clock(), &Registry::new()).await?;
    let query = ReportQuery {
        area: args.area,
        as_of: None,
    };
    let report = onetrip_import::report(&casework, &query)
        .await
        .doing("reporting")?;
    print!("{}", render(&report, args.format.into()));
    Ok(())
}

pub fn check_config(config: &Config) -> Result<(), Failure> {
    config.database_url()?;
    config.vault()?;
    let rules = config.rules()?;
    println!(
        "In order: listening on {}, policy {}, calendar {}.",
        config.listen,
        rules.policy.version,
        rules.calendar.version()
    );
    Ok(())
}

pub fn generate_key() -> Result<(), Failure> {
    println!("{}", MasterKey::generate_hex().doing("making a key")?);
    Ok(())
}
