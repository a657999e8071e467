use crate::{
    error::{LogError, violated_constraint},
    execute::{EventLog, Why},
    read::Cursor,
    requests::{self, RequestKey},
    transaction::begin,
};
use async_trait::async_trait;
use cqrs_es::{Aggregate, DomainEvent};
use sqlx::PgConnection;

/// An event about to be appended, as an inline projection sees it.
#[derive(Debug)]
pub struct Appending<'a, A: Aggregate> {
    pub aggregate_id: &'a str,
    pub sequence: u64,
    pub event: &'a A::Event,
}

/// What an append left behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Appended {
    /// Sequence of the newest event of the aggregate.
    pub version: u64,
    /// Where the newest event lies in the log: wait for a read model to have passed it to read one's own write.
    pub cursor: Cursor,
}

/// The whole history of an aggregate that is not in the log yet.
pub struct NewStream<A: Aggregate> {
    pub aggregate_id: String,
    pub events: Vec<A::Event>,
}

/// Rows that have to be written in the transaction of the append: attachments of a case, the checkpoint of an import.
#[async_trait]
pub trait AppendHook: Send + Sync {
    async fn run(&self, connection: &mut PgConnection) -> Result<(), sqlx::Error>;
}

/// One aggregate's share of an append.
pub(crate) struct Batch<'a, A: Aggregate> {
    pub aggregate_id: &'a str,
    /// Version the decision was made on; the events follow it without a gap.
    pub version: u64,
    pub events: &'a [A::Event],
}

