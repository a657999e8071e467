//! The rule book: which version ruled when, and what a version promises.

use chrono::{DateTime, Utc};
use onetrip_model::{
    calendar::Calendar,
    policy::Rules,
    rules::{AdoptRules, RuleBook, RulesEvent, RulesRefusal, decide},
};
use onetrip_testkit::{at, days, rules as shipped};
use std::sync::Arc;

const SAMPLE: &str = include_str!("RulesAdopted-1.0.json");
const CALENDAR: &str = include_str!("../../../../ops/data/cn-calendar.csv");

fn shipped_with(change: impl FnOnce(&mut Rules)) -> Arc<Rules> {
    let mut rules = (*shipped()).clone();
    change(&mut rules);
    Arc::new(rules)
}

/// The policy that ships beside the calendar of a late notice.
fn after_late_notice() -> Arc<Rules> {
    let csv = CALENDAR.replace("2026-10-10,make-up workday,National Day\n", "");
    shipped_with(|rules| {
        rules.policy.calendar = "cn-2026-2".to_owned();
        rules.calendar = Calendar::from_csv("cn-2026-2", &csv).expect("a calendar");
    })
}

fn stricter() -> Arc<Rules> {
    shipped_with(|rules| {
        rules.policy.version = "2026-2".to_owned();
        rules.policy.contact.hours_max = 12;
    })
}

fn adopt(book: &RuleBook, at: DateTime<Utc>, rules: &Arc<Rules>) -> Result<Vec<RulesEvent>, RulesRefusal> {
    let rules = Arc::clone(rules);
    decide(book, AdoptRules { at, rules })
}

fn book(adopted: &[(DateTime<Utc>, Arc<Rules>)]) -> RuleBook {
    adopted.iter().fold(RuleBook::default(), |book, (at, rules)| {
        let events = adopt(&book, *at, rules).expect("adopted");
        events.into_iter().fold(book, RuleBook::evolve)
    })
}

fn march() -> DateTime<Utc> {
    at("2026-03-02 09:00")
}

#[test]
fn new_rules_are_adopted_once() {
    let book = book(&[(march(), shipped())]);
    assert_eq!(book.adoptions().len(), 1);
    assert_eq!(adopt(&book, march() + days(1), &shipped()), Ok(Vec::new()));
}

#[test]
fn history_knows_which_version_ruled_when() {
    let later = march() + days(30);
    let book = book(&[(march(), shipped()), (later, stricter())]);
    let version = |at| book.at(at).map(|rules| rules.name());
    assert_eq!(version(march()).as_deref(), Some("2026-1/cn-2026"));
    assert_eq!(version(later - days(1)).as_deref(), Some("2026-1/cn-2026"));
    assert_eq!(version(later).as_deref(), Some("2026-2/cn-2026"));
    assert_eq!(
        version(march() - days(400)).as_deref(),
        Some("2026-1/cn-2026"),
        "what came before the book is ruled by its first page"
    );
    assert_eq!(RuleBook::default().at(march()), None);
}

#[test]
fn a_late_notice_is_a_new_calendar_beside_the_same_policy() {
    let book = book(&[(march(), shipped()), (march() + days(9), after_late_notice())]);
    assert_eq!(book.newest().unwrap().rules.name(), "2026-1/cn-2026-2");
    let old = book.version("2026-1/cn-2026").unwrap();
    assert_eq!(*old, *shipped());
    assert_eq!(book.version("2025-1/cn-2026"), None);
    assert_eq!(book.version("nonsense"), None);
}

#[test]
fn an_old_policy_and_a_later_calendar_are_found_though_never_adopted_together() {
    let both = shipped_with(|rules| {
        *rules = (*after_late_notice()).clone();
        rules.policy.version = "2026-2".to_owned();
    });
    let book = book(&[(march(), shipped()), (march() + days(9), both)]);
    let found = book.version("2026-1/cn-2026-2").unwrap();
    assert_eq!(found.name(), "2026-1/cn-2026-2");
}

#[test]
fn a_version_keeps_what_it_says() {
    let book = book(&[(march(), shipped())]);
    let changed = shipped_with(|rules| rules.policy.contact.hours_max = 48);
    let refusal = adopt(&book, march(), &changed).unwrap_err();
    assert_eq!(
        refusal.to_string(),
        "policy 2026-1 has been adopted with something else: contact.hours_max: 24 -> 48. \
         Put it back, or give the file a version of its own"
    );
    let other_days = shipped_with(|rules| {
        let csv = CALENDAR.replace("2026-10-10,make-up workday,National Day\n", "");
        rules.calendar = Calendar::from_csv("cn-2026", &csv).expect("a calendar");
    });
    assert_eq!(
        adopt(&book, march(), &other_days),
        Err(RulesRefusal::CalendarChanged {
            version: "cn-2026".to_owned()
        })
    );
}

#[test]
fn rules_that_ruled_before_may_come_back() {
    let book = book(&[
        (march(), shipped()),
        (march() + days(1), stricter()),
        (march() + days(2), shipped()),
    ]);
    assert_eq!(book.adoptions().len(), 3);
    assert_eq!(book.at(march() + days(3)).unwrap().name(), "2026-1/cn-2026");
}

#[test]
fn a_clock_set_back_does_not_turn_the_order_round() {
    let book = book(&[(march(), shipped()), (march() - days(1), stricter())]);
    assert_eq!(book.newest().unwrap().adopted_at, march());
    assert_eq!(book.at(march()).unwrap().name(), "2026-2/cn-2026");
}

#[test]
fn the_stored_event_loads_as_what_it_was() {
    let RulesEvent::RulesAdopted { at, policy, calendar } = serde_json::from_str(SAMPLE).expect("an event");
    assert_eq!(at, march());
    assert_eq!(policy.check(), Ok(()));
    assert_eq!((&*policy.version, calendar.version()), ("2026-1", "cn-2026"));
    let again = RulesEvent::RulesAdopted { at, policy, calendar };
    assert_eq!(
        serde_json::to_value(again).unwrap(),
        serde_json::from_str::<serde_json::Value>(SAMPLE).unwrap()
    );
}
