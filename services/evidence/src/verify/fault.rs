//! What a check can find, and how it is said.

use crate::note::NoteFault;
use onetrip_event_log::{
    Cursor,
    audit::{AuditEvent, ChainFault},
};
use std::fmt;

/// An event as it is named in a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub cursor: Cursor,
    pub aggregate_type: String,
    pub aggregate_id: String,
    pub sequence: i64,
    pub event_type: String,
}

impl Place {
    pub(crate) fn of(event: &AuditEvent) -> Place {
        Place {
            cursor: event.cursor,
            aggregate_type: event.aggregate_type.clone(),
            aggregate_id: event.aggregate_id.clone(),
            sequence: event.sequence,
            event_type: event.event_type.clone(),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "event {} of {} {} ({}), transaction {}, position {}",
            self.sequence,
            self.aggregate_type,
            self.aggregate_id,
            self.event_type,
            self.cursor.transaction_id.cast_unsigned(),
            self.cursor.position
        )
    }
}

/// What is wrong, and from which place of the log on. Places count from 0 in reading order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub index: u64,
    pub what: What,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// What is stored in an event does not fit its hash or the event before it.
    EventChanged { event: Place, fault: ChainFault },
    /// Another event, or this one changed together with its hash, where the tree has one.
    EventReplaced { event: Place, hash_fits: bool },
    /// The sealed event is not there; the next one is.
    EventMissing { next: Option<Place> },
    /// An event that is not in the tree, between sealed ones.
    EventInserted { event: Place },
    /// A tile of the tree is missing, or has not as many hashes as it must.
    TileShape { level: i16, tile: i64 },
    /// A tile above the lowest level does not fit those below.
    TileHashes { level: i16, tile: i64 },
    /// A tile does not begin where its first event lies.
    TilePlace { tile: i64, event: Place },
    /// Tiles that the tree does not have.
    TilesLeftOver { count: i64 },
    /// The row that says how much is sealed does not say what is there.
    State,
    /// A head that is kept is none, or not signed by the key.
    Head { size: u64, fault: NoteFault },
    /// The row of a head says something else than its note.
    HeadRow { size: u64 },
    /// It does not name the head before it.
    HeadChain { size: u64 },
    /// It is older than the head before it.
    HeadTime { size: u64 },
    /// The tree is not the one that was signed; somewhere between `index` and the size.
    HeadRoot { size: u64 },
    /// There are leaves, and no head has been signed for any.
    NoHead,
    /// A head that is kept outside is not, or is another one, in the database.
    OutsideMissing { size: u64, whose: String },
    /// The tree is not the one of a head that is kept outside.
    OutsideRoot { size: u64, whose: String },
    /// Something that is kept outside as a head is none, or not signed by the key.
    Outside { whose: String, fault: NoteFault },
    /// The log ends before a head that is kept outside, or that is signed and kept.
    Cut { size: u64, whose: String },
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let index = self.index;
        match &self.what {
            What::EventChanged { event, fault } => write!(f, "at {index}: {event}: {fault}"),
            What::EventReplaced { event, hash_fits } => {
                let how = if *hash_fits {
                    "it was changed and hashed anew, or the tree was changed"
                } else {
                    "it does not fit its own hash either"
                };
                write!(
                    f,
                    "at {index}: {event}: this is not the event that was sealed; {how}"
                )
            }
            What::EventMissing { next: Some(next) } => {
                write!(f, "at {index}: a sealed event is missing, before {next}")
            }
            What::EventMissing { next: None } => {
                write!(f, "at {index}: the sealed events from here on are missing")
            }
            What::EventInserted { event } => {
                write!(
                    f,
                    "at {index}: {event}: was put between sealed events, and is not in the tree"
                )
            }
            What::TileShape { level, tile } => {
                write!(
                    f,
                    "at {index}: tile {tile} of level {level} of the tree is missing or damaged"
                )
            }
            What::TileHashes { level, tile } => {
                write!(
                    f,
                    "at {index}: tile {tile} of level {level} does not fit the tiles below it"
                )
            }
            What::TilePlace { tile, event } => {
                write!(f, "at {index}: tile {tile} of the tree does not begin at {event}")
            }
            What::TilesLeftOver { count } => {
                write!(
                    f,
                    "at {index}: the tree has {count} tiles more or fewer than its size"
                )
            }
            What::State => write!(f, "at {index}: tree_state does not say what is sealed"),
            What::Head { size, fault } => write!(f, "at {index}: the head for {size} events: {fault}"),
            What::HeadRow { size } => {
                write!(
                    f,
                    "at {index}: the row of the head for {size} events differs from its note"
                )
            }
            What::HeadChain { size } => {
                write!(
                    f,
                    "at {index}: the head for {size} events does not follow the head before it"
                )
            }
            What::HeadTime { size } => {
                write!(
                    f,
                    "at {index}: the head for {size} events is older than the head before it"
                )
            }
            What::HeadRoot { size } => {
                write!(
                    f,
                    "between {index} and {size}: the tree is not the one that was signed"
                )
            }
            What::NoHead => write!(f, "at {index}: there are sealed events, and no signed head"),
            What::OutsideMissing { size, whose } => write!(
                f,
                "at {index}: the head for {size} events of {whose} is not in the database"
            ),
            What::OutsideRoot { size, whose } => write!(
                f,
                "between {index} and {size}: the tree is not the one of the head of {whose}"
            ),
            What::Outside { whose, fault } => write!(f, "{whose}: {fault}"),
            What::Cut { size, whose } => write!(
                f,
                "at {index}: the log ends here, and {whose} shows that it had {size} events"
            ),
        }
    }
}
