//! The database is there and does not answer: connections that have gone silent, tables that somebody has locked.
//! Whoever comes then is told so within a second, the process counts as alive, and afterwards everything is as before
//! without a restart.

use crate::{
    Failure,
    api::{self, Case, Order, Staff},
    http::Request,
    leavers::{clean_again, some_cases},
    oracle::{Journal, Outcome, What},
    proxy::{Line, Proxy},
    rng::Rng,
    run::{Faults, Report, Run, judge, read_back},
    service::Service,
    site::{Site, sign_in},
};
use futures::future::join_all;
use sqlx::{Connection, PgConnection};
use std::{
    collections::BTreeMap,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

const CLIENTS: usize = 64;
const ANSWER_PATIENCE: Duration = Duration::from_secs(1);
/// The same in the suite, beside which other tests keep the machine busy.
const ANSWER_PATIENCE_SHORT: Duration = Duration::from_secs(5);
const NORMAL_PATIENCE: Duration = Duration::from_secs(10);
/// What was sent before this much of a hole had passed had found a connection; whoever comes later is in excess.
const TAKEN_AFTER: Duration = Duration::from_secs(1);
/// So many of the service's connections go silent where not all do.
const SOME: usize = 5;
/// Without a failure for so long, everything is as before.
const CALM: Duration = Duration::from_millis(500);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Hole {
    /// Five connections, for good.
    Some,
    /// All connections and all new ones; then they go on.
    All,
    /// All connections and all new ones, and those never come back.
    AllForGood,
    /// Somebody holds the tables: connections work, statements don't end.
    Locked,
}

impl Hole {
    const ALL: [Hole; 4] = [Hole::Some, Hole::All, Hole::AllForGood, Hole::Locked];

    fn name(self) -> &'static str {
        match self {
            Hole::Some => "5 connections silent for good",
            Hole::All => "all connections silent, then back",
            Hole::AllForGood => "all connections silent for good",
            Hole::Locked => "tables locked, all connections held",
        }
    }
}

/// One send: when, how long, and the status.
type Sample = (Instant, Duration, Option<u16>);

struct World<'a> {
    service: &'a Service,
    journal: &'a Journal,
    staff: &'a Staff,
    faults: &'a Faults,
    samples: Mutex<Vec<Sample>>,
    over: AtomicBool,
    /// Nobody begins anything while the pool is looked at.
    pausing: AtomicBool,
    answer_patience: Duration,
    tag: &'a str,
}

pub async fn black_hole(run: &Run<'_>) -> Result<Report, Failure> {
    let rounds: usize = run.form.pick(1, 10) * Hole::ALL.len();
    let site = run.ground.site(&run.name).await?;
    let proxy = Proxy::start(site.cluster.base().join(".s.PGSQL.5432")).await?;
    let service = run.ground.service(&site, &proxy.url(&site.name), 1)?;
    service.outages.begin();
    service.start().await?;
    let process = service.process_id().await;
    let staff = sign_in(service.address).await?;
    let journal = run.journal()?;
    let faults = Faults::default();
    let cases = some_cases(&service, &journal, &run.name, CLIENTS).await?;
    let world = World {
        service: &service,
        journal: &journal,
        staff: &staff,
        faults: &faults,
        samples: Mutex::default(),
        over: AtomicBool::new(false),
        pausing: AtomicBool::new(false),
        answer_patience: run.form.pick(ANSWER_PATIENCE_SHORT, ANSWER_PATIENCE),
        tag: &run.name,
    };
    run.bar.set_length(rounds as u64);
    let mut rng = run.rng.clone();
    let clients = cases.into_iter().enumerate();
    let clients = clients.map(|(n, case)| load(&world, case, run.rng.fork(n as u64)));
    let mut results = Results::default();
    let breaking = async {
        let mut plan: Vec<Hole> = (0..rounds).map(|n| Hole::ALL[n % Hole::ALL.len()]).collect();
        rng.shuffle(&mut plan);
        for hole in plan {
            run.bar.set_message(hole.name());
            one_hole(&world, &site, &proxy, hole, &mut rng, &mut results).await?;
            run.bar.inc(1);
        }
        world.over.store(true, Ordering::Relaxed);
        Ok::<_, Failure>(())
    };
    let (_, broken) = tokio::join!(join_all(clients), async {
        let done = breaking.await;
        world.over.store(true, Ordering::Relaxed);
        done
    });
    broken?;

    let mut report = Report::default();
    let (commands, _) = judge(&site, &journal, &mut report).await?;
    site.caught_up().await?;
    read_back(&service, &staff, &commands, &faults).await?;
    if service.process_id().await != process || !service.is_running().await {
        faults.add("the service has ended by itself");
    }
    service.kill().await?;
    if service.panics() > 0 {
        faults.add(format!("the service panicked; see {}", service.log().display()));
    }
    report.faults.extend(run.ground.rebuild_differs(&site).await?);
    report.faults.extend(faults.take());
    report.figure("holes", rounds);
    for (hole, result) in results.0 {
        report.figure(
            hole.name(),
            format!(
                "{} sends in excess: {} 503, {} done",
                result.excess.len(),
                result.unavailable,
                result.excess.len() - result.unavailable
            ),
        );
        report.times("  answered in", result.excess);
        report.times("  sends that had found a connection", result.holders);
        report.times("  normal again", result.normal);
        report.times("  every place of the pool free again", result.full);
    }
    site.drop().await?;
    Ok(report)
}

