//! Two workers that run the clocks, are killed in the middle of it, and whose clocks jump.

use crate::{Failure, rng::Rng, site::Ground};
use chrono::{DateTime, TimeDelta, Utc};
use onetrip_casework::{Casework, CaseworkError, Clock};
use onetrip_model::policy::Rules;
use onetrip_worker::Clocks;
use prometheus::Registry;
use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant},
};

/// Turns that may fail one after the other.
const TURNS_MAX: u32 = 10;

/// A clock that is set from outside: microseconds since 1970.
#[derive(Clone, Default)]
pub struct Hands(Arc<AtomicI64>);

impl Hands {
    pub fn set(&self, at: DateTime<Utc>) {
        self.0.store(at.timestamp_micros(), Ordering::SeqCst);
    }

    pub fn clock(&self) -> Clock {
        let hands = Arc::clone(&self.0);
        Arc::new(move || DateTime::from_timestamp_micros(hands.load(Ordering::SeqCst)).unwrap_or_default())
    }
}

/// What a worker's clocks show beside the true time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Jump {
    pub own: TimeDelta,
    /// Of what it holds its clock against: the database may be on the same computer.
    pub reference: TimeDelta,
}

impl Jump {
    /// How far the time it acts by is off.
    pub fn acts(self) -> TimeDelta {
        self.own.min(self.reference)
    }

    /// The latest that it may be, for all it knows.
    pub fn latest(self) -> TimeDelta {
        self.own.max(self.reference)
    }
}

/// One worker over all of its lives.
pub struct Worker<'a> {
    ground: &'a Ground,
    url: &'a str,
    rules: Arc<Rules>,
    own: Hands,
    reference: Hands,
    life: Life,
    /// How long a turn takes: where to kill one.
    turn: Duration,
    pub kills: u64,
}

struct Life {
    casework: Casework,
    clocks: Clocks,
}

impl<'a> Worker<'a> {
    pub async fn start(ground: &'a Ground, url: &'a str, rules: Arc<Rules>) -> Result<Worker<'a>, Failure> {
        let (own, reference) = (Hands::default(), Hands::default());
        let life = Life::begin(ground, url, &rules, &own, &reference).await?;
        Ok(Worker {
            ground,
            url,
            rules,
            own,
            reference,
            life,
            turn: Duration::from_millis(2),
            kills: 0,
        })
    }

    pub fn set(&self, now: DateTime<Utc>, jump: Jump) {
        self.own.set(now + jump.own);
        self.reference.set(now + jump.reference);
    }

    /// A whole turn; on a busy machine a connection may be late, and then it is the next turn that does it.
    pub async fn tick(&mut self) -> Result<(), Failure> {
        let mut turns = 0;
        loop {
            turns += 1;
            let start = Instant::now();
            match self.life.clocks.tick().await {
                Err(CaseworkError::Unavailable(_)) if turns < TURNS_MAX => {}
                Err(error) => return Err(error.into()),
                Ok(()) => {
                    self.turn = (self.turn * 3 + start.elapsed()) / 4;
                    return Ok(());
                }
            }
        }
    }

    /// Begins a turn, dies at some point of it, and starts anew with nothing in its memory.
    pub async fn tick_and_die(&mut self, rng: &mut Rng) -> Result<(), Failure> {
        let clocks = self.life.clocks.clone();
        let turn = tokio::spawn(async move { clocks.tick().await });
        let micros = usize::try_from(self.turn.as_micros()).unwrap_or(usize::MAX);
        tokio::time::sleep(Duration::from_micros(rng.below(micros.saturating_mul(2)) as u64)).await;
        turn.abort();
        if let Err(ended) = turn.await
            && ended.is_panic()
        {
            return Err("a turn of the clocks panicked".into());
        }
        self.kills += 1;
        let next = Life::begin(self.ground, self.url, &self.rules, &self.own, &self.reference).await?;
        std::mem::replace(&mut self.life, next).end().await;
        Ok(())
    }
}

impl Life {
    async fn begin(
        ground: &Ground,
        url: &str,
        rules: &Arc<Rules>,
        own: &Hands,
        reference: &Hands,
    ) -> Result<Life, Failure> {
        let casework = ground.casework(url, Arc::clone(rules), own.clock()).await?;
        let clocks = Clocks::new(casework.clone(), &Registry::new())?.held_against(reference.clock());
        Ok(Life { casework, clocks })
    }

    /// What a dead process had sent to the server is done or not done soon after; nothing of it may come in a later step.
    async fn end(self) {
        let log = self.casework.log();
        let mut idle = 0;
        while idle < 3 {
            let is_idle = log.pressure() == (0, 0) && log.busy_connections() == 0;
            idle = if is_idle { idle + 1 } else { 0 };
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}
