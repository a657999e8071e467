use crate::{
    append::{AppendError, AppendHook, Appended, Batch, NewStream},
    error::LogError,
    inline::InlineProjection,
    requests::{self, RequestKey, StoredAnswer},
    store::{LogContext, LogStore},
    vault::Vault,
};
use cqrs_es::{Aggregate, EventStore, event_sink::EventSink, persist::EventUpcaster};
use serde_json::json;
use sqlx::PgPool;
use std::sync::Arc;
use tokio::sync::Notify;
use uuid::Uuid;

/// Tries before a command on a busy aggregate is given back to the caller.
const TRIES_MAX: u32 = 16;

/// Why something happened, stored beside the event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Why {
    /// Everything that goes back to one wish of one person.
    pub correlation_id: Uuid,
    /// The command that caused it.
    pub causation_id: Uuid,
}

impl Why {
    /// Caused directly by the request `id`.
    pub fn request(id: Uuid) -> Why {
        Why {
            correlation_id: id,
            causation_id: id,
        }
    }

    pub(crate) fn to_json(self) -> String {
        json!({"correlation_id": self.correlation_id, "causation_id": self.causation_id}).to_string()
    }
}

/// What became of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Appended(Appended),
    /// The wish was already fulfilled; nothing was written.
    Unchanged {
        version: u64,
    },
    /// The same request was answered before.
    Replayed(StoredAnswer),
}

/// The log of one kind of aggregate. Cheap to clone.
pub struct EventLog<A: Aggregate> {
    inner: Arc<Inner<A>>,
}

impl<A: Aggregate> Clone for EventLog<A> {
    fn clone(&self) -> Self {
        EventLog {
            inner: Arc::clone(&self.inner),
        }
    }
}

struct Inner<A: Aggregate> {
    pool: PgPool,
    vault: Vault,
    inline: Box<dyn InlineProjection<A>>,
    upcasters: Vec<Box<dyn EventUpcaster>>,
    appended: Notify,
}

impl<A: Aggregate> EventLog<A> {
    pub fn new(
        pool: PgPool,
        vault: Vault,
        inline: impl InlineProjection<A> + 'static,
        upcasters: Vec<Box<dyn EventUpcaster>>,
    ) -> Self {
        let inline = Box::new(inline);
        EventLog {
            inner: Arc::new(Inner {
                pool,
                vault,
                inline,
                upcasters,
                appended: Notify::new(),
            }),
        }
    }

    pub fn pool(&self) -> &PgPool {
        &self.inner.pool
    }

    pub fn vault(&self) -> &Vault {
        &self.inner.vault
    }

    pub(crate) fn inline(&self) -> &dyn InlineProjection<A> {
        &*self.inner.inline
    }

    pub(crate) fn upcast(
        &self,
        event: cqrs_es::persist::SerializedEvent,
    ) -> cqrs_es::persist::SerializedEvent {
        self.inner.upcasters.iter().fold(event, |event, upcaster| {
            if upcaster.can_upcast(&event.event_type, &event.event_version) {
                upcaster.upcast(event)
            } else {
                event
            }
        })
    }

    pub(crate) fn wake_readers(&self) {
        self.inner.appended.notify_waiters();
    }

    /// Resolves at the next append of this process: a nudge for readers, who poll besides.
    pub async fn appended(&self) {
        self.inner.appended.notified().await;
    }
}

