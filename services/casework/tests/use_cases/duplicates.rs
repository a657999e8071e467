//! Who is told of cases that may be the same matter, and of which.

use crate::{common::*, seed::ELSEWHERE};
use onetrip_casework::{CaseworkError, Draft, Fault, FieldFault, NewCase, Progress, SharedCase};
use onetrip_model::{CaseKind, access::Actor};
use onetrip_testkit::{ADMINISTRATOR, CADRE, CLERK, COMMUNITY, HANDLER, SAFETY_HANDLER, STREET, SUPERVISOR};

fn draft(new: NewCase) -> Draft {
    Draft {
        category: new.category,
        words: new.words,
        division: new.division,
        place_words: new.place_words,
    }
}

/// The street light of [`street_light`], told by somebody else.
fn told_again() -> Draft {
    Draft {
        words: "路灯三天不亮了".to_owned(),
        place_words: Some("莲花北村12栋楼下".to_owned()),
        ..draft(street_light(""))
    }
}

fn of_category(category: &str, phone: &str) -> NewCase {
    NewCase {
        category: category.to_owned(),
        ..street_light(phone)
    }
}

impl World {
    async fn shared(&self, draft: Draft) -> Vec<SharedCase> {
        self.shared_duplicates(&Actor::Visitor, CaseKind::Appeal, draft)
            .await
            .expect("a draft is compared")
    }
}

#[tokio::test]
async fn who_is_about_to_report_the_same_is_told_what_anybody_may_know() {
    let world = world().await;
    let filed = world.file(street_light("13800138000"), &key("1")).await.unwrap();
    world.settle_all().await;
    let shared = world.shared(told_again()).await;
    let expected = SharedCase {
        case: filed.case,
        category: "street_lights".to_owned(),
        division: COMMUNITY.to_owned(),
        filed_on: onetrip_model::calendar::city_date(world.now()),
        progress: Progress::Received,
    };
    assert_eq!(shared, [expected]);
    // Who reports need not know in which community the lamp stands.
    let of_street = Draft {
        division: STREET.to_owned(),
        ..told_again()
    };
    assert_eq!(world.shared(of_street).await.len(), 1);
    let elsewhere = Draft {
        division: ELSEWHERE.to_owned(),
        ..told_again()
    };
    assert_eq!(world.shared(elsewhere).await, []);
}

#[tokio::test]
async fn a_private_case_is_never_told_to_a_resident() {
    let world = world().await;
    for (n, category) in ["noise", "parking", "danger", "property_management", "other"]
        .into_iter()
        .enumerate()
    {
        let phone = format!("1380013800{n}");
        world
            .file(of_category(category, &phone), &key(&phone))
            .await
            .unwrap();
        world.settle_all().await;
        let same = draft(of_category(category, ""));
        assert_eq!(world.shared(same).await, [], "{category}");
    }
    // Parking complaints are the urban office's too: its shared categories don't lead to them.
    assert_eq!(world.shared(told_again()).await, []);
}

#[tokio::test]
async fn a_case_that_has_ended_is_no_longer_told() {
    let world = world().await;
    world.closed("13800138000").await;
    world.settle_all().await;
    assert_eq!(world.shared(told_again()).await, []);
}

#[tokio::test]
async fn erased_words_are_compared_no_more() {
    let world = world().await;
    let filed = world.file(street_light("13800138000"), &key("1")).await.unwrap();
    world.settle_all().await;
    sqlx::query("UPDATE keys.data_keys SET wrapped = NULL, erased_at = now() WHERE subject = $1")
        .bind(format!("case:{}", filed.case))
        .execute(world.pool())
        .await
        .unwrap();
    assert_eq!(world.shared(told_again()).await, []);
}

#[tokio::test]
async fn a_draft_that_is_not_in_order_names_its_fields() {
    let world = world().await;
    let draft = Draft {
        words: String::new(),
        category: "no such".to_owned(),
        ..told_again()
    };
    let found = world
        .shared_duplicates(&Actor::Visitor, CaseKind::Appeal, draft)
        .await;
    let Err(CaseworkError::Invalid(faults)) = found else {
        panic!("{found:?}");
    };
    let fault = |field, fault| FieldFault { field, fault };
    assert_eq!(
        faults,
        [fault("words", Fault::Missing), fault("category", Fault::Unknown)]
    );
}

#[tokio::test]
async fn staff_are_shown_duplicates_inside_what_they_may_see() {
    let world = world().await;
    world.file(street_light("13800138000"), &key("1")).await.unwrap();
    let case = world.file(street_light("13800138001"), &key("2")).await.unwrap();
    world.settle_all().await;
    for staff in [CLERK, CADRE, SUPERVISOR] {
        let found = world
            .possible_duplicates(&staff_actor(staff), &case.number)
            .await
            .unwrap();
        assert_eq!(found.len(), 1);
        assert_ne!(found[0].number, case.number, "a case is no duplicate of itself");
    }
    // The units of the street have not been given either of them.
    for staff in [HANDLER, SAFETY_HANDLER] {
        let found = world.possible_duplicates(&staff_actor(staff), &case.number).await;
        assert!(matches!(found, Err(CaseworkError::NotFound)), "{found:?}");
    }
    let found = world
        .possible_duplicates(&staff_actor(ADMINISTRATOR), &case.number)
        .await;
    assert!(matches!(found, Err(CaseworkError::NotAllowed)), "{found:?}");
    let visitor = world.possible_duplicates(&Actor::Visitor, &case.number).await;
    assert!(matches!(visitor, Err(CaseworkError::NotSignedIn)), "{visitor:?}");
    let resident = world.resident_of(&case).await;
    let found = world.possible_duplicates(&resident, &case.number).await;
    assert!(matches!(found, Err(CaseworkError::NotAllowed)), "{found:?}");
}

#[tokio::test]
async fn a_unit_is_shown_no_case_of_another_unit() {
    let world = world().await;
    let held = world.handled("13800138000").await;
    world.file(street_light("13800138001"), &key("2")).await.unwrap();
    world.settle_all().await;
    let of_unit = world
        .possible_duplicates(&staff_actor(HANDLER), &held.number)
        .await
        .unwrap();
    assert!(of_unit.is_empty(), "the other case is still at the desk");
    let of_desk = world
        .possible_duplicates(&staff_actor(CLERK), &held.number)
        .await
        .unwrap();
    assert_eq!(of_desk.len(), 1);
}
