//! `kill -9` of the service while residents file: every acknowledged case is there exactly once, a retry with the same
//! key gets the same number, and the read models equal a rebuild.
//!
//! `ONETRIP_KILL_SUBMISSIONS` sets the submissions of each of the ten rounds: 50 in the suite, 2000 in the long form.

use onetrip_cluster::testing::{TestDatabase, test_database};
use sqlx::PgPool;
use std::{
    collections::HashMap,
    env,
    io::{BufRead, BufReader},
    net::TcpListener,
    path::Path,
    process::{Child, Command, Stdio},
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
        mpsc::{Sender, channel},
    },
    time::{Duration, Instant},
};

const ROUNDS: usize = 10;
const WRITERS: usize = 8;
/// A start and a catch-up may take this long on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

struct Service {
    process: Child,
    url: String,
}

impl Service {
    /// Starts the real binary on a free port and waits until it is ready.
    fn start(database_url: &str, key_file: &Path) -> Service {
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let mut process = Command::new(env!("CARGO_BIN_EXE_onetrip"))
            .args(["serve", "--listen", &format!("127.0.0.1:{port}")])
            .env("DATABASE_URL", database_url)
            .env("ONETRIP_MASTER_KEY_FILE", key_file)
            .env("RUST_LOG", "onetrip::serve=info")
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // It says so when it listens.
        let mut log = BufReader::new(process.stderr.take().unwrap()).lines();
        let serving = log.by_ref().any(|line| line.unwrap().contains("serving"));
        assert!(serving, "the service ended before it served");
        // Whatever else it says must not block it.
        std::thread::spawn(move || log.for_each(drop));
        Service {
            process,
            url: format!("http://127.0.0.1:{port}"),
        }
    }

    fn kill(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

/// Files submission `n`; the number if it was acknowledged.
fn file(agent: &ureq::Agent, url: &str, n: usize) -> Option<String> {
    let body = serde_json::json!({
        "category": "street_lights",
        "words": format!("路灯 {n} 不亮"),
        "division": "440304008",
        "place_words": format!("灯杆 {n}"),
        "phone": format!("139{n:08}"),
    });
    let mut answer = agent
        .post(format!("{url}/api/v1/appeals"))
        .header("Idempotency-Key", format!("killed-in-the-middle-{n:08}"))
        .send_json(&body)
        .ok()?;
    let answer: serde_json::Value = answer.body_mut().read_json().ok()?;
    assert_eq!(answer["joined"], false, "submission {n} joined another");
    Some(answer["number"].as_str()?.to_owned())
}

/// Sends submissions `numbers` from several writers until all are answered or the service is gone.
fn send(url: &str, numbers: &[usize], answered: &Mutex<HashMap<usize, String>>, tried: &Sender<()>) {
    let next = &AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..WRITERS {
            let tried = tried.clone();
            scope.spawn(move || {
                let config = ureq::Agent::config_builder()
                    .timeout_global(Some(Duration::from_secs(30)))
                    .build();
                let agent = ureq::Agent::new_with_config(config);
                while let Some(n) = numbers.get(next.fetch_add(1, Ordering::SeqCst)) {
                    let number = file(&agent, url, *n);
                    // Nobody listens any more once the service has been killed.
                    let _ = tried.send(());
                    let Some(number) = number else { continue };
                    if let Some(before) = answered.lock().unwrap().insert(*n, number.clone()) {
                        assert_eq!(before, number, "a retry of submission {n} got another number");
                    }
                }
            });
        }
    });
}

async fn seed(pool: &PgPool) {
    sqlx::raw_sql(
        "INSERT INTO divisions (code, level, name, parent_code) VALUES
             ('4403', 'city', '深圳市', NULL), ('440304', 'district', '福田区', '4403'),
             ('440304008', 'street', '莲花街道', '440304');
         INSERT INTO units (code, name, name_en, division, office) VALUES
             ('440304008-desk', '莲花街道诉求服务中心', 'Lianhua Service Centre', '440304008', 'desk');",
    )
    .execute(pool)
    .await
    .unwrap();
}

