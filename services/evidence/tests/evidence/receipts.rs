//! Receipts: they hold offline, and no changed one does.
//!
//! `ONETRIP_RECEIPT_MUTATIONS` sets how many changed receipts are tried: 2,000 in the suite, 100,000 in the long form.
//! `ONETRIP_SEED` replays others than those of seed 1.

use crate::common::*;
use onetrip_evidence::{EvidenceError, Receipt, Shown, receipt};
use serde_json::{Value, json};

async fn receipt_of(world: &World, case: &str, sequence: i64) -> Result<Option<Receipt>, EvidenceError> {
    let mut connection = world.pool.acquire().await.unwrap();
    receipt(&mut connection, &world.key(), "case", case, sequence).await
}

#[tokio::test]
async fn a_receipt_says_not_sealed_until_a_head_covers_its_event() {
    let mut world = World::sealed(1, 1).await;
    let case = world.append(1).await.remove(0);
    let early = receipt_of(&world, &case, 1).await.unwrap().unwrap();
    assert_eq!(early.proof, None);
    assert_eq!(early.check(&world.key()), Ok(Shown::NotSealed));
    world.seal().await;
    let receipt = receipt_of(&world, &case, 1).await.unwrap().unwrap();
    assert_eq!((&receipt.event, &receipt.leaf), (&early.event, &early.leaf));
    match receipt.check(&world.key()) {
        Ok(Shown::Sealed(head)) => assert_eq!(head.size, 10),
        other => panic!("{other:?}"),
    }
    assert_eq!(receipt_of(&world, &case, 9).await.unwrap(), None);
}

#[tokio::test]
async fn every_event_has_a_receipt_that_holds() {
    let mut world = World::new().await;
    let mut cases = Vec::new();
    for _ in 0..3 {
        cases.extend(world.append(60).await);
        world.seal().await;
    }
    for case in &cases {
        for sequence in 1..=5 {
            let receipt = receipt_of(&world, case, sequence).await.unwrap().unwrap();
            let text = serde_json::to_string(&receipt).unwrap();
            let shown = Receipt::parse(&text).unwrap().check(&world.key());
            assert!(matches!(shown, Ok(Shown::Sealed(_))), "{case} {sequence}");
        }
    }
}

#[tokio::test]
async fn no_receipt_is_given_for_what_does_not_hold() {
    let mut world = World::new().await;
    let case = world.append(1).await.remove(0);
    world.seal().await;
    sqlx::query("UPDATE events SET recorded_at = recorded_at - interval '1 day'")
        .execute(&world.pool)
        .await
        .unwrap();
    let refused = receipt_of(&world, &case, 1).await;
    assert!(matches!(refused, Err(EvidenceError::Broken(_))), "{refused:?}");
    sqlx::query("UPDATE events SET payload = '{}'")
        .execute(&world.pool)
        .await
        .unwrap();
    let refused = receipt_of(&world, &case, 1).await;
    assert!(matches!(refused, Err(EvidenceError::Broken(_))), "{refused:?}");
}

/// The places of all values below `value` that hold no others, and of lists.
fn places(value: &Value, at: &mut Vec<String>, found: &mut Vec<Vec<String>>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                at.push(name.clone());
                places(member, at, found);
                at.pop();
            }
        }
        _ => found.push(at.clone()),
    }
}

fn at<'v>(value: &'v mut Value, place: &[String]) -> &'v mut Value {
    place.iter().fold(value, |value, name| &mut value[name])
}

fn change_text(random: &mut Random, text: &str) -> String {
    let mut characters: Vec<char> = text.chars().collect();
    let place = random.below(characters.len().max(1));
    match random.below(5) {
        0 if !characters.is_empty() => {
            characters.remove(place);
        }
        1 => characters.insert(place, char::from(32 + random.below(95) as u8)),
        2 if characters.len() > 1 => {
            let other = random.below(characters.len());
            characters.swap(place, other);
        }
        3 => characters.truncate(place),
        _ => match characters.get_mut(place) {
            Some(character) => {
                *character = char::from_u32(u32::from(*character) ^ (1 << random.below(7))).unwrap_or('?');
            }
            None => characters.push('x'),
        },
    }
    characters.into_iter().collect()
}

fn mutate(random: &mut Random, receipt: &Value, other: &Value) -> Value {
    let mut changed = receipt.clone();
    let mut found = Vec::new();
    places(receipt, &mut Vec::new(), &mut found);
    let place = random.pick(&found).clone();
    let (last, parents) = place.split_last().unwrap();
    match random.below(10) {
        // Something of another receipt in its place.
        0 => *at(&mut changed, &place) = at(&mut other.clone(), &place).clone(),
        1 => changed["event"] = other["event"].clone(),
        2 => changed["proof"] = other["proof"].clone(),
        3 => {
            at(&mut changed, parents).as_object_mut().unwrap().remove(last);
        }
        4 => {
            let name = change_text(random, last);
            let parent = at(&mut changed, parents).as_object_mut().unwrap();
            let value = parent.remove(last).unwrap();
            parent.insert(name, value);
        }
        5 => *at(&mut changed, &place) = Value::Null,
        _ => {
            let value = at(&mut changed, &place);
            *value = match &*value {
                Value::String(text) => json!(change_text(random, text)),
                Value::Number(number) => {
                    let number = number.as_i64().unwrap();
                    json!(match random.below(3) {
                        0 => number ^ (1 << random.below(62)),
                        1 => number + 1,
                        _ => -number,
                    })
                }
                Value::Array(path) => {
                    let mut path = path.clone();
                    let place = random.below(path.len().max(1));
                    match random.below(5) {
                        0 if !path.is_empty() => drop(path.remove(place)),
                        1 if !path.is_empty() => path.push(path[place].clone()),
                        2 if path.len() > 1 => path.swap(0, place),
                        3 => path.reverse(),
                        _ if path.is_empty() => path.push(json!("AAAA")),
                        _ => path[place] = json!(change_text(random, path[place].as_str().unwrap())),
                    }
                    Value::Array(path)
                }
                other => json!([other]),
            };
        }
    }
    changed
}

#[tokio::test]
async fn no_changed_receipt_is_accepted() {
    let count = setting("ONETRIP_RECEIPT_MUTATIONS", 2_000);
    let seed = setting("ONETRIP_SEED", 1);
    let mut world = World::new().await;
    let mut receipts = Vec::new();
    for _ in 0..3 {
        let cases = world.append(40).await;
        world.seal().await;
        for case in cases {
            for sequence in [1, 3] {
                let receipt = receipt_of(&world, &case, sequence).await.unwrap().unwrap();
                receipts.push(serde_json::to_value(receipt).unwrap());
            }
        }
    }
    let (key, mut random, mut tried, mut same) = (world.key(), Random(seed), 0, 0);
    while tried < count {
        let receipt = random.pick(&receipts);
        let other = random.pick(&receipts);
        let changed = mutate(&mut random, receipt, other);
        if changed == *receipt || changed == *other {
            same += 1;
            continue;
        }
        tried += 1;
        let shown = Receipt::parse(&changed.to_string()).and_then(|receipt| receipt.check(&key));
        assert!(
            !matches!(shown, Ok(Shown::Sealed(_))),
            "seed {seed}, receipt {tried}: accepted {changed}, made of {receipt}"
        );
    }
    println!("{tried} changed receipts, 0 accepted ({same} came out unchanged and do not count)");
}
