//! A database of its own for every test, with no set-up by hand.
//!
//! The first test on a machine makes a [`Durability::Test`] cluster in the folder for temporary files, or uses the
//! server in `DATABASE_URL` when that is set. The migrations run once, into a template named after their contents;
//! each test gets a copy of the template, which takes a fraction of the time.
//!
//! Databases are not dropped when a test ends, so that a failed one can be looked at (`TestDatabase::url`). They go
//! when a later test run starts: those of processes that have ended, and any older than an hour, unless somebody is
//! connected to them. The cluster is left running, as the next run finds it in milliseconds.

use std::fs::{self, DirBuilder, Permissions};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use sqlx::migrate::Migrator;
use sqlx::postgres::PgPoolOptions;
use sqlx::{Connection, PgConnection, PgPool};

use crate::database::{connect, has_code, quoted};
use crate::error::ClusterError;
use crate::server::{effective_uid, preferred};
use crate::{Cluster, Durability};

/// The environment variable that names a server to use instead of a cluster of our own.
pub const SERVER_URL_SETTING: &str = "DATABASE_URL";

/// A migrated database that no other test knows of.
#[derive(Debug, Clone)]
pub struct TestDatabase {
    /// Connections to it, at most ten.
    pub pool: PgPool,
    /// Its address, for a second pool or for `psql`.
    pub url: String,
}

/// Makes a new database with the migrations of `migrator` in it.
///
/// Panics when that fails, with a message that says what to do, because that is what a test wants.
pub async fn test_database(migrator: &Migrator) -> TestDatabase {
    match try_test_database(migrator).await {
        Ok(database) => database,
        Err(error) => panic!("no database for this test: {error}"),
    }
}

/// As [`test_database`], for callers that handle the failure.
pub async fn try_test_database(migrator: &Migrator) -> Result<TestDatabase, ClusterError> {
    let server = server().await?;
    let template = template_name(migrator);
    let mut admin = connect(&server.url).await?;
    sweep_once(&server);

    let name = loop {
        // Copies may be made side by side; only while the template itself is made does everybody wait. A copy of a
        // template that is missing fails, and so says that it has to be made.
        run(&mut admin, LOCK_SHARED).await?;
        let copied = copy(&mut admin, &template).await;
        run(&mut admin, UNLOCK_SHARED).await?;
        match copied {
            Ok(name) => break name,
            Err(error) if has_code(&error, &["3D000"]) => {
                run(&mut admin, LOCK).await?;
                let made = make_template(&mut admin, &server, &template, migrator).await;
                run(&mut admin, UNLOCK).await?;
                made?;
            }
            Err(error) => return Err(ClusterError::database("copying the template database")(error)),
        }
    };
    let _ = admin.close().await;

    let url = with_database(&server.url, &name);
    let pool = PgPoolOptions::new()
        .max_connections(10)
        .acquire_timeout(Duration::from_secs(30))
        .connect(&url)
        .await
        .map_err(ClusterError::database(format!(
            "connecting to the test database {name}"
        )))?;
    Ok(TestDatabase { pool, url })
}

/// Any number that nobody else uses for an advisory lock on a test server.
const LOCK: &str = "SELECT pg_advisory_lock(7204160811)";
const UNLOCK: &str = "SELECT pg_advisory_unlock(7204160811)";
const LOCK_SHARED: &str = "SELECT pg_advisory_lock_shared(7204160811)";
const UNLOCK_SHARED: &str = "SELECT pg_advisory_unlock_shared(7204160811)";
const TRY_LOCK_SWEEP: &str = "SELECT pg_try_advisory_lock(7204160812)";

/// The server that the databases are made on.
#[derive(Debug, Clone)]
struct TestServer {
    /// A database on it to give orders from.
    url: String,
    /// Whether all its users are processes of this machine, so that their numbers mean something here.
    is_ours: bool,
}

