//! Aggregates as they stand in the log: from the process's memory, or read together with what others wait for.

use crate::{
    chain::{Hash, NO_PREDECESSOR},
    connection::Exclusive,
    error::LogError,
    execute::{EventLog, Logged},
    read::upcast,
};
use cqrs_es::{Aggregate, persist::SerializedEvent};
use onetrip_model::Subject;
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

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

/// A history, as it lies in the log.
#[derive(Default)]
pub(crate) struct Loaded {
    /// Sequence of the newest event; 0 where there is none.
    version: i64,
    head: Option<Vec<u8>>,
    /// A JSON array of the events, oldest first.
    events: Option<String>,
    /// Type and version of each, with a slash between; only where there are upcasters to ask.
    kinds: Option<Vec<String>>,
    /// The wrapped data key of the aggregate's own subject.
    key: Option<Vec<u8>>,
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
        if let Some(key) = &loaded.key
            && let Ok(subject) = own_subject::<A>(aggregate_id).parse::<Subject>()
        {
            // Who has to seal under it finds out; who has not goes on.
            if let Err(error) = self.vault().remember_wrapped(subject, key) {
                tracing::error!(aggregate.id = aggregate_id, %error, "the data key of an aggregate does not open");
            }
        }
        let mut snapshot = Snapshot::<A> {
            version: loaded.version.unsigned_abs(),
            head: hash_of(loaded.head.as_deref()),
            ..Snapshot::default()
        };
        let Some(events) = &loaded.events else {
            return Ok(snapshot);
        };
        let events: Vec<A::Event> = match &loaded.kinds {
            None => serde_json::from_str(events)?,
            Some(kinds) => {
                let payloads: Vec<Value> = serde_json::from_str(events)?;
                let numbered = kinds.iter().zip(payloads).zip(1..);
                numbered
                    .map(|((kind, payload), sequence)| {
                        let (event_type, event_version) = kind.split_once('/').unwrap_or((kind, ""));
                        self.read(aggregate_id, sequence, event_type, event_version, payload)
                    })
                    .collect::<Result<_, _>>()?
            }
        };
        for event in events {
            snapshot.state.apply(event);
        }
        Ok(snapshot)
    }

    /// An event of the log, in today's shape.
    pub(crate) fn read(
        &self,
        aggregate_id: &str,
        sequence: usize,
        event_type: &str,
        event_version: &str,
        payload: Value,
    ) -> Result<A::Event, serde_json::Error> {
        let serialized = SerializedEvent::new(
            aggregate_id.to_owned(),
            sequence,
            A::TYPE.to_owned(),
            event_type.to_owned(),
            event_version.to_owned(),
            payload,
            Value::Null,
        );
        serde_json::from_value(upcast(serialized, self.upcasters()).payload)
    }

    async fn load_shared(&self, aggregate_id: &str) -> Result<Arc<Loaded>, LogError<A::Error>> {
        let log = self.clone();
        let answer = move |ids: Vec<String>| {
            let log = log.clone();
            async move { log.load_together(&ids).await }
        };
        self.loads().ask(aggregate_id.to_owned(), answer).await
    }

    /// Who asks for the same aggregate shares what was read of it.
    async fn load_together(&self, asked: &[String]) -> Result<Vec<Arc<Loaded>>, sqlx::Error> {
        type Row = (
            i64,
            i64,
            Option<Vec<u8>>,
            Option<String>,
            Option<Vec<String>>,
            Option<Vec<u8>>,
        );
        let kinds = match self.upcasters() {
            [] => "NULL::text[]",
            _ => "array_agg(event_type || '/' || event_version)",
        };
        // One row for each aggregate: what a row costs on the way is more than what an event does.
        let sql = format!(
            "SELECT place, newest.sequence, newest.hash, events, kinds, wrapped
             FROM unnest($2::text[]) WITH ORDINALITY AS wanted (id, place)
                  LEFT JOIN keys.data_keys ON subject = $1 || ':' || id,
                  LATERAL (SELECT sequence, hash FROM events
                           WHERE aggregate_type = $1 AND aggregate_id = id ORDER BY sequence DESC LIMIT 1) AS newest,
                  LATERAL (SELECT '[' || string_agg(payload::text, ',') || ']' AS events, {kinds} AS kinds
                           FROM (SELECT payload, event_type, event_version FROM events
                                 WHERE aggregate_type = $1 AND aggregate_id = id AND sequence <= newest.sequence
                                 ORDER BY sequence) AS event) AS history"
        );
        let ids: Vec<&String> = BTreeSet::from_iter(asked).into_iter().collect();
        let mut connection = Exclusive::acquire(self.own_pool()).await?;
        let rows: Vec<Row> = sqlx::query_as(&sql)
            .bind(A::TYPE)
            .bind(&ids)
            .fetch_all(&mut *connection)
            .await?;
        connection.release();
        let mut loaded: BTreeMap<&str, Arc<Loaded>> = BTreeMap::new();
        for (place, version, head, events, kinds, key) in rows {
            let id = usize::try_from(place - 1).ok().and_then(|place| ids.get(place));
            if let Some(id) = id {
                let found = Loaded {
                    version,
                    head,
                    events,
                    kinds,
                    key,
                };
                loaded.insert(id, Arc::new(found));
            }
        }
        let of = |id: &String| loaded.get(id.as_str()).map(Arc::clone).unwrap_or_default();
        Ok(asked.iter().map(of).collect())
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
