use clap::{Parser, ValueEnum};
use onetrip_soak::{Failure, Form, Plan, Scenario, soak};
use std::{
    path::{Path, PathBuf},
    process::{Command, ExitCode},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// Drives the real service through kills, outages and clients that leave, on a private PostgreSQL server of its own, and
/// holds it to what it acknowledged: every acknowledged command is in the log exactly once, every refused one is not,
/// every unknown one is settled by sending it again.
///
/// The long form takes about half an hour. A failure prints the seed and the command that replays it; the seed repeats
/// the choices (who sends what, what is killed when), not the machine's timing.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// What to do
    #[arg(value_enum, default_value_t = What::All)]
    what: What,
    /// The form of the test suite: seconds for each scenario, on a server that does not sync
    #[arg(long)]
    short: bool,
    /// Repeat with new seeds until so many minutes have passed
    #[arg(long, default_value_t = 0)]
    minutes: u64,
    /// Cases of the supervised year; 10,000 if left out, 100 in the short form
    #[arg(long)]
    cases: Option<u32>,
    /// The first seed; drawn from the clock if left out
    #[arg(long)]
    seed: Option<u64>,
    /// The service's binary; built beside this one if left out
    #[arg(long)]
    binary: Option<PathBuf>,
    /// Folder of the private server, logs and journals; removed afterwards unless something failed
    #[arg(long)]
    data_dir: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum What {
    All,
    /// Kills of the service and of the database, held transactions, 64 writers
    Kills,
    /// One key sent 50 times at once over two processes
    SameKey,
    /// Clients that leave at a random byte
    Leavers,
    /// Silent connections and locked tables
    BlackHole,
    /// Appends and reads whose history is checked
    History,
    /// A simulated year of cases whose clocks two workers run, which are killed and whose own clocks jump
    Supervision,
}

impl What {
    fn scenarios(self) -> Vec<Scenario> {
        match self {
            What::All => Scenario::ALL.to_vec(),
            What::Kills => vec![Scenario::Kills],
            What::SameKey => vec![Scenario::SameKey],
            What::Leavers => vec![Scenario::Leavers],
            What::BlackHole => vec![Scenario::BlackHole],
            What::History => vec![Scenario::History],
            What::Supervision => vec![Scenario::Supervision],
        }
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let held = match plan(Arguments::parse()) {
        Ok(plan) => soak(&plan).await,
        Err(error) => Err(error),
    };
    match held {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("onetrip-soak: {error}");
            ExitCode::FAILURE
        }
    }
}

fn plan(arguments: Arguments) -> Result<Plan, Failure> {
    let form = if arguments.short { Form::Short } else { Form::Long };
    let name = format!("onetrip-soak-{}", std::process::id());
    let folder = form.pick(std::env::temp_dir(), Path::new("/var/tmp").to_owned());
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let seed = u64::from(now.subsec_nanos()) ^ now.as_secs();
    Ok(Plan {
        scenarios: arguments.what.scenarios(),
        form,
        seed: arguments.seed.unwrap_or(seed),
        lasts: Duration::from_secs(arguments.minutes * 60),
        cases: arguments.cases,
        binary: match arguments.binary {
            Some(binary) => binary,
            None => built_binary()?,
        },
        folder: arguments.data_dir.unwrap_or_else(|| folder.join(name)),
    })
}

/// The service's binary beside this program, brought up to date.
fn built_binary() -> Result<PathBuf, Failure> {
    let own = std::env::current_exe()?;
    let folder = own.parent().ok_or("this program is in no folder")?;
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(["build", "-q", "-p", "onetrip"]);
    if folder.ends_with("release") {
        command.arg("--release");
    }
    if !command.status()?.success() {
        return Err("the service cannot be built; name a binary with --binary".into());
    }
    Ok(folder.join("onetrip"))
}
