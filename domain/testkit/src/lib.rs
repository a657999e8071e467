//! What tests of cases are written with: given/when/then, people and units, a clock with named instants, the city's
//! own rules, whole journeys for property tests, a town of them, and what they add up to under the run-once rule.

mod account;
mod given;
mod journey;
mod people;
mod time;
mod town;

pub use account::{Account, Accounts, CountedBreach};
pub use given::{Given, Then, accepted, closed, filed, given, handled, resulted};
pub use journey::{Step, act_of, likely_act, play, steps_from};
pub use people::*;
pub use time::{at, days, hours, moments, working_days};
pub use town::{numbers, town};

use chrono::{DateTime, Utc};
use onetrip_model::CaseAct;
use onetrip_model::policy::Rules;
use std::sync::{Arc, LazyLock};

/// Whatever is due, by a clock that is known to be right.
pub const RUN_CLOCKS: CaseAct = CaseAct::RunClocks {
    latest: DateTime::<Utc>::MIN_UTC,
};

static RULES: LazyLock<Arc<Rules>> = LazyLock::new(|| {
    let policy = include_str!("../../../ops/policy/2026-1.toml");
    let calendar = include_str!("../../../ops/data/cn-calendar.csv");
    Arc::new(Rules::read(policy, calendar).expect("policy and calendar are in order"))
});

/// The policy and the calendar that the service ships with.
pub fn rules() -> Arc<Rules> {
    Arc::clone(&RULES)
}
