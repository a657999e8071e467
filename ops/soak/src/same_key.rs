//! One key, sent many times at once over two processes of the service on one database, while these are killed: one
//! effect, and the same answer to every send.

use crate::{
    Failure,
    api::{Order, PATIENCE, broken_promise, filing},
    http::{Answer, Client},
    oracle::{Journal, Outcome},
    rng::Rng,
    run::{Faults, Report, Run, judge, read_back, without_excuse},
    service::Service,
    site::sign_in,
};
use futures::future::join_all;
use serde_json::json;
use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

const SENDS: usize = 50;

struct World<'a> {
    services: [&'a Service; 2],
    journal: &'a Journal,
    faults: &'a Faults,
    other_body_refused: AtomicU64,
    retries: AtomicU64,
    answers: AtomicU64,
    /// Answers that are the same to the byte, and those that differ in what the read models did not show yet.
    same_bytes: AtomicU64,
    took: Mutex<Vec<Duration>>,
}

pub async fn same_key(run: &Run<'_>) -> Result<Report, Failure> {
    let keys: usize = run.form.pick(25, 1_000);
    let kill_every: usize = run.form.pick(8, 20);
    let site = run.ground.site(&run.name).await?;
    let services = [
        run.ground.service(&site, &site.url, 1)?,
        run.ground.service(&site, &site.url, 2)?,
    ];
    for service in &services {
        service.outages.begin();
        service.start().await?;
    }
    let journal = run.journal()?;
    let faults = Faults::default();
    let world = World {
        services: [&services[0], &services[1]],
        journal: &journal,
        faults: &faults,
        other_body_refused: AtomicU64::new(0),
        retries: AtomicU64::new(0),
        answers: AtomicU64::new(0),
        same_bytes: AtomicU64::new(0),
        took: Mutex::default(),
    };
    let staff = sign_in(services[0].address).await?;
    run.bar.set_length(keys as u64);
    let mut clients: Vec<Client> = (0..SENDS).map(|n| services[n % 2].client()).collect();
    let mut rng = run.rng.clone();
    let mut kills = 0;
    let begun = Instant::now();
    for n in 0..keys {
        let round = one_key(
            &world,
            &mut clients,
            &run.name,
            run.rng.fork(n as u64),
            n % 10 == 9,
        );
        if n % kill_every == kill_every - 1 {
            // In the middle of the sends, somewhere.
            let service = &services[rng.below(2)];
            let wait = rng.millis(0, 30);
            let kill = async {
                tokio::time::sleep(wait).await;
                service.kill().await?;
                service.start().await
            };
            let ((), killed) = tokio::join!(round, kill);
            killed?;
            kills += 1;
        } else {
            round.await;
        }
        run.bar.inc(1);
    }
    let elapsed = begun.elapsed();

    let mut report = Report::default();
    let (commands, tally) = judge(&site, &journal, &mut report).await?;
    if tally.acknowledged != keys as u64 {
        faults.add(format!("{keys} keys had {} effects", tally.acknowledged));
    }
    site.caught_up().await?;
    read_back(&services[0], &staff, &commands, &faults).await?;
    for service in &services {
        service.kill().await?;
        if service.panics() > 0 {
            faults.add(format!("the service panicked; see {}", service.log().display()));
        }
    }
    report.faults.extend(run.ground.rebuild_differs(&site).await?);
    report.faults.extend(faults.take());
    let answers = world.answers.load(Ordering::Relaxed);
    report.figure("keys", keys);
    report.figure("effects", tally.acknowledged);
    report.figure("parallel sends of each key", SENDS);
    report.figure("kills, of two processes", kills);
    report.figure("sends retried", world.retries.load(Ordering::Relaxed));
    report.figure(
        "answers",
        format!(
            "{answers}, all with the same number, secret and version; {} the same to the byte",
            world.same_bytes.load(Ordering::Relaxed)
        ),
    );
    report.figure(
        "other body under the same key",
        format!(
            "{} times, each 422 idempotency-key-reused",
            world.other_body_refused.load(Ordering::Relaxed)
        ),
    );
    report.figure("took", format!("{:.0} s", elapsed.as_secs_f64()));
    let took = std::mem::take(&mut *world.took.lock().unwrap_or_else(PoisonError::into_inner));
    report.times("an answered send", took);
    site.drop().await?;
    Ok(report)
}

