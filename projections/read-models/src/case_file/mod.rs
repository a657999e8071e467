//! Case file: where each case is found, and what residents and staff see of it, which is its history in the log. Private parts
//! stay sealed; whoever shows them opens them with the vault.

mod project;
mod query;

pub(crate) use project::FileFold;
pub use query::{CaseFile, Outcome, answered_or_ended, by_id, by_number, by_source, list};

pub const NAME: &str = "case_file";
