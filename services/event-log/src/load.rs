//! Aggregates as they stand in the log: from the process's memory, or read together with what others wait for.

use crate::{
    chain::{Hash, NO_PREDECESSOR},
    error::LogError,
    execute::{EventLog, Logged},
    read::upcast,
    together::Worker,
};
use cqrs_es::{Aggregate, persist::SerializedEvent};
use onetrip_model::Subject;
use serde_json::Value;
use std::{sync::Arc, time::Duration};
use tokio::sync::oneshot;

/// Loads of different callers that share one statement, at most.
const LOADS_MAX: usize = 64;

/// An aggregate at a version, private values sealed.
pub(crate) struct Snapshot<A> {
    pub state: A,
    /// Sequence of the newest event; 0 where there is none.
    pub version: u64,
    /// Hash of the newest event.
    pub head: Hash,
}

impl<A: Default> Default for Snapshot<A> {
    fn default() -> Self {
        Snapshot {
            state: A::default(),
            version: 0,
            head: NO_PREDECESSOR,
        }
    }
}

/// How long a statement that loads may take; its connection is given up then.
const LOAD_PATIENCE: Duration = Duration::from_secs(2);

/// Why a shared load failed; each waiting caller gets it.
type Failure = Arc<sqlx::Error>;

/// An aggregate somebody waits for.
pub(crate) struct Wanted {
    aggregate_id: String,
    done: oneshot::Sender<Result<Loaded, Failure>>,
}

#[derive(Default)]
pub(crate) struct Loaded {
    events: Vec<StoredEvent>,
    /// The wrapped data key of the aggregate's own subject.
    key: Option<Vec<u8>>,
}

pub(crate) struct StoredEvent {
    pub sequence: i64,
    pub event_type: String,
    pub event_version: String,
    /// JSON, as it lies in the column.
    pub payload: String,
    pub hash: Option<Vec<u8>>,
}

impl<A: Logged> EventLog<A> {
    /// What this process knows of the aggregate. Another process may have gone on since: the append notices.
    pub(crate) fn remembered(&self, aggregate_id: &str) -> Option<Arc<Snapshot<A>>> {
        self.snapshots()?.get(aggregate_id)
    }

    pub(crate) fn remember(&self, aggregate_id: &str, snapshot: Snapshot<A>) {
        if let Some(snapshots) = self.snapshots() {
            snapshots.insert(aggregate_id.to_owned(), Arc::new(snapshot));
        }
    }

    pub(crate) fn forget(&self, aggregate_id: &str) {
        if let Some(snapshots) = self.snapshots() {
            snapshots.remove(aggregate_id);
        }
    }

    /// The aggregate as it stands in the database now.
    pub(crate) async fn read_snapshot(&self, aggregate_id: &str) -> Result<Snapshot<A>, LogError<A::Error>> {
        let loaded = self.load_shared(aggregate_id).await?;
        if let Some(key) = loaded.key
            && let Ok(subject) = own_subject::<A>(aggregate_id).parse::<Subject>()
        {
            self.vault().remember_wrapped(subject, &key)?;
        }
        let mut snapshot = Snapshot::<A>::default();
        for event in loaded.events {
            snapshot.version = event.sequence.unsigned_abs();
            snapshot.head = hash_of(event.hash.as_deref());
            snapshot.state.apply(self.read(aggregate_id, event)?);
        }
        Ok(snapshot)
    }

    /// An event of the log, in today's shape.
    pub(crate) fn read(&self, aggregate_id: &str, event: StoredEvent) -> Result<A::Event, serde_json::Error> {
        let upcasters = self.upcasters();
        let StoredEvent {
            event_type,
            event_version,
            ..
        } = &event;
        if !upcasters
            .iter()
            .any(|upcaster| upcaster.can_upcast(event_type, event_version))
        {
            return serde_json::from_str(&event.payload);
        }
        let serialized = SerializedEvent::new(
            aggregate_id.to_owned(),
            usize::try_from(event.sequence).unwrap_or_default(),
            A::TYPE.to_owned(),
            event.event_type,
            event.event_version,
            serde_json::from_str(&event.payload)?,
            Value::Null,
        );
        serde_json::from_value(upcast(serialized, upcasters).payload)
    }

