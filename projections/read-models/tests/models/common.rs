use onetrip_event_log::{
    Cursor, EventLog, Horizon, LogError, LoggedEvent, MasterKey, NewStream, Outcome, Pool, Vault, Why,
    read_page,
};
use onetrip_model::{
    Case, CaseAct, CaseCommand, CaseFact, CaseId, Channel, Refusal,
    case::{NextOwner, Submission, Verdict},
};
use onetrip_read_models::{NAMES, RunOnceLedger, all, run_once};
use onetrip_runner::{Runner, wait_for};
use onetrip_testkit::{
    CADRE, Given, SAFETY, URBAN, accepted, after_photo, ask, by_resident, days, given, moments::monday_9am,
    numbers, play, rating, rules, steps_from, submission_of,
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
        let mut events: Vec<LoggedEvent> = Vec::new();
        loop {
            let after = events.last().map(|event| event.cursor).unwrap_or_default();
            let page = read_page(&mut connection, "case", after, 10_000, Horizon::Committed).await;
            let page = page.expect("the log is read");
            if page.is_empty() {
                return events;
            }
            events.extend(page);
        }
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
    "queue_entries",
    "resolution_cases",
    "run_once_breaches",
    "run_once_paper_asks",
    "run_once_held_papers",
    "run_once_cases",
    "run_once_matters",
    "run_once_merges",
];

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

/// The same resident, another case of another matter.
pub fn another(n: u32) -> Submission {
    Submission {
        person: submission_of(1).person,
        ..submission_of(n)
    }
}

pub async fn ledger_of(world: &World, case: CaseId) -> run_once::Ledger {
    run_once::ledger(&mut world.pool.acquire().await.unwrap(), case)
        .await
        .unwrap()
        .expect("the case has an account")
}

pub async fn breaches_of(world: &World, case: CaseId) -> Vec<run_once::Breach> {
    run_once::breaches(&mut world.pool.acquire().await.unwrap(), case)
        .await
        .unwrap()
}

pub fn assign() -> CaseAct {
    CaseAct::Assign {
        unit: URBAN.into(),
        contact_cadre: None,
    }
}

pub async fn handled_case(world: &World, submission: Submission) -> String {
    let case = world.file(submission).await.unwrap();
    for act in [CaseAct::Accept, assign()] {
        world.run(&case, act).await.unwrap();
    }
    case
}

pub async fn closed_case(world: &World, submission: Submission) -> String {
    let case = handled_case(world, submission).await;
    let give = CaseAct::GiveResult {
        words: "修好".to_owned(),
        evidence: Vec::new(),
        place_proof: after_photo(),
        promise: None,
    };
    for act in [give, CaseAct::Rate(rating(Verdict::Solved, 5, None))] {
        world.run(&case, act).await.unwrap();
    }
    case
}
