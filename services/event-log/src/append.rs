//! Appends: what concurrent commands have to write shares a transaction, and each still gets an answer of its own.

use crate::{
    chain::Hash,
    connection::Exclusive,
    error::{LogError, violated_constraint},
    execute::{EventLog, Logged, Why},
    inline::Appending,
    lanes::Lane,
    prepare::Prepared,
    read::Cursor,
    requests::RequestKey,
    together::Worker,
    write::{Appended, Share, Verdict, appending, write_batch, write_whole},
};
use async_trait::async_trait;
use cqrs_es::Aggregate;
use sqlx::PgConnection;
use std::time::Duration;
use tokio::{
    sync::oneshot,
    time::{Instant, timeout, timeout_at},
};

/// Events of one batch, at most.
const BATCH_EVENTS_MAX: usize = 256;
/// Payload of one batch, in bytes, at most; a single command may exceed it alone.
const BATCH_BYTES_MAX: usize = 1_000_000;
/// How long a batch may take before its connection is given up. Whoever waits for it has been told before that.
const BATCH_PATIENCE: Duration = Duration::from_secs(3);
/// The same with rows of the caller's, which may be large.
const HOOK_PATIENCE: Duration = Duration::from_secs(10);
/// Tries of one command that PostgreSQL has chosen as the victim of a deadlock.
const DEADLOCK_TRIES_MAX: u32 = 5;
/// For so long it is looked what became of a batch whose commit was not answered.
const LOOK_PATIENCE: Duration = Duration::from_secs(1);
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// How long it may take to find out what a violated rule means.
const EXPLAIN_PATIENCE: Duration = Duration::from_secs(2);
/// What is taken when a person thought to be new is known by now; look again who it is.
const PERSON_KNOWN: &str = "persons_pkey";

/// Rows that have to be written in the transaction of the append: attachments of a case, the checkpoint of an import.
#[async_trait]
pub trait AppendHook: Send + Sync {
    async fn run(&self, connection: &mut PgConnection) -> Result<(), sqlx::Error>;
}

/// The whole history of an aggregate that is not in the log yet.
pub struct NewStream<A: Aggregate> {
    pub aggregate_id: String,
    pub events: Vec<A::Event>,
}

/// A command's append, waiting for its turn.
pub(crate) struct Pending<A: Aggregate> {
    pub prepared: Prepared<A>,
    pub request: Option<RequestKey>,
    /// Held until the outcome is known, also when the caller has gone away.
    pub lane: Lane,
    pub done: oneshot::Sender<Result<Appended, AppendError<A::Error>>>,
}

#[derive(Debug)]
pub(crate) enum AppendError<R: std::error::Error> {
    /// Somebody else's events came first.
    Conflict,
    /// The request key has been stored meanwhile.
    AlreadyAnswered,
    /// A subject thought to be new is not; look it up.
    KeyLost,
    Failed(LogError<R>),
}

impl<R: std::error::Error> From<sqlx::Error> for AppendError<R> {
    fn from(error: sqlx::Error) -> Self {
        AppendError::Failed(error.into())
    }
}

/// How a transaction ended.
enum Written {
    Committed(Vec<Appended>),
    /// Rolled back: these shares can't be stored as they are, the others could.
    Held(Vec<Verdict>),
}

/// Why a transaction was not committed, or may not have been.
enum Broken {
    /// The server said no; nothing is stored.
    Refused(sqlx::Error),
    /// Nothing is stored, and the connection is of no use any more.
    Lost(sqlx::Error),
    /// The answer to the commit was lost.
    Unknown(sqlx::Error),
}

impl<A: Logged> EventLog<A> {
    /// Appends together with what others have to append now.
    pub(crate) async fn append_shared(
        &self,
        prepared: Prepared<A>,
        request: Option<&RequestKey>,
        lane: Lane,
    ) -> Result<Appended, AppendError<A::Error>> {
        let (done, appended) = oneshot::channel();
        let pending = Pending {
            prepared,
            request: request.cloned(),
            lane,
            done,
        };
        let worker = self
            .appends()
            .push(pending)
            .map_err(|_| AppendError::Failed(LogError::Busy))?;
        if let Some(worker) = worker {
            let log = self.clone();
            // A task of its own: the caller may go away, the others' appends must not go with it.
            tokio::spawn(async move { log.append_waiting(worker).await });
        }
        appended
            .await
            .unwrap_or_else(|_| Err(sqlx::Error::WorkerCrashed.into()))
    }

