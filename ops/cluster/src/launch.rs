//! Making, starting and stopping the server.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::error::ClusterError;
use crate::place;
use crate::probe::{self, Answer};
use crate::server::{self, Account, Server};
use crate::{Cluster, Crash, Durability};

/// How long a server may take to become ready. A durable one may have a crash to recover from.
fn patience(durability: Durability) -> Duration {
    match durability {
        Durability::Full => Duration::from_secs(300),
        Durability::Test => Duration::from_secs(60),
    }
}

/// A killed server takes a moment to be gone, and its last children hold on to shared memory: a start meanwhile fails.
const LEFTOVERS_PATIENCE: Duration = Duration::from_secs(10);

const STOP_PATIENCE: Duration = Duration::from_secs(60);

/// The server only appends to its log; at a start, a log longer than this is put aside.
const LOG_BYTES_MAX: u64 = 8 * 1024 * 1024;

pub(crate) fn ensure(base: &Path, durability: Durability) -> Result<Cluster, ClusterError> {
    place::check_path(base)?;
    let account = server::account()?;
    place::create_parents(base)?;
    let mut lock = lock(base)?;
    place::take_over(base, account.as_ref())?;

    let data = place::data_folder(base);
    let data_major = read_data_major(&data)?;
    match data_major {
        Some(_) => check_made_for(&mut lock, base, durability)?,
        None => note_made_for(&mut lock, base, durability)?,
    }
    let server = match &data_major {
        Some(major) => server::for_data(&data, major)?,
        None => server::preferred()?,
    };
    let site = Site {
        base,
        data: &data,
        server: &server,
        account: account.as_ref(),
        durability,
    };
    let started_here = match probe::settle(&place::socket_file(base), patience(durability)) {
        Answer::Ready => false,
        Answer::Busy => return Err(site.not_ready()),
        Answer::Down => {
            site.bring_up(data_major.is_some())?;
            true
        }
    };
    Ok(Cluster {
        base: base.to_owned(),
        bin: server.bin,
        started_here,
    })
}

pub(crate) fn stop(cluster: &Cluster) -> Result<(), ClusterError> {
    let base = cluster.base();
    let _lock = lock(base)?;
    let data = place::data_folder(base);
    let [pid, _] = pid_files(base);
    let down = probe::ask(&place::socket_file(base)) == Answer::Down;
    if down && pid_file(&pid) != PidFile::Server {
        return Ok(());
    }
    let account = server::account()?;
    let answer = server::command(cluster.bin(), "pg_ctl", base, account.as_ref())
        .arg("-D")
        .arg(&data)
        .args([
            "-s",
            "-w",
            "-m",
            "fast",
            "-t",
            &STOP_PATIENCE.as_secs().to_string(),
            "stop",
        ])
        .output()
        .map_err(ClusterError::file("running pg_ctl"))?;
    if answer.status.success() || pid_file(&pid) != PidFile::Server {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&answer.stderr).trim().to_owned();
    Err(ClusterError::StopFailed {
        said,
        log: cluster.log(),
    })
}

/// Without the lock: a crash waits for nobody.
pub(crate) fn crash(cluster: &Cluster, how: Crash) -> Result<(), ClusterError> {
    let base = cluster.base();
    let data = place::data_folder(base);
    let account = server::account()?;
    let mut command = server::command(cluster.bin(), "pg_ctl", base, account.as_ref());
    match how {
        Crash::Immediate => {
            command.arg("-D").arg(&data);
            command.args(["-s", "-w", "-m", "immediate", "stop"])
        }
        Crash::Kill => {
            let [pid_file, _] = pid_files(base);
            let text = fs::read_to_string(&pid_file)
                .map_err(ClusterError::file(format!("reading {}", pid_file.display())))?;
            command.args(["kill", "KILL", text.lines().next().unwrap_or_default().trim()])
        }
        Crash::KillBackend(pid) => command.args(["kill", "KILL", &pid.to_string()]),
    };
    let answer = command.output().map_err(ClusterError::file("running pg_ctl"))?;
    if answer.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&answer.stderr).trim().to_owned();
    Err(ClusterError::StopFailed {
        said,
        log: cluster.log(),
    })
}

