//! What every scenario is given and what it hands back, and the checks that end all of them.

use crate::{
    Failure,
    api::{self, Staff, mark},
    http::{Client, Lost},
    oracle::{self, Command, Journal, Outcome, Tally, What},
    rng::Rng,
    service::Service,
    site::{Ground, Site},
};
use futures::future::join_all;
use indicatif::ProgressBar;
use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

/// How long it may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Seconds; for the test suite.
    Short,
    /// The figures of the issue.
    Long,
}

impl Form {
    pub fn pick<T>(self, short: T, long: T) -> T {
        match self {
            Form::Short => short,
            Form::Long => long,
        }
    }
}

pub struct Run<'a> {
    pub ground: &'a Ground,
    pub form: Form,
    pub cases: Option<u32>,
    pub rng: Rng,
    /// Name of the database, and part of the names of files.
    pub name: String,
    pub bar: ProgressBar,
    pub begun: Instant,
}

impl Run<'_> {
    /// Prints what is known so far, so that it is not lost where the run is cut.
    pub fn tell(&self, so_far: &str) {
        let seconds = self.begun.elapsed().as_secs();
        self.bar
            .suspend(|| println!("{} after {seconds} s: {so_far}", self.name));
    }

    pub fn journal(&self) -> Result<Journal, Failure> {
        Journal::create(self.ground.folder.join(format!("{}.journal", self.name)))
    }
}

/// What a scenario measured, and everything that must not have happened.
#[derive(Debug, Default)]
pub struct Report {
    pub figures: Vec<(String, String)>,
    pub faults: Vec<String>,
}

impl Report {
    pub fn figure(&mut self, name: &str, value: impl ToString) {
        self.figures.push((name.to_owned(), value.to_string()));
    }

    pub fn times(&mut self, name: &str, times: Vec<Duration>) {
        self.figure(name, spread(times));
    }
}

/// Median, 99th percentile and longest.
pub fn spread(mut times: Vec<Duration>) -> String {
    times.sort_unstable();
    let at = |share: f64| {
        let place = (times.len() as f64 * share) as usize;
        let time = times.get(place.min(times.len().saturating_sub(1)));
        format!("{:.3}", time.copied().unwrap_or_default().as_secs_f64())
    };
    format!(
        "median {} s, p99 {} s, max {} s ({} times)",
        at(0.5),
        at(0.99),
        at(1.0),
        times.len()
    )
}

/// Faults that several tasks find; more than a page of them says nothing new.
#[derive(Clone, Default)]
pub struct Faults(Arc<Mutex<(Vec<String>, usize)>>);

const FAULTS_KEPT: usize = 50;

impl Faults {
    pub fn count(&self) -> usize {
        let faults = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        faults.0.len() + faults.1
    }

    pub fn add(&self, fault: impl Into<String>) {
        let mut faults = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if faults.0.len() < FAULTS_KEPT {
            faults.0.push(fault.into());
        } else {
            faults.1 += 1;
        }
    }

    pub fn take(&self) -> Vec<String> {
        let mut faults = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let more = std::mem::take(&mut faults.1);
        let mut all = std::mem::take(&mut faults.0);
        if more > 0 {
            all.push(format!("and {more} more"));
        }
        all
    }
}

/// Reads the journal back and holds the database against it.
pub async fn judge(
    site: &Site,
    journal: &Journal,
    report: &mut Report,
) -> Result<(BTreeMap<u64, Command>, Tally), Failure> {
    let commands = oracle::read(&journal.path, &mut report.faults)?;
    let facts = site.facts().await?;
    let tally = oracle::judge(&commands, &facts, &mut report.faults);
    report.figure(
        "commands",
        format!(
            "{} ({} acknowledged, {} refused, {} once unknown and settled; {} sends)",
            tally.commands, tally.acknowledged, tally.refused, tally.unknown, tally.sends
        ),
    );
    report.figure("events in the log", facts.events);
    Ok((commands, tally))
}

const READERS: usize = 16;

/// Looks at every case through the API: each acknowledged command shows at its version, its words nowhere else, and
/// nothing else shows. The number of cases looked at.
pub async fn read_back(
    service: &Service,
    staff: &Staff,
    commands: &BTreeMap<u64, Command>,
    faults: &Faults,
) -> Result<usize, Failure> {
    let mut cases: BTreeMap<&str, Vec<(&Command, u64)>> = BTreeMap::new();
    for command in commands.values() {
        if let Some(Outcome::Done { number, version }) = &command.outcome {
            cases.entry(number).or_default().push((command, *version));
        }
    }
    let cases: Vec<_> = cases.into_iter().collect();
    let next = AtomicUsize::new(0);
    let reader = async || {
        let mut client = service.client();
        while let Some((number, expected)) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
            match read_patiently(&mut client, staff, number).await {
                Ok(shown) => compare(number, expected, &shown, faults),
                Err(why) => faults.add(format!("case {number} is not shown: {why}")),
            }
        }
    };
    join_all((0..READERS).map(|_| reader())).await;
    Ok(cases.len())
}

async fn read_patiently(client: &mut Client, staff: &Staff, number: &str) -> Result<api::Shown, String> {
    let mut why = String::new();
    for _ in 0..50 {
        match api::read(client, staff, number).await {
            Ok(Ok(Some(shown))) => return Ok(shown),
            Ok(Ok(None)) => why = "404".to_owned(),
            Ok(Err(answer)) => why = format!("status {}", answer.status),
            Err(lost) => why = lost.to_string(),
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Err(why)
}

fn compare(number: &str, expected: &[(&Command, u64)], shown: &api::Shown, faults: &Faults) {
    if shown.entries.len() != expected.len() || shown.version != expected.len() as u64 {
        faults.add(format!(
            "case {number} shows version {} with {} entries, {} were acknowledged",
            shown.version,
            shown.entries.len(),
            expected.len()
        ));
    }
    for (command, version) in expected {
        let words = mark(&command.key);
        let found: Vec<_> = shown
            .entries
            .iter()
            .filter(|(sequence, event, texts)| match command.what {
                What::Accept => event == command.what.event() && sequence == version,
                _ => event == command.what.event() && texts.iter().any(|text| text.contains(&words)),
            })
            .map(|(sequence, ..)| *sequence)
            .collect();
        if found != [*version] {
            faults.add(format!(
                "case {number}: {} was acknowledged as version {version} and shows at {found:?}",
                command.key
            ));
        }
    }
}

/// An answer that could not be had, although nothing was wrong at the time.
pub fn without_excuse(lost: &Lost, start: Instant, service: &Service) -> bool {
    // The kill may have been noticed before it was written down.
    let grace = Duration::from_millis(500);
    *lost == Lost::Late || !service.outages.touches(start, grace)
}
