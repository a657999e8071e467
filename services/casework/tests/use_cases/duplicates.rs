//! Who is told of cases that may be the same matter, and of which.

use crate::{common::*, seed::ELSEWHERE};
use onetrip_casework::{ActInput, CaseworkError, Draft, Fault, FieldFault, NewCase, Progress, SharedCase};
use onetrip_model::{CaseKind, access::Actor};
use onetrip_testkit::{
    ADMINISTRATOR, CADRE, CLERK, COMMUNITY, HANDLER, SAFETY, SAFETY_HANDLER, STREET, SUPERVISOR,
};

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
    let [told] = shared.as_slice() else {
        panic!("one case: {shared:?}");
    };
    assert_eq!(told.category, "street_lights");
    assert_eq!(told.division, COMMUNITY);
    assert_eq!(told.filed_on, onetrip_model::calendar::city_date(world.now()));
    assert_eq!(told.progress, Progress::Received);
    let says = |what: &str| told.ticket.contains(what);
    assert!(!says(&filed.case.to_string()) && !says(filed.number.digits()));
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
async fn a_case_that_its_first_office_declined_is_not_told_to_be_handled() {
    let world = world().await;
    let filed = world.file(street_light("13800138000"), &key("1")).await.unwrap();
    let decline = ActInput::Decline {
        next_unit: Some(SAFETY.to_owned()),
        outside: None,
        reason: "不归我们管".to_owned(),
    };
    world
        .do_act(&staff_actor(CLERK), &filed.number, decline)
        .await
        .unwrap();
    world.settle_all().await;
    let shared = world.shared(told_again()).await;
    assert_eq!(shared.len(), 1);
    assert_eq!(shared[0].progress, Progress::Received);
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
async fn who_reports_the_same_has_it_handled_with_the_open_case() {
    let world = world().await;
    let lead = world.file(street_light("13800138000"), &key("1")).await.unwrap();
    world.settle_all().await;
    let with = world.shared(told_again()).await.pop().map(|shared| shared.ticket);
    let theirs = NewCase {
        words: "路灯三天不亮了".to_owned(),
        with,
        ..street_light("13900139000")
    };
    let filed = world.file(theirs.clone(), &key("2")).await.unwrap();
    assert!(filed.with_another && !filed.joined);
    assert_ne!(filed.number, lead.number);
    assert!(filed.secret.is_some(), "a case of their own");
    world.settle_all().await;
    let supervisor = staff_actor(SUPERVISOR);
    let view = world.case(&supervisor, &filed.number).await.unwrap();
    assert_eq!(view.together.lead, Some(lead.number.clone()));
    let view = world.case(&supervisor, &lead.number).await.unwrap();
    assert_eq!(view.together.members, std::slice::from_ref(&filed.number));
    // Sent again it is the same answer, also once the case that was chosen is no longer told of.
    assert_eq!(world.file(theirs.clone(), &key("2")).await.unwrap(), filed);
    let answered = NewCase {
        with: Some("no such ticket".to_owned()),
        ..theirs
    };
    assert!(world.file(answered, &key("2")).await.unwrap().with_another);
}

#[tokio::test]
async fn a_ticket_that_names_no_open_case_is_refused_before_anything_is_filed() {
    let world = world().await;
    world.file(street_light("13800138000"), &key("1")).await.unwrap();
    world.settle_all().await;
    let theirs = NewCase {
        with: Some("no such ticket".to_owned()),
        ..street_light("13900139000")
    };
    let Err(CaseworkError::Invalid(faults)) = world.file(theirs.clone(), &key("2")).await else {
        panic!("it names no case");
    };
    assert_eq!(
        faults,
        [FieldFault {
            field: "with",
            fault: Fault::Unknown
        }]
    );
    let alone = NewCase { with: None, ..theirs };
    assert!(!world.file(alone, &key("2")).await.unwrap().with_another);
}

#[tokio::test]
async fn a_case_handled_with_another_is_not_told_beside_it() {
    let world = world().await;
    world.file(street_light("13800138000"), &key("1")).await.unwrap();
    world.settle_all().await;
    let ticket = world.shared(told_again()).await.pop().map(|shared| shared.ticket);
    let theirs = NewCase {
        with: ticket.clone(),
        ..street_light("13900139000")
    };
    world.file(theirs, &key("2")).await.unwrap();
    world.settle_all().await;
    let told = world.shared(told_again()).await;
    let tickets: Vec<_> = told.into_iter().map(|shared| Some(shared.ticket)).collect();
    assert_eq!(tickets, [ticket]);
}

#[tokio::test]
async fn an_answer_is_given_to_nobody_who_comes_after_it() {
    let world = world().await;
    let lead = world.handled("13800138000").await;
    let late = world.handled("13900139000").await;
    world
        .do_act(&staff_actor(HANDLER), &lead.number, result())
        .await
        .unwrap();
    world
        .do_act(&staff_actor(HANDLER), &late.number, result())
        .await
        .unwrap();
    world.settle_all().await;
    assert_eq!(world.shared(told_again()).await, []);
    let third = world.handled("13700137000").await;
    let merge = ActInput::Merge {
        into: lead.number.to_string(),
        reason: "同一盏路灯".to_owned(),
    };
    let done = world.do_act(&staff_actor(SUPERVISOR), &third.number, merge).await;
    let Err(CaseworkError::Invalid(faults)) = done else {
        panic!("{done:?}");
    };
    assert_eq!(faults[0].field, "into");
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
