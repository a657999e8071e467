//! The event log: the only code that knows the `events` table.
//!
//! * [`EventLog::execute`] loads an aggregate, lets it decide and appends what happened, together with the inline
//!   projection and the request key, in one transaction.
//! * [`read_page`] reads in commit-safe order for everything that follows the log.
//! * [`Vault`] seals personal data and free text on the way in; nothing is ever stored open.
//!
//! Concurrent commands share look-ups and transactions (`together.rs`, `ask.rs`, `append.rs`), one after the other on each
//! aggregate (`lanes.rs`); every event is chained to the one before it (`chain.rs`).

mod append;
mod ask;
pub mod audit;
pub mod chain;
mod connection;
mod error;
mod execute;
mod horizon;
mod inline;
mod lanes;
mod load;
mod persons;
mod pool;
mod prepare;
mod read;
mod requests;
mod statement;
mod store;
mod together;
mod vault;
mod write;

pub use append::{AppendHook, NewStream};
pub use connection::{Exclusive, PooledConnection};
pub use error::LogError;
pub use execute::{EventLog, Limits, Logged, Outcome, Why};
pub use horizon::{Fate, HorizonAge, IdleHolder, end_idle_holders, horizon_age};
pub use inline::{Appending, InlineProjection, NoInline};
pub use pool::Pool;
pub use prepare::FirstSeen;
pub use read::{Cursor, Horizon, LoggedEvent, backlog, count, read_histories, read_page, read_until};
pub use requests::{RequestKey, StoredAnswer};
pub use statement::Statement;
pub use store::{LogContext, LogStore};
pub use vault::{MasterKey, Opener, Vault, VaultError};
pub use write::Appended;
