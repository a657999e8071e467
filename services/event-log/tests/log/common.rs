use async_trait::async_trait;
use onetrip_event_log::{
    AppendHook, EventLog, LogError, MasterKey, NoInline, Outcome, Pool, RequestKey, Vault, Why,
};
use onetrip_model::{Case, CaseAct, CaseCommand, Channel, Refusal};
use onetrip_testkit::{by_resident, moments::monday_9am, rules, submission_of};
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

pub type Log = EventLog<Case>;
pub type Done = Result<Outcome, LogError<Refusal>>;

pub const WHY: Why = Why {
    correlation_id: Uuid::from_u128(1),
    causation_id: Uuid::from_u128(2),
};

pub async fn database() -> Pool {
    onetrip_cluster::testing::test_database(&sqlx::migrate!("../../migrations"))
        .await
        .pool
        .into()
}

/// For what wants sqlx's own.
pub fn pool_of_sqlx(log: &Log) -> PgPool {
    PgPool::connect_lazy_with(log.pool().options().clone())
}

pub fn vault() -> Vault {
    Vault::new(&MasterKey::from_hex(&"07".repeat(32)).expect("64 digits"))
}

pub async fn log() -> Log {
    EventLog::new(database().await, vault(), NoInline, Vec::new())
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

pub fn supplement(words: &str) -> CaseAct {
    CaseAct::AddSupplement {
        words: words.to_owned(),
        attachments: Vec::new(),
        from_filing: false,
    }
}

pub fn trip() -> CaseAct {
    CaseAct::AskTrip {
        to_place: "街道办事大厅".to_owned(),
        reason: "核对原件".to_owned(),
    }
}

/// Executes on whatever version is the newest.
pub async fn run(log: &Log, case: &str, act: CaseAct) -> Done {
    log.execute(case, command(act), None, &WHY, None, None).await
}

pub async fn run_with_key(log: &Log, case: &str, act: CaseAct, key: &RequestKey) -> Done {
    log.execute(case, command(act), None, &WHY, Some(key), None).await
}

pub async fn run_with_hook(log: &Log, case: &str, act: CaseAct, hook: &dyn AppendHook) -> Done {
    log.execute(case, command(act), None, &WHY, None, Some(hook))
        .await
}

/// The `n`-th case, filed.
pub async fn file(log: &Log, n: u32) -> String {
    let submission = submission_of(n);
    let case = submission.case.to_string();
    run(log, &case, CaseAct::SubmitAppeal(submission))
        .await
        .expect("a case is filed");
    case
}

pub async fn accepted(log: &Log, n: u32) -> String {
    let case = file(log, n).await;
    run(log, &case, CaseAct::Accept)
        .await
        .expect("a case is accepted");
    case
}

pub fn key(actor: &str, key: &str, body: u8) -> RequestKey {
    RequestKey {
        actor: actor.to_owned(),
        key: key.to_owned(),
        body_hash: [body; 32],
    }
}

pub fn version_of(done: Done) -> u64 {
    match done.expect("it succeeds") {
        Outcome::Appended(appended) => appended.version,
        Outcome::Unchanged { version } => version,
        Outcome::Replayed(answer) => answer.version,
    }
}

pub async fn sequences(pool: &Pool, case: &str) -> Vec<i64> {
    sqlx::query_scalar("SELECT sequence FROM events WHERE aggregate_id = $1 ORDER BY sequence")
        .bind(case)
        .fetch_all(pool)
        .await
        .expect("events are read")
}

pub async fn count(pool: &Pool, table: &'static str) -> i64 {
    sqlx::query_scalar(&format!("SELECT count(*) FROM {table}"))
        .fetch_one(pool)
        .await
        .expect("rows are counted")
}

/// Writes a row of an import in the transaction of the append, and then perhaps fails.
pub struct ImportRow {
    pub system: &'static str,
    pub fails: bool,
}

#[async_trait]
impl AppendHook for ImportRow {
    async fn run(&self, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        sqlx::query("INSERT INTO imports (system, file_digest) VALUES ($1, '')")
            .bind(self.system)
            .execute(connection)
            .await?;
        if self.fails {
            Err(sqlx::Error::WorkerCrashed)
        } else {
            Ok(())
        }
    }
}
