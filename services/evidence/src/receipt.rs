//! What a resident takes home: the stored event and its way into a signed head (ops/docs/EVIDENCE.md, section 5). It is
//! checked with nothing but the public key.

use crate::{
    note::{Head, NoteFault, VerifierKey, parse_hash, show_hash},
    tree::{is_included, leaf_of},
};
use chrono::{DateTime, NaiveDateTime, Utc};
use onetrip_event_log::{
    Cursor,
    audit::{AuditEvent, ChainFault, Kind, Predecessor},
    chain::Hash,
};
use serde::{Deserialize, Deserializer, Serialize};

const FORMAT: &str = "onetrip-receipt/1";
const INSTANT: &str = "%Y-%m-%dT%H:%M:%S%.6fZ";
/// The largest integer that every reader of JSON takes for what it is.
const NUMBER_MAX: i64 = (1 << 53) - 1;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    pub format: String,
    pub event: ReceiptEvent,
    /// Base64.
    pub leaf: String,
    /// None as long as no head covers the event.
    #[serde(deserialize_with = "required")]
    pub proof: Option<Proof>,
    /// The verifier key of the log.
    pub key: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReceiptEvent {
    pub aggregate_type: String,
    pub aggregate_id: String,
    pub sequence: i64,
    pub event_type: String,
    pub event_version: String,
    /// The stored JSON text.
    pub payload: String,
    /// The stored JSON text.
    pub metadata: String,
    pub transaction_id: i64,
    pub position: i64,
    pub recorded_at: String,
    /// Base64; None for an event without a hash.
    #[serde(deserialize_with = "required")]
    pub predecessor: Option<String>,
    /// Base64; None for an event without a hash.
    #[serde(deserialize_with = "required")]
    pub hash: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proof {
    pub index: u64,
    /// Base64, from the leaf up.
    pub path: Vec<String>,
    /// The signed note.
    pub head: String,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptFault {
    #[error("this is no receipt of the form onetrip-receipt/1: {0}")]
    Form(String),
    #[error("the receipt names another key than the one that is trusted")]
    OtherKey,
    #[error("the event: {0}")]
    Event(#[from] ChainFault),
    #[error("the leaf is not the one of the event")]
    Leaf,
    #[error("the head: {0}")]
    Head(#[from] NoteFault),
    #[error("the path does not lead from the event to the signed head")]
    Path,
}

/// What a receipt that is in order shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shown {
    /// The event is in the log that this head was signed for.
    Sealed(Head),
    /// Nothing yet: no head covers the event.
    NotSealed,
}

/// A member that may be null but not missing.
fn required<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    Option::deserialize(deserializer)
}

impl Receipt {
    /// None if the event cannot be put into a receipt: a number is out of range.
    pub(crate) fn of(
        event: &AuditEvent,
        proof: Option<(u64, &[Hash], &str)>,
        key: &VerifierKey,
    ) -> Option<Receipt> {
        let chained = event.kind() == Kind::Chained;
        let in_range = |number: i64| (0..=NUMBER_MAX).contains(&number).then_some(number);
        Some(Receipt {
            format: FORMAT.to_owned(),
            leaf: show_hash(&leaf_of(&event.stamp())),
            proof: proof.map(|(index, path, head)| Proof {
                index,
                path: path.iter().map(show_hash).collect(),
                head: head.to_owned(),
            }),
            key: key.to_string(),
            event: ReceiptEvent {
                aggregate_type: event.aggregate_type.clone(),
                aggregate_id: event.aggregate_id.clone(),
                sequence: in_range(event.sequence)?,
                event_type: event.event_type.clone(),
                event_version: event.event_version.clone(),
                payload: event.payload.clone(),
                metadata: event.metadata.clone(),
                transaction_id: in_range(event.cursor.transaction_id)?,
                position: in_range(event.cursor.position)?,
                recorded_at: DateTime::from_timestamp_micros(event.recorded_at)?
                    .format(INSTANT)
                    .to_string(),
                predecessor: chained.then(|| show_hash(&event.predecessor_hash())),
                hash: chained.then(|| show_hash(&event.fitting_hash())),
            },
        })
    }

    pub fn parse(text: &str) -> Result<Receipt, ReceiptFault> {
        let form = |error: serde_json::Error| ReceiptFault::Form(error.to_string());
        let receipt: Receipt = serde_json::from_str(text).map_err(form)?;
        // Members by name only: the reader above would also take lists of them.
        let value: serde_json::Value = serde_json::from_str(text).map_err(form)?;
        let by_name = value.is_object()
            && value["event"].is_object()
            && matches!(&value["proof"], proof if !proof.is_array());
        if !by_name || receipt.format != FORMAT {
            return Err(ReceiptFault::Form("another form".to_owned()));
        }
        Ok(receipt)
    }

    /// Checks everything, with a key that was not taken from the receipt.
    pub fn check(&self, key: &VerifierKey) -> Result<Shown, ReceiptFault> {
        if self.format != FORMAT {
            return Err(ReceiptFault::Form("another form".to_owned()));
        }
        if self.key != key.to_string() {
            return Err(ReceiptFault::OtherKey);
        }
        let event = self.event.read()?;
        event.check()?;
        let leaf = leaf_of(&event.stamp());
        if parse_hash(&self.leaf) != Some(leaf) {
            return Err(ReceiptFault::Leaf);
        }
        let Some(proof) = &self.proof else {
            return Ok(Shown::NotSealed);
        };
        let head = key.open(&proof.head)?;
        let path: Option<Vec<Hash>> = proof.path.iter().map(|hash| parse_hash(hash)).collect();
        let path = path.ok_or(ReceiptFault::Path)?;
        if is_included(proof.index, head.size, &leaf, &path, &head.root) {
            Ok(Shown::Sealed(head))
        } else {
            Err(ReceiptFault::Path)
        }
    }
}

impl ReceiptEvent {
    fn read(&self) -> Result<AuditEvent, ReceiptFault> {
        let form = |what: &str| ReceiptFault::Form(format!("{what} has another form"));
        let recorded_at = parse_instant(&self.recorded_at).ok_or_else(|| form("recorded_at"))?;
        let in_range = |number: &i64| (0..=NUMBER_MAX).contains(number);
        if ![self.sequence, self.transaction_id, self.position]
            .iter()
            .all(in_range)
        {
            return Err(form("a number"));
        }
        let hash = |text: &str| parse_hash(text).ok_or_else(|| form("a hash"));
        let (hash, predecessor) = match (&self.hash, &self.predecessor) {
            (Some(stored), Some(before)) => (Some(hash(stored)?.to_vec()), Predecessor::Hash(hash(before)?)),
            (None, None) => (None, Predecessor::First),
            _ => return Err(form("hash without predecessor")),
        };
        Ok(AuditEvent {
            cursor: Cursor {
                transaction_id: self.transaction_id,
                position: self.position,
            },
            recorded_at: recorded_at.timestamp_micros(),
            aggregate_type: self.aggregate_type.clone(),
            aggregate_id: self.aggregate_id.clone(),
            sequence: self.sequence,
            event_type: self.event_type.clone(),
            event_version: self.event_version.clone(),
            payload: self.payload.clone(),
            metadata: self.metadata.clone(),
            hash,
            predecessor,
        })
    }
}

/// In the one form in which it is written.
fn parse_instant(text: &str) -> Option<DateTime<Utc>> {
    let instant = NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.fZ")
        .ok()?
        .and_utc();
    (instant.format(INSTANT).to_string() == text).then_some(instant)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vectors::Vectors;

    fn key() -> VerifierKey {
        let vectors = Vectors::read();
        VerifierKey::parse(vectors.0["signing"]["verifier_key"].as_str().unwrap()).unwrap()
    }

    fn check(receipt: &serde_json::Value) -> Result<Shown, ReceiptFault> {
        Receipt::parse(&receipt.to_string())?.check(&key())
    }

    #[test]
    fn the_written_receipts_are_accepted_and_refused_as_they_say() {
        let vectors = Vectors::read();
        let receipts = &vectors.0["receipts"];
        for receipt in receipts["good"].as_array().unwrap() {
            assert!(matches!(check(receipt), Ok(Shown::Sealed(_))), "{receipt}");
        }
        for receipt in receipts["not_sealed"].as_array().unwrap() {
            assert_eq!(check(receipt), Ok(Shown::NotSealed));
        }
        let bad = receipts["bad"].as_array().unwrap();
        assert!(bad.len() > 10);
        for case in bad {
            assert!(check(&case["receipt"]).is_err(), "{}", case["why"]);
        }
    }

    #[test]
    fn members_are_neither_missing_nor_repeated_nor_nameless() {
        let vectors = Vectors::read();
        let good = &vectors.0["receipts"]["good"][1];
        let members: Vec<Vec<&str>> = [
            vec!["format"],
            vec!["leaf"],
            vec!["proof"],
            vec!["key"],
            vec!["event"],
        ]
        .into_iter()
        .chain(["predecessor", "hash", "payload", "position"].map(|name| vec!["event", name]))
        .chain(["index", "path", "head"].map(|name| vec!["proof", name]))
        .collect();
        for member in members {
            let mut changed = good.clone();
            let (last, parents) = member.split_last().unwrap();
            let parent = parents.iter().fold(&mut changed, |value, name| &mut value[*name]);
            parent.as_object_mut().unwrap().remove(*last);
            assert!(
                matches!(check(&changed), Err(ReceiptFault::Form(_))),
                "without {member:?}"
            );
        }
        let text = good.to_string();
        let repeated = text.replacen("\"leaf\":", "\"leaf\":\"\",\"leaf\":", 1);
        assert!(Receipt::parse(&repeated).is_err());
        let event: ReceiptEvent = serde_json::from_value(good["event"].clone()).unwrap();
        let listed = serde_json::json!([FORMAT, event, good["leaf"], good["proof"], good["key"]]);
        assert!(Receipt::parse(&listed.to_string()).is_err());
    }
}
