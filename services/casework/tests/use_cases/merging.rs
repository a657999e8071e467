//! Cases that are handled with another one keep their number, their clocks and their rating, and are answered.

use crate::common::*;
use onetrip_casework::{ActInput, CaseView, CaseworkError, Submitted, Text};
use onetrip_model::{
    CaseFact, Refusal,
    access::Actor,
    case::{Stage, Verdict},
    clocks::ClockKind,
};
use onetrip_read_models::run_once::{self, Together};
use onetrip_testkit::{HANDLER, SUPERVISOR};

fn merge_into(lead: &Submitted) -> ActInput {
    ActInput::Merge {
        into: lead.number.to_string(),
        reason: "同一盏路灯".to_owned(),
    }
}

async fn merged(world: &World, phone: &str, lead: &Submitted) -> Submitted {
    let member = world.handled(phone).await;
    world
        .do_act(&staff_actor(SUPERVISOR), &member.number, merge_into(lead))
        .await
        .unwrap();
    member
}

/// What the worker does now and then.
async fn tell_all(world: &World) {
    world.settle_all().await;
    let mut connection = world.pool().acquire().await.unwrap();
    let waiting = run_once::open_merges(&mut connection, None, 100).await.unwrap();
    drop(connection);
    for merge in waiting {
        if let Some(outcome) = world.lead_outcome(merge.lead).await.unwrap() {
            world.tell_member(merge, &outcome).await.unwrap();
        }
    }
    world.settle_all().await;
}

fn words_of<'a>(view: &'a CaseView, fact: &str, field: &str) -> Vec<&'a Text> {
    let happenings = view
        .happenings
        .iter()
        .filter(|happening| happening.fact.name() == fact);
    happenings
        .flat_map(|happening| &happening.texts)
        .filter(|(name, _)| name == field)
        .map(|(_, text)| text)
        .collect()
}

#[tokio::test]
async fn a_member_gets_the_answer_of_its_lead_under_its_own_number_and_rates_it_itself() {
    let world = world().await;
    let lead = world.handled("13800138000").await;
    let member = merged(&world, "13800138001", &lead).await;
    let (resident, stranger) = (world.resident_of(&member).await, world.resident_of(&lead).await);
    tell_all(&world).await;
    let waiting = world.case(&resident, &member.number).await.unwrap();
    assert!(
        matches!(waiting.file.filed.stage, Stage::Merged { .. }),
        "nothing to tell yet"
    );

    world
        .do_act(&staff_actor(HANDLER), &lead.number, result())
        .await
        .unwrap();
    tell_all(&world).await;
    let told = world.case(&resident, &member.number).await.unwrap();
    let answer = Text::Words("灯泡已更换".to_owned());
    assert_eq!(words_of(&told, "ResultGiven", "words"), [&answer]);
    assert_eq!(
        words_of(&told, "ResultGiven", "why_no_photo"),
        [&Text::Words("夜间施工".to_owned())]
    );
    assert!(told.file.filed.clocks.running(ClockKind::Rating).is_some());
    let version = told.file.version;
    tell_all(&world).await;
    let told = world.case(&resident, &member.number).await.unwrap();
    assert_eq!(told.file.version, version, "told once");

    let not_solved = ActInput::Rate {
        verdict: Verdict::NotSolved,
        score: 2,
        reason: Some("我家门口仍然不亮".to_owned()),
    };
    world.do_act(&resident, &member.number, not_solved).await.unwrap();
    world.do_act(&stranger, &lead.number, solved()).await.unwrap();
    world.settle_all().await;
    let own = world.case(&resident, &member.number).await.unwrap();
    assert!(matches!(own.file.filed.stage, Stage::Handling { .. }));
    let lead = world.case(&stranger, &lead.number).await.unwrap();
    assert!(lead.file.filed.stage.has_ended());
}

#[tokio::test]
async fn staff_see_with_which_cases_and_residents_only_that_there_are_some() {
    let world = world().await;
    let lead = world.handled("13800138000").await;
    let member = merged(&world, "13800138001", &lead).await;
    world.settle_all().await;
    let merged_into = |view: &CaseView| {
        let mut numbers = view
            .happenings
            .iter()
            .filter_map(|happening| happening.merged_into.clone());
        numbers.next()
    };
    let staff = world
        .case(&staff_actor(SUPERVISOR), &member.number)
        .await
        .unwrap();
    assert_eq!(staff.together.lead.as_ref(), Some(&lead.number));
    assert_eq!(merged_into(&staff).as_ref(), Some(&lead.number));
    let of_lead = world.case(&staff_actor(SUPERVISOR), &lead.number).await.unwrap();
    assert_eq!(of_lead.together.members, std::slice::from_ref(&member.number));
    for submitted in [&lead, &member] {
        let resident = world.resident_of(submitted).await;
        let view = world.case(&resident, &submitted.number).await.unwrap();
        assert_eq!(view.together, Together::default());
        assert_eq!(merged_into(&view), None);
    }
}

