//! Read models that are behind, and a database that does not answer.

use crate::common::*;
use onetrip_casework::{ActInput, CaseworkError};
use onetrip_testkit::CLERK;
use std::time::Duration;

#[tokio::test]
async fn a_case_is_shown_as_new_as_its_newest_event() {
    let world = world().await;
    let clerk = staff_actor(CLERK);
    let filed = world.file(street_light("13800138000"), &key("1")).await.unwrap();
    // Nothing has been folded yet: who reads waits for it.
    let (view, ()) = tokio::join!(world.case(&clerk, &filed.number), world.settle_all());
    assert_eq!(view.unwrap().file.version, 1);
    let accepted = world.do_act(&clerk, &filed.number, ActInput::Accept {}).await;
    assert_eq!(accepted.unwrap().version, 2);
    let (view, ()) = tokio::join!(world.case(&clerk, &filed.number), world.settle_all());
    let view = view.unwrap();
    assert_eq!((view.file.version, view.happenings.len()), (2, 2));
}

#[tokio::test]
async fn a_command_the_database_does_not_answer_in_time_is_settled_by_its_key() {
    let world = world().await;
    let hasty = world.casework().with_patience(Duration::from_millis(100));
    let filing = || {
        let new = street_light("13800138000");
        let (actor, kind) = (
            onetrip_model::access::Actor::Visitor,
            onetrip_model::CaseKind::Appeal,
        );
        let channel = onetrip_model::Channel::Portal;
        let hasty = &hasty;
        async move { hasty.submit(&actor, kind, new, channel, VISITOR, &key("1")).await }
    };
    let mut held = world.pool().begin().await.unwrap();
    sqlx::query("LOCK TABLE run_once_cases IN ACCESS EXCLUSIVE MODE")
        .execute(&mut *held)
        .await
        .unwrap();
    let late = filing().await;
    assert!(matches!(late, Err(CaseworkError::Unavailable(_))), "{late:?}");
    held.rollback().await.unwrap();

    let filed = world.file(street_light("13800138000"), &key("1")).await.unwrap();
    assert!(!filed.joined);
    assert_eq!(
        world.file(street_light("13800138000"), &key("1")).await.unwrap(),
        filed
    );
    assert_eq!(world.count("run_once_cases").await, 1);
}
