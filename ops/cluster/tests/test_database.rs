//! Databases for tests, on whatever server the tests of this workspace use.

use std::borrow::Cow;

use onetrip_cluster::testing::test_database;
use sqlx::migrate::{Migration, MigrationType, Migrator};

fn migrator(statements: &[&'static str]) -> Migrator {
    let migrations = statements
        .iter()
        .enumerate()
        .map(|(index, sql)| {
            let version = i64::try_from(index).unwrap() + 1;
            Migration::new(
                version,
                Cow::Borrowed("test"),
                MigrationType::Simple,
                Cow::Borrowed(*sql),
                false,
            )
        })
        .collect();
    Migrator {
        migrations,
        ..Migrator::DEFAULT
    }
}

const NOTES: &str = "CREATE TABLE notes (body text NOT NULL)";

#[tokio::test]
async fn no_test_sees_the_rows_of_another() {
    let migrator = migrator(&[NOTES]);
    let (one, other) = tokio::join!(test_database(&migrator), test_database(&migrator));
    assert_ne!(one.url, other.url);
    sqlx::query("INSERT INTO notes VALUES ('mine')")
        .execute(&one.pool)
        .await
        .unwrap();
    let count = |pool| async move {
        sqlx::query_scalar::<_, i64>("SELECT count(*) FROM notes")
            .fetch_one(&pool)
            .await
    };
    assert_eq!(count(one.pool.clone()).await.unwrap(), 1);
    assert_eq!(count(other.pool.clone()).await.unwrap(), 0);
    let again = sqlx::PgPool::connect(&one.url).await.unwrap();
    assert_eq!(
        count(again).await.unwrap(),
        1,
        "the address leads to the same database as the pool"
    );
}

#[tokio::test]
async fn changed_migrations_get_a_new_template() {
    let before = test_database(&migrator(&[NOTES])).await;
    let after = test_database(&migrator(&[
        NOTES,
        "ALTER TABLE notes ADD COLUMN written_at timestamptz",
    ]))
    .await;
    let columns = "SELECT count(*) FROM information_schema.columns WHERE table_name = 'notes'";
    for (database, expected) in [(before, 1), (after, 2)] {
        let found: i64 = sqlx::query_scalar(columns)
            .fetch_one(&database.pool)
            .await
            .unwrap();
        assert_eq!(found, expected);
    }
}

#[tokio::test]
async fn failing_migrations_fail_every_time() {
    let broken = migrator(&[NOTES, "SELECT 1 FROM no_such_table"]);
    for _ in 0..2 {
        let error = onetrip_cluster::testing::try_test_database(&broken)
            .await
            .unwrap_err();
        assert!(error.to_string().contains("no_such_table"), "{error}");
    }
}

#[tokio::test]
async fn migrations_are_recorded_as_run() {
    let migrator = migrator(&[NOTES]);
    let database = test_database(&migrator).await;
    migrator.run(&database.pool).await.unwrap();
}

#[tokio::test]
async fn migrations_are_read_from_a_folder_too() {
    let folder = std::env::temp_dir().join(format!("onetrip-migrations-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("20260101000000_notes.sql"), NOTES).unwrap();
    let migrator = Migrator::new(folder.clone()).await.unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    let database = test_database(&migrator).await;
    sqlx::query("INSERT INTO notes VALUES ('x')")
        .execute(&database.pool)
        .await
        .unwrap();
}
