//! An import whose process is killed with no warning, again and again, ends as one that was left alone.

mod support;

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};
use support::{left, run};

/// Tell the child what to import; without them it has nothing to do.
const URL: &str = "ONETRIP_IMPORT_TEST_URL";
const FILE: &str = "ONETRIP_IMPORT_TEST_FILE";

/// Not a test of its own: this program starts itself with this one as its only test, to have a process to kill.
#[tokio::test]
#[ignore = "started by the test below"]
async fn child() {
    let (Ok(url), Ok(file)) = (env::var(URL), env::var(FILE)) else {
        return;
    };
    let pool = sqlx::PgPool::connect(&url).await.unwrap();
    let file = PathBuf::from(file);
    run(
        &support::casework(&pool).await,
        &file,
        &file.with_extension("rejects.csv"),
    )
    .await;
}

fn start(url: &str, file: &Path) -> Child {
    Command::new(env::current_exe().unwrap())
        .args(["--exact", "child", "--ignored", "--nocapture"])
        .env(URL, url)
        .env(FILE, file)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

#[tokio::test]
async fn killed_at_any_moment_it_ends_the_same() {
    let folder = support::folder("killed");
    let file = folder.join("head.csv");
    let rejects = file.with_extension("rejects.csv");
    support::boston_head(&file, 6_000);
    let whole = support::database().await;
    let summary = run(&support::casework(&whole.pool).await, &file, &rejects).await;
    let told = fs::read(&rejects).unwrap();

    let database = support::database().await;
    for at_least in [0_i64, 1, 1_000, 3_000] {
        let mut child = start(&database.url, &file);
        let patience = Instant::now() + Duration::from_secs(60);
        let mut rows = rows_read(&database.pool).await;
        // Killed when some rows are in, which is in the middle of the batch after them.
        while rows < at_least {
            assert!(Instant::now() < patience, "{rows} rows after a minute");
            assert!(
                child.try_wait().unwrap().is_none(),
                "ended before it was killed at {at_least}"
            );
            tokio::time::sleep(Duration::from_millis(5)).await;
            rows = rows_read(&database.pool).await;
        }
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(rows < 6_000, "killed too late: {rows}");
    }
    let mut child = start(&database.url, &file);
    assert!(child.wait().unwrap().success());
    assert_eq!(fs::read(&rejects).unwrap(), told);
    assert_eq!(left(&database.pool).await, left(&whole.pool).await);
    let again = run(&support::casework(&database.pool).await, &file, &rejects).await;
    assert_eq!((again.cases_added, again.already_there), (0, summary.cases_added));
}

async fn rows_read(pool: &sqlx::PgPool) -> i64 {
    sqlx::query_scalar("SELECT coalesce(max(rows_read), 0) FROM imports")
        .fetch_one(pool)
        .await
        .unwrap()
}
