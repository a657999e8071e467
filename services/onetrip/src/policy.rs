//! `onetrip policy`: the city's rules, looked at before they rule.

use crate::{
    config::Config,
    failure::{Doing, Failure},
};
use clap::Subcommand;
use onetrip_model::{
    calendar::Calendar,
    policy::{Policy, Rules, differences},
};
use std::{
    fs,
    path::{Path, PathBuf},
};

#[derive(Subcommand)]
pub enum PolicyCommand {
    /// Check policies and say what they hold; all faults are told at once, with what to write instead
    Check {
        /// A policy, or a folder of them; the one in the settings if left out
        path: Option<PathBuf>,
    },
    /// Print what changes from one policy, or one calendar (.csv), to another
    Diff { before: PathBuf, after: PathBuf },
}

pub fn policy(config: &Config, command: &PolicyCommand) -> Result<(), Failure> {
    match command {
        PolicyCommand::Check { path: None } => {
            let rules = config.rules()?;
            print!("{}", told(&rules));
            Ok(())
        }
        PolicyCommand::Check { path: Some(path) } => check(config, path),
        PolicyCommand::Diff { before, after } => {
            print!("{}", diff(before, after)?);
            Ok(())
        }
    }
}

/// Checks every file, and fails if one of them is not in order, after all have been told.
fn check(config: &Config, path: &Path) -> Result<(), Failure> {
    let mut faulty = 0;
    let files = policies(path)?;
    for file in &files {
        match config.rules_with(&read(file)?) {
            Ok(rules) => print!("{}: {}", file.display(), told(&rules)),
            Err(failure) => {
                faulty += 1;
                println!("{}: {failure}", file.display());
            }
        }
    }
    if faulty == 0 {
        Ok(())
    } else {
        Err(format!("{faulty} of {} are not in order", files.len())).doing("checking policies")
    }
}

/// The file itself, or the `.toml` files of a folder by name.
fn policies(path: &Path) -> Result<Vec<PathBuf>, Failure> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let what = || format!("reading {}", path.display());
    let mut files = Vec::new();
    for entry in fs::read_dir(path).doing(what())? {
        let file = entry.doing(what())?.path();
        if file.extension().is_some_and(|extension| extension == "toml") {
            files.push(file);
        }
    }
    files.sort();
    if files.is_empty() {
        return Err("it holds no .toml file").doing(what());
    }
    Ok(files)
}

fn read(file: &Path) -> Result<String, Failure> {
    fs::read_to_string(file).doing(format_args!("reading {}", file.display()))
}

/// What rules hold, and which year their calendar ends with: deadlines beyond it are provisional.
fn told(rules: &Rules) -> String {
    let Rules { policy, calendar } = rules;
    let last = calendar.published_years().last().unwrap_or_default();
    format!(
        "policy {} in order: {} categories, {} kinds of papers; calendar {} is published until {last}, what falls due \
         later is provisional\n",
        policy.version,
        policy.categories.len(),
        policy.materials.len(),
        calendar.version()
    )
}

fn diff(before: &Path, after: &Path) -> Result<String, Failure> {
    let is_calendar = |file: &Path| file.extension().is_some_and(|extension| extension == "csv");
    let lines: Vec<String> = match (is_calendar(before), is_calendar(after)) {
        (true, true) => {
            let (before, after) = (calendar(before)?, calendar(after)?);
            let words = |is_worked| if is_worked { "worked" } else { "off" };
            before
                .changed_days(&after)
                .iter()
                .map(|day| {
                    let (before, after) = (day.before.is_worked(), day.after.is_worked());
                    format!("{}: {} -> {}", day.date, words(before), words(after))
                })
                .collect()
        }
        (false, false) => differences(&parse(before)?, &parse(after)?)
            .iter()
            .map(ToString::to_string)
            .collect(),
        _ => return Err("a policy and a calendar have nothing in common").doing("comparing"),
    };
    Ok(if lines.is_empty() {
        "No difference.\n".to_owned()
    } else {
        lines.iter().map(|line| format!("{line}\n")).collect()
    })
}

fn parse(file: &Path) -> Result<Policy, Failure> {
    Policy::read(&read(file)?).doing(file.display())
}

fn calendar(file: &Path) -> Result<Calendar, Failure> {
    let name = file.file_stem().unwrap_or_default().to_string_lossy();
    Calendar::from_csv(&name, &read(file)?).doing(file.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file of the repository's `ops`.
    fn ops(file: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../ops").join(file)
    }

    #[test]
    fn the_policies_that_ship_are_in_order() {
        let command = PolicyCommand::Check {
            path: Some(ops("policy")),
        };
        policy(&Config::default(), &command).unwrap();
        let told = told(&Config::default().rules().unwrap());
        assert!(
            told.contains("calendar cn-2026 is published until 2026"),
            "{told}"
        );
    }

    #[test]
    fn a_folder_without_policies_is_no_success() {
        let failure = check(&Config::default(), &ops("docs")).unwrap_err().to_string();
        assert!(failure.contains("holds no .toml file"), "{failure}");
    }

    #[test]
    fn the_amendment_of_spring_festival_is_told_day_by_day() {
        let before = ops("data/cn-calendar-2020-1.csv");
        let after = ops("data/cn-calendar.csv");
        let told = diff(&before, &after).unwrap();
        let in_2020: Vec<&str> = told.lines().filter(|line| line.starts_with("2020")).collect();
        assert_eq!(
            in_2020,
            ["2020-01-31: worked -> off", "2020-02-01: worked -> off"]
        );
    }

    #[test]
    fn a_policy_differs_in_nothing_from_itself_and_in_nothing_from_a_calendar() {
        let file = ops("policy/2026-1.toml");
        assert_eq!(diff(&file, &file).unwrap(), "No difference.\n");
        diff(&file, &ops("data/cn-calendar.csv")).unwrap_err();
    }
}
