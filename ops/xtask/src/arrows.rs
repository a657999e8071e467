//! Which crate may depend on which.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// A row of the table: what a crate may use, and why no more.
struct Row {
    name: &'static str,
    uses: Uses,
    reason: &'static str,
}

enum Uses {
    These(&'static [&'static str]),
    AllBut(&'static [&'static str]),
}

/// The arrows, from the inside out. A crate that is not in here is a fault: decide where it belongs first.
const ARROWS: &[Row] = &[
    Row {
        name: "onetrip-model",
        uses: Uses::These(&[]),
        reason: "decisions depend on nothing but values",
    },
    Row {
        name: "onetrip-testkit",
        uses: Uses::These(&["onetrip-model"]),
        reason: "builders and clocks for tests of decisions need no infrastructure",
    },
    Row {
        name: "onetrip-event-log",
        uses: Uses::These(&["onetrip-model"]),
        reason: "it stores events, and knows neither who reads them nor why",
    },
    Row {
        name: "onetrip-evidence",
        uses: Uses::These(&["onetrip-event-log", "onetrip-model"]),
        reason: "it covers every event alike, and knows none of them",
    },
    Row {
        name: "onetrip-runner",
        uses: Uses::These(&["onetrip-event-log", "onetrip-model"]),
        reason: "it feeds projections without knowing any of them",
    },
    Row {
        name: "onetrip-read-models",
        uses: Uses::These(&["onetrip-runner", "onetrip-event-log", "onetrip-model"]),
        reason: "folds and queries serve pages and API alike, so they know neither",
    },
    Row {
        name: "onetrip-i18n",
        uses: Uses::These(&[]),
        reason: "words know nothing of what they are said about",
    },
    Row {
        name: "onetrip-casework",
        uses: Uses::These(&[
            "onetrip-read-models",
            "onetrip-runner",
            "onetrip-evidence",
            "onetrip-event-log",
            "onetrip-model",
            "onetrip-i18n",
        ]),
        reason: "the use cases are the same whichever door they are called through",
    },
    Row {
        name: "onetrip-import",
        uses: Uses::These(&[
            "onetrip-casework",
            "onetrip-read-models",
            "onetrip-runner",
            "onetrip-event-log",
            "onetrip-model",
        ]),
        reason: "a tool beside the doors: it decides histories with the model and appends them itself",
    },
    Row {
        name: "onetrip-http-kit",
        uses: Uses::These(&["onetrip-i18n"]),
        reason: "plumbing for pages and API that knows nothing of Cases",
    },
    Row {
        name: "onetrip-api",
        uses: Uses::These(DOOR),
        reason: "a door to the use cases: it writes through casework only, and never depends on another door",
    },
    Row {
        name: "onetrip-portal",
        uses: Uses::These(DOOR),
        reason: "a door to the use cases: it writes through casework only, and never depends on another door",
    },
    Row {
        name: "onetrip-worker",
        uses: Uses::These(&[
            "onetrip-read-models",
            "onetrip-runner",
            "onetrip-event-log",
            "onetrip-evidence",
            "onetrip-casework",
            "onetrip-model",
        ]),
        reason: "projections, reactors and clocks have no pages",
    },
    Row {
        name: "onetrip-cluster",
        uses: Uses::These(&[]),
        reason: "it starts a database server, whatever is kept in it",
    },
    Row {
        name: "onetrip",
        uses: Uses::AllBut(&["xtask"]),
        reason: "the binary wires everything together",
    },
    Row {
        name: "onetrip-bench",
        uses: Uses::AllBut(&["xtask"]),
        reason: "it measures whatever there is, beside other stores",
    },
    Row {
        name: "onetrip-soak",
        uses: Uses::AllBut(&["xtask"]),
        reason: "it holds the running service to what it promises",
    },
    Row {
        name: "xtask",
        uses: Uses::These(&[]),
        reason: "it looks at the workspace from outside",
    },
];

const DOOR: &[&str] = &[
    "onetrip-casework",
    "onetrip-read-models",
    "onetrip-model",
    "onetrip-http-kit",
    "onetrip-i18n",
];

/// What tests of any crate may use besides: builders, and a database.
const FOR_TESTS: &[&str] = &["onetrip-testkit", "onetrip-cluster"];