async fn server() -> Result<TestServer, ClusterError> {
    if let Some(url) = std::env::var(SERVER_URL_SETTING)
        .ok()
        .filter(|url| !url.is_empty())
    {
        return Ok(TestServer { url, is_ours: false });
    }
    let ensured = tokio::task::spawn_blocking(|| {
        // One for each version of the server, as none opens the data of another.
        let base = test_folder()?.join(format!("pg{}", preferred()?.major));
        Cluster::ensure(&base, Durability::Test)
    });
    let cluster = match ensured.await {
        Ok(result) => result?,
        Err(panicked) => std::panic::resume_unwind(panicked.into_panic()),
    };
    Ok(TestServer {
        url: cluster.url("postgres"),
        is_ours: true,
    })
}

/// The folder for temporary files is everybody's, so the one for our cluster must be proven to be ours.
fn test_folder() -> Result<PathBuf, ClusterError> {
    let uid = effective_uid();
    let folder = std::env::temp_dir().join(format!("onetrip-test-{uid}"));
    match DirBuilder::new().mode(0o711).create(&folder) {
        // Whatever the umask: the server may run under another account, and has to pass.
        Ok(()) => fs::set_permissions(&folder, Permissions::from_mode(0o711)).map_err(ClusterError::file(
            format!("opening {} for passage", folder.display()),
        ))?,
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
        Err(error) => {
            return Err(ClusterError::file(format!(
                "creating the folder {}",
                folder.display()
            ))(error));
        }
    }
    let meta = fs::symlink_metadata(&folder)
        .map_err(ClusterError::file(format!("looking at {}", folder.display())))?;
    if !meta.is_dir() || meta.uid() != uid {
        return Err(ClusterError::ForeignFolder {
            base: folder,
            owner: meta.uid(),
        });
    }
    Ok(folder)
}

/// Named by the contents of the migrations, so that changed migrations get a new template.
fn template_name(migrator: &Migrator) -> String {
    let hash = migrator.iter().fold(FNV_START, |hash, migration| {
        let hash = fnv(hash, &migration.version.to_be_bytes());
        fnv(hash, &migration.checksum)
    });
    format!("onetrip_template_{hash:016x}")
}

/// FNV-1a: the standard library's hashes are not the same in every build, and this one has nobody to defend against.
const FNV_START: u64 = 0xcbf2_9ce4_8422_2325;

fn fnv(start: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(start, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

async fn make_template(
    admin: &mut PgConnection,
    server: &TestServer,
    template: &str,
    migrator: &Migrator,
) -> Result<(), ClusterError> {
    let exists: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)")
        .bind(template)
        .fetch_one(&mut *admin)
        .await
        .map_err(ClusterError::database("looking for the template database"))?;
    if exists {
        return Ok(());
    }
    // The final name is given last, so that half-run migrations are never taken for a template.
    let unfinished = format!("{template}_unfinished");
    run(
        admin,
        &format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", quoted(&unfinished)),
    )
    .await?;
    run(admin, &format!("CREATE DATABASE {}", quoted(&unfinished))).await?;
    let mut connection = connect(&with_database(&server.url, &unfinished)).await?;
    migrator.run_direct(&mut connection).await?;
    connection
        .close()
        .await
        .map_err(ClusterError::database("leaving the template database"))?;
    rename_when_alone(admin, &unfinished, template).await
}

/// A connection that was closed may live on in the server for a moment, and a database in use is not renamed.
async fn rename_when_alone(admin: &mut PgConnection, from: &str, to: &str) -> Result<(), ClusterError> {
    let rename = format!("ALTER DATABASE {} RENAME TO {}", quoted(from), quoted(to));
    let mut attempts_left = 100;
    loop {
        match sqlx::query(&rename).execute(&mut *admin).await {
            Ok(_) => return Ok(()),
            Err(error) if has_code(&error, &["55006"]) && attempts_left > 0 => {
                attempts_left -= 1;
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            Err(error) => return Err(ClusterError::database("naming the template database")(error)),
        }
    }
}

/// A copy under a name that is used once, and says when it was made and by which process.
async fn copy(admin: &mut PgConnection, template: &str) -> Result<String, sqlx::Error> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let name = TestName {
        made_at_seconds: now().as_secs(),
        pid: std::process::id(),
        count: COUNT.fetch_add(1, Ordering::Relaxed),
        // Processes of different machines may share a server, and with it their numbers.
        salt: now().subsec_nanos(),
    }
    .to_string();
    let copy = format!("CREATE DATABASE {} TEMPLATE {}", quoted(&name), quoted(template));
    sqlx::query(&copy).execute(admin).await?;
    Ok(name)
}

fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

async fn run(connection: &mut PgConnection, statement: &str) -> Result<(), ClusterError> {
    sqlx::query(statement)
        .execute(connection)
        .await
        .map(|_| ())
        .map_err(ClusterError::database(format!("`{statement}`")))
}

/// `url` with another database in it.
fn with_database(url: &str, name: &str) -> String {
    let authority = url.find("://").map_or(0, |at| at + 3);
    let end = url[authority..]
        .find(['/', '?', '#'])
        .map_or(url.len(), |at| authority + at);
    let parameters = url[end..].find('?').map_or("", |at| &url[end + at..]);
    format!("{}/{name}{parameters}", &url[..end])
}

/// The name of a test's database, and what it tells.
#[derive(Debug, PartialEq, Eq)]
struct TestName {
    made_at_seconds: u64,
    pid: u32,
    count: u32,
    salt: u32,
}

impl std::fmt::Display for TestName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let TestName {
            made_at_seconds,
            pid,
            count,
            salt,
        } = self;
        write!(f, "onetrip_test_{made_at_seconds}_{pid}_{count}_{salt}")
    }
}

