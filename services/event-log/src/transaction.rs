use sqlx::{PgPool, Postgres, Transaction};

/// Begins a transaction that its caller may walk away from at any moment.
///
/// sqlx 0.8 counts a transaction only once it has read the answer to `BEGIN`. A future dropped before that (a client
/// hangs up, a time limit passes) hands the connection back to the pool inside a transaction that nobody ends: what
/// others then write on it is lost, and its locks stay (sqlx#4393). Here a task of its own reads the answer in any case.
pub async fn begin(pool: &PgPool) -> Result<Transaction<'static, Postgres>, sqlx::Error> {
    let pool = pool.clone();
    let begun = tokio::spawn(async move { pool.begin().await }).await;
    begun.unwrap_or(Err(sqlx::Error::WorkerCrashed))
}
