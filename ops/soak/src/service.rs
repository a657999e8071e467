//! The real binary as a process that is killed and started again, on the same port.

use crate::{
    Failure,
    http::{Client, Request},
};
use std::{
    fs::{File, OpenOptions},
    net::{SocketAddr, TcpListener},
    path::PathBuf,
    process::Stdio,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::process::{Child, Command};

/// A start that takes longer than this is a failure of its own.
const START_PATIENCE: Duration = Duration::from_secs(60);
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// When something was not to be had. What fails outside of these times has no excuse.
#[derive(Default)]
pub struct Outages(Mutex<Vec<(Instant, Option<Instant>)>>);

impl Outages {
    fn lock(&self) -> MutexGuard<'_, Vec<(Instant, Option<Instant>)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn begin(&self) {
        self.lock().push((Instant::now(), None));
    }

    pub fn end(&self) {
        if let Some(last) = self.lock().last_mut() {
            last.1.get_or_insert_with(Instant::now);
        }
    }

    /// Whether one was under way, or had ended for less than `grace`, at some time from `start` until now.
    pub fn touches(&self, start: Instant, grace: Duration) -> bool {
        let touching = |(_, end): &(Instant, Option<Instant>)| end.is_none_or(|end| end + grace >= start);
        self.lock().iter().rev().any(touching)
    }
}

pub struct Service {
    binary: PathBuf,
    environment: Vec<(&'static str, String)>,
    log: PathBuf,
    pub address: SocketAddr,
    pub outages: Outages,
    process: tokio::sync::Mutex<Option<Child>>,
}

impl Service {
    /// On a port of its own, which it keeps; not started yet.
    pub fn new(
        binary: PathBuf,
        environment: Vec<(&'static str, String)>,
        log: PathBuf,
    ) -> Result<Service, Failure> {
        let address = free_address()?;
        Ok(Service {
            binary,
            environment,
            log,
            address,
            outages: Outages::default(),
            process: tokio::sync::Mutex::new(None),
        })
    }

    pub fn client(&self) -> Client {
        Client::new(self.address)
    }

    /// Starts the process and waits until it is ready; the time from one to the other.
    pub async fn start(&self) -> Result<Duration, Failure> {
        let log = OpenOptions::new().create(true).append(true).open(&self.log)?;
        let start = Instant::now();
        let child = Command::new(&self.binary)
            .args(["serve", "--listen", &self.address.to_string()])
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::from(log))
            .kill_on_drop(true)
            .spawn()?;
        *self.process.lock().await = Some(child);
        while !self.is_ready().await {
            if start.elapsed() > START_PATIENCE || !self.is_running().await {
                return Err(format!("the service does not get ready; see {}", self.log.display()).into());
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        let took = start.elapsed();
        // Who answered may have been somebody else on this port.
        if !self.is_running().await {
            return Err(format!("the service has ended at its start; see {}", self.log.display()).into());
        }
        self.outages.end();
        Ok(took)
    }

    /// SIGKILL.
    pub async fn kill(&self) -> Result<(), Failure> {
        self.outages.begin();
        if let Some(mut child) = self.process.lock().await.take() {
            child.kill().await?;
        }
        Ok(())
    }

    /// Whether the process that was started last still runs.
    pub async fn is_running(&self) -> bool {
        match self.process.lock().await.as_mut() {
            Some(child) => matches!(child.try_wait(), Ok(None)),
            None => false,
        }
    }

    pub async fn process_id(&self) -> Option<u32> {
        self.process.lock().await.as_ref().and_then(Child::id)
    }

    pub async fn is_ready(&self) -> bool {
        self.looks("/readyz").await == Some(200)
    }

    pub async fn looks(&self, path: &str) -> Option<u16> {
        let answer = self
            .client()
            .send(&Request::get(path), Duration::from_secs(2))
            .await;
        answer.ok().map(|answer| answer.status)
    }

    /// A number of the metrics; None where it is not there.
    pub async fn metric(&self, name: &str) -> Option<f64> {
        let answer = self
            .client()
            .send(&Request::get("/metrics"), Duration::from_secs(2))
            .await;
        let text = String::from_utf8(answer.ok()?.body).ok()?;
        let line = text.lines().find(|line| line.starts_with(name))?;
        line.rsplit(' ').next()?.parse().ok()
    }

    /// Panics that the service has written down.
    pub fn panics(&self) -> usize {
        std::fs::read_to_string(&self.log)
            .unwrap_or_default()
            .lines()
            .filter(|line| line.contains("panicked"))
            .count()
    }

    /// The lines of its log that are errors; for the report of a failure.
    pub fn log(&self) -> &PathBuf {
        &self.log
    }
}

/// Below the range that Linux hands out to outgoing connections, so that nobody is given it while the service is down.
fn free_address() -> Result<SocketAddr, Failure> {
    // Each is given out once: what has been given out need not be bound yet.
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let start = usize::try_from(std::process::id())? * 37;
    for _ in 0..4000 {
        let attempt = NEXT.fetch_add(1, Ordering::Relaxed);
        let port = u16::try_from(20_000 + (start + attempt * 7) % 10_000)?;
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        if TcpListener::bind(address).is_ok() {
            return Ok(address);
        }
    }
    Err("no free port between 20000 and 30000".into())
}

/// Runs a command of the binary to its end.
pub async fn run_command(
    binary: &PathBuf,
    environment: &[(&'static str, String)],
    arguments: &[&str],
    log: &PathBuf,
) -> Result<(), Failure> {
    let log_file: File = OpenOptions::new().create(true).append(true).open(log)?;
    let status = Command::new(binary)
        .args(arguments)
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .stdout(Stdio::from(log_file.try_clone()?))
        .stderr(Stdio::from(log_file))
        .kill_on_drop(true)
        .status()
        .await?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("`onetrip {}` failed; see {}", arguments.join(" "), log.display()).into())
    }
}
