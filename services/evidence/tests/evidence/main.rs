//! The sealed tree against a real PostgreSQL.

mod common;
mod incremental;
mod large;
mod receipts;
mod sealing;
mod tamper;
mod tampering;
