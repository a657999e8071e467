//! How long a request waits for the database in all, however often it asks.

use crate::error::CaseworkError;
use std::{
    cell::Cell,
    time::{Duration, Instant},
};
use tokio::{task_local, time::timeout};

task_local! {
    /// Waited for the database in this request so far.
    static WAITED: Cell<Duration>;
}

/// Runs what answers one request: its questions to the database share one patience. Waiting for whoever sends the request
/// is not counted.
pub async fn one_request<T>(answering: impl Future<Output = T>) -> T {
    WAITED.scope(Cell::default(), answering).await
}

/// Gives up once the request has waited for `patience` in all; outside of [`one_request`], this question alone.
pub(crate) async fn within<T>(
    patience: Duration,
    work: impl Future<Output = Result<T, CaseworkError>>,
) -> Result<T, CaseworkError> {
    let before = WAITED.try_with(Cell::get).unwrap_or_default();
    let start = Instant::now();
    let result = timeout(patience.saturating_sub(before), work).await;
    // Outside of a request nobody counts.
    let _ = WAITED.try_with(|waited| waited.set(before + start.elapsed()));
    result.unwrap_or_else(|_| {
        Err(CaseworkError::Unavailable(
            "the database did not answer in time".to_owned(),
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::pending;

    const PATIENCE: Duration = Duration::from_millis(300);

    async fn ask_twice() -> Duration {
        let start = Instant::now();
        for _ in 0..2 {
            let answer = within(PATIENCE, pending::<Result<(), _>>()).await;
            assert!(matches!(answer, Err(CaseworkError::Unavailable(_))));
        }
        start.elapsed()
    }

    #[tokio::test]
    async fn the_questions_of_a_request_share_one_patience() {
        let took = one_request(ask_twice()).await;
        assert!(took >= PATIENCE && took < PATIENCE * 2, "{took:?}");
    }

    #[tokio::test]
    async fn questions_outside_of_a_request_have_one_each() {
        assert!(ask_twice().await >= PATIENCE * 2);
    }
}
