use crate::{
    append::{AppendError, Batch},
    error::LogError,
    execute::{EventLog, Why},
};
use cqrs_es::{
    Aggregate, AggregateContext, AggregateError, EventEnvelope, EventStore, persist::SerializedEvent,
};
use serde_json::Value;
use std::collections::HashMap;
use uuid::Uuid;

/// The log as a `cqrs_es::EventStore`, for what is driven by the framework.
pub struct LogStore<'a, A: Aggregate>(pub &'a EventLog<A>);

/// An aggregate as loaded, and the version the decision will be made on.
pub struct LogContext<A: Aggregate> {
    pub aggregate_id: String,
    pub aggregate: A,
    /// Sequence of the newest event; 0 where there is none.
    pub version: u64,
}

impl<A: Aggregate> AggregateContext<A> for LogContext<A> {
    fn aggregate(&mut self) -> &mut A {
        &mut self.aggregate
    }
}

type Row = (i64, String, String, Value, Value);

impl<A> EventStore<A> for LogStore<'_, A>
where
    A: Aggregate,
    A::Error: Send + Sync + 'static,
{
    type AC = LogContext<A>;

    async fn load_events(
        &self,
        aggregate_id: &str,
    ) -> Result<Vec<EventEnvelope<A>>, AggregateError<A::Error>> {
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT sequence, event_type, event_version, payload, metadata FROM events
             WHERE aggregate_type = $1 AND aggregate_id = $2 ORDER BY sequence",
        )
        .bind(A::TYPE)
        .bind(aggregate_id)
        .fetch_all(self.0.pool())
        .await
        .map_err(|error| AggregateError::DatabaseConnectionError(Box::new(error)))?;
        rows.into_iter()
            .map(|(sequence, event_type, event_version, payload, metadata)| {
                let sequence = usize::try_from(sequence).unwrap_or_default();
                let event = self.0.upcast(SerializedEvent::new(
                    aggregate_id.to_owned(),
                    sequence,
                    A::TYPE.to_owned(),
                    event_type,
                    event_version,
                    payload,
                    metadata,
                ));
                let payload = serde_json::from_value(event.payload).map_err(unreadable)?;
                let metadata = serde_json::from_value(event.metadata).map_err(unreadable)?;
                Ok(EventEnvelope {
                    aggregate_id: event.aggregate_id,
                    sequence,
                    payload,
                    metadata,
                })
            })
            .collect()
    }

    async fn load_aggregate(&self, aggregate_id: &str) -> Result<LogContext<A>, AggregateError<A::Error>> {
        let mut context = LogContext {
            aggregate_id: aggregate_id.to_owned(),
            aggregate: A::default(),
            version: 0,
        };
        for envelope in self.load_events(aggregate_id).await? {
            context.version = envelope.sequence as u64;
            context.aggregate.apply(envelope.payload);
        }
        Ok(context)
    }

    async fn commit(
        &self,
        events: Vec<A::Event>,
        context: LogContext<A>,
        metadata: HashMap<String, String>,
    ) -> Result<Vec<EventEnvelope<A>>, AggregateError<A::Error>> {
        let id = |key: &str| {
            metadata
                .get(key)
                .and_then(|id| id.parse().ok())
                .unwrap_or_else(Uuid::nil)
        };
        let why = Why {
            correlation_id: id("correlation_id"),
            causation_id: id("causation_id"),
        };
        let LogContext {
            aggregate_id,
            version,
            ..
        } = context;
        let batch = Batch {
            aggregate_id: &aggregate_id,
            version,
            events: &events,
        };
        match self.0.append(&[batch], &why, None, None).await {
            Ok(_) => {}
            Err(AppendError::Conflict | AppendError::AlreadyAnswered) => {
                return Err(AggregateError::AggregateConflict);
            }
            Err(AppendError::Failed(LogError::Refused(refusal))) => {
                return Err(AggregateError::UserError(refusal));
            }
            Err(AppendError::Failed(error)) => return Err(AggregateError::UnexpectedError(Box::new(error))),
        }
        let sequences = usize::try_from(version + 1).unwrap_or_default()..;
        Ok(events
            .into_iter()
            .zip(sequences)
            .map(|(payload, sequence)| EventEnvelope {
                aggregate_id: aggregate_id.clone(),
                sequence,
                payload,
                metadata: metadata.clone(),
            })
            .collect())
    }
}

fn unreadable<E: std::error::Error>(error: serde_json::Error) -> AggregateError<E> {
    AggregateError::DeserializationError(Box::new(error))
}

impl<R: std::error::Error> LogError<R> {
    /// Brings the framework's boxed causes back to their types.
    pub(crate) fn from_framework(error: AggregateError<R>) -> Self {
        match error {
            AggregateError::UserError(refusal) => LogError::Refused(refusal),
            AggregateError::AggregateConflict => LogError::Contended,
            AggregateError::DatabaseConnectionError(cause)
            | AggregateError::DeserializationError(cause)
            | AggregateError::UnexpectedError(cause) => {
                let cause = match cause.downcast::<sqlx::Error>() {
                    Ok(error) => return LogError::Database(*error),
                    Err(cause) => cause,
                };
                match cause.downcast::<serde_json::Error>() {
                    Ok(error) => LogError::Codec(*error),
                    Err(cause) => LogError::Database(sqlx::Error::Protocol(cause.to_string())),
                }
            }
        }
    }
}
