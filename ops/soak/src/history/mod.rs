//! Clients append to cases and read them while everything around is killed, cut and silenced; afterwards their histories
//! are checked against each other.

mod check;

use crate::{
    Failure,
    api::{self, Case, Order, Staff},
    http::Client,
    leavers::some_cases,
    oracle::{Journal, Outcome, What},
    proxy::{Line, Proxy},
    rng::Rng,
    run::{Faults, Report, Run, judge, read_back},
    service::Service,
    settle::settle,
    site::{Site, sign_in},
};
use check::{Append, Done, History, Read};
use futures::future::join_all;
use onetrip_cluster::Crash;
use std::{
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

const CLIENTS: usize = 32;
/// Cases worked on at the same time; two clients meet at each on average.
const AT_ONCE: usize = 16;
/// A list this long is left, and a new case begun.
const APPENDS_MAX: u64 = 60;
const SHOWN_PATIENCE: Duration = Duration::from_secs(20);

struct Sizes {
    operations: u64,
    service_kills: usize,
    database_kills: usize,
    cuts: usize,
    silences: usize,
}

struct World<'a> {
    service: &'a Service,
    journal: &'a Journal,
    staff: &'a Staff,
    faults: &'a Faults,
    bar: &'a indicatif::ProgressBar,
    tag: &'a str,
    /// Every case there has been, with its newest known version; the last ones are worked on.
    cases: Mutex<Vec<Case>>,
    history: Mutex<History>,
    unknown: Mutex<Vec<Order>>,
    operations: AtomicU64,
    wanted: u64,
    begun: Instant,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl World<'_> {
    fn now(&self) -> u64 {
        u64::try_from(self.begun.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    fn is_over(&self) -> bool {
        self.operations.load(Ordering::Relaxed) >= self.wanted
    }
}

pub async fn history(run: &Run<'_>) -> Result<Report, Failure> {
    let sizes = Sizes {
        operations: run.form.pick(2_500, 100_000),
        service_kills: run.form.pick(2, 20),
        database_kills: run.form.pick(1, 10),
        cuts: run.form.pick(2, 20),
        silences: run.form.pick(1, 10),
    };
    let site = run.ground.site(&run.name).await?;
    let proxy = Proxy::start(site.cluster.base().join(".s.PGSQL.5432")).await?;
    let service = run.ground.service(&site, &proxy.url(&site.name), 1)?;
    service.outages.begin();
    service.start().await?;
    let staff = sign_in(service.address).await?;
    let journal = run.journal()?;
    let faults = Faults::default();
    let first = some_cases(&service, &journal, &run.name, AT_ONCE).await?;
    run.bar.set_length(sizes.operations);
    let world = World {
        service: &service,
        journal: &journal,
        staff: &staff,
        faults: &faults,
        bar: &run.bar,
        tag: &run.name,
        cases: Mutex::new(first),
        history: Mutex::default(),
        unknown: Mutex::default(),
        operations: AtomicU64::new(0),
        wanted: sizes.operations,
        begun: Instant::now(),
    };
    let clients = (0..CLIENTS).map(|n| client(&world, run.rng.fork(n as u64)));
    let breaking = break_things(&world, &site, &proxy, &sizes, run.rng.fork(1_000));
    let (_, broken) = tokio::join!(join_all(clients), breaking);
    broken?;
    let elapsed = world.begun.elapsed();

    proxy.set_all(Line::Open);
    site.caught_up().await?;
    last_lists(&world).await?;
    let mut report = Report::default();
    let history = std::mem::take(&mut *lock(&world.history));
    let anomalies = history.check();
    for anomaly in anomalies.iter().take(20) {
        faults.add(format!("anomaly: {anomaly:?}"));
    }
    let unknown = std::mem::take(&mut *lock(&world.unknown));
    settle(&site, &service, &journal, &faults, &unknown).await?;
    let (commands, _) = judge(&site, &journal, &mut report).await?;
    site.caught_up().await?;
    read_back(&service, &staff, &commands, &faults).await?;
    service.kill().await?;
    if service.panics() > 0 {
        faults.add(format!("the service panicked; see {}", service.log().display()));
    }
    report.faults.extend(run.ground.rebuild_differs(&site).await?);
    report.faults.extend(faults.take());
    let count = |wanted: fn(&Done) -> bool| {
        history
            .appends
            .iter()
            .filter(|append| wanted(&append.done))
            .count()
    };
    let acknowledged = count(|done| matches!(done, Done::Acknowledged(_)));
    report.figure(
        "operations",
        format!(
            "{} ({acknowledged} appends, {} reads), beside them {} appends refused as stale and {} left unknown",
            acknowledged + history.reads.len(),
            history.reads.len(),
            count(|done| *done == Done::Refused),
            count(|done| *done == Done::Unknown)
        ),
    );
    report.figure("cases", history.last.len());
    report.figure(
        "faults",
        format!(
            "{} kills of the service, {} crashes of the database, {} times all lines cut, {} times silent",
            sizes.service_kills, sizes.database_kills, sizes.cuts, sizes.silences
        ),
    );
    report.figure("anomalies", anomalies.len());
    report.figure("took", format!("{:.0} s", elapsed.as_secs_f64()));
    site.drop().await?;
    Ok(report)
}

async fn client(world: &World<'_>, mut rng: Rng) {
    let mut client = world.service.client();
    while !world.is_over() {
        let (place, case) = {
            let cases = lock(&world.cases);
            let place = cases.len() - 1 - rng.below(AT_ONCE);
            (place, cases[place].clone())
        };
        if rng.percent(50) {
            read(world, &mut client, place, &case).await;
        } else {
            append(world, &mut client, place, &case, &mut rng).await;
        }
    }
}

async fn read(world: &World<'_>, client: &mut Client, place: usize, case: &Case) {
    let invoked = world.now();
    let answer = api::read(client, world.staff, &case.number).await;
    let returned = world.now();
    match answer {
        Ok(Ok(Some(shown))) => {
            learn(world, place, shown.version);
            let elements = elements(&shown);
            let read = Read {
                case: place,
                invoked,
                returned,
                version: shown.version,
                elements,
            };
            lock(&world.history).reads.push(read);
            world.operations.fetch_add(1, Ordering::Relaxed);
            world.bar.inc(1);
        }
        // Filed and acknowledged, so it must show.
        Ok(Ok(None)) => world.faults.add(format!("case {} is not shown", case.number)),
        Ok(Err(answer)) => {
            if let Some(fault) = api::broken_promise(&answer) {
                world.faults.add(format!("a read was answered {fault}"));
            }
        }
        Err(_) => {}
    }
}

/// The marks of a case in their order. Keys end in a fixed text after the number of their command.
fn elements(shown: &api::Shown) -> Vec<u64> {
    let texts = shown.entries.iter().skip(1).map(|(.., texts)| texts.concat());
    texts
        .map(|text| {
            let key = text.split("-abcdefgh").next().unwrap_or_default();
            let number = key.rsplit('-').next().unwrap_or_default();
            number.parse().unwrap_or(u64::MAX)
        })
        .collect()
}

fn learn(world: &World<'_>, place: usize, version: u64) {
    let mut cases = lock(&world.cases);
    if let Some(case) = cases.get_mut(place) {
        case.version = case.version.max(version);
    }
}

async fn append(world: &World<'_>, client: &mut Client, place: usize, case: &Case, rng: &mut Rng) {
    let what = if rng.percent(50) {
        What::FollowUp
    } else {
        What::Supplement
    };
    let order = Order::act(world.journal, world.tag, world.staff, case, what, case.version);
    let gives_up = rng.percent(30);
    let invoked = world.now();
    let done = loop {
        let sent = order.send(client, world.journal).await;
        if let Some(fault) = sent.broken_promise() {
            world.faults.add(format!("{} was answered {fault}", order.key));
        }
        match &sent.outcome {
            Outcome::Done { version, .. } => {
                learn(world, place, *version);
                break Done::Acknowledged(*version);
            }
            Outcome::Refused { status: 412, .. } => {
                let newest = sent
                    .result
                    .ok()
                    .and_then(|answer| answer.json()["newest_version"].as_u64());
                learn(world, place, newest.unwrap_or_default());
                break Done::Refused;
            }
            Outcome::Refused { status, kind } => {
                world
                    .faults
                    .add(format!("{} was refused: {status} {kind}", order.key));
                break Done::Refused;
            }
            Outcome::Unknown { .. } if gives_up => break Done::Unknown,
            Outcome::Unknown { .. } => tokio::time::sleep(rng.millis(20, 200)).await,
        }
    };
    let returned = world.now();
    let append = Append {
        case: place,
        element: order.id,
        invoked,
        returned: (done != Done::Unknown).then_some(returned),
        done: done.clone(),
    };
    lock(&world.history).appends.push(append);
    match done {
        Done::Acknowledged(version) => {
            world.operations.fetch_add(1, Ordering::Relaxed);
            world.bar.inc(1);
            if version == APPENDS_MAX {
                begin_another(world, client).await;
            }
        }
        Done::Unknown => lock(&world.unknown).push(order),
        Done::Refused => {}
    }
}

async fn begin_another(world: &World<'_>, client: &mut Client) {
    let order = Order::file(world.journal, world.tag);
    loop {
        let sent = order.send(client, world.journal).await;
        let secret = sent.secret();
        match (sent.outcome, secret) {
            (Outcome::Done { number, version }, Some(secret)) => {
                lock(&world.cases).push(Case {
                    number,
                    secret,
                    version,
                    accepted: false,
                });
                return;
            }
            (Outcome::Unknown { .. }, _) => tokio::time::sleep(Duration::from_millis(50)).await,
            (outcome, _) => {
                world
                    .faults
                    .add(format!("{} was not filed: {outcome:?}", order.key));
                return;
            }
        }
    }
}

/// Reads every case once more: what the histories are compared with.
async fn last_lists(world: &World<'_>) -> Result<(), Failure> {
    let cases = lock(&world.cases).clone();
    let mut client = world.service.client();
    for (place, case) in cases.iter().enumerate() {
        let start = Instant::now();
        let shown = loop {
            match api::read(&mut client, world.staff, &case.number).await {
                Ok(Ok(Some(shown))) => break shown,
                _ if start.elapsed() > SHOWN_PATIENCE => {
                    return Err(format!("case {} is not shown", case.number).into());
                }
                _ => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        };
        lock(&world.history).last.insert(place, elements(&shown));
    }
    Ok(())
}

#[derive(Clone, Copy, Debug)]
enum Break {
    Service,
    Database,
    Cut,
    Silence,
}

async fn break_things(
    world: &World<'_>,
    site: &Site,
    proxy: &Proxy,
    sizes: &Sizes,
    mut rng: Rng,
) -> Result<(), Failure> {
    let mut plan = vec![Break::Service; sizes.service_kills];
    plan.extend(vec![Break::Database; sizes.database_kills]);
    plan.extend(vec![Break::Cut; sizes.cuts]);
    plan.extend(vec![Break::Silence; sizes.silences]);
    rng.shuffle(&mut plan);
    let slot = sizes.operations / (plan.len() as u64 + 1);
    for (place, next) in plan.iter().enumerate() {
        let at = slot * place as u64 + slot / 2 + rng.next() % slot.max(1);
        while world.operations.load(Ordering::Relaxed) < at.min(sizes.operations) {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        world
            .bar
            .set_message(format!("{next:?} {}/{}", place + 1, plan.len()));
        match next {
            Break::Service => {
                world.service.kill().await?;
                world.service.start().await?;
            }
            Break::Database => {
                let how = if rng.percent(50) {
                    Crash::Immediate
                } else {
                    Crash::Kill
                };
                site.crash(how).await?;
                tokio::time::sleep(rng.millis(0, 500)).await;
                site.restore().await?;
            }
            Break::Cut => {
                let count = 1 + rng.below(30);
                proxy.set_some(Line::Cut, count, &mut rng);
            }
            Break::Silence => {
                let count = 1 + rng.below(30);
                proxy.set_some(Line::Silent, count, &mut rng);
                tokio::time::sleep(rng.millis(200, 2_500)).await;
                proxy.set_all(Line::Open);
            }
        }
    }
    Ok(())
}
