//! What no single case can know of, whatever races: two hundred tries each.

use crate::common::*;
use onetrip_casework::{ActInput, Acted, CaseworkError, NewCase, Submitted};
use onetrip_model::{By, CaseAct, CaseId, CaseNumber, Refusal, StaffId, access::Actor, case::ReviewDecision};
use onetrip_testkit::{
    CLERK, HANDLER, RESIDENT, SAFETY, SAFETY_HANDLER, SUPERVISOR, URBAN, by_staff, submission_of,
};
use tokio::task::JoinHandle;

const TRIES: u32 = 200;

type Done = Result<Acted, CaseworkError>;

fn acting(world: &World, actor: Actor, number: &CaseNumber, act: ActInput) -> JoinHandle<Done> {
    let (world, number) = (world.clone(), number.clone());
    tokio::spawn(async move { world.do_act(&actor, &number, act).await })
}

fn filing(world: &World, new: NewCase, request: String) -> JoinHandle<Result<Submitted, CaseworkError>> {
    let world = world.clone();
    tokio::spawn(async move { world.file(new, &key(&request)).await })
}

/// A head start for the other one, another in every round.
async fn dawdle(world: &World, round: u32) {
    for _ in 0..round % 8 {
        world.count("run_once_merges").await;
    }
}

async fn resulted(world: &World, phone: &str) -> Submitted {
    let case = world.handled(phone).await;
    world
        .do_act(&staff_actor(HANDLER), &case.number, result())
        .await
        .unwrap();
    case
}

async fn breaches(world: &World, case: CaseId, row: &str) -> i64 {
    world
        .count(&format!(
            "run_once_breaches WHERE case_id = '{case}' AND row = '{row}'"
        ))
        .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_filing_that_meets_the_closing_joins_it_or_is_a_breach_of_who_closed_it() {
    let world = world().await;
    let mut joined = 0;
    for round in 0..TRIES {
        let phone = format!("137{round:08}");
        let first = resulted(&world, &phone).await;
        let resident = world.resident_of(&first).await;
        let closing = {
            let (world, number) = (world.clone(), first.number.clone());
            tokio::spawn(async move {
                dawdle(&world, round).await;
                world.do_act(&resident, &number, solved()).await
            })
        };
        let again = filing(&world, street_light(&phone), format!("again {round}"));
        closing.await.unwrap().unwrap();
        let again = again.await.unwrap().unwrap();
        assert_eq!(again.joined, again.case == first.case, "round {round}");
        assert_eq!(
            breaches(&world, first.case, "refiling").await,
            i64::from(!again.joined),
            "round {round}"
        );
        joined += u32::from(again.joined);
    }
    println!("{joined} of {TRIES} joined");
}

async fn under_final_review(world: &World, phone: &str) -> Submitted {
    let case = resulted(world, phone).await;
    for (by, act) in [
        (By::Resident(RESIDENT), ask_review()),
        (by_staff(CLERK), upheld()),
        (By::Resident(RESIDENT), ask_review()),
    ] {
        world.run(case.case, by, act).await.unwrap();
    }
    case
}

fn ask_review() -> CaseAct {
    CaseAct::AskReview {
        reason: "不同意".to_owned(),
    }
}

fn upheld() -> CaseAct {
    CaseAct::DecideReview {
        decision: ReviewDecision::Upheld,
        words: "维持".to_owned(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_filing_that_meets_the_final_review_joins_it_or_is_refused_and_a_new_fact_is_taken() {
    let world = world().await;
    let mut joined = 0;
    for round in 0..TRIES {
        let phone = format!("136{round:08}");
        let first = under_final_review(&world, &phone).await;
        let deciding = {
            let (world, case) = (world.clone(), first.case);
            tokio::spawn(async move {
                dawdle(&world, round).await;
                world.run(case, by_staff(SUPERVISOR), upheld()).await
            })
        };
        let again = filing(&world, street_light(&phone), format!("again {round}"));
        deciding.await.unwrap().unwrap();
        match again.await.unwrap() {
            Ok(again) => {
                assert_eq!(again.case, first.case, "round {round}");
                joined += 1;
            }
            Err(CaseworkError::Refused(Refusal::FinallyReviewed)) => {}
            Err(error) => panic!("round {round}: {error:?}"),
        }
        if round % 20 == 0 {
            let new_fact = NewCase {
                new_fact: Some("又有一盏不亮".to_owned()),
                ..street_light(&phone)
            };
            let taken = world.file(new_fact, &key(&format!("new {round}"))).await.unwrap();
            assert!(!taken.joined, "round {round}");
        }
    }
    assert_eq!(world.count("run_once_breaches").await, 0);
    println!("{joined} of {TRIES} joined");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_offer_is_taken_or_ends_without_a_taker_and_only_then_is_a_breach() {
    let world = world().await;
    let mut taken_times = 0;
    for (round, number) in (1..).zip(world.many_handled(TRIES).await) {
        let offer = ActInput::OfferHandOver {
            to: SAFETY.to_owned(),
            reason: "燃气".to_owned(),
        };
        world.do_act(&staff_actor(HANDLER), &number, offer).await.unwrap();
        let back = ActInput::ReturnHandOver {
            reason: "自己办".to_owned(),
        };
        let taken = acting(
            &world,
            staff_actor(SAFETY_HANDLER),
            &number,
            ActInput::TakeOver {},
        );
        let returned = acting(&world, staff_actor(SUPERVISOR), &number, back);
        let (taken, returned) = (taken.await.unwrap(), returned.await.unwrap());
        assert!(
            taken.is_ok() != returned.is_ok(),
            "round {round}: {taken:?} {returned:?}"
        );
        let case = submission_of(round).case;
        let without_taker = breaches(&world, case, "hand_over").await;
        assert_eq!(without_taker, i64::from(returned.is_ok()), "round {round}");
        let holder = if taken.is_ok() { SAFETY } else { URBAN };
        let held = format!("run_once_cases WHERE case_id = '{case}' AND holder = '{holder}'");
        assert_eq!(world.count(&held).await, 1, "round {round}");
        taken_times += u32::from(taken.is_ok());
    }
    let of_others = format!("run_once_breaches WHERE unit <> '{URBAN}'");
    assert_eq!(world.count(&of_others).await, 0, "the unit that offered it");
    println!("{taken_times} of {TRIES} taken");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_cases_are_never_merged_into_each_other() {
    let world = world().await;
    let numbers = world.many_handled(2 * TRIES).await;
    for (round, pair) in numbers.chunks(2).enumerate() {
        let merging = |member: usize, who: StaffId| {
            let act = ActInput::Merge {
                into: pair[1 - member].to_string(),
                reason: "同一盏路灯".to_owned(),
            };
            acting(&world, staff_actor(who), &pair[member], act)
        };
        let (forth, back) = (merging(0, HANDLER), merging(1, SUPERVISOR));
        let (forth, back) = (forth.await.unwrap(), back.await.unwrap());
        let refused = |done: &Done| matches!(done, Err(CaseworkError::Refused(Refusal::MergedOtherwise)));
        assert!(
            forth.is_ok() && refused(&back) || back.is_ok() && refused(&forth),
            "round {round}: {forth:?} {back:?}"
        );
    }
    assert_eq!(world.count("run_once_merges WHERE open").await, i64::from(TRIES));
}
