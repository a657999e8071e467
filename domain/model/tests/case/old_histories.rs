//! What was stored before deadlines moved out of the single facts says the same today.

use crate::{
    acts::*,
    samples::{load, samples},
};
use onetrip_model::{CaseEvent, case::Case, clocks::ClockKind};
use onetrip_testkit::*;

/// The events stored in version 1.0 on a Monday morning, from filing to reopening.
fn stored_in_1_0() -> Vec<CaseEvent> {
    let samples = samples();
    let of = |name: &str| {
        let sample = samples
            .iter()
            .find(|(kind, version, _)| (kind.as_str(), version.as_str()) == (name, "1.0"));
        let (kind, version, json) = sample.unwrap_or_else(|| panic!("no sample of {name} 1.0"));
        load(kind, version, json)
    };
    [
        "CaseSubmitted",
        "CaseAccepted",
        "CaseAssigned",
        "MaterialsRequested",
        "MaterialsAnswered",
        "ResultGiven",
        "ResultRated",
        "CaseReopened",
    ]
    .map(of)
    .into()
}

/// The same history, as it is written today.
fn written_today() -> Given {
    handled().and([request(), answer(), result(), not_solved()])
}

/// The clocks that version 1.0 knew.
const KNOWN: [ClockKind; 6] = [
    ClockKind::Contact,
    ClockKind::Result,
    ClockKind::Legal,
    ClockKind::Materials,
    ClockKind::Rating,
    ClockKind::Redo,
];

#[test]
fn a_whole_history_of_1_0_has_the_deadlines_of_today() {
    let old = stored_in_1_0().iter().fold(Case::Unfiled, Case::evolve);
    let old = old.filed().expect("it was filed");
    let today = written_today();
    for kind in KNOWN {
        let told = |clock: Option<&onetrip_model::case::CaseClock>| {
            let clock = clock.unwrap_or_else(|| panic!("no {kind:?}"));
            (clock.started_at, clock.deadline.clone(), clock.stopped_at)
        };
        assert_eq!(
            told(old.clocks.get(kind)),
            told(today.filed().clocks.get(kind)),
            "{kind:?}"
        );
    }
}

#[test]
fn a_whole_history_of_1_0_stands_where_it_stands_today() {
    let old = stored_in_1_0().iter().fold(Case::Unfiled, Case::evolve);
    let old = old.filed().expect("it was filed");
    let today = written_today();
    assert_eq!(old.stage, today.filed().stage);
    assert_eq!(old.holding, today.filed().holding);
    assert_eq!(old.verdict_until(), today.filed().verdict_until());
}

#[test]
fn clocks_that_1_0_did_not_know_do_not_run_for_its_cases() {
    let old = stored_in_1_0().iter().fold(Case::Unfiled, Case::evolve);
    let old = old.filed().expect("it was filed");
    for clock in old.clocks.all() {
        assert!(KNOWN.contains(&clock.kind), "{:?}", clock.kind);
    }
}
