//! The runner on a real PostgreSQL: every event once, page by page, each page with its checkpoint or not at all.

use async_trait::async_trait;
use onetrip_event_log::{Cursor, EventLog, LoggedEvent, MasterKey, NoInline, Pool, Vault, Why};
use onetrip_model::{Case, CaseAct, CaseCommand, Channel};
use onetrip_runner::{Projection, ProjectionError, Runner, Waiting, rebuild, wait_for};
use onetrip_testkit::{by_resident, moments::monday_9am, rules, submission_of};
use sqlx::PgConnection;
use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicI32, Ordering},
    },
    time::{Duration, Instant},
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// Other tests share the server and its horizon: what was appended shows soon, not at once.
const PATIENCE: Duration = Duration::from_secs(30);

/// Counts events, and so notices each that comes twice.
struct Tally {
    version: AtomicI32,
    /// Fails once it has written, which a transaction has to undo.
    is_broken: AtomicBool,
    /// The aggregate whose events cannot be folded.
    poisoned: Mutex<Option<String>>,
    /// The aggregate whose events make the fold panic.
    panics_on: Mutex<Option<String>>,
}

#[async_trait]
impl Projection for Tally {
    fn name(&self) -> &'static str {
        "tally"
    }

    fn version(&self) -> i32 {
        self.version.load(Ordering::SeqCst)
    }

    fn aggregate_type(&self) -> &'static str {
        "case"
    }

    fn tables(&self) -> &'static [&'static str] {
        &["tally"]
    }

    async fn apply(
        &self,
        connection: &mut PgConnection,
        page: &[LoggedEvent],
    ) -> Result<(), ProjectionError> {
        for event in page {
            sqlx::query(
                "INSERT INTO tally VALUES ($1, 1) ON CONFLICT (position) DO UPDATE SET times = tally.times + 1",
            )
            .bind(event.cursor.position)
            .execute(&mut *connection)
            .await?;
            let panics_on = self.panics_on.lock().unwrap().clone();
            assert_ne!(panics_on.as_ref(), Some(&event.aggregate_id), "on purpose");
            if self.poisoned.lock().unwrap().as_ref() == Some(&event.aggregate_id) && event.sequence == 1 {
                return Err(serde_json::from_str::<u8>("poison").unwrap_err().into());
            }
        }
        if self.is_broken.load(Ordering::SeqCst) {
            Err(sqlx::Error::WorkerCrashed.into())
        } else {
            Ok(())
        }
    }
}

struct World {
    pool: Pool,
    log: EventLog<Case>,
    tally: Arc<Tally>,
    runner: Runner,
}

async fn world() -> World {
    let pool: Pool = onetrip_cluster::testing::test_database(&sqlx::migrate!("../../migrations"))
        .await
        .pool
        .into();
    sqlx::query("CREATE TABLE tally (position bigint PRIMARY KEY, times integer NOT NULL)")
        .execute(&pool)
        .await
        .expect("a table of this test's own");
    let vault = Vault::new(&MasterKey::from_hex(&"07".repeat(32)).expect("64 digits"));
    let log = EventLog::new(pool.clone(), vault, NoInline, Vec::new());
    let tally = Arc::new(Tally {
        version: AtomicI32::new(1),
        is_broken: AtomicBool::new(false),
        poisoned: Mutex::new(None),
        panics_on: Mutex::new(None),
    });
    let runner = Runner::new(pool.clone(), vec![Arc::clone(&tally) as Arc<dyn Projection>]);
    World {
        pool,
        log,
        tally,
        runner,
    }
}

impl World {
    async fn file(&self, n: u32) -> Cursor {
        file(&self.log, n).await
    }

    /// How many events were folded, and how often all together.
    async fn folded(&self) -> (i64, i64) {
        sqlx::query_as("SELECT count(*), coalesce(sum(times), 0) FROM tally")
            .fetch_one(&self.pool)
            .await
            .expect("the tally")
    }

    async fn catch_up(&self, to: Cursor) {
        let start = Instant::now();
        while !wait_for(&self.pool, &["tally"], to, Duration::ZERO)
            .await
            .expect("checkpoints are read")
        {
            self.runner.catch_up().await.expect("pages are folded");
            assert!(start.elapsed() < PATIENCE, "the runner got stuck");
        }
    }
}

