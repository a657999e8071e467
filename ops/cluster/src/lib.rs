//! A private PostgreSQL server for one service, or for its tests.
//!
//! [`Cluster::ensure`] finds the server's programs, makes a data folder when there is none, starts the server and
//! hands out connection addresses. It may be called any number of times, by several processes at once: whoever comes
//! first does the work and the others wait for it.
//!
//! The server listens on no network port. Its only door is a Unix socket inside a folder that belongs to the
//! server's own account and is closed to everybody else, which is why connections need no password.
//!
//! PostgreSQL refuses to run as root. A process that is root therefore starts it under the `postgres` account, or
//! under `nobody` where there is none; a folder below a closed parent such as root's own home can not be reached
//! from there and is refused by name.
//!
//! The functions of [`Cluster`] block, but for [`Cluster::ensure_database`]; from async code call them through
//! `tokio::task::spawn_blocking`.

mod database;
mod error;
mod launch;
mod place;
mod probe;
mod server;
pub mod testing;

use std::path::{Path, PathBuf};

pub use error::ClusterError;
pub use place::{DATA_FOLDER_SETTING, default_base_dir};
pub use server::{OLDEST_MAJOR, SERVER_SETTING};

/// What the server does when the power goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// An acknowledged commit is on the disk. Nothing in this crate ever weakens that.
    Full,
    /// Nothing is forced to the disk: quick, and the data may be gone or broken after a crash of the machine.
    /// Only for data that can be thrown away; a cluster made this way is never opened as [`Durability::Full`].
    Test,
}

/// How a server is made to crash, for tests of what survives that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Crash {
    /// Everything ends at once and nothing is written any more; the next start recovers.
    Immediate,
    /// SIGKILL of the first process: the others notice and end by themselves.
    Kill,
    /// SIGKILL of the process behind one connection, by its number in `pg_stat_activity`: the server ends all the
    /// others and recovers by itself.
    KillBackend(i32),
}

/// A running private server. Dropping the value leaves the server running; see [`Cluster::stop`].
#[derive(Debug, Clone)]
pub struct Cluster {
    base: PathBuf,
    bin: PathBuf,
    /// Whether this call started the server, rather than finding it running.
    pub started_here: bool,
}

impl Cluster {
    /// Makes sure that the cluster below `base` exists and answers, and returns the way to it.
    ///
    /// `base` is an absolute folder of its own: it is created when missing, given to the server's account and closed
    /// to everybody else. A lock file is kept beside it (`<base>.lock`).
    ///
    /// Fails with a [`ClusterError`] whose message says what to do next. Settings of a server that is running
    /// already stay as they were when it was started.
    pub fn ensure(base: &Path, durability: Durability) -> Result<Cluster, ClusterError> {
        launch::ensure(base, durability)
    }

    /// The address of database `name`, as sqlx reads it. The database need not exist: see
    /// [`Cluster::ensure_database`].
    pub fn url(&self, name: &str) -> String {
        let socket_folder = place::percent_encoded(&self.base.to_string_lossy());
        let name = place::percent_encoded(name);
        format!(
            "postgres://postgres@localhost/{name}?host={socket_folder}&port={}",
            place::SOCKET_PORT
        )
    }

    /// The folder everything of this cluster is kept in, its socket too.
    pub fn base(&self) -> &Path {
        &self.base
    }

    /// The folder of the server's programs (`postgres`, `pg_ctl`, ...).
    pub fn bin(&self) -> &Path {
        &self.bin
    }

    /// The server's own log.
    pub fn log(&self) -> PathBuf {
        place::log_file(&self.base)
    }

    /// Creates database `name` when it does not exist, and returns its address.
    pub async fn ensure_database(&self, name: &str) -> Result<String, ClusterError> {
        database::ensure(&self.url("postgres"), name).await?;
        Ok(self.url(name))
    }

    /// Stops the server, ending whatever connections are left. Stopping a stopped server is no error.
    pub fn stop(&self) -> Result<(), ClusterError> {
        launch::stop(self)
    }

    /// Makes the server crash. [`Cluster::ensure`] starts it again, except where it recovers by itself.
    pub fn crash(&self, how: Crash) -> Result<(), ClusterError> {
        launch::crash(self, how)
    }
}
