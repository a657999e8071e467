mod support;
use std::time::Instant;
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn profile() {
    let n: usize = std::env::var("ROWS")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(10_000);
    let database = support::database().await;
    eprintln!("{}", database.url);
    let name = database.url.split('/').nth(3).unwrap().split('?').next().unwrap();
    for set in [
        "session_preload_libraries = 'auto_explain'",
        "auto_explain.log_min_duration = '30ms'",
        "auto_explain.log_analyze = on",
    ] {
        sqlx::query(&format!("ALTER DATABASE \"{name}\" SET {set}"))
            .execute(&database.pool)
            .await
            .unwrap();
    }
    let database = onetrip_cluster::testing::TestDatabase {
        pool: sqlx::PgPool::connect(&database.url).await.unwrap(),
        url: database.url,
    };
    let casework = support::casework(&database.pool).await;
    let folder = support::folder("profile");
    let file = folder.join("head.csv");
    support::boston_head(&file, n);
    let start = Instant::now();
    let mut last = Instant::now();
    let summary = onetrip_import::import(
        &casework,
        &support::mapping(),
        &file,
        &folder.join("r.csv"),
        &mut |p| {
            if p.rows % 5000 == 0 {
                eprintln!("{} {:?}", p.rows, last.elapsed());
                last = Instant::now();
            }
        },
    )
    .await
    .unwrap();
    eprintln!("import {:?} {:?}", start.elapsed(), summary.cases_added);
    for projection in onetrip_read_models::all() {
        let name = projection.name();
        let runner = onetrip_runner::Runner::new(database.pool.clone(), vec![projection]);
        runner.prepare().await.unwrap();
        let start = Instant::now();
        runner.catch_up().await.unwrap();
        eprintln!(
            "{name} {:?} lag {:?}",
            start.elapsed(),
            runner.lag().await.unwrap()
        );
    }
    let start = Instant::now();
    onetrip_import::report(&casework, &Default::default())
        .await
        .unwrap();
    eprintln!("report {:?}", start.elapsed());
    let rows: Vec<(String, i64, i64, i64, i64)> = sqlx::query_as("select relname::text, n_live_tup, seq_scan, seq_tup_read, coalesce(idx_scan,0) from pg_stat_user_tables where n_live_tup>0 order by seq_tup_read desc").fetch_all(&database.pool).await.unwrap();
    for row in rows {
        eprintln!("{row:?}");
    }
}
