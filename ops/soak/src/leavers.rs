//! Clients that cut their connection at a random byte of request or answer: what they asked for is done or not done,
//! never by halves, and nothing of theirs stays open.

use crate::{
    Failure,
    api::{Case, Order, Staff},
    http::{connect, parse},
    oracle::{Journal, Outcome, What},
    rng::Rng,
    run::{Faults, Report, Run, judge, read_back},
    service::Service,
    settle::settle,
    site::{Site, sign_in},
};
use futures::future::join_all;
use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const AT_ONCE: usize = 64;
/// Nothing may be open any more, and the pool be full again, after this.
const CLEAN_PATIENCE: Duration = Duration::from_secs(5);
const ANSWER_BYTES_MAX: usize = 900;

pub async fn leavers(run: &Run<'_>) -> Result<Report, Failure> {
    let leavers: usize = run.form.pick(400, 10_000);
    let site = run.ground.site(&run.name).await?;
    let service = run.ground.service(&site, &site.url, 1)?;
    service.outages.begin();
    service.start().await?;
    let process = service.process_id().await;
    let staff = sign_in(service.address).await?;
    let journal = run.journal()?;
    let faults = Faults::default();
    run.bar.set_length(leavers as u64);
    let cases = some_cases(&service, &journal, &run.name, AT_ONCE).await?;
    let left: Mutex<Vec<Order>> = Mutex::default();
    let counts = [const { AtomicUsize::new(0) }; 3];
    let next = AtomicUsize::new(0);
    let begun = Instant::now();
    let leaving = (0..AT_ONCE).map(|n| {
        let mut rng = run.rng.fork(n as u64);
        let (service, journal, staff, case) = (&service, &journal, &staff, &cases[n]);
        let (left, counts, next) = (&left, &counts, &next);
        async move {
            let mut version = case.version;
            while next.fetch_add(1, Ordering::Relaxed) < leavers {
                let order = pick(journal, &run.name, staff, case, &mut version, &mut rng);
                let place = leave(service, journal, order, &mut rng, left).await;
                counts[place].fetch_add(1, Ordering::Relaxed);
                run.bar.inc(1);
            }
        }
    });
    join_all(leaving).await;
    let elapsed = begun.elapsed();

    let mut report = Report::default();
    let clean = clean_again(&site, &service, CLEAN_PATIENCE, &faults).await?;
    let left = std::mem::take(&mut *left.lock().unwrap_or_else(PoisonError::into_inner));
    let there = settle(&site, &service, &journal, &faults, &left).await?;
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
    let count = |place: usize| counts[place].load(Ordering::Relaxed);
    report.figure("clients that left", leavers);
    report.figure("in their request", count(0));
    report.figure("after it, before an answer", count(1));
    report.figure("in the answer", count(2));
    report.figure(
        "left whole requests, done all the same",
        format!("{there} of {}", left.len()),
    );
    report.figure(
        "nothing open and the pool full again after",
        format!("{:.2} s", clean.as_secs_f64()),
    );
    report.figure("took", format!("{:.0} s", elapsed.as_secs_f64()));
    site.drop().await?;
    Ok(report)
}

/// One for each client, so that acts don't disturb each other.
pub async fn some_cases(
    service: &Service,
    journal: &Journal,
    tag: &str,
    count: usize,
) -> Result<Vec<Case>, Failure> {
    let mut client = service.client();
    let mut cases = Vec::with_capacity(count);
    while cases.len() < count {
        let sent = Order::file(journal, tag).send(&mut client, journal).await;
        let secret = sent.secret();
        match (sent.outcome, secret) {
            (Outcome::Done { number, version }, Some(secret)) => cases.push(Case {
                number,
                secret,
                version,
                accepted: false,
            }),
            (outcome, _) => return Err(format!("a first case was not filed: {outcome:?}").into()),
        }
    }
    Ok(cases)
}

/// Filings, and acts on the newest version this client may guess at: some are stale, and refused.
fn pick(journal: &Journal, tag: &str, staff: &Staff, case: &Case, version: &mut u64, rng: &mut Rng) -> Order {
    if rng.percent(50) {
        return Order::file(journal, tag);
    }
    let what = if rng.percent(50) {
        What::FollowUp
    } else {
        What::Supplement
    };
    let order = Order::act(journal, tag, staff, case, what, *version);
    // It may have been done: half of the time the next one counts on it.
    *version += u64::from(rng.percent(50));
    order
}

/// Sends up to a random byte and goes, or reads up to a random byte and goes. 0: in the request; 1: before an answer;
/// 2: in it.
async fn leave(
    service: &Service,
    journal: &Journal,
    mut order: Order,
    rng: &mut Rng,
    left: &Mutex<Vec<Order>>,
) -> usize {
    let bytes = order.request.bytes();
    let in_request = rng.percent(40);
    let end = if in_request {
        rng.below(bytes.len())
    } else {
        bytes.len()
    };
    if in_request {
        order.what = What::Torn;
    }
    order.journal_send(journal);
    let gone = async {
        let mut stream = connect(service.address).await.ok()?;
        stream.write_all(&bytes[..end]).await.ok()?;
        if in_request {
            // Sometimes after a while, so that the service has begun to read.
            if rng.percent(30) {
                tokio::time::sleep(rng.millis(0, 20)).await;
            }
            return Some(0);
        }
        if rng.percent(50) {
            tokio::time::sleep(rng.millis(0, 12)).await;
            return Some(1);
        }
        let wanted = 1 + rng.below(ANSWER_BYTES_MAX);
        let mut read = vec![0; wanted];
        let mut length = 0;
        // Not past the end: the connection stays open after an answer.
        while length < wanted && parse(&read[..length]) == Ok(None) {
            match stream.read(&mut read[length..]).await.ok()? {
                0 => break,
                more => length += more,
            }
        }
        Some(2)
    };
    let place = tokio::time::timeout(Duration::from_secs(40), gone).await;
    if !in_request {
        let outcome = Outcome::Unknown {
            why: "left".to_owned(),
        };
        journal.outcome(order.id, &outcome);
        left.lock().unwrap_or_else(PoisonError::into_inner).push(order);
    }
    place.ok().flatten().unwrap_or(1)
}

/// Waits until no session of the service is in a transaction and none of its connections is busy.
pub async fn clean_again(
    site: &Site,
    service: &Service,
    patience: Duration,
    faults: &Faults,
) -> Result<Duration, Failure> {
    let start = Instant::now();
    loop {
        let open = site.open_transactions().await?;
        let busy = service.metric("onetrip_database_connections_busy").await;
        if open.is_empty() && busy == Some(0.0) {
            return Ok(start.elapsed());
        }
        if start.elapsed() > patience {
            faults.add(format!(
                "after {patience:?} there are still transactions {open:?} and busy connections {busy:?}"
            ));
            return Ok(start.elapsed());
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
