//! A case of another system keeps that system's target and end; it has no clocks of ours and raises nothing.

use crate::acts::*;
use onetrip_model::{
    CaseAct, Refusal,
    case::{Source, Submission},
    clocks::{ClockKind, Term},
};
use onetrip_testkit::{moments::*, *};

fn with_target() -> Submission {
    let imported = imported();
    let source = imported.source.map(|source| Source {
        target_at: Some(monday_9am() + days(3)),
        ..source
    });
    Submission { source, ..imported }
}

/// Years later, of a case that was accepted and assigned.
fn long_after(submission: Submission) -> Given {
    accepted(submission).and([assign(URBAN)]).later(days(4_000))
}

#[test]
fn without_a_target_it_has_no_clock_at_all() {
    let case = long_after(imported());
    assert_eq!(case.filed().clocks.all(), []);
    assert_eq!(case.filed().acts_at(), None);
}

#[test]
fn with_a_target_it_has_that_one_and_nothing_is_raised() {
    let case = long_after(with_target());
    let clocks = case.filed().clocks.all();
    assert_eq!(
        Vec::from_iter(clocks.iter().map(|clock| (clock.kind, clock.deadline.term))),
        [(ClockKind::Result, Term::Source)]
    );
    assert_eq!(clocks[0].deadline.due_at, monday_9am() + days(3));
    case.clone().when(RUN_CLOCKS).then_nothing();
    case.when(CaseAct::RecomputeDeadlines).then_nothing();
}

#[test]
fn what_is_done_with_it_here_has_our_limits() {
    let reopened = long_after(with_target()).and([result(), not_solved()]);
    assert!(reopened.filed().clocks.running(ClockKind::Redo).is_some());
    assert_eq!(
        reopened.filed().clocks.running(ClockKind::Legal),
        None,
        "accepted elsewhere"
    );
}

#[test]
fn only_such_a_case_ends_as_another_system_says() {
    let source = || CaseAct::CloseFromSource {
        outcome: "closed".to_owned(),
    };
    long_after(imported())
        .and([result()])
        .when(source())
        .then_events(["CaseClosed"]);
    resulted().when(source()).then_refused(Refusal::WrongStage);
}
