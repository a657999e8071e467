//! A simulated year: people work on cases, mostly late; two workers run the clocks, are killed in the middle of it, are
//! down, read a queue that lags, and find their own clocks and the database's jump. Afterwards an oracle that shares no
//! arithmetic with the service goes through the log: every warning, breach and escalation that was due is there once, at
//! the first look at which it could be seen, and nothing that a wrong clock raised is left.

mod check;
mod people;
#[cfg(test)]
mod tests;
mod track;
mod workers;

use crate::{
    Failure,
    rng::Rng,
    run::{Report, Run},
    site::rules,
};
use check::{Look, check};
use chrono::{DateTime, TimeDelta, Utc};
use onetrip_casework::Casework;
use onetrip_event_log::read_histories;
use onetrip_runner::Runner;
use people::People;
use std::collections::BTreeMap;
use workers::{Hands, Jump, Worker};

/// A working year with Spring Festival, Labour Day and the National Day week, and before it what they hang on.
const START: &str = "2025-01-02T00:00:00Z";
const FILED_WITHIN: TimeDelta = TimeDelta::days(300);
const LASTS: TimeDelta = TimeDelta::days(365);

const JUMPS: [TimeDelta; 3] = [TimeDelta::hours(-1), TimeDelta::hours(1), TimeDelta::days(1)];
/// Steps that a wrong clock stays wrong.
const JUMP_STEPS_MAX: usize = 3;
/// Steps that a worker that is down stays down.
const DOWN_STEPS_MAX: usize = 12;

struct Sizes {
    cases: u32,
    /// Seconds of a step, from and to.
    step: (usize, usize),
    /// Of a thousand steps, in how many it begins.
    kills: usize,
    outages: usize,
    lags: usize,
    jumps: usize,
}

/// What goes wrong now, and for how many steps more.
#[derive(Default)]
struct Weather {
    down: [usize; 2],
    jumps: [Jump; 2],
    jump_left: usize,
    is_lagging: bool,
}

impl Weather {
    fn turn(&mut self, rng: &mut Rng, sizes: &Sizes) -> Option<&'static str> {
        self.is_lagging = rng.below(1_000) < sizes.lags;
        for down in &mut self.down {
            *down = match *down {
                0 if rng.below(1_000) < sizes.outages => 1 + rng.below(DOWN_STEPS_MAX),
                left => left.saturating_sub(1),
            };
        }
        if self.jump_left > 0 {
            self.jump_left -= 1;
            return None;
        }
        self.jumps = [Jump::default(); 2];
        if rng.below(1_000) >= sizes.jumps {
            return None;
        }
        self.jump_left = rng.below(JUMP_STEPS_MAX);
        let by = JUMPS[rng.below(JUMPS.len())];
        match rng.below(4) {
            // Everything on one computer, started when its clock was wrong already: nothing tells.
            0 | 1 => {
                let (own, reference) = (by, by);
                self.jumps = [Jump { own, reference }; 2];
                Some("whole computer")
            }
            2 => {
                let jump = Jump {
                    own: by,
                    ..Jump::default()
                };
                self.jumps[rng.below(2)] = jump;
                Some("one worker")
            }
            _ => {
                let jump = Jump {
                    reference: by,
                    ..Jump::default()
                };
                self.jumps = [jump; 2];
                Some("database")
            }
        }
    }
}

