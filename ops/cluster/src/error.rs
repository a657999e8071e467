//! What can go wrong, each with the next step in its message.

use std::path::PathBuf;

use crate::place::SOCKET_PATH_BYTES_MAX;
use crate::server::{OLDEST_MAJOR, SERVER_SETTING};

/// Why there is no running cluster. Every message is meant for the person at the terminal.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClusterError {
    #[error(
        "no PostgreSQL server of version {OLDEST_MAJOR} or newer found (looked in: {looked_in}). \
         On Debian, as root: apt-get install postgresql. Without root: ops/run fetches one for you. \
         A server kept elsewhere is named by {SERVER_SETTING}=<folder with postgres and initdb>"
    )]
    NoServer { looked_in: String },

    #[error(
        "{SERVER_SETTING} is {folder}, but that is no folder of a usable PostgreSQL server: {reason}. \
         Point it at a PostgreSQL bin folder, or unset it to search for one"
    )]
    BadServerSetting { folder: PathBuf, reason: String },

    #[error(
        "the data in {data} was written by PostgreSQL {data_major}, which no other major version opens, and only \
         version {found} was found here. Either install PostgreSQL {data_major} beside it (or point \
         {SERVER_SETTING} at its bin folder), or choose another data folder and start afresh"
    )]
    VersionMismatch {
        data: PathBuf,
        data_major: String,
        found: String,
    },

    #[error(
        "this process is root, PostgreSQL refuses to run as root, and there is neither a `postgres` nor a `nobody` \
         account to run it under. Create one (useradd --system postgres), or run this as an ordinary user"
    )]
    NoAccount,

    #[error(
        "the user id of this process has no entry in /etc/passwd, and PostgreSQL refuses to run without one. \
         Run as an account that has a name"
    )]
    NamelessUser,

    #[error("the folder {folder} can not be used: {reason}. Choose another data folder")]
    UnusableFolder { folder: PathBuf, reason: String },

    #[error(
        "the socket path {socket} has {bytes} bytes and must stay under {SOCKET_PATH_BYTES_MAX}, a limit of the \
         operating system. Choose a data folder with a shorter path"
    )]
    SocketPathTooLong { socket: PathBuf, bytes: usize },

    #[error(
        "{base} can not be reached by the server's account `{account}`, because {closed} is closed to it. As root, \
         choose a data folder that is not below a closed one (/var/lib/... rather than root's home), or open that \
         one for passage (chmod o+x)"
    )]
    ClosedParent {
        base: PathBuf,
        closed: PathBuf,
        account: String,
    },

    #[error(
        "{base} belongs to user id {owner}, not to this process or its server. Somebody else uses that folder: \
         choose another one, or remove it"
    )]
    ForeignFolder { base: PathBuf, owner: u32 },

    #[error(
        "{base} was made {made_for}, and is not opened the other way round: a cluster made for tests has never been \
         forced to the disk. Choose another folder"
    )]
    DurabilityMismatch { base: PathBuf, made_for: &'static str },

    #[error(
        "neither HOME nor XDG_DATA_HOME names a folder to keep data in. Set one of them, or name a data folder"
    )]
    NoHome,

    #[error("making the data folder {data} failed: initdb said: {said}")]
    InitFailed { data: PathBuf, said: String },

    #[error("the PostgreSQL server did not start; the end of its log, {log}:\n{tail}")]
    StartFailed { log: PathBuf, tail: String },

    #[error(
        "the PostgreSQL server is still not ready after {seconds} s (it may be recovering from a crash). \
         Its log is {log}; run this again to go on waiting"
    )]
    NotReady { seconds: u64, log: PathBuf },

    #[error("the PostgreSQL server could not be stopped: {said}; its log is {log}")]
    StopFailed { said: String, log: PathBuf },

    #[error("{doing} failed: {source}")]
    File {
        doing: String,
        #[source]
        source: std::io::Error,
    },

    #[error(
        "`{name}` can not be the name of a database: it must have 1 to 63 bytes and no control characters"
    )]
    BadDatabaseName { name: String },

    #[error("{doing} failed: {source}")]
    Database {
        doing: String,
        #[source]
        source: sqlx::Error,
    },

    #[error("the migrations failed: {0}")]
    Migration(#[from] sqlx::migrate::MigrateError),
}

impl ClusterError {
    /// For `map_err`: an I/O error with the attempt that met it.
    pub(crate) fn file(doing: impl Into<String>) -> impl FnOnce(std::io::Error) -> ClusterError {
        let doing = doing.into();
        move |source| ClusterError::File { doing, source }
    }

    /// For `map_err`: a database error with the attempt that met it.
    pub(crate) fn database(doing: impl Into<String>) -> impl FnOnce(sqlx::Error) -> ClusterError {
        let doing = doing.into();
        move |source| ClusterError::Database { doing, source }
    }
}
