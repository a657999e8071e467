//! Clusters of the tests' own, each in a temporary folder and gone afterwards.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use onetrip_cluster::{Cluster, ClusterError, Crash, Durability};
use sqlx::{Connection, PgConnection};

/// A folder that is removed at the end, after the server in it has been stopped.
struct Place {
    base: PathBuf,
}

impl Place {
    fn new(name: &str) -> Place {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let unique = format!(
            "onetrip-{}-{}",
            std::process::id(),
            COUNT.fetch_add(1, Ordering::Relaxed)
        );
        Place {
            base: std::env::temp_dir().join(unique).join(name),
        }
    }

    fn ensure(&self, durability: Durability) -> Result<Cluster, ClusterError> {
        Cluster::ensure(&self.base, durability)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // The note of what the cluster was made for must fit, whichever it is.
        for durability in [Durability::Test, Durability::Full] {
            if let Ok(cluster) = self.ensure(durability) {
                let _ = cluster.stop();
            }
        }
        let _ = fs::remove_dir_all(self.base.parent().expect("a folder of our own"));
    }
}

async fn one<T>(url: &str, query: &str) -> T
where
    T: for<'r> sqlx::Decode<'r, sqlx::Postgres> + sqlx::Type<sqlx::Postgres> + Send + Unpin,
{
    let mut connection = PgConnection::connect(url).await.unwrap();
    sqlx::query_scalar(query)
        .fetch_one(&mut connection)
        .await
        .unwrap()
}

fn server_pid(base: &Path) -> u32 {
    let text = fs::read_to_string(base.join("data/postmaster.pid")).unwrap();
    text.lines().next().unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_second_call_finds_what_the_first_one_started() {
    // Spaces and Chinese characters have to survive the server's settings, a shell and an address.
    let place = Place::new("my data 一次办");
    let first = place.ensure(Durability::Test).unwrap();
    let second = place.ensure(Durability::Test).unwrap();
    assert!(first.started_here);
    assert!(!second.started_here);

    let url = first.ensure_database("onetrip \"quoted\"").await.unwrap();
    assert_eq!(second.ensure_database("onetrip \"quoted\"").await.unwrap(), url);
    assert_eq!(
        one::<String>(&url, "SELECT current_database()::text").await,
        "onetrip \"quoted\""
    );
    assert!(matches!(
        first.ensure_database("").await,
        Err(ClusterError::BadDatabaseName { .. })
    ));

    first.stop().unwrap();
    second.stop().unwrap();
    assert!(PgConnection::connect(&url).await.is_err());
    assert!(place.ensure(Durability::Test).unwrap().started_here);
    assert_eq!(one::<i32>(&url, "SELECT 1").await, 1, "the data is still there");
}

#[test]
fn simultaneous_calls_start_one_server() {
    let place = Place::new("pg");
    let starts = std::thread::scope(|scope| {
        let calls: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| place.ensure(Durability::Test).unwrap()))
            .collect();
        calls
            .into_iter()
            .map(|call| call.join().unwrap())
            .filter(|c| c.started_here)
            .count()
    });
    assert_eq!(starts, 1);
}

#[tokio::test]
async fn a_durable_cluster_forces_to_disk_and_listens_on_no_port() {
    let place = Place::new("pg");
    let cluster = place.ensure(Durability::Full).unwrap();
    // What somebody wrote into the settings file must not weaken it either.
    let settings = place.base.join("data/postgresql.conf");
    let text = fs::read_to_string(&settings).unwrap() + "\nfsync = off\nlisten_addresses = '*'\n";
    cluster.stop().unwrap();
    fs::write(&settings, text).unwrap();
    let cluster = place.ensure(Durability::Full).unwrap();
    let url = cluster.url("postgres");
    let expected = [
        ("fsync", "on"),
        ("synchronous_commit", "on"),
        ("full_page_writes", "on"),
        ("data_checksums", "on"),
        ("listen_addresses", ""),
        ("unix_socket_permissions", "0700"),
        ("max_connections", "200"),
        ("shared_buffers", "256MB"),
        ("max_wal_size", "2GB"),
        ("server_encoding", "UTF8"),
    ];
    for (setting, value) in expected {
        assert_eq!(
            one::<String>(&url, &format!("SHOW {setting}")).await,
            value,
            "{setting}"
        );
    }
    use std::os::unix::fs::PermissionsExt;
    assert_eq!(
        fs::metadata(cluster.base()).unwrap().permissions().mode() & 0o777,
        0o700
    );
}

