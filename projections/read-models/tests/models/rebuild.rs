//! A read model built anew from the log is the one that was there.

use crate::common::*;
use async_trait::async_trait;
use onetrip_event_log::{AppendHook, Cursor, EventLog, NoInline};
use onetrip_model::{
    Case, CaseAct, CaseFact, CaseId, Subject,
    case::{RunOnceLimit, Submission, Verdict},
};
use onetrip_read_models::{RunOnceLedger, all};
use onetrip_runner::{rebuild, rebuild_locked};
use onetrip_testkit::*;
use sqlx::PgConnection;
use std::sync::Mutex;
use tokio::{
    sync::{oneshot, watch},
    task::JoinHandle,
};

async fn rebuild_all(world: &World) {
    for projection in all() {
        rebuild(&world.pool, &*projection, &mut |_| {})
            .await
            .unwrap_or_else(|error| panic!("{}: {error}", projection.name()));
    }
    rebuild_locked(&world.pool, &ledger(), &mut |_| {})
        .await
        .unwrap_or_else(|error| panic!("run_once: {error}"));
    world.settle().await;
}

async fn assert_rebuild_changes_nothing(world: &World) {
    world.settle().await;
    let live = world.digests().await;
    rebuild_all(world).await;
    for ((table, before), (_, after)) in live.into_iter().zip(world.digests().await) {
        assert_eq!(after, before, "{table} is another after its rebuild");
    }
}

#[tokio::test]
async fn every_read_model_is_the_same_after_a_rebuild() {
    let world = world().await;
    let journeys = journeys(60);
    assert!(has(&journeys, |fact| matches!(
        fact,
        CaseFact::CaseReopened { .. }
    )));
    assert!(has(&journeys, |fact| matches!(
        fact,
        CaseFact::LimitWaived { .. }
    )));
    assert!(has(&journeys, |fact| matches!(
        fact,
        CaseFact::HandOverTaken { .. }
    )));
    assert!(has(&journeys, |fact| matches!(
        fact,
        CaseFact::SilenceRecorded { .. }
    )));
    for journey in &journeys {
        world.live(journey).await;
    }
    assert_rebuild_changes_nothing(&world).await;
}

#[tokio::test]
async fn a_rebuild_says_how_far_it_is() {
    let world = world().await;
    for journey in journeys(20) {
        world.live(&journey).await;
    }
    let mut reported = Vec::new();
    let events = rebuild_locked(&world.pool, &ledger(), &mut |progress| {
        reported.push(progress.events)
    })
    .await
    .unwrap();
    assert_eq!(reported.last(), Some(&events));
    assert_eq!(events, count(&world).await);
}

async fn count(world: &World) -> u64 {
    world.events().await.len() as u64
}

fn closing() -> [CaseAct; 4] {
    [
        CaseAct::Accept,
        CaseAct::Assign {
            unit: URBAN.into(),
            contact_cadre: None,
        },
        CaseAct::GiveResult {
            words: "修好".to_owned(),
            evidence: Vec::new(),
            place_proof: after_photo(),
            promise: None,
        },
        CaseAct::Rate(rating(Verdict::Solved, 5, None)),
    ]
}

fn the_same_matter_again(previous: bool) -> Submission {
    let first = submission_of(1);
    Submission {
        person: first.person,
        matter: first.matter,
        previous: previous.then_some(first.case),
        ..submission_of(2)
    }
}

#[tokio::test]
async fn the_ledger_of_a_matter_that_was_closed_and_filed_again_is_rebuilt() {
    let world = world().await;
    let first = world.file(submission_of(1)).await.unwrap();
    for act in closing() {
        world.run(&first, act).await.unwrap();
    }
    world.file(the_same_matter_again(true)).await.unwrap();
    assert_rebuild_changes_nothing(&world).await;
}