const TABLES: [&str; 9] = [
    "case_files",
    "case_timeline",
    "queue_entries",
    "resolution_cases",
    "run_once_matters",
    "run_once_cases",
    "run_once_held_papers",
    "run_once_paper_asks",
    "run_once_breaches",
];

async fn hashes(pool: &PgPool) -> Vec<(String, i64)> {
    let mut hashes = Vec::new();
    for table in TABLES {
        let sql = format!(
            "SELECT coalesce(md5(string_agg(t::text, E'\\n' ORDER BY t::text)), ''), count(*) FROM {table} t"
        );
        hashes.push(sqlx::query_as(&sql).fetch_one(pool).await.unwrap());
    }
    hashes
}

async fn caught_up(pool: &PgPool) {
    let start = Instant::now();
    loop {
        let behind: bool = sqlx::query_scalar(
            "SELECT EXISTS (SELECT FROM checkpoints, (SELECT max(transaction_id::text::bigint) AS newest FROM requests) r
                            WHERE checkpoints.transaction_id::text::bigint < newest)",
        )
        .fetch_one(pool)
        .await
        .unwrap();
        if !behind {
            return;
        }
        assert!(start.elapsed() < PATIENCE, "the read models do not catch up");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[test]
fn killing_the_service_loses_and_doubles_nothing() {
    let each: usize = env::var("ONETRIP_KILL_SUBMISSIONS")
        .ok()
        .and_then(|count| count.parse().ok())
        .unwrap_or(50);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let migrator = sqlx::migrate!("../../migrations");
    let TestDatabase { pool, url, .. } = runtime.block_on(test_database(&migrator));
    runtime.block_on(seed(&pool));
    let key_file = env::temp_dir().join(format!("onetrip-kill-{}.key", std::process::id()));
    std::fs::write(&key_file, "5a".repeat(32)).unwrap();

    let answered = Mutex::new(HashMap::new());
    let mut acknowledged_before_kills = 0;
    for round in 0..ROUNDS {
        let numbers: Vec<usize> = (round * each..(round + 1) * each).collect();
        // Killed at another share of the round each time, so that kills fall into every phase.
        let kill_after = each * (round * 2 + 1) / (ROUNDS * 2);
        let service = Service::start(&url, &key_file);
        let (tried, tries) = channel();
        let address = service.url.clone();
        std::thread::scope(|scope| {
            scope.spawn(|| send(&address, &numbers, &answered, &tried));
            tries.iter().take(kill_after).for_each(drop);
            service.kill();
        });
        acknowledged_before_kills += answered.lock().unwrap().len() - round * each;
        // What is unknown is settled by a retry with the same key; what is known is asked again.
        let service = Service::start(&url, &key_file);
        send(&service.url, &numbers, &answered, &channel().0);
        assert_eq!(
            answered.lock().unwrap().len(),
            (round + 1) * each,
            "round {round}: a retry was not answered"
        );
        service.kill();
    }
    println!(
        "{acknowledged_before_kills} of {} were acknowledged before their round's kill",
        ROUNDS * each
    );

    let answered = answered.into_inner().unwrap();
    let service = Service::start(&url, &key_file);
    runtime.block_on(async {
        let numbers: Vec<String> = sqlx::query_scalar("SELECT number FROM run_once_cases")
            .fetch_all(&pool)
            .await
            .unwrap();
        assert_eq!(numbers.len(), ROUNDS * each, "cases");
        for (n, number) in &answered {
            let digits = number.replace('-', "");
            assert_eq!(
                numbers.iter().filter(|found| **found == digits).count(),
                1,
                "submission {n}"
            );
        }
        caught_up(&pool).await;
    });
    service.kill();
    let live = runtime.block_on(hashes(&pool));
    let rebuilt = Command::new(env!("CARGO_BIN_EXE_onetrip"))
        .arg("rebuild")
        .env("DATABASE_URL", &url)
        .env("ONETRIP_MASTER_KEY_FILE", &key_file)
        .stdout(Stdio::null())
        .status()
        .unwrap();
    assert!(rebuilt.success());
    assert_eq!(
        runtime.block_on(hashes(&pool)),
        live,
        "a rebuild differs from the live read models"
    );
    std::fs::remove_file(key_file).unwrap();
}
