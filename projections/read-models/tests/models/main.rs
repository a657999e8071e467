//! The read models on a real PostgreSQL: given events, then rows; again with everything delivered twice; a rebuild
//! equals the live tables.

mod common;
mod figures;
mod ledger;
mod rebuild;
mod rows;
mod scopes;
