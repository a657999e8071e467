//! Commands whose outcome nobody was told.

use crate::{
    Failure,
    api::Order,
    http::Client,
    oracle::{Journal, Outcome},
    run::Faults,
    service::Service,
    site::Site,
};
use futures::future::join_all;
use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

const SETTLERS: usize = 16;

/// Settles commands whose outcome is unknown: looks into the log, then asks with the same key. How many had been done.
pub async fn settle(
    site: &Site,
    service: &Service,
    journal: &Journal,
    faults: &Faults,
    orders: &[Order],
) -> Result<u64, Failure> {
    // Before anything is sent again: a retry of one makes others stale.
    let mut before = Vec::with_capacity(orders.len());
    for order in orders {
        before.push(site.stored(&order.key).await?);
    }
    let there = before.iter().flatten().count() as u64;
    let next = AtomicUsize::new(0);
    let settlers = (0..SETTLERS).map(|_| async {
        let mut client = service.client();
        loop {
            let place = next.fetch_add(1, Ordering::Relaxed);
            let (Some(order), Some(before)) = (orders.get(place), before.get(place)) else {
                return;
            };
            settle_one(&mut client, journal, faults, order, before.as_ref()).await;
        }
    });
    join_all(settlers).await;
    Ok(there)
}

async fn settle_one(
    client: &mut Client,
    journal: &Journal,
    faults: &Faults,
    order: &Order,
    before: Option<&(String, u64)>,
) {
    let mut tries = 0;
    let outcome = loop {
        let sent = order.send(client, journal).await;
        tries += 1;
        match sent.outcome {
            Outcome::Unknown { .. } if tries < 50 => {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            outcome => break outcome,
        }
    };
    match (before, outcome) {
        (
            Some((number, version)),
            Outcome::Done {
                number: told,
                version: at,
            },
        ) => {
            if *number != told.replace('-', "") || *version != at {
                faults.add(format!(
                    "{} is in the log as {number} version {version}, a retry says {told} version {at}",
                    order.key
                ));
            }
        }
        (Some(_), outcome) => faults.add(format!("{} is in the log, a retry says {outcome:?}", order.key)),
        (None, Outcome::Unknown { why }) => faults.add(format!("{} stays unknown: {why}", order.key)),
        (None, _) => {}
    }
}
