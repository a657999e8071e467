//! Alerts speak of metrics that there are, and each has a runbook of its name.

use std::{fs, path::PathBuf};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn rules() -> String {
    fs::read_to_string(root().join("ops/alerts/onetrip.yml")).unwrap()
}

#[test]
fn every_alert_has_its_runbook() {
    let rules = rules();
    let alerts: Vec<&str> = rules
        .lines()
        .filter_map(|line| line.trim().strip_prefix("- alert: "))
        .collect();
    assert!(!alerts.is_empty());
    for alert in alerts {
        let runbook = format!("ops/docs/runbooks/{alert}.md");
        assert!(rules.contains(&format!("runbook: {runbook}")), "{alert} names it");
        let text = fs::read_to_string(root().join(&runbook)).unwrap_or_else(|_| panic!("{runbook}"));
        assert!(text.starts_with(&format!("# {alert}\n")), "{runbook}");
    }
}

#[test]
fn every_metric_of_an_alert_is_one_of_the_workers() {
    let sources: String = [
        "worker/src/clocks.rs",
        "worker/src/gauges.rs",
        "worker/src/guard.rs",
        "worker/src/skew.rs",
        "evidence/src/gauges.rs",
    ]
    .map(|file| fs::read_to_string(root().join("services").join(file)).unwrap())
    .concat();
    let rules = rules();
    let metrics: Vec<&str> = rules
        .split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .filter(|word| word.starts_with("onetrip_"))
        .collect();
    assert!(!metrics.is_empty());
    for metric in metrics {
        assert!(sources.contains(&format!("\"{metric}\"")), "{metric}");
    }
}
