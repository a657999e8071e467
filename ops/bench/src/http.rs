//! Submissions over HTTP to the real service, everything on: validation, the run-once rule, encryption, chain and
//! idempotency, read models and sealer following. Beside pgbench's single insert on the same server.

use crate::{
    Failure,
    cpu::{self, Spent},
    drive::{Figures, drive, median},
    server::on_cluster,
    store::{pgbench, stock},
};
use indicatif::{ProgressBar, ProgressStyle};
use onetrip_cluster::{Cluster, Durability};
use serde::Serialize;
use sqlx::PgPool;
use std::{
    env, fs,
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::Stdio,
    sync::Arc,
    time::Duration,
};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
    process::{Child, Command},
    sync::Mutex,
};

/// Measures how many residents can file at once over HTTP, beside pgbench's single insert on the same server.
///
/// Needs the service: `cargo build --release -p onetrip`.
#[derive(clap::Args)]
pub struct Arguments {
    /// Connections that file one case after the other, and clients of pgbench.
    #[arg(long, default_value_t = 64)]
    connections: usize,
    /// Seconds of each measurement.
    #[arg(long, default_value_t = 5.0)]
    seconds: f64,
    /// Repetitions; medians are shown.
    #[arg(long, default_value_t = 3)]
    repetitions: u32,
    /// Without read models and sealer: what they cost is the difference.
    #[arg(long)]
    alone: bool,
    /// Where the throw-away cluster is made; removed afterwards.
    #[arg(long, default_value = "/var/tmp/onetrip-bench-http")]
    data_dir: PathBuf,
    /// Where `http.md` and `http.json` are written.
    #[arg(long, default_value = "ops/out/bench")]
    out: PathBuf,
}

/// One repetition.
#[derive(Serialize)]
struct Repetition {
    single_insert: f64,
    per_second: f64,
    p50_ms: f64,
    p99_ms: f64,
    /// Processor microseconds for each submission.
    client_cpu_us: f64,
    service_cpu_us: f64,
    postgres_cpu_us: f64,
    refused: u64,
    /// What the read models, all three, had still to fold at the end.
    behind: u64,
}

pub async fn run(arguments: Arguments) -> Result<(), Failure> {
    let program = env::current_exe()?.with_file_name("onetrip");
    if !program.exists() {
        return Err(format!(
            "{} is missing: build it with `cargo build --release -p onetrip`",
            program.display()
        )
        .into());
    }
    fs::create_dir_all(&arguments.out)?;
    let measuring = async |cluster: &Cluster| measure(&arguments, cluster, &program).await;
    let repetitions = on_cluster(&arguments.data_dir, Durability::Full, false, measuring).await?;
    let table = arguments.table(&repetitions);
    fs::write(arguments.out.join("http.md"), &table)?;
    fs::write(
        arguments.out.join("http.json"),
        serde_json::to_vec_pretty(&repetitions)?,
    )?;
    println!("{table}\nwritten to {}", arguments.out.display());
    Ok(())
}

impl Arguments {
    fn table(&self, repetitions: &[Repetition]) -> String {
        let of = |pick: fn(&Repetition) -> f64| median(repetitions.iter().map(pick));
        format!(
            "{} repetitions of {} s with {} connections, medians; {}; fsync and synchronous_commit on; clients, service \
             and server on one machine.\n\n\
             | submissions/s | p50 ms | p99 ms | pgbench single insert/s | x single insert | CPU \u{b5}s clients + service + PostgreSQL | refused | behind |\n\
             | --- | --- | --- | --- | --- | --- | --- | --- |\n\
             | {:.0} | {:.1} | {:.1} | {:.0} | {:.2} | {:.0} + {:.0} + {:.0} | {} | {:.0} |\n",
            self.repetitions,
            self.seconds,
            self.connections,
            if self.alone {
                "no read models, no sealer"
            } else {
                "read models and sealer following"
            },
            of(|one| one.per_second),
            of(|one| one.p50_ms),
            of(|one| one.p99_ms),
            of(|one| one.single_insert),
            of(|one| one.per_second / one.single_insert),
            of(|one| one.client_cpu_us),
            of(|one| one.service_cpu_us),
            of(|one| one.postgres_cpu_us),
            repetitions.iter().map(|one| one.refused).sum::<u64>(),
            of(|one| one.behind as f64),
        )
    }
}

