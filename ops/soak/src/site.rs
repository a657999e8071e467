//! The private server, a database of its own for every run, and the people and places in it.

use crate::{
    Failure,
    api::Staff,
    http::{Client, Request},
    oracle::{Facts, Stored},
    service::{Outages, Service, run_command},
};
use onetrip_casework::{Casework, Clock, NewStaff, system_clock};
use onetrip_cluster::{Cluster, Crash, Durability};
use onetrip_event_log::{MasterKey, Vault};
use onetrip_model::{StaffId, access::Role, policy::Rules};
use sqlx::{
    Connection, PgConnection, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use std::{
    fs::{DirBuilder, Permissions},
    net::SocketAddr,
    os::unix::fs::{DirBuilderExt, PermissionsExt},
    path::PathBuf,
    str::FromStr,
    sync::Arc,
    time::{Duration, Instant},
};
use uuid::Uuid;

const POLICY: &str = include_str!("../../policy/2026-1.toml");
const CALENDAR: &str = include_str!("../../data/cn-calendar.csv");
const KEY_BYTE: &str = "5a";
const PASSWORD: &str = "a made-up password";
pub const STREET: &str = "440304008";
const SEED: &str = "
    INSERT INTO divisions (code, level, name, parent_code) VALUES
        ('4403', 'city', '深圳市', NULL), ('440304', 'district', '福田区', '4403'),
        ('440304008', 'street', '莲花街道', '440304');
    INSERT INTO units (code, name, name_en, division, office) VALUES
        ('440304008-desk', '莲花街道诉求服务中心', 'Lianhua Service Centre', '440304008', 'desk');";

/// Written by the service and by a rebuild alike.
const TABLES: [&str; 9] = [
    "case_files",
    "queue_entries",
    "resolution_cases",
    "run_once_matters",
    "run_once_cases",
    "run_once_held_papers",
    "run_once_paper_asks",
    "run_once_breaches",
    "run_once_merges",
];
const CATCH_UP_PATIENCE: Duration = Duration::from_secs(120);

/// A folder with a private server in it.
pub struct Ground {
    pub folder: PathBuf,
    pub binary: PathBuf,
    pub durability: Durability,
    pub cluster: Cluster,
}

impl Ground {
    pub async fn make(folder: PathBuf, binary: PathBuf, durability: Durability) -> Result<Ground, Failure> {
        // Open for passage: the server may run under another account.
        DirBuilder::new().mode(0o711).recursive(true).create(&folder)?;
        std::fs::set_permissions(&folder, Permissions::from_mode(0o711))?;
        std::fs::write(folder.join("master.key"), KEY_BYTE.repeat(32))?;
        let base = folder.join("pg");
        let cluster = blocking(move || Cluster::ensure(&base, durability)).await?;
        Ok(Ground {
            folder,
            binary,
            durability,
            cluster,
        })
    }

    /// Stops the server and takes everything away.
    pub async fn remove(self) -> Result<(), Failure> {
        let cluster = self.cluster.clone();
        blocking(move || cluster.stop()).await?;
        std::fs::remove_dir_all(&self.folder)?;
        Ok(())
    }

    /// A database with all migrations, one street and its clerk.
    pub async fn site(&self, name: &str) -> Result<Site, Failure> {
        let url = self.cluster.ensure_database(name).await?;
        let admin = self.pool(&url, 2).await?;
        // A server for tests may lose its last commits when it is killed, and acknowledged is acknowledged.
        sqlx::query(&format!("ALTER DATABASE {name} SET synchronous_commit = on"))
            .execute(&admin)
            .await?;
        admin.close().await;
        let log = self.folder.join(format!("{name}.log"));
        run_command(&self.binary, &self.environment(&url), &["migrate"], &log).await?;
        let pool = self.pool(&url, 4).await?;
        sqlx::raw_sql(SEED).execute(&pool).await?;
        put_staff(pool.clone()).await?;
        Ok(Site {
            name: name.to_owned(),
            url,
            pool,
            cluster: self.cluster.clone(),
            durability: self.durability,
            outages: Outages::default(),
        })
    }

    async fn pool(&self, url: &str, connections: u32) -> Result<PgPool, Failure> {
        let options = PgConnectOptions::from_str(url)?.application_name("soak");
        let pool = PgPoolOptions::new().max_connections(connections);
        Ok(pool
            .acquire_timeout(Duration::from_secs(60))
            .connect_with(options)
            .await?)
    }

    /// The use cases as a process of its own would have them: own connections, nothing remembered.
    pub async fn casework(&self, url: &str, rules: Arc<Rules>, clock: Clock) -> Result<Casework, Failure> {
        casework(self.pool(url, 8).await?, rules, clock).await
    }

    pub fn environment(&self, url: &str) -> Vec<(&'static str, String)> {
        vec![
            ("DATABASE_URL", url.to_owned()),
            (
                "ONETRIP_MASTER_KEY_FILE",
                self.folder.join("master.key").display().to_string(),
            ),
            (
                "RUST_LOG",
                std::env::var("SOAK_LOG").unwrap_or_else(|_| "info,sqlx=error".to_owned()),
            ),
        ]
    }

    pub fn service(&self, site: &Site, url: &str, n: usize) -> Result<Service, Failure> {
        let log = self.folder.join(format!("{}-service-{n}.log", site.name));
        Service::new(self.binary.clone(), self.environment(url), log)
    }

    /// The read models as they are, then as a rebuild makes them: (table, rows) of those that differ.
    pub async fn rebuild_differs(&self, site: &Site) -> Result<Vec<String>, Failure> {
        let live = site.hashes().await?;
        let log = self.folder.join(format!("{}.log", site.name));
        run_command(&self.binary, &self.environment(&site.url), &["rebuild"], &log).await?;
        let rebuilt = site.hashes().await?;
        let pairs = TABLES.iter().zip(live.iter().zip(&rebuilt));
        Ok(pairs
            .filter(|(_, (live, rebuilt))| live != rebuilt)
            .map(|(table, (live, rebuilt))| {
                format!("{table} differs from a rebuild: {live:?} became {rebuilt:?}")
            })
            .collect())
    }
}

/// The policy and the calendar of the build.
pub fn rules() -> Result<Arc<Rules>, Failure> {
    Ok(Arc::new(Rules::read(POLICY, CALENDAR)?))
}

async fn casework(pool: PgPool, rules: Arc<Rules>, clock: Clock) -> Result<Casework, Failure> {
    let vault = Vault::new(&MasterKey::from_hex(&KEY_BYTE.repeat(32))?);
    Ok(Casework::new(pool, vault, rules, clock, &prometheus::Registry::new()).await?)
}

async fn put_staff(pool: PgPool) -> Result<(), Failure> {
    let casework = casework(pool, rules()?, system_clock()).await?;
    let clerk = NewStaff {
        id: StaffId(Uuid::from_u128(1)),
        sign_in: "clerk".to_owned(),
        name: "窗口人员".to_owned(),
        name_en: "Clerk".to_owned(),
        role: Role::Clerk,
        area: STREET.into(),
        unit: Some("440304008-desk".into()),
        password: PASSWORD.to_owned(),
    };
    casework.put_staff(clerk).await?;
    Ok(())
}

/// The clerk, signed in through the service.
pub async fn sign_in(address: SocketAddr) -> Result<Staff, Failure> {
    let body = serde_json::json!({"sign_in": "clerk", "password": PASSWORD});
    let request = Request::post("/api/v1/sessions", &body);
    let mut client = Client::new(address);
    for _ in 0..20 {
        if let Ok(answer) = client.send(&request, Duration::from_secs(30)).await
            && let Some(token) = answer.json()["token"].as_str()
        {
            return Ok(Staff {
                token: token.to_owned(),
            });
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    Err("the clerk cannot sign in".into())
}

/// One database.
pub struct Site {
    pub name: String,
    pub url: String,
    pub pool: PgPool,
    pub cluster: Cluster,
    durability: Durability,
    pub outages: Outages,
}

impl Site {
    pub async fn crash(&self, how: Crash) -> Result<(), Failure> {
        self.outages.begin();
        let cluster = self.cluster.clone();
        blocking(move || cluster.crash(how)).await?;
        Ok(())
    }

    /// Waits until the server takes connections again, starting it where it is down.
    pub async fn restore(&self) -> Result<(), Failure> {
        let start = Instant::now();
        // A kill takes effect a moment after the call: what answers first may be what is about to end.
        loop {
            let (base, durability) = (self.cluster.base().to_owned(), self.durability);
            blocking(move || Cluster::ensure(&base, durability)).await?;
            let answer = async { PgConnection::connect(&self.url).await?.close().await };
            match answer.await {
                Ok(()) => break,
                Err(error) if start.elapsed() > CATCH_UP_PATIENCE => return Err(error.into()),
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
        self.outages.end();
        Ok(())
    }

    /// What the log has, as [`crate::oracle::judge`] wants it.
    pub async fn facts(&self) -> Result<Facts, Failure> {
        let rows: Vec<(String, Option<String>, i64, bool)> = sqlx::query_as(
            "SELECT r.key, c.number, r.version, e.sequence IS NOT NULL
             FROM requests r LEFT JOIN run_once_cases c ON c.case_id::text = r.aggregate_id
             LEFT JOIN events e
                 ON e.aggregate_type = 'case' AND e.aggregate_id = r.aggregate_id AND e.sequence = r.version",
        )
        .fetch_all(&self.pool)
        .await?;
        let stored = rows.into_iter().map(|(key, number, version, has_event)| Stored {
            key,
            number: number.unwrap_or_default(),
            version: version.unsigned_abs(),
            has_event,
        });
        // Each command here makes one event: more events than keys were done twice, and a version left out is a gap.
        let odd: Vec<(String, i64, i64, i64)> = sqlx::query_as(
            "SELECT aggregate_id, e.events, e.newest, coalesce(r.keys, 0)
             FROM (SELECT aggregate_id, count(*) AS events, max(sequence) AS newest FROM events
                   WHERE aggregate_type = 'case' GROUP BY 1) e
             LEFT JOIN (SELECT aggregate_id, count(DISTINCT version) AS keys FROM requests GROUP BY 1) r
                 USING (aggregate_id)
             WHERE NOT (e.events = e.newest AND e.events = coalesce(r.keys, 0))",
        )
        .fetch_all(&self.pool)
        .await?;
        let events: i64 = sqlx::query_scalar("SELECT count(*) FROM events WHERE aggregate_type = 'case'")
            .fetch_one(&self.pool)
            .await?;
        let odd_cases = odd.into_iter().map(|(case, events, newest, keys)| {
            format!(
                "case {case} has {events} events, the newest is version {newest}, made by {keys} commands"
            )
        });
        Ok(Facts {
            stored: stored.collect(),
            odd_cases: odd_cases.collect(),
            events: events.unsigned_abs(),
        })
    }

    /// Where the answer of a key points, if the key is stored.
    pub async fn stored(&self, key: &str) -> Result<Option<(String, u64)>, Failure> {
        let row: Option<(String, i64)> = sqlx::query_as(
            "SELECT c.number, r.version FROM requests r JOIN run_once_cases c ON c.case_id::text = r.aggregate_id
             WHERE r.key = $1",
        )
        .bind(key)
        .fetch_optional(&self.pool)
        .await?;
        Ok(row.map(|(number, version)| (number, version.unsigned_abs())))
    }

    /// Waits until every read model has passed the newest event.
    pub async fn caught_up(&self) -> Result<(), Failure> {
        let start = Instant::now();
        loop {
            let behind: bool = sqlx::query_scalar(
                "SELECT EXISTS (SELECT FROM checkpoints WHERE (transaction_id, position) <
                     (SELECT transaction_id, position FROM events WHERE aggregate_type = 'case'
                      ORDER BY transaction_id DESC, position DESC LIMIT 1))",
            )
            .fetch_one(&self.pool)
            .await?;
            if !behind {
                return Ok(());
            }
            if start.elapsed() > CATCH_UP_PATIENCE {
                return Err("the read models do not catch up".into());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Count and hash of the rows of each read model, in no order.
    async fn hashes(&self) -> Result<Vec<(i64, String)>, Failure> {
        let mut hashes = Vec::new();
        for table in TABLES {
            let sql = format!(
                "SELECT count(*), coalesce(sum(('x' || substr(md5(t::text), 1, 15))::bit(60)::bigint), 0)::text
                 FROM {table} t"
            );
            hashes.push(sqlx::query_as(&sql).fetch_one(&self.pool).await?);
        }
        Ok(hashes)
    }

    /// Events that a read model could not fold.
    pub async fn parked(&self) -> Result<i64, Failure> {
        Ok(sqlx::query_scalar("SELECT count(*) FROM parked_events")
            .fetch_one(&self.pool)
            .await?)
    }

    /// Sessions of the service that are inside a transaction now, in words.
    pub async fn open_transactions(&self) -> Result<Vec<String>, Failure> {
        Ok(sqlx::query_scalar(
            "SELECT pid || ' ' || state || ': ' || left(query, 60) FROM pg_stat_activity
             WHERE application_name = 'onetrip' AND datname = current_database() AND xact_start IS NOT NULL",
        )
        .fetch_all(&self.pool)
        .await?)
    }

    /// Drops the database.
    pub async fn drop(self) -> Result<(), Failure> {
        self.pool.close().await;
        let admin = PgPool::connect(&self.cluster.url("postgres")).await?;
        sqlx::query(&format!("DROP DATABASE {} WITH (FORCE)", self.name))
            .execute(&admin)
            .await?;
        admin.close().await;
        Ok(())
    }
}

/// Runs what blocks beside the others.
pub async fn blocking<T: Send + 'static, E: Into<Failure> + Send + 'static>(
    work: impl FnOnce() -> Result<T, E> + Send + 'static,
) -> Result<T, Failure> {
    tokio::task::spawn_blocking(work).await?.map_err(Into::into)
}