/// Writes an event and keeps its place until told to take it back: whoever wants to write the same one has begun, and
/// waits.
async fn hold_place(world: &World, case: CaseId, act: CaseAct) -> (watch::Sender<bool>, JoinHandle<Done>) {
    // With the key there, the event is the first thing that anybody waits for.
    let mut connection = world.pool.acquire().await.unwrap();
    world
        .log
        .vault()
        .seal_bytes(&mut connection, Subject::Case(case), b"")
        .await
        .unwrap();
    let (began, has_begun) = oneshot::channel();
    let (release, released) = watch::channel(false);
    let hook = Held {
        began: Mutex::new(Some(began)),
        released,
        fails: true,
    };
    let log: EventLog<Case> = EventLog::new(
        world.pool.clone(),
        world.log.vault().clone(),
        NoInline,
        Vec::new(),
    );
    let holding = tokio::spawn(async move {
        log.execute(&case.to_string(), command(act), None, &WHY, None, Some(&hook))
            .await
    });
    has_begun.await.unwrap();
    (release, holding)
}

/// Until somebody in this database waits for a lock.
async fn until_somebody_waits(world: &World) {
    let start = std::time::Instant::now();
    loop {
        let waiting: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
        )
        .fetch_one(&world.pool)
        .await
        .unwrap();
        if waiting > 0 {
            return;
        }
        assert!(
            start.elapsed() < std::time::Duration::from_secs(30),
            "nobody waits"
        );
    }
}

/// The reading order is that in which transactions began, not that in which they got their locks.
#[tokio::test]
async fn the_ledger_is_rebuilt_where_a_filing_began_before_the_closing_it_waited_for() {
    let world = world().await;
    let first = world.file(submission_of(1)).await.unwrap();
    let [accept, assign, give, rate] = closing();
    for act in [accept, assign, give] {
        world.run(&first, act).await.unwrap();
    }
    let again = the_same_matter_again(true);
    let (release, held) = hold_place(&world, again.case, CaseAct::SubmitAppeal(again.clone())).await;
    let filing = tokio::spawn({
        let world = world.clone();
        async move { world.file(again).await }
    });
    until_somebody_waits(&world).await;
    world.run(&first, rate).await.unwrap();
    release.send(true).unwrap();
    assert!(held.await.unwrap().is_err(), "taken back");
    filing.await.unwrap().unwrap();
    assert_rebuild_changes_nothing(&world).await;
}

#[tokio::test]
async fn the_ledger_is_rebuilt_where_a_paper_was_asked_for_just_before_it_was_handed_over_elsewhere() {
    let world = world().await;
    let first = world.file(submission_of(1)).await.unwrap();
    let second = world
        .file(Submission {
            person: submission_of(1).person,
            ..submission_of(2)
        })
        .await
        .unwrap();
    let [accept, assign, ..] = closing();
    for case in [&first, &second] {
        world.run(case, accept.clone()).await.unwrap();
        world.run(case, assign.clone()).await.unwrap();
    }
    let request = || CaseAct::RequestMaterials {
        items: vec![ask("lease")],
        held: Vec::new(),
    };
    world.run(&first, request()).await.unwrap();
    let more = CaseAct::AddSupplement {
        words: "还有".to_owned(),
        attachments: Vec::new(),
        from_filing: false,
    };
    let (release, held) = hold_place(&world, submission_of(1).case, more).await;
    let answering = tokio::spawn({
        let world = world.clone();
        let answer = CaseAct::AnswerRequest {
            handed_over: vec!["lease".to_owned()],
            words: String::new(),
            attachments: Vec::new(),
        };
        async move { world.run(&first, answer).await }
    });
    until_somebody_waits(&world).await;
    world.run(&second, request()).await.unwrap();
    release.send(true).unwrap();
    assert!(held.await.unwrap().is_err(), "taken back");
    answering.await.unwrap().unwrap();
    assert_rebuild_changes_nothing(&world).await;
}