async fn measure(
    arguments: &Arguments,
    cluster: &Cluster,
    program: &Path,
) -> Result<Vec<Repetition>, Failure> {
    let stock = stock::Database::make(cluster).await?;
    let url = cluster.ensure_database("bench_http").await?;
    let pool = PgPool::connect(&url).await?;
    sqlx::migrate!("../../migrations").run(&pool).await?;
    sqlx::raw_sql(STREET).execute(&pool).await?;
    let service = Service::start(program, &url, arguments).await?;
    let time = Duration::from_secs_f64(arguments.seconds);
    let bar = ProgressBar::new(u64::from(arguments.repetitions)).with_style(ProgressStyle::with_template(
        "{bar:30} {pos}/{len} {elapsed} of about {duration}",
    )?);
    // Connections, caches and plans are warm before anything is counted.
    let mut first = service.submissions(arguments.connections, time / 2, 0).await?.1;
    let mut repetitions = Vec::new();
    for _ in 0..arguments.repetitions {
        let single_insert = pgbench::single_insert(cluster, &stock, arguments.connections, time).await?;
        let data = stock::data(cluster);
        let (before, service_before) = (Spent::so_far(&data), service.spent());
        let (figures, next) = service.submissions(arguments.connections, time, first).await?;
        let spent = Spent::so_far(&data).since(before);
        let service_spent = service.spent().saturating_sub(service_before);
        first = next;
        let each = |spent: Duration| spent.as_secs_f64() * 1e6 / figures.commands.max(1) as f64;
        repetitions.push(Repetition {
            single_insert: single_insert.per_second,
            per_second: figures.per_second,
            p50_ms: figures.p50,
            p99_ms: figures.p99,
            client_cpu_us: each(spent.client),
            service_cpu_us: each(service_spent),
            postgres_cpu_us: each(spent.server),
            refused: figures.failed,
            behind: behind(&pool).await?,
        });
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(repetitions)
}

/// Filings that the slowest read model has not shown yet.
async fn behind(pool: &PgPool) -> Result<u64, Failure> {
    let cases: i64 =
        sqlx::query_scalar("SELECT count(*) FROM events WHERE aggregate_type = 'case' AND sequence = 1")
            .fetch_one(pool)
            .await?;
    let shown: i64 = sqlx::query_scalar(
        "SELECT least((SELECT count(*) FROM case_files), (SELECT count(*) FROM queue_entries),
                      (SELECT count(*) FROM resolution_cases))",
    )
    .fetch_one(pool)
    .await?;
    Ok((cases - shown).unsigned_abs())
}

/// A street with a desk that takes everything.
const STREET: &str = "INSERT INTO divisions (code, level, name, parent_code) VALUES
         ('4403', 'city', '深圳市', NULL), ('440304', 'district', '福田区', '4403'),
         ('440304008', 'street', '莲花街道', '440304');
     INSERT INTO units (code, name, name_en, division, office) VALUES
         ('440304008-desk', '莲花街道诉求服务中心', 'Lianhua Service Centre', '440304008', 'desk');";

struct Service {
    process: Child,
    address: SocketAddr,
}

impl Service {
    async fn start(program: &Path, database_url: &str, arguments: &Arguments) -> Result<Service, Failure> {
        let key_file = arguments.data_dir.join("master.key");
        let role = if arguments.alone { "api" } else { "all" };
        fs::write(&key_file, "07".repeat(32))?;
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let mut process = Command::new(program)
            .args(["serve", "--role", role, "--listen", &address.to_string()])
            .env("DATABASE_URL", database_url)
            .env("ONETRIP_MASTER_KEY_FILE", &key_file)
            .env("RUST_LOG", "onetrip::serve=info")
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let log = process.stderr.take().ok_or("the service has no log")?;
        let mut lines = BufReader::new(log).lines();
        while let Some(line) = lines.next_line().await? {
            if line.contains("serving") {
                // Whatever else it says must not block it.
                tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
                return Ok(Service { process, address });
            }
        }
        Err("the service ended before it served".into())
    }

    fn spent(&self) -> Duration {
        self.process.id().map_or(Duration::ZERO, cpu::of_process)
    }

    /// Files the cases `first`, `first + 1` ...; the figures, and the number of the next one.
    async fn submissions(
        &self,
        connections: usize,
        time: Duration,
        first: u64,
    ) -> Result<(Figures, u64), Failure> {
        let mut open = Vec::new();
        for _ in 0..connections {
            open.push(TcpStream::connect(self.address).await?);
        }
        let idle = Arc::new(Mutex::new(open));
        let address = self.address;
        let figures = drive(connections, time, move |n| {
            let idle = Arc::clone(&idle);
            async move {
                let connection = idle.lock().await.pop();
                let mut connection = match connection {
                    Some(connection) => connection,
                    None => TcpStream::connect(address).await?,
                };
                let status = file(&mut connection, first + n).await?;
                idle.lock().await.push(connection);
                if status == 201 {
                    Ok::<_, Failure>(())
                } else {
                    Err(format!("answered with {status}").into())
                }
            }
        })
        .await;
        let sent = figures.commands as u64 + figures.failed + connections as u64;
        Ok((figures, first + sent))
    }
}

/// Files case `n`; the status of the answer.
async fn file(connection: &mut TcpStream, n: u64) -> Result<u16, Failure> {
    let body = serde_json::json!({
        "category": "street_lights",
        "words": format!("路灯 {n} 不亮，晚上走路看不清，已经一个星期了，请尽快派人来修一修。"),
        "division": "440304008",
        "place_words": format!("莲花路灯杆 {n}"),
        "phone": format!("13{n:09}"),
    })
    .to_string();
    let request = format!(
        "POST /api/v1/appeals HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\n\
         idempotency-key: bench-submission-{n:012}\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    connection.write_all(request.as_bytes()).await?;
    let mut answer = Vec::with_capacity(2_048);
    loop {
        if connection.read_buf(&mut answer).await? == 0 {
            return Err("the service hung up".into());
        }
        let Some(head_bytes) = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n") else {
            continue;
        };
        let head = String::from_utf8_lossy(&answer[..head_bytes]).to_lowercase();
        let length: usize = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok())
            .ok_or("an answer without a length")?;
        if answer.len() >= head_bytes + 4 + length {
            let status = head.split(' ').nth(1).ok_or("an answer without a status")?;
            return Ok(status.parse()?);
        }
    }
}
