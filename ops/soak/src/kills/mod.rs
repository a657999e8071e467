//! Writers file cases and act on them while the service and the database are killed at random: nothing acknowledged may
//! be lost, nothing done twice, nothing but 503 with Retry-After answered by a service whose database is gone.

mod breaks;

use crate::{
    Failure,
    api::{self, Case, Order, Sent, Staff},
    http::{Client, Lost, Request},
    oracle::{Journal, Outcome, What},
    rng::Rng,
    run::{Faults, Report, Run, judge, read_back, without_excuse},
    service::Service,
    settle::settle,
    site::{Site, sign_in},
};
use breaks::break_things;
use futures::future::join_all;
use serde_json::json;
use std::{
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

pub const WRITERS: usize = 64;
/// The service has this long to be normal again once the database is.
const NORMAL_AGAIN: Duration = Duration::from_secs(5);
const READY_PATIENCE: Duration = Duration::from_secs(3);
/// For both in the suite, beside which other tests keep the machine busy.
const BUSY_PATIENCE: Duration = Duration::from_secs(20);
/// Cases that a writer goes on with; older ones are left as they are.
const CASES_MAX: usize = 12;

struct Sizes {
    commands: u64,
    service_kills: usize,
    database_kills: usize,
    held_transactions: usize,
    held_millis_max: usize,
}

/// What all writers share.
struct World<'a> {
    site: &'a Site,
    service: &'a Service,
    journal: &'a Journal,
    staff: &'a Staff,
    faults: &'a Faults,
    run: &'a Run<'a>,
    commands: AtomicU64,
    wanted: u64,
    reads: AtomicU64,
    unavailable: AtomicU64,
    /// 503 although the database had been back for long.
    unavailable_without_excuse: AtomicU64,
    abandoned: Mutex<Vec<Order>>,
    took: Mutex<Vec<Duration>>,
    ready_patience: Duration,
    normal_patience: Duration,
}

pub async fn kills(run: &Run<'_>) -> Result<Report, Failure> {
    let sizes = Sizes {
        commands: run.form.pick(2_500, 200_000),
        service_kills: run.form.pick(4, 100),
        database_kills: run.form.pick(3, 50),
        held_transactions: run.form.pick(1, 10),
        held_millis_max: run.form.pick(1_000, 4_000),
    };
    let site = run.ground.site(&run.name).await?;
    let service = run.ground.service(&site, &site.url, 1)?;
    let journal = run.journal()?;
    service.outages.begin();
    let first_ready = service.start().await?;
    let staff = sign_in(service.address).await?;
    let faults = Faults::default();
    run.bar.set_length(sizes.commands);
    let world = World {
        site: &site,
        service: &service,
        journal: &journal,
        staff: &staff,
        faults: &faults,
        run,
        commands: AtomicU64::new(0),
        wanted: sizes.commands,
        reads: AtomicU64::new(0),
        unavailable: AtomicU64::new(0),
        unavailable_without_excuse: AtomicU64::new(0),
        abandoned: Mutex::default(),
        took: Mutex::default(),
        ready_patience: run.form.pick(BUSY_PATIENCE, READY_PATIENCE),
        normal_patience: run.form.pick(BUSY_PATIENCE, NORMAL_AGAIN),
    };
    let begun = Instant::now();
    let writing = join_all((0..WRITERS).map(|n| write(&world, run.rng.fork(n as u64))));
    let over = AtomicBool::new(false);
    let killing = break_things(&world, &sizes, first_ready, run.rng.fork(1_000));
    let (_, breaks, ()) = tokio::join!(
        async {
            let done = writing.await;
            over.store(true, Ordering::Relaxed);
            done
        },
        killing,
        watch_liveness(&world, &over),
    );
    let breaks = breaks?;
    let elapsed = begun.elapsed();

    let mut report = Report::default();
    let settled = settle_abandoned(&world).await?;
    let (commands, tally) = judge(&site, &journal, &mut report).await?;
    site.caught_up().await?;
    let cases = read_back(&service, &staff, &commands, &faults).await?;
    if !service.is_running().await {
        faults.add("the service has ended by itself");
    }
    service.kill().await?;
    report.faults.extend(run.ground.rebuild_differs(&site).await?);
    if site.parked().await? > 0 {
        faults.add("a read model could not fold some events");
    }
    if service.panics() > 0 {
        faults.add(format!("the service panicked; see {}", service.log().display()));
    }
    report.faults.extend(faults.take());
    let seconds = elapsed.as_secs_f64();
    report.figure("kills of the service", sizes.service_kills);
    report.figure("crashes of the database", breaks.normal.len());
    report.figure("held transactions", sizes.held_transactions);
    report.times("ready after a start", breaks.ready);
    report.times("normal again after the database", breaks.normal);
    report.figure(
        "writing",
        format!(
            "{seconds:.0} s, {:.0} commands/s with {WRITERS} writers, {} reads",
            tally.commands as f64 / seconds,
            world.reads.load(Ordering::Relaxed)
        ),
    );
    report.figure(
        "503 answers",
        format!(
            "{}, of them {} later than {} s after an outage",
            world.unavailable.load(Ordering::Relaxed),
            world.unavailable_without_excuse.load(Ordering::Relaxed),
            NORMAL_AGAIN.as_secs()
        ),
    );
    report.figure("left unknown to the end, then settled", settled);
    report.figure("cases read back and compared", cases);
    let took = std::mem::take(
        &mut *world
            .took
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner),
    );
    report.times("an acknowledged command", took);
    site.drop().await?;
    Ok(report)
}

