//! Pressing for action: warnings, breach and escalation, each once per level of each clock, whoever runs the clocks and
//! how late; a supervisor's own word.

use crate::acts::*;
use chrono::{DateTime, Duration, Utc};
use onetrip_model::{
    CaseAct, CaseFact, Refusal, Tier,
    case::{Case, LawPause, Submission},
    clocks::ClockKind,
};
use onetrip_testkit::{moments::*, *};

/// A resident who was called, about a matter whose result is due within a day, in hours round the clock.
fn urgent() -> Given {
    urgent_in(COMMUNITY)
}

fn urgent_in(division: &str) -> Given {
    let submission = Submission {
        category: "utilities".to_owned(),
        division: division.into(),
        ..submission()
    };
    given([CaseAct::SubmitAppeal(submission), reached()])
}

fn warning(percent: u16) -> CaseFact {
    CaseFact::WarningRaised {
        clock: ClockKind::Result,
        percent,
    }
}

fn breach() -> CaseFact {
    CaseFact::LimitBreached {
        clock: ClockKind::Result,
    }
}

fn escalation(percent: u16, to: Tier) -> CaseFact {
    CaseFact::CaseEscalated {
        clock: ClockKind::Result,
        percent,
        to,
    }
}

/// Runs the clocks whenever they ask for it until then: what was raised, and how long after the submission.
fn run_until(mut given: Given, end: DateTime<Utc>) -> Vec<(Duration, CaseFact)> {
    let before = given.events.len();
    while let Some(now) = given.filed().acts_at().filter(|now| *now <= end) {
        given = given.at(now).and([RUN_CLOCKS]);
    }
    let raised = given.events.into_iter().skip(before);
    raised
        .map(|event| (event.at - monday_9am(), event.fact))
        .collect()
}

#[test]
fn each_level_is_raised_at_its_own_time_one_tier_at_a_time_up_to_the_city() {
    let minutes = Duration::minutes;
    assert_eq!(
        run_until(urgent(), monday_9am() + days(5)),
        [
            (hours(12), warning(50)),
            (minutes(19 * 60 + 12), warning(80)),
            (minutes(22 * 60 + 48), warning(95)),
            (hours(24) + second(), breach()),
            (hours(36), escalation(150, Tier::Street)),
            (hours(48), escalation(200, Tier::District)),
            (hours(60), escalation(250, Tier::City)),
        ]
    );
}

#[test]
fn the_last_instant_in_time_is_no_breach() {
    let warned = urgent().later(hours(24)).and([RUN_CLOCKS]);
    assert_eq!(warned.newest(), &warning(95));
    warned.later(second()).when(RUN_CLOCKS).then_facts([breach()]);
}

#[test]
fn all_that_an_outage_let_pass_is_raised_at_once_and_once() {
    let late = urgent().later(hours(70));
    let raised = late.when(RUN_CLOCKS).then_facts([
        warning(50),
        warning(80),
        warning(95),
        breach(),
        escalation(150, Tier::Street),
        escalation(200, Tier::District),
        escalation(250, Tier::City),
    ]);
    assert_eq!(raised.filed().escalated_to(), Some(Tier::City));
    raised.when(RUN_CLOCKS).then_nothing();
}

#[test]
fn what_was_raised_is_known_from_the_log_alone() {
    let raised = urgent().later(hours(30)).and([RUN_CLOCKS]);
    let replayed = raised.events.iter().fold(Case::Unfiled, Case::evolve);
    let restarted = Given {
        case: replayed,
        ..raised
    };
    restarted.when(RUN_CLOCKS).then_nothing();
}

#[test]
fn a_matter_of_a_higher_tier_has_as_many_levels_as_there_are_tiers_above() {
    for (division, tiers) in [
        (STREET, vec![Tier::District, Tier::City]),
        ("440304", vec![Tier::City]),
        ("4403", vec![]),
    ] {
        let late = urgent_in(division).later(days(6)).and([RUN_CLOCKS]);
        let called = late.events.iter().filter_map(|event| match event.fact {
            CaseFact::CaseEscalated { to, .. } => Some(to),
            _ => None,
        });
        assert_eq!(Vec::from_iter(called), tiers, "{division}");
        assert!(
            late.filed().acts_at() > Some(late.now),
            "nothing asks for being raised for ever"
        );
    }
}

