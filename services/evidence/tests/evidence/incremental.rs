//! A check that goes on where the last one ended.

use crate::{common::*, tamper};
use onetrip_evidence::verify::{Trusted, What};
use sqlx::{Connection, Executor, PgConnection};

#[tokio::test]
async fn it_reads_only_what_is_new_and_its_state_survives_a_file() {
    let mut world = World::sealed(2, 30).await;
    let key = world.key();
    let mut trusted = world.verify().await.trusted.unwrap();
    for round in 0..4 {
        trusted = Trusted::from_json(&trusted.to_json(), &key).unwrap();
        // Sometimes nothing is new, and sometimes there is an event without a head.
        if round != 1 {
            world.append(25).await;
            world.seal().await;
        }
        if round == 3 {
            world.append(1).await;
        }
        let mut connection = world.pool.acquire().await.unwrap();
        let report = verifier(&key, &[])
            .since(&mut connection, &trusted)
            .await
            .unwrap();
        assert_eq!(report.faults, [], "round {round}");
        assert_eq!(report.events, [125, 0, 125, 130][round], "round {round}");
        trusted = report.trusted.unwrap();
    }
    assert_eq!(trusted, world.verify().await.trusted.unwrap());
}

#[tokio::test]
async fn a_state_file_that_was_changed_is_refused() {
    let world = World::sealed(1, 3).await;
    let text = world.verify().await.trusted.unwrap().to_json();
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    for (name, new) in [
        ("format", serde_json::json!("x")),
        (
            "head",
            serde_json::json!(value["head"].as_str().unwrap().replace("\n15\n", "\n14\n")),
        ),
        ("roots", serde_json::json!([])),
        ("leaf", serde_json::json!("AA==")),
        ("more", serde_json::json!(1)),
    ] {
        let mut changed = value.clone();
        changed[name] = new;
        assert!(
            Trusted::from_json(&changed.to_string(), &world.key()).is_err(),
            "{name}"
        );
    }
}

#[tokio::test]
async fn a_cut_tail_and_tampering_with_what_is_new_are_found() {
    let mut world = World::sealed(2, 30).await;
    let key = world.key();
    let trusted = world.verify().await.trusted.unwrap();
    world.append(30).await;
    world.seal().await;
    let later = world.verify().await.trusted.unwrap();
    let mut connection = PgConnection::connect(&world.url).await.unwrap();
    let lines = tamper::lines(&mut connection).await;
    let begin = "BEGIN; SET LOCAL session_replication_role = replica";

    // Cut at every kind of place, head and not.
    for size in [150, 299, 300, 301, 449] {
        connection.execute(begin).await.unwrap();
        tamper::cut(&mut connection, size, &lines).await.unwrap();
        let report = verifier(&key, &[]).since(&mut connection, &later).await.unwrap();
        let is_cut = |what: &What| matches!(what, What::Cut { size: 450, .. });
        assert!(
            report
                .faults
                .iter()
                .any(|fault| is_cut(&fault.what) && fault.index == size as u64),
            "cut at {size}: {:?}",
            report.faults
        );
        connection.execute("ROLLBACK").await.unwrap();
    }
    // Only the newest head.
    connection.execute(begin).await.unwrap();
    connection
        .execute("DELETE FROM tree_heads WHERE size = 450")
        .await
        .unwrap();
    let report = verifier(&key, &[]).since(&mut connection, &later).await.unwrap();
    assert!(matches!(
        report.faults[0].what,
        What::OutsideMissing { size: 450, .. }
    ));
    connection.execute("ROLLBACK").await.unwrap();

    let mut random = Random(5);
    let mut tried = 0;
    while tried < 60 {
        connection.execute(begin).await.unwrap();
        let done = match random.below(4) {
            0 => tamper::flip(&mut connection, &mut random, &lines[300..]).await,
            1 => tamper::delete(&mut connection, &mut random, &lines[300..]).await,
            2 => tamper::change_and_rechain(&mut connection, &mut random, &lines[300..]).await,
            _ => tamper::forget_hash(&mut connection, &mut random, &lines[300..]).await,
        };
        let first = match done {
            Ok(()) => tamper::first_difference(&lines, &tamper::lines(&mut connection).await),
            Err(_) => None,
        };
        // What was moved before the trusted head is for a full check to find.
        if let Some(first) = first.filter(|first| *first >= 300) {
            let report = verifier(&key, &[])
                .since(&mut connection, &trusted)
                .await
                .unwrap();
            assert_eq!(
                report.faults.first().map(|fault| fault.index),
                Some(first),
                "{:?}",
                report.faults
            );
            tried += 1;
        }
        connection.execute("ROLLBACK").await.unwrap();
    }
}
