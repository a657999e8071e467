//! The whole of Boston's year: imported, projected, reported, and compared with figures that an independent program
//! (`ops/import/check_boston.py`) computes from the file.

mod support;

use onetrip_casework::Casework;
use onetrip_import::{Format, ReportQuery, import, render, report};
use onetrip_model::access::Scope;
use onetrip_read_models::resolution::{BoardFilter, Grouping, board};
use serde_json::Value;
use std::{path::Path, process::Command, time::Instant};

/// The fields compared: all that the check computes for a group.
const FIELDS: [&str; 15] = [
    "cases",
    "closed",
    "open",
    "on_time",
    "overdue",
    "no_target",
    "open_overdue",
    "p50",
    "p75",
    "p90",
    "p95",
    "closed_p50",
    "closed_p75",
    "closed_p90",
    "closed_p95",
];

fn checked() -> Value {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../ops/import/check_boston.py");
    let output = Command::new("python3")
        .arg(script)
        .arg(support::boston_file())
        .output()
        .expect("python3 is needed");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_years_figures_are_those_of_the_file() {
    let database = support::database().await;
    let casework = support::casework(&database.pool).await;
    let folder = support::folder("boston");
    let rejects = folder.join("boston.rejects.csv");

    let start = Instant::now();
    let mut steps = Vec::new();
    let summary = import(
        &casework,
        &support::mapping(),
        &support::boston_file(),
        &rejects,
        &mut |step| steps.push(step),
    )
    .await
    .unwrap();
    let imported = start.elapsed();
    assert_eq!(summary.rows_read, 121_145);
    assert_eq!(
        Vec::from_iter(summary.rejected.clone()),
        [("closed before opened".to_owned(), 197)]
    );
    assert_eq!((summary.cases_added, summary.already_there), (120_948, 0));
    assert!(
        steps
            .windows(2)
            .all(|pair| pair[0].rows < pair[1].rows && pair[0].bytes_read <= pair[1].bytes_read)
    );
    assert_eq!(
        steps.last().map(|last| (last.rows, last.bytes_read)),
        Some((121_145, steps[0].bytes_total))
    );
    let rows: Vec<csv::StringRecord> = csv::Reader::from_path(&rejects)
        .unwrap()
        .records()
        .collect::<Result<_, _>>()
        .unwrap();
    assert_eq!(rows.len(), 197);
    assert!(
        rows.iter()
            .all(|row| &row[2] == "closed before opened" && row[1] == row[3] && row.len() == 23)
    );
    let import_memory = support::memory_peak_mib();

    let start = Instant::now();
    support::follow(&database.pool).await;
    let projected = start.elapsed();

    let start = Instant::now();
    let report = report(&casework, &ReportQuery::default()).await.unwrap();
    let reported = start.elapsed();
    eprintln!(
        "import {imported:?} (peak {import_memory:?} MiB), projections {projected:?}, report {reported:?} (peak {:?} MiB)",
        support::memory_peak_mib()
    );

    let found: Value = serde_json::from_str(&render(&report, Format::Json)).unwrap();
    let expected = checked();
    compare("all", &found, &expected);
    for list in ["units", "kinds", "districts"] {
        let groups = found[list].as_array().unwrap();
        let expected = expected[list].as_object().unwrap();
        let codes: Vec<&str> = groups
            .iter()
            .map(|group| group["code"].as_str().unwrap())
            .collect();
        assert_eq!(codes, expected.keys().collect::<Vec<_>>(), "{list}");
        for group in groups {
            let code = group["code"].as_str().unwrap();
            compare(code, group, &expected[code]);
        }
    }
    assert_eq!(expected["rejected"]["closed before opened"], 197);
    compare_limits(&casework, &expected).await;

    let area = Some("boston311-allston.".to_owned());
    let part = onetrip_import::report(&casework, &ReportQuery { area, as_of: None })
        .await
        .unwrap();
    assert_eq!(
        part.districts.len(),
        1,
        "Allston is not around Allston / Brighton"
    );

    let start = Instant::now();
    let again = support::run(&casework, &support::boston_file(), &rejects).await;
    eprintln!("second run {:?}", start.elapsed());
    assert_eq!((again.cases_added, again.already_there), (0, 120_948));
    assert_eq!(
        (again.rows_read, again.rejected),
        (summary.rows_read, summary.rejected)
    );
    support::follow(&database.pool).await;
    let events: i64 = sqlx::query_scalar("SELECT sum(version)::bigint FROM case_files")
        .fetch_one(&database.pool)
        .await
        .unwrap();
    assert_eq!(events, 3 * 120_948 + 2 * 101_075);
}

/// The on-time rate of the board, which the report does not show.
async fn compare_limits(casework: &Casework, expected: &Value) {
    let mut connection = casework.pool().acquire().await.unwrap();
    let (total, groups) = board(
        &mut connection,
        &Scope::Everything,
        &BoardFilter::default(),
        &[Grouping::Unit, Grouping::Kind],
        casework.now(),
    )
    .await
    .unwrap();
    let limits = |value: &Value| (value["result_due"].as_u64(), value["result_met"].as_u64());
    assert_eq!((Some(total.result_due), Some(total.result_met)), limits(expected));
    for (list, groups) in ["units", "kinds"].into_iter().zip(groups) {
        for (code, figures) in groups {
            let found = (Some(figures.result_due), Some(figures.result_met));
            assert_eq!(found, limits(&expected[list][&code]), "{code}");
        }
    }
}

fn compare(name: &str, found: &Value, expected: &Value) {
    for field in FIELDS {
        assert!(
            !found[field].is_null() || found.get(field).is_some(),
            "{name}: {field} is missing"
        );
        assert_eq!(found[field], expected[field], "{name}: {field}");
    }
}
