//! The event log on a real PostgreSQL: what is appended, what is refused, what readers see.

mod append;
mod batches;
mod common;
mod conformance;
mod pool;
mod privacy;
mod readers;
mod requests;
mod versions;
