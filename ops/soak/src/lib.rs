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
mod settle;
mod site;
mod supervision;

pub use run::Form;

use indicatif::{ProgressBar, ProgressStyle};
use onetrip_cluster::Durability;
use rng::Rng;
use run::{Report, Run};
use site::Ground;
use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

pub type Failure = Box<dyn std::error::Error + Send + Sync>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scenario {
    Kills,
    SameKey,
    Leavers,
    BlackHole,
    History,
    Supervision,
}

impl Scenario {
    pub const ALL: [Scenario; 6] = [
        Scenario::Kills,
        Scenario::SameKey,
        Scenario::Leavers,
        Scenario::BlackHole,
        Scenario::History,
        Scenario::Supervision,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Scenario::Kills => "kills",
            Scenario::SameKey => "same-key",
            Scenario::Leavers => "leavers",
            Scenario::BlackHole => "black-hole",
            Scenario::History => "history",
            Scenario::Supervision => "supervision",
        }
    }

    async fn run(self, run: &Run<'_>) -> Result<Report, Failure> {
        match self {
            Scenario::Kills => kills::kills(run).await,
            Scenario::SameKey => same_key::same_key(run).await,
            Scenario::Leavers => leavers::leavers(run).await,
            Scenario::BlackHole => black_hole::black_hole(run).await,
            Scenario::History => history::history(run).await,
            Scenario::Supervision => supervision::supervision(run).await,
        }
    }
}

/// What is to be done.
#[derive(Clone, Debug)]
pub struct Plan {
    pub scenarios: Vec<Scenario>,
    pub form: Form,
    /// Of the first round; each further one has the next.
    pub seed: u64,
    /// Rounds are begun for so long; one in any case.
    pub lasts: Duration,
    /// Of the supervised year, in the place of what the form has.
    pub cases: Option<u32>,
    /// The service's binary.
    pub binary: PathBuf,
    /// For the private server, logs and journals. Removed afterwards unless something failed.
    pub folder: PathBuf,
}

/// Whether everything held. What was measured and what did not hold is printed.
pub async fn soak(plan: &Plan) -> Result<bool, Failure> {
    if !plan.binary.is_file() {
        let binary = plan.binary.display();
        return Err(format!("{binary} is not there: build it, or name another with --binary").into());
    }
    let durability = plan.form.pick(Durability::Test, Durability::Full);
    let ground = Ground::make(plan.folder.clone(), plan.binary.clone(), durability).await?;
    let held = rounds(plan, &ground).await;
    if let Ok(true) = held {
        ground.remove().await?;
        return held;
    }
    // Left as they are, to be looked at; only the server must not run on.
    let cluster = ground.cluster.clone();
    site::blocking(move || cluster.stop()).await?;
    eprintln!(
        "Journals, logs and the database are in {}.",
        plan.folder.display()
    );
    held
}

async fn rounds(plan: &Plan, ground: &Ground) -> Result<bool, Failure> {
    let start = Instant::now();
    let mut held = true;
    let mut round = 0;
    loop {
        for scenario in &plan.scenarios {
            held &= one(plan, ground, *scenario, round).await?;
        }
        round += 1;
        if !held || start.elapsed() >= plan.lasts {
            return Ok(held);
        }
    }
}

async fn one(plan: &Plan, ground: &Ground, scenario: Scenario, round: u64) -> Result<bool, Failure> {
    let name = scenario.name();
    let seed = plan.seed.wrapping_add(round);
    let bar = ProgressBar::new(1).with_style(ProgressStyle::with_template(
        "{prefix:<10} {bar:30} {percent:>3}% {human_pos}/{human_len} {elapsed} {msg}",
    )?);
    bar.set_prefix(name);
    let run = Run {
        ground,
        form: plan.form,
        cases: plan.cases,
        rng: Rng::new(seed),
        name: format!("soak_{}_{round}", name.replace('-', "_")),
        bar: bar.clone(),
        begun: Instant::now(),
    };
    let outcome = scenario.run(&run).await;
    bar.finish_and_clear();
    let short = plan.form.pick(" --short", "");
    let cases = plan
        .cases
        .map_or(String::new(), |cases| format!(" --cases {cases}"));
    let replay = format!("cargo run --release -p onetrip-soak -- {name} --seed {seed}{short}{cases}");
    let report = outcome.map_err(|error| format!("{name} could not be run: {error}\nReplay it: {replay}"))?;
    println!("{name}, seed {seed}, {:.0} s", run.begun.elapsed().as_secs_f64());
    for (figure, value) in &report.figures {
        println!("  {figure:<46} {value}");
    }
    if report.faults.is_empty() {
        println!("  held");
        return Ok(true);
    }
    println!("  FAILED: {} faults", report.faults.len());
    for fault in &report.faults {
        println!("    {fault}");
    }
    println!("  Replay it: {replay}");
    Ok(false)
}
