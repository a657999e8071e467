//! Cases that are handled with another one, and matters that have had their final review, in the ledger.

use crate::common::*;
use onetrip_event_log::LogError;
use onetrip_model::{
    CaseAct, Refusal,
    case::{ReviewDecision, Submission},
};
use onetrip_read_models::run_once::{Merge, open_merges, together};
use onetrip_testkit::submission_of;

fn merge(lead: u32) -> CaseAct {
    CaseAct::Merge {
        into: submission_of(lead).case,
        into_number: submission_of(lead).number,
        reason: "同一盏路灯".to_owned(),
    }
}

fn unmerge() -> CaseAct {
    CaseAct::Unmerge {
        reason: "不是同一盏".to_owned(),
    }
}

async fn handled_cases<const N: usize>(world: &World) -> [String; N] {
    let mut cases = Vec::new();
    for n in 1..=N {
        cases.push(handled_case(world, submission_of(u32::try_from(n).unwrap())).await);
    }
    cases.try_into().unwrap()
}

fn is_merged_otherwise(done: &Done) -> bool {
    matches!(done, Err(LogError::Refused(Refusal::MergedOtherwise)))
}

async fn waiting(world: &World) -> Vec<Merge> {
    open_merges(&mut world.pool.acquire().await.unwrap(), None, 10)
        .await
        .unwrap()
}

#[tokio::test]
async fn a_lead_is_not_merged_and_a_member_has_no_members() {
    let world = world().await;
    let [first, second, third] = handled_cases(&world).await;
    world.run(&first, merge(2)).await.unwrap();
    let circle = world.run(&second, merge(1)).await;
    assert!(is_merged_otherwise(&circle), "{circle:?}");
    let chain = world.run(&second, merge(3)).await;
    assert!(is_merged_otherwise(&chain), "{chain:?}");
    let chain = world.run(&third, merge(1)).await;
    assert!(is_merged_otherwise(&chain), "{chain:?}");
    world.run(&third, merge(2)).await.unwrap();

    let mut connection = world.pool.acquire().await.unwrap();
    let lead = together(&mut connection, submission_of(2).case).await.unwrap();
    assert_eq!(lead.members, [submission_of(1).number, submission_of(3).number]);
    let member = together(&mut connection, submission_of(1).case).await.unwrap();
    assert_eq!(member.lead, Some(submission_of(2).number));
}

#[tokio::test]
async fn who_goes_their_own_way_again_may_be_merged_and_lead() {
    let world = world().await;
    let [first, second, third] = handled_cases(&world).await;
    world.run(&first, merge(2)).await.unwrap();
    world.run(&first, unmerge()).await.unwrap();
    world.run(&second, merge(1)).await.unwrap();
    world.run(&third, merge(1)).await.unwrap();
    let withdraw = CaseAct::Withdraw {
        reason: "修好了".to_owned(),
    };
    world.run(&third, withdraw).await.unwrap();
    let [merge] = waiting(&world).await.try_into().unwrap();
    assert_eq!(
        (merge.member, merge.lead),
        (submission_of(2).case, submission_of(1).case)
    );
}

/// A into B while B into A, two hundred times.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_mergers_the_wrong_way_round_one_is_refused() {
    let world = world().await;
    let mut refused_first = 0;
    for round in 0..200 {
        let (one, other) = (round * 2 + 1, round * 2 + 2);
        let first = handled_case(&world, submission_of(one)).await;
        let second = handled_case(&world, submission_of(other)).await;
        let run = |case: String, lead| {
            let world = world.clone();
            tokio::spawn(async move { world.run(&case, merge(lead)).await })
        };
        let (forth, back) = (run(first, other), run(second, one));
        let (forth, back) = (forth.await.unwrap(), back.await.unwrap());
        assert!(forth.is_ok() != back.is_ok(), "round {round}: {forth:?} {back:?}");
        assert!(
            is_merged_otherwise(&forth) || is_merged_otherwise(&back),
            "round {round}: {forth:?} {back:?}"
        );
        refused_first += u32::from(forth.is_err());
    }
    let nested: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM run_once_merges member JOIN run_once_merges lead ON lead.case_id = member.lead",
    )
    .fetch_one(&world.pool)
    .await
    .unwrap();
    assert_eq!(nested, 0);
    println!("{refused_first} of 200 times the first one was refused");
}

mod final_review {
    use super::*;

    async fn finally_reviewed(world: &World, decision: ReviewDecision) {
        let case = closed_case(world, submission_of(1)).await;
        let decided = |decision| CaseAct::DecideReview {
            decision,
            words: "查明如下".to_owned(),
        };
        let ask = || CaseAct::AskReview {
            reason: "不同意".to_owned(),
        };
        for act in [ask(), decided(ReviewDecision::Upheld), ask(), decided(decision)] {
            world.run(&case, act).await.unwrap();
        }
    }

    fn again(new_fact: Option<&str>) -> Submission {
        let first = submission_of(1);
        Submission {
            person: first.person,
            matter: first.matter,
            previous: Some(first.case),
            new_fact: new_fact.map(str::to_owned),
            ..submission_of(2)
        }
    }

    #[tokio::test]
    async fn the_same_matter_is_not_taken_again_and_a_new_fact_is_without_a_breach() {
        for decision in [ReviewDecision::Upheld, ReviewDecision::Changed] {
            let world = world().await;
            finally_reviewed(&world, decision).await;
            let done = world.file(again(None)).await;
            assert!(
                matches!(done, Err(LogError::Refused(Refusal::FinallyReviewed))),
                "{done:?}"
            );
            world.file(again(Some("又塌了一处"))).await.unwrap();
            assert_eq!(breaches_of(&world, submission_of(1).case).await, []);
        }
    }

    #[tokio::test]
    async fn what_is_under_review_or_sent_back_by_it_is_open() {
        let world = world().await;
        finally_reviewed(&world, ReviewDecision::SentBack).await;
        let done = world.file(again(None)).await;
        assert!(
            matches!(done, Err(LogError::Refused(Refusal::SameMatterOpen { .. }))),
            "{done:?}"
        );
    }

    #[tokio::test]
    async fn a_new_fact_in_a_matter_without_a_final_review_is_a_refiling_all_the_same() {
        let world = world().await;
        closed_case(&world, submission_of(1)).await;
        world.file(again(Some("又坏了"))).await.unwrap();
        let [breach] = breaches_of(&world, submission_of(1).case)
            .await
            .try_into()
            .unwrap();
        assert_eq!(breach.row, "refiling");
    }
}