/// One cluster's files and how to run it.
struct Site<'a> {
    base: &'a Path,
    data: &'a Path,
    server: &'a Server,
    account: Option<&'a Account>,
    durability: Durability,
}

impl Site<'_> {
    fn bring_up(&self, has_data: bool) -> Result<(), ClusterError> {
        if !has_data {
            self.init()?;
        }
        match self.start() {
            // What a cleaner of temporary folders, or a crash without fsync, has left of a test cluster is of no use
            // to anybody.
            Err(ClusterError::StartFailed { .. }) if has_data && self.durability == Durability::Test => {
                fs::remove_dir_all(self.data).map_err(ClusterError::file(format!(
                    "removing the broken {}",
                    self.data.display()
                )))?;
                self.init()?;
                self.start()
            }
            result => result,
        }
    }

    /// Makes the data folder under another name first: an initdb that is killed half-way leaves something that looks
    /// like a data folder and is none.
    fn init(&self) -> Result<(), ClusterError> {
        let unfinished = self.base.join("data.new");
        if unfinished.exists() {
            fs::remove_dir_all(&unfinished).map_err(ClusterError::file(format!(
                "removing the unfinished {}",
                unfinished.display()
            )))?;
        }
        let mut command = self.command("initdb");
        command.arg("-D").arg(&unfinished).args([
            "--username=postgres",
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            "--data-checksums",
        ]);
        if self.durability == Durability::Test {
            command.arg("--no-sync");
        }
        let answer = command.output().map_err(ClusterError::file("running initdb"))?;
        if !answer.status.success() {
            let said = String::from_utf8_lossy(&answer.stderr).trim().to_owned();
            if said.contains("could not look up effective user ID") {
                return Err(ClusterError::NamelessUser);
            }
            return Err(ClusterError::InitFailed {
                data: self.data.to_owned(),
                said,
            });
        }
        fs::rename(&unfinished, self.data).map_err(ClusterError::file(format!(
            "moving the new data folder to {}",
            self.data.display()
        )))?;
        if self.durability == Durability::Full {
            File::open(self.base)
                .and_then(|folder| folder.sync_all())
                .map_err(ClusterError::file(format!("syncing {}", self.base.display())))?;
        }
        Ok(())
    }

    fn start(&self) -> Result<(), ClusterError> {
        let log = place::log_file(self.base);
        put_aside_long_log(&log);
        let started_at = Instant::now();
        loop {
            for file in pid_files(self.base) {
                if pid_file(&file) == PidFile::Stale {
                    // The server would take the process it names for a running server and refuse to start. Should
                    // any children of the old one live on, the shared memory they hold still keeps a second one out.
                    fs::remove_file(&file).map_err(ClusterError::file(format!(
                        "removing the stale {}",
                        file.display()
                    )))?;
                }
            }
            let log_start = fs::metadata(&log).map_or(0, |meta| meta.len());
            let answer = self
                .command("pg_ctl")
                .arg("-D")
                .arg(self.data)
                .arg("-l")
                .arg(&log)
                .args(["-s", "-w", "-t", &patience(self.durability).as_secs().to_string()])
                .args(["-o", &self.options(), "start"])
                .output()
                .map_err(ClusterError::file("running pg_ctl"))?;
            if answer.status.success() {
                return Ok(());
            }
            if probe::ask(&place::socket_file(self.base)) != Answer::Down {
                return Err(self.not_ready());
            }
            let written = read_from(&log, log_start);
            let leftovers = written.contains("shared memory block")
                || (written.contains("lock file") && written.contains("already exists"));
            if !leftovers || started_at.elapsed() > LEFTOVERS_PATIENCE {
                let mut tail = tail(&written, 20);
                if tail.is_empty() {
                    tail = String::from_utf8_lossy(&answer.stderr).trim().to_owned();
                }
                return Err(ClusterError::StartFailed { log, tail });
            }
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    /// The server's settings, as words for the shell that pg_ctl uses. They are given at every start, so they hold
    /// whatever the files in the data folder say.
    fn options(&self) -> String {
        // `place::check_path` has refused paths with a quote in them.
        let socket_folder = format!("unix_socket_directories='{}'", self.base.display());
        let common = [
            "listen_addresses=''",
            &socket_folder,
            "unix_socket_permissions=0700",
            "timezone=UTC",
            "log_timezone=UTC",
            // Without DETAIL: the values of a violated key may be personal data, and logs outlive erasure.
            "log_error_verbosity=terse",
            // Compiling queries costs more than it gains on the short ones the service makes.
            "jit=off",
        ];
        let own: &[&str] = match self.durability {
            Durability::Full => &[
                "fsync=on",
                "synchronous_commit=on",
                "full_page_writes=on",
                "max_connections=200",
                "shared_buffers=256MB",
                "max_wal_size=2GB",
            ],
            Durability::Test => &[
                "fsync=off",
                "synchronous_commit=off",
                "full_page_writes=off",
                "wal_level=minimal",
                "max_wal_senders=0",
                "max_wal_size=512MB",
                "max_connections=300",
                "shared_buffers=128MB",
            ],
        };
        let port = format!("port={}", place::SOCKET_PORT);
        common
            .iter()
            .chain(own)
            .chain([&port.as_str()])
            .map(|setting| format!("-c {setting}"))
            .collect::<Vec<_>>()
            .join(" ")
    }

    fn command(&self, program: &str) -> std::process::Command {
        server::command(&self.server.bin, program, self.base, self.account)
    }

    fn not_ready(&self) -> ClusterError {
        ClusterError::NotReady {
            seconds: patience(self.durability).as_secs(),
            log: place::log_file(self.base),
        }
    }
}

/// Held until the file is dropped. Its text notes what the cluster was made for.
fn lock(base: &Path) -> Result<File, ClusterError> {
    let path = place::lock_file(base);
    let doing = format!("locking {}", path.display());
    let file = OpenOptions::new()
        .create(true)
        .read(true)
        .write(true)
        .truncate(false)
        .open(&path)
        .map_err(ClusterError::file(&doing))?;
    file.lock().map_err(ClusterError::file(doing))?;
    Ok(file)
}

fn note(durability: Durability) -> &'static str {
    match durability {
        Durability::Full => "durable\n",
        Durability::Test => "for tests\n",
    }
}

