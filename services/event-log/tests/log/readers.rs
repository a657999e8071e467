//! A reader by (transaction, position) below the horizon sees everything once, however late it commits.

use crate::common::*;
use async_trait::async_trait;
use onetrip_event_log::{
    AppendHook, Cursor, Horizon, LogError, LoggedEvent, Outcome, Pool, backlog, horizon_age, read_page,
};
use onetrip_testkit::submission_of;
use sqlx::PgConnection;
use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU32, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};
use tokio::sync::{oneshot, watch};

/// Other tests share the server, and the horizon is that of the whole server: what has settled shows soon, not at once.
const PATIENCE: Duration = Duration::from_secs(30);

async fn page(pool: &Pool, after: Cursor, horizon: Horizon) -> Vec<LoggedEvent> {
    read_page(&mut pool.acquire().await.unwrap(), "case", after, 7, horizon)
        .await
        .unwrap()
}

/// Follows the log until `enough` says so.
async fn follow(pool: &Pool, enough: impl Fn(&[LoggedEvent]) -> bool) -> Vec<LoggedEvent> {
    let start = Instant::now();
    let mut seen: Vec<LoggedEvent> = Vec::new();
    while !enough(&seen) {
        assert!(
            start.elapsed() < PATIENCE,
            "the reader got stuck after {} events",
            seen.len()
        );
        let after = seen.last().map(|event| event.cursor).unwrap_or_default();
        seen.extend(page(pool, after, Horizon::Settled).await);
    }
    seen
}

/// Keeps the transaction of an append open until told to let it go.
struct Held {
    began: std::sync::Mutex<Option<oneshot::Sender<()>>>,
    release: watch::Receiver<u64>,
    /// Held until this many others have committed.
    until: u64,
    fails: bool,
}

#[async_trait]
impl AppendHook for Held {
    async fn run(&self, _: &mut PgConnection) -> Result<(), sqlx::Error> {
        if let Some(began) = self.began.lock().unwrap().take() {
            let _ = began.send(());
        }
        let mut release = self.release.clone();
        let _ = release.wait_for(|committed| *committed >= self.until).await;
        if self.fails {
            Err(sqlx::Error::WorkerCrashed)
        } else {
            Ok(())
        }
    }
}

fn held(release: &watch::Receiver<u64>, until: u64, fails: bool) -> (Held, oneshot::Receiver<()>) {
    let (began, has_begun) = oneshot::channel();
    (
        Held {
            began: std::sync::Mutex::new(Some(began)),
            release: release.clone(),
            until,
            fails,
        },
        has_begun,
    )
}

#[tokio::test]
async fn what_commits_late_is_waited_for_and_not_skipped() {
    let log = log().await;
    let [slow, fast] = [file(&log, 1).await, file(&log, 2).await];
    let (release, released) = watch::channel(0);
    let (hook, has_begun) = held(&released, 1, false);
    let writer = tokio::spawn({
        let (log, slow) = (log.clone(), slow.clone());
        async move { run_with_hook(&log, &slow, supplement("慢"), &hook).await }
    });
    has_begun.await.unwrap();
    run(&log, &fast, supplement("快")).await.unwrap();

    let committed = page(log.pool(), Cursor::default(), Horizon::Committed).await;
    assert_eq!(committed.len(), 3, "the fast one is committed");
    let seen = follow(log.pool(), |seen| seen.len() >= 2).await;
    let after = seen[1].cursor;
    assert_eq!(
        seen.len(),
        2,
        "and yet below the horizon there are the two filings only"
    );
    assert!(page(log.pool(), after, Horizon::Settled).await.is_empty());

    release.send(1).unwrap();
    writer.await.unwrap().unwrap();
    let seen = follow(log.pool(), |seen| seen.len() >= 4).await;
    let order: Vec<&str> = seen
        .iter()
        .skip(2)
        .map(|event| event.aggregate_id.as_str())
        .collect();
    assert_eq!(order, [slow, fast], "the late one comes first: it began first");
}

#[tokio::test]
async fn an_aborted_append_leaves_no_hole_that_anybody_waits_for() {
    let log = log().await;
    let case = file(&log, 1).await;
    let (_release, released) = watch::channel(0);
    let (hook, _) = held(&released, 0, true);
    let done = run_with_hook(&log, &case, supplement("没了"), &hook).await;
    assert!(matches!(done, Err(LogError::Database(_))), "{done:?}");
    run(&log, &case, supplement("还在")).await.unwrap();
    let seen = follow(log.pool(), |seen| seen.len() >= 2).await;
    assert_eq!(
        seen.iter().map(|event| event.sequence).collect::<Vec<_>>(),
        [1, 2]
    );
    assert!(
        seen[1].cursor.position > seen[0].cursor.position + 1,
        "the position of the aborted one is gone"
    );
}