#[tokio::test]
async fn where_the_lead_ends_without_a_result_its_members_are_handled_on_their_own() {
    let world = world().await;
    let lead = world.handled("13800138000").await;
    let member = merged(&world, "13800138001", &lead).await;
    let withdraw = ActInput::Withdraw {
        reason: "修好了".to_owned(),
    };
    let resident = world.resident_of(&lead).await;
    world.do_act(&resident, &lead.number, withdraw).await.unwrap();
    tell_all(&world).await;
    let view = world.case(&Actor::Service, &member.number).await.unwrap();
    assert!(matches!(view.file.filed.stage, Stage::Handling { .. }));
    assert_eq!(words_of(&view, "CaseUnmerged", "reason").len(), 1);
    assert_eq!(view.together.lead, None);
}

#[tokio::test]
async fn who_was_taken_out_meanwhile_is_not_told() {
    let world = world().await;
    let lead = world.handled("13800138000").await;
    let member = merged(&world, "13800138001", &lead).await;
    world
        .do_act(&staff_actor(HANDLER), &lead.number, result())
        .await
        .unwrap();
    world.settle_all().await;
    let outcome = world.lead_outcome(lead.case).await.unwrap().unwrap();
    let unmerge = ActInput::Unmerge {
        reason: "不是同一盏".to_owned(),
    };
    world
        .do_act(&staff_actor(SUPERVISOR), &member.number, unmerge)
        .await
        .unwrap();
    let merge = run_once::Merge {
        lead: lead.case,
        member: member.case,
    };
    world.tell_member(merge, &outcome).await.unwrap();
    let (case, _) = world.log().load(&member.case.to_string()).await.unwrap();
    assert!(matches!(case.filed().unwrap().stage, Stage::Handling { .. }));
}

#[tokio::test]
async fn an_answer_that_its_own_resident_sent_back_is_none_for_the_others() {
    let world = world().await;
    let lead = world.handled("13800138000").await;
    merged(&world, "13800138001", &lead).await;
    world
        .do_act(&staff_actor(HANDLER), &lead.number, result())
        .await
        .unwrap();
    let resident = world.resident_of(&lead).await;
    let not_solved = ActInput::Rate {
        verdict: Verdict::NotSolved,
        score: 1,
        reason: Some("仍然不亮".to_owned()),
    };
    world.do_act(&resident, &lead.number, not_solved).await.unwrap();
    tell_all(&world).await;
    assert_eq!(world.count_events("ResultGiven").await, 1);
}

#[tokio::test]
async fn a_lead_is_not_merged_and_the_refusal_says_so() {
    let world = world().await;
    let lead = world.handled("13800138000").await;
    merged(&world, "13800138001", &lead).await;
    let other = world.handled("13800138002").await;
    let done = world
        .do_act(&staff_actor(SUPERVISOR), &lead.number, merge_into(&other))
        .await;
    assert!(
        matches!(done, Err(CaseworkError::Refused(Refusal::MergedOtherwise))),
        "{done:?}"
    );
}

/// What a resident sees of their own account.
#[tokio::test]
async fn a_residents_ledger_has_what_was_asked_and_what_is_held_here_and_nothing_of_other_cases() {
    let world = world().await;
    let first = world.handled("13800138000").await;
    let request = |kind: &str| ActInput::RequestMaterials {
        items: vec![onetrip_casework::MaterialInput {
            kind: kind.to_owned(),
            words: None,
        }],
    };
    let resident = world.resident_of(&first).await;
    for (actor, act) in [
        (staff_actor(HANDLER), trip()),
        (staff_actor(HANDLER), request("lease")),
        (
            resident.clone(),
            ActInput::AnswerRequest {
                handed_over: vec!["lease".to_owned()],
                words: String::new(),
                photos: Vec::new(),
            },
        ),
        (staff_actor(HANDLER), result()),
        (resident.clone(), solved()),
    ] {
        world.do_act(&actor, &first.number, act).await.unwrap();
    }
    // Somebody who knows the phone number files the same matter again.
    let second = world
        .file(street_light("13800138000"), &key("again"))
        .await
        .unwrap();
    assert!(!second.joined);
    world.settle_all().await;
    let own = world.case(&resident, &first.number).await.unwrap();
    assert_eq!((own.ledger.trips, own.ledger.material_requests), (1, 1));
    assert_eq!(own.breaches, []);
    let [held] = &own.held[..] else {
        panic!("{:?}", own.held)
    };
    assert_eq!(
        (held.paper.kind.as_str(), &held.paper.held_in),
        ("lease", &first.number)
    );
    let other = world
        .case(&world.resident_of(&second).await, &second.number)
        .await
        .unwrap();
    assert_eq!((other.held, other.previous), (Vec::new(), None));
    let staff = world.case(&Actor::Service, &second.number).await.unwrap();
    assert_eq!(staff.held.len(), 1);
    let facts = own.happenings.iter().map(|happening| &happening.fact);
    assert!(
        facts
            .clone()
            .any(|fact| matches!(fact, CaseFact::TripAsked { .. }))
    );
}