    async fn load_shared(&self, aggregate_id: &str) -> Result<Loaded, LogError<A::Error>> {
        let (done, loaded) = oneshot::channel();
        let wanted = Wanted {
            aggregate_id: aggregate_id.to_owned(),
            done,
        };
        let worker = self.loads().push(wanted).map_err(|_| LogError::Busy)?;
        if let Some(worker) = worker {
            let log = self.clone();
            tokio::spawn(async move { log.load_waiting(worker).await });
        }
        match loaded.await {
            Ok(Ok(loaded)) => Ok(loaded),
            Ok(Err(error)) => Err(LogError::Shared(error)),
            Err(_) => Err(sqlx::Error::WorkerCrashed.into()),
        }
    }

    async fn load_waiting(&self, mut worker: Worker<Wanted>) {
        loop {
            let mut room = LOADS_MAX;
            let taken = worker.take(|_| {
                room = room.saturating_sub(1);
                room > 0
            });
            let Some(wanted) = taken else { return };
            let loading = tokio::time::timeout(LOAD_PATIENCE, self.load_together(&wanted));
            match loading.await.unwrap_or(Err(sqlx::Error::PoolTimedOut)) {
                Ok(loaded) => {
                    for (wanted, loaded) in wanted.into_iter().zip(loaded) {
                        // Who has gone away needs no answer.
                        let _ = wanted.done.send(Ok(loaded));
                    }
                }
                Err(error) => {
                    let error = Arc::new(error);
                    for wanted in wanted {
                        let _ = wanted.done.send(Err(Arc::clone(&error)));
                    }
                }
            }
        }
    }

    async fn load_together(&self, wanted: &[Wanted]) -> Result<Vec<Loaded>, sqlx::Error> {
        type Row = (i64, i64, String, String, String, Option<Vec<u8>>, Option<Vec<u8>>);
        let ids: Vec<&str> = wanted.iter().map(|wanted| &*wanted.aggregate_id).collect();
        // The key comes with the first event only.
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT place, sequence, event_type, event_version, payload::text, hash,
                    CASE WHEN sequence = 1 THEN (SELECT wrapped FROM keys.data_keys WHERE subject = $1 || ':' || id) END
             FROM unnest($2::text[]) WITH ORDINALITY AS wanted (id, place),
                  LATERAL (SELECT sequence, event_type, event_version, payload, hash FROM events
                           WHERE aggregate_type = $1 AND aggregate_id = id ORDER BY sequence) AS event",
        )
        .bind(A::TYPE)
        .bind(&ids)
        .fetch_all(self.pool())
        .await?;
        let mut loaded: Vec<Loaded> = wanted.iter().map(|_| Loaded::default()).collect();
        for (place, sequence, event_type, event_version, payload, hash, key) in rows {
            let Some(slot) = usize::try_from(place - 1)
                .ok()
                .and_then(|place| loaded.get_mut(place))
            else {
                continue;
            };
            slot.key = slot.key.take().or(key);
            slot.events.push(StoredEvent {
                sequence,
                event_type,
                event_version,
                payload,
                hash,
            });
        }
        Ok(loaded)
    }
}

/// The name under which the data key of an aggregate's own subject is kept.
fn own_subject<A: Aggregate>(aggregate_id: &str) -> String {
    format!("{}:{aggregate_id}", A::TYPE)
}

pub(crate) fn hash_of(stored: Option<&[u8]>) -> Hash {
    stored
        .and_then(|hash| hash.try_into().ok())
        .unwrap_or(NO_PREDECESSOR)
}