/// Slow and aborting writers among fast ones, all on a few cases, and a reader that never stops reading.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_among_slow_and_failing_writers_sees_all_once_and_in_sequence() {
    let log = log().await;
    let mut shared = Vec::new();
    for n in 1..=4 {
        shared.push(file(&log, n).await);
    }
    let (committed, commits) = watch::channel(0_u64);
    let newest = Arc::new(AtomicI64::new(0));
    let overtaken = Arc::new(AtomicU32::new(0));

    let mut writers = Vec::new();
    for writer in 0..3_u64 {
        let (log, shared, committed, newest) = (
            log.clone(),
            shared.clone(),
            committed.clone(),
            Arc::clone(&newest),
        );
        writers.push(tokio::spawn(async move {
            for round in 0..60_usize {
                let case = &shared[(round + writer as usize) % shared.len()];
                newest.fetch_max(position_of(run(&log, case, supplement("快")).await), Relaxed);
                committed.send_modify(|count| *count += 1);
            }
        }));
    }
    for writer in 0..3_u64 {
        let (log, commits) = (log.clone(), commits.clone());
        let (newest, overtaken) = (Arc::clone(&newest), Arc::clone(&overtaken));
        writers.push(tokio::spawn(async move {
            for round in 0..15_u64 {
                let n = u32::try_from(100 + writer * 100 + round).unwrap();
                let case = file(&log, n).await;
                // Held while others commit; the last fast one lets everybody go.
                let until = (*commits.borrow() + 1 + (round + writer) % 5).min(180);
                let (hook, _) = held(&commits, until, round % 3 == 0);
                let done = run_with_hook(&log, &case, supplement("慢"), &hook).await;
                assert_eq!(done.is_ok(), round % 3 != 0, "{done:?}");
                if done.is_ok() && position_of(done) < newest.load(Relaxed) {
                    overtaken.fetch_add(1, Relaxed);
                }
            }
        }));
    }
    let expected = 4 + 3 * 60 + 3 * 15 + 3 * 10;
    let reader = tokio::spawn({
        let pool = log.pool().clone();
        async move { follow(&pool, |seen| seen.len() >= expected).await }
    });
    for writer in writers {
        writer.await.unwrap();
    }
    let seen = reader.await.unwrap();

    assert_eq!(
        count(log.pool(), "events").await,
        i64::try_from(expected).unwrap()
    );
    assert_eq!(seen.len(), expected);
    let mut newest: HashMap<&str, i64> = HashMap::new();
    for event in &seen {
        let before = newest.insert(&event.aggregate_id, event.sequence).unwrap_or(0);
        assert_eq!(event.sequence, before + 1, "of {}", event.aggregate_id);
    }
    assert!(seen.is_sorted_by_key(|event| event.cursor));
    assert!(
        overtaken.load(Relaxed) > 0,
        "a reader by position alone would have skipped somebody: the test has really been one"
    );
}

fn position_of(done: Done) -> i64 {
    match done.unwrap() {
        Outcome::Appended(appended) => appended.cursor.position,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_reader_gets_only_its_own_kind_of_aggregate() {
    let log = log().await;
    file(&log, 1).await;
    let mut connection = log.pool().acquire().await.unwrap();
    let other = read_page(
        &mut connection,
        "meeting",
        Cursor::default(),
        7,
        Horizon::Committed,
    )
    .await
    .unwrap();
    assert!(other.is_empty());
}

#[tokio::test]
async fn what_is_still_to_be_read_is_counted() {
    let log = log().await;
    let case = file(&log, 1).await;
    run(&log, &case, supplement("一")).await.unwrap();
    let mut connection = log.pool().acquire().await.unwrap();
    let (all, oldest) = backlog(&mut connection, "case", Cursor::default()).await.unwrap();
    assert_eq!((all, oldest.is_some()), (2, true));
    let page = read_page(&mut connection, "case", Cursor::default(), 7, Horizon::Committed)
        .await
        .unwrap();
    assert_eq!(
        backlog(&mut connection, "case", page[0].cursor).await.unwrap().0,
        1
    );
    assert_eq!(
        backlog(&mut connection, "case", page[1].cursor).await.unwrap(),
        (0, None)
    );
}

#[tokio::test]
async fn a_transaction_that_holds_readers_back_has_an_age() {
    let log = log().await;
    let case = file(&log, 1).await;
    let (release, released) = watch::channel(0);
    let (hook, has_begun) = held(&released, 1, false);
    let writer = tokio::spawn({
        let log = log.clone();
        async move { run_with_hook(&log, &case, supplement("慢"), &hook).await }
    });
    has_begun.await.unwrap();
    let age = horizon_age(&mut log.pool().acquire().await.unwrap())
        .await
        .unwrap();
    assert!(age.seconds > 0.0);
    release.send(1).unwrap();
    writer.await.unwrap().unwrap();
}

/// The nudge that wakes readers of this process comes after the commit.
#[tokio::test]
async fn an_append_wakes_who_waits_for_one() {
    let log = log().await;
    let mut waiting = Box::pin(log.appended());
    assert!(futures::poll!(&mut waiting).is_pending());
    file(&log, 1).await;
    tokio::time::timeout(PATIENCE, waiting).await.expect("woken");
    assert_eq!(
        log.known(&[submission_of(1).case.to_string()])
            .await
            .unwrap()
            .len(),
        1
    );
}
