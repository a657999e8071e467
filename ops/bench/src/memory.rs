//! How much memory the service takes with a city's years of cases.

use crate::server::on_cluster;
use crate::{Failure, histories, projector::vault};
use indicatif::{ProgressBar, ProgressStyle};
use onetrip_casework::{Casework, system_clock};
use onetrip_cluster::{Cluster, Durability};
use onetrip_event_log::{EventLog, NewStream, Pool, Why};
use onetrip_model::{Case, CaseNumber, access::Actor, figures::Figure};
use onetrip_read_models::{
    RunOnceLedger,
    queue::QueueFilter,
    resolution::{BoardFilter, Grouping},
};
use onetrip_runner::rebuild;
use onetrip_testkit::{rules, submission_of};
use onetrip_worker::{Sealing, Worker};
use prometheus::Registry;
use std::{
    path::PathBuf,
    time::{Duration, Instant},
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

const CONNECT_PATIENCE: Duration = Duration::from_secs(30);

/// Fills a private cluster with many cases, and measures the highest memory of a process that serves them: its use cases,
/// read models and clocks at work; without the HTTP layer.
///
/// Takes about a quarter of an hour with the defaults, and about fifteen gigabytes of disk.
#[derive(clap::Args)]
pub struct Arguments {
    /// Cases, each filed, accepted and assigned.
    #[arg(long, default_value_t = 1_000_000)]
    cases: u32,
    /// Rounds of requests.
    #[arg(long, default_value_t = 20)]
    rounds: u32,
    /// Where the throw-away cluster is made; removed afterwards.
    #[arg(long, default_value = "/var/tmp/onetrip-bench-memory")]
    data_dir: PathBuf,
    /// For the process that is measured: the database that is there already.
    #[arg(long, hide = true)]
    serve: Option<String>,
}

pub async fn run(arguments: Arguments) -> Result<(), Failure> {
    if let Some(url) = &arguments.serve {
        return serve(url, arguments.cases, arguments.rounds).await;
    }
    // What is measured is the service's memory: nothing is lost with the cluster's durability.
    let measuring = async |cluster: &Cluster| fill_and_measure(&arguments, cluster).await;
    on_cluster(&arguments.data_dir, Durability::Test, false, measuring).await
}

async fn fill_and_measure(arguments: &Arguments, cluster: &Cluster) -> Result<(), Failure> {
    let url = cluster.ensure_database("bench_memory").await?;
    let pool = Pool::new(url.parse()?, 6, CONNECT_PATIENCE);
    sqlx::migrate!("../../migrations")
        .run(&mut *pool.acquire().await?)
        .await?;
    let ledger = RunOnceLedger::new(&rules().policy);
    let log: EventLog<Case> = EventLog::new(pool.clone(), vault()?, ledger, Vec::new());
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {msg} {elapsed} of about {duration}")?;
    let bar = ProgressBar::new(arguments.cases.into()).with_style(style);
    bar.set_message("cases");
    let numbers: Vec<u32> = (0..arguments.cases).collect();
    for some in numbers.chunks(1_000) {
        let halves = some.chunks(500).map(|some| {
            let log = log.clone();
            let streams: Vec<NewStream<Case>> = some.iter().map(|n| histories::stream(*n, 3)).collect();
            tokio::spawn(async move {
                log.append_new(&streams, &Why::request(Uuid::from_u128(1)), None)
                    .await
            })
        });
        for half in futures::future::join_all(halves).await {
            half??;
        }
        bar.inc(some.len() as u64);
    }
    bar.finish_and_clear();
    let bar = ProgressBar::new_spinner();
    for projection in onetrip_read_models::all() {
        bar.set_message(format!("building {}", projection.name()));
        let start = Instant::now();
        let events = rebuild(&pool, &*projection, &mut |_| {}).await?;
        let (name, seconds) = (projection.name(), start.elapsed().as_secs_f64());
        println!("{name} built from {events} events in {seconds:.0} s");
    }
    bar.finish_and_clear();
    println!(
        "after filling and building, this process had taken {} MiB at most",
        peak_mib()?
    );
    sqlx::raw_sql("VACUUM ANALYZE").execute(&pool).await?;
    drop((log, pool));
    let status = tokio::process::Command::new(std::env::current_exe()?)
        .args(["memory", "--serve", &url])
        .args(["--cases", &arguments.cases.to_string()])
        .args(["--rounds", &arguments.rounds.to_string()])
        .status()
        .await?;
    if status.success() {
        Ok(())
    } else {
        Err("the measured process failed".into())
    }
}

/// A service of this process's own, and requests of everybody.
async fn serve(url: &str, cases: u32, rounds: u32) -> Result<(), Failure> {
    let pool = Pool::new(url.parse()?, 20, CONNECT_PATIENCE);
    let registry = Registry::new();
    let casework = Casework::new(pool, vault()?, rules(), system_clock(), &registry).await?;
    let worker = Worker::new(casework.clone(), Sealing::default(), &registry)?;
    worker.prepare().await?;
    let stop = CancellationToken::new();
    let working = tokio::spawn(worker.run(stop.clone()));
    println!("started: {} MiB at most", peak_mib()?);
    let (actor, number) = (Actor::Service, |n: u32| -> CaseNumber {
        submission_of(n % cases).number
    });
    for round in 0..rounds {
        let looks = (0..8).map(|n| {
            let casework = casework.clone();
            let number = number(round * 7_919 + n * 104_729);
            tokio::spawn(async move {
                casework.case(&Actor::Service, &number).await?;
                casework
                    .queue(&Actor::Service, &QueueFilter::default(), None, 100)
                    .await?;
                casework.cases(&Actor::Service, None, None, 100).await.map(drop)
            })
        });
        for look in futures::future::join_all(looks).await {
            look??;
        }
        let notes = (0..64).map(|n| {
            let log = casework.log().clone();
            let id = histories::id((round * 64 + n) % cases);
            async move {
                let why = Why::request(Uuid::from_u128(1));
                log.execute(&id, histories::note(), None, &why, None, None).await
            }
        });
        for note in futures::future::join_all(notes).await {
            note?;
        }
    }
    println!("files, queues, lists and commands: {} MiB at most", peak_mib()?);
    let groupings = [
        Grouping::Unit,
        Grouping::District,
        Grouping::Kind,
        Grouping::Month,
    ];
    for _ in 0..2 {
        let start = Instant::now();
        let filter = BoardFilter::default();
        casework.board(&actor, &filter, &groupings).await?;
        println!(
            "the board of everything, in {:.1} s: {} MiB at most",
            start.elapsed().as_secs_f64(),
            peak_mib()?
        );
        casework
            .board_cases(&actor, &filter, Figure::Open, None, 1_000, 50)
            .await?;
        println!("the list behind a figure: {} MiB at most", peak_mib()?);
    }
    let boards = (0..2).map(|_| {
        let casework = casework.clone();
        tokio::spawn(async move {
            casework
                .board(&Actor::Service, &BoardFilter::default(), &groupings)
                .await
                .map(drop)
        })
    });
    for board in futures::future::join_all(boards).await {
        board??;
    }
    println!("two such boards at once: {} MiB at most", peak_mib()?);
    stop.cancel();
    working.await?;
    Ok(())
}

/// The highest resident memory of this process so far, in MiB.
fn peak_mib() -> Result<u64, Failure> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let kib = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .and_then(|rest| rest.trim().strip_suffix(" kB"))
        .ok_or("the system does not tell the peak of memory")?;
    Ok(kib.parse::<u64>()? / 1_024)
}
