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
    /// Sealed, as they will be read again.
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
        mut events: Vec<A::Event>,
        why: &Why,
        first_seen: &FirstSeen,
    ) -> Result<Prepared<A>, LogError<A::Error>> {
        let subjects = subjects_of(&mut events);
        let keyring = self
            .vault()
            .keyring(self.pool(), &subjects, &first_seen.subjects)
            .await?;
        let mut prepared = chain(aggregate_id, before, events, &keyring, why)?;
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
        let mut all: Vec<Vec<A::Event>> = streams.iter().map(|stream| stream.events.clone()).collect();
        let subjects = subjects_of(all.iter_mut().flatten());
        let keyring = self.vault().keyring(self.pool(), &subjects, &[]).await?;
        let mut prepared = Vec::with_capacity(streams.len());
        for (stream, events) in streams.iter().zip(all) {
            let before = Snapshot::default();
            prepared.push(chain(&stream.aggregate_id, &before, events, &keyring, why)?);
        }
        if let Some(first) = prepared.first_mut() {
            first.new_keys = keyring.new;
            first.sealed_for = keyring.known;
        }
        Ok(prepared)
    }
}

fn chain<A: Logged>(
    aggregate_id: &str,
    before: &Snapshot<A>,
    mut events: Vec<A::Event>,
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
    for event in &mut events {
        keyring.seal(event)?;
        next.version += 1;
        let (event_type, event_version) = (event.event_type(), event.event_version());
        let text = stored_form(event)?;
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
        next.state.apply(event.clone());
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

/// JSON as it will lie in the column. A private value that is still open is a fault of ours: no event type may forget one
/// ([`onetrip_model::HoldsPrivate`]).
fn stored_form(event: &impl Serialize) -> Result<String, serde_json::Error> {
    let text = serde_json::to_string(event)?;
    // Quotes inside a string are escaped, so no text of anybody's can look like this.
    if text.contains(r#"","open":"#) {
        return Err(serde::ser::Error::custom(
            "a private value of an event was not sealed",
        ));
    }
    // The log's json column takes a NUL, the read models' jsonb does not: it would stop them all.
    if holds_nul(&text) {
        return Err(serde::ser::Error::custom("a NUL in a text of an event"));
    }
    Ok(text)
}

/// Whether a string inside this JSON has a NUL. It is written as an escape, whose backslash is not itself escaped.
pub(crate) fn holds_nul(json: &str) -> bool {
    json.match_indices(r"\u0000").any(|(at, _)| {
        let backslashes = json[..at].bytes().rev().take_while(|byte| *byte == b'\\').count();
        backslashes.is_multiple_of(2)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nul_is_told_from_words_about_one() {
        for (text, holds) in [
            ("a\0b", true),
            (r"a\u0000b", false),
            (r"\", false),
            ("\\\0", true),
        ] {
            let json = serde_json::to_string(text).unwrap();
            assert_eq!(holds_nul(&json), holds, "{json}");
        }
    }

    #[test]
    fn what_is_still_open_is_not_stored() {
        let private = onetrip_model::Private::of_case(
            onetrip_model::CaseId(uuid::Uuid::from_u128(7)),
            "路灯不亮".to_owned(),
        );
        assert!(stored_form(&private).is_err());
        assert!(stored_form(&r#"","open":"#).is_ok());
    }
}