#[derive(Default)]
struct Results(BTreeMap<Hole, HoleResult>);

#[derive(Default)]
struct HoleResult {
    excess: Vec<Duration>,
    unavailable: usize,
    holders: Vec<Duration>,
    normal: Vec<Duration>,
    full: Vec<Duration>,
}

async fn one_hole(
    world: &World<'_>,
    site: &Site,
    proxy: &Proxy,
    hole: Hole,
    rng: &mut Rng,
    results: &mut Results,
) -> Result<(), Failure> {
    // Some normal life first.
    tokio::time::sleep(rng.millis(300, 800)).await;
    lock(&world.samples).clear();
    let begun = Instant::now();
    let mut locker = PgConnection::connect(&site.url).await?;
    match hole {
        Hole::Some => {
            proxy.set_some(Line::Silent, SOME, rng);
        }
        Hole::All | Hole::AllForGood => {
            proxy.set_all(Line::Silent);
        }
        Hole::Locked => {
            sqlx::raw_sql(
                "BEGIN; LOCK TABLE events, requests, sessions, case_files, run_once_cases, checkpoints, keys.persons
                 IN ACCESS EXCLUSIVE MODE",
            )
            .execute(&mut locker)
            .await?;
        }
    }
    let until = begun + rng.millis(3_500, 5_000);
    while Instant::now() < until {
        let start = Instant::now();
        let alive = world
            .service
            .client()
            .send(&Request::get("/healthz"), Duration::from_secs(5))
            .await;
        match alive {
            Ok(answer) if answer.status == 200 && start.elapsed() < world.answer_patience => {}
            other => world.faults.add(format!(
                "{hole:?}: liveness took {:?}: {other:?}",
                start.elapsed()
            )),
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    match hole {
        Hole::Some | Hole::AllForGood => proxy.forget_silent(),
        Hole::All => {
            proxy.set_all(Line::Open);
        }
        Hole::Locked => {
            sqlx::raw_sql("ROLLBACK").execute(&mut locker).await?;
        }
    }
    let released = Instant::now();
    let normal = normal_again(world, released).await;
    if normal >= NORMAL_PATIENCE {
        world
            .faults
            .add(format!("{hole:?}: not normal {normal:?} after the release"));
    }
    world.pausing.store(true, Ordering::Relaxed);
    let full = released.elapsed() + clean_again(site, world.service, left_of(released), world.faults).await?;
    world.pausing.store(false, Ordering::Relaxed);
    let result = results.0.entry(hole).or_default();
    result.normal.push(normal);
    result.full.push(full);
    for (start, took, status) in lock(&world.samples).drain(..) {
        // Who comes shortly before the end may wait beyond it, and be served.
        if start < begun || start + ANSWER_PATIENCE > released {
            continue;
        }
        if start < begun + TAKEN_AFTER {
            result.holders.push(took);
            continue;
        }
        result.excess.push(took);
        result.unavailable += usize::from(status == Some(503));
        // Who had a connection and is served may have waited for the read models.
        if took > world.answer_patience && !matches!(status, Some(200..=299)) {
            world.faults.add(format!(
                "{hole:?}: a send in excess was answered after {took:?} with {status:?}"
            ));
        }
    }
    Ok(())
}

/// Of the time that everything may take to be as before.
fn left_of(released: Instant) -> Duration {
    NORMAL_PATIENCE.saturating_sub(released.elapsed())
}

/// Waits until nothing has failed for a while; the time until then, from the release.
async fn normal_again(world: &World<'_>, released: Instant) -> Duration {
    let mut last_failure = released;
    let mut done = 0;
    loop {
        tokio::time::sleep(Duration::from_millis(20)).await;
        let samples = lock(&world.samples);
        for (start, took, status) in samples.iter() {
            let ended = *start + *took;
            if ended > last_failure && !matches!(status, Some(200..=499)) {
                last_failure = ended;
            }
        }
        done += usize::from(samples.iter().any(|(start, ..)| *start > last_failure));
        drop(samples);
        let calm = last_failure.elapsed() > CALM && done > 0;
        if calm || released.elapsed() > NORMAL_PATIENCE * 2 {
            return last_failure.saturating_duration_since(released);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One client: filings, acts on a case of its own, and reads. What is not answered is sent again.
async fn load(world: &World<'_>, mut case: Case, mut rng: Rng) {
    let mut client = world.service.client();
    let mut pending: Option<Order> = None;
    loop {
        if pending.is_none() && world.over.load(Ordering::Relaxed) {
            return;
        }
        tokio::time::sleep(rng.millis(20, 120)).await;
        if world.pausing.load(Ordering::Relaxed) {
            continue;
        }
        if pending.is_none() && rng.percent(25) {
            look(world, &mut client, &case).await;
            continue;
        }
        let order = pending.take().unwrap_or_else(|| match rng.below(10) {
            0..4 => Order::file(world.journal, world.tag),
            4..7 => Order::act(
                world.journal,
                world.tag,
                world.staff,
                &case,
                What::FollowUp,
                case.version,
            ),
            _ => Order::act(
                world.journal,
                world.tag,
                world.staff,
                &case,
                What::Supplement,
                case.version,
            ),
        });
        let sent = order.send(&mut client, world.journal).await;
        lock(&world.samples).push((sent.start, sent.took, sent.status()));
        if let Some(fault) = sent.broken_promise() {
            world.faults.add(format!("{} was answered {fault}", order.key));
        }
        if let Err(lost) = &sent.result {
            world.faults.add(format!("{}: {lost}", order.key));
        }
        match sent.outcome {
            Outcome::Done { version, .. } if order.what != What::File => case.version = version,
            Outcome::Done { .. } => {}
            Outcome::Unknown { .. } => pending = Some(order),
            Outcome::Refused { status, kind } => {
                world
                    .faults
                    .add(format!("{} was refused: {status} {kind}", order.key));
            }
        }
    }
}

async fn look(world: &World<'_>, client: &mut crate::http::Client, case: &Case) {
    let start = Instant::now();
    let answer = api::read(client, world.staff, &case.number).await;
    let status = match answer {
        Ok(Ok(_)) => Some(200),
        Ok(Err(answer)) => {
            if let Some(fault) = api::broken_promise(&answer) {
                world.faults.add(format!("a read was answered {fault}"));
            }
            Some(answer.status)
        }
        Err(lost) => {
            world.faults.add(format!("a read: {lost}"));
            None
        }
    };
    lock(&world.samples).push((start, start.elapsed(), status));
}
