//! What the sealer makes, and that a whole log is found whole.

use crate::common::*;
use chrono::TimeDelta;
use cqrs_es::{CqrsFramework, persist::PersistedEventStore};
use onetrip_event_log::{Why, audit::audit_one};
use onetrip_evidence::{Delivery, DeliveryError, EvidenceError, Sealer, Signer, Witness, heads};
use onetrip_model::{Case, CaseCommand, Channel};
use onetrip_testkit::{by_resident, moments::monday_9am, rules};
use postgres_es::PostgresEventRepository;
use std::{
    io::{BufRead as _, Read as _, Write as _},
    sync::Arc,
    time::Duration,
};

#[tokio::test]
async fn a_sealed_log_is_found_whole_by_one_connection_and_by_several() {
    let world = World::sealed(4, 60).await;
    let (key, outside) = (world.key(), world.outside());
    let options = world.url.parse().unwrap();
    for connections in [1, 3] {
        let (mut lead, helpers) = onetrip_evidence::verify::connect(&options, connections)
            .await
            .unwrap();
        let report = verifier(&key, &outside).full(&mut lead, helpers).await.unwrap();
        assert_eq!(report.faults, []);
        assert_eq!((report.events, report.sealed, report.heads), (1200, 1200, 4));
        assert_eq!(report.newest.unwrap().size, 1200);
        assert_eq!(report.trusted.unwrap().size(), 1200);
    }
}

#[tokio::test]
async fn an_empty_log_and_one_that_is_not_sealed_yet_are_in_order() {
    let mut world = World::new().await;
    assert_eq!(world.verify().await.faults, []);
    world.append(3).await;
    let report = world.verify().await;
    assert_eq!(report.faults, []);
    assert_eq!((report.events, report.sealed), (15, 0));
    assert!(report.trusted.is_none());
}

#[tokio::test]
async fn heads_are_made_when_it_is_time_and_something_is_new() {
    let mut world = World::sealed(1, 2).await;
    let later = |seconds: i64| move || monday_9am() + TimeDelta::seconds(10 + seconds);
    // Nothing new: no head, however late it is, and nothing is written.
    assert_eq!(
        world.sealer.catch_up(later(900)).await.unwrap(),
        Default::default()
    );
    world.append(1).await;
    let mut sealed = 0;
    while sealed < 5 {
        let step = world.sealer.catch_up(later(9)).await.unwrap();
        assert!(step.head.is_none(), "too early");
        sealed += step.leaves;
    }
    let head = world.sealer.catch_up(later(10)).await.unwrap().head.unwrap();
    assert_eq!(head.size, 15);
    let mut connection = world.pool.acquire().await.unwrap();
    let kept = heads(&mut connection, None, 10).await.unwrap();
    assert_eq!(kept.iter().map(|head| head.size).collect::<Vec<_>>(), [15, 10]);
    assert_eq!(heads(&mut connection, Some(15), 10).await.unwrap()[0].size, 10);
    drop(connection);
    assert_eq!(world.verify().await.faults, []);
}

#[tokio::test]
async fn several_sealers_make_one_tree() {
    let mut world = World::new().await;
    for round in 0..5 {
        world.append(20).await;
        let now = monday_9am() + TimeDelta::seconds(10 * round);
        let wanted = 100 * (round + 1);
        while world.sealed_size().await < wanted {
            let all: [Sealer; 4] = std::array::from_fn(|_| world.sealer.clone());
            let [a, b, c, d] = all.each_ref().map(|sealer| sealer.catch_up(|| now));
            let (a, b, c, d) = tokio::join!(a, b, c, d);
            for sealed in [a, b, c, d] {
                sealed.unwrap();
            }
        }
    }
    world.seal().await;
    let report = world.verify().await;
    assert_eq!(report.faults, []);
    assert_eq!(report.sealed, 500);
}

#[tokio::test]
async fn a_clock_that_was_set_back_makes_no_older_head() {
    let mut world = World::sealed(1, 1).await;
    world.append(1).await;
    let events = world.events().await;
    while world.sealed_size().await < events {
        world
            .sealer
            .catch_up(|| monday_9am() - TimeDelta::days(1))
            .await
            .unwrap();
    }
    let without_pause = Sealer::new(
        world.pool.clone(),
        Arc::clone(world.sealer.signer()),
        Duration::ZERO,
    );
    let now = monday_9am() + TimeDelta::seconds(10);
    without_pause.catch_up(|| now).await.unwrap();
    let report = world.verify().await;
    assert_eq!(report.faults, []);
    assert_eq!(report.newest.unwrap().size, 10);
}

#[tokio::test]
async fn events_of_a_stock_writer_are_sealed_and_checked() {
    let mut world = World::new().await;
    let cases = world.append(2).await;
    let stock =
        PersistedEventStore::<_, Case>::new_event_store(PostgresEventRepository::new(world.pool.clone()));
    let command = CaseCommand {
        at: monday_9am(),
        by: by_resident(),
        channel: Channel::Portal,
        rules: rules(),
        act: supplement("一直不亮"),
    };
    let framework = CqrsFramework::new(stock, Vec::new(), ());
    let case = &cases[0];
    framework.execute(case, command.clone()).await.unwrap();
    // Ours goes on behind it.
    let why = Why::request(uuid::Uuid::from_u128(1));
    let again = CaseCommand {
        act: supplement("后天也不亮"),
        ..command
    };
    world
        .log
        .execute(case, again, None, &why, None, None)
        .await
        .unwrap();
    world.seal().await;
    let mut connection = world.pool.acquire().await.unwrap();
    let event = audit_one(&mut connection, "case", case, 6)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(event.hash, None);
    drop(connection);
    let report = world.verify().await;
    assert_eq!(report.faults, []);
    assert_eq!(report.sealed, 12);
}

