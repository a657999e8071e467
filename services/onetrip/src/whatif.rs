//! `onetrip whatif`: history replayed under another policy, calendar or routing.

use crate::{
    config::Config,
    database,
    failure::{Doing, Failure},
    tools::{bar, event_count},
};
use chrono::{DateTime, NaiveDate, Utc};
use clap::Args;
use futures::TryStreamExt as _;
use onetrip_casework::{Casework, Directory, system_clock};
use onetrip_event_log::{LoggedEvent, read_histories};
use onetrip_model::{
    Case, CaseEvent, CaseFact,
    calendar::city_date,
    case::{Filed, upcasters},
    clocks::ClockKind,
    policy::Rules,
    whatif::{Fate, LIMITS, compare, office},
};
use prometheus::Registry;
use std::{collections::BTreeMap, fmt::Write as _, fs, path::PathBuf};

/// Events between two moves of the progress bar.
const SHOWN_EVERY: u64 = 1_000;

/// Counts, for every case filed in the period, whether its first contact and its first result would have been in time, and
/// which office it would have gone to. What was done, and when, is taken as it was. Reads the log and writes nothing.
#[derive(Args)]
pub struct WhatifArgs {
    /// The other policy, as ops/policy/2026-1.toml is one
    #[arg(long)]
    policy: PathBuf,
    /// The other calendar (.csv); the one of the settings if left out
    #[arg(long)]
    calendar: Option<PathBuf>,
    /// First day on which cases were filed, in the city, such as 2015-01-01
    #[arg(long)]
    from: Option<NaiveDate>,
    /// Last day
    #[arg(long)]
    to: Option<NaiveDate>,
    /// Units shown, those with the most cases first
    #[arg(long, default_value_t = 20)]
    units: usize,
}

pub async fn whatif(config: &Config, args: WhatifArgs) -> Result<(), Failure> {
    let now = config.rules()?;
    let read = |path: &PathBuf| fs::read_to_string(path).doing(format_args!("reading {}", path.display()));
    let policy = read(&args.policy)?;
    let other = match &args.calendar {
        None => config.rules_with(&policy)?,
        Some(calendar) => Rules::read(&policy, &read(calendar)?)
            .map_err(|error| Failure::setting("--policy or --calendar", error.to_string()))?
            .into(),
    };
    let pool = database::connect(config).await?;
    let casework = database::casework(config, pool, system_clock(), &Registry::new()).await?;
    let replay = replay(&casework, &now, &other, &args).await?;
    print!(
        "{}",
        told(&replay, &now, &other, casework.directory(), args.units)
    );
    Ok(())
}

/// Limits that fell, and how many were kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Kept {
    fallen: u64,
    breached: u64,
}

/// As it was, and as it would have been.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Both<T> {
    before: T,
    after: T,
}

/// What the replay counted.
#[derive(Debug, Default)]
struct Replay {
    cases: u64,
    limits: BTreeMap<ClockKind, Both<Kept>>,
    units: BTreeMap<String, UnitCount>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct UnitCount {
    /// Cases that were theirs, and that would have been.
    load: Both<u64>,
    results: Both<Kept>,
}

impl Kept {
    fn count(&mut self, fate: Fate) {
        self.fallen += u64::from(fate != Fate::Undecided);
        self.breached += u64::from(fate == Fate::Breached);
    }

    fn on_time(&self) -> Option<f64> {
        (self.fallen > 0).then(|| 100.0 - self.breached as f64 * 100.0 / self.fallen as f64)
    }
}

async fn replay(
    casework: &Casework,
    now: &Rules,
    other: &Rules,
    args: &WhatifArgs,
) -> Result<Replay, Failure> {
    let bar = bar("replaying", event_count(casework.pool()).await?);
    let reading = "reading the log";
    let mut connection = casework.pool().acquire().await.doing(reading)?;
    let upcasters = upcasters();
    let mut counted = Replay::default();
    let mut history = History::default();
    let mut seen = 0;
    {
        let mut events = read_histories(&mut connection, "case");
        while let Some(event) = events.try_next().await.doing(reading)? {
            if history.id != event.aggregate_id {
                counted.take(&history, casework, now, other, args);
                history = History::of(&event);
            }
            let read = event.read::<CaseEvent>("case", &upcasters).doing(reading)?;
            history.go_on(&read);
            seen += 1;
            if seen % SHOWN_EVERY == 0 {
                bar.set_position(seen);
            }
        }
    }
    counted.take(&history, casework, now, other, args);
    bar.finish_and_clear();
    Ok(counted)
}

/// One case, folded so far.
#[derive(Default)]
struct History {
    id: String,
    case: Case,
    submitted_at: DateTime<Utc>,
    /// Until when an imported case was watched.
    observed_until: Option<DateTime<Utc>>,
}

impl History {
    fn of(first: &LoggedEvent) -> History {
        History {
            id: first.aggregate_id.clone(),
            ..History::default()
        }
    }

