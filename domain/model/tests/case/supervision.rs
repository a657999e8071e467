//! What the service presses for by itself: each step of each clock once, and nothing by a wrong clock.

use onetrip_model::{CaseAct, CaseFact, case::Submission, clocks::ClockKind, primitives::Tier};
use onetrip_testkit::{moments::*, *};

fn run(case: &Given) -> CaseAct {
    CaseAct::RunClocks { latest: case.now }
}

/// Runs the clocks at this time.
fn looked_at(case: Given, hours_later: i64) -> Given {
    let case = case.later(hours(hours_later));
    let act = run(&case);
    case.and([act])
}

fn raised(case: &Given, clock: ClockKind) -> Vec<u16> {
    let raised = &case.filed().clocks.get(clock).unwrap().raised;
    raised.iter().map(|raised| raised.percent).collect()
}

fn request() -> CaseAct {
    CaseAct::RequestMaterials {
        items: vec![ask("lease")],
        held: Vec::new(),
    }
}

#[test]
fn steps_are_raised_in_their_order_and_once() {
    let case = filed().later(hours(25));
    let act = run(&case);
    let case = case.when(act.clone()).then_facts([
        CaseFact::WarningRaised {
            clock: ClockKind::Contact,
            percent: 50,
        },
        CaseFact::WarningRaised {
            clock: ClockKind::Contact,
            percent: 80,
        },
        CaseFact::WarningRaised {
            clock: ClockKind::Contact,
            percent: 95,
        },
        CaseFact::LimitBreached {
            clock: ClockKind::Contact,
        },
    ]);
    case.when(act).then_nothing();
}

#[test]
fn the_last_instant_of_a_limit_is_no_breach_yet() {
    let case = looked_at(filed(), 24);
    assert_eq!(raised(&case, ClockKind::Contact), [50, 80, 95]);
    let case = case.later(chrono::Duration::seconds(1));
    assert_eq!(case.filed().acts_at(), Some(case.now));
    let act = run(&case);
    case.when(act).then_events(["LimitBreached"]);
}

#[test]
fn a_case_is_escalated_once_for_every_tier_above_it() {
    for (division, tiers) in [
        (COMMUNITY, vec![Tier::Street, Tier::District, Tier::City]),
        (STREET, vec![Tier::District, Tier::City]),
        ("4403", vec![]),
    ] {
        let new = Submission {
            division: division.into(),
            ..submission()
        };
        let case = looked_at(given([CaseAct::SubmitAppeal(new)]), 100);
        let to: Vec<Tier> = case
            .events
            .iter()
            .filter_map(|event| match &event.fact {
                CaseFact::CaseEscalated {
                    clock: ClockKind::Contact,
                    to,
                    ..
                } => Some(*to),
                _ => None,
            })
            .collect();
        assert_eq!(to, tiers, "{division}");
        assert_eq!(case.filed().escalated_to(), tiers.last().copied());
        // Nothing more is due on this clock, whatever time it is: the next is another one's.
        assert!(case.filed().acts_at().unwrap() > case.now);
    }
}

#[test]
fn a_clock_that_stands_still_raises_only_what_had_come_before() {
    // From the morning of the 2nd to the end of the 16th: half of it has gone in the afternoon of the 9th.
    let case = handled().at(at("2026-03-06 10:00")).and([request()]);
    let case = looked_at(case, 24 * 7);
    assert!(raised(&case, ClockKind::Result).is_empty());
    let asked_late = handled().at(at("2026-03-09 18:00"));
    let case = looked_at(asked_late.and([request()]), 24 * 7);
    assert_eq!(raised(&case, ClockKind::Result), [50]);
}

#[test]
fn of_a_clock_that_has_stopped_the_breach_is_recorded_and_nothing_else() {
    let contact = CaseAct::FollowUp(onetrip_model::case::FollowUp {
        kind: onetrip_model::case::FollowUpKind::Contact,
        reached: true,
        words: "电话核实".to_owned(),
    });
    let late = filed().later(hours(40)).and([contact.clone()]);
    assert_eq!(raised(&looked_at(late, 1), ClockKind::Contact), [100]);
    let in_time = filed().later(hours(23)).and([contact]);
    assert!(raised(&looked_at(in_time, 20), ClockKind::Contact).is_empty());
}

mod a_clock_that_was_ahead {
    use super::*;

    /// By a computer a day ahead, an hour after filing.
    fn ahead() -> Given {
        looked_at(filed(), 25).at(monday_9am() + hours(1))
    }

    #[test]
    fn has_what_it_raised_withdrawn_and_raised_in_its_time() {
        let case = ahead();
        let act = run(&case);
        let case = case.when(act.clone()).then_events(["RaisingWithdrawn"; 4]);
        let case = case.when(act).then_nothing();
        assert_eq!(case.filed().acts_at(), Some(monday_9am() + hours(12)));
        assert_eq!(raised(&looked_at(case, 12), ClockKind::Contact), [50]);
    }

    #[test]
    fn is_not_taken_for_one_while_any_clock_agrees_with_it() {
        let case = ahead();
        let act = CaseAct::RunClocks {
            latest: monday_9am() + hours(25),
        };
        case.when(act).then_nothing();
    }

    #[test]
    fn leaves_no_false_breach_on_what_was_done_in_time() {
        let contact = CaseAct::FollowUp(onetrip_model::case::FollowUp {
            kind: onetrip_model::case::FollowUpKind::Contact,
            reached: true,
            words: "电话核实".to_owned(),
        });
        // Seen only when the wrong instant itself has passed.
        let case = ahead().and([contact]).later(days(3));
        assert!(case.filed().acts_at().unwrap() <= case.now);
        let act = run(&case);
        let case = case.and([act]);
        assert!(raised(&case, ClockKind::Contact).is_empty());
    }

    #[test]
    fn takes_back_its_own_escalations_only() {
        let case = looked_at(filed(), 40);
        assert_eq!(case.filed().escalated_to(), Some(Tier::Street));
        let case = looked_at(case, 24).at(monday_9am() + hours(41));
        assert_eq!(case.filed().escalated_to(), Some(Tier::City));
        let act = run(&case);
        assert_eq!(case.and([act]).filed().escalated_to(), Some(Tier::Street));
    }
}