#[tokio::test]
async fn erased_events_still_hold() {
    let world = World::sealed(2, 10).await;
    sqlx::query("UPDATE keys.data_keys SET wrapped = NULL, erased_at = now()")
        .execute(&world.pool)
        .await
        .unwrap();
    let mut connection = world.pool.acquire().await.unwrap();
    let report = verify(&mut connection, &world.key(), &world.outside()).await;
    assert_eq!(report.faults, []);
    assert_eq!(report.events, 100);
}

#[tokio::test]
async fn another_origin_or_key_does_not_go_on_with_the_log() {
    let mut world = World::sealed(1, 1).await;
    world.append(1).await;
    let later = || monday_9am() + TimeDelta::days(1);
    let with = |signer: Signer| Sealer::new(world.pool.clone(), Arc::new(signer), Duration::ZERO);
    let step = async |sealer: Sealer| loop {
        match sealer.catch_up(later).await {
            Ok(sealed) => assert!(sealed.head.is_none()),
            Err(error) => return error,
        }
    };
    let error = step(with(Signer::new(&vault(), "other.example/log").unwrap())).await;
    assert!(matches!(error, EvidenceError::OtherOrigin { .. }), "{error}");
    let error = step(with(Signer::from_seed(&[9; 32], ORIGIN).unwrap())).await;
    assert!(matches!(error, EvidenceError::Broken(_)), "{error}");
}

/// An endpoint that answers with these statuses, one after the other; what it was sent.
fn endpoint(statuses: &'static [u16]) -> (String, std::thread::JoinHandle<Vec<String>>) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/heads?token=secret", listener.local_addr().unwrap());
    let serving = std::thread::spawn(move || {
        let mut bodies = Vec::new();
        for status in statuses {
            let (stream, _) = listener.accept().unwrap();
            let mut reader = std::io::BufReader::new(stream);
            let (mut length, mut line) = (0, String::new());
            while reader.read_line(&mut line).unwrap() > 2 {
                if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap();
                }
                line.clear();
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            bodies.push(String::from_utf8(body).unwrap());
            let answer = format!("HTTP/1.1 {status} x\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            reader.into_inner().write_all(answer.as_bytes()).unwrap();
        }
        bodies
    });
    (url, serving)
}

#[tokio::test]
async fn an_endpoint_gets_every_head_in_order_whatever_it_answers_at_first() {
    let mut world = World::sealed(1, 1).await;
    world.append(1).await;
    world.seal().await;
    let (url, serving) = endpoint(&[500, 200, 302, 409, 204]);
    let delivery = Delivery::new(world.pool.clone(), Witness::Http(url));
    assert!(!delivery.name().contains("secret"), "{}", delivery.name());
    let refused = delivery.step().await.unwrap_err();
    assert!(matches!(refused, DeliveryError::Status(500)), "{refused}");
    // The first is taken; redirects lead nowhere.
    let refused = delivery.step().await.unwrap_err();
    assert!(matches!(refused, DeliveryError::Status(302)), "{refused}");
    assert_eq!(delivery.backlog().await.unwrap(), 1);
    let refused = delivery.step().await.unwrap_err();
    assert!(matches!(refused, DeliveryError::Conflict(10)), "{refused}");
    assert_eq!(delivery.step().await.unwrap(), 1);
    let mut connection = world.pool.acquire().await.unwrap();
    let [second, first] = heads(&mut connection, None, 2).await.unwrap().try_into().unwrap();
    let sent = serving.join().unwrap();
    assert_eq!(
        sent,
        [&first.note, &first.note, &second.note, &second.note, &second.note].map(String::clone)
    );
}

/// The way out for who has lost the tree and not the log, as the runbook has it.
#[tokio::test]
async fn tiles_that_are_made_anew_fit_the_heads_that_are_out() {
    let mut world = World::sealed(3, 60).await;
    sqlx::raw_sql(
        "TRUNCATE tree_tiles;
         UPDATE tree_state SET size = 0, transaction_id = '0', position = -9223372036854775808",
    )
    .execute(&world.pool)
    .await
    .unwrap();
    world.seal().await;
    let mut connection = world.pool.acquire().await.unwrap();
    let report = verify(&mut connection, &world.key(), &world.outside()).await;
    assert_eq!(report.faults, []);
    assert_eq!((report.sealed, report.heads), (900, 3));
}

#[tokio::test]
async fn heads_stay_even_for_the_application() {
    let world = World::sealed(1, 1).await;
    for statement in [
        "UPDATE tree_heads SET size = size + 1",
        "DELETE FROM tree_heads",
        "TRUNCATE tree_heads",
    ] {
        let refused = sqlx::query(statement).execute(&world.pool).await;
        assert!(refused.is_err(), "{statement}");
    }
}

#[tokio::test]
async fn a_witness_gets_every_head_and_one_that_holds_another_is_told_of() {
    let mut world = World::sealed(2, 1).await;
    assert_eq!(world.deliver().await, 0);
    assert_eq!(world.delivery().backlog().await.unwrap(), 0);
    world.append(1).await;
    world.seal().await;
    assert_eq!(world.delivery().backlog().await.unwrap(), 1);
    let file = world.folder.join(onetrip_evidence::verify::file_name(15));
    std::fs::write(&file, "another head\n").unwrap();
    let refused = world.delivery().step().await.unwrap_err();
    assert!(refused.to_string().contains("another head"), "{refused}");
    std::fs::remove_file(&file).unwrap();
    assert_eq!(world.deliver().await, 1);
    let files = std::fs::read_dir(&world.folder).unwrap().count();
    assert_eq!(files, 3);
}