async fn file(log: &EventLog<Case>, n: u32) -> Cursor {
    let submission = submission_of(n);
    let case = submission.case.to_string();
    let command = CaseCommand {
        at: monday_9am(),
        by: by_resident(),
        channel: Channel::Portal,
        rules: rules(),
        act: CaseAct::SubmitAppeal(submission),
    };
    match log
        .execute(
            &case,
            command,
            None,
            &Why::request(Uuid::from_u128(1)),
            None,
            None,
        )
        .await
    {
        Ok(onetrip_event_log::Outcome::Appended(appended)) => appended.cursor,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_new_projection_starts_at_the_beginning_and_reads_each_event_once() {
    let world = world().await;
    world.file(1).await;
    let end = world.file(2).await;
    world.runner.prepare().await.unwrap();
    world.catch_up(end).await;
    let end = world.file(3).await;
    world.catch_up(end).await;
    world.runner.catch_up().await.unwrap();
    assert_eq!(world.folded().await, (3, 3));
}

#[tokio::test]
async fn a_page_that_fails_leaves_neither_rows_nor_a_moved_checkpoint() {
    let world = world().await;
    world.runner.prepare().await.unwrap();
    let end = world.file(1).await;
    world.tally.is_broken.store(true, Ordering::SeqCst);
    let start = Instant::now();
    // Until the event has settled and the page is tried.
    while world.runner.catch_up().await.is_ok() {
        assert!(start.elapsed() < PATIENCE, "the page was never tried");
    }
    assert_eq!(world.folded().await, (0, 0));
    assert!(
        !wait_for(&world.pool, &["tally"], end, Duration::ZERO)
            .await
            .unwrap()
    );
    world.tally.is_broken.store(false, Ordering::SeqCst);
    world.catch_up(end).await;
    assert_eq!(world.folded().await, (1, 1));
}

#[tokio::test]
async fn waiting_ends_when_the_checkpoint_has_passed_and_not_before() {
    let world = world().await;
    let end = world.file(1).await;
    let has_passed = async || {
        wait_for(&world.pool, &["tally"], end, Duration::ZERO)
            .await
            .unwrap()
    };
    assert!(!has_passed().await, "there is no checkpoint yet");
    world.runner.prepare().await.unwrap();
    assert!(!has_passed().await, "nothing was read yet");
    world.catch_up(end).await;
    assert!(has_passed().await);
}

#[tokio::test]
async fn all_who_wait_together_are_told_when_the_checkpoint_has_passed_and_not_before() {
    let world = world().await;
    world.runner.prepare().await.unwrap();
    let waiting = Waiting::new(world.pool.clone(), &["tally"]);
    // The second round begins when nobody looks any more.
    for round in 1..=2 {
        let end = world.file(round).await;
        assert!(
            !waiting.passed(end, Duration::from_millis(50)).await,
            "round {round}"
        );
        let many: Vec<_> = (0..50)
            .map(|_| {
                let waiting = waiting.clone();
                tokio::spawn(async move { waiting.passed(end, PATIENCE).await })
            })
            .collect();
        world.catch_up(end).await;
        for one in many {
            assert!(one.await.unwrap(), "round {round}");
        }
    }
}

#[tokio::test]
async fn a_read_model_without_a_checkpoint_has_passed_nothing() {
    let world = world().await;
    world.runner.prepare().await.unwrap();
    let end = world.file(1).await;
    world.catch_up(end).await;
    let waiting = Waiting::new(world.pool.clone(), &["tally", "another"]);
    assert!(!waiting.passed(end, Duration::from_millis(50)).await);
}

/// Two instances of the service, both running, while cases are filed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_instances_fold_every_event_exactly_once() {
    let world = world().await;
    world.runner.prepare().await.unwrap();
    let stop = CancellationToken::new();
    let instances: Vec<_> = (0..2)
        .map(|_| {
            let (runner, log, stop) = (world.runner.clone(), world.log.clone(), stop.clone());
            tokio::spawn(async move {
                runner
                    .run(stop, move || {
                        let log = log.clone();
                        async move { log.appended().await }
                    })
                    .await;
            })
        })
        .collect();
    let writers: Vec<_> = (0..4)
        .map(|writer| {
            let log = world.log.clone();
            tokio::spawn(async move {
                let mut end = Cursor::default();
                for n in 0..50 {
                    end = file(&log, writer * 1_000 + n).await.max(end);
                }
                end
            })
        })
        .collect();
    let mut end = Cursor::default();
    for writer in writers {
        end = writer.await.unwrap().max(end);
    }
    assert!(wait_for(&world.pool, &["tally"], end, PATIENCE).await.unwrap());
    stop.cancel();
    for instance in instances {
        instance.await.unwrap();
    }
    assert_eq!(world.folded().await, (200, 200));
}

#[tokio::test]
async fn who_holds_the_checkpoint_is_not_disturbed() {
    let world = world().await;
    world.runner.prepare().await.unwrap();
    let end = world.file(1).await;
    let mut other = world.pool.begin().await.unwrap();
    sqlx::query("SELECT FROM checkpoints WHERE projection = 'tally' FOR UPDATE")
        .execute(&mut *other)
        .await
        .unwrap();
    world
        .runner
        .catch_up()
        .await
        .expect("it passes by without waiting");
    assert_eq!(world.folded().await, (0, 0));
    other.rollback().await.unwrap();
    world.catch_up(end).await;
    assert_eq!(world.folded().await, (1, 1));
}

#[tokio::test]
async fn a_rebuild_counts_every_event_anew() {
    let world = world().await;
    world.runner.prepare().await.unwrap();
    let end = world.file(1).await;
    world.catch_up(end).await;
    sqlx::query("UPDATE tally SET times = 7")
        .execute(&world.pool)
        .await
        .unwrap();
    rebuild(&world.pool, &*world.tally, &mut |_| {}).await.unwrap();
    world.catch_up(end).await;
    assert_eq!(world.folded().await, (1, 1));
}

#[tokio::test]
async fn a_failed_rebuild_leaves_the_old_rows() {
    let world = world().await;
    world.runner.prepare().await.unwrap();
    let end = world.file(1).await;
    world.catch_up(end).await;
    world.tally.is_broken.store(true, Ordering::SeqCst);
    // Below the horizon of the whole server there may be nothing to fold for a moment; then it fails not.
    let start = Instant::now();
    while rebuild(&world.pool, &*world.tally, &mut |_| {}).await.is_ok() {
        assert!(start.elapsed() < PATIENCE, "the rebuild never came to the event");
        world.tally.is_broken.store(false, Ordering::SeqCst);
        world.catch_up(end).await;
        world.tally.is_broken.store(true, Ordering::SeqCst);
    }
    assert_eq!(world.folded().await, (1, 1));
}

#[tokio::test]
async fn a_new_version_is_rebuilt_at_the_start() {
    let world = world().await;
    world.runner.prepare().await.unwrap();
    let end = world.file(1).await;
    world.catch_up(end).await;
    sqlx::query("UPDATE tally SET times = 7")
        .execute(&world.pool)
        .await
        .unwrap();
    world.tally.version.store(2, Ordering::SeqCst);
    world.runner.prepare().await.unwrap();
    world.catch_up(end).await;
    assert_eq!(world.folded().await, (1, 1));
}

#[tokio::test]
async fn lag_is_counted_in_events_and_seconds() {
    let world = world().await;
    world.runner.prepare().await.unwrap();
    world.file(1).await;
    let end = world.file(2).await;
    let behind = world.runner.lag().await.unwrap();
    assert_eq!((behind[0].projection, behind[0].events), ("tally", 2));
    assert!(behind[0].seconds > 0.0);
    world.catch_up(end).await;
    let caught_up = world.runner.lag().await.unwrap();
    assert_eq!((caught_up[0].events, caught_up[0].seconds), (0, 0.0));
}

async fn supplement(log: &EventLog<Case>, n: u32) -> Cursor {
    let command = CaseCommand {
        at: monday_9am(),
        by: by_resident(),
        channel: Channel::Portal,
        rules: rules(),
        act: CaseAct::AddSupplement {
            words: "还有".to_owned(),
            attachments: Vec::new(),
            from_filing: false,
        },
    };
    let why = Why::request(Uuid::from_u128(1));
    let case = submission_of(n).case.to_string();
    match log.execute(&case, command, None, &why, None, None).await {
        Ok(onetrip_event_log::Outcome::Appended(appended)) => appended.cursor,
        other => panic!("{other:?}"),
    }
}

async fn parked(world: &World) -> Vec<i64> {
    sqlx::query_scalar("SELECT sequence FROM parked_events WHERE projection = 'tally' ORDER BY sequence")
        .fetch_all(&world.pool)
        .await
        .unwrap()
}

#[tokio::test]
async fn an_event_that_cannot_be_folded_is_parked_with_what_follows_it_and_the_others_go_on() {
    let world = world().await;
    world.runner.prepare().await.unwrap();
    let bad = submission_of(2).case.to_string();
    world.tally.poisoned.lock().unwrap().replace(bad);
    for n in 1..=3 {
        world.file(n).await;
    }
    let end = supplement(&world.log, 2).await;
    world.catch_up(end).await;
    assert_eq!(world.folded().await, (2, 2));
    assert_eq!(parked(&world).await, [1, 2]);
    // Later pages leave it out as well.
    let end = supplement(&world.log, 2).await;
    world.catch_up(end).await;
    assert_eq!(parked(&world).await, [1, 2, 3]);
    assert_eq!(world.runner.lag().await.unwrap()[0].parked, 3);

    // Still poisoned, a rebuild parks it again; mended, it folds it.
    rebuild(&world.pool, &*world.tally, &mut |_| {}).await.unwrap();
    world.catch_up(end).await;
    assert_eq!((world.folded().await, parked(&world).await.len()), ((2, 2), 3));
    world.tally.poisoned.lock().unwrap().take();
    rebuild(&world.pool, &*world.tally, &mut |_| {}).await.unwrap();
    world.catch_up(end).await;
    assert_eq!((world.folded().await, parked(&world).await.len()), ((5, 5), 0));
}

/// A reader in the middle of something is not waited for with the door locked: others go on reading meanwhile.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rebuild_swaps_tables_without_keeping_readers_waiting() {
    let world = world().await;
    sqlx::query("CREATE INDEX tally_times ON tally (times)")
        .execute(&world.pool)
        .await
        .unwrap();
    world.runner.prepare().await.unwrap();
    let end = world.file(1).await;
    world.catch_up(end).await;

    let mut reader = world.pool.begin().await.unwrap();
    sqlx::query("SELECT FROM tally")
        .execute(&mut *reader)
        .await
        .unwrap();
    let rebuilding = tokio::spawn({
        let (pool, tally) = (world.pool.clone(), Arc::clone(&world.tally));
        async move { rebuild(&pool, &*tally, &mut |_| {}).await }
    });
    for _ in 0..20 {
        let start = Instant::now();
        assert_eq!(world.folded().await, (1, 1));
        assert!(
            start.elapsed() < Duration::from_secs(5),
            "a reader had to wait for a reader"
        );
    }
    assert!(!rebuilding.is_finished(), "the reader still has its table");
    reader.rollback().await.unwrap();
    rebuilding.await.unwrap().unwrap();
    world.catch_up(end).await;
    assert_eq!(world.folded().await, (1, 1));

    let indexes: Vec<String> =
        sqlx::query_scalar("SELECT indexname::text FROM pg_indexes WHERE tablename = 'tally' ORDER BY 1")
            .fetch_all(&world.pool)
            .await
            .unwrap();
    assert_eq!(indexes, ["tally_pkey", "tally_times"]);
}

