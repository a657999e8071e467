//! A reply that promises a date has a clock of its own, which runs on after closing.

use crate::acts::*;
use chrono::NaiveDate;
use onetrip_model::{
    CaseAct, CaseFact, Private, Refusal,
    case::{Promise, Verdict},
    clocks::{ClockKind, Term},
};
use onetrip_testkit::*;

/// Promised by Saturday, 4 April, in a holiday: a promise stands.
fn promised() -> Given {
    handled().and([reached(), promise("2026-04-04")])
}

fn promised_and_closed() -> Given {
    promised().and([rate(Verdict::Solved, 5)])
}

#[test]
fn it_is_due_at_the_end_of_the_day_it_names() {
    let case = handled()
        .when(promise("2026-04-04"))
        .then_events(["ResultGiven", "PromiseMade"]);
    let clock = case.filed().clocks.running(ClockKind::Promise);
    let deadline = &clock.expect("a promise runs").deadline;
    assert_eq!(deadline.due_at, end_of("2026-04-04"));
    assert!(matches!(deadline.term, Term::Date(_)));
}

#[test]
fn it_is_kept_after_closing_and_once() {
    let case = promised_and_closed()
        .later(days(20))
        .when(keep_promise())
        .then_facts([CaseFact::PromiseKept {
            words: Private::of_case(CASE, "灯杆已更换".to_owned()),
            evidence: Vec::new(),
        }]);
    assert!(case.filed().stage.has_ended());
    assert_eq!(case.filed().clocks.running(ClockKind::Promise), None);
    case.clone().when(keep_promise()).then_nothing();
    case.later(days(100)).when(RUN_CLOCKS).then_nothing();
}

#[test]
fn it_is_pressed_for_after_closing_when_it_is_not_kept() {
    let last = promised_and_closed().at(end_of("2026-04-04"));
    last.clone()
        .when(RUN_CLOCKS)
        .then_events(["WarningRaised", "WarningRaised", "WarningRaised"])
        .later(second())
        .when(RUN_CLOCKS)
        .then_facts([CaseFact::LimitBreached {
            clock: ClockKind::Promise,
        }]);
}

#[test]
fn a_day_that_has_passed_cannot_be_promised_and_today_can() {
    handled()
        .when(promise("2026-03-01"))
        .then_refused(Refusal::Past { field: "promise_by" });
    handled()
        .when(promise("2026-03-02"))
        .then_events(["ResultGiven", "PromiseMade"]);
}

#[test]
fn another_promise_waits_until_the_first_is_kept() {
    let redone = promised().and([not_solved()]).by(by_staff(HANDLER));
    redone
        .clone()
        .when(promise("2026-04-20"))
        .then_refused(Refusal::PromiseOpen);
    redone.clone().when(result()).then_events(["ResultGiven"]);
    redone
        .and([keep_promise()])
        .when(promise("2026-04-20"))
        .then_events(["ResultGiven", "PromiseMade"]);
}

#[test]
fn keeping_one_needs_words_and_a_promise() {
    let silent = CaseAct::KeepPromise {
        words: " ".to_owned(),
        evidence: Vec::new(),
    };
    promised()
        .when(silent)
        .then_refused(Refusal::Empty { field: "words" });
    resulted().when(keep_promise()).then_refused(Refusal::WrongStage);
    closed().when(keep_promise()).then_refused(Refusal::Ended);
}

#[test]
fn the_last_day_there_is_can_be_promised() {
    let promise = Promise {
        words: "总有一天".to_owned(),
        by: NaiveDate::MAX,
    };
    let case = handled().and([result_promising(Some(promise)), rate(Verdict::Solved, 5)]);
    let case = case.later(days(4_000)).when(RUN_CLOCKS).after();
    assert!(case.filed().acts_at() > Some(case.now));
}