    fn go_on(&mut self, event: &CaseEvent) {
        if let CaseFact::CaseSubmitted(submitted) = &event.fact {
            self.submitted_at = event.at;
            self.observed_until = submitted.source.as_ref().map(|source| source.observed_until);
        }
        self.case = std::mem::take(&mut self.case).evolve(event);
    }
}

impl Replay {
    fn take(
        &mut self,
        history: &History,
        casework: &Casework,
        now: &Rules,
        other: &Rules,
        args: &WhatifArgs,
    ) {
        let Some(filed) = history.case.filed() else { return };
        let day = city_date(history.submitted_at);
        if args.from.is_some_and(|from| day < from) || args.to.is_some_and(|to| day > to) {
            return;
        }
        self.cases += 1;
        let clock = casework.now();
        let watched_until = history.observed_until.unwrap_or(clock).min(clock);
        let unit = filed.stage.unit().as_str();
        let moved = rerouted(filed, casework.directory(), now, other);
        let moved = moved.as_deref().unwrap_or(unit);
        self.unit(unit).load.before += 1;
        self.unit(moved).load.after += 1;
        for kind in LIMITS {
            let Some(compared) = compare(filed, kind, other, watched_until) else {
                continue;
            };
            let kept = self.limits.entry(kind).or_default();
            kept.before.count(compared.before);
            kept.after.count(compared.after);
            if kind == ClockKind::Result {
                self.unit(unit).results.before.count(compared.before);
                self.unit(moved).results.after.count(compared.after);
            }
        }
    }

    fn unit(&mut self, code: &str) -> &mut UnitCount {
        self.units.entry(code.to_owned()).or_default()
    }
}

/// The unit that the other routing would have sent the case to, if it is another one. Only what has come as far as an
/// office was routed.
fn rerouted(filed: &Filed, directory: &Directory, now: &Rules, other: &Rules) -> Option<String> {
    let (before, after) = (office(filed, now)?, office(filed, other)?);
    let office_of = |office| directory.office_for(filed.division.as_str(), office);
    if before == after || office_of(before).as_ref() != Some(filed.stage.unit()) {
        return None;
    }
    office_of(after).map(|unit| unit.0)
}

fn told(replay: &Replay, now: &Rules, other: &Rules, directory: &Directory, shown: usize) -> String {
    let mut text = String::new();
    let mut line = |told: std::fmt::Arguments<'_>| {
        // Writing to a string does not fail.
        let _ = writeln!(text, "{told}");
    };
    line(format_args!(
        "{} cases, {} as it was and {} as it would have been.",
        replay.cases,
        now.name(),
        other.name()
    ));
    for (kind, kept) in &replay.limits {
        line(format_args!(
            "{:<10} breached {:>7} of {:>7} -> {:>7} of {:>7} ({:+})",
            kind.as_str(),
            kept.before.breached,
            kept.before.fallen,
            kept.after.breached,
            kept.after.fallen,
            kept.after.breached as i64 - kept.before.breached as i64
        ));
    }
    let rank = |of: fn(&UnitCount) -> Kept| ranks(&replay.units, of);
    let (before, after) = (rank(|unit| unit.results.before), rank(|unit| unit.results.after));
    let mut units: Vec<(&String, &UnitCount)> = replay.units.iter().collect();
    units.sort_by_key(|(code, unit)| (std::cmp::Reverse(unit.load.before.max(unit.load.after)), *code));
    line(format_args!(
        "\n{:>8} {:>8}  {:>7} {:>7}  {:>5} {:>5}  unit",
        "cases", "then", "in time", "then", "rank", "then"
    ));
    let share = |kept: Kept| {
        kept.on_time()
            .map_or("-".to_owned(), |share| format!("{share:.1}%"))
    };
    let place = |ranks: &BTreeMap<&str, usize>, code: &str| {
        ranks.get(code).map_or("-".to_owned(), ToString::to_string)
    };
    for (code, unit) in units.iter().take(shown) {
        line(format_args!(
            "{:>8} {:>8}  {:>7} {:>7}  {:>5} {:>5}  {}",
            unit.load.before,
            unit.load.after,
            share(unit.results.before),
            share(unit.results.after),
            place(&before, code),
            place(&after, code),
            directory
                .unit(code)
                .map_or_else(|| (*code).clone(), |unit| unit.name_en)
        ));
    }
    if units.len() > shown {
        line(format_args!(
            "... and {} more units (--units)",
            units.len() - shown
        ));
    }
    text
}

/// Places by the share in time, the best first; equal shares share a place.
fn ranks(units: &BTreeMap<String, UnitCount>, of: fn(&UnitCount) -> Kept) -> BTreeMap<&str, usize> {
    let shares: Vec<(&str, f64)> = units
        .iter()
        .filter_map(|(code, unit)| Some((code.as_str(), of(unit).on_time()?)))
        .collect();
    let better = |share: f64| shares.iter().filter(|(_, other)| *other > share).count();
    shares
        .iter()
        .map(|(code, share)| (*code, better(*share) + 1))
        .collect()
}
