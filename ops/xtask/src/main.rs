//! Checks of the workspace that the compiler does not make.

mod arrows;
mod sql;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(about = "Checks of this workspace")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Checks which crate depends on which, and that tables are named in the one folder they belong to
    Arrows,
}

fn main() -> ExitCode {
    match Arguments::parse().task {
        Task::Arrows => match check_arrows(&workspace_root()) {
            Ok(faults) if faults.is_empty() => {
                println!(
                    "arrows: every dependency follows an arrow, and every table is named in its own folder only"
                );
                ExitCode::SUCCESS
            }
            Ok(faults) => {
                for fault in &faults {
                    eprintln!("{fault}");
                }
                eprintln!(
                    "arrows: {} found; the table of arrows is in ops/xtask/src/arrows.rs, that of tables in sql.rs",
                    faults.len()
                );
                ExitCode::FAILURE
            }
            Err(error) => {
                eprintln!("arrows: {error}");
                ExitCode::from(2)
            }
        },
    }
}

fn workspace_root() -> PathBuf {
    // Two folders up: this crate is ops/xtask.
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .expect("a crate in a workspace")
        .to_owned()
}

/// All faults of the workspace at `root`, each a line for the terminal.
fn check_arrows(root: &Path) -> Result<Vec<String>, String> {
    let packages = arrows::read_packages(root)?;
    let mut faults = arrows::check(&packages);
    for package in &packages {
        faults.extend(sql::check_folder(root, &package.folder)?);
    }
    Ok(faults)
}

#[cfg(test)]
mod tests {
    #[test]
    fn this_workspace_follows_its_arrows() {
        let faults = super::check_arrows(&super::workspace_root()).unwrap();
        assert!(faults.is_empty(), "\n{}", faults.join("\n"));
    }
}
