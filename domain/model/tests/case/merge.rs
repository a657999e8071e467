//! Cases of one matter handled as one: reversible, and every reporter keeps number, clock, rating and an answer.

use crate::acts::*;
use onetrip_model::{
    By, CaseAct, CaseFact, CaseId, CaseNumber, Private, Refusal,
    case::{Holder, Verdict},
    clocks::ClockKind,
};
use onetrip_testkit::*;
use uuid::Uuid;

fn merged() -> Given {
    handled().and([merge()])
}

#[test]
fn the_case_goes_with_the_other_and_keeps_its_number_and_clocks() {
    let before = handled();
    let case = before.clone().when(merge()).then_facts([CaseFact::CaseMerged {
        into: LEAD,
        into_number: CaseNumber::from_random(1),
        reason: Private::of_case(CASE, "理由".to_owned()),
    }]);
    assert_eq!(case.filed().stage.holder(), Holder::Lead(LEAD));
    assert_eq!(case.filed().stage.unit(), &unit(URBAN));
    assert_eq!(case.filed().number, before.filed().number);
    assert_eq!(case.filed().clocks, before.filed().clocks);
}

#[test]
fn its_clocks_run_on_and_are_pressed_for() {
    let late = merged().and([reached()]).at(at("2026-03-10 12:00"));
    late.when(RUN_CLOCKS).then_events(["WarningRaised"]);
}

#[test]
fn what_nobody_had_accepted_is_taken_in() {
    let case = filed().when(merge()).then_events(["CaseAccepted", "CaseMerged"]);
    assert!(case.filed().clocks.running(ClockKind::Legal).is_some());
    assert_eq!(case.and([unmerge()]).filed().stage.name(), "accepted");
}

#[test]
fn the_same_again_changes_nothing_and_into_another_is_refused() {
    merged().when(merge()).then_nothing();
    let into = |case: CaseId| CaseAct::Merge {
        into: case,
        into_number: CaseNumber::from_random(2),
        reason: "同一盏灯".to_owned(),
    };
    merged()
        .when(into(CaseId(Uuid::from_u128(0x0DD))))
        .then_refused(Refusal::WrongStage);
    handled().when(into(CASE)).then_refused(Refusal::MergedWithItself);
}

#[test]
fn only_what_is_on_its_way_to_a_result_and_with_nobody_else_is_merged() {
    let with_supervisor = resulted()
        .and([not_solved()])
        .by(by_staff(HANDLER))
        .and([result(), not_solved()]);
    for case in [
        filed().and([decline_to(SAFETY)]),
        handled().and([offer(SAFETY)]),
        handled().and([request()]),
        resulted(),
        with_supervisor,
    ] {
        case.when(merge()).then_refused(Refusal::WrongStage);
    }
    closed().when(merge()).then_refused(Refusal::Ended);
}

#[test]
fn un_merging_brings_back_where_it_stood() {
    for before in [
        accepted(submission()),
        handled(),
        handled().and([joint(&[SAFETY])]),
    ] {
        let case = before
            .clone()
            .and([merge()])
            .when(unmerge())
            .then_events(["CaseUnmerged"]);
        assert_eq!(case.filed().stage, before.filed().stage);
        assert_eq!(case.filed().clocks, before.filed().clocks);
    }
    handled().when(unmerge()).then_refused(Refusal::WrongStage);
    // What was not solved is done again, not answered with another.
    resulted()
        .and([not_solved()])
        .when(merge())
        .then_refused(Refusal::WrongStage);
    let silent = CaseAct::Unmerge {
        reason: String::new(),
    };
    merged()
        .when(silent)
        .then_refused(Refusal::Empty { field: "reason" });
}

#[test]
fn the_answer_comes_with_the_other_cases_and_is_rated_for_itself() {
    merged().when(result()).then_refused(Refusal::WrongStage);
    let answered = merged()
        .by(By::Service)
        .when(result())
        .then_events(["ResultGiven"]);
    assert_eq!(answered.filed().stage.holder(), Holder::Resident);
    answered
        .clone()
        .when(rate(Verdict::Solved, 4))
        .then_events(["ResultRated", "CaseClosed"]);
    let reopened = answered
        .when(not_solved())
        .then_events(["ResultRated", "CaseReopened"]);
    assert_eq!(reopened.filed().stage.holder(), Holder::Unit(unit(URBAN)));
}

#[test]
fn its_reporter_may_still_add_to_it_and_withdraw() {
    let supplement = CaseAct::AddSupplement {
        words: "还有一盏".to_owned(),
        attachments: Vec::new(),
        from_filing: false,
    };
    merged().when(supplement).then_events(["SupplementAdded"]);
    merged().when(withdraw()).then_events(["CaseWithdrawn"]);
}