impl<A> EventLog<A>
where
    A: Aggregate<Services = ()>,
    A::Command: Clone + Send + Sync,
    A::Error: Send + Sync + 'static,
{
    /// The aggregate and its version (0: not in the log).
    pub async fn load(&self, aggregate_id: &str) -> Result<(A, u64), LogError<A::Error>> {
        let context = LogStore(self)
            .load_aggregate(aggregate_id)
            .await
            .map_err(LogError::from_framework)?;
        Ok((context.aggregate, context.version))
    }

    /// Loads, decides, appends. With `expected`, only on that version; without, again after a lost race.
    pub async fn execute(
        &self,
        aggregate_id: &str,
        command: A::Command,
        expected: Option<u64>,
        why: &Why,
        request: Option<&RequestKey>,
        hook: Option<&dyn AppendHook>,
    ) -> Result<Outcome, LogError<A::Error>> {
        for _ in 0..TRIES_MAX {
            if let Some(request) = request
                && let Some(answer) = self.answered(request).await?
            {
                return Ok(Outcome::Replayed(answer));
            }
            let LogContext {
                mut aggregate,
                version,
                ..
            } = LogStore(self)
                .load_aggregate(aggregate_id)
                .await
                .map_err(LogError::from_framework)?;
            if let Some(expected) = expected.filter(|expected| *expected != version) {
                return self
                    .unless_answered(
                        request,
                        Err(LogError::Stale {
                            expected,
                            actual: version,
                        }),
                    )
                    .await;
            }
            let sink = EventSink::<A>::default();
            if let Err(refusal) = aggregate.handle(command.clone(), &(), &sink).await {
                return self
                    .unless_answered(request, Err(LogError::Refused(refusal)))
                    .await;
            }
            let events = sink.collect().await;
            if events.is_empty() {
                return self
                    .unless_answered(request, Ok(Outcome::Unchanged { version }))
                    .await;
            }
            let batch = Batch {
                aggregate_id,
                version,
                events: &events,
            };
            match self.append(&[batch], why, request, hook).await {
                Ok(appended) => return Ok(Outcome::Appended(appended)),
                Err(AppendError::Conflict | AppendError::AlreadyAnswered) => {}
                Err(AppendError::Failed(error)) => return self.unless_answered(request, Err(error)).await,
            }
        }
        Err(LogError::Contended)
    }

    /// The same request may have been sent twice at once: what one of the two did is what the other finds in its way.
    /// Its answer is then the answer to both; it also settles a commit whose outcome was lost.
    async fn unless_answered(
        &self,
        request: Option<&RequestKey>,
        outcome: Result<Outcome, LogError<A::Error>>,
    ) -> Result<Outcome, LogError<A::Error>> {
        let Some(request) = request else { return outcome };
        match self.answered(request).await {
            Ok(Some(answer)) => Ok(Outcome::Replayed(answer)),
            Err(LogError::KeyReused) => Err(LogError::KeyReused),
            Ok(None) | Err(_) => outcome,
        }
    }

    /// The answer to an earlier request with this key.
    pub async fn answered(&self, request: &RequestKey) -> Result<Option<StoredAnswer>, LogError<A::Error>> {
        let mut connection = self.pool().acquire().await?;
        match requests::find(&mut connection, request).await? {
            None => Ok(None),
            Some((answer, true)) => Ok(Some(answer)),
            Some((_, false)) => Err(LogError::KeyReused),
        }
    }

    /// Appends whole new streams in one transaction, with the hook's rows: for imports. Streams that are already in
    /// the log are a conflict; leave them out with [`EventLog::known`].
    pub async fn append_new(
        &self,
        streams: &[NewStream<A>],
        why: &Why,
        hook: Option<&dyn AppendHook>,
    ) -> Result<(), LogError<A::Error>> {
        let batches: Vec<Batch<'_, A>> = streams
            .iter()
            .map(|stream| Batch {
                aggregate_id: &stream.aggregate_id,
                version: 0,
                events: &stream.events,
            })
            .collect();
        match self.append(&batches, why, None, hook).await {
            Ok(_) => Ok(()),
            Err(AppendError::Conflict | AppendError::AlreadyAnswered) => Err(LogError::Contended),
            Err(AppendError::Failed(error)) => Err(error),
        }
    }

    /// Which of these aggregates are in the log.
    pub async fn known(&self, aggregate_ids: &[String]) -> Result<Vec<String>, LogError<A::Error>> {
        Ok(sqlx::query_scalar(
            "SELECT aggregate_id FROM events WHERE aggregate_type = $1 AND aggregate_id = ANY($2) AND sequence = 1",
        )
        .bind(A::TYPE)
        .bind(aggregate_ids)
        .fetch_all(self.pool())
        .await?)
    }
}