impl TestName {
    fn parse(name: &str) -> Option<TestName> {
        let mut parts = name.strip_prefix("onetrip_test_")?.split('_');
        let parsed = TestName {
            made_at_seconds: parts.next()?.parse().ok()?,
            pid: parts.next()?.parse().ok()?,
            count: parts.next()?.parse().ok()?,
            salt: parts.next()?.parse().ok()?,
        };
        parts.next().is_none().then_some(parsed)
    }

    fn is_leftover(&self, now_seconds: u64, process_lives: impl Fn(u32) -> bool) -> bool {
        now_seconds.saturating_sub(self.made_at_seconds) > KEPT_SECONDS || !process_lives(self.pid)
    }
}

const KEPT_SECONDS: u64 = 3600;

/// Drops what earlier runs left, once in a process and beside the tests, which do not wait for it.
fn sweep_once(server: &TestServer) {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let server = server.clone();
        // A thread with a runtime of its own: the one of the first test ends with that test. Failing to tidy up
        // fails no test, and what this process does not get to is left to the next.
        std::thread::spawn(move || {
            if let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() {
                let _ = runtime.block_on(sweep(&server));
            }
        });
    });
}

/// Returns how many databases were dropped.
async fn sweep(server: &TestServer) -> Result<usize, ClusterError> {
    let doing = "sweeping up test databases";
    let mut admin = connect(&server.url).await?;
    let alone: bool = sqlx::query_scalar(TRY_LOCK_SWEEP)
        .fetch_one(&mut admin)
        .await
        .map_err(ClusterError::database(doing))?;
    if !alone {
        return Ok(0);
    }
    let names: Vec<String> = sqlx::query_scalar(
        "SELECT datname::text FROM pg_database d \
         WHERE datname LIKE 'onetrip\\_test\\_%' \
           AND NOT EXISTS (SELECT FROM pg_stat_activity a WHERE a.datid = d.oid)",
    )
    .fetch_all(&mut admin)
    .await
    .map_err(ClusterError::database(doing))?;
    let process_lives = |pid: u32| !server.is_ours || PathBuf::from(format!("/proc/{pid}")).exists();
    let mut dropped = 0;
    for name in names {
        let leftover =
            TestName::parse(&name).is_some_and(|parsed| parsed.is_leftover(now().as_secs(), process_lives));
        // Without FORCE: whoever has connected meanwhile keeps the database.
        if leftover
            && run(&mut admin, &format!("DROP DATABASE IF EXISTS {}", quoted(&name)))
                .await
                .is_ok()
        {
            dropped += 1;
        }
    }
    let _ = admin.close().await;
    Ok(dropped)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_database_in_an_address_is_replaced() {
        let cases = [
            (
                "postgres://u:p@host:5432/old?sslmode=disable",
                "postgres://u:p@host:5432/new?sslmode=disable",
            ),
            (
                "postgres://u@localhost/old?host=/tmp/a/b&port=5432",
                "postgres://u@localhost/new?host=/tmp/a/b&port=5432",
            ),
            ("postgres://host/old", "postgres://host/new"),
            ("postgres://host", "postgres://host/new"),
            ("postgres://host?host=/tmp", "postgres://host/new?host=/tmp"),
        ];
        for (url, expected) in cases {
            assert_eq!(with_database(url, "new"), expected);
        }
    }

    #[test]
    fn names_say_who_made_them_and_when() {
        let name = TestName {
            made_at_seconds: 1_700_000_000,
            pid: 42,
            count: 7,
            salt: 99,
        };
        assert_eq!(TestName::parse(&name.to_string()), Some(name));
        assert_eq!(TestName::parse("onetrip_test_1_2_3"), None);
        assert_eq!(TestName::parse("onetrip_test_1_2_3_4_5"), None);
        assert_eq!(TestName::parse("onetrip_template_00"), None);
    }

    #[test]
    fn leftovers_are_of_ended_processes_or_old() {
        let name = TestName {
            made_at_seconds: 1000,
            pid: 42,
            count: 0,
            salt: 0,
        };
        assert!(!name.is_leftover(1000, |_| true));
        assert!(!name.is_leftover(1000 + KEPT_SECONDS, |_| true));
        assert!(name.is_leftover(1001 + KEPT_SECONDS, |_| true));
        assert!(name.is_leftover(1000, |_| false));
        // A clock that was set back makes nothing old.
        assert!(!name.is_leftover(0, |_| true));
    }

    #[tokio::test]
    async fn a_sweep_drops_leftovers_and_spares_what_is_in_use() {
        let server = server().await.unwrap();
        if !server.is_ours {
            return; // Other people's leftovers on a shared server are not for this test to count on.
        }
        let mut admin = connect(&server.url).await.unwrap();
        // No process has the highest number that fits.
        let leftover = TestName {
            made_at_seconds: now().as_secs(),
            pid: u32::MAX,
            count: 0,
            salt: now().subsec_nanos(),
        };
        let in_use = TestName {
            count: 1,
            ..TestName::parse(&leftover.to_string()).unwrap()
        };
        for name in [&leftover, &in_use] {
            run(
                &mut admin,
                &format!("CREATE DATABASE {}", quoted(&name.to_string())),
            )
            .await
            .unwrap();
        }
        let held = connect(&with_database(&server.url, &in_use.to_string()))
            .await
            .unwrap();

        let mut attempts_left = 200;
        let exists = "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)";
        // Another process may be at it: then it is the one to drop ours, or leaves it for our next attempt.
        loop {
            sweep(&server).await.unwrap();
            let still: bool = sqlx::query_scalar(exists)
                .bind(leftover.to_string())
                .fetch_one(&mut admin)
                .await
                .unwrap();
            if !still {
                break;
            }
            attempts_left -= 1;
            assert!(attempts_left > 0, "{leftover} was not swept up");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let spared: bool = sqlx::query_scalar(exists)
            .bind(in_use.to_string())
            .fetch_one(&mut admin)
            .await
            .unwrap();
        assert!(spared);
        held.close().await.unwrap();
        run(
            &mut admin,
            &format!("DROP DATABASE {} WITH (FORCE)", quoted(&in_use.to_string())),
        )
        .await
        .unwrap();
    }
}
