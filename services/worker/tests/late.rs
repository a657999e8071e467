//! Late commits: inserts that are held while others commit, inserts that fail, sessions idle in a transaction, restarts of
//! the database, our writers and stock's on the same table, and every consumer of the log at work meanwhile: the read
//! models, one that counts, the sealer, and the run-once ledger, which our writers write inline. Nothing may be skipped,
//! nothing doubled.
//!
//! The short form runs with the other tests. The long one: `ONETRIP_LATE_SEEDS=20 ONETRIP_LATE_EVENTS=10000
//! ONETRIP_LATE_HOLD_MS=5000 cargo nextest run --release -p onetrip-worker --test late --no-capture`. A failure names
//! its seed; `ONETRIP_LATE_FIRST_SEED` begins with it. How threads meet differs from run to run; what is done does not.

use async_trait::async_trait;
use chrono::Utc;
use cqrs_es::{CqrsFramework, persist::PersistedEventStore};
use onetrip_cluster::{Cluster, Durability};
use onetrip_event_log::{
    Cursor, EventLog, Horizon, LoggedEvent, MasterKey, Pool, Vault, Why, horizon_age, read_page,
};
use onetrip_evidence::{Sealer, Signer, verify::Verifier};
use onetrip_model::{
    Case, CaseAct, CaseCommand, Channel,
    case::{FollowUp, FollowUpKind},
};
use onetrip_read_models::{RunOnceLedger, all};
use onetrip_runner::{LockedRebuild, Projection, ProjectionError, Runner, rebuild, rebuild_locked, wait_for};
use onetrip_testkit::{CADRE, URBAN, by_resident, moments::monday_9am, rules, submission_of};
use postgres_es::PostgresEventRepository;
use sqlx::{PgConnection, PgPool, postgres::PgPoolOptions};
use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

const PATIENCE: Duration = Duration::from_secs(120);
const OUR_WRITERS: u32 = 12;
const STOCK_WRITERS: u32 = 4;
/// Sessions that draw a transaction id and then do nothing.
const IDLERS: u64 = 2;
/// The sealer looks as often as it can, and signs heads while others write.
const SEAL_EVERY: Duration = Duration::from_millis(5);
const HEAD_EVERY: Duration = Duration::from_millis(100);

/// The extent of a run.
#[derive(Clone, Copy)]
struct Plan {
    seed: u64,
    events: u64,
    /// Inserts are held for up to so long.
    hold: Duration,
    restarts: u32,
}

fn setting(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |value| {
        value
            .parse()
            .unwrap_or_else(|_| panic!("{name} is a number, not {value}"))
    })
}

/// Numbers, the same for each seed (splitmix64).
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit.max(1)
    }
}

/// Writes down every event it is given, and how often.
struct Counting;

#[async_trait]
impl Projection for Counting {
    fn name(&self) -> &'static str {
        "counting"
    }

    fn version(&self) -> i32 {
        1
    }

    fn aggregate_type(&self) -> &'static str {
        "case"
    }

    fn tables(&self) -> &'static [&'static str] {
        &["counted"]
    }

    async fn apply(
        &self,
        connection: &mut PgConnection,
        page: &[LoggedEvent],
    ) -> Result<(), ProjectionError> {
        let ids: Vec<&str> = page.iter().map(|event| &*event.aggregate_id).collect();
        let sequences: Vec<i64> = page.iter().map(|event| event.sequence).collect();
        sqlx::query(
            "INSERT INTO counted SELECT id, sequence, 1 FROM unnest($1::text[], $2::bigint[]) AS new (id, sequence)
             ON CONFLICT (aggregate_id, sequence) DO UPDATE SET times = counted.times + 1",
        )
        .bind(&ids)
        .bind(&sequences)
        .execute(connection)
        .await?;
        Ok(())
    }
}

struct World {
    base: PathBuf,
    pool: PgPool,
    log: EventLog<Case>,
    sealer: Sealer,
    plan: Plan,
    /// Events that were acknowledged.
    written: AtomicU64,
}

