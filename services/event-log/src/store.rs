use crate::{
    append::AppendError,
    chain::Hash,
    error::LogError,
    execute::{EventLog, Logged, Why},
    load::Snapshot,
    prepare::FirstSeen,
};
use cqrs_es::{Aggregate, AggregateContext, AggregateError, EventEnvelope, EventStore};
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
    head: Hash,
}

impl<A: Aggregate> AggregateContext<A> for LogContext<A> {
    fn aggregate(&mut self) -> &mut A {
        &mut self.aggregate
    }
}

type Row = (i64, String, String, String, String);

impl<A: Logged> EventStore<A> for LogStore<'_, A> {
    type AC = LogContext<A>;

    async fn load_events(
        &self,
        aggregate_id: &str,
    ) -> Result<Vec<EventEnvelope<A>>, AggregateError<A::Error>> {
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT sequence, event_type, event_version, payload::text, metadata::text FROM events
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
                let payload = serde_json::from_str(&payload).map_err(unreadable)?;
                let payload = self
                    .0
                    .read(aggregate_id, sequence, &event_type, &event_version, payload)
                    .map_err(unreadable)?;
                Ok(EventEnvelope {
                    aggregate_id: aggregate_id.to_owned(),
                    sequence,
                    payload,
                    metadata: serde_json::from_str(&metadata).map_err(unreadable)?,
                })
            })
            .collect()
    }

    async fn load_aggregate(&self, aggregate_id: &str) -> Result<LogContext<A>, AggregateError<A::Error>> {
        let snapshot = self.0.read_snapshot(aggregate_id).await.map_err(to_framework)?;
        Ok(LogContext {
            aggregate_id: aggregate_id.to_owned(),
            aggregate: snapshot.state,
            version: snapshot.version,
            head: snapshot.head,
        })
    }

    async fn commit(
        &self,
        events: Vec<A::Event>,
        context: LogContext<A>,
        metadata: HashMap<String, String>,
    ) -> Result<Vec<EventEnvelope<A>>, AggregateError<A::Error>> {
        let id = |key: &str| metadata.get(key).and_then(|id| id.parse::<Uuid>().ok());
        let correlation_id = id("correlation_id").unwrap_or_default();
        let why = Why {
            correlation_id,
            causation_id: id("causation_id").unwrap_or(correlation_id),
        };
        let LogContext {
            aggregate_id,
            aggregate,
            version,
            head,
        } = context;
        // `handle` has moved the aggregate on; what is kept in memory is folded from what is stored.
        drop(aggregate);
        let (lane, _) = self.0.lanes().enter(&aggregate_id).await;
        let before = match version {
            0 => Snapshot::default(),
            _ => self.0.read_snapshot(&aggregate_id).await.map_err(to_framework)?,
        };
        if (before.version, before.head) != (version, head) {
            return Err(AggregateError::AggregateConflict);
        }
        let prepared = self
            .0
            .prepare(
                &aggregate_id,
                &before,
                events.clone(),
                &why,
                &FirstSeen::default(),
            )
            .await
            .map_err(to_framework)?;
        match self.0.append_shared(prepared, None, lane).await {
            Ok(_) => {}
            Err(AppendError::Failed(error)) => return Err(to_framework(error)),
            Err(_) => return Err(AggregateError::AggregateConflict),
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

fn to_framework<E: std::error::Error + Send + Sync + 'static>(error: LogError<E>) -> AggregateError<E> {
    match error {
        LogError::Refused(refusal) => AggregateError::UserError(refusal),
        LogError::Contended | LogError::Stale { .. } => AggregateError::AggregateConflict,
        LogError::Codec(error) => unreadable(error),
        LogError::Database(error) => AggregateError::DatabaseConnectionError(Box::new(error)),
        error => AggregateError::UnexpectedError(Box::new(error)),
    }
}
