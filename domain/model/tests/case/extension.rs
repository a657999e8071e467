//! The outer legal limit: sixty days from acceptance, one extension of at most thirty, the reason told [XF 34].

use crate::acts::*;
use onetrip_model::{CaseAct, CaseFact, Private, Refusal, case::LawPause, clocks::ClockKind};
use onetrip_testkit::{moments::*, *};

fn legal(given: &Given) -> Option<chrono::DateTime<chrono::Utc>> {
    given.filed().due_at(ClockKind::Legal)
}

/// Sixty days from Monday, 2 March end on a holiday.
fn limit() -> chrono::DateTime<chrono::Utc> {
    end_of("2026-05-06")
}

#[test]
fn at_most_thirty_days_are_added_and_the_reason_is_told() {
    let case = handled()
        .when(extend(30))
        .then_facts([CaseFact::LegalLimitExtended {
            days: 30,
            reason: Private::of_case(CASE, "理由".to_owned()),
        }]);
    // Ninety days end on Sunday, 31 May.
    assert_eq!(legal(&case), Some(end_of("2026-06-01")));
    for days in [0, 31] {
        handled().when(extend(days)).then_refused(Refusal::OutOfRange {
            field: "days",
            min: 1,
            max: 30,
        });
    }
    let silent = CaseAct::ExtendLegalLimit {
        days: 30,
        reason: String::new(),
    };
    handled()
        .when(silent)
        .then_refused(Refusal::Empty { field: "reason" });
}

#[test]
fn it_happens_once_also_where_the_case_was_reopened() {
    let extended = handled().and([extend(5)]);
    extended
        .clone()
        .when(extend(5))
        .then_refused(Refusal::AlreadyExtended);
    extended
        .and([result(), not_solved()])
        .when(extend(5))
        .then_refused(Refusal::AlreadyExtended);
}

#[test]
fn as_often_as_the_policy_says() {
    let mut rules = (*rules()).clone();
    rules.policy.legal.extensions_max = 2;
    let case = handled().with_rules(rules).and([extend(5), extend(7)]);
    assert_eq!(legal(&case), Some(end_of("2026-05-13")));
    case.when(extend(5)).then_refused(Refusal::AlreadyExtended);
}

#[test]
fn it_comes_before_the_limit_passes() {
    let last = handled().at(limit());
    last.clone().when(extend(1)).then_events(["LegalLimitExtended"]);
    last.later(second())
        .when(extend(1))
        .then_refused(Refusal::WindowEnded { ended_at: limit() });
}

#[test]
fn what_stands_still_has_not_passed() {
    let case = handled()
        .at(friday_5pm())
        .and([begin(LawPause::Hearing)])
        .at(at("2026-06-05 09:00"))
        .when(extend(30))
        .then_events(["LegalLimitExtended"]);
    let told = case
        .events
        .last()
        .and_then(|event| event.deadline(ClockKind::Legal));
    assert_eq!(
        told.map(|deadline| deadline.suspended_since),
        Some(Some(friday_5pm())),
        "the event says that the new limit moves on"
    );
    // Ninety days, and the ninety-one that the hearing took: Sunday, 30 August.
    let case = case.at(at("2026-06-05 17:00")).and([CaseAct::EndLawPause]);
    assert_eq!(legal(&case), Some(end_of("2026-08-31")));
}

#[test]
fn there_is_one_only_where_a_result_is_owed() {
    filed().when(extend(1)).then_refused(Refusal::WrongStage);
    resulted().when(extend(1)).then_refused(Refusal::WrongStage);
    resulted()
        .and([ask_review(), begin(LawPause::Hearing)])
        .when(extend(1))
        .then_refused(Refusal::WrongStage);
    closed().when(extend(1)).then_refused(Refusal::Ended);
    given([CaseAct::SubmitSuggestion(submission()), CaseAct::Accept])
        .when(extend(1))
        .then_refused(Refusal::WrongStage);
}