impl World {
    async fn make(plan: Plan) -> World {
        let base = std::env::temp_dir()
            .join(format!("onetrip-late-{}-{}", plan.seed, std::process::id()))
            .join("server");
        let cluster = ensure(&base).await;
        let url = cluster.ensure_database("late").await.expect("a database");
        let pool = PgPoolOptions::new()
            .max_connections(STOCK_WRITERS + 8)
            .acquire_timeout(PATIENCE)
            .connect(&url)
            .await
            .expect("a pool");
        sqlx::migrate!("../../migrations")
            .run(&pool)
            .await
            .expect("migrations");
        let hold = plan.hold.as_secs_f64();
        let trap = format!(
            "CREATE TABLE counted (aggregate_id text, sequence bigint, times integer NOT NULL,
                                   PRIMARY KEY (aggregate_id, sequence));
             CREATE FUNCTION late() RETURNS trigger LANGUAGE plpgsql AS $$
             BEGIN
                 -- By now the transaction id and the position are drawn.
                 IF random() < 0.02 THEN PERFORM pg_sleep(random() * {hold}); END IF;
                 IF random() < 0.02 THEN RAISE EXCEPTION 'aborted on purpose'; END IF;
                 RETURN NULL;
             END $$;
             CREATE TRIGGER late AFTER INSERT ON events FOR EACH ROW EXECUTE FUNCTION late()"
        );
        sqlx::raw_sql(&trap).execute(&pool).await.expect("the trap");
        let vault = Vault::new(&MasterKey::from_hex(&"07".repeat(32)).expect("64 digits"));
        let signer = Signer::new(&vault, "late.example").expect("a key");
        let ours = Pool::new(url.parse().expect("a URL"), 40, PATIENCE);
        let sealer = Sealer::new(ours.clone(), Arc::new(signer), HEAD_EVERY);
        let log = EventLog::new(ours, vault, RunOnceLedger::new(&rules().policy), Vec::new());
        World {
            base,
            pool,
            log,
            sealer,
            plan,
            written: AtomicU64::new(0),
        }
    }

    fn is_done(&self) -> bool {
        self.written.load(Relaxed) >= self.plan.events
    }

    /// Works on cases of its own until enough is written: files them and writes on them. What fails is tried again or left.
    async fn write(&self, writer: u32, is_stock: bool) {
        let store =
            PersistedEventStore::<_, Case>::new_event_store(PostgresEventRepository::new(self.pool.clone()));
        let stock = CqrsFramework::new(store, Vec::new(), ());
        let mut chance = Chance(self.plan.seed * 1_000 + u64::from(writer));
        let mut case = 0;
        while !self.is_done() {
            let submission = submission_of(first_case(writer) + case);
            let id = submission.case.to_string();
            case += 1;
            let mut acts = vec![
                CaseAct::SubmitAppeal(submission),
                CaseAct::Accept,
                CaseAct::Assign {
                    unit: URBAN.into(),
                    contact_cadre: Some(CADRE),
                },
            ];
            acts.extend((0..chance.below(8)).map(|_| note()));
            for act in acts {
                let done = if is_stock {
                    stock.execute(&id, command(act)).await.is_ok()
                } else {
                    let why = Why::request(Uuid::from_u128(1));
                    self.log
                        .execute(&id, command(act), None, &why, None, None)
                        .await
                        .is_ok()
                };
                if done {
                    self.written.fetch_add(1, Relaxed);
                } else {
                    // The database may be away for a moment.
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            }
        }
    }

    /// Holds the readers back again and again, and ends half of the time without a commit.
    async fn idle(&self, seed: u64) {
        let mut chance = Chance(seed);
        while !self.is_done() {
            let hold = Duration::from_micros(chance.below(self.plan.hold.as_micros() as u64));
            let held = async {
                let mut transaction = self.pool.begin().await?;
                sqlx::query("SELECT pg_current_xact_id()")
                    .execute(&mut *transaction)
                    .await?;
                tokio::time::sleep(hold).await;
                if chance.below(2) == 0 {
                    transaction.commit().await
                } else {
                    transaction.rollback().await
                }
            };
            if held.await.is_err() {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            tokio::time::sleep(hold).await;
        }
    }

    async fn restart(&self) {
        for restart in 1..=self.plan.restarts {
            let at = self.plan.events * u64::from(restart) / u64::from(self.plan.restarts + 1);
            while self.written.load(Relaxed) < at {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            let cluster = ensure(&self.base).await;
            tokio::task::spawn_blocking(move || cluster.stop())
                .await
                .expect("no panic")
                .expect("it stops");
            ensure(&self.base).await;
        }
    }

    /// Everything committed, in reading order.
    async fn events(&self) -> Vec<LoggedEvent> {
        let mut connection = self.pool.acquire().await.expect("a connection");
        read_page(
            &mut connection,
            "case",
            Cursor::default(),
            1_000_000,
            Horizon::Committed,
        )
        .await
        .expect("the log is read")
    }

    /// Seals until it is stopped; the database may be away for a moment.
    async fn seal(&self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            if !self.sealer.step(Utc::now()).await.is_ok_and(|sealed| sealed.more) {
                tokio::time::sleep(SEAL_EVERY).await;
            }
        }
    }

    /// Every event is one leaf of the tree, in its place, and the newest head stands for all of them.
    async fn check_tree(&self, events: usize) {
        let start = Instant::now();
        let report = loop {
            self.sealer.catch_up(Utc::now).await.expect("the log is sealed");
            let mut connection = self.log.pool().acquire().await.expect("a connection");
            let verifier = Verifier {
                key: self.sealer.signer().verifier(),
                outside: &[],
                progress: Arc::new(|_| ()),
            };
            let report = verifier.full(&mut connection, Vec::new()).await;
            let report = report.expect("the log is checked");
            let newest = report.newest.as_ref().map_or(0, |head| head.size);
            if newest == events as u64 || start.elapsed() > PATIENCE {
                break report;
            }
            tokio::time::sleep(HEAD_EVERY).await;
        };
        let newest = report.newest.map(|head| head.size);
        assert_eq!(
            (report.faults, report.events, report.sealed, newest),
            (Vec::new(), events as u64, events as u64, Some(events as u64)),
            "seed {}: the tree is not the log",
            self.plan.seed
        );
    }

    /// The ledger holds of every case that was written through it what its events say. Stock's writers know no ledger.
    async fn check_ledger(&self) {
        let ours = format!(
            "WHERE case_id < '{}'",
            submission_of(first_case(OUR_WRITERS)).case
        );
        let ledger = RunOnceLedger::new(&rules().policy);
        let live = self.digests(ledger.tables(), &ours).await;
        rebuild_locked(self.log.pool(), &ledger, &mut |_| {})
            .await
            .expect("a rebuild");
        assert_eq!(
            self.digests(ledger.tables(), &ours).await,
            live,
            "seed {}: the run-once ledger is another after its rebuild",
            self.plan.seed
        );
        let cases: i64 = sqlx::query_scalar(&format!("SELECT count(*) FROM run_once_cases {ours}"))
            .fetch_one(&self.pool)
            .await
            .expect("rows are read");
        assert!(cases > 0, "our writers have written through the ledger");
    }

    /// Of the rows of each table.
    async fn digests(&self, tables: &[&str], condition: &str) -> Vec<String> {
        let mut digests = Vec::new();
        for table in tables {
            let sql = format!(
                "SELECT coalesce(md5(string_agg(t::text, ',' ORDER BY t::text)), '') FROM {table} t {condition}"
            );
            let digest = sqlx::query_scalar(&sql).fetch_one(&self.pool).await;
            digests.push(digest.expect("rows are read"));
        }
        digests
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if let Ok(cluster) = Cluster::ensure(&self.base, Durability::Test) {
            let _ = cluster.stop();
        }
        let _ = std::fs::remove_dir_all(self.base.parent().expect("a folder of our own"));
    }
}

async fn ensure(base: &std::path::Path) -> Cluster {
    let base = base.to_owned();
    tokio::task::spawn_blocking(move || Cluster::ensure(&base, Durability::Test))
        .await
        .expect("no panic")
        .expect("a server of this test's own")
}

/// Each writer has numbers of its own.
fn first_case(writer: u32) -> u32 {
    writer * 100_000
}

fn command(act: CaseAct) -> CaseCommand {
    CaseCommand {
        at: monday_9am(),
        by: by_resident(),
        channel: Channel::Portal,
        rules: rules(),
        act,
    }
}

fn note() -> CaseAct {
    CaseAct::FollowUp(FollowUp {
        kind: FollowUpKind::Progress,
        reached: false,
        words: "看过".to_owned(),
    })
}

/// One seed: writes, then compares every consumer with the log. How many events there were, and how many of them come
/// after a later position in the reading order.
async fn run(plan: Plan) -> (usize, usize) {
    let world = Arc::new(World::make(plan).await);
    let mut consumers = all();
    consumers.push(Arc::new(Counting));
    let names: Vec<&str> = consumers.iter().map(|consumer| consumer.name()).collect();
    // Small pages too: every seed has its own.
    let page = [7, 100, 1_000][plan.seed as usize % 3];
    let runner = Runner::new(world.log.pool().clone(), consumers.clone())
        .with_pages_of(page)
        .with_shards("queue", 1 + u16::try_from(plan.seed % 3).expect("small"));
    runner.prepare().await.expect("checkpoints are made");
    let stop = CancellationToken::new();
    let following = tokio::spawn({
        let (runner, stop, log) = (runner.clone(), stop.clone(), world.log.clone());
        async move {
            runner
                .run(stop, move || {
                    let log = log.clone();
                    async move { log.appended().await }
                })
                .await;
        }
    });
    let sealing = tokio::spawn({
        let (world, stop) = (Arc::clone(&world), stop.clone());
        async move { world.seal(stop).await }
    });
    let mut tasks = tokio::task::JoinSet::new();
    for writer in 0..OUR_WRITERS + STOCK_WRITERS {
        let world = Arc::clone(&world);
        tasks.spawn(async move { world.write(writer, writer >= OUR_WRITERS).await });
    }
    for idler in 0..IDLERS {
        let world = Arc::clone(&world);
        tasks.spawn(async move { world.idle(plan.seed * 77 + idler).await });
    }
    tasks.spawn({
        let world = Arc::clone(&world);
        async move { world.restart().await }
    });
    while let Some(ended) = tasks.join_next().await {
        ended.expect("no task panics");
    }

    let events = world.events().await;
    let end = events.last().expect("something was written").cursor;
    let start = Instant::now();
    while !wait_for(world.log.pool(), &names, end, Duration::from_secs(1))
        .await
        .expect("checkpoints are read")
    {
        let age = horizon_age(&mut world.pool.acquire().await.expect("a connection")).await;
        assert!(
            start.elapsed() < PATIENCE,
            "seed {}: a consumer got stuck; {age:?}",
            plan.seed
        );
    }
    stop.cancel();
    following.await.expect("the runner ends");
    sealing.await.expect("the sealer ends");

    let counted: Vec<(String, i64, i32)> =
        sqlx::query_as("SELECT aggregate_id, sequence, times FROM counted ORDER BY aggregate_id, sequence")
            .fetch_all(&world.pool)
            .await
            .expect("the count");
    let mut expected: Vec<(String, i64, i32)> = events
        .iter()
        .map(|event| (event.aggregate_id.clone(), event.sequence, 1))
        .collect();
    expected.sort();
    let differing = expected
        .iter()
        .zip(&counted)
        .find(|(expected, counted)| expected != counted);
    assert_eq!(
        (counted.len(), differing),
        (expected.len(), None),
        "seed {}: an event was skipped or doubled",
        plan.seed
    );
    for lag in runner.lag().await.expect("the lag") {
        assert_eq!(lag.parked, 0, "seed {}: {}", plan.seed, lag.projection);
    }
    for consumer in all() {
        let live = world.digests(consumer.tables(), "").await;
        rebuild(world.log.pool(), &*consumer, &mut |_| {})
            .await
            .expect("a rebuild");
        assert_eq!(
            world.digests(consumer.tables(), "").await,
            live,
            "seed {}: {} is another after its rebuild",
            plan.seed,
            consumer.name()
        );
    }
    world.check_tree(events.len()).await;
    world.check_ledger().await;
    let mut highest = 0;
    let overtaken = events.iter().filter(|event| {
        let late = event.cursor.position < highest;
        highest = highest.max(event.cursor.position);
        late
    });
    (events.len(), overtaken.count())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn late_commits_are_neither_skipped_nor_doubled_by_anybody() {
    let first = setting("ONETRIP_LATE_FIRST_SEED", 1);
    let events = setting("ONETRIP_LATE_EVENTS", 600);
    let hold = Duration::from_millis(setting("ONETRIP_LATE_HOLD_MS", 300));
    let mut overtaken_of_all = 0;
    for seed in first..first + setting("ONETRIP_LATE_SEEDS", 1) {
        let start = Instant::now();
        let plan = Plan {
            seed,
            events,
            hold,
            restarts: 2,
        };
        let (events, overtaken) = run(plan).await;
        println!(
            "seed {seed}: {events} events, {overtaken} of them after a later position, 0 skipped, 0 doubled, {:.0} s",
            start.elapsed().as_secs_f64()
        );
        overtaken_of_all += overtaken;
    }
    assert!(
        overtaken_of_all > 0,
        "a reader by position alone would have skipped somebody: the test has really been one"
    );
}