/// What tests of a crate above the use cases may start them with.
const TO_START_USE_CASES: &[&str] = &["onetrip-event-log", "onetrip-evidence", "onetrip-runner"];

/// The crate whose dependencies from outside are counted, because a decision must not reach for a database, a clock
/// or the network.
const PURE: &str = "onetrip-model";

/// Values, their written forms, errors, and the traits a decision is called through.
const ALLOWED_IN_PURE: &[&str] = &[
    "cqrs-es",
    "chrono",
    "chrono-tz",
    "serde",
    "serde_json",
    "thiserror",
    "toml",
    "uuid",
];

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    pub name: String,
    /// The folder of its manifest.
    pub folder: PathBuf,
    pub dependencies: Vec<Dependency>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dependency {
    pub name: String,
    /// In this workspace, rather than from a registry.
    pub is_local: bool,
    /// Needed by tests only.
    pub is_dev: bool,
}

/// The packages of the workspace at `root`, as cargo sees them.
pub fn read_packages(root: &Path) -> Result<Vec<Package>, String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let answer = Command::new(cargo)
        .args(["metadata", "--no-deps", "--format-version", "1", "--offline"])
        .current_dir(root)
        .output()
        .map_err(|error| format!("cargo does not run: {error}"))?;
    if !answer.status.success() {
        return Err(format!(
            "cargo metadata failed: {}",
            String::from_utf8_lossy(&answer.stderr).trim()
        ));
    }
    let metadata: Value = serde_json::from_slice(&answer.stdout)
        .map_err(|error| format!("the answer of cargo metadata is no JSON: {error}"))?;
    parse_packages(&metadata).ok_or_else(|| "the answer of cargo metadata has an unknown shape".to_owned())
}

fn parse_packages(metadata: &Value) -> Option<Vec<Package>> {
    metadata["packages"]
        .as_array()?
        .iter()
        .map(|package| {
            let dependencies = package["dependencies"]
                .as_array()?
                .iter()
                .map(|dependency| {
                    Some(Dependency {
                        name: dependency["name"].as_str()?.to_owned(),
                        is_local: dependency["path"].is_string(),
                        is_dev: dependency["kind"].as_str() == Some("dev"),
                    })
                })
                .collect::<Option<_>>()?;
            let manifest = Path::new(package["manifest_path"].as_str()?);
            Some(Package {
                name: package["name"].as_str()?.to_owned(),
                folder: manifest.parent()?.to_owned(),
                dependencies,
            })
        })
        .collect()
}

/// What is wrong with these packages, each a line for the terminal.
pub fn check(packages: &[Package]) -> Vec<String> {
    packages.iter().flat_map(check_package).collect()
}

fn check_package(package: &Package) -> Vec<String> {
    let Some(row) = ARROWS.iter().find(|row| row.name == package.name) else {
        return vec![format!("{} has no row in the table of arrows", package.name)];
    };
    package
        .dependencies
        .iter()
        .filter_map(|dependency| check_dependency(row, dependency))
        .collect()
}

