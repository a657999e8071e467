//! Keeps read models up with the event log: pages in commit-safe order, folded and written with the checkpoint in one
//! transaction, one runner per projection by a lock on its checkpoint row.

mod rebuild;
mod runner;

pub use rebuild::{Progress, Rebuild, rebuild, rebuild_locked};
pub use runner::{Lag, Projection, ProjectionError, Runner, wait_for};
