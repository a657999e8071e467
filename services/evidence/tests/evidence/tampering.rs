//! Whatever somebody with all rights does to a sealed log is found, and the first bad position is named.
//!
//! `ONETRIP_TAMPERINGS` sets how many are tried: 300 in the suite, 10,000 in the long form. `ONETRIP_SEED` replays others
//! than those of seed 1.

use crate::{common::*, tamper};
use onetrip_evidence::{
    Signer,
    verify::{Fault, Outside, What},
};
use sqlx::{Connection, Executor, PgConnection};
use std::collections::BTreeMap;

/// What must be said of it.
enum Said {
    /// An event at the first place where the log differs.
    Event,
    /// A stretch between two heads that has this place in it.
    Stretch,
    /// That it is not whole; there is no place to name, or several are right.
    Something,
    /// That the log ends at the first place where it differs.
    Cut,
}

const KINDS: [&str; 11] = [
    "bit flip",
    "swap",
    "insert",
    "delete",
    "re-chain",
    "hash away",
    "cut tail",
    "tree",
    "heads",
    "re-chain and re-seal",
    "re-seal with another key",
];

/// Does one; None if PostgreSQL refused it or it changed nothing.
async fn tamper_once(
    connection: &mut PgConnection,
    random: &mut Random,
    kind: &str,
    lines: &[tamper::Line],
    sizes: &[u64],
) -> Option<Said> {
    let done = match kind {
        "bit flip" => tamper::flip(connection, random, lines)
            .await
            .map(|()| Said::Event),
        "swap" => tamper::swap(connection, random, lines)
            .await
            .map(|()| Said::Event),
        "insert" => tamper::insert(connection, random, lines)
            .await
            .map(|()| Said::Event),
        "delete" => tamper::delete(connection, random, lines)
            .await
            .map(|()| Said::Event),
        "re-chain" => tamper::change_and_rechain(connection, random, lines)
            .await
            .map(|()| Said::Event),
        "hash away" => tamper::forget_hash(connection, random, lines)
            .await
            .map(|()| Said::Event),
        "cut tail" => {
            let from = sizes[0] as usize;
            let size = from + random.below(lines.len() - from);
            tamper::cut(connection, size, lines).await.map(|()| Said::Cut)
        }
        "tree" => tamper::tree(connection, random).await.map(|()| Said::Something),
        "heads" => tamper::heads(connection, random, sizes)
            .await
            .map(|()| Said::Something),
        _ => {
            let changed = match tamper::change_and_rechain(connection, random, lines).await {
                Ok(()) => tamper::reseal(connection).await,
                Err(error) => Err(error),
            };
            match changed {
                Err(error) => Err(error),
                Ok(_) if kind == "re-chain and re-seal" => Ok(Said::Stretch),
                Ok(roots) => {
                    let mallory = Signer::from_seed(&[9; 32], ORIGIN).unwrap();
                    tamper::sign_anew(connection, &roots, sizes, &mallory)
                        .await
                        .map(|()| Said::Something)
                }
            }
        }
    };
    done.ok()
}

fn is_right(said: &Said, first: Option<u64>, faults: &[Fault]) -> bool {
    let Some(fault) = faults.first() else { return false };
    match said {
        Said::Event => {
            Some(fault.index) == first
                && matches!(
                    fault.what,
                    What::EventChanged { .. }
                        | What::EventReplaced { .. }
                        | What::EventMissing { .. }
                        | What::EventInserted { .. }
                )
        }
        Said::Stretch => match &fault.what {
            What::HeadRoot { size } | What::OutsideRoot { size, .. } => {
                first.is_some_and(|first| fault.index <= first && first < *size)
            }
            _ => false,
        },
        Said::Cut => {
            let here = |fault: &Fault| Some(fault.index) == first && matches!(fault.what, What::Cut { .. });
            faults.iter().any(here)
        }
        Said::Something => true,
    }
}

