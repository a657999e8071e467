//! Connections that die, go silent or are walked away from: none keeps its place in the pool.

use crate::common::database;
use futures::future::FutureExt;
use onetrip_event_log::Pool;
use sqlx::{Connection, Executor, PgConnection, postgres::PgConnectOptions};
use std::time::{Duration, Instant};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, UnixStream},
    sync::watch,
};

/// Much longer than any time limit of the pool's.
const PATIENCE: Duration = Duration::from_secs(30);

/// A line to the database on which connections can be made to go silent for good: nothing comes through any more, not
/// even their end.
struct Line {
    options: PgConnectOptions,
    silenced: watch::Sender<u64>,
}

impl Line {
    async fn to(database: &Pool) -> Line {
        let options = database.options();
        let socket = options.get_socket().expect("a server on a socket");
        let socket = socket.join(format!(".s.PGSQL.{}", options.get_port()));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let name = options.get_database().unwrap();
        let url = format!("postgres://postgres@127.0.0.1:{port}/{name}?sslmode=disable");
        let silenced = watch::Sender::new(0);
        let told = silenced.subscribe();
        tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let (mut told, socket) = (told.clone(), socket.clone());
                told.mark_unchanged();
                tokio::spawn(async move {
                    let mut server = UnixStream::connect(socket).await.unwrap();
                    let ended = tokio::select! {
                        _ = copy_bidirectional(&mut client, &mut server) => true,
                        silenced = told.changed() => silenced.is_err(),
                    };
                    if !ended {
                        // Both ends stay open.
                        std::future::pending::<()>().await;
                    }
                });
            }
        });
        Line {
            options: url.parse().unwrap(),
            silenced,
        }
    }

    fn pool(&self, connections: u32) -> Pool {
        Pool::new(self.options.clone(), connections, PATIENCE)
    }

    /// Those there are; new ones come through.
    fn silence(&self) {
        self.silenced.send_modify(|times| *times += 1);
    }
}

async fn process(connection: &mut PgConnection) -> i32 {
    sqlx::query_scalar("SELECT pg_backend_pid()")
        .fetch_one(connection)
        .await
        .unwrap()
}

async fn asked(pool: &Pool) -> i32 {
    sqlx::query_scalar("SELECT pg_backend_pid()")
        .fetch_one(pool)
        .await
        .unwrap()
}

#[tokio::test]
async fn what_goes_silent_on_its_way_back_loses_its_place_within_seconds() {
    let line = Line::to(&database().await).await;
    let pool = line.pool(3);
    let mut lent = Vec::new();
    for _ in 0..3 {
        lent.push(pool.acquire().await.unwrap());
    }
    line.silence();
    let start = Instant::now();
    drop(lent);
    assert_eq!(pool.busy(), 3);
    // All places, not one.
    let mut lent = Vec::new();
    for _ in 0..3 {
        let mut connection = pool.acquire().await.unwrap();
        process(&mut connection).await;
        lent.push(connection);
    }
    assert!(start.elapsed() < PATIENCE / 3, "{:?}", start.elapsed());
}

#[tokio::test]
async fn what_goes_silent_in_a_transaction_loses_its_place_when_it_is_dropped() {
    let line = Line::to(&database().await).await;
    let pool = line.pool(1);
    let mut transaction = pool.begin().await.unwrap();
    line.silence();
    assert!(
        (&mut *transaction).execute("SELECT 1").now_or_never().is_none(),
        "nothing comes through"
    );
    drop(transaction);
    assert_eq!(pool.busy(), 0);
    asked(&pool).await;
}

#[tokio::test]
async fn a_question_given_up_on_a_silent_line_keeps_its_place_for_seconds_only() {
    let line = Line::to(&database().await).await;
    let pool = line.pool(1);
    let silent = asked(&pool).await;
    line.silence();
    let given_up = tokio::time::timeout(Duration::from_millis(100), asked(&pool)).await;
    assert!(given_up.is_err(), "nothing comes through");
    let start = Instant::now();
    assert_ne!(asked(&pool).await, silent);
    assert!(start.elapsed() < PATIENCE / 3, "{:?}", start.elapsed());
}

#[tokio::test]
async fn a_connection_whose_answers_were_read_is_lent_again() {
    let pool = Pool::new(database().await.options().clone(), 2, PATIENCE);
    let first = asked(&pool).await;
    assert_eq!((pool.busy(), pool.idle()), (0, 1));
    assert_eq!(asked(&pool).await, first);
    let mut connection = pool.acquire().await.unwrap();
    assert_eq!(process(&mut connection).await, first);
    connection.release();
    assert_eq!((pool.busy(), pool.idle()), (0, 1));
    let mut transaction = pool.begin().await.unwrap();
    assert_eq!(process(&mut transaction).await, first);
    transaction.rollback().await.unwrap();
    assert_eq!((pool.busy(), pool.idle()), (0, 1));
}

#[tokio::test]
async fn a_transaction_that_is_walked_away_from_is_open_on_no_connection() {
    let pool = Pool::new(database().await.options().clone(), 1, PATIENCE);
    let mut transaction = pool.begin().await.unwrap();
    let first = process(&mut transaction).await;
    drop(transaction);
    let mut connection = pool.acquire().await.unwrap();
    assert_ne!(process(&mut connection).await, first);
    // One of sqlx's ends on its connection's way back.
    let mut open = connection.begin().await.unwrap();
    open.execute("CREATE TEMPORARY TABLE left_open (nothing integer)")
        .await
        .unwrap();
    drop(open);
    drop(connection);
    let is_gone: bool = sqlx::query_scalar("SELECT to_regclass('left_open') IS NULL")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert!(is_gone, "it was rolled back");
}

#[tokio::test]
async fn an_answer_that_was_not_waited_for_is_heard_before_the_next_question() {
    let pool = Pool::new(database().await.options().clone(), 1, PATIENCE);
    let first = asked(&pool).await;
    for polls in 1..8 {
        let mut asking =
            Box::pin(sqlx::query_scalar::<_, i32>("SELECT 42 FROM pg_sleep(0.01)").fetch_one(&pool));
        for _ in 0..polls {
            assert!((&mut asking).now_or_never().is_none());
            tokio::task::yield_now().await;
        }
        drop(asking);
        assert_eq!(asked(&pool).await, first);
    }
}

#[tokio::test]
async fn a_connection_that_is_not_to_be_had_is_an_error_in_time() {
    let patience = Duration::from_millis(100);
    let pool = Pool::new(database().await.options().clone(), 1, patience);
    let held = pool.acquire().await.unwrap();
    let late = pool.acquire().await.map(drop);
    assert!(matches!(late, Err(sqlx::Error::PoolTimedOut)), "{late:?}");
    drop(held);
}
