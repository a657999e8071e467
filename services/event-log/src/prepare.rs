//! Events in the form in which they will be stored: sealed, chained, and the state after them.

use crate::{
    append::NewStream,
    chain::{Hash, Link},
    error::LogError,
    execute::{EventLog, Logged, Why},
    load::Snapshot,
    vault::{Keyring, NewKey, subjects_of},
};
use cqrs_es::{Aggregate, DomainEvent};
use onetrip_model::{PersonId, Subject};
use serde::Serialize;
use serde_json::Value;

/// What the caller knows to be new, so that nobody has to look for it; if it isn't, the append notices.
#[derive(Clone, Debug, Default)]
pub struct FirstSeen {
    /// Without a data key so far.
    pub subjects: Vec<Subject>,
    /// A person and the keyed digest of how to reach them; remembered with the append.
    pub person: Option<(PersonId, [u8; 32])>,
}

/// One command's share of an append.
pub(crate) struct Prepared<A: Aggregate> {
    pub aggregate_id: String,
    pub events: Vec<A::Event>,
    pub rows: Vec<EventRow>,
    /// Why, as JSON, for every row.
    pub metadata: String,
    pub new_keys: Vec<NewKey>,
    /// Under whose keys, already in the database, it is sealed.
    pub sealed_for: Vec<Subject>,
    pub person: Option<(PersonId, [u8; 32])>,
    /// The aggregate after these events.
    pub next: Snapshot<A>,
}

pub(crate) struct EventRow {
    pub sequence: i64,
    pub event_type: String,
    pub event_version: String,
    pub payload: String,
    pub hash: Hash,
}

impl<A: Aggregate> Prepared<A> {
    pub fn bytes(&self) -> usize {
        self.rows.iter().map(|row| row.payload.len()).sum()
    }
}

impl<A: Logged> EventLog<A> {
    /// Seals and chains `events` behind `before`. Fails if a text of an event can't be stored, or if the key of a
    /// subject has been erased.
    pub(crate) async fn prepare(
        &self,
        aggregate_id: &str,
        before: &Snapshot<A>,
        events: Vec<A::Event>,
        why: &Why,
        first_seen: &FirstSeen,
    ) -> Result<Prepared<A>, LogError<A::Error>> {
        let payloads = payloads(&events)?;
        let subjects = subjects_of(&payloads);
        let keyring = self
            .vault()
            .keyring(self.pool(), &subjects, &first_seen.subjects)
            .await?;
        let mut prepared = chain(aggregate_id, before, events, payloads, &keyring, why)?;
        prepared.new_keys = keyring.new;
        prepared.sealed_for = keyring.known;
        prepared.person = first_seen.person;
        Ok(prepared)
    }

    /// The same for whole new streams, which may have subjects in common.
    pub(crate) async fn prepare_new(
        &self,
        streams: &[NewStream<A>],
        why: &Why,
    ) -> Result<Vec<Prepared<A>>, LogError<A::Error>> {
        let all: Vec<Vec<Value>> = streams
            .iter()
            .map(|stream| payloads(&stream.events))
            .collect::<Result<_, _>>()?;
        let subjects = subjects_of(all.iter().flatten());
        let keyring = self.vault().keyring(self.pool(), &subjects, &[]).await?;
        let mut prepared = Vec::with_capacity(streams.len());
        for (stream, payloads) in streams.iter().zip(all) {
            let (before, events) = (Snapshot::default(), stream.events.clone());
            prepared.push(chain(
                &stream.aggregate_id,
                &before,
                events,
                payloads,
                &keyring,
                why,
            )?);
        }
        if let Some(first) = prepared.first_mut() {
            first.new_keys = keyring.new;
            first.sealed_for = keyring.known;
        }
        Ok(prepared)
    }
}

fn payloads<E: Serialize>(events: &[E]) -> Result<Vec<Value>, serde_json::Error> {
    let payloads: Vec<Value> = events
        .iter()
        .map(serde_json::to_value)
        .collect::<Result<_, _>>()?;
    // The log's json column takes a NUL, the read models' jsonb does not: it would stop them all.
    if payloads.iter().any(holds_nul) {
        return Err(serde::de::Error::custom("a NUL in a text of an event"));
    }
    Ok(payloads)
}

fn chain<A: Logged>(
    aggregate_id: &str,
    before: &Snapshot<A>,
    events: Vec<A::Event>,
    payloads: Vec<Value>,
    keyring: &Keyring,
    why: &Why,
) -> Result<Prepared<A>, LogError<A::Error>> {
    let metadata = why.to_json();
    let mut next = Snapshot {
        state: before.state.clone(),
        version: before.version,
        head: before.head,
    };
    let mut rows = Vec::with_capacity(events.len());
    for (event, mut payload) in events.iter().zip(payloads) {
        keyring.seal(&mut payload)?;
        next.version += 1;
        let (event_type, event_version) = (event.event_type(), event.event_version());
        let text = payload.to_string();
        let link = Link {
            aggregate_type: A::TYPE,
            aggregate_id,
            sequence: i64::try_from(next.version).unwrap_or(i64::MAX),
            event_type: &event_type,
            event_version: &event_version,
            payload: &text,
            metadata: &metadata,
        };
        next.head = link.hash(&next.head);
        // What is kept in memory is what was stored, with nothing open in it.
        next.state.apply(serde_json::from_value(payload)?);
        rows.push(EventRow {
            sequence: link.sequence,
            payload: text,
            event_type,
            event_version,
            hash: next.head,
        });
    }
    Ok(Prepared {
        aggregate_id: aggregate_id.to_owned(),
        events,
        rows,
        metadata,
        new_keys: Vec::new(),
        sealed_for: Vec::new(),
        person: None,
        next,
    })
}

fn holds_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(holds_nul),
        Value::Object(fields) => fields.values().any(holds_nul),
        _ => false,
    }
}