#[tokio::test]
async fn every_acknowledged_row_survives_a_killed_server() {
    let place = Place::new("pg");
    let cluster = place.ensure(Durability::Full).unwrap();
    let url = cluster.ensure_database("kept").await.unwrap();
    let mut connection = PgConnection::connect(&url).await.unwrap();
    sqlx::query("CREATE TABLE numbers (n int PRIMARY KEY)")
        .execute(&mut connection)
        .await
        .unwrap();
    for n in 0..50 {
        sqlx::query("INSERT INTO numbers VALUES ($1)")
            .bind(n)
            .execute(&mut connection)
            .await
            .unwrap();
    }
    let pid = server_pid(&place.base);
    cluster.crash(Crash::Kill).unwrap();

    let again = loop {
        // The kill takes effect a moment after the call.
        let again = place.ensure(Durability::Full).unwrap();
        if again.started_here {
            break again;
        }
    };
    assert_ne!(server_pid(&place.base), pid);
    assert_eq!(
        one::<i64>(&again.url("kept"), "SELECT count(*) FROM numbers").await,
        50
    );
}

#[test]
fn data_of_another_major_version_is_refused_in_plain_words() {
    let place = Place::new("pg");
    place.ensure(Durability::Test).unwrap().stop().unwrap();
    let file = place.base.join("data/PG_VERSION");
    let own = fs::read_to_string(&file).unwrap();
    fs::write(&file, "9\n").unwrap();
    let error = place.ensure(Durability::Test).unwrap_err();
    assert!(
        matches!(&error, ClusterError::VersionMismatch { data_major, .. } if data_major == "9"),
        "{error:?}"
    );
    let message = error.to_string();
    assert!(
        message.contains("written by PostgreSQL 9") && message.contains(own.trim()),
        "{message}"
    );
    fs::write(&file, own).unwrap();
    assert!(place.ensure(Durability::Test).unwrap().started_here);
}

#[test]
fn a_cluster_made_for_tests_never_becomes_a_durable_one() {
    let place = Place::new("pg");
    place.ensure(Durability::Test).unwrap();
    assert!(matches!(
        place.ensure(Durability::Full),
        Err(ClusterError::DurabilityMismatch { .. })
    ));
    // Without its note it counts as durable, so that nothing is thrown away.
    fs::remove_file(place.base.with_file_name("pg.lock")).unwrap();
    assert!(matches!(
        place.ensure(Durability::Test),
        Err(ClusterError::DurabilityMismatch { .. })
    ));
}

#[test]
fn a_pid_file_naming_some_other_process_does_not_hinder_the_start() {
    let place = Place::new("pg");
    place.ensure(Durability::Full).unwrap().stop().unwrap();
    fs::write(
        place.base.join("data/postmaster.pid"),
        format!("{}\n", std::process::id()),
    )
    .unwrap();
    assert!(place.ensure(Durability::Full).unwrap().started_here);
}

#[test]
fn a_broken_test_cluster_is_made_anew() {
    let place = Place::new("pg");
    place.ensure(Durability::Test).unwrap().stop().unwrap();
    fs::remove_dir_all(place.base.join("data/global")).unwrap();
    assert!(place.ensure(Durability::Test).unwrap().started_here);
}

#[test]
fn a_broken_durable_cluster_is_left_as_it_is_and_its_log_is_shown() {
    let place = Place::new("pg");
    place.ensure(Durability::Full).unwrap().stop().unwrap();
    fs::remove_file(place.base.join("data/global/pg_control")).unwrap();
    let error = place.ensure(Durability::Full).unwrap_err();
    assert!(
        matches!(&error, ClusterError::StartFailed { tail, .. } if tail.contains("pg_control")),
        "{error}"
    );
    assert!(place.base.join("data/base").is_dir());
}

#[test]
fn as_root_a_closed_parent_is_named() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    if fs::metadata("/proc/self").unwrap().uid() != 0 {
        return; // Anybody else runs the server under the own account, which gets wherever this process gets.
    }
    let place = Place::new("pg");
    let parent = place.base.parent().unwrap();
    fs::create_dir(parent).unwrap();
    fs::set_permissions(parent, fs::Permissions::from_mode(0o700)).unwrap();
    let error = place.ensure(Durability::Test).unwrap_err();
    assert!(
        matches!(&error, ClusterError::ClosedParent { closed, .. } if closed == parent),
        "{error:?}"
    );
}
