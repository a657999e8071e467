//! The read models on a real PostgreSQL: given events, then rows; again with everything delivered twice; a rebuild
//! equals the live tables.

mod common;
mod count;
mod figures;
mod ledger;
mod merges;
mod near;
mod rebuild;
mod rows;
mod scopes;
