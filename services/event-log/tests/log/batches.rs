//! Commands that share a transaction: each gets an answer of its own, and what is stored is chained.

use crate::common::*;
use futures::future::join_all;
use onetrip_event_log::{
    EventLog, FirstSeen, Limits, LogError, NoInline, Outcome,
    chain::{Link, NO_PREDECESSOR},
};
use onetrip_model::{CaseAct, Refusal, Subject};
use onetrip_testkit::submission_of;
use std::collections::HashSet;

async fn files(log: &Log, count: u32) -> Vec<String> {
    let mut cases = Vec::new();
    for n in 1..=count {
        cases.push(file(log, n).await);
    }
    cases
}

#[tokio::test]
async fn commands_that_come_together_share_transactions() {
    let log = log().await;
    let cases = files(&log, 32).await;
    let done = join_all(cases.iter().map(|case| run(&log, case, CaseAct::Accept))).await;
    let mut transactions = HashSet::new();
    for done in done {
        let Ok(Outcome::Appended(appended)) = done else {
            panic!("{done:?}")
        };
        assert_eq!(appended.version, 2);
        transactions.insert(appended.cursor.transaction_id);
    }
    assert!(transactions.len() < 16, "{} transactions", transactions.len());
}

/// Files the `n`-th case, its subjects new, for the person thought to be behind a contact.
async fn file_first(log: &Log, n: u32, contact: [u8; 32]) -> Result<Outcome, LogError<Refusal>> {
    let submission = submission_of(n);
    let (case, person) = (submission.case, submission.person);
    let first_seen = FirstSeen {
        subjects: vec![Subject::Case(case), Subject::Person(person)],
        person: Some((person, contact)),
    };
    let (id, filing) = (case.to_string(), command(CaseAct::SubmitAppeal(submission)));
    let filed = log.execute_first(&id, filing, first_seen, &WHY, None, None);
    let (outcome, events) = filed.await?;
    assert_eq!(events.len(), 1, "what was appended comes with it");
    Ok(outcome)
}

fn contact(n: u32) -> [u8; 32] {
    [n as u8; 32]
}

#[tokio::test]
async fn filings_of_new_residents_share_transactions_too() {
    let log = log().await;
    let done = join_all((1..=32).map(|n| file_first(&log, n, contact(n)))).await;
    let mut transactions = HashSet::new();
    for done in done {
        let Ok(Outcome::Appended(appended)) = done else {
            panic!("{done:?}")
        };
        transactions.insert(appended.cursor.transaction_id);
    }
    assert!(transactions.len() < 16, "{} transactions", transactions.len());
    assert_eq!(count(log.pool(), "keys.data_keys").await, 64);
    let asked = join_all((1..=33).map(|n| log.person_behind(contact(n)))).await;
    for (n, found) in (1..).zip(asked) {
        let known = (n <= 32).then(|| submission_of(n).person);
        assert_eq!(found.unwrap(), known, "contact {n}");
    }
}

#[tokio::test]
async fn of_two_filings_that_both_meet_somebody_new_one_is_to_look_again_and_the_others_are_stored() {
    let log = log().await;
    // The third and the ninth are by the same resident.
    let done = join_all((1..=12).map(|n| file_first(&log, n, contact(if n == 9 { 3 } else { n })))).await;
    let known = |done: &Result<_, LogError<Refusal>>| matches!(done, Err(LogError::Taken { constraint }) if constraint == "persons_pkey");
    assert!(known(&done[2]) != known(&done[8]), "{:?} {:?}", done[2], done[8]);
    assert_eq!(done.iter().filter(|done| done.is_ok()).count(), 11, "{done:?}");
    assert_eq!(count(log.pool(), "events").await, 11);
    assert_eq!(count(log.pool(), "keys.data_keys").await, 22);
}

#[tokio::test]
async fn one_that_is_refused_takes_nobody_along() {
    let log = log().await;
    let cases = files(&log, 12).await;
    // Behind this process's back every third case has gone on: what is remembered of it is old.
    let other: Log = EventLog::new(log.pool().clone(), vault(), NoInline, Vec::new());
    for case in cases.iter().step_by(3) {
        run(&other, case, CaseAct::Accept).await.unwrap();
    }
    let done = join_all(cases.iter().map(|case| {
        let accept = command(CaseAct::Accept);
        log.execute(case, accept, Some(1), &WHY, None, None)
    }))
    .await;
    for (place, done) in done.into_iter().enumerate() {
        if place % 3 == 0 {
            assert!(
                matches!(
                    done,
                    Err(LogError::Stale {
                        expected: 1,
                        actual: 2
                    })
                ),
                "{done:?}"
            );
        } else {
            assert!(matches!(done, Ok(Outcome::Appended(_))), "{done:?}");
        }
    }
}

#[tokio::test]
async fn a_key_sent_for_many_cases_at_once_has_one_effect() {
    let log = log().await;
    let cases = files(&log, 20).await;
    let key = key("a", "k", 1);
    let done = join_all(
        cases
            .iter()
            .map(|case| run_with_key(&log, case, CaseAct::Accept, &key)),
    )
    .await;
    let mut answers = HashSet::new();
    for done in done {
        let cursor = match done.unwrap() {
            Outcome::Appended(appended) => appended.cursor,
            Outcome::Replayed(answer) => answer.cursor,
            other => panic!("{other:?}"),
        };
        answers.insert(cursor.position);
    }
    assert_eq!(answers.len(), 1, "all are told of the same event");
    assert_eq!(count(log.pool(), "events").await, 20 + 1);
}

