//! The same key is the same answer; exactly one effect, however often it is sent.

use crate::common::*;
use onetrip_event_log::{LogError, Outcome, StoredAnswer};
use onetrip_model::{CaseAct, Refusal};
use onetrip_testkit::submission_of;

fn answer(done: Done) -> StoredAnswer {
    match done.expect("it succeeds") {
        Outcome::Replayed(answer) => answer,
        other => panic!("not replayed: {other:?}"),
    }
}

#[tokio::test]
async fn a_repeated_key_is_answered_as_before() {
    let log = log().await;
    let case = file(&log, 1).await;
    let key = key("staff:1", "k", 1);
    let Outcome::Appended(first) = run_with_key(&log, &case, supplement("一"), &key).await.unwrap() else {
        panic!()
    };
    run(&log, &case, supplement("其间")).await.unwrap();
    let again = answer(run_with_key(&log, &case, supplement("一"), &key).await);
    assert_eq!((again.version, again.cursor), (first.version, first.cursor));
    assert_eq!(again.aggregate_id, case);
    assert_eq!(sequences(log.pool(), &case).await, [1, 2, 3]);
}

#[tokio::test]
async fn a_repeated_key_is_answered_before_the_stage_can_refuse_it() {
    let log = log().await;
    let case = accepted(&log, 1).await;
    let key = key("staff:1", "k", 1);
    run_with_key(&log, &case, trip(), &key).await.unwrap();
    assert_eq!(answer(run_with_key(&log, &case, trip(), &key).await).version, 3);
}

#[tokio::test]
async fn a_key_with_another_body_is_refused() {
    let log = log().await;
    let case = file(&log, 1).await;
    run_with_key(&log, &case, supplement("一"), &key("staff:1", "k", 1))
        .await
        .unwrap();
    let done = run_with_key(&log, &case, supplement("二"), &key("staff:1", "k", 2)).await;
    assert!(matches!(done, Err(LogError::KeyReused)), "{done:?}");
    assert_eq!(sequences(log.pool(), &case).await, [1, 2]);
}

#[tokio::test]
async fn keys_of_another_actor_are_other_keys() {
    let log = log().await;
    let case = file(&log, 1).await;
    for actor in ["staff:1", "staff:2", "visitor:1"] {
        run_with_key(&log, &case, supplement(actor), &key(actor, "k", 1))
            .await
            .unwrap();
    }
    assert_eq!(sequences(log.pool(), &case).await, [1, 2, 3, 4]);
}

#[tokio::test]
async fn a_refused_command_uses_no_key() {
    let log = log().await;
    let case = file(&log, 1).await;
    let key = key("staff:1", "k", 1);
    let refused = run_with_key(&log, &case, trip(), &key).await;
    assert!(matches!(refused, Err(LogError::Refused(Refusal::WrongStage))));
    run(&log, &case, CaseAct::Accept).await.unwrap();
    assert_eq!(version_of(run_with_key(&log, &case, trip(), &key).await), 3);
}

/// Thirty-two sends of one command at once, of a kind that is refused the second time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thirty_two_parallel_sends_have_one_effect_and_one_answer() {
    let log = log().await;
    for round in 1..=10 {
        let case = accepted(&log, round).await;
        let key = key("staff:1", &format!("key {round}"), 1);
        let sends: Vec<_> = (0..32)
            .map(|_| {
                let (log, case, key) = (log.clone(), case.clone(), key.clone());
                tokio::spawn(async move { run_with_key(&log, &case, trip(), &key).await })
            })
            .collect();
        let mut answers = Vec::new();
        for send in sends {
            answers.push(match send.await.unwrap() {
                Ok(Outcome::Appended(appended)) => (appended.version, appended.cursor),
                Ok(Outcome::Replayed(answer)) => (answer.version, answer.cursor),
                other => panic!("round {round}: {other:?}"),
            });
        }
        answers.dedup();
        assert_eq!(answers.len(), 1, "round {round}");
        assert_eq!(sequences(log.pool(), &case).await, [1, 2, 3], "round {round}");
    }
}

/// With the version that the form was made of, as a browser sends it twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parallel_sends_on_an_expected_version_have_one_answer() {
    let log = log().await;
    for round in 1..=10 {
        let case = accepted(&log, round).await;
        let key = key("staff:1", &format!("key {round}"), 1);
        let sends: Vec<_> = (0..8)
            .map(|_| {
                let (log, case, key) = (log.clone(), case.clone(), key.clone());
                tokio::spawn(async move {
                    log.execute(&case, command(trip()), Some(2), &WHY, Some(&key), None)
                        .await
                })
            })
            .collect();
        for send in sends {
            assert_eq!(version_of(send.await.unwrap()), 3, "round {round}");
        }
    }
}

/// Thirty-two sends of one filing: each would file a case of its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parallel_filings_with_one_key_make_one_case() {
    let log = log().await;
    let key = key("visitor:1", "k", 1);
    let sends: Vec<_> = (1..=32)
        .map(|n| {
            let (log, key) = (log.clone(), key.clone());
            let case = submission_of(n).case.to_string();
            tokio::spawn(async move {
                match run_with_key(&log, &case, CaseAct::SubmitAppeal(submission_of(n)), &key)
                    .await
                    .unwrap()
                {
                    Outcome::Appended(_) => case,
                    Outcome::Replayed(answer) => answer.aggregate_id,
                    Outcome::Unchanged { .. } => panic!("a filing changes something"),
                }
            })
        })
        .collect();
    let mut cases = Vec::new();
    for send in sends {
        cases.push(send.await.unwrap());
    }
    cases.dedup();
    assert_eq!(cases.len(), 1);
    assert_eq!(
        (
            count(log.pool(), "events").await,
            count(log.pool(), "requests").await
        ),
        (1, 1)
    );
}