#[tokio::test]
async fn every_tampering_is_found_and_the_first_bad_position_is_named() {
    let count = setting("ONETRIP_TAMPERINGS", 300);
    let seed = setting("ONETRIP_SEED", 1);
    let world = World::sealed(5, 26).await;
    let (key, outside): (_, [Outside; 1]) = (world.key(), world.outside());
    let mut connection = PgConnection::connect(&world.url).await.unwrap();
    let lines = tamper::lines(&mut connection).await;
    let sizes: Vec<u64> = (1..=5).map(|round| round * 130).collect();
    assert_eq!(lines.len(), 650);
    let report = verify(&mut connection, &key, &outside).await;
    assert_eq!(report.faults, []);

    let mut random = Random(seed);
    let mut tried: BTreeMap<&str, u64> = BTreeMap::new();
    let mut refused = 0;
    while tried.values().sum::<u64>() < count {
        // Bits are what the requirement speaks of first.
        let kind = if random.below(3) == 0 {
            KINDS[0]
        } else {
            *random.pick(&KINDS)
        };
        connection.execute("BEGIN").await.unwrap();
        // Triggers are nothing to a superuser.
        connection
            .execute("SET LOCAL session_replication_role = replica")
            .await
            .unwrap();
        let said = tamper_once(&mut connection, &mut random, kind, &lines, &sizes).await;
        if let Some(said) = said {
            let first = tamper::first_difference(&lines, &tamper::lines(&mut connection).await);
            let is_of_events = !matches!(said, Said::Something);
            // Behind the newest event it is an event like any other that somebody appends.
            let is_append = kind == "insert" && first == Some(lines.len() as u64);
            if is_append || (is_of_events && first.is_none()) {
                refused += 1;
            } else {
                let number = tried.values().sum::<u64>() + 1;
                let report = verify(&mut connection, &key, &outside).await;
                assert!(
                    is_right(&said, first, &report.faults),
                    "seed {seed}, tampering {number} ({kind}): the log differs from {first:?} on, and this was said: {:#?}",
                    report.faults
                );
                *tried.entry(kind).or_default() += 1;
            }
        } else {
            refused += 1;
        }
        connection.execute("ROLLBACK").await.unwrap();
    }
    println!(
        "{count} tamperings, all found: {tried:?}; {refused} more were refused by PostgreSQL or changed nothing"
    );
    let report = verify(&mut connection, &key, &outside).await;
    assert_eq!(report.faults, []);
}

/// Whoever has the key can make a log that is in order by itself: only what is outside tells.
#[tokio::test]
async fn a_log_rewritten_with_the_key_is_found_by_what_is_outside() {
    let world = World::sealed(3, 4).await;
    let key = world.key();
    let mut connection = PgConnection::connect(&world.url).await.unwrap();
    let trusted = verify(&mut connection, &key, &[]).await.trusted.unwrap();
    connection
        .execute("BEGIN; SET LOCAL session_replication_role = replica")
        .await
        .unwrap();
    let lines = tamper::lines(&mut connection).await;
    tamper::change_and_rechain(&mut connection, &mut Random(3), &lines)
        .await
        .unwrap();
    let roots = tamper::reseal(&mut connection).await.unwrap();
    tamper::sign_anew(&mut connection, &roots, &[20, 40, 60], world.sealer.signer())
        .await
        .unwrap();
    let alone = verify(&mut connection, &key, &[]).await;
    assert_eq!(alone.faults, []);
    let outside = world.outside();
    let report = verify(&mut connection, &key, &outside).await;
    let first = tamper::first_difference(&lines, &tamper::lines(&mut connection).await).unwrap();
    let named = report
        .faults
        .iter()
        .find_map(|fault| match fault.what {
            What::OutsideRoot { size, .. } => Some(fault.index..size),
            _ => None,
        })
        .unwrap();
    assert!(named.contains(&first), "{first} is not in {named:?}");
    let since = verifier(&key, &[])
        .since(&mut connection, &trusted)
        .await
        .unwrap();
    assert!(!since.faults.is_empty());
}
