//! The run-once rule whatever races.

use crate::common::*;
use onetrip_casework::{ActInput, CaseworkError, MaterialInput};
use onetrip_model::{CaseNumber, Refusal, access::Actor, case::RunOnceLimit};
use onetrip_testkit::{CADRE, CLERK, HANDLER, SAFETY, SAFETY_HANDLER, SUPERVISOR, accepted, submission_of};

fn request(kind: &str) -> ActInput {
    ActInput::RequestMaterials {
        items: vec![MaterialInput {
            kind: kind.to_owned(),
            words: None,
        }],
    }
}

fn is_limit(done: &Result<onetrip_casework::Acted, CaseworkError>, limit: RunOnceLimit) -> bool {
    matches!(done, Err(CaseworkError::Refused(Refusal::RunOnceLimitReached { limit: reached })) if *reached == limit)
}

/// The cadre and the handler do the same at once; how many of the two succeed.
async fn both_at_once(world: &World, number: &CaseNumber, act: ActInput, limit: RunOnceLimit) -> u32 {
    let one_of = |actor: Actor| {
        let (world, number, act) = (world.clone(), number.clone(), act.clone());
        tokio::spawn(async move { world.do_act(&actor, &number, act).await })
    };
    let (cadre, handler) = (one_of(staff_actor(CADRE)), one_of(staff_actor(HANDLER)));
    let mut done = 0;
    for one in [cadre.await.unwrap(), handler.await.unwrap()] {
        assert!(one.is_ok() || is_limit(&one, limit), "{one:?}");
        done += u32::from(one.is_ok());
    }
    done
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_staff_asking_for_a_trip_at_once_never_pass_the_limit() {
    let world = world().await;
    for (round, number) in world.many_handled(200).await.iter().enumerate() {
        assert_eq!(
            both_at_once(&world, number, trip(), RunOnceLimit::Trip).await,
            1,
            "round {round}"
        );
        if round % 4 == 0 {
            let waive = ActInput::WaiveLimit {
                limit: RunOnceLimit::Trip,
                reason: "原件遗失".to_owned(),
            };
            world
                .do_act(&staff_actor(SUPERVISOR), number, waive)
                .await
                .unwrap();
            assert_eq!(
                both_at_once(&world, number, trip(), RunOnceLimit::Trip).await,
                1,
                "one more in round {round}"
            );
        }
    }
    assert_eq!(world.count("run_once_cases WHERE trips > trips_max").await, 0);
    assert_eq!(world.count_events("TripAsked").await, 250);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_staff_requesting_materials_at_once_make_one_request() {
    let world = world().await;
    for (round, number) in world.many_handled(200).await.iter().enumerate() {
        let limit = RunOnceLimit::MaterialRequest;
        assert_eq!(
            both_at_once(&world, number, request("lease"), limit).await,
            1,
            "round {round}"
        );
    }
    assert_eq!(world.count_events("MaterialsRequested").await, 200);
}

#[tokio::test]
async fn a_paper_held_in_one_case_is_not_asked_for_in_another_and_the_refusal_says_where_it_is() {
    let world = world().await;
    let first = world.handled("13800138000").await;
    let mut other = street_light("13800138000");
    other.place_words = Some("另一处".to_owned());
    let second = world.file(other, &key("2")).await.unwrap();
    for (actor, act) in [(CLERK, ActInput::Accept {}), (CADRE, assign())] {
        world
            .do_act(&staff_actor(actor), &second.number, act)
            .await
            .unwrap();
    }
    world
        .do_act(&staff_actor(HANDLER), &first.number, request("lease"))
        .await
        .unwrap();
    let answer = ActInput::AnswerRequest {
        handed_over: vec!["lease".to_owned()],
        words: String::new(),
        photos: Vec::new(),
    };
    world
        .do_act(&world.resident_of(&first).await, &first.number, answer)
        .await
        .unwrap();
    let done = world
        .do_act(&staff_actor(HANDLER), &second.number, request("lease"))
        .await;
    let Err(CaseworkError::Refused(Refusal::AlreadyHeld { kind, held_in })) = done else {
        panic!("{done:?}")
    };
    assert_eq!((kind.as_str(), held_in), ("lease", first.number));
    let waive = || ActInput::WaiveLimit {
        limit: RunOnceLimit::HeldPaper,
        reason: "原件遗失".to_owned(),
    };
    world
        .do_act(&staff_actor(SUPERVISOR), &second.number, waive())
        .await
        .unwrap();
    world
        .do_act(&staff_actor(HANDLER), &second.number, request("lease"))
        .await
        .unwrap();
    let stranger = world.handled("13800138009").await;
    let done = world
        .do_act(&staff_actor(SUPERVISOR), &stranger.number, waive())
        .await;
    assert!(
        matches!(done, Err(CaseworkError::Refused(Refusal::NothingToWaive))),
        "of whom nothing is held: {done:?}"
    );
}

/// Handed over in one case and asked for in another at once, two hundred times.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_paper_handed_over_at_that_moment_is_not_asked_for_either_and_the_refusal_says_where_it_is() {
    let world = world().await;
    let assign = || onetrip_model::CaseAct::Assign {
        unit: onetrip_testkit::URBAN.into(),
        contact_cadre: Some(CADRE),
    };
    let lease = || onetrip_model::CaseAct::RequestMaterials {
        items: vec![onetrip_testkit::ask("lease")],
        held: Vec::new(),
    };
    let mut refused = 0;
    for round in 0..200 {
        let one = submission_of(round * 2 + 1);
        let other = onetrip_model::case::Submission {
            person: one.person,
            ..submission_of(round * 2 + 2)
        };
        let (first, second) = (one.number.clone(), other.number.clone());
        let resident = Actor::Resident {
            case: one.case,
            person: one.person,
        };
        world
            .live(&[
                accepted(one).and([assign(), lease()]),
                accepted(other).and([assign()]),
            ])
            .await;
        let answer = ActInput::AnswerRequest {
            handed_over: vec!["lease".to_owned()],
            words: String::new(),
            photos: Vec::new(),
        };
        let (answered, asked) = tokio::join!(
            tokio::spawn({
                let (world, first) = (world.clone(), first.clone());
                async move { world.do_act(&resident, &first, answer).await }
            }),
            tokio::spawn({
                let world = world.clone();
                async move {
                    world
                        .do_act(&staff_actor(HANDLER), &second, request("lease"))
                        .await
                }
            }),
        );
        answered.unwrap().unwrap();
        match asked.unwrap() {
            Ok(_) => {}
            Err(CaseworkError::Refused(Refusal::AlreadyHeld { held_in, .. })) if held_in == first => {
                refused += 1
            }
            other => panic!("round {round}: {other:?}"),
        }
    }
    assert_eq!(
        world.count("run_once_paper_asks WHERE held_in IS NOT NULL").await,
        0
    );
    assert_eq!(world.count("run_once_paper_asks").await, 400 - refused);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_result_and_an_offer_at_once_one_is_first_and_the_other_sees_it() {
    let world = world().await;
    for (round, number) in world.many_handled(50).await.iter().enumerate() {
        let offer = ActInput::OfferHandOver {
            to: SAFETY.to_owned(),
            reason: "燃气".to_owned(),
        };
        let one_of = |act: ActInput| {
            let (world, number) = (world.clone(), number.clone());
            tokio::spawn(async move { world.do_act(&staff_actor(HANDLER), &number, act).await })
        };
        let (given, offered) = (one_of(result()), one_of(offer));
        let (given, offered) = (given.await.unwrap(), offered.await.unwrap());
        assert!(
            given.is_ok() != offered.is_ok(),
            "round {round}: {given:?} {offered:?}"
        );
    }
}

/// The version one names is that on which one is authorized: a version that is yet to come, when the case may be somebody
/// else's, is none.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_names_a_version_to_come_does_not_act_on_it_with_the_rights_of_today() {
    let world = world().await;
    let number = world.handled("13800138000").await.number;
    // Keeps the request between its look at the case and its writing.
    let mut held = world.pool().begin().await.unwrap();
    sqlx::query("LOCK TABLE run_once_held_papers IN ACCESS EXCLUSIVE MODE")
        .execute(&mut *held)
        .await
        .unwrap();
    let asking = tokio::spawn({
        let (world, number) = (world.clone(), number.clone());
        async move {
            let (actor, channel) = (staff_actor(HANDLER), onetrip_model::Channel::Staff);
            world
                .act(&actor, &number, request("lease"), channel, "staff", Some(5), None)
                .await
        }
    });
    let waiting = "pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    while !asking.is_finished() && world.count(waiting).await == 0 {
        tokio::task::yield_now().await;
    }
    let offer = ActInput::OfferHandOver {
        to: SAFETY.to_owned(),
        reason: "燃气".to_owned(),
    };
    for (id, act) in [(HANDLER, offer), (SAFETY_HANDLER, ActInput::TakeOver {})] {
        world.do_act(&staff_actor(id), &number, act).await.unwrap();
    }
    held.rollback().await.unwrap();
    let done = asking.await.unwrap();
    assert!(
        matches!(
            done,
            Err(CaseworkError::Stale {
                expected: 5,
                actual: 3
            })
        ),
        "{done:?}"
    );
    assert_eq!(world.count_events("MaterialsRequested").await, 0);
}

#[tokio::test]
async fn who_was_not_offered_the_case_does_not_even_see_it() {
    let world = world().await;
    let submitted = world.handled("13800138000").await;
    let done = world
        .do_act(
            &staff_actor(SAFETY_HANDLER),
            &submitted.number,
            ActInput::TakeOver {},
        )
        .await;
    assert!(matches!(done, Err(CaseworkError::NotFound)), "{done:?}");
    let offer = ActInput::OfferHandOver {
        to: SAFETY.to_owned(),
        reason: "燃气".to_owned(),
    };
    world
        .do_act(&staff_actor(HANDLER), &submitted.number, offer)
        .await
        .unwrap();
    world
        .do_act(
            &staff_actor(SAFETY_HANDLER),
            &submitted.number,
            ActInput::TakeOver {},
        )
        .await
        .unwrap();
}
