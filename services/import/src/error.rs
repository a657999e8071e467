use crate::row::ColumnError;
use onetrip_casework::CaseworkError;
use onetrip_event_log::LogError;
use onetrip_model::Refusal;
use std::{io, path::PathBuf};

/// Why an import ended before the end of its file. What has been committed stays, and the next run goes on from there.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    #[error("{}: {source}", path.display())]
    File { path: PathBuf, source: io::Error },
    /// The file is no CSV from here on, or its compression is broken.
    #[error("{}: {source}", path.display())]
    Csv { path: PathBuf, source: csv::Error },
    #[error("{}: {source}", path.display())]
    Column { path: PathBuf, source: ColumnError },
    /// A division's code decides what lies inside it, so no system's id may start with another's.
    #[error(
        "system `{system}` and division `{other}` begin alike, so that one would lie inside the other: name the system otherwise"
    )]
    SystemInsideAnother { system: String, other: String },
    #[error("the cases cannot be written: {0}")]
    Log(#[from] LogError<Refusal>),
    #[error("database: {0}")]
    Database(#[from] sqlx::Error),
    #[error(transparent)]
    Directory(#[from] CaseworkError),
    /// The thread that reads the file is gone.
    #[error("reading the file has stopped: {0}")]
    Stopped(String),
}
