//! Deadlines: which rule, counted how, moved by what [CC 201, 203; GD; SZ; BJ draft; XF 34].

use crate::acts::{answer, request};
use onetrip_model::{
    CaseAct,
    case::{FollowUp, FollowUpKind, Submission, Verdict},
    clocks::{ClockKind, Deadline, Term},
};
use onetrip_testkit::{moments::*, *};

fn appeal(category: &str) -> Given {
    given([CaseAct::SubmitAppeal(Submission {
        category: category.to_owned(),
        ..submission()
    })])
}

fn result_due(given: &Given) -> &Deadline {
    &given.filed().result_clock().expect("a result is due").deadline
}

fn due_at(given: &Given, kind: ClockKind) -> Option<chrono::DateTime<chrono::Utc>> {
    given.filed().due_at(kind)
}

fn follow_up(kind: FollowUpKind, reached: bool) -> CaseAct {
    CaseAct::FollowUp(FollowUp {
        kind,
        reached,
        words: "电话核实".to_owned(),
    })
}

#[test]
fn a_result_is_due_in_two_ten_or_fifteen_working_days_by_class() {
    for (category, days, due) in [
        ("permits", 2, "2026-03-04 23:59"),
        ("street_lights", 10, "2026-03-16 23:59"),
        ("noise", 15, "2026-03-23 23:59"),
    ] {
        let case = appeal(category);
        assert_eq!(result_due(&case).term, Term::WorkingDays(days), "{category}");
        assert_eq!(
            result_due(&case).due_at,
            at(due) + chrono::Duration::seconds(59),
            "{category}"
        );
    }
}

#[test]
fn danger_to_life_or_supply_is_counted_in_hours_round_the_clock() {
    assert_eq!(result_due(&appeal("danger")).due_at, monday_9am() + hours(2));
    assert_eq!(result_due(&appeal("utilities")).due_at, monday_9am() + hours(24));
    let suggestion = given([CaseAct::SubmitSuggestion(Submission {
        category: "danger".to_owned(),
        ..submission()
    })]);
    assert_eq!(
        result_due(&suggestion).term,
        Term::WorkingDays(10),
        "a suggestion about danger is not the danger"
    );
}

#[test]
fn holidays_are_not_counted_and_make_up_weekends_are() {
    let new = Submission {
        category: "permits".to_owned(),
        ..submission()
    };
    let case = given([])
        .at(eve_of_spring_festival())
        .and([CaseAct::SubmitAppeal(new)]);
    assert_eq!(
        result_due(&case).due_at,
        at("2026-02-25 23:59") + chrono::Duration::seconds(59)
    );
}

#[test]
fn a_deadline_keeps_the_rules_it_was_computed_with_and_says_where_it_is_provisional() {
    assert_eq!(result_due(&filed()).rules, "2026-1/cn-2026");
    assert!(!result_due(&filed()).provisional);
    let late = given([])
        .at(at("2026-12-24 09:00"))
        .and([CaseAct::SubmitAppeal(submission())]);
    assert!(result_due(&late).provisional, "2027's holidays are not published");
}

#[test]
fn the_first_contact_is_due_within_a_day() {
    assert_eq!(
        due_at(&filed(), ClockKind::Contact),
        Some(monday_9am() + hours(24))
    );
}

#[test]
fn only_reaching_the_resident_stops_the_contact_clock_and_only_once() {
    let missed = handled()
        .later(hours(1))
        .and([follow_up(FollowUpKind::Contact, false)]);
    assert_eq!(missed.filed().contacted_at, None);
    let looked = missed.and([follow_up(FollowUpKind::Progress, true)]);
    assert_eq!(
        looked.filed().contacted_at,
        None,
        "looking at the handling reaches nobody"
    );
    let reached = looked
        .later(hours(1))
        .and([follow_up(FollowUpKind::Contact, true)]);
    assert_eq!(reached.filed().contacted_at, Some(monday_9am() + hours(2)));
    let again = reached
        .later(hours(5))
        .and([follow_up(FollowUpKind::CallBack, true)]);
    assert_eq!(again.filed().contacted_at, Some(monday_9am() + hours(2)));
    let called_back = handled().and([follow_up(FollowUpKind::CallBack, true)]);
    assert_eq!(called_back.filed().contacted_at, Some(monday_9am()));
}

