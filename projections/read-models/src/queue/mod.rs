//! The contact-district queue: open cases, and ended ones on which something is owed, by time left.

mod near;
mod project;
mod query;

pub use near::{Near, near};
pub(crate) use project::QueueFold;
pub use query::{
    ActsCursor, Counts, Mine, QueueCursor, QueueEntry, QueueFilter, acts_late_by, count, counts,
    on_the_clock, page, raised_early, to_act_on,
};

pub const NAME: &str = "queue";