#[tokio::test]
async fn the_ledger_is_rebuilt_under_a_policy_that_has_become_stricter() {
    let world = world().await;
    let case = world.file(submission_of(1)).await.unwrap();
    let untouched = world.file(submission_of(2)).await.unwrap();
    let [accept, assign, ..] = closing();
    let trip = || CaseAct::AskTrip {
        to_place: "街道".to_owned(),
        reason: "核对".to_owned(),
    };
    let waive = CaseAct::WaiveLimit {
        limit: RunOnceLimit::Trip,
        reason: "遗失".to_owned(),
    };
    let request = CaseAct::RequestMaterials {
        items: vec![ask("lease")],
        held: Vec::new(),
    };
    for act in [accept, assign, trip(), waive, trip(), request] {
        world.run(&case, act).await.unwrap();
    }
    let mut strict = rules().policy.clone();
    strict.run_once.trips_max = 0;
    strict.run_once.material_requests_max = 0;
    rebuild_locked(&world.pool, &RunOnceLedger::new(&strict), &mut |_| {})
        .await
        .unwrap();
    for (case, expected) in [(&case, (2, 2, 1, 1)), (&untouched, (0, 0, 0, 0))] {
        let found: (i32, i32, i32, i32) = sqlx::query_as(
            "SELECT trips, trips_max, material_requests, material_requests_max FROM run_once_cases
             WHERE case_id = $1::uuid",
        )
        .bind(case)
        .fetch_one(&world.pool)
        .await
        .unwrap();
        assert_eq!(found, expected);
    }
}

/// Writers go on while everything is rebuilt, several times; nothing is lost and nothing counted twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rebuild_under_load_loses_nothing() {
    let world = world().await;
    for journey in journeys(20) {
        world.live(&journey).await;
    }
    let (stop, stopped) = watch::channel(false);
    let writers: Vec<_> = (0..3_u32)
        .map(|writer| {
            let (world, stopped) = (world.clone(), stopped.clone());
            tokio::spawn(async move {
                let mut written = 0;
                while !*stopped.borrow() {
                    let n = 1_000 + writer * 10_000 + written;
                    let case = world.file(submission_of(n)).await.unwrap();
                    let trip = CaseAct::AskTrip {
                        to_place: "街道".to_owned(),
                        reason: "核对".to_owned(),
                    };
                    let [accept, assign, give, rate] = closing();
                    for act in [accept, assign, trip, give, rate] {
                        world.run(&case, act).await.unwrap();
                    }
                    written += 1;
                }
                written
            })
        })
        .collect();
    let follower = tokio::spawn({
        let (world, stopped) = (world.clone(), stopped.clone());
        async move {
            while !*stopped.borrow() {
                world.runner.catch_up().await.unwrap();
            }
        }
    });
    for _ in 0..4 {
        for projection in all() {
            rebuild(&world.pool, &*projection, &mut |_| {}).await.unwrap();
        }
        rebuild_locked(&world.pool, &ledger(), &mut |_| {}).await.unwrap();
    }
    stop.send(true).unwrap();
    let mut written = 0;
    for writer in writers {
        written += writer.await.unwrap();
    }
    follower.await.unwrap();
    world.settle().await;
    let closed: i64 =
        sqlx::query_scalar("SELECT count(*) FROM run_once_matters WHERE NOT open AND closed_by = $1")
            .bind(URBAN)
            .fetch_one(&world.pool)
            .await
            .unwrap();
    assert!(closed >= i64::from(written));
    assert_rebuild_changes_nothing(&world).await;
}

/// Keeps an append open until released.
struct Held {
    began: Mutex<Option<oneshot::Sender<()>>>,
    released: watch::Receiver<bool>,
    fails: bool,
}

#[async_trait]
impl AppendHook for Held {
    async fn run(&self, _: &mut PgConnection) -> Result<(), sqlx::Error> {
        if let Some(began) = self.began.lock().unwrap().take() {
            let _ = began.send(());
        }
        let _ = self.released.clone().wait_for(|released| *released).await;
        if self.fails {
            Err(sqlx::Error::WorkerCrashed)
        } else {
            Ok(())
        }
    }
}