async fn write(world: &World<'_>, mut rng: Rng) {
    let mut client = world.service.client();
    let mut cases: Vec<Case> = Vec::new();
    while world.commands.fetch_add(1, Ordering::Relaxed) < world.wanted {
        world.run.bar.inc(1);
        let place = rng.below(cases.len());
        let refused_on_purpose = rng.percent(4);
        let order = match cases.get(place).filter(|_| !rng.percent(25)) {
            None if refused_on_purpose => faulty_filing(world),
            None => Order::file(world.journal, &world.site.name),
            Some(case) => {
                let what = match rng.below(10) {
                    0..4 if !case.accepted => What::Accept,
                    0..7 => What::FollowUp,
                    _ => What::Supplement,
                };
                // A version that never comes: refused as stale.
                let version = if refused_on_purpose {
                    case.version + 1_000
                } else {
                    case.version
                };
                Order::act(world.journal, &world.site.name, world.staff, case, what, version)
            }
        };
        let Some(sent) = send(world, &mut client, &order, &mut rng).await else {
            // Left alone until the end; what it was about is not known any more.
            if order.what != What::File && place < cases.len() {
                cases.swap_remove(place);
            }
            continue;
        };
        match &sent.outcome {
            Outcome::Done { number, version } if order.what == What::File => {
                if let Some(secret) = sent.secret() {
                    cases.push(Case {
                        number: number.clone(),
                        secret,
                        version: *version,
                        accepted: false,
                    });
                } else {
                    world.faults.add(format!("{} joined another case", order.key));
                }
                if cases.len() > CASES_MAX {
                    cases.swap_remove(rng.below(CASES_MAX));
                }
            }
            Outcome::Done { version, .. } => {
                if let Some(case) = cases.get_mut(place) {
                    case.version = *version;
                    case.accepted |= order.what == What::Accept;
                }
            }
            Outcome::Refused { status, kind } => {
                if !refused_on_purpose {
                    world
                        .faults
                        .add(format!("{} was refused: {status} {kind}", order.key));
                }
            }
            Outcome::Unknown { .. } => {}
        }
        if rng.percent(20) && !cases.is_empty() {
            let place = rng.below(cases.len());
            look(world, &mut client, &cases[place]).await;
        }
    }
}

/// A filing whose phone number is none.
fn faulty_filing(world: &World<'_>) -> Order {
    let order = Order::file(world.journal, &world.site.name);
    let mut body = api::filing(&order.key, order.id);
    body["phone"] = json!("not a number");
    Order::file_body(order.id, order.key, &body)
}