fn note_made_for(lock: &mut File, base: &Path, durability: Durability) -> Result<(), ClusterError> {
    lock.set_len(0)
        .and_then(|()| lock.seek(SeekFrom::Start(0)))
        .and_then(|_| lock.write_all(note(durability).as_bytes()))
        .map_err(ClusterError::file(format!(
            "writing {}",
            place::lock_file(base).display()
        )))
}

/// Data whose note is gone counts as durable: it must not be weakened or thrown away.
fn check_made_for(lock: &mut File, base: &Path, durability: Durability) -> Result<(), ClusterError> {
    let mut text = String::new();
    lock.read_to_string(&mut text)
        .map_err(ClusterError::file(format!(
            "reading {}",
            place::lock_file(base).display()
        )))?;
    let made_for = if text == note(Durability::Test) {
        Durability::Test
    } else {
        Durability::Full
    };
    if made_for == durability {
        return Ok(());
    }
    Err(ClusterError::DurabilityMismatch {
        base: base.to_owned(),
        made_for: match made_for {
            Durability::Full => "to keep data",
            Durability::Test => "for tests",
        },
    })
}

/// The major version that wrote the data, or none when there is no data yet.
fn read_data_major(data: &Path) -> Result<Option<String>, ClusterError> {
    let file = data.join("PG_VERSION");
    match fs::read_to_string(&file) {
        Ok(text) => Ok(Some(text.trim().to_owned())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let empty = fs::read_dir(data).map_or(true, |mut entries| entries.next().is_none());
            if empty {
                return Ok(None);
            }
            Err(ClusterError::UnusableFolder {
                folder: data.to_owned(),
                reason: "it holds files, but no PostgreSQL data".to_owned(),
            })
        }
        Err(error) => Err(ClusterError::file(format!("reading {}", file.display()))(error)),
    }
}