    /// Appends with rows of the caller's, in a transaction of their own: they may be large, or slow.
    pub(crate) async fn append_with_hook(
        &self,
        prepared: Prepared<A>,
        request: Option<&RequestKey>,
        hook: &dyn AppendHook,
        _lane: Lane,
    ) -> Result<Appended, AppendError<A::Error>> {
        let share = Share {
            prepared: &prepared,
            request,
        };
        let outcome = self.settle_one(share, Some(hook)).await;
        self.conclude(prepared, &outcome);
        outcome
    }

    /// Appends whole new streams in one transaction, with the hook's rows: for imports. Streams that are already in
    /// the log are a conflict; leave them out with [`EventLog::known`].
    pub async fn append_new(
        &self,
        streams: &[NewStream<A>],
        why: &Why,
        hook: Option<&dyn AppendHook>,
    ) -> Result<(), LogError<A::Error>> {
        let prepared = self.prepare_new(streams, why).await?;
        let shares: Vec<Share<'_, A>> = prepared
            .iter()
            .map(|prepared| Share {
                prepared,
                request: None,
            })
            .collect();
        match self.write(&shares, hook).await {
            Ok(Written::Committed(_)) => {
                self.wake_readers();
                Ok(())
            }
            Ok(Written::Held(_)) => Err(LogError::Contended),
            Err(Broken::Refused(error)) => match self.explain(error, &appending(&shares)).await {
                AppendError::Failed(error) => Err(error),
                _ => Err(LogError::Contended),
            },
            Err(Broken::Lost(error)) => Err(error.into()),
            Err(Broken::Unknown(error)) => Err(LogError::Unsettled(std::sync::Arc::new(error))),
        }
    }

    async fn append_waiting(&self, mut worker: Worker<Pending<A>>) {
        loop {
            let (mut events, mut bytes) = (0, 0);
            let batch = worker.take(|pending| {
                events += pending.prepared.rows.len();
                bytes += pending.prepared.bytes();
                events <= BATCH_EVENTS_MAX && bytes <= BATCH_BYTES_MAX
            });
            let Some(mut batch) = batch else { return };
            // Nobody waits for these any more, and nothing of them is written yet: a retry does them, if there is one.
            batch.retain(|pending| !pending.done.is_closed());
            // One order for all batches, so that two of them don't hold what the other waits for.
            batch.sort_by(|a, b| a.prepared.aggregate_id.cmp(&b.prepared.aggregate_id));
            self.settle(batch).await;
            // Who has just been answered comes first: what they have next shares the next transaction. Waits for nobody.
            tokio::task::yield_now().await;
        }
    }

    /// Answers every command of a batch. One that can't be stored is taken out, and the others are written without it.
    async fn settle(&self, batch: Vec<Pending<A>>) {
        let mut batches = vec![batch];
        while let Some(mut batch) = batches.pop() {
            if batch.len() == 1
                && let Some(pending) = batch.pop()
            {
                let share = Share {
                    prepared: &pending.prepared,
                    request: pending.request.as_ref(),
                };
                let outcome = self.settle_one(share, None).await;
                self.answer(pending, outcome);
                continue;
            }
            let shares: Vec<Share<'_, A>> = batch
                .iter()
                .map(|pending| Share {
                    prepared: &pending.prepared,
                    request: pending.request.as_ref(),
                })
                .collect();
            match self.write(&shares, None).await {
                Ok(Written::Committed(appended)) => {
                    for (pending, appended) in batch.into_iter().zip(appended) {
                        self.answer(pending, Ok(appended));
                    }
                }
                Ok(Written::Held(verdicts)) => {
                    let mut again = Vec::with_capacity(batch.len());
                    for (pending, verdict) in batch.into_iter().zip(verdicts) {
                        match verdict.error() {
                            None => again.push(pending),
                            Some(error) => self.answer(pending, Err(error)),
                        }
                    }
                    batches.extend((!again.is_empty()).then_some(again));
                }
                // A rule refused one of them, or two batches locked each other up: each half may do better alone.
                Err(Broken::Refused(_)) => {
                    let second = batch.split_off(batch.len() / 2);
                    batches.push(second);
                    batches.push(batch);
                }
                Err(Broken::Lost(error)) => {
                    let error = std::sync::Arc::new(error);
                    for pending in batch {
                        let error = LogError::Shared(std::sync::Arc::clone(&error));
                        self.answer(pending, Err(AppendError::Failed(error)));
                    }
                }
                // Committed together or not at all, but each is looked for by its own hash.
                Err(Broken::Unknown(error)) => {
                    let error = std::sync::Arc::new(error);
                    let until = Instant::now() + LOOK_PATIENCE;
                    for pending in batch {
                        let outcome = self.look(&pending.prepared, until).await.ok_or_else(|| {
                            AppendError::Failed(LogError::Unsettled(std::sync::Arc::clone(&error)))
                        });
                        self.answer(pending, outcome);
                    }
                }
            }
        }
    }