#[tokio::test]
async fn a_caller_that_goes_away_stops_nobody() {
    let log = log().await;
    let cases = files(&log, 8).await;
    let mut gone = Box::pin(run(&log, &cases[0], CaseAct::Accept));
    // As far as the queue, and then away.
    for _ in 0..3 {
        if futures::poll!(&mut gone).is_ready() {
            break;
        }
        tokio::task::yield_now().await;
    }
    drop(gone);
    let done = join_all(cases[1..].iter().map(|case| run(&log, case, CaseAct::Accept))).await;
    assert!(done.iter().all(Result::is_ok), "{done:?}");
    // Whatever became of the first, the next one on that case is decided on it.
    assert_eq!(version_of(run(&log, &cases[0], CaseAct::Accept).await), 2);
}

#[tokio::test]
async fn more_than_may_wait_is_refused_at_once() {
    let limits = Limits {
        commands: 2,
        ..Limits::default()
    };
    let log = EventLog::with_limits(database().await, vault(), NoInline, Vec::new(), &limits);
    let cases = files(&log, 6).await;
    let done = join_all(cases.iter().map(|case| run(&log, case, CaseAct::Accept))).await;
    let busy = done
        .iter()
        .filter(|done| matches!(done, Err(LogError::Busy)))
        .count();
    let stored = done.iter().filter(|done| done.is_ok()).count();
    assert_eq!((stored, busy), (2, 4), "{done:?}");
}

#[tokio::test]
async fn what_another_process_did_is_seen_before_anything_is_refused() {
    let log = log().await;
    let case = file(&log, 1).await;
    let other: Log = EventLog::new(log.pool().clone(), vault(), NoInline, Vec::new());
    run(&other, &case, CaseAct::Accept).await.unwrap();
    let trip = run(&log, &case, trip()).await;
    assert_eq!(version_of(trip), 3, "an accepted case may ask for a trip");
    assert!(matches!(
        run(&other, &case, CaseAct::SubmitAppeal(submission_of(1))).await,
        Err(LogError::Refused(Refusal::WrongStage | Refusal::AlreadyFiled))
    ));
}

#[tokio::test]
async fn a_first_command_on_a_case_that_is_there_is_decided_on_it() {
    let log = log().await;
    let case = file(&log, 1).await;
    let done = log
        .execute_first(
            &case,
            command(CaseAct::Accept),
            FirstSeen::default(),
            &WHY,
            None,
            None,
        )
        .await;
    assert_eq!(version_of(done.map(|(outcome, _)| outcome)), 2);
}

#[tokio::test]
async fn a_subject_wrongly_thought_new_keeps_its_key() {
    let log = log().await;
    let case = file(&log, 1).await;
    let subject = onetrip_model::Subject::Case(submission_of(1).case);
    let first_seen = FirstSeen {
        subjects: vec![subject],
        person: None,
    };
    let other: Log = EventLog::new(log.pool().clone(), vault(), NoInline, Vec::new());
    let done = other
        .execute_first(&case, command(supplement("还有")), first_seen, &WHY, None, None)
        .await;
    assert_eq!(version_of(done.map(|(outcome, _)| outcome)), 2);
    assert_eq!(
        count(log.pool(), "keys.data_keys WHERE subject LIKE 'case:%'").await,
        1
    );
}

#[tokio::test]
async fn every_event_is_chained_to_the_one_before() {
    let log = log().await;
    let cases = files(&log, 3).await;
    for words in ["一", "二", "三"] {
        join_all(cases.iter().map(|case| run(&log, case, supplement(words)))).await;
    }
    type Row = (String, i64, String, String, String, String, Vec<u8>);
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT aggregate_id, sequence, event_type, event_version, payload::text, metadata::text, hash
         FROM events ORDER BY aggregate_id, sequence",
    )
    .fetch_all(log.pool())
    .await
    .unwrap();
    assert_eq!(rows.len(), 12);
    let mut before = NO_PREDECESSOR;
    for (id, sequence, event_type, event_version, payload, metadata, hash) in rows {
        if sequence == 1 {
            before = NO_PREDECESSOR;
        }
        let link = Link {
            aggregate_type: "case",
            aggregate_id: &id,
            sequence,
            event_type: &event_type,
            event_version: &event_version,
            payload: &payload,
            metadata: &metadata,
        };
        before = link.hash(&before);
        assert_eq!(hash, before, "{id} {sequence}");
    }
}

#[tokio::test]
async fn what_nobody_waits_for_any_more_is_not_begun() {
    let pool = database().await;
    let limits = Limits {
        appenders: 1,
        ..Limits::default()
    };
    let log = Log::with_limits(pool.clone(), vault(), NoInline, Vec::new(), &limits);
    let cases = files(&log, 3).await;
    let mut held = pool.begin().await.unwrap();
    sqlx::query("LOCK TABLE events IN SHARE MODE")
        .execute(&mut *held)
        .await
        .unwrap();
    let accept = |n: usize| {
        let (log, case) = (log.clone(), cases[n].clone());
        async move { run(&log, &case, CaseAct::Accept).await }
    };
    // The first keeps the only appender, the others queue up behind it.
    let first = tokio::spawn(accept(0));
    let waiting = "pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    while count(&pool, waiting).await == 0 {
        tokio::task::yield_now().await;
    }
    let second = tokio::spawn(accept(1));
    while log.pressure().0 < 1 {
        tokio::task::yield_now().await;
    }
    second.abort();
    assert!(second.await.unwrap_err().is_cancelled());
    let third = tokio::spawn(accept(2));
    while log.pressure().0 < 2 {
        tokio::task::yield_now().await;
    }
    held.rollback().await.unwrap();
    for done in [first, third] {
        assert_eq!(version_of(done.await.unwrap()), 2);
    }
    assert_eq!(sequences(&pool, &cases[1]).await, [1]);
    // A retry does it.
    assert_eq!(version_of(accept(1).await), 2);
}