/// What a pid file points at.
#[derive(Debug, PartialEq, Eq)]
enum PidFile {
    /// There is none, or its process is gone: the server deals with that itself.
    None,
    /// A live process of PostgreSQL.
    Server,
    /// A process of something else that was given the same number, or one that has ended and whose parent has not
    /// taken notice (as under the first process of many containers).
    Stale,
}

/// The server locks its data folder and its socket, each with a file that starts with its process number.
fn pid_files(base: &Path) -> [PathBuf; 2] {
    let socket = place::socket_file(base);
    [
        place::data_folder(base).join("postmaster.pid"),
        socket.with_added_extension("lock"),
    ]
}

fn pid_file(file: &Path) -> PidFile {
    let Ok(text) = fs::read_to_string(file) else {
        return PidFile::None;
    };
    let Some(pid) = text
        .lines()
        .next()
        .and_then(|line| line.trim().parse::<u32>().ok())
    else {
        return PidFile::None;
    };
    match fs::read_to_string(PathBuf::from(format!("/proc/{pid}/stat"))) {
        Ok(stat) if is_live_server(&stat) => PidFile::Server,
        Ok(_) => PidFile::Stale,
        Err(_) => PidFile::None,
    }
}

/// Judges a line such as `13803 (postgres) S 1 ...`.
fn is_live_server(stat: &str) -> bool {
    stat.split_once("(postgres) ")
        .is_some_and(|(_, rest)| !rest.starts_with(['Z', 'X']))
}

/// Best effort: a log that stays long is a nuisance, not a failure.
fn put_aside_long_log(log: &Path) {
    if fs::metadata(log).is_ok_and(|meta| meta.len() > LOG_BYTES_MAX) {
        let _ = fs::rename(log, log.with_extension("1"));
    }
}

fn read_from(file: &Path, offset: u64) -> String {
    let mut bytes = Vec::new();
    let _ = File::open(file).and_then(|mut file| {
        file.seek(SeekFrom::Start(offset))?;
        file.read_to_end(&mut bytes)
    });
    String::from_utf8_lossy(&bytes).into_owned()
}

fn tail(text: &str, lines_max: usize) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(lines_max)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pid_files_are_judged_by_the_process_they_name() {
        let file = std::env::temp_dir().join(format!("onetrip-pid-file-{}", std::process::id()));
        assert_eq!(pid_file(&file), PidFile::None);
        fs::write(&file, format!("{}\n/somewhere\n", std::process::id())).unwrap();
        assert_eq!(pid_file(&file), PidFile::Stale, "this test is not PostgreSQL");
        // Above the largest process number Linux gives out.
        fs::write(&file, "4194305\n").unwrap();
        assert_eq!(pid_file(&file), PidFile::None);
        fs::remove_file(&file).unwrap();
    }

    #[test]
    fn an_ended_server_is_not_a_live_one() {
        assert!(is_live_server("13803 (postgres) S 1 13803 13803 0"));
        assert!(!is_live_server("13803 (postgres) Z 1 13803 13803 0"));
        assert!(!is_live_server("13803 (bash) S 1 13803 13803 0"));
    }

    #[test]
    fn the_tail_is_the_end() {
        assert_eq!(tail("a\nb\nc\n", 2), "b\nc");
        assert_eq!(tail("", 2), "");
    }
}