#[tokio::test]
async fn a_fold_that_panics_is_parked_and_the_others_go_on() {
    let world = world().await;
    world.runner.prepare().await.unwrap();
    world
        .tally
        .panics_on
        .lock()
        .unwrap()
        .replace(submission_of(3).case.to_string());
    let mut end = Cursor::default();
    for n in 1..=6 {
        end = world.file(n).await;
    }
    world.catch_up(end).await;
    assert_eq!(world.folded().await, (5, 5));
    let error: String = sqlx::query_scalar("SELECT error FROM parked_events WHERE projection = 'tally'")
        .fetch_one(&world.pool)
        .await
        .unwrap();
    assert_eq!(error, "the fold panicked");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_runners_of_one_projection_fold_every_event_once_however_many_they_become() {
    let world = world().await;
    let many = |shards| world.runner.clone().with_shards("tally", shards);
    let rows = async || -> i64 {
        sqlx::query_scalar("SELECT count(*) FROM checkpoints WHERE projection = 'tally'")
            .fetch_one(&world.pool)
            .await
            .unwrap()
    };
    let mut filed = 0;
    for shards in [1, 3, 2, 1] {
        let runner = many(shards);
        runner.prepare().await.unwrap();
        assert_eq!(rows().await, i64::from(shards));
        let stop = CancellationToken::new();
        let (log, stopping, running) = (world.log.clone(), stop.clone(), runner.clone());
        let running = tokio::spawn(async move {
            running
                .run(stopping, move || {
                    let log = log.clone();
                    async move { log.appended().await }
                })
                .await;
        });
        let mut end = Cursor::default();
        for _ in 0..20 {
            filed += 1;
            end = world.file(filed).await;
        }
        assert!(wait_for(&world.pool, &["tally"], end, PATIENCE).await.unwrap());
        stop.cancel();
        running.await.unwrap();
        let lag = runner.lag().await.unwrap();
        assert_eq!((lag.len(), lag[0].events), (1, 0));
    }
    let filed = i64::from(filed);
    assert_eq!(world.folded().await, (filed, filed));
    // An instance that was started with another number does nothing.
    let end = world.file(1_000).await;
    many(4).catch_up().await.unwrap();
    assert!(
        !wait_for(&world.pool, &["tally"], end, Duration::ZERO)
            .await
            .unwrap()
    );
}

/// Full pages are read ahead; none is left out or folded twice by that.
#[tokio::test]
async fn a_runner_that_is_behind_reads_ahead_and_folds_every_event_once() {
    let world = world().await;
    world.runner.prepare().await.unwrap();
    let mut end = Cursor::default();
    for n in 0..23 {
        end = world.file(n).await;
    }
    let runner = world.runner.clone().with_pages_of(4);
    let start = Instant::now();
    while !wait_for(&world.pool, &["tally"], end, Duration::ZERO)
        .await
        .unwrap()
    {
        runner.catch_up().await.unwrap();
        assert!(start.elapsed() < PATIENCE);
    }
    assert_eq!(world.folded().await, (23, 23));
}