pub async fn supervision(run: &Run<'_>) -> Result<Report, Failure> {
    let sizes = Sizes {
        cases: run.cases.unwrap_or(run.form.pick(100, 10_000)),
        step: run.form.pick((3 * 3_600, 15 * 3_600), (600, 3_600)),
        kills: run.form.pick(60, 50),
        outages: run.form.pick(10, 3),
        lags: 50,
        jumps: run.form.pick(40, 4),
    };
    let site = run.ground.site(&run.name).await?;
    let start: DateTime<Utc> = START.parse()?;
    let end = start + LASTS;
    let true_time = Hands::default();
    let rules = rules()?;
    let pages = run
        .ground
        .casework(&site.url, rules.clone(), true_time.clock())
        .await?;
    let runner = queue_runner(&pages).await?;
    let mut workers = [
        Worker::start(run.ground, &site.url, rules.clone()).await?,
        Worker::start(run.ground, &site.url, rules).await?,
    ];
    let mut people = People::new(run.rng.fork(1), sizes.cases, start, FILED_WITHIN);
    let mut rng = run.rng.fork(2);
    let mut weather = Weather::default();
    let mut looks: Vec<Look> = Vec::new();
    let (mut commands, mut refused) = (0, 0);
    let mut jumps = BTreeMap::<&str, u64>::new();
    let mut now = start;
    run.bar.set_length(LASTS.num_days().unsigned_abs());
    while now < end {
        let seconds = sizes.step.0 + rng.below(sizes.step.1 - sizes.step.0);
        now += TimeDelta::seconds(i64::try_from(seconds)?);
        true_time.set(now);
        let done = people.act_until(now, &pages).await?;
        (commands, refused) = (commands + done.commands, refused + done.refused);
        if let Some(what) = weather.turn(&mut rng, &sizes) {
            *jumps.entry(what).or_default() += 1;
        }
        if !weather.is_lagging {
            runner.catch_up().await?;
        }
        // Its microseconds say which look it is: events that it makes can be told from all others by their instants.
        let look = Look::at(
            looks.len(),
            now,
            weather.jumps,
            weather.down.map(|left| left == 0),
            weather.is_lagging,
        );
        look_at_it(&mut workers, &look, &mut rng, sizes.kills).await?;
        looks.push(look);
        run.bar.set_position((now - start).num_days().unsigned_abs());
        run.bar.set_message(format!("{commands} commands"));
    }
    runner.catch_up().await?;

    let mut report = Report::default();
    report.figure("cases", sizes.cases);
    report.figure(
        "people's commands",
        format!("{commands} ({refused} refused by a rule)"),
    );
    report.figure("looks of the two workers", looks.len());
    report.figure(
        "turns killed",
        workers.iter().map(|worker| worker.kills).sum::<u64>(),
    );
    for (what, count) in jumps {
        report.figure(&format!("clock jumps: {what}"), count);
    }
    let mut connection = site.pool.acquire().await?;
    check(read_histories(&mut connection, "case"), &looks, end, &mut report).await?;
    drop(connection);
    drop(workers);
    if report.faults.is_empty() {
        site.drop().await?;
    }
    Ok(report)
}

/// Only the queue is followed: the clocks look at nothing else.
async fn queue_runner(pages: &Casework) -> Result<Runner, Failure> {
    let queue = onetrip_read_models::all()
        .into_iter()
        .filter(|projection| projection.name() == "queue")
        .collect();
    let runner = Runner::new(pages.pool().clone(), queue);
    runner.prepare().await?;
    Ok(runner)
}

/// Both workers at once, those that are not down; of these some are killed on the way, and begin again.
async fn look_at_it(
    workers: &mut [Worker<'_>; 2],
    look: &Look,
    rng: &mut Rng,
    kills: usize,
) -> Result<(), Failure> {
    let dies = [rng.below(1_000) < kills, rng.below(1_000) < kills];
    let rngs = [rng.fork(1), rng.fork(2)];
    let turns = workers.iter_mut().zip(dies).zip(rngs).enumerate();
    let turns = turns.map(|(n, ((worker, dies), mut rng))| async move {
        if look.is_up[n] {
            worker.set(look.at, look.jumps[n]);
            if dies {
                worker.tick_and_die(&mut rng).await?;
            }
            worker.tick().await?;
        }
        Ok::<(), Failure>(())
    });
    futures::future::try_join_all(turns).await?;
    Ok(())
}