fn check_dependency(row: &Row, dependency: &Dependency) -> Option<String> {
    let Dependency {
        name,
        is_local,
        is_dev,
    } = dependency;
    let used = name.as_str();
    if *is_dev && (!is_local || FOR_TESTS.contains(&used)) {
        return None;
    }
    if !is_local {
        let fault = row.name == PURE && !ALLOWED_IN_PURE.contains(&used);
        return fault.then(|| {
            format!(
                "{PURE} must not use {used}: a decision needs none of it (allowed: {})",
                ALLOWED_IN_PURE.join(", ")
            )
        });
    }
    let may_use = |name: &str| match row.uses {
        Uses::These(these) => these.contains(&name),
        Uses::AllBut(these) => !these.contains(&name),
    };
    let starts_use_cases = *is_dev && may_use("onetrip-casework") && TO_START_USE_CASES.contains(&used);
    (!may_use(used) && !starts_use_cases).then(|| {
        let how = if *is_dev { " in its tests" } else { "" };
        format!("{} must not use {used}{how}: {}", row.name, row.reason)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, dependencies: &[Dependency]) -> Package {
        Package {
            name: name.to_owned(),
            folder: PathBuf::new(),
            dependencies: dependencies.to_vec(),
        }
    }

    fn local(name: &str) -> Dependency {
        Dependency {
            name: name.to_owned(),
            is_local: true,
            is_dev: false,
        }
    }

    fn external(name: &str) -> Dependency {
        Dependency {
            is_local: false,
            ..local(name)
        }
    }

    fn dev(dependency: Dependency) -> Dependency {
        Dependency {
            is_dev: true,
            ..dependency
        }
    }

    #[test]
    fn a_planted_arrow_against_the_current_is_found() {
        let faults = check(&[package("onetrip-model", &[local("onetrip-event-log")])]);
        assert_eq!(
            faults,
            ["onetrip-model must not use onetrip-event-log: decisions depend on nothing but values"]
        );
    }

    #[test]
    fn doors_do_not_depend_on_each_other_or_on_the_log() {
        let faults = check(&[
            package("onetrip-api", &[local("onetrip-portal")]),
            package(
                "onetrip-portal",
                &[local("onetrip-event-log"), local("onetrip-casework")],
            ),
        ]);
        assert_eq!(faults.len(), 2, "{faults:?}");
    }

    #[test]
    fn tests_may_use_the_testkit_and_the_cluster_and_nothing_else_besides() {
        let fine = [
            dev(local("onetrip-testkit")),
            dev(local("onetrip-cluster")),
            dev(external("proptest")),
        ];
        assert_eq!(check(&[package("onetrip-model", &fine)]), [] as [&str; 0]);
        assert_eq!(
            check(&[package("onetrip-model", &[dev(local("onetrip-worker"))])]).len(),
            1
        );
        assert_eq!(
            check(&[package("onetrip-worker", &[local("onetrip-testkit")])]).len(),
            1
        );
    }

    #[test]
    fn only_tests_above_the_use_cases_may_start_them() {
        let started = ["onetrip-event-log", "onetrip-evidence", "onetrip-runner"];
        let started = started.map(|name| dev(local(name)));
        assert_eq!(check(&[package("onetrip-api", &started)]), [] as [&str; 0]);
        assert_eq!(
            check(&[package("onetrip-api", &[local("onetrip-event-log")])]).len(),
            1
        );
        assert_eq!(check(&[package("onetrip-model", &started)]).len(), 3);
    }

    #[test]
    fn the_model_uses_no_infrastructure() {
        let faults = check(&[package(
            "onetrip-model",
            &[external("serde"), external("sqlx"), external("rand")],
        )]);
        assert_eq!(faults.len(), 2, "{faults:?}");
        assert_eq!(
            check(&[package("onetrip-event-log", &[external("sqlx")])]).len(),
            0
        );
    }

    #[test]
    fn the_binary_uses_everything_but_this_tool() {
        let faults = check(&[package(
            "onetrip",
            &[local("onetrip-api"), local("onetrip-cluster"), local("xtask")],
        )]);
        assert_eq!(
            faults,
            ["onetrip must not use xtask: the binary wires everything together"]
        );
    }

    #[test]
    fn a_crate_nobody_has_placed_is_found() {
        assert_eq!(
            check(&[package("onetrip-new", &[])]),
            ["onetrip-new has no row in the table of arrows"]
        );
    }

    #[test]
    fn the_table_has_no_circle_and_names_only_its_own_rows() {
        for (index, row) in ARROWS.iter().enumerate() {
            let Uses::These(these) = row.uses else { continue };
            for used in these {
                let place = ARROWS.iter().position(|row| row.name == *used);
                assert!(
                    place.is_some_and(|place| place < index),
                    "{} uses {used}, which must come before it",
                    row.name
                );
            }
        }
    }

    #[test]
    fn what_cargo_says_is_understood() {
        let metadata = serde_json::json!({"packages": [{
            "name": "a", "manifest_path": "/w/a/Cargo.toml", "dependencies": [
                {"name": "b", "path": "/w/b", "kind": null},
                {"name": "c", "kind": "dev"},
            ],
        }]});
        let expected = Package {
            name: "a".to_owned(),
            folder: PathBuf::from("/w/a"),
            dependencies: vec![local("b"), dev(external("c"))],
        };
        assert_eq!(parse_packages(&metadata), Some(vec![expected]));
    }
}
