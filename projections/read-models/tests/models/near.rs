//! Candidates for a possible duplicate: open, of the divisions and categories asked for, inside a scope, and few.

use crate::common::*;
use chrono::TimeDelta;
use onetrip_model::{CaseAct, CaseId, CaseKind, access::Scope, case::Submission};
use onetrip_read_models::queue::{Near, near};
use onetrip_testkit::*;

fn filed_after(hours: i64, submission: Submission) -> Given {
    let mut unfiled = given([]);
    unfiled.now += TimeDelta::hours(hours);
    unfiled.and([CaseAct::SubmitAppeal(submission)])
}

fn of(n: u32, category: &str, division: &str) -> Submission {
    Submission {
        category: category.to_owned(),
        division: division.into(),
        ..submission_of(n)
    }
}

fn lamps() -> Near {
    Near {
        kind: CaseKind::Appeal,
        divisions: vec![STREET.to_owned(), COMMUNITY.to_owned()],
        categories: vec!["street_lights".to_owned(), "roads".to_owned()],
        joinable: false,
    }
}

async fn found(world: &World, scope: &Scope, wanted: &Near, limit: u32) -> Vec<CaseId> {
    let mut connection = world.pool.acquire().await.unwrap();
    let entries = near(&mut connection, scope, wanted, limit).await.unwrap();
    entries.into_iter().map(|entry| entry.case).collect()
}

#[tokio::test]
async fn the_own_category_comes_first_and_then_the_newest() {
    let world = world().await;
    let cases = [
        of(1, "roads", COMMUNITY),
        of(2, "street_lights", COMMUNITY),
        of(3, "street_lights", STREET),
        // Neither of these is asked for.
        of(4, "danger", COMMUNITY),
        of(5, "street_lights", "440304008004"),
    ];
    for (hour, case) in (0..).zip(cases) {
        world.live(&filed_after(hour, case)).await;
    }
    world.live(&closed()).await;
    world.settle().await;
    let case = |n| submission_of(n).case;
    let everything = Scope::Everything;
    let all = found(&world, &everything, &lamps(), 10).await;
    assert_eq!(all, [case(3), case(2), case(1)]);
    assert_eq!(found(&world, &everything, &lamps(), 2).await, [case(3), case(2)]);
    let proposals = Near {
        kind: CaseKind::Suggestion,
        ..lamps()
    };
    assert!(found(&world, &everything, &proposals, 10).await.is_empty());
    let nowhere = Near {
        divisions: Vec::new(),
        ..lamps()
    };
    assert!(found(&world, &everything, &nowhere, 10).await.is_empty());
}

/// Which cases residents may join is decided by the case; this is that the candidates are those.
#[tokio::test]
async fn who_may_join_is_shown_only_what_can_be_joined() {
    let world = world().await;
    let on_the_way = of(1, "street_lights", COMMUNITY);
    let answered = of(2, "street_lights", COMMUNITY);
    world.live(&filed_after(0, on_the_way.clone())).await;
    let give = CaseAct::GiveResult {
        words: "修好".to_owned(),
        evidence: Vec::new(),
        place_proof: after_photo(),
        promise: None,
    };
    let newer = filed_after(1, answered.clone()).and([CaseAct::Accept, assign(), give]);
    world.live(&newer).await;
    world.settle().await;
    let joinable = Near {
        joinable: true,
        ..lamps()
    };
    // The newer one does not take the place of the one that they may join.
    assert_eq!(
        found(&world, &Scope::Everything, &lamps(), 1).await,
        [answered.case]
    );
    assert_eq!(
        found(&world, &Scope::Everything, &joinable, 1).await,
        [on_the_way.case]
    );
}

#[tokio::test]
async fn nothing_outside_the_scope_is_a_candidate() {
    let world = world().await;
    world.live(&filed_after(0, of(1, "roads", COMMUNITY))).await;
    world.live(&filed_after(1, of(2, "street_lights", STREET))).await;
    world.settle().await;
    let case = |n| submission_of(n).case;
    for (scope, seen) in [
        (Scope::Nothing, vec![]),
        (Scope::Area(COMMUNITY.into()), vec![case(1)]),
        (Scope::Area("440305".into()), vec![]),
        (Scope::Unit(DESK.into()), vec![case(2), case(1)]),
        (Scope::Unit(SAFETY.into()), vec![]),
    ] {
        assert_eq!(found(&world, &scope, &lamps(), 10).await, seen, "{scope:?}");
    }
}
