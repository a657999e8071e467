//! A computer's clock that jumps: what was raised too early is withdrawn when the clocks run at the right time, and raised
//! again when it is due.

use crate::acts::*;
use onetrip_model::{CaseAct, CaseFact, Tier, case::Submission, clocks::ClockKind};
use onetrip_testkit::{moments::*, *};

/// A result that is due within a day, in hours round the clock.
fn urgent() -> Given {
    let submission = Submission {
        category: "utilities".to_owned(),
        ..submission()
    };
    accepted(submission).and([reached(), assign(SAFETY)])
}

/// The clocks as they run so many minutes after the submission, by whatever the computer's clock says.
fn run(given: Given, minutes: i64) -> Given {
    given
        .at(monday_9am() + chrono::Duration::minutes(minutes))
        .and([RUN_CLOCKS])
}

fn withdrawn(percent: u16) -> CaseFact {
    CaseFact::RaisingWithdrawn {
        clock: ClockKind::Result,
        percent,
    }
}

fn raised(given: &Given) -> Vec<u16> {
    let clock = given.filed().clocks.get(ClockKind::Result);
    let raised = clock.into_iter().flat_map(|clock| &clock.raised);
    raised.map(|raised| raised.percent).collect()
}

#[test]
fn an_hour_ahead_a_breach_is_raised_too_early() {
    let ahead = run(urgent(), 24 * 60 + 30);
    assert_eq!(raised(&ahead), [50, 80, 95, 100]);
    let repaired = ahead
        .at(monday_9am() + chrono::Duration::minutes(23 * 60 + 31))
        .when(RUN_CLOCKS)
        .then_facts([withdrawn(100)]);
    repaired.clone().when(RUN_CLOCKS).then_nothing();
    let due = monday_9am() + hours(24) + second();
    assert_eq!(repaired.filed().acts_at(), Some(due));
    repaired.at(due).when(RUN_CLOCKS).then_events(["LimitBreached"]);
}

#[test]
fn a_day_ahead_warnings_breach_and_escalation_are() {
    let ahead = run(urgent(), 36 * 60);
    assert_eq!(ahead.filed().escalated_to(), Some(Tier::Street));
    let repaired = ahead
        .at(monday_9am() + hours(12))
        .when(RUN_CLOCKS)
        .then_facts([80, 95, 100, 150].map(withdrawn));
    assert_eq!(raised(&repaired), [50]);
    assert_eq!(repaired.filed().escalated_to(), None);
    let again = run(repaired, 36 * 60);
    assert_eq!(raised(&again), [50, 80, 95, 100, 150]);
    assert_eq!(again.filed().escalated_to(), Some(Tier::Street));
}

#[test]
fn an_escalation_that_was_due_stands_when_a_later_one_is_withdrawn() {
    let ahead = run(run(urgent(), 40 * 60), 64 * 60);
    assert_eq!(ahead.filed().escalated_to(), Some(Tier::City));
    let repaired = ahead
        .at(monday_9am() + hours(40))
        .when(RUN_CLOCKS)
        .then_facts([200, 250].map(withdrawn));
    assert_eq!(repaired.filed().escalated_to(), Some(Tier::Street));
}

#[test]
fn a_breach_is_withdrawn_also_where_the_result_came_before_the_clock_was_right() {
    let ahead = run(urgent(), 36 * 60);
    let answered = ahead.at(monday_9am() + hours(13)).and([result()]);
    assert!(answered.filed().acts_at() <= Some(answered.now));
    let repaired = answered
        .later(hours(1))
        .when(RUN_CLOCKS)
        .then_facts([80, 95, 100, 150].map(withdrawn));
    let after = repaired.later(days(5));
    assert!(after.filed().acts_at() > Some(after.now));
    after.when(RUN_CLOCKS).then_nothing();
}

#[test]
fn a_breach_in_time_stands_where_the_result_came_later() {
    let breached = run(urgent(), 25 * 60);
    let answered = breached.later(hours(1)).and([result()]);
    answered.later(hours(1)).when(RUN_CLOCKS).then_nothing();
}

/// Silence was recorded by a computer that was days ahead; the clock that starts afterwards starts before that.
#[test]
fn a_pause_that_ended_in_the_future_holds_up_no_clock_that_started_after_it() {
    let silent = handled()
        .and([request()])
        .later(days(20))
        .and([CaseAct::RecordSilence]);
    let redone = silent.at(monday_9am() + days(2)).and([result(), not_solved()]);
    let clocks = &redone.filed().clocks;
    let redo = clocks.get(ClockKind::Redo).expect("it is done again");
    assert_eq!(clocks.counted(redo).pauses, []);
    let whole = redo.deadline.due_at - redo.started_at;
    assert_eq!(clocks.moment(redo, 50), redo.started_at + whole / 2);
}

#[test]
fn an_hour_behind_what_is_due_is_raised_an_hour_later() {
    let behind = run(urgent(), 23 * 60 + 30);
    assert_eq!(raised(&behind), [50, 80, 95]);
    assert_eq!(raised(&run(behind, 24 * 60 + 30)), [50, 80, 95, 100]);
}

#[test]
fn an_hour_back_a_breach_is_withdrawn_and_raised_again_and_stands_once() {
    let breached = run(urgent(), 24 * 60 + 30);
    let back = run(breached, 23 * 60 + 30);
    assert_eq!(raised(&back), [50, 80, 95]);
    let again = run(run(back, 24 * 60 + 30), 25 * 60 + 30);
    assert_eq!(raised(&again), [50, 80, 95, 100]);
}
