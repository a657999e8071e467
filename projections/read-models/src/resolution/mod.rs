//! Resolution times and the figures of the supervisor's board.

mod project;
mod query;

pub(crate) use project::ResolutionFold;
pub use query::{BoardFilter, BoardRow, CaseRef, Grouping, Paging, board, cases};

pub const NAME: &str = "resolution";
