//! Brings another city's export in as the same domain events at their historical instants, and reports on them.
//!
//! * [`Mapping`] describes an export as data: one TOML file a system, see `ops/docs/IMPORT.md`.
//! * [`import`] reads the file a batch at a time, lets the domain decide each case's history and appends it.
//! * [`glance`] shows a file's rows in the words of the service without importing them.
//! * [`report`] counts cases and times to result from the read model, as a table, CSV or JSON.

mod error;
mod follow;
mod glance;
mod history;
mod import;
mod mapping;
mod reader;
mod report;
mod row;
mod time;
mod words;

pub use error::ImportError;
pub use follow::catch_up;
pub use glance::{Glance, glance};
pub use import::{Progress, Summary, import};
pub use mapping::{Columns, Mapping, MappingError, Names};
pub use report::{Format, Group, Line, Report, ReportError, ReportQuery, render, report};
pub use row::{ColumnError, Reject};
