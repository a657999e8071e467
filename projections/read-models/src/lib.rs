//! The read models: what people look at, folded from the event log, and the run-once ledger that refuses inline.
//!
//! Each folder alone writes its tables: `mod.rs` says what goes in and out, `project.rs` folds, `query.rs` reads.
//! `fold.rs` is the one fold of where a case stands, `history.rs` what has happened to it, `sheet.rs` how rows get into tables;
//! `scope.rs` turns access scopes into SQL.

pub mod case_file;
mod fold;
mod history;
pub mod queue;
pub mod resolution;
pub mod run_once;
mod scope;
mod sheet;

pub use fold::Standing;
pub use history::{History, TimelineEntry, histories};
pub use run_once::RunOnceLedger;

use fold::CaseRows;
use onetrip_runner::Projection;
use std::sync::Arc;

/// Cases that each read model remembers, of some three kilobytes.
const REMEMBERED: usize = 4_096;

/// Every read model that follows the log.
pub fn all() -> Vec<Arc<dyn Projection>> {
    all_remembering(REMEMBERED)
}

/// The same, with so many cases that each remembers after it has folded them: what it does not remember, it folds from the log.
pub fn all_remembering(cases: usize) -> Vec<Arc<dyn Projection>> {
    vec![
        Arc::new(CaseRows::<case_file::FileFold>::remembering(cases)),
        Arc::new(CaseRows::<queue::QueueFold>::remembering(cases)),
        Arc::new(CaseRows::<resolution::ResolutionFold>::remembering(cases)),
    ]
}

/// Names of the read models that show a command's effect: wait for them to read one's own write.
pub const NAMES: [&str; 3] = [case_file::NAME, queue::NAME, resolution::NAME];
