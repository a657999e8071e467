//! The event log: the only code that knows the `events` table.
//!
//! * [`EventLog::execute`] loads an aggregate, lets it decide and appends what happened, together with the inline
//!   projection and the request key, in one transaction.
//! * [`read_page`] reads in commit-safe order for everything that follows the log.
//! * [`Vault`] seals personal data and free text on the way in; nothing is ever stored open.
//!
//! Group commit, caches and the hash chain have their place in `append.rs`; the columns are there already.

mod append;
mod error;
mod execute;
mod inline;
mod read;
mod requests;
mod store;
mod transaction;
mod vault;

pub use append::{AppendHook, Appended, Appending, NewStream};
pub use error::LogError;
pub use execute::{EventLog, Outcome, Why};
pub use inline::{InlineProjection, NoInline};
pub use read::{Cursor, Horizon, LoggedEvent, backlog, count, horizon_age_seconds, read_page};
pub use requests::{RequestKey, StoredAnswer};
pub use store::{LogContext, LogStore};
pub use transaction::begin;
pub use vault::{MasterKey, Opener, Vault, VaultError};
