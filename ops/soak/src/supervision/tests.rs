//! The oracle finds what is wrong on purpose.

use super::{
    check::{Counts, History, Look},
    track::Track,
    workers::Jump,
};
use crate::run::Faults;
use chrono::{DateTime, TimeDelta, Utc};
use onetrip_model::{By, CaseAct, CaseEvent, CaseFact, clocks::ClockKind};
use onetrip_testkit::{Given, filed, moments::monday_9am};

const AHEAD: Jump = Jump {
    own: TimeDelta::days(1),
    reference: TimeDelta::days(1),
};

/// Looks every hour, by one worker with this clock at the `n`-th.
fn looks(jump: impl Fn(usize) -> Jump) -> Vec<Look> {
    let look = |n: usize| {
        let at = monday_9am() + TimeDelta::hours(i64::try_from(n).unwrap() + 1);
        Look::at(n, at, [jump(n), Jump::default()], [true, false], false)
    };
    (0..24).map(look).collect()
}

/// A case of which nothing was done in the first 24 hours, as a worker has run its clocks at all these looks.
fn supervised(looks: &[Look]) -> Vec<CaseEvent> {
    let run = |case: Given, look: &Look| {
        let now = look.at + look.jumps[0].acts();
        let case = case.at(now).by(By::Service);
        case.and([CaseAct::RunClocks { latest: now }])
    };
    looks.iter().fold(filed(), run).events
}

fn faults(events: &[CaseEvent], looks: &[Look]) -> Vec<String> {
    let faults = Faults::default();
    let mut counts = Counts::default();
    let mut history = History::new("case".to_owned(), looks, &faults, monday_9am());
    for event in events {
        history.go_on(event, &mut counts);
    }
    let end: DateTime<Utc> = monday_9am() + TimeDelta::hours(30);
    history.end(end);
    faults.take()
}

fn true_clock(_look: usize) -> Jump {
    Jump::default()
}

fn ahead_at_the_second_look(look: usize) -> Jump {
    if look == 1 { AHEAD } else { Jump::default() }
}

/// The first fault is about this.
#[track_caller]
fn first(faults: &[String], what: &str) {
    assert!(
        faults.first().is_some_and(|fault| fault.contains(what)),
        "{faults:?}"
    );
}

#[test]
fn what_is_right_has_no_fault() {
    for jump in [true_clock, ahead_at_the_second_look] {
        let looks = looks(jump);
        let events = supervised(&looks);
        assert!(events.len() > 3);
        assert_eq!(faults(&events, &looks), Vec::<String>::new());
    }
}

#[test]
fn a_missing_warning_is_found() {
    let looks = looks(true_clock);
    let mut events = supervised(&looks);
    events.remove(1);
    first(&faults(&events, &looks), "50 % was not raised");
}

#[test]
fn a_late_warning_is_found() {
    let looks = looks(true_clock);
    let mut events = supervised(&looks);
    // Half of 24 hours is up at the twelfth look.
    events[1].at = looks[13].at;
    first(&faults(&events, &looks), "50 % was not raised");
}

#[test]
fn a_double_warning_is_found() {
    let looks = looks(true_clock);
    let mut events = supervised(&looks);
    events.insert(2, events[1].clone());
    first(&faults(&events, &looks), "raised twice");
}

#[test]
fn an_early_warning_is_found() {
    let looks = looks(true_clock);
    let mut events = supervised(&looks);
    events[1].at = looks[10].at;
    first(&faults(&events, &looks), "before its time");
}

/// Early by a clock that was ahead, but right by the time that the limit is extended.
#[test]
fn a_warning_whose_time_had_come_stands_when_the_limit_is_extended() {
    let (start, hour) = (monday_9am(), TimeDelta::hours(1));
    let mut track = Track::new(ClockKind::Legal, start, start + hour * 10, vec![50]);
    assert_eq!(track.raise(50, start + hour * 6, start + hour * 4), Ok(true));
    assert_eq!(track.wrong_at(start + hour * 4), [50]);
    track.set_due(start + hour * 7, start + hour * 20);
    assert!(track.wrong_at(start + hour * 8).is_empty());
}

#[test]
fn what_a_wrong_clock_left_behind_is_found() {
    let looks = looks(ahead_at_the_second_look);
    let mut events = supervised(&looks);
    let is_withdrawn = |event: &CaseEvent| matches!(event.fact, CaseFact::RaisingWithdrawn { .. });
    let place = events.iter().position(is_withdrawn).unwrap();
    events.truncate(place);
    first(&faults(&events, &looks), "was left");
}
