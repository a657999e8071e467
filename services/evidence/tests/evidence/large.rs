//! A log of several stretches, checked side by side.
//!
//! `ONETRIP_LARGE_LOG` sets its events: 20,000 in the suite, 1,000,000 for the figures.

use crate::common::*;
use onetrip_evidence::verify::{Trusted, What, connect};
use sqlx::{Connection, Executor, PgConnection};
use std::time::Instant;

/// Events of one stretch of a connection (32 tiles).
const STRETCH: u64 = 8_192;

#[tokio::test(flavor = "multi_thread")]
async fn a_large_log_is_checked_in_stretches() {
    let events = setting("ONETRIP_LARGE_LOG", 20_000);
    let mut world = World::new().await;
    let start = Instant::now();
    // One case as our own log writes it; the others are like it.
    let model = world.append(1).await.remove(0);
    let cases = i64::try_from(events / 5).unwrap() - 1;
    for round in 0..10 {
        world
            .copy(&model, cases * round / 10, cases * (round + 1) / 10)
            .await;
    }
    println!("{} events after {:.1?}", world.events().await, start.elapsed());
    let start = Instant::now();
    // The very first head comes early, the next one covers all of it.
    world.seal().await;
    world.seal().await;
    println!("sealed in {:.1?}", start.elapsed());
    world.deliver().await;
    // Fewer than a sealer takes at a time would be a large log of one stretch.
    assert!(events >= 2 * STRETCH);

    let (key, outside) = (world.key(), world.outside());
    let options = world.url.parse().unwrap();
    let mut trusted = None;
    for connections in [2, 1] {
        let start = Instant::now();
        let (mut lead, helpers) = connect(&options, connections).await.unwrap();
        let report = verifier(&key, &outside).full(&mut lead, helpers).await.unwrap();
        println!(
            "{} events checked on {connections} connections in {:.1?}",
            report.events,
            start.elapsed()
        );
        assert_eq!(report.faults, []);
        assert_eq!((report.events, report.sealed), (events, events));
        trusted = report.trusted;
    }
    let trusted = Trusted::from_json(&trusted.unwrap().to_json(), &key).unwrap();
    world.append(200).await;
    world.seal().await;
    let start = Instant::now();
    let (mut lead, _) = connect(&options, 1).await.unwrap();
    let report = verifier(&key, &[]).since(&mut lead, &trusted).await.unwrap();
    println!("{} new events checked in {:.1?}", report.events, start.elapsed());
    assert_eq!(report.faults, []);
    assert_eq!(report.events, 1000);
    drop(lead);

    // At the edges of stretches, where what tiles say of their beginnings is relied on.
    let mut connection = PgConnection::connect(&world.url).await.unwrap();
    for index in [STRETCH - 1, STRETCH, STRETCH + 1, 2 * STRETCH - 1] {
        let this: String = sqlx::query_scalar(
            "SELECT format('transaction_id = %L AND position = %s', transaction_id, position) FROM events
             ORDER BY transaction_id, position OFFSET $1 LIMIT 1",
        )
        .bind(index as i64)
        .fetch_one(&mut connection)
        .await
        .unwrap();
        let tile = index / 256;
        for (sql, named) in [
            (format!("DELETE FROM events WHERE {this}"), true),
            (format!("UPDATE events SET position = position + 9223372036000000000 WHERE {this}"), true),
            (format!("UPDATE events SET payload = '{{}}' WHERE {this}"), true),
            (format!("UPDATE tree_tiles SET first_position = first_position + 1 WHERE level = 0 AND tile = {tile}"), false),
            (format!("UPDATE tree_tiles SET first_position = first_position - 1 WHERE level = 0 AND tile = {tile}"), false),
            (format!("UPDATE tree_tiles SET first_transaction_id = '0' WHERE level = 0 AND tile = {tile}"), false),
            (
                format!(
                    "UPDATE tree_tiles SET (first_transaction_id, first_position) =
                        (SELECT first_transaction_id, first_position FROM tree_tiles WHERE level = 0 AND tile = {tile} + 1)
                     WHERE level = 0 AND tile = {tile}"
                ),
                false,
            ),
        ] {
            connection.execute("BEGIN").await.unwrap();
            connection.execute(&*sql).await.unwrap();
            let report = verify(&mut connection, &key, &outside).await;
            let fault = report.faults.first().unwrap_or_else(|| panic!("{index}, {sql}"));
            if named {
                assert_eq!(fault.index, index, "{sql}: {fault}");
            } else {
                assert!(matches!(fault.what, What::TilePlace { .. }), "{sql}: {fault}");
                assert_eq!(fault.index, tile * 256, "{sql}: {fault}");
            }
            connection.execute("ROLLBACK").await.unwrap();
        }
    }
}
