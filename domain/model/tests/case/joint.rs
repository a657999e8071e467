//! Joint handling: several units, one of which leads and answers for all of it.

use crate::acts::*;
use onetrip_model::{
    CaseAct, CaseFact, Private, Refusal, UnitCode,
    case::{Holder, JOINT_UNITS_MAX},
    clocks::ClockKind,
};
use onetrip_testkit::*;

fn together() -> Given {
    handled().and([joint(&[SAFETY, SERVICES])])
}

fn others(given: &Given) -> Vec<&str> {
    given.filed().joint_units.iter().map(UnitCode::as_str).collect()
}

#[test]
fn the_holder_leads_and_the_others_are_named() {
    let case =
        handled()
            .when(joint(&[SERVICES, SAFETY, SAFETY]))
            .then_facts([CaseFact::JointHandlingOrdered {
                units: vec![unit(SAFETY), unit(SERVICES)],
                reason: Private::of_case(CASE, "理由".to_owned()),
            }]);
    assert_eq!(case.filed().stage.holder(), Holder::Unit(unit(URBAN)));
    assert_eq!(others(&case), [SAFETY, SERVICES]);
}

#[test]
fn the_lead_is_not_among_the_others() {
    handled()
        .when(joint(&[SAFETY, URBAN]))
        .then_refused(Refusal::SameHolder);
}

#[test]
fn the_same_order_again_changes_nothing_and_another_takes_its_place() {
    together().when(joint(&[SERVICES, SAFETY])).then_nothing();
    let fewer = together()
        .when(joint(&[SAFETY]))
        .then_events(["JointHandlingOrdered"]);
    assert_eq!(others(&fewer), [SAFETY]);
    let ended = together().when(joint(&[])).then_events(["JointHandlingOrdered"]);
    assert_eq!(others(&ended), [""; 0]);
}

#[test]
fn more_units_than_can_do_anything_are_refused() {
    let codes: Vec<String> = (0..=JOINT_UNITS_MAX).map(|n| format!("440304008-{n}")).collect();
    let codes: Vec<&str> = codes.iter().map(String::as_str).collect();
    handled().when(joint(&codes)).then_refused(Refusal::OutOfRange {
        field: "units",
        min: 0,
        max: 8,
    });
}

#[test]
fn it_is_ordered_with_a_reason_and_of_what_is_handled() {
    let silent = CaseAct::OrderJointHandling {
        units: vec![unit(SAFETY)],
        reason: " ".to_owned(),
    };
    handled()
        .when(silent)
        .then_refused(Refusal::Empty { field: "reason" });
    filed().when(joint(&[SAFETY])).then_refused(Refusal::WrongStage);
    closed().when(joint(&[SAFETY])).then_refused(Refusal::Ended);
}

#[test]
fn each_of_the_others_says_what_it_has_done_and_the_lead_keeps_the_case() {
    let case = together()
        .when(contribution(SAFETY))
        .then_facts([CaseFact::ContributionGiven {
            unit: unit(SAFETY),
            words: Private::of_case(CASE, "电源已恢复".to_owned()),
        }]);
    assert_eq!(case.filed().stage.holder(), Holder::Unit(unit(URBAN)));
    case.when(result()).then_events(["ResultGiven"]);
}

#[test]
fn nobody_else_contributes() {
    for code in [URBAN, DESK] {
        together()
            .when(contribution(code))
            .then_refused(Refusal::WrongStage);
    }
    together()
        .and([withdraw()])
        .when(contribution(SAFETY))
        .then_refused(Refusal::Ended);
}

#[test]
fn one_of_the_others_that_takes_over_leads_and_is_none_of_them_any_more() {
    let taken = together().and([offer(SAFETY), take(SAFETY)]);
    assert_eq!(taken.filed().stage.holder(), Holder::Unit(unit(SAFETY)));
    assert_eq!(others(&taken), [SERVICES]);
}

#[test]
fn it_is_no_pause() {
    let due = |case: &Given| case.filed().due_at(ClockKind::Result);
    let case = together().later(days(2)).and([contribution(SAFETY), joint(&[])]);
    assert_eq!(due(&case), due(&handled()));
}
