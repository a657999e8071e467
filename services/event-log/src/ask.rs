//! Questions to the database that callers ask one by one and that are answered many at a time, in one statement.

use crate::{
    error::LogError,
    together::{Together, Worker},
};
use std::{error::Error, sync::Arc, time::Duration};
use tokio::{sync::oneshot, time::timeout};

/// Questions that share one statement, at most.
const ASKED_MAX: usize = 64;
/// How long that statement may take; its connection is given up then.
const PATIENCE: Duration = Duration::from_secs(2);

/// Why a shared statement failed; each waiting caller gets it.
type Failure = Arc<sqlx::Error>;

struct Asked<Q, R> {
    question: Q,
    done: oneshot::Sender<Result<R, Failure>>,
}

/// Questions of one kind.
pub(crate) struct Questions<Q, R> {
    waiting: Arc<Together<Asked<Q, R>>>,
}

impl<Q: Send + 'static, R: Send + 'static> Questions<Q, R> {
    /// At most so many statements at a time, and so many questions that wait.
    pub fn new(statements_max: usize, waiting_max: usize) -> Questions<Q, R> {
        Questions {
            waiting: Together::new(statements_max, waiting_max),
        }
    }

    /// The answer to `question`. `answer` takes what is asked at that time and gives an answer to each, in order.
    pub async fn ask<F, N, E>(&self, question: Q, answer: F) -> Result<R, LogError<E>>
    where
        F: Fn(Vec<Q>) -> N + Send + 'static,
        N: Future<Output = Result<Vec<R>, sqlx::Error>> + Send + 'static,
        E: Error,
    {
        let (done, answered) = oneshot::channel();
        let asked = Asked { question, done };
        let worker = self.waiting.push(asked).map_err(|_| LogError::Busy)?;
        if let Some(worker) = worker {
            // A task of its own: the caller may go away, the others' answers must not go with it.
            tokio::spawn(answer_waiting(worker, answer));
        }
        match answered.await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err(LogError::Shared(error)),
            Err(_) => Err(sqlx::Error::WorkerCrashed.into()),
        }
    }
}

async fn answer_waiting<Q, R, F, N>(mut worker: Worker<Asked<Q, R>>, answer: F)
where
    F: Fn(Vec<Q>) -> N,
    N: Future<Output = Result<Vec<R>, sqlx::Error>>,
{
    loop {
        let mut room = ASKED_MAX;
        let taken = worker.take(|_| {
            room = room.saturating_sub(1);
            room > 0
        });
        let Some(mut taken) = taken else { return };
        // Who has gone away needs no answer.
        taken.retain(|asked| !asked.done.is_closed());
        if taken.is_empty() {
            continue;
        }
        let (questions, waiting): (Vec<Q>, Vec<_>) = taken
            .into_iter()
            .map(|asked| (asked.question, asked.done))
            .unzip();
        match timeout(PATIENCE, answer(questions))
            .await
            .unwrap_or(Err(sqlx::Error::PoolTimedOut))
        {
            Ok(answers) => {
                for (done, answer) in waiting.into_iter().zip(answers) {
                    let _ = done.send(Ok(answer));
                }
            }
            Err(error) => {
                let error = Arc::new(error);
                for done in waiting {
                    let _ = done.send(Err(Arc::clone(&error)));
                }
            }
        }
    }
}