impl<A: Aggregate> EventLog<A> {
    /// Appends in one transaction: events, inline projection, request key, hook. On a violated constraint nothing is
    /// stored and the constraint's meaning is returned.
    pub(crate) async fn append(
        &self,
        batches: &[Batch<'_, A>],
        why: &Why,
        request: Option<&RequestKey>,
        hook: Option<&dyn AppendHook>,
    ) -> Result<Appended, AppendError<A::Error>> {
        let appending: Vec<Appending<'_, A>> = batches
            .iter()
            .flat_map(|batch| {
                batch
                    .events
                    .iter()
                    .zip(batch.version + 1..)
                    .map(|(event, sequence)| Appending {
                        aggregate_id: batch.aggregate_id,
                        sequence,
                        event,
                    })
            })
            .collect();
        let mut transaction = begin(self.pool()).await?;
        let written = self.write(&mut transaction, &appending, why, request, hook).await;
        match written {
            Ok(Some(appended)) => {
                transaction.commit().await?;
                self.wake_readers();
                Ok(appended)
            }
            Ok(None) => {
                transaction.rollback().await?;
                Err(AppendError::Conflict)
            }
            Err(LogError::Database(error)) => {
                transaction.rollback().await?;
                Err(self.explain(error, &appending).await?)
            }
            Err(error) => {
                transaction.rollback().await?;
                Err(AppendError::Failed(error))
            }
        }
    }

    async fn write(
        &self,
        connection: &mut PgConnection,
        appending: &[Appending<'_, A>],
        why: &Why,
        request: Option<&RequestKey>,
        hook: Option<&dyn AppendHook>,
    ) -> Result<Option<Appended>, LogError<A::Error>> {
        let mut payloads = appending
            .iter()
            .map(|appending| serde_json::to_value(appending.event))
            .collect::<Result<Vec<_>, _>>()?;
        // The log's json column takes a NUL, the read models' jsonb does not: it would stop them all.
        if payloads.iter().any(holds_nul) {
            return Err(LogError::Codec(serde::de::Error::custom(
                "a NUL in a text of an event",
            )));
        }
        self.vault().seal_values(connection, &mut payloads).await?;
        let mut columns = Columns::default();
        for (appending, payload) in appending.iter().zip(&payloads) {
            columns
                .follows
                .push(columns.ids.last() == Some(&appending.aggregate_id));
            columns.ids.push(appending.aggregate_id);
            columns
                .sequences
                .push(i64::try_from(appending.sequence).unwrap_or(i64::MAX));
            columns.types.push(appending.event.event_type());
            columns.versions.push(appending.event.event_version());
            // Bound as text, so that the stored form is exactly the one that will be hashed.
            columns.payloads.push(payload.to_string());
        }
        let Some(appended) = insert(connection, A::TYPE, &columns, why).await? else {
            return Ok(None);
        };
        self.inline().project(connection, appending).await?;
        if let (Some(request), Some(last)) = (request, appending.last()) {
            requests::store(
                connection,
                request,
                last.aggregate_id,
                last.sequence,
                appended.cursor.position,
            )
            .await?;
        }
        if let Some(hook) = hook {
            hook.run(connection).await?;
        }
        Ok(Some(appended))
    }

    async fn explain(
        &self,
        error: sqlx::Error,
        appending: &[Appending<'_, A>],
    ) -> Result<AppendError<A::Error>, AppendError<A::Error>> {
        let Some(constraint) = violated_constraint(&error).map(str::to_owned) else {
            return Ok(error.into());
        };
        match constraint.as_str() {
            "events_pkey" => return Ok(AppendError::Conflict),
            "requests_pkey" => return Ok(AppendError::AlreadyAnswered),
            _ => {}
        }
        let mut connection = self.pool().acquire().await?;
        match self
            .inline()
            .explain(&mut connection, &constraint, appending)
            .await?
        {
            Some(refusal) => Ok(AppendError::Failed(LogError::Refused(refusal))),
            None if error
                .as_database_error()
                .is_some_and(|error| error.is_unique_violation()) =>
            {
                Ok(AppendError::Failed(LogError::Taken { constraint }))
            }
            None => Ok(error.into()),
        }
    }
}

pub(crate) enum AppendError<R: std::error::Error> {
    /// Somebody else's events came first.
    Conflict,
    /// The request key has been stored meanwhile.
    AlreadyAnswered,
    Failed(LogError<R>),
}

impl<R: std::error::Error> From<sqlx::Error> for AppendError<R> {
    fn from(error: sqlx::Error) -> Self {
        AppendError::Failed(error.into())
    }
}

fn holds_nul(value: &serde_json::Value) -> bool {
    match value {
        serde_json::Value::String(text) => text.contains('\0'),
        serde_json::Value::Array(items) => items.iter().any(holds_nul),
        serde_json::Value::Object(fields) => fields.values().any(holds_nul),
        _ => false,
    }
}

#[derive(Default)]
struct Columns<'a> {
    ids: Vec<&'a str>,
    /// The row before is this one's predecessor.
    follows: Vec<bool>,
    sequences: Vec<i64>,
    types: Vec<String>,
    versions: Vec<String>,
    payloads: Vec<String>,
}

/// Writes all rows in one statement. None if an event's predecessor is not there, so that no gap is ever written.
async fn insert(
    connection: &mut PgConnection,
    aggregate_type: &str,
    columns: &Columns<'_>,
    why: &Why,
) -> Result<Option<Appended>, sqlx::Error> {
    let rows: Vec<(i64, i64, i64)> = sqlx::query_as(
        "INSERT INTO events (aggregate_type, aggregate_id, sequence, event_type, event_version, payload, metadata)
         SELECT $1, id, sequence, type, version, payload::json, $7::json
         FROM unnest($2::text[], $3::bigint[], $4::text[], $5::text[], $6::text[], $8::boolean[])
              WITH ORDINALITY AS new (id, sequence, type, version, payload, follows, place)
         WHERE follows
            OR sequence = 1
            OR EXISTS (SELECT FROM events
                       WHERE aggregate_type = $1 AND aggregate_id = id AND events.sequence = new.sequence - 1)
         ORDER BY place
         RETURNING events.sequence, transaction_id::text::bigint, position",
    )
    .bind(aggregate_type)
    .bind(&columns.ids)
    .bind(&columns.sequences)
    .bind(&columns.types)
    .bind(&columns.versions)
    .bind(&columns.payloads)
    .bind(why.to_json())
    .bind(&columns.follows)
    .fetch_all(connection)
    .await?;
    if rows.len() != columns.ids.len() {
        return Ok(None);
    }
    let last = rows.into_iter().max_by_key(|(_, _, position)| *position);
    Ok(last.map(|(sequence, transaction_id, position)| Appended {
        version: sequence.unsigned_abs(),
        cursor: Cursor {
            transaction_id,
            position,
        },
    }))
}