#[test]
fn follow_up_goes_on_after_the_result_and_the_end_but_not_after_a_withdrawal() {
    for case in [filed(), handled(), resulted(), closed()] {
        case.when(follow_up(FollowUpKind::CallBack, true))
            .then_events(["FollowUpRecorded"]);
    }
    let withdrawn = filed().and([CaseAct::Withdraw {
        reason: "修好了".to_owned(),
    }]);
    withdrawn
        .when(follow_up(FollowUpKind::CallBack, true))
        .then_refused(onetrip_model::Refusal::Ended);
    let silent = CaseAct::FollowUp(FollowUp {
        kind: FollowUpKind::Contact,
        reached: true,
        words: String::new(),
    });
    handled()
        .when(silent)
        .then_refused(onetrip_model::Refusal::Empty { field: "words" });
}

#[test]
fn an_appeal_has_an_outer_legal_limit_of_sixty_days_from_acceptance() {
    let case = filed().when(CaseAct::Accept).then_events(["CaseAccepted"]);
    // Sixty days end on Friday, 1 May; the Labour Day holiday moves it.
    assert_eq!(
        due_at(&case, ClockKind::Legal),
        Some(at("2026-05-06 23:59") + chrono::Duration::seconds(59))
    );
    let suggestion = given([CaseAct::SubmitSuggestion(submission())]).and([CaseAct::Accept]);
    assert_eq!(due_at(&suggestion, ClockKind::Legal), None);
}

mod a_pause {
    use super::*;

    #[test]
    fn moves_a_deadline_in_working_days_by_the_working_days_it_lasted() {
        // Asked on Friday, answered on the Tuesday after: two working days.
        let case = handled()
            .at(friday_5pm())
            .and([request()])
            .later(days(4))
            .and([answer()]);
        assert_eq!(
            result_due(&case).due_at,
            at("2026-03-18 23:59") + chrono::Duration::seconds(59)
        );
    }

    #[test]
    fn of_less_than_a_day_moves_nothing_counted_in_days() {
        let case = handled().and([request()]).later(hours(3)).and([answer()]);
        assert_eq!(result_due(&case).due_at, result_due(&filed()).due_at);
    }

    #[test]
    fn moves_a_deadline_in_hours_by_the_hours_it_lasted() {
        let assign = CaseAct::Assign {
            unit: SAFETY.into(),
            contact_cadre: None,
        };
        let case = appeal("danger")
            .and([CaseAct::Accept, assign, request()])
            .later(hours(30))
            .and([answer()]);
        assert_eq!(result_due(&case).due_at, monday_9am() + hours(32));
    }

    #[test]
    fn ends_with_silence_as_with_an_answer() {
        let silent = handled().and([request()]).at(at("2026-03-13 09:00"));
        let answered = silent.clone().and([answer()]);
        let silent = silent.and([CaseAct::RecordSilence]);
        assert_eq!(result_due(&silent), result_due(&answered));
        // Nine working days from 2 to 13 March.
        assert_eq!(
            result_due(&silent).due_at,
            at("2026-03-27 23:59") + chrono::Duration::seconds(59)
        );
    }
}

#[test]
fn a_redo_has_a_clock_of_its_own() {
    let case =
        resulted()
            .at(tuesday_9am())
            .and([CaseAct::Rate(rating(Verdict::NotSolved, 1, Some("仍然不亮")))]);
    assert_eq!(result_due(&case).due_at, working_days(tuesday_9am(), 10));
}