    async fn settle_one(
        &self,
        share: Share<'_, A>,
        hook: Option<&dyn AppendHook>,
    ) -> Result<Appended, AppendError<A::Error>> {
        let shares = [share];
        let mut tries = 0;
        loop {
            tries += 1;
            return match self.write(&shares, hook).await {
                Ok(Written::Committed(appended)) => appended.first().copied().ok_or(AppendError::Conflict),
                Ok(Written::Held(verdicts)) => {
                    let error = verdicts.first().and_then(Verdict::error);
                    Err(error.unwrap_or(AppendError::Conflict))
                }
                Err(Broken::Refused(error)) if is_deadlock(&error) && tries < DEADLOCK_TRIES_MAX => continue,
                Err(Broken::Refused(error)) => Err(self.explain(error, &appending(&shares)).await),
                Err(Broken::Lost(error)) => Err(error.into()),
                Err(Broken::Unknown(error)) => {
                    let until = Instant::now() + LOOK_PATIENCE;
                    let stored = self.look(shares[0].prepared, until).await;
                    stored.ok_or(AppendError::Failed(LogError::Unsettled(std::sync::Arc::new(
                        error,
                    ))))
                }
            };
        }
    }

    fn answer(&self, pending: Pending<A>, outcome: Result<Appended, AppendError<A::Error>>) {
        let Pending {
            prepared, lane, done, ..
        } = pending;
        self.conclude(prepared, &outcome);
        drop(lane);
        // Who has gone away needs no answer.
        let _ = done.send(outcome);
    }

    /// Keeps the state that is now known to be stored; forgets what is in doubt.
    fn conclude(&self, prepared: Prepared<A>, outcome: &Result<Appended, AppendError<A::Error>>) {
        match outcome {
            Ok(_) => {
                self.vault().remember(&prepared.new_keys);
                self.remember(&prepared.aggregate_id, prepared.next);
                self.wake_readers();
            }
            Err(error) => {
                self.forget(&prepared.aggregate_id);
                if matches!(error, AppendError::KeyLost) {
                    self.vault().forget(&prepared.sealed_for);
                }
            }
        }
    }

