//! A late notice of holidays recomputes open deadlines with a visible reason, and never touches decided ones.

use crate::acts::*;
use chrono::{DateTime, Utc};
use onetrip_model::{CaseAct, CaseFact, calendar::Calendar, clocks::ClockKind, policy::Rules};
use onetrip_testkit::*;

/// The shipped rules, once the holidays of 2027 were published: New Year's Day is a Friday.
fn next_years_rules() -> Rules {
    let csv = format!(
        "{}\n2027-01-01,holiday,New Year's Day\n2027-10-01,holiday,National Day\n",
        rules().calendar.to_csv().trim_end()
    );
    Rules {
        calendar: Calendar::from_csv("cn-2027", &csv).expect("a calendar"),
        ..(*rules()).clone()
    }
}

/// Filed on Thursday, 24 December 2026: ten working days end in January.
fn over_new_year() -> Given {
    given([]).at(at("2026-12-24 09:00")).and([
        CaseAct::SubmitAppeal(submission()),
        CaseAct::Accept,
        assign(URBAN),
        reached(),
    ])
}

fn result_due(given: &Given) -> Option<(DateTime<Utc>, bool)> {
    let clock = given.filed().clocks.get(ClockKind::Result)?;
    Some((clock.deadline.due_at, clock.deadline.provisional))
}

fn published(given: Given) -> Given {
    given.with_rules(next_years_rules())
}

#[test]
fn an_open_deadline_moves_and_is_settled_and_the_reason_is_told() {
    assert_eq!(result_due(&over_new_year()), Some((end_of("2027-01-07"), true)));
    let case = published(over_new_year())
        .when(CaseAct::RecomputeDeadlines)
        .then_facts([CaseFact::DeadlinesRecomputed {
            calendar: "cn-2027".to_owned(),
        }]);
    assert_eq!(result_due(&case), Some((end_of("2027-01-08"), false)));
    let told = case
        .events
        .last()
        .and_then(|event| event.deadline(ClockKind::Result));
    assert_eq!(
        told.map(|deadline| deadline.rules.as_str()),
        Some("2026-1/cn-2027")
    );
    case.when(CaseAct::RecomputeDeadlines).then_nothing();
}

/// Its term is that of the policy under which it was started, and so is its proof.
#[test]
fn a_deadline_that_moves_keeps_its_policy() {
    let mut later = next_years_rules();
    later.policy.version = "2026-2".to_owned();
    later.policy.result.help_working_days = 3;
    let case = over_new_year()
        .with_rules(later)
        .and([CaseAct::RecomputeDeadlines]);
    let clock = case.filed().clocks.get(ClockKind::Result).expect("it runs");
    assert_eq!(clock.deadline.rules, "2026-1/cn-2027");
    assert_eq!(clock.deadline.due_at, end_of("2027-01-08"));
}

#[test]
fn under_the_same_calendar_there_is_nothing_to_recompute() {
    over_new_year().when(CaseAct::RecomputeDeadlines).then_nothing();
    published(handled())
        .when(CaseAct::RecomputeDeadlines)
        .then_nothing();
}

#[test]
fn a_decided_one_stays_as_it_was_counted() {
    let answered = over_new_year().at(at("2026-12-31 09:00")).and([result()]);
    let case = published(answered.clone()).and([CaseAct::RecomputeDeadlines]);
    assert_eq!(result_due(&case), result_due(&answered));
    let rating = case.filed().clocks.get(ClockKind::Rating);
    assert_eq!(
        rating.map(|clock| clock.deadline.provisional),
        Some(false),
        "the resident's window is open"
    );
}

#[test]
fn one_that_has_passed_stays_passed() {
    let late = over_new_year().at(at("2027-01-08 09:00"));
    let case = published(late).and([CaseAct::RecomputeDeadlines]);
    assert_eq!(result_due(&case), Some((end_of("2027-01-07"), true)));
}

#[test]
fn one_that_stands_still_is_counted_by_the_notice_when_it_goes_on() {
    let waiting = published(over_new_year().at(at("2026-12-30 09:00")).and([request()]));
    let case = waiting.and([CaseAct::RecomputeDeadlines]);
    assert_eq!(result_due(&case), Some((end_of("2027-01-07"), true)));
    // 31 December and 4 January are taken; New Year's Day would not have counted.
    let case = case.at(at("2027-01-04 09:00")).and([answer()]);
    assert_eq!(result_due(&case), Some((end_of("2027-01-12"), false)));
}
