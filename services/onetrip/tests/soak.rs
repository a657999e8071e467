//! The short form of every scenario of the soak, against the binary of this build: see `ops/docs/SOAK.md`.
//!
//! With seed 1, or that of `ONETRIP_SOAK_SEED`. A failure says how to replay it.

use onetrip_soak::{Form, Plan, Scenario, soak};
use std::{env, path::PathBuf, time::Duration};

fn holds(scenario: Scenario) {
    let seed =
        env::var("ONETRIP_SOAK_SEED").map_or(1, |seed| seed.parse().expect("a number in ONETRIP_SOAK_SEED"));
    let name = format!("onetrip-soak-{}-{}", scenario.name(), std::process::id());
    let plan = Plan {
        scenarios: vec![scenario],
        form: Form::Short,
        seed,
        lasts: Duration::ZERO,
        cases: None,
        binary: PathBuf::from(env!("CARGO_BIN_EXE_onetrip")),
        folder: env::temp_dir().join(name),
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let held = runtime.block_on(soak(&plan)).unwrap();
    assert!(held, "{} did not hold; see above", scenario.name());
}

#[test]
fn kills_of_service_and_database_lose_and_double_nothing() {
    holds(Scenario::Kills);
}

#[test]
fn one_key_has_one_effect_over_two_processes() {
    holds(Scenario::SameKey);
}

#[test]
fn clients_that_leave_leave_nothing_half_done() {
    holds(Scenario::Leavers);
}

#[test]
fn a_database_that_does_not_answer_is_told_of_within_a_second() {
    holds(Scenario::BlackHole);
}

#[test]
fn histories_under_faults_have_no_anomaly() {
    holds(Scenario::History);
}

#[test]
fn a_supervised_year_raises_every_step_once_whatever_is_killed_and_whatever_jumps() {
    holds(Scenario::Supervision);
}
