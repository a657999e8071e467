//! The rule book in a real log, beside the cases.

use crate::common::world;
use onetrip_event_log::{EventLog, LogError, NoInline, Why};
use onetrip_model::rules::{AdoptRules, RULE_BOOK, RuleBook, RulesRefusal};
use onetrip_testkit::{days, moments::monday_9am, rules};
use std::sync::Arc;
use uuid::Uuid;

/// Events of a log that holds nothing else.
async fn rule_events(pool: &onetrip_event_log::Pool) -> i64 {
    let mut connection = pool.acquire().await.unwrap();
    onetrip_event_log::count(&mut connection).await.unwrap()
}

#[tokio::test]
async fn a_service_adopts_its_rules_once_however_often_it_starts() {
    let world = world().await;
    assert_eq!(world.rule_book().await.unwrap(), RuleBook::default());
    let (one, other) = tokio::join!(world.adopt_rules(), world.adopt_rules());
    assert_eq!(one.unwrap(), other.unwrap());
    let book = world.adopt_rules().await.unwrap();
    assert_eq!(rule_events(world.pool()).await, 1);
    let adoption = book.newest().unwrap();
    assert_eq!(adoption.adopted_at, monday_9am());
    assert_eq!(*adoption.rules, *rules(), "policy and calendar come back whole");
}

#[tokio::test]
async fn a_version_that_says_something_else_stops_the_start() {
    let world = world().await;
    let mut changed = (*rules()).clone();
    changed.policy.contact.hours_max = 48;
    let log = EventLog::<RuleBook>::new(
        world.pool().clone(),
        world.log().vault().clone(),
        NoInline,
        Vec::new(),
    );
    let adopt = AdoptRules {
        at: monday_9am() - days(1),
        rules: Arc::new(changed),
    };
    let why = Why::request(Uuid::from_u128(9));
    log.execute(RULE_BOOK, adopt, None, &why, None, None)
        .await
        .unwrap();
    let refused = world.adopt_rules().await.unwrap_err();
    assert!(
        matches!(refused, LogError::Refused(RulesRefusal::PolicyChanged { .. })),
        "{refused}"
    );
    assert!(
        refused.to_string().contains("contact.hours_max: 48 -> 24"),
        "{refused}"
    );
}
