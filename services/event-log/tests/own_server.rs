//! The guard of the horizon, on a server of its own: it ends sessions of the whole server, and other tests share theirs.

use onetrip_cluster::{Cluster, Durability};
use onetrip_event_log::{Fate, end_idle_holders, horizon_age};
use sqlx::{Connection, Executor, PgConnection};
use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

const PATIENCE: Duration = Duration::from_secs(30);
const SHORT: Duration = Duration::from_millis(50);

/// A server that is stopped and removed at the end.
struct Server {
    base: PathBuf,
    cluster: Cluster,
}

impl Server {
    fn start(name: &str) -> Server {
        let base = std::env::temp_dir()
            .join(format!("onetrip-guard-{name}-{}", std::process::id()))
            .join("server");
        let cluster = Cluster::ensure(&base, Durability::Test).expect("a server of this test's own");
        Server { base, cluster }
    }

    async fn connect(&self) -> PgConnection {
        PgConnection::connect(&self.cluster.url("postgres"))
            .await
            .unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.cluster.stop();
        let _ = std::fs::remove_dir_all(self.base.parent().expect("a folder of our own"));
    }
}

async fn pid(connection: &mut PgConnection) -> i32 {
    sqlx::query_scalar("SELECT pg_backend_pid()")
        .fetch_one(connection)
        .await
        .unwrap()
}

/// Begins, draws a transaction id and does nothing any more.
async fn hold(connection: &mut PgConnection) {
    connection
        .execute("BEGIN; SELECT pg_current_xact_id()")
        .await
        .unwrap();
}

async fn is_alive(connection: &mut PgConnection) -> bool {
    connection.execute("SELECT 1").await.is_ok()
}

#[tokio::test]
async fn only_sessions_that_hold_readers_back_and_do_nothing_are_ended() {
    let server = Server::start("ends");
    let mut guard = server.connect().await;
    let (mut holder, mut reader, mut idle, mut worker) = (
        server.connect().await,
        server.connect().await,
        server.connect().await,
        server.connect().await,
    );
    hold(&mut holder).await;
    let holder_pid = pid(&mut holder).await;
    // In a transaction, but it has written nothing: nobody waits for it.
    reader.execute("BEGIN; SELECT 1").await.unwrap();
    idle.execute("SELECT 1").await.unwrap();
    // It has written something, and works.
    hold(&mut worker).await;
    let worker_pid = pid(&mut worker).await;
    let working = tokio::spawn(async move {
        worker.execute("SELECT pg_sleep(2)").await.unwrap();
        worker
    });
    let start = Instant::now();
    loop {
        let state: String = sqlx::query_scalar("SELECT state FROM pg_stat_activity WHERE pid = $1")
            .bind(worker_pid)
            .fetch_one(&mut guard)
            .await
            .unwrap();
        if state == "active" {
            break;
        }
        assert!(start.elapsed() < PATIENCE);
    }

    assert_eq!(
        end_idle_holders(&mut guard, PATIENCE).await.unwrap(),
        [],
        "nobody has been idle that long"
    );
    let ended = loop {
        let ended = end_idle_holders(&mut guard, SHORT).await.unwrap();
        if !ended.is_empty() {
            break ended;
        }
        assert!(start.elapsed() < PATIENCE, "the holder was never found");
    };
    assert_eq!(ended.len(), 1, "{ended:?}");
    assert_eq!((ended[0].pid, ended[0].fate), (holder_pid, Fate::Ended));
    assert!(ended[0].seconds >= SHORT.as_secs_f64());
    assert!(!is_alive(&mut holder).await);
    assert!(is_alive(&mut reader).await && is_alive(&mut idle).await && is_alive(&mut guard).await);
    assert!(is_alive(&mut working.await.unwrap()).await);
}

#[tokio::test]
async fn a_role_that_may_not_end_a_session_says_so_and_goes_on() {
    let server = Server::start("refused");
    let (mut guard, mut holder) = (server.connect().await, server.connect().await);
    guard
        .execute("CREATE ROLE service; GRANT pg_read_all_stats TO service; SET SESSION AUTHORIZATION service")
        .await
        .unwrap();
    hold(&mut holder).await;
    let start = Instant::now();
    let fate = loop {
        if let Some(found) = end_idle_holders(&mut guard, SHORT).await.unwrap().pop() {
            break found.fate;
        }
        assert!(start.elapsed() < PATIENCE, "the holder was never found");
    };
    assert_eq!(fate, Fate::NotPermitted);
    assert!(is_alive(&mut holder).await && is_alive(&mut guard).await);
    assert!(horizon_age(&mut guard).await.unwrap().seconds > 0.0);
}