/// Sends one key from everybody at once. With `mixed`, half of them send another body: whichever comes first has the key.
async fn one_key(world: &World<'_>, clients: &mut [Client], tag: &str, mut rng: Rng, mixed: bool) {
    let first = Order::file(world.journal, tag);
    let other = Order::file_body(first.id, first.key.clone(), &other_body(&first));
    first.journal_send(world.journal);
    let waits: Vec<Duration> = clients.iter().map(|_| rng.millis(0, 8)).collect();
    let senders = clients
        .iter_mut()
        .zip(waits)
        .enumerate()
        .map(|(n, (client, wait))| {
            let order = if mixed && n % 4 >= 2 { &other } else { &first };
            let service = world.services[n % 2];
            async move {
                tokio::time::sleep(wait).await;
                (n, answer(world, client, service, order).await)
            }
        });
    let answers = join_all(senders).await;
    let mut done: Vec<(usize, Answer)> = Vec::new();
    let mut refused = Vec::new();
    for (n, answer) in answers {
        let Some(answer) = answer else { continue };
        match answer.status {
            201 => done.push((n, answer)),
            422 if answer.json()["type"] == "urn:onetrip:problem:idempotency-key-reused" => refused.push(n),
            // Nothing of the API's description allows another answer, a 409 neither: who comes second waits.
            status => world.faults.add(format!(
                "{} was answered {status}: {}",
                first.key,
                String::from_utf8_lossy(&answer.body)
            )),
        }
    }
    let Some((winner, truth)) = done.first() else {
        world.faults.add(format!("no send of {} was answered", first.key));
        return;
    };
    let is_first = |n: usize| !(mixed && n % 4 >= 2);
    let body = truth.json();
    for (n, answer) in &done {
        let told = answer.json();
        let same = ["number", "secret", "joined", "version"]
            .iter()
            .all(|name| told[*name] == body[*name])
            && is_first(*n) == is_first(*winner);
        if !same {
            world.faults.add(format!(
                "{} was answered differently: {body} and {told}",
                first.key
            ));
        }
        world.answers.fetch_add(1, Ordering::Relaxed);
        world
            .same_bytes
            .fetch_add(u64::from(answer.body == truth.body), Ordering::Relaxed);
    }
    if let Some(n) = refused.iter().find(|n| is_first(**n) == is_first(*winner)) {
        world
            .faults
            .add(format!("send {n} of {} was refused as another body", first.key));
    }
    world
        .other_body_refused
        .fetch_add(refused.len() as u64, Ordering::Relaxed);
    let outcome = Outcome::Done {
        number: body["number"].as_str().unwrap_or_default().to_owned(),
        version: body["version"].as_u64().unwrap_or_default(),
    };
    world.journal.outcome(first.id, &outcome);
    // Once it is done, another body is refused as well.
    let loser = if is_first(*winner) { &other } else { &first };
    match answer(world, &mut clients[0], world.services[0], loser).await {
        Some(answer) if answer.status == 422 => {
            world.other_body_refused.fetch_add(1, Ordering::Relaxed);
        }
        other => world
            .faults
            .add(format!("{} with another body was answered {other:?}", first.key)),
    }
}

/// Has the same mark, so that the case reads back the same whichever of the two came first.
fn other_body(order: &Order) -> serde_json::Value {
    let mut body = filing(&order.key, order.id);
    body["name"] = json!("某某");
    body
}

/// Sends until there is an answer that is one.
async fn answer(world: &World<'_>, client: &mut Client, service: &Service, order: &Order) -> Option<Answer> {
    for _ in 0..200 {
        let start = Instant::now();
        match client.send(&order.request, PATIENCE).await {
            Ok(answer) => {
                if let Some(fault) = broken_promise(&answer) {
                    world.faults.add(format!("{} was answered {fault}", order.key));
                    return None;
                }
                if answer.status != 503 {
                    let mut took = world.took.lock().unwrap_or_else(PoisonError::into_inner);
                    took.push(start.elapsed());
                    return Some(answer);
                }
            }
            Err(lost) => {
                if without_excuse(&lost, start, service) {
                    world.faults.add(format!(
                        "{}: {lost}, and nobody had killed the service",
                        order.key
                    ));
                }
            }
        }
        world.retries.fetch_add(1, Ordering::Relaxed);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    world.faults.add(format!("{} stays unanswered", order.key));
    None
}
