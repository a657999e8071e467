//! Who sees and does what: the same for a single case, for acts on it and for every list.

use crate::{
    common::*,
    seed::{ELSEWHERE, FOREIGN, FOREIGN_CADRE, NEIGHBOUR_DESK},
};
use onetrip_casework::{ActInput, Acted, CaseworkError, Fault, FieldFault};
use onetrip_model::{CaseNumber, StaffId, access::Actor, case::RunOnceLimit};
use onetrip_read_models::{queue::QueueFilter, resolution::BoardFilter};
use onetrip_testkit::*;
use std::collections::BTreeSet;

const EVERYBODY: [StaffId; 6] = [CLERK, CADRE, HANDLER, SAFETY_HANDLER, SUPERVISOR, ADMINISTRATOR];

#[derive(Debug, PartialEq, Eq)]
enum Answer {
    Yes,
    NotSignedIn,
    NotFound,
    NotAllowed,
    /// Allowed, and refused by the rule.
    Refused,
}

fn answer<T: std::fmt::Debug>(done: Result<T, CaseworkError>) -> Answer {
    match done {
        Ok(_) => Answer::Yes,
        Err(CaseworkError::NotSignedIn) => Answer::NotSignedIn,
        Err(CaseworkError::NotFound) => Answer::NotFound,
        Err(CaseworkError::NotAllowed) => Answer::NotAllowed,
        Err(CaseworkError::Refused(_)) => Answer::Refused,
        Err(other) => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_case_is_shown_to_those_it_concerns() {
    let world = world().await;
    let submitted = world.handled("13800138000").await;
    let other = world
        .file(street_light("13800138001"), &key("other"))
        .await
        .unwrap();
    world.settle_all().await;
    let expected = [
        (staff_actor(CLERK), Answer::Yes),
        (staff_actor(CADRE), Answer::Yes),
        (staff_actor(HANDLER), Answer::Yes),
        (staff_actor(SUPERVISOR), Answer::Yes),
        (staff_actor(SAFETY_HANDLER), Answer::NotFound),
        (staff_actor(ADMINISTRATOR), Answer::NotFound),
        (world.resident_of(&submitted).await, Answer::Yes),
        (world.resident_of(&other).await, Answer::NotFound),
        (Actor::Visitor, Answer::NotSignedIn),
    ];
    for (actor, expected) in expected {
        assert_eq!(
            answer(world.case(&actor, &submitted.number).await),
            expected,
            "{actor:?}"
        );
    }
    // A number that nobody has is answered alike.
    let nobodys = CaseNumber::from_random(404);
    assert_eq!(
        answer(world.case(&staff_actor(SAFETY_HANDLER), &nobodys).await),
        Answer::NotFound
    );
    assert_eq!(
        answer(world.case(&Actor::Visitor, &nobodys).await),
        Answer::NotSignedIn
    );
}

#[tokio::test]
async fn who_the_resident_is_is_shown_to_who_must_reach_them() {
    let world = world().await;
    let submitted = world.handled("13800138000").await;
    world.settle_all().await;
    let resident = world.resident_of(&submitted).await;
    for (actor, shown) in [
        (staff_actor(CADRE), true),
        (resident, true),
        (staff_actor(CLERK), false),
        (staff_actor(HANDLER), false),
        (staff_actor(SUPERVISOR), false),
    ] {
        let view = world.case(&actor, &submitted.number).await.unwrap();
        assert_eq!(view.contact.is_some(), shown, "{actor:?}");
        assert!(!view.unnamed);
    }
}

#[tokio::test]
async fn each_act_is_for_its_own_roles() {
    use Answer::{NotAllowed as No, NotFound, Refused, Yes};
    let reason = || "理由".to_owned();
    // For each act the answers to the clerk, cadre, handler, other handler, supervisor and administrator, on a case
    // that the urban office handles. What is allowed is refused or not by the stage.
    let table: [(ActInput, [Answer; 6]); 12] = [
        (
            ActInput::Accept {},
            [No, Refused, Refused, NotFound, No, NotFound],
        ),
        (assign(), [No, No, No, NotFound, Yes, NotFound]),
        (
            ActInput::OfferHandOver {
                to: URBAN.to_owned(),
                reason: reason(),
            },
            [No, Refused, Refused, NotFound, No, NotFound],
        ),
        (ActInput::TakeOver {}, [No, No, No, NotFound, No, NotFound]),
        (
            ActInput::ReturnHandOver { reason: reason() },
            [No, No, Refused, NotFound, Refused, NotFound],
        ),
        (
            ActInput::FollowUp {
                kind: onetrip_model::case::FollowUpKind::Progress,
                reached: false,
                words: reason(),
            },
            [No, Yes, Yes, NotFound, Yes, NotFound],
        ),
        (
            ActInput::RecordSilence {},
            [No, Refused, Refused, NotFound, No, NotFound],
        ),
        (
            ActInput::WaiveLimit {
                limit: RunOnceLimit::Trip,
                reason: reason(),
            },
            [No, No, No, NotFound, Refused, NotFound],
        ),
        (
            ActInput::CloseUnrated {},
            [No, Refused, Refused, NotFound, No, NotFound],
        ),
        (
            ActInput::Reopen { reason: reason() },
            [No, No, No, NotFound, No, NotFound],
        ),
        (
            ActInput::Withdraw { reason: reason() },
            [No, No, No, NotFound, No, NotFound],
        ),
        (solved(), [No, No, No, NotFound, No, NotFound]),
    ];
    let world = world().await;
    let submitted = world.handled("13800138000").await;
    for (act, expected) in table {
        for (id, expected) in EVERYBODY.into_iter().zip(expected) {
            // Taking over needs a unit of one's own, which supervisors and cadres have not: also not allowed.
            let done = answer(
                world
                    .do_act(&staff_actor(id), &submitted.number, act.clone())
                    .await,
            );
            assert_eq!(done, expected, "{} by {:?}", act.name(), staff(id).role);
        }
        let visitor = world
            .do_act(&Actor::Visitor, &submitted.number, act.clone())
            .await;
        assert_eq!(answer(visitor), Answer::NotSignedIn, "{}", act.name());
    }
}

#[tokio::test]
async fn a_case_stays_in_its_city() {
    let world = world().await;
    let foreign = || FOREIGN.to_owned();
    let reason = || "理由".to_owned();
    let is_unknown = |done: Result<Acted, CaseworkError>, field| {
        let expected = FieldFault {
            field,
            fault: Fault::Unknown,
        };
        assert!(
            matches!(&done, Err(CaseworkError::Invalid(faults)) if *faults == [expected.clone()]),
            "{done:?}"
        );
    };
    let number = world
        .file(street_light("13800138000"), &key("1"))
        .await
        .unwrap()
        .number;
    let act = async |id, input| world.do_act(&staff_actor(id), &number, input).await;
    let decline = |unit| ActInput::Decline {
        next_unit: Some(unit),
        outside: None,
        reason: reason(),
    };
    let assign_to = |unit: &str, cadre: Option<StaffId>| ActInput::Assign {
        unit: unit.to_owned(),
        contact_cadre: cadre.map(|cadre| cadre.0),
    };
    is_unknown(act(CLERK, decline(foreign())).await, "next_unit");
    act(CLERK, ActInput::Accept {}).await.unwrap();
    is_unknown(act(CADRE, assign_to(FOREIGN, None)).await, "unit");
    is_unknown(
        act(CADRE, assign_to(URBAN, Some(FOREIGN_CADRE))).await,
        "contact_cadre",
    );
    act(CADRE, assign()).await.unwrap();
    let offer = |to: &str| ActInput::OfferHandOver {
        to: to.to_owned(),
        reason: reason(),
    };
    is_unknown(act(HANDLER, offer(FOREIGN)).await, "to");
    act(HANDLER, offer(NEIGHBOUR_DESK))
        .await
        .expect("another district of the city");
}

#[tokio::test]
async fn an_offer_that_nobody_answers_is_taken_back() {
    let world = world().await;
    let take_back = || ActInput::ReturnHandOver {
        reason: "对方没有回应".to_owned(),
    };
    let declined = world
        .file(street_light("13800138001"), &key("declined"))
        .await
        .unwrap();
    let decline = ActInput::Decline {
        next_unit: Some(SAFETY.to_owned()),
        outside: None,
        reason: "燃气".to_owned(),
    };
    for (act, expected) in [
        (decline, Answer::Yes),
        (ActInput::Accept {}, Answer::Refused),
        (take_back(), Answer::Yes),
        (ActInput::Accept {}, Answer::Yes),
    ] {
        let name = act.name();
        let done = world.do_act(&staff_actor(CLERK), &declined.number, act).await;
        assert_eq!(answer(done), expected, "{name}");
    }

    let handled = world.handled("13800138000").await;
    let offer = || ActInput::OfferHandOver {
        to: SAFETY.to_owned(),
        reason: "燃气".to_owned(),
    };
    for taker in [HANDLER, SUPERVISOR] {
        for (id, act) in [(HANDLER, offer()), (taker, take_back())] {
            world
                .do_act(&staff_actor(id), &handled.number, act)
                .await
                .unwrap();
        }
        let late = world
            .do_act(
                &staff_actor(SAFETY_HANDLER),
                &handled.number,
                ActInput::TakeOver {},
            )
            .await;
        assert_eq!(
            answer(late),
            Answer::NotFound,
            "taken back by {:?}",
            staff(taker).role
        );
    }
    let done = world
        .do_act(&staff_actor(HANDLER), &handled.number, result())
        .await;
    assert_eq!(answer(done), Answer::Yes);
}

#[tokio::test]
async fn a_resident_does_a_residents_acts_on_their_own_case_only() {
    let world = world().await;
    let submitted = world.handled("13800138000").await;
    let other = world
        .file(street_light("13800138001"), &key("other"))
        .await
        .unwrap();
    let (own, stranger) = (
        world.resident_of(&submitted).await,
        world.resident_of(&other).await,
    );
    let add = || ActInput::AddSupplement {
        words: "还有".to_owned(),
        photos: Vec::new(),
    };
    for act in [
        trip(),
        result(),
        ActInput::Accept {},
        assign(),
        ActInput::CloseUnrated {},
    ] {
        assert_eq!(
            answer(world.do_act(&own, &submitted.number, act.clone()).await),
            Answer::NotAllowed,
            "{}",
            act.name()
        );
        assert_eq!(
            answer(world.do_act(&stranger, &submitted.number, act.clone()).await),
            Answer::NotFound
        );
    }
    assert_eq!(
        answer(world.do_act(&own, &submitted.number, add()).await),
        Answer::Yes
    );
    assert_eq!(
        answer(world.do_act(&stranger, &submitted.number, add()).await),
        Answer::NotFound
    );
    assert_eq!(
        answer(world.do_act(&own, &submitted.number, solved()).await),
        Answer::Refused
    );
}

/// For everybody and every case of every sort: it is in one's list exactly when one may open it.
#[tokio::test]
async fn lists_show_what_can_be_opened_and_nothing_else() {
    let world = world().await;
    let mut state = 1_u32;
    let mut number = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.rotate_right(16)
    };
    let journeys: Vec<Given> = (1..=60)
        .map(|n| {
            let numbers: Vec<u32> = (0..n % 30).map(|_| number()).collect();
            let mut new = submission_of(n);
            if n % 4 == 0 {
                new.division = ELSEWHERE.into();
                new.contact_district = None;
            }
            play(new, &steps_from(&numbers))
        })
        .collect();
    world.live(&journeys).await;
    world.settle_all().await;
    for id in EVERYBODY {
        let actor = staff_actor(id);
        let mut openable = BTreeSet::new();
        for journey in &journeys {
            let filed = journey.filed();
            match answer(world.case(&actor, &filed.number).await) {
                Answer::Yes => {
                    openable.insert((filed.number.clone(), filed.is_work()));
                }
                other => assert_eq!(other, Answer::NotFound),
            }
        }
        if id == ADMINISTRATOR {
            assert_eq!(openable.len(), 0);
            assert_eq!(
                answer(world.queue(&actor, &QueueFilter::default(), None, 100).await),
                Answer::NotAllowed
            );
            assert_eq!(
                answer(world.cases(&actor, None, None, 100).await),
                Answer::NotAllowed
            );
            continue;
        }
        let listed = world.cases(&actor, None, None, 100).await.unwrap();
        let listed: BTreeSet<_> = listed
            .items
            .iter()
            .map(|file| (file.filed.number.clone(), file.filed.is_work()))
            .collect();
        assert_eq!(listed, openable, "{:?}", staff(id).role);

        let queue = world
            .queue(&actor, &QueueFilter::default(), None, 100)
            .await
            .unwrap();
        let queued: BTreeSet<_> = queue.page.items.iter().map(|item| item.number.clone()).collect();
        let open: BTreeSet<_> = openable
            .iter()
            .filter(|(_, open)| *open)
            .map(|(number, _)| number.clone())
            .collect();
        assert_eq!(queued, open, "{:?}", staff(id).role);
        assert_eq!(queue.count, open.len() as u64);
        assert!(id == SAFETY_HANDLER || !open.is_empty());
    }
}

#[tokio::test]
async fn the_board_is_the_supervisors_and_of_their_area() {
    let world = world().await;
    world.many_handled(5).await;
    let elsewhere = onetrip_model::case::Submission {
        division: ELSEWHERE.into(),
        ..submission_of(9)
    };
    world.live(&[accepted(elsewhere)]).await;
    world.settle_all().await;
    for id in [CLERK, CADRE, HANDLER, ADMINISTRATOR] {
        let board = world.board(&staff_actor(id), &BoardFilter::default(), &[]).await;
        assert_eq!(answer(board), Answer::NotAllowed, "{:?}", staff(id).role);
    }
    assert_eq!(
        answer(world.board(&Actor::Visitor, &BoardFilter::default(), &[]).await),
        Answer::NotSignedIn
    );
    let board = world
        .board(&staff_actor(SUPERVISOR), &BoardFilter::default(), &[])
        .await
        .unwrap();
    assert_eq!(
        board.total.figures.submitted, 5,
        "the sixth is in another district"
    );
    let beyond = BoardFilter {
        area: Some("4403".to_owned()),
        ..BoardFilter::default()
    };
    let board = world.board(&staff_actor(SUPERVISOR), &beyond, &[]).await.unwrap();
    assert_eq!(board.total.figures.submitted, 5, "a wider filter shows no more");
}

#[tokio::test]
async fn erased_words_are_shown_as_erased() {
    let world = world().await;
    let submitted = world.handled("13800138000").await;
    world.settle_all().await;
    sqlx::query("UPDATE keys.data_keys SET wrapped = NULL, erased_at = now()")
        .execute(world.pool())
        .await
        .unwrap();
    let view = world.case(&staff_actor(CADRE), &submitted.number).await.unwrap();
    assert_eq!((view.words, view.contact), (onetrip_casework::Text::Erased, None));
    let queue = world
        .queue(&staff_actor(CADRE), &QueueFilter::default(), None, 10)
        .await
        .unwrap();
    assert_eq!(queue.page.items[0].words, onetrip_casework::Text::Erased);
    assert_eq!(queue.count, 1, "counts stay");
}
