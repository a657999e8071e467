//! What the tests of the import share: a service on a fresh database, files, and what an import has left behind.
#![allow(dead_code, reason = "each test file uses its own part")]

use cqrs_es::Aggregate;
use onetrip_casework::{Casework, system_clock};
use onetrip_event_log::{Cursor, Horizon, MasterKey, Vault, read_page};
use onetrip_import::{Mapping, Summary, catch_up, import};
use onetrip_model::{Case, policy::Rules};
use sqlx::PgPool;
use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

pub const BOSTON: &str = include_str!("../../../../ops/import/boston311.toml");

/// The head of Boston's file.
pub const HEADER: &str = "case_id,opened_at,target_at,closed_at,on_time,status,title,subject,reason,type,queue,department,\
                          neighborhood,ward,street,latitude,longitude,source,outcome,duplicate_of\n";

pub fn migrations() -> sqlx::migrate::Migrator {
    sqlx::migrate!("../../migrations")
}

pub async fn database() -> onetrip_cluster::testing::TestDatabase {
    onetrip_cluster::testing::test_database(&migrations()).await
}

pub async fn casework(pool: &PgPool) -> Casework {
    let policy = include_str!("../../../../ops/policy/2026-1.toml");
    let days = include_str!("../../../../ops/data/cn-calendar.csv");
    let vault = Vault::new(&MasterKey::from_hex(&"07".repeat(32)).unwrap());
    let rules = Arc::new(Rules::read(policy, days).unwrap());
    Casework::new(
        pool.clone(),
        vault,
        rules,
        system_clock(),
        &prometheus::Registry::new(),
    )
    .await
    .unwrap()
}

pub fn mapping() -> Mapping {
    Mapping::from_toml(BOSTON).unwrap()
}

pub fn boston_file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../ops/data/boston311-2015.csv.gz")
}

/// A folder for the files of one test, emptied when it begins.
pub fn folder(test: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("import-{test}"));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

pub fn write(path: &Path, text: &str) {
    fs::File::create(path)
        .unwrap()
        .write_all(text.as_bytes())
        .unwrap();
}

/// The first rows of Boston's file, uncompressed, with its head; every hundredth row is made a bad one.
pub fn boston_head(path: &Path, rows: usize) {
    let file = fs::File::open(boston_file()).unwrap();
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .from_reader(flate2::read::MultiGzDecoder::new(file));
    let mut writer = csv::Writer::from_path(path).unwrap();
    for (index, record) in reader.records().take(rows + 1).enumerate() {
        let mut fields: Vec<String> = record.unwrap().iter().map(str::to_owned).collect();
        if index > 0 && index % 100 == 0 {
            fields[1] = "some day".to_owned();
        }
        writer.write_record(&fields).unwrap();
    }
    writer.flush().unwrap();
}

pub async fn run(casework: &Casework, file: &Path, rejects: &Path) -> Summary {
    import(casework, &mapping(), file, rejects, &mut |_| {})
        .await
        .unwrap()
}

/// Brings the read models up to the log; other tests on the same server may hold them back for a while.
pub async fn follow(pool: &PgPool) {
    assert!(
        catch_up(&pool.clone().into(), Duration::from_secs(60))
            .await
            .unwrap(),
        "a transaction has been open for a minute"
    );
}

/// Everything an import leaves behind that does not differ from run to run by design (sealed text, instants of
/// recording).
#[derive(Debug, PartialEq)]
pub struct Left {
    pub events: Vec<(String, i64, String, String)>,
    pub cases: Vec<(String, String, String)>,
    pub matters: Vec<(String, bool)>,
    pub divisions: Vec<(String, String, String, Option<String>)>,
    pub units: Vec<(String, String, String)>,
    pub imports: Vec<(String, i64, i64, i64, bool)>,
}

pub async fn left(pool: &PgPool) -> Left {
    macro_rules! all {
        ($sql:literal) => {
            sqlx::query_as($sql).fetch_all(pool).await.unwrap()
        };
    }
    Left {
        events: events(pool).await,
        cases: all!("SELECT case_id::text, number, holder FROM run_once_cases ORDER BY case_id"),
        matters: all!("SELECT matter, open FROM run_once_matters ORDER BY matter"),
        divisions: all!(
            "SELECT code, level, name, parent_code FROM divisions WHERE code <> '' ORDER BY code"
        ),
        units: all!("SELECT code, name, division FROM units ORDER BY code"),
        imports: all!(
            "SELECT system, rows_read, accepted, rejected, finished_at IS NOT NULL FROM imports
             ORDER BY system, file_digest"
        ),
    }
}

/// Every event with its id, sequence, type and instant, by case; none is stored with its free text open.
async fn events(pool: &PgPool) -> Vec<(String, i64, String, String)> {
    let mut connection = pool.acquire().await.unwrap();
    let mut events = Vec::new();
    let mut at = Cursor::default();
    loop {
        let page = read_page(&mut connection, Case::TYPE, at, 1_000, Horizon::Committed)
            .await
            .unwrap();
        let Some(last) = page.last() else { break };
        at = last.cursor;
        for event in page {
            assert!(!event.payload.contains("\"open\":"), "{}", event.payload);
            let payload: serde_json::Value = serde_json::from_str(&event.payload).unwrap();
            let instant = payload["at"].as_str().unwrap().to_owned();
            events.push((event.aggregate_id, event.sequence, event.event_type, instant));
        }
    }
    events.sort();
    events
}

/// High-water mark of this process's memory in MiB, where the system tells.
pub fn memory_peak_mib() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    Some(line.split_whitespace().nth(1)?.parse::<u64>().ok()? / 1024)
}