#[tokio::test]
async fn a_rebuild_leaves_to_the_runner_what_was_not_settled() {
    let world = world().await;
    let case = world.file(submission_of(1)).await.unwrap();
    let (began, has_begun) = oneshot::channel();
    let (release, released) = watch::channel(false);
    let hook = Held {
        began: Mutex::new(Some(began)),
        released,
        fails: false,
    };
    let writer = tokio::spawn({
        let world = world.clone();
        async move {
            world
                .log
                .execute(&case, command(CaseAct::Accept), None, &WHY, None, Some(&hook))
                .await
        }
    });
    has_begun.await.unwrap();
    for projection in all() {
        rebuild(&world.pool, &*projection, &mut |_| {}).await.unwrap();
    }
    release.send(true).unwrap();
    writer.await.unwrap().unwrap();
    world.settle().await;
    let stages: Vec<String> = sqlx::query_scalar("SELECT stage FROM case_files")
        .fetch_all(&world.pool)
        .await
        .unwrap();
    assert_eq!(stages, ["accepted"]);
}

#[tokio::test]
async fn a_read_model_of_another_version_is_rebuilt_at_the_start() {
    let world = world().await;
    world.live(&handled()).await;
    world.settle().await;
    sqlx::query("UPDATE checkpoints SET version = 0 WHERE projection = 'queue'")
        .execute(&world.pool)
        .await
        .unwrap();
    sqlx::query("UPDATE queue_entries SET stage = 'nonsense'")
        .execute(&world.pool)
        .await
        .unwrap();
    world.runner.prepare().await.unwrap();
    world.settle().await;
    let stages: Vec<String> = sqlx::query_scalar("SELECT stage FROM queue_entries")
        .fetch_all(&world.pool)
        .await
        .unwrap();
    assert_eq!(stages, ["handling"]);
    assert!(world.end_of_log().await > Cursor::default());
}

/// Written by a version of the service that is not this one.
#[tokio::test]
async fn an_event_nobody_knows_is_left_out_with_what_follows_it_and_counted() {
    use cqrs_es::persist::{PersistedEventRepository, SerializedEvent};
    let world = world().await;
    let first = world.file(submission_of(1)).await.unwrap();
    let second = world.file(submission_of(2)).await.unwrap();
    let [accept, ..] = closing();
    let newer = serde_json::json!({ "at": "2026-11-26T08:00:00Z", "by": "service", "channel": "service",
                                    "fact": { "CaseTranslated": { "language": "en" } } });
    let newer = SerializedEvent::new(
        first.clone(),
        2,
        "case".to_owned(),
        "CaseTranslated".to_owned(),
        "1.0".to_owned(),
        newer,
        serde_json::json!({}),
    );
    postgres_es::PostgresEventRepository::new(sqlx::PgPool::connect_lazy_with(world.pool.options().clone()))
        .persist::<Case>(&[newer], None)
        .await
        .unwrap();
    world.run(&second, accept).await.unwrap();
    let parked = async || -> Vec<(String, i64)> {
        let lags = world.runner.lag().await.unwrap();
        lags.into_iter()
            .map(|lag| (lag.projection.to_owned(), lag.parked))
            .collect()
    };
    let expected: Vec<(String, i64)> = onetrip_read_models::NAMES
        .iter()
        .map(|name| ((*name).to_owned(), 1))
        .collect();
    world.settle().await;
    let rows = async || -> Vec<(String, i64)> {
        sqlx::query_as("SELECT stage, version FROM queue_entries ORDER BY version, stage")
            .fetch_all(&world.pool)
            .await
            .unwrap()
    };
    let both = [("submitted".to_owned(), 1), ("accepted".to_owned(), 2)];
    assert_eq!((parked().await, rows().await), (expected.clone(), both.to_vec()));
    // A rebuild by history comes to the same.
    let before = world.digests().await;
    for projection in all() {
        rebuild(&world.pool, &*projection, &mut |_| {}).await.unwrap();
    }
    world.settle().await;
    assert_eq!((parked().await, rows().await), (expected, both.to_vec()));
    assert_eq!(world.digests().await, before);
}
