//! Two clocks: the first result, which never restarts, and the total time, which runs again after reopening.

use crate::acts::*;
use chrono::{DateTime, Utc};
use onetrip_model::{
    case::{ReviewDecision, Verdict},
    clocks::ClockKind,
};
use onetrip_testkit::{moments::*, *};

fn due_at(given: &Given, kind: ClockKind) -> Option<DateTime<Utc>> {
    given.filed().due_at(kind)
}

fn stopped_at(given: &Given, kind: ClockKind) -> Option<DateTime<Utc>> {
    given.filed().clocks.get(kind).and_then(|clock| clock.stopped_at)
}

/// Ten days after the result of [`resulted`].
fn ten_days_later() -> DateTime<Utc> {
    at("2026-03-12 09:00")
}

#[test]
fn the_first_result_stops_its_clock_for_good() {
    let redone = resulted()
        .at(ten_days_later())
        .and([not_solved()])
        .by(by_staff(HANDLER))
        .and([result()]);
    assert_eq!(stopped_at(&redone, ClockKind::Result), Some(monday_9am()));
    assert_eq!(
        due_at(&redone, ClockKind::Result),
        due_at(&filed(), ClockKind::Result)
    );
    assert_eq!(due_at(&redone, ClockKind::Redo), Some(end_of("2026-03-26")));
    assert_eq!(stopped_at(&redone, ClockKind::Redo), Some(ten_days_later()));
}

#[test]
fn the_total_time_stands_still_from_the_result_until_it_is_reopened() {
    let reopened = resulted().at(ten_days_later()).and([not_solved()]);
    assert_eq!(
        due_at(&reopened, ClockKind::Legal),
        Some(end_of("2026-05-11")),
        "70 days from acceptance"
    );
    assert!(!reopened.filed().clocks.is_paused(ClockKind::Legal));
}

#[test]
fn it_stands_still_also_while_the_case_was_closed() {
    let closed = resulted()
        .at(at("2026-03-05 09:00"))
        .and([rate(Verdict::Solved, 5)]);
    assert_eq!(
        stopped_at(&closed, ClockKind::Legal),
        Some(at("2026-03-05 09:00"))
    );
    let reopened = closed.at(ten_days_later()).and([reopen()]);
    assert_eq!(stopped_at(&reopened, ClockKind::Legal), None);
    assert_eq!(due_at(&reopened, ClockKind::Legal), Some(end_of("2026-05-11")));
}

#[test]
fn it_stands_still_also_while_a_review_looks_at_it() {
    let sent_back = resulted()
        .and([ask_review()])
        .by(by_staff(SAFETY_HANDLER))
        .at(ten_days_later())
        .and([decide_review(ReviewDecision::SentBack)]);
    assert_eq!(due_at(&sent_back, ClockKind::Legal), Some(end_of("2026-05-11")));
}

#[test]
fn every_wait_for_a_verdict_is_left_out() {
    let twice = resulted()
        .at(ten_days_later())
        .and([not_solved()])
        .by(by_staff(HANDLER))
        .at(at("2026-03-16 09:00"))
        .and([result()])
        .at(at("2026-03-20 09:00"))
        .and([not_solved()]);
    assert_eq!(
        due_at(&twice, ClockKind::Legal),
        Some(end_of("2026-05-15")),
        "74 days from acceptance"
    );
}

#[test]
fn nobody_is_pressed_for_what_has_its_result() {
    let case = resulted().and([reached()]).at(at("2026-03-17 09:00"));
    case.when(RUN_CLOCKS).then_nothing();
}
