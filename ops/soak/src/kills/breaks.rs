//! What is broken while the writers write, and how long it takes until all is well again.

use super::{Sizes, World, examine};
use crate::{Failure, api::Order, oracle::Outcome, rng::Rng, run::spread};
use onetrip_cluster::Crash;
use sqlx::{Connection, PgConnection};
use std::{
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

/// The figures so far are told after so many breaks.
const TELL_EVERY: usize = 10;

#[derive(Clone, Copy, Debug)]
enum Break {
    Service,
    Database,
    Held,
}

pub struct Breaks {
    /// From the start of each process until it was ready.
    pub ready: Vec<Duration>,
    /// From the database's return until a command was done.
    pub normal: Vec<Duration>,
}

/// Breaks things, evenly spread over the commands with a jitter of its own.
pub async fn break_things(
    world: &World<'_>,
    sizes: &Sizes,
    first_ready: Duration,
    mut rng: Rng,
) -> Result<Breaks, Failure> {
    let mut plan = vec![Break::Service; sizes.service_kills];
    plan.extend(vec![Break::Database; sizes.database_kills]);
    plan.extend(vec![Break::Held; sizes.held_transactions]);
    rng.shuffle(&mut plan);
    let mut breaks = Breaks {
        ready: Vec::new(),
        normal: Vec::new(),
    };
    breaks.is_ready(world, first_ready);
    let slot = sizes.commands / (plan.len() as u64 + 1);
    for (place, next) in plan.iter().enumerate() {
        let at = slot * place as u64 + slot / 2 + rng.next() % slot.max(1);
        while world.commands.load(Ordering::Relaxed) < at.min(world.wanted) {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        world
            .run
            .bar
            .set_message(format!("{next:?} {}/{}", place + 1, plan.len()));
        match next {
            Break::Service => {
                world.service.kill().await?;
                tokio::time::sleep(rng.millis(0, 200)).await;
                let ready = world.service.start().await?;
                breaks.is_ready(world, ready);
            }
            Break::Database => {
                let how = match rng.below(3) {
                    0 => Crash::Immediate,
                    1 => Crash::Kill,
                    _ => Crash::KillBackend(backend(world).await?),
                };
                world.site.crash(how).await?;
                tokio::time::sleep(rng.millis(0, 1_500)).await;
                world.site.restore().await?;
                breaks.normal.push(normal_again(world).await?);
            }
            Break::Held => hold(world, rng.millis(200, sizes.held_millis_max)).await?,
        }
        if (place + 1) % TELL_EVERY == 0 {
            breaks.tell(world);
        }
    }
    breaks.tell(world);
    Ok(breaks)
}

impl Breaks {
    fn is_ready(&mut self, world: &World<'_>, took: Duration) {
        if took >= world.ready_patience {
            world
                .faults
                .add(format!("a start took {took:?} until it was ready"));
        }
        self.ready.push(took);
    }

    fn tell(&self, world: &World<'_>) {
        world.run.tell(&format!(
            "{} commands begun; ready after a start: {}; normal again after the database: {}; {} answers 503; {} faults",
            world.commands.load(Ordering::Relaxed).min(world.wanted),
            spread(self.ready.clone()),
            spread(self.normal.clone()),
            world.unavailable.load(Ordering::Relaxed),
            world.faults.count(),
        ));
    }
}

/// A connection of the service.
async fn backend(world: &World<'_>) -> Result<i32, Failure> {
    let pids: Vec<i32> = sqlx::query_scalar(
        "SELECT pid FROM pg_stat_activity WHERE application_name = 'onetrip' AND datname = current_database()
         ORDER BY state = 'active' DESC, state_change DESC",
    )
    .fetch_all(&world.site.pool)
    .await?;
    pids.first()
        .copied()
        .ok_or_else(|| "the service has no connection".into())
}

/// Files until it is done: the time that takes.
async fn normal_again(world: &World<'_>) -> Result<Duration, Failure> {
    let start = Instant::now();
    let order = Order::file(world.journal, &world.site.name);
    let mut client = world.service.client();
    loop {
        let sent = order.send(&mut client, world.journal).await;
        examine(world, &order, &sent);
        match sent.outcome {
            Outcome::Done { .. } => break,
            Outcome::Refused { status, kind } => return Err(format!("refused: {status} {kind}").into()),
            Outcome::Unknown { .. } => tokio::time::sleep(Duration::from_millis(20)).await,
        }
        if start.elapsed() > world.normal_patience * 2 {
            break;
        }
    }
    let took = start.elapsed();
    if took > world.normal_patience {
        world.faults.add(format!(
            "it took {took:?} until a command was done after the database was back"
        ));
    }
    Ok(took)
}

/// Somebody else's transaction that holds the readers of the log back.
async fn hold(world: &World<'_>, time: Duration) -> Result<(), Failure> {
    let mut other = PgConnection::connect(&world.site.url).await?;
    sqlx::raw_sql("BEGIN; SELECT pg_current_xact_id()")
        .execute(&mut other)
        .await?;
    tokio::time::sleep(time).await;
    sqlx::raw_sql("ROLLBACK").execute(&mut other).await?;
    other.close().await?;
    Ok(())
}