    /// Writes a batch in one transaction.
    async fn write(&self, shares: &[Share<'_, A>], hook: Option<&dyn AppendHook>) -> Result<Written, Broken> {
        let connection = Exclusive::acquire(self.own_pool()).await.map_err(Broken::Lost)?;
        let patience = if hook.is_some() {
            HOOK_PATIENCE
        } else {
            BATCH_PATIENCE
        };
        // Given up, the connection is closed. The server gives up by itself before we do (`execute.rs`).
        timeout(patience, self.transact(connection, shares, hook))
            .await
            .unwrap_or(Err(Broken::Unknown(sqlx::Error::PoolTimedOut)))
    }

    async fn transact(
        &self,
        mut connection: Exclusive,
        shares: &[Share<'_, A>],
        hook: Option<&dyn AppendHook>,
    ) -> Result<Written, Broken> {
        if hook.is_none() {
            match write_whole(&mut connection, shares, self.inline()).await {
                Ok(Some(appended)) => {
                    connection.release();
                    return Ok(Written::Committed(appended));
                }
                Ok(None) => {}
                Err(error) if is_late(&error) => return Err(Broken::Lost(error)),
                // Who is to blame is found out below.
                Err(error) if is_answer(&error) => {}
                Err(error) => return Err(Broken::Unknown(error)),
            }
        }
        connection.begin().await.map_err(Broken::Lost)?;
        if hook.is_some() {
            connection.patiently().await.map_err(Broken::Lost)?;
        }
        let written = async {
            let verdicts = write_batch(&mut connection, shares, self.vault(), self.inline()).await?;
            if let (Some(hook), true) = (hook, verdicts.iter().all(|verdict| verdict.stored().is_some())) {
                hook.run(&mut connection).await?;
            }
            Ok::<_, sqlx::Error>(verdicts)
        };
        match written.await {
            Ok(verdicts) => match verdicts.iter().map(Verdict::stored).collect() {
                Some(appended) => {
                    connection.commit().await.map_err(Broken::Unknown)?;
                    Ok(Written::Committed(appended))
                }
                None => {
                    connection.rollback().await.map_err(Broken::Lost)?;
                    Ok(Written::Held(verdicts))
                }
            },
            Err(error) => {
                connection.rollback().await.map_err(Broken::Lost)?;
                Err(if is_late(&error) {
                    Broken::Lost(error)
                } else {
                    Broken::Refused(error)
                })
            }
        }
    }

    /// Looks for an append whose commit was not answered. None if it isn't there, or can't be looked for in time.
    async fn look(&self, prepared: &Prepared<A>, until: Instant) -> Option<Appended> {
        timeout_at(until, self.look_again(prepared)).await.ok().flatten()
    }

    async fn look_again(&self, prepared: &Prepared<A>) -> Option<Appended> {
        let last = prepared.rows.last()?;
        loop {
            let found = sqlx::query_as::<_, (i64, i64, Option<Vec<u8>>)>(
                "SELECT transaction_id::text::bigint, position, hash FROM events
                 WHERE aggregate_type = $1 AND aggregate_id = $2 AND sequence = $3",
            )
            .bind(A::TYPE)
            .bind(&prepared.aggregate_id)
            .bind(last.sequence)
            .fetch_optional(self.pool())
            .await;
            match found {
                Ok(found) => {
                    return found.filter(|(_, _, hash)| is(&last.hash, hash.as_deref())).map(
                        |(transaction_id, position, _)| Appended {
                            version: last.sequence.unsigned_abs(),
                            cursor: Cursor {
                                transaction_id,
                                position,
                            },
                        },
                    );
                }
                Err(_) => tokio::time::sleep(LOOK_EVERY).await,
            }
        }
    }

    async fn explain(&self, error: sqlx::Error, appending: &[Appending<'_, A>]) -> AppendError<A::Error> {
        let Some(constraint) = violated_constraint(&error).map(str::to_owned) else {
            return error.into();
        };
        match constraint.as_str() {
            "events_pkey" => return AppendError::Conflict,
            "requests_pkey" => return AppendError::AlreadyAnswered,
            _ => {}
        }
        let explained = async {
            let mut connection = self.pool().acquire().await?;
            self.inline()
                .explain(&mut connection, &constraint, appending)
                .await
        };
        let explained = timeout(EXPLAIN_PATIENCE, explained).await;
        match explained.unwrap_or(Err(sqlx::Error::PoolTimedOut)) {
            Ok(Some(refusal)) => AppendError::Failed(LogError::Refused(refusal)),
            Ok(None)
                if error
                    .as_database_error()
                    .is_some_and(|error| error.is_unique_violation()) =>
            {
                AppendError::Failed(LogError::Taken { constraint })
            }
            Ok(None) => error.into(),
            Err(error) => error.into(),
        }
    }
}

impl Verdict {
    fn stored(&self) -> Option<Appended> {
        match self {
            Verdict::Stored(appended) => Some(*appended),
            _ => None,
        }
    }

    fn error<R: std::error::Error>(&self) -> Option<AppendError<R>> {
        match self {
            Verdict::Stored(_) => None,
            Verdict::Conflict => Some(AppendError::Conflict),
            Verdict::AlreadyAnswered => Some(AppendError::AlreadyAnswered),
            Verdict::KeyLost => Some(AppendError::KeyLost),
            Verdict::PersonKnown => Some(AppendError::Failed(LogError::Taken {
                constraint: PERSON_KNOWN.to_owned(),
            })),
        }
    }
}

fn is(hash: &Hash, stored: Option<&[u8]>) -> bool {
    stored == Some(&hash[..])
}

/// The server has looked at the statement and refused it; a shutdown or a cut line is no answer.
fn is_answer(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(|error| {
        error
            .code()
            .is_none_or(|code| !code.starts_with("57P") && !code.starts_with("08"))
    })
}

/// The server has waited for as long as it may: nothing is stored, and trying it in halves would only wait longer.
fn is_late(error: &sqlx::Error) -> bool {
    error
        .as_database_error()
        .and_then(|error| error.code())
        .is_some_and(|code| matches!(&*code, "57014" | "55P03"))
}

fn is_deadlock(error: &sqlx::Error) -> bool {
    error
        .as_database_error()
        .and_then(|error| error.code())
        .is_some_and(|code| matches!(&*code, "40P01" | "40001"))
}
