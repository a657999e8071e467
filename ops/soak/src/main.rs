//! Drives the real service through kills, outages and clients that leave, and holds it to what it acknowledged. See
//! `ops/docs/SOAK.md`.

mod api;
mod black_hole;
mod history;
mod http;
mod kills;
mod leavers;
mod oracle;
mod proxy;
mod rng;
mod run;
mod same_key;
mod service;
mod site;

use clap::{Parser, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use onetrip_cluster::Durability;
use rng::Rng;
use run::{Form, Report, Run};
use site::Ground;
use std::{
    path::{Path, PathBuf},
    process::{Command, ExitCode},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Drives the real service through kills, outages and clients that leave, on a private PostgreSQL server of its own, and
/// holds it to what it acknowledged: every acknowledged command is in the log exactly once, every refused one is not,
/// every unknown one is settled by sending it again.
///
/// The long form takes about half an hour. A failure prints the seed and the command that replays it; the seed repeats
/// the choices (who sends what, what is killed when), not the machine's timing.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// What to do
    #[arg(value_enum, default_value_t = Scenario::All)]
    scenario: Scenario,
    /// The form of the test suite: seconds for each scenario, on a server that does not sync
    #[arg(long)]
    short: bool,
    /// Repeat with new seeds until so many minutes have passed
    #[arg(long, default_value_t = 0)]
    minutes: u64,
    /// The first seed; drawn from the clock if left out
    #[arg(long)]
    seed: Option<u64>,
    /// The service's binary; built beside this one if left out
    #[arg(long)]
    binary: Option<PathBuf>,
    /// Folder of the private server, logs and journals; removed afterwards unless something failed
    #[arg(long)]
    data_dir: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Scenario {
    All,
    /// Kills of the service and of the database, held transactions, 64 writers
    Kills,
    /// One key sent 50 times at once over two processes
    SameKey,
    /// Clients that leave at a random byte
    Leavers,
    /// Silent connections and locked tables
    BlackHole,
    /// Appends and reads whose history is checked
    History,
}

impl Scenario {
    const EACH: [Scenario; 5] = [
        Scenario::Kills,
        Scenario::SameKey,
        Scenario::Leavers,
        Scenario::BlackHole,
        Scenario::History,
    ];

    fn name(self) -> &'static str {
        match self {
            Scenario::All => "all",
            Scenario::Kills => "kills",
            Scenario::SameKey => "same-key",
            Scenario::Leavers => "leavers",
            Scenario::BlackHole => "black-hole",
            Scenario::History => "history",
        }
    }

    async fn run(self, run: &Run<'_>) -> Result<Report, Failure> {
        match self {
            Scenario::All => Ok(Report::default()),
            Scenario::Kills => kills::kills(run).await,
            Scenario::SameKey => same_key::same_key(run).await,
            Scenario::Leavers => leavers::leavers(run).await,
            Scenario::BlackHole => black_hole::black_hole(run).await,
            Scenario::History => history::history(run).await,
        }
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    match soak(Arguments::parse()).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("onetrip-soak: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Whether everything held.
async fn soak(arguments: Arguments) -> Result<bool, Failure> {
    let form = if arguments.short { Form::Short } else { Form::Long };
    let binary = match &arguments.binary {
        Some(binary) => binary.clone(),
        None => built_binary()?,
    };
    if !binary.is_file() {
        return Err(format!(
            "{} is not there: build it, or name another with --binary",
            binary.display()
        )
        .into());
    }
    let folder = arguments.data_dir.clone().unwrap_or_else(|| {
        let name = format!("onetrip-soak-{}", std::process::id());
        match form {
            Form::Short => std::env::temp_dir().join(name),
            Form::Long => Path::new("/var/tmp").join(name),
        }
    });
    let durability = form.pick(Durability::Test, Durability::Full);
    let first_seed = arguments.seed.unwrap_or_else(|| {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::from(now.subsec_nanos()) ^ now.as_secs()
    });
    let ground = Ground::make(folder, binary, durability).await?;
    let held = rounds(&arguments, &ground, form, first_seed).await;
    if let Ok(true) = held {
        ground.remove().await?;
        return held;
    }
    // Left as they are, to be looked at; only the server must not run on.
    let (cluster, folder) = (ground.cluster.clone(), ground.folder.clone());
    site::blocking(move || cluster.stop()).await?;
    eprintln!("Journals, logs and the database are in {}.", folder.display());
    held
}

async fn rounds(
    arguments: &Arguments,
    ground: &Ground,
    form: Form,
    first_seed: u64,
) -> Result<bool, Failure> {
    let scenarios: Vec<Scenario> = match arguments.scenario {
        Scenario::All => Scenario::EACH.to_vec(),
        one => vec![one],
    };
    let until = Instant::now() + Duration::from_secs(arguments.minutes * 60);
    let mut held = true;
    let mut round = 0;
    loop {
        let seed = first_seed.wrapping_add(round);
        for scenario in &scenarios {
            held &= one(ground, form, *scenario, seed, round).await?;
        }
        round += 1;
        if !held || Instant::now() >= until {
            return Ok(held);
        }
    }
}

async fn one(
    ground: &Ground,
    form: Form,
    scenario: Scenario,
    seed: u64,
    round: u64,
) -> Result<bool, Failure> {
    let name = scenario.name();
    let bar = ProgressBar::new(1).with_style(ProgressStyle::with_template(
        "{prefix:<10} {bar:30} {percent:>3}% {human_pos}/{human_len} {elapsed} {msg}",
    )?);
    bar.set_prefix(name);
    let run = Run {
        ground,
        form,
        rng: Rng::new(seed),
        name: format!("soak_{}_{round}", name.replace('-', "_")),
        bar: bar.clone(),
    };
    let start = Instant::now();
    let outcome = scenario.run(&run).await;
    bar.finish_and_clear();
    let replay = format!(
        "cargo run --release -p onetrip-soak -- {name} --seed {seed}{}",
        form.pick(" --short", "")
    );
    let report = outcome.map_err(|error| format!("{name} could not be run: {error}\nReplay it: {replay}"))?;
    println!("{name}, seed {seed}, {:.0} s", start.elapsed().as_secs_f64());
    for (figure, value) in &report.figures {
        println!("  {figure:<46} {value}");
    }
    if report.faults.is_empty() {
        println!("  held");
        return Ok(true);
    }
    println!("  FAILED: {} faults", report.faults.len());
    for fault in report.faults.iter().take(60) {
        println!("    {fault}");
    }
    println!("  Replay it: {replay}");
    Ok(false)
}

/// The service's binary beside this program, brought up to date.
fn built_binary() -> Result<PathBuf, Failure> {
    let own = std::env::current_exe()?;
    let folder = own.parent().ok_or("this program is in no folder")?;
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(["build", "-q", "-p", "onetrip"]);
    if folder.ends_with("release") {
        command.arg("--release");
    }
    if !command.status()?.success() {
        return Err("the service cannot be built; name a binary with --binary".into());
    }
    Ok(folder.join("onetrip"))
}
