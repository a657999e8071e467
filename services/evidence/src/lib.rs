//! Evidence that the log is whole: a signed Merkle tree over all events, heads that outsiders keep, receipts for
//! residents, and the check of all of it. The forms are those of ops/docs/EVIDENCE.md.
//!
//! * [`Sealer`] takes events into the tree and signs heads; [`Delivery`] hands heads to witnesses.
//! * [`receipt()`] gives the proof for one event; [`Receipt::check`] needs only the public key.
//! * [`verify`] checks the whole log, or what is new in it.

mod error;
mod gauges;
mod issue;
mod note;
mod receipt;
mod seal;
mod store;
mod tiles;
mod tree;
pub mod verify;
mod witness;

#[cfg(test)]
mod vectors;

pub use error::EvidenceError;
pub use gauges::Gauges;
pub use issue::{HEADS_MAX, heads, receipt};
pub use note::{Head, KeyFault, NO_HEAD, NoteFault, Signer, VerifierKey, hash_note};
pub use receipt::{Proof, Receipt, ReceiptEvent, ReceiptFault, Shown};
pub use seal::{Sealed, Sealer};
pub use store::StoredHead;
pub use tree::{Frontier, hash_leaf, hash_node, is_included, leaf_of};
pub use witness::{Delivery, DeliveryError, Witness};
