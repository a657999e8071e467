//! Generated histories for the properties: how many, from which seed, and in which ways they are played.

use chrono::Duration;
use onetrip_model::{
    CaseAct,
    case::{CaseClock, Filed},
    clocks::ClockKind,
};
use onetrip_testkit::*;
use proptest::{prelude::*, test_runner::RngSeed};
use std::{
    env,
    hash::{BuildHasher, RandomState},
};

/// Histories a property looks at, unless `ONETRIP_HISTORIES` says otherwise.
const HISTORIES: u32 = 1_000;

/// From `ONETRIP_HISTORIES` and `ONETRIP_SEED`. The seed is printed, and with it the same histories come again.
pub fn config() -> ProptestConfig {
    let seed = number("ONETRIP_SEED").unwrap_or_else(|| RandomState::new().hash_one(0));
    let cases =
        number("ONETRIP_HISTORIES").map_or(HISTORIES, |cases| u32::try_from(cases).unwrap_or(u32::MAX));
    eprintln!("{cases} histories, ONETRIP_SEED={seed}");
    ProptestConfig {
        cases,
        rng_seed: RngSeed::Fixed(seed),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

fn number(variable: &str) -> Option<u64> {
    let text = env::var(variable).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{variable} is a whole number, not {text}")),
    )
}

/// The numbers that a journey is made of.
pub fn journeys() -> impl Strategy<Value = Vec<u32>> {
    prop::collection::vec(any::<u32>(), 0..50)
}

/// The case as it stood after its submission and after every step; steps that are refused leave it as it was.
pub fn each_moment(numbers: &[u32]) -> Vec<Given> {
    let mut moments = vec![given([CaseAct::SubmitAppeal(submission())])];
    for step in steps_from(numbers) {
        moments.extend(moments.last().map(|before| step_on(before, &step)));
    }
    moments
}

/// One step on, later by the step's own wait.
pub fn step_on(before: &Given, step: &Step) -> Given {
    let later = before.clone().later(hours(step.hours.into()));
    try_step(later, step)
}

fn try_step(given: Given, step: &Step) -> Given {
    let (by, act) = (given.who_acts(), given.act_of_step(step));
    given.by(by).when(act).after()
}

/// A journey beside which a worker runs the clocks whenever they ask for it.
pub fn supervised(numbers: &[u32]) -> Given {
    let start = given([CaseAct::SubmitAppeal(submission())]);
    steps_from(numbers).iter().fold(start, |given, step| {
        let now = given.now + hours(step.hours.into());
        try_step(run_clocks_until(given, now), step)
    })
}

fn run_clocks_until(mut given: Given, now: chrono::DateTime<chrono::Utc>) -> Given {
    while let Some(acts_at) = given.filed().acts_at().filter(|acts_at| *acts_at <= now) {
        let due_at = acts_at.max(given.now);
        given = given.at(due_at).and([RUN_CLOCKS]);
    }
    given.at(now)
}

/// A journey on a computer whose clock jumps: right, an hour back, an hour ahead, a day ahead. At its end it is right, and
/// the clocks have run.
pub fn on_a_jumping_clock(numbers: &[u32]) -> Given {
    let off = [hours(0), hours(-1), hours(1), hours(24)];
    let start = given([CaseAct::SubmitAppeal(submission())]);
    let mut now = start.now;
    let mut given = start;
    for (step, number) in steps_from(numbers).iter().zip(numbers) {
        now += hours(step.hours.into());
        let off: Duration = off[*number as usize / 7 % off.len()];
        given = try_step(given.at(now + off), step);
        if number.is_multiple_of(3) {
            given = given.when(RUN_CLOCKS).after();
        }
    }
    given.at(now).when(RUN_CLOCKS).after()
}

/// Whether a clock of this kind runs.
pub fn runs(filed: &Filed, kind: ClockKind) -> bool {
    filed.clocks.running(kind).is_some()
}

pub fn running(filed: &Filed) -> impl Iterator<Item = &CaseClock> {
    filed
        .clocks
        .all()
        .iter()
        .filter(|clock| clock.stopped_at.is_none())
}
