use crate::files::PHOTO_USED;
use onetrip_event_log::{LogError, VaultError};
use onetrip_model::{Refusal, access::Denied};

/// What is wrong with one field of what was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldFault {
    /// Name of the field in forms and JSON.
    pub field: &'static str,
    pub fault: Fault,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Has to be filled in.
    Missing,
    TooLong {
        max: usize,
    },
    /// Not one of the choices.
    Unknown,
    /// Not a phone number.
    Phone,
    /// Chosen too coarse: at least a street is needed.
    Street,
    /// More than `max` photos.
    TooMany {
        max: usize,
    },
}

impl Fault {
    /// The stable code: `fault-{code}` in the catalogues.
    pub fn code(self) -> &'static str {
        match self {
            Fault::Missing => "missing",
            Fault::TooLong { .. } => "too-long",
            Fault::Unknown => "unknown",
            Fault::Phone => "phone",
            Fault::Street => "street",
            Fault::TooMany { .. } => "too-many",
        }
    }

    pub fn max(self) -> Option<usize> {
        match self {
            Fault::TooLong { max } | Fault::TooMany { max } => Some(max),
            _ => None,
        }
    }
}

/// Why a use case did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum CaseworkError {
    #[error("not signed in")]
    NotSignedIn,
    /// Also for what the asker may not know of.
    #[error("not found")]
    NotFound,
    #[error("not allowed")]
    NotAllowed,
    #[error("{0}")]
    Refused(Refusal),
    #[error("{} fields are not in order", .0.len())]
    Invalid(Vec<FieldFault>),
    /// Somebody else changed the case since it was read.
    #[error("version {expected} was expected, the newest is {actual}")]
    Stale { expected: u64, actual: u64 },
    #[error("this idempotency key was used with another request")]
    KeyReused,
    #[error("too many tries")]
    TooManyTries { retry_after_seconds: u64 },
    #[error("the photo cannot be used: {0}")]
    Photo(#[from] crate::files::PhotoFault),
    /// The database does not answer or is too busy. Nothing is known to be lost; the same key may be sent again.
    #[error("unavailable: {0}")]
    Unavailable(String),
    #[error("internal: {0}")]
    Internal(String),
}

impl CaseworkError {
    pub(crate) fn internal(error: impl std::fmt::Display) -> Self {
        CaseworkError::Internal(error.to_string())
    }

    pub(crate) fn invalid(field: &'static str, fault: Fault) -> Self {
        CaseworkError::Invalid(vec![FieldFault { field, fault }])
    }

    /// The label of the commands metric.
    pub(crate) fn outcome(&self) -> &'static str {
        match self {
            CaseworkError::NotSignedIn | CaseworkError::NotFound | CaseworkError::NotAllowed => "denied",
            CaseworkError::Refused(_) => "refused",
            CaseworkError::Invalid(_) | CaseworkError::Photo(_) => "invalid",
            CaseworkError::Stale { .. } => "stale",
            CaseworkError::KeyReused => "key_reused",
            CaseworkError::TooManyTries { .. } => "too_many_tries",
            CaseworkError::Unavailable(_) => "unavailable",
            CaseworkError::Internal(_) => "internal",
        }
    }
}

impl From<Denied> for CaseworkError {
    fn from(denied: Denied) -> Self {
        match denied {
            Denied::NotSignedIn => CaseworkError::NotSignedIn,
            Denied::NotVisible => CaseworkError::NotFound,
            Denied::NotAllowed => CaseworkError::NotAllowed,
        }
    }
}

impl From<LogError<Refusal>> for CaseworkError {
    fn from(error: LogError<Refusal>) -> Self {
        match error {
            LogError::Refused(Refusal::NoSuchCase) => CaseworkError::NotFound,
            LogError::Refused(refusal) => CaseworkError::Refused(refusal),
            LogError::Stale { expected, actual } => CaseworkError::Stale { expected, actual },
            LogError::KeyReused => CaseworkError::KeyReused,
            LogError::Database(error) => error.into(),
            LogError::Vault(error) => error.into(),
            // It waits no more: somebody has used it in another case.
            LogError::Taken { constraint } if constraint == PHOTO_USED => CaseworkError::NotFound,
            error @ (LogError::Contended
            | LogError::Taken { .. }
            | LogError::Busy
            | LogError::Shared(_)
            | LogError::Unsettled(_)) => CaseworkError::Unavailable(error.to_string()),
            error @ LogError::Codec(_) => CaseworkError::internal(error),
        }
    }
}

impl From<VaultError> for CaseworkError {
    fn from(error: VaultError) -> Self {
        match error {
            VaultError::Database(error) => error.into(),
            error => CaseworkError::internal(error),
        }
    }
}

impl From<sqlx::Error> for CaseworkError {
    fn from(error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::Decode(_) | sqlx::Error::ColumnDecode { .. } | sqlx::Error::RowNotFound => {
                CaseworkError::internal(error)
            }
            // Class 08, 53, 57: connection, resources, intervention; the rest of the database's own errors are ours.
            sqlx::Error::Database(ref inner) => {
                let class: String = inner.code().unwrap_or_default().chars().take(2).collect();
                if ["08", "53", "57", "40", "25"].contains(&class.as_str()) {
                    CaseworkError::Unavailable(error.to_string())
                } else {
                    CaseworkError::internal(error)
                }
            }
            error => CaseworkError::Unavailable(error.to_string()),
        }
    }
}
