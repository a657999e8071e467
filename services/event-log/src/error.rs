use crate::vault::VaultError;
use std::sync::Arc;

/// Why a command did not reach the log. `R` is the aggregate's own refusal.
#[derive(Debug, thiserror::Error)]
pub enum LogError<R: std::error::Error> {
    /// A rule said no, either the aggregate's or the inline projection's.
    #[error(transparent)]
    Refused(R),
    /// The caller named a version that is no longer the newest.
    #[error("version {expected} was expected, the newest is {actual}")]
    Stale { expected: u64, actual: u64 },
    /// Too many others were writing to the same aggregate; nothing was stored.
    #[error("the aggregate is being changed by others; try again")]
    Contended,
    /// The request key was used before with another body.
    #[error("this request key was used with another body")]
    KeyReused,
    /// Another aggregate drew the same unique value first (a case number); draw again.
    #[error("a unique value is taken: {constraint}")]
    Taken { constraint: String },
    /// More commands are waiting than may wait; nothing was stored.
    #[error("too many commands are waiting")]
    Busy,
    #[error("the event log cannot be reached: {0}")]
    Database(#[from] sqlx::Error),
    /// The same, for several commands at once.
    #[error("the event log cannot be reached: {0}")]
    Shared(Arc<sqlx::Error>),
    /// The connection was lost while the append was being committed, and what became of it could not be seen.
    #[error("it is not known whether the append was stored: {0}")]
    Unsettled(Arc<sqlx::Error>),
    #[error("an event cannot be read: {0}")]
    Codec(#[from] serde_json::Error),
    #[error(transparent)]
    Vault(#[from] VaultError),
}

impl<R: std::error::Error> LogError<R> {
    /// Whether the outcome is unknown or nothing happened, so that a retry with the same key is the right answer.
    pub fn is_unavailable(&self) -> bool {
        matches!(
            self,
            LogError::Database(_)
                | LogError::Shared(_)
                | LogError::Unsettled(_)
                | LogError::Busy
                | LogError::Contended
        )
    }
}

/// The violated constraint, if that is what the error is.
pub(crate) fn violated_constraint(error: &sqlx::Error) -> Option<&str> {
    error.as_database_error().and_then(|error| error.constraint())
}
