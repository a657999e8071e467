use onetrip_event_log::{
    Cursor, EventLog, Horizon, LogError, LoggedEvent, MasterKey, NewStream, Outcome, Pool, Vault, Why,
    read_page,
};
use onetrip_model::{
    Case, CaseAct, CaseCommand, CaseFact, Channel, Refusal,
    case::{NextOwner, Submission},
};
use onetrip_read_models::{NAMES, RunOnceLedger, all};
use onetrip_runner::{Runner, wait_for};
use onetrip_testkit::{
    CADRE, Given, SAFETY, URBAN, accepted, ask, by_resident, days, given, moments::monday_9am, play, rules,
    steps_from,
};
use std::time::{Duration, Instant};
use uuid::Uuid;

pub const WHY: Why = Why {
    correlation_id: Uuid::from_u128(1),
    causation_id: Uuid::from_u128(2),
};

/// Other tests share the server and its horizon: what was appended shows soon, not at once.
const PATIENCE: Duration = Duration::from_secs(30);

pub type Done = Result<Outcome, LogError<Refusal>>;

/// A database with the log, the inline ledger and a runner of every read model.
#[derive(Clone)]
pub struct World {
    pub pool: Pool,
    pub log: EventLog<Case>,
    pub runner: Runner,
}

pub async fn world() -> World {
    let pool: Pool = onetrip_cluster::testing::test_database(&sqlx::migrate!("../../migrations"))
        .await
        .pool
        .into();
    let vault = Vault::new(&MasterKey::from_hex(&"07".repeat(32)).expect("64 digits"));
    let log = EventLog::new(pool.clone(), vault, ledger(), Vec::new());
    let runner = Runner::new(pool.clone(), all());
    runner.prepare().await.expect("checkpoints are made");
    World { pool, log, runner }
}

pub fn ledger() -> RunOnceLedger {
    RunOnceLedger::new(&rules().policy)
}

pub fn command(act: CaseAct) -> CaseCommand {
    CaseCommand {
        at: monday_9am(),
        by: by_resident(),
        channel: Channel::Portal,
        rules: rules(),
        act,
    }
}

impl World {
    /// Appends what happened in a journey, in one transaction.
    pub async fn live(&self, journey: &Given) {
        let aggregate_id = journey.filed().case.to_string();
        let stream = NewStream {
            aggregate_id,
            events: journey.events.clone(),
        };
        self.log
            .append_new(&[stream], &WHY, None)
            .await
            .expect("a journey is appended");
    }

    pub async fn run(&self, case: &str, act: CaseAct) -> Done {
        self.log.execute(case, command(act), None, &WHY, None, None).await
    }

    pub async fn file(&self, submission: Submission) -> Result<String, LogError<Refusal>> {
        let case = submission.case.to_string();
        self.run(&case, CaseAct::SubmitAppeal(submission))
            .await
            .map(|_| case)
    }

    pub async fn end_of_log(&self) -> Cursor {
        self.events()
            .await
            .last()
            .map(|event| event.cursor)
            .unwrap_or_default()
    }

    /// Until every read model has passed the end of the log.
    pub async fn settle(&self) {
        let end = self.end_of_log().await;
        let start = Instant::now();
        loop {
            self.runner.catch_up().await.expect("pages are folded");
            if wait_for(&self.pool, &NAMES, end, Duration::ZERO)
                .await
                .expect("checkpoints are read")
            {
                return;
            }
            assert!(start.elapsed() < PATIENCE, "the read models got stuck");
            tokio::task::yield_now().await;
        }
    }

    pub async fn events(&self) -> Vec<LoggedEvent> {
        let mut connection = self.pool.acquire().await.expect("a connection");
        read_page(
            &mut connection,
            "case",
            Cursor::default(),
            100_000,
            Horizon::Committed,
        )
        .await
        .expect("the log is read")
    }

    /// One digest for all rows of a table.
    pub async fn digest(&self, table: &str) -> String {
        let sql =
            format!("SELECT coalesce(md5(string_agg(t::text, ',' ORDER BY t::text)), '') FROM {table} t");
        sqlx::query_scalar(&sql)
            .fetch_one(&self.pool)
            .await
            .expect("rows are read")
    }

    pub async fn digests(&self) -> Vec<(&'static str, String)> {
        let mut digests = Vec::new();
        for table in TABLES {
            digests.push((table, self.digest(table).await));
        }
        digests
    }
}

pub const TABLES: [&str; 9] = [
    "case_files",
    "case_timeline",
    "queue_entries",
    "resolution_cases",
    "run_once_breaches",
    "run_once_paper_asks",
    "run_once_held_papers",
    "run_once_cases",
    "run_once_matters",
];

/// Numbers for journeys, the same in every run (splitmix64).
pub fn numbers(seed: u64, count: usize) -> Vec<u32> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let mut next = || {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        u32::try_from((mixed ^ (mixed >> 31)) >> 32).expect("32 bits")
    };
    (0..count).map(|_| next()).collect()
}

/// `count` journeys of cases of their own, all sorts of lengths and ends.
pub fn journeys(count: u32) -> Vec<Given> {
    (1..=count)
        .map(|n| {
            let steps = numbers(n.into(), n as usize % 40);
            let mut submission = onetrip_testkit::submission_of(n);
            submission.division =
                ["440304008003", "440304008001", "440304", "440305001002"][n as usize % 4].into();
            submission.contact_district = (n % 3 == 0).then(|| onetrip_testkit::DISTRICT.into());
            match count - n {
                // Those that chance seldom brings.
                0 => silent(submission),
                1 => declined(submission),
                2 => accepted(submission).and([CaseAct::Withdraw {
                    reason: "修好了".to_owned(),
                }]),
                _ => play(submission, &steps_from(&steps)),
            }
        })
        .collect()
}

fn silent(submission: Submission) -> Given {
    let assign = CaseAct::Assign {
        unit: URBAN.into(),
        contact_cadre: Some(CADRE),
    };
    let request = CaseAct::RequestMaterials {
        items: vec![ask("lease")],
        held: Vec::new(),
    };
    accepted(submission)
        .and([assign, request])
        .later(days(12))
        .and([CaseAct::RecordSilence])
}

fn declined(submission: Submission) -> Given {
    let decline = CaseAct::Decline {
        next_owner: NextOwner::Unit(SAFETY.into()),
        reason: "燃气".to_owned(),
    };
    given([CaseAct::SubmitAppeal(submission), decline])
}

pub fn has(journeys: &[Given], wanted: impl Fn(&CaseFact) -> bool) -> bool {
    journeys
        .iter()
        .any(|journey| journey.events.iter().any(|event| wanted(&event.fact)))
}
