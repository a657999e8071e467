//! What a check leaves for the next one, kept outside of the database.

use super::tree::Start;
use crate::{
    note::{VerifierKey, hash_note, parse_hash, show_hash},
    store::StoredHead,
    tree::Frontier,
};
use onetrip_event_log::{Cursor, chain::Hash};
use serde::{Deserialize, Serialize};

const FORMAT: &str = "onetrip-verify-state/1";

/// A head whose events have all been checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trusted {
    pub(super) head: StoredHead,
    pub(super) frontier: Frontier,
    pub(super) previous: Hash,
    /// Where its newest event lies.
    pub(super) cursor: Cursor,
    pub(super) leaf: Hash,
}

#[derive(Debug, thiserror::Error)]
pub enum StateFault {
    #[error("it is no state file of `onetrip verify`: {0}")]
    Form(String),
    #[error("its head is not signed by the key")]
    Key,
    #[error("what it says of the tree does not fit its head")]
    Tree,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    format: String,
    head: String,
    /// Base64, the largest subtree first.
    roots: Vec<String>,
    transaction_id: i64,
    position: i64,
    leaf: String,
}

impl Trusted {
    pub fn size(&self) -> u64 {
        self.head.size
    }

    pub fn note(&self) -> &str {
        &self.head.note
    }

    pub fn head(&self) -> StoredHead {
        self.head.clone()
    }

    pub(super) fn start(&self) -> Start {
        Start {
            frontier: self.frontier.clone(),
            previous: self.previous,
            not_before: self.head.made_at,
        }
    }

    pub fn to_json(&self) -> String {
        let file = File {
            format: FORMAT.to_owned(),
            head: self.head.note.clone(),
            roots: self.frontier.roots().map(show_hash).collect(),
            transaction_id: self.cursor.transaction_id,
            position: self.cursor.position,
            leaf: show_hash(&self.leaf),
        };
        serde_json::to_string_pretty(&file).unwrap_or_default()
    }

    /// Reads it back, and checks that it fits the head in it.
    pub fn from_json(text: &str, key: &VerifierKey) -> Result<Trusted, StateFault> {
        let form = |what: &str| StateFault::Form(what.to_owned());
        let file: File = serde_json::from_str(text).map_err(|error| form(&error.to_string()))?;
        if file.format != FORMAT {
            return Err(form("another form"));
        }
        let head = key.open(&file.head).map_err(|_| StateFault::Key)?;
        let roots: Option<Vec<Hash>> = file.roots.iter().map(|root| parse_hash(root)).collect();
        let frontier = roots
            .and_then(|roots| Frontier::from_roots(head.size, &roots))
            .filter(|frontier| frontier.root() == Some(head.root))
            .ok_or(StateFault::Tree)?;
        Ok(Trusted {
            previous: hash_note(&file.head),
            head: StoredHead {
                size: head.size,
                note: file.head,
                made_at: head.time,
            },
            frontier,
            cursor: Cursor {
                transaction_id: file.transaction_id,
                position: file.position,
            },
            leaf: parse_hash(&file.leaf).ok_or_else(|| form("a hash"))?,
        })
    }
}
