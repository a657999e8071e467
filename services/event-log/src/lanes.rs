//! One at a time for each name: commands on one aggregate, and sends of one request key.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
};
use tokio::sync::OwnedMutexGuard;

/// Names held before the ones nobody waits for any more are looked through.
const SWEEP_FROM: usize = 1_024;

/// A lock for each name that somebody holds or waits for. Kept in the process: other processes are held off by the
/// constraints of the log.
#[derive(Default)]
pub(crate) struct Lanes {
    lanes: Mutex<Named>,
}

#[derive(Default)]
struct Named {
    by_name: HashMap<String, Weak<tokio::sync::Mutex<()>>>,
    sweep_at: usize,
}

/// The right to go, until dropped.
pub(crate) type Lane = OwnedMutexGuard<()>;

impl Lanes {
    /// Waits for the lane of `name`; whether there was somebody to wait for.
    pub async fn enter(&self, name: &str) -> (Lane, bool) {
        let lane = self.lane(name);
        match Arc::clone(&lane).try_lock_owned() {
            Ok(guard) => (guard, false),
            Err(_) => (lane.lock_owned().await, true),
        }
    }

    fn lane(&self, name: &str) -> Arc<tokio::sync::Mutex<()>> {
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(lane) = lanes.by_name.get(name).and_then(Weak::upgrade) {
            return lane;
        }
        if lanes.by_name.len() >= lanes.sweep_at.max(SWEEP_FROM) {
            lanes.by_name.retain(|_, lane| lane.strong_count() > 0);
            lanes.sweep_at = lanes.by_name.len() * 2;
        }
        let lane = Arc::new(tokio::sync::Mutex::new(()));
        lanes.by_name.insert(name.to_owned(), Arc::downgrade(&lane));
        lane
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_name_is_held_by_one_and_others_go_on() {
        let lanes = Lanes::default();
        let (held, waited) = lanes.enter("a").await;
        assert!(!waited);
        let (_other, waited) = lanes.enter("b").await;
        assert!(!waited);
        let mut second = Box::pin(lanes.enter("a"));
        assert!(futures::poll!(&mut second).is_pending());
        drop(held);
        assert!(second.await.1);
    }

    #[tokio::test]
    async fn names_nobody_holds_are_forgotten() {
        let lanes = Lanes::default();
        for n in 0..10 * SWEEP_FROM {
            drop(lanes.enter(&n.to_string()).await);
        }
        assert!(lanes.lanes.lock().unwrap().by_name.len() <= SWEEP_FROM);
    }
}
