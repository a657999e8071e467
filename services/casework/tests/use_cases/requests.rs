//! One key, one effect, one answer.

use crate::common::*;
use onetrip_casework::{ActInput, CaseworkError, NewCase};
use onetrip_event_log::RequestKey;
use onetrip_model::{Channel, access::Actor};
use onetrip_testkit::{CADRE, HANDLER, SAFETY, SAFETY_HANDLER};

fn other_body(key: RequestKey) -> RequestKey {
    RequestKey {
        body_hash: [2; 32],
        ..key
    }
}

async fn fifty_at_once(world: &World, new: NewCase, request: &RequestKey) {
    let sends: Vec<_> = (0..50)
        .map(|_| {
            let (world, new, request) = (world.clone(), new.clone(), request.clone());
            tokio::spawn(async move { world.file(new, &request).await })
        })
        .collect();
    let mut answers = Vec::new();
    for send in sends {
        answers.push(send.await.unwrap().unwrap());
    }
    let first = answers[0].clone();
    assert!(!first.joined && first.secret.is_some());
    assert!(answers.iter().all(|answer| *answer == first), "{answers:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_parallel_filings_with_one_key_are_one_case_and_equal_answers() {
    let world = world().await;
    let named = key("named");
    fifty_at_once(&world, street_light("13800138000"), &named).await;
    assert_eq!(
        (world.events().await.len(), world.count("requests").await),
        (1, 1)
    );
    fifty_at_once(&world, unnamed(), &key("unnamed")).await;
    assert_eq!(
        (world.events().await.len(), world.count("requests").await),
        (2, 2)
    );

    let other = world.file(street_light("13800138001"), &other_body(named)).await;
    assert!(matches!(other, Err(CaseworkError::KeyReused)), "{other:?}");
    assert_eq!(world.events().await.len(), 2);
}

#[tokio::test]
async fn a_joined_filing_sent_again_adds_nothing_and_shows_no_secret() {
    let world = world().await;
    world.file(street_light("13800138000"), &key("1")).await.unwrap();
    let joined = world.file(street_light("13800138000"), &key("2")).await.unwrap();
    let again = world.file(street_light("13800138000"), &key("2")).await.unwrap();
    assert_eq!(again, joined);
    assert_eq!((again.joined, again.secret), (true, None));
    assert_eq!(world.events().await.len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parallel_acts_with_one_key_have_one_effect_and_one_answer() {
    let world = world().await;
    for number in world.many_handled(10).await {
        let request = key(number.digits());
        for expected in [None, Some(3)] {
            let sends: Vec<_> = (0..16)
                .map(|_| {
                    let (world, number, request) = (world.clone(), number.clone(), request.clone());
                    tokio::spawn(async move {
                        let actor = staff_actor(HANDLER);
                        world
                            .act(
                                &actor,
                                &number,
                                trip(),
                                Channel::Staff,
                                "staff",
                                expected,
                                Some(&request),
                            )
                            .await
                    })
                })
                .collect();
            let mut answers = Vec::new();
            for send in sends {
                answers.push(send.await.unwrap().unwrap());
            }
            answers.dedup();
            assert_eq!(answers.len(), 1);
            assert_eq!(answers[0].version, 4);
        }
    }
    assert_eq!(world.count_events("TripAsked").await, 10);
}

/// What one has given back one may no longer see: the answer to one's own retry is still one's own.
#[tokio::test]
async fn a_retry_is_answered_also_when_the_act_took_the_case_out_of_sight() {
    let world = world().await;
    let submitted = world.handled("13800138000").await;
    let offer = ActInput::OfferHandOver {
        to: SAFETY.to_owned(),
        reason: "燃气".to_owned(),
    };
    world
        .do_act(&staff_actor(HANDLER), &submitted.number, offer)
        .await
        .unwrap();
    let actor = staff_actor(SAFETY_HANDLER);
    let request = key("return");
    let give_back = async || {
        let input = ActInput::ReturnHandOver {
            reason: "不属于我们".to_owned(),
        };
        world
            .act(
                &actor,
                &submitted.number,
                input,
                Channel::Staff,
                "staff",
                None,
                Some(&request),
            )
            .await
    };
    let first = give_back().await.unwrap();
    assert_eq!(give_back().await.unwrap(), first);
}

#[tokio::test]
async fn a_key_used_for_one_act_is_refused_for_another() {
    let world = world().await;
    let submitted = world.handled("13800138000").await;
    let act = async |input: ActInput, request: RequestKey| {
        world
            .act(
                &staff_actor(CADRE),
                &submitted.number,
                input,
                Channel::Staff,
                "staff",
                None,
                Some(&request),
            )
            .await
    };
    act(trip(), key("k")).await.unwrap();
    let done = act(result(), other_body(key("k"))).await;
    assert!(matches!(done, Err(CaseworkError::KeyReused)), "{done:?}");
}

#[tokio::test]
async fn an_act_on_a_version_that_is_no_longer_the_newest_is_stale() {
    let world = world().await;
    let submitted = world.handled("13800138000").await;
    let done = world
        .act(
            &staff_actor(CADRE),
            &submitted.number,
            trip(),
            Channel::Staff,
            "staff",
            Some(2),
            None,
        )
        .await;
    assert!(
        matches!(
            done,
            Err(CaseworkError::Stale {
                expected: 2,
                actual: 3
            })
        ),
        "{done:?}"
    );
    let nobody = world
        .act(
            &Actor::Visitor,
            &submitted.number,
            trip(),
            Channel::Staff,
            "staff",
            Some(2),
            None,
        )
        .await;
    assert!(
        matches!(nobody, Err(CaseworkError::NotSignedIn)),
        "and only for who may see it"
    );
}