/// Sends until it is answered; None where the writer gives up and leaves it unknown.
async fn send(world: &World<'_>, client: &mut Client, order: &Order, rng: &mut Rng) -> Option<Sent> {
    let gives_up = rng.percent(25);
    loop {
        let sent = order.send(client, world.journal).await;
        examine(world, order, &sent);
        match sent.outcome {
            Outcome::Unknown { .. } if gives_up => {
                let mut abandoned = world
                    .abandoned
                    .lock()
                    .unwrap_or_else(std::sync::PoisonError::into_inner);
                abandoned.push(order.clone());
                return None;
            }
            Outcome::Unknown { .. } => tokio::time::sleep(rng.millis(50, 300)).await,
            _ => return Some(sent),
        }
    }
}

fn examine(world: &World<'_>, order: &Order, sent: &Sent) {
    if let Some(fault) = sent.broken_promise() {
        world.faults.add(format!("{} was answered {fault}", order.key));
    }
    match &sent.result {
        Ok(answer) if answer.status == 503 => {
            world.unavailable.fetch_add(1, Ordering::Relaxed);
            let excuse = world.site.outages.touches(sent.start, NORMAL_AGAIN)
                || world.service.outages.touches(sent.start, NORMAL_AGAIN);
            if !excuse {
                world.unavailable_without_excuse.fetch_add(1, Ordering::Relaxed);
            }
        }
        Ok(_) => {
            let mut took = world
                .took
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner);
            took.push(sent.took);
        }
        Err(lost) if without_excuse(lost, sent.start, world.service) => {
            world.faults.add(format!(
                "{}: {lost}, and nobody had killed the service",
                order.key
            ));
        }
        Err(_) => {}
    }
}

/// Reads a case in between: what its only writer knows of it must be there, in order.
async fn look(world: &World<'_>, client: &mut Client, case: &Case) {
    world.reads.fetch_add(1, Ordering::Relaxed);
    let start = Instant::now();
    match api::read(client, world.staff, &case.number).await {
        Ok(Ok(Some(shown))) => {
            let sequences = shown.entries.iter().map(|(sequence, ..)| *sequence);
            if !sequences.eq(1..=shown.version) {
                world
                    .faults
                    .add(format!("case {} has gaps: {:?}", case.number, shown.entries));
            }
        }
        // Not folded yet, as behind a held transaction.
        Ok(Ok(None)) => {}
        Ok(Err(answer)) => {
            if let Some(fault) = api::broken_promise(&answer) {
                world
                    .faults
                    .add(format!("a read of {} was answered {fault}", case.number));
            } else if answer.status != 503 {
                world.faults.add(format!(
                    "a read of {} was answered {}",
                    case.number, answer.status
                ));
            }
        }
        Err(lost) => {
            if without_excuse(&lost, start, world.service) {
                world.faults.add(format!(
                    "a read of {}: {lost}, and nobody had killed the service",
                    case.number
                ));
            }
        }
    }
}

/// While the service is up it is alive, whatever its database does.
async fn watch_liveness(world: &World<'_>, over: &AtomicBool) {
    while !over.load(Ordering::Relaxed) {
        let start = Instant::now();
        let answer = world
            .service
            .client()
            .send(&Request::get("/healthz"), Duration::from_secs(5))
            .await;
        let excused = world.service.outages.touches(start, Duration::from_millis(500));
        match answer {
            Ok(answer) if answer.status == 200 => {}
            _ if excused => {}
            Err(Lost::NotConnected(_)) if excused => {}
            other => world.faults.add(format!("liveness failed: {other:?}")),
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
}

/// What was left unknown is in the log once or not at all, and a retry tells the same.
async fn settle_abandoned(world: &World<'_>) -> Result<usize, Failure> {
    let abandoned = std::mem::take(
        &mut *world
            .abandoned
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner),
    );
    settle(world.site, world.service, world.journal, world.faults, &abandoned).await?;
    Ok(abandoned.len())
}