#[test]
fn the_wait_for_the_law_is_no_part_of_the_time_before_the_limit_or_after_it() {
    let handled = urgent().and([CaseAct::Accept, assign(SAFETY)]);
    let heard_for_ten_days = |from: Duration| {
        let begun = handled.clone().later(from).and([begin(LawPause::Hearing)]);
        let end = begun.now + days(10);
        let ended = begun.at(end).and([CaseAct::EndLawPause, RUN_CLOCKS]);
        let raised = run_until(ended, end + days(2) + hours(12));
        Vec::from_iter(raised.into_iter().filter(|(_, fact)| {
            matches!(
                fact,
                CaseFact::LimitBreached { .. } | CaseFact::CaseEscalated { .. }
            )
        }))
    };
    let later = |count: i64| days(10) + hours(count);
    let up = [
        (later(36), escalation(150, Tier::Street)),
        (later(48), escalation(200, Tier::District)),
        (later(60), escalation(250, Tier::City)),
    ];
    let mut all = vec![(later(24) + second(), breach())];
    all.extend(up.clone());
    assert_eq!(heard_for_ten_days(hours(6)), all);
    assert_eq!(
        heard_for_ten_days(hours(30)),
        up,
        "the breach was raised on the day it began, or at its end"
    );
}

#[test]
fn what_is_done_is_not_pressed_for() {
    let done = urgent()
        .and([CaseAct::Accept, assign(SAFETY), result()])
        .later(days(10));
    done.when(RUN_CLOCKS).then_nothing();
}

#[test]
fn a_redo_is_pressed_for_anew() {
    let escalated = urgent()
        .and([CaseAct::Accept, assign(SAFETY)])
        .later(hours(40))
        .and([RUN_CLOCKS]);
    assert_eq!(escalated.filed().escalated_to(), Some(Tier::Street));
    let redone = escalated.and([result(), not_solved()]);
    assert_eq!(redone.filed().escalated_to(), None);
    let late = redone.later(hours(12)).when(RUN_CLOCKS);
    let case = late.after();
    assert!(case.events.iter().any(|event| event.fact
        == CaseFact::WarningRaised {
            clock: ClockKind::Redo,
            percent: 50
        }));
}

mod a_window_of_the_resident {
    use super::*;

    #[test]
    fn closes_the_case_when_it_ends_without_a_verdict() {
        let last = resulted().and([reached()]).at(end_of("2026-03-17"));
        last.clone().when(RUN_CLOCKS).then_nothing();
        let closed = last.later(second()).when(RUN_CLOCKS).then_events(["CaseClosed"]);
        closed.when(RUN_CLOCKS).then_nothing();
    }

    #[test]
    fn ends_after_what_was_due_before_it_began() {
        // Half of the result's time was over before the request, and nobody ran the clocks.
        let waiting = urgent()
            .and([CaseAct::Accept, assign(SAFETY)])
            .later(hours(13))
            .and([request()]);
        let case = waiting
            .later(days(11))
            .when(RUN_CLOCKS)
            .then_facts([warning(50), CaseFact::SilenceRecorded {}]);
        assert!(case.filed().acts_at() > Some(case.now));
    }
}

mod a_supervisors_word {
    use super::*;

    #[test]
    fn is_recorded_each_time_it_is_said() {
        let urge = || CaseAct::Urge {
            words: "请尽快".to_owned(),
        };
        let urged = handled().when(urge()).then_events(["CaseUrged"]);
        urged.when(urge()).then_events(["CaseUrged"]);
        closed().when(urge()).then_refused(Refusal::Ended);
        let silent = CaseAct::Urge {
            words: " ".to_owned(),
        };
        handled()
            .when(silent)
            .then_refused(Refusal::Empty { field: "words" });
    }
}
