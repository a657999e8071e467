//! `onetrip verify` and `onetrip evidence`.

use crate::{
    config::Config,
    failure::{Doing, Failure},
    tools::bar,
};
use clap::{Args, Subcommand};
use indicatif::ProgressBar;
use onetrip_evidence::{
    Receipt, Shown, Signer, VerifierKey,
    verify::{Outside, Report, Trusted, Verifier, connect, count_events},
};
use sqlx::{PgConnection, postgres::PgConnectOptions};
use std::{
    fs, io,
    path::{Path, PathBuf},
    str::FromStr,
    sync::Arc,
    time::Instant,
};

/// Faults printed; the first is what matters.
const FAULTS_SHOWN: usize = 20;

/// Checks every event of the log against its hash and the one before it, the sealed tree over them, its signed heads, and
/// what others hold of those. Ends with 1 where anything is not as it must be, and names the first bad position.
///
/// With --state it goes on where the last check ended, in a fraction of the time. With --receipt it checks a resident's
/// receipt, without a database.
#[derive(Args)]
pub struct VerifyArgs {
    /// File with the head of the last check. If it is not there, everything is checked; when all is in order, the newest
    /// head is written to it. Keep it where nobody who can write to the database can
    #[arg(long, conflicts_with = "receipt")]
    state: Option<PathBuf>,
    /// Folder of a witness with one file for each head; may be given several times
    #[arg(long, conflicts_with = "receipt")]
    witness_folder: Vec<PathBuf>,
    /// Check this receipt, and nothing else
    #[arg(long)]
    receipt: Option<PathBuf>,
    /// The verifier key of the log, as `onetrip evidence key` prints it; made from the master key if left out
    #[arg(long)]
    key: Option<String>,
    /// Connections that check side by side [default: as many as there are processors]
    #[arg(long)]
    jobs: Option<usize>,
}

#[derive(Subcommand)]
pub enum EvidenceCommand {
    /// Print the public key with which heads and receipts are checked
    Key,
}

pub fn evidence(config: &Config, what: &EvidenceCommand) -> Result<(), Failure> {
    match what {
        EvidenceCommand::Key => println!("{}", own_key(config)?),
    }
    Ok(())
}

fn own_key(config: &Config) -> Result<VerifierKey, Failure> {
    let signer = Signer::new(&config.vault()?, &config.evidence_origin)
        .map_err(|error| Failure::setting("evidence_origin", error.to_string()))?;
    Ok(signer.verifier().clone())
}

pub async fn verify(config: &Config, args: VerifyArgs) -> Result<(), Failure> {
    let key = match &args.key {
        Some(text) => {
            VerifierKey::parse(text).map_err(|error| Failure::setting("--key", error.to_string()))?
        }
        None => own_key(config)?,
    };
    if let Some(file) = &args.receipt {
        return verify_receipt(file, &key);
    }
    let outside: Vec<Outside> = args
        .witness_folder
        .iter()
        .map(|folder| Outside::read(folder).doing(format_args!("reading {}", folder.display())))
        .collect::<Result<_, _>>()?;
    let trusted = match &args.state {
        None => None,
        Some(file) => read_state(file, &key)?,
    };
    // A check of everything may take as long as it needs.
    let options = PgConnectOptions::from_str(config.database_url()?)
        .map_err(|error| Failure::setting("database_url", error.to_string()))?
        .application_name("onetrip verify");
    let jobs = match (&trusted, args.jobs) {
        (Some(_), _) => 1,
        (None, Some(jobs)) => jobs.clamp(1, 64),
        (None, None) => std::thread::available_parallelism().map_or(1, usize::from),
    };
    let (mut lead, helpers) = connect(&options, jobs).await.doing("connecting to PostgreSQL")?;
    let start = Instant::now();
    let total = match &trusted {
        Some(_) => 0,
        None => count_events(&mut lead).await.doing("counting events")?,
    };
    let bar = bar("verifying", total);
    let report = check(&mut lead, helpers, &key, &outside, trusted.as_ref(), &bar).await;
    bar.finish_and_clear();
    let report = report.doing("verifying")?;
    if let Some(from) = &trusted {
        println!("Since the head for {} events:", from.size());
    }
    println!(
        "{} events checked in {:.1} s; {} are sealed, under {} heads",
        report.events,
        start.elapsed().as_secs_f64(),
        report.sealed,
        report.heads
    );
    match &report.newest {
        Some(head) => println!(
            "The newest head is for {} events, made {}",
            head.size, head.made_at
        ),
        None => println!("No head has been signed."),
    }
    if report.faults.is_empty() {
        if let (Some(file), Some(trusted)) = (&args.state, &report.trusted) {
            write_state(file, trusted).doing(format_args!("writing {}", file.display()))?;
        }
        println!("All of it is in order.");
        return Ok(());
    }
    for fault in report.faults.iter().take(FAULTS_SHOWN) {
        println!("{fault}");
    }
    let first = &report.faults[0];
    Err(format!(
        "first bad position: {first}. See ops/docs/runbooks/VerificationFailed.md"
    ))
    .doing("the log is not in order")
}

async fn check(
    lead: &mut PgConnection,
    helpers: Vec<PgConnection>,
    key: &VerifierKey,
    outside: &[Outside],
    trusted: Option<&Trusted>,
    bar: &ProgressBar,
) -> Result<Report, sqlx::Error> {
    let shown = bar.clone();
    let verifier = Verifier {
        key,
        outside,
        progress: Arc::new(move |events| shown.inc(events)),
    };
    match trusted {
        Some(trusted) => verifier.since(lead, trusted).await,
        None => verifier.full(lead, helpers).await,
    }
}

fn verify_receipt(file: &Path, key: &VerifierKey) -> Result<(), Failure> {
    let text = fs::read_to_string(file).doing(format_args!("reading {}", file.display()))?;
    let receipt = Receipt::parse(&text).doing(file.display())?;
    match receipt.check(key).doing(file.display())? {
        Shown::Sealed(head) => {
            println!(
                "The receipt holds. The log {} contains this event, and was signed with it at {} at the latest:",
                key.origin(),
                head.time
            );
            println!(
                "  {} of {} {}, recorded at {}",
                receipt.event.event_type,
                receipt.event.aggregate_type,
                receipt.event.aggregate_id,
                receipt.event.recorded_at
            );
            Ok(())
        }
        Shown::NotSealed => {
            Err("it is in order, but no head covers it yet: fetch it again in a minute").doing(file.display())
        }
    }
}

/// None if there is none yet.
fn read_state(file: &Path, key: &VerifierKey) -> Result<Option<Trusted>, Failure> {
    let text = match fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).doing(format_args!("reading {}", file.display())),
    };
    Trusted::from_json(&text, key).map(Some).doing(format_args!(
        "{} (to check everything again, take the file away)",
        file.display()
    ))
}

/// Whole or not at all.
fn write_state(file: &Path, trusted: &Trusted) -> io::Result<()> {
    let mut unfinished = file.to_owned().into_os_string();
    unfinished.push(".unfinished");
    fs::write(&unfinished, trusted.to_json())?;
    fs::File::open(&unfinished)?.sync_all()?;
    fs::rename(&unfinished, file)
}
