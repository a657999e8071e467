//! What tests of cases are written with: given/when/then, people and units, a clock with named instants, the city's
//! own rules, and whole journeys for property tests.

mod given;
mod journey;
mod people;
mod time;

pub use given::{Given, Then, accepted, closed, filed, given, handled, resulted};
pub use journey::{Step, act_of, likely_act, play, steps_from};
pub use people::*;
pub use time::{at, days, hours, moments, working_days};

use onetrip_model::{
    calendar::Calendar,
    policy::{Policy, Rules},
};
use std::sync::{Arc, LazyLock};

static RULES: LazyLock<Arc<Rules>> = LazyLock::new(|| {
    let policy: Policy =
        toml::from_str(include_str!("../../../ops/policy/policy.toml")).expect("policy.toml is read");
    policy.check().expect("policy.toml is in order");
    let calendar = Calendar::from_csv(
        &policy.calendar,
        include_str!("../../../ops/data/cn-calendar.csv"),
    )
    .expect("cn-calendar.csv is read");
    Arc::new(Rules { policy, calendar })
});

/// The policy and the calendar that the service ships with.
pub fn rules() -> Arc<Rules> {
    Arc::clone(&RULES)
}
