//! Keeps read models up with the event log: pages in commit-safe order, folded and written with the checkpoint in one
//! transaction (`follower.rs`), one runner per projection and shard by a lock on its checkpoint row. An event that cannot be folded is parked
//! (`parking.rs`); a rebuild folds everything anew beside the live tables (`rebuild.rs`).

mod checkpoint;
mod follower;
mod pages;
mod parking;
mod rebuild;
mod runner;
mod waiting;

pub use rebuild::{LockedRebuild, Progress, rebuild, rebuild_locked};
pub use runner::{Lag, Projection, ProjectionError, Runner};
pub use waiting::{Waiting, wait_for};
