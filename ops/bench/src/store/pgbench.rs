//! What PostgreSQL takes of single inserts, driven from C.

use super::stock;
use crate::{Failure, cpu::Spent, drive::Figures};
use onetrip_cluster::Cluster;
use std::{fs, time::Duration};
use tokio::process::Command;

/// One event of the size of ours, for a new aggregate each time.
const SCRIPT: &str = r#"\set id random(1, 9000000000000000)
INSERT INTO events (aggregate_type, aggregate_id, sequence, event_type, event_version, payload, metadata) VALUES ('case', md5(:id::text)::uuid::text, 1, 'FollowUpRecorded', '1.0', '{"at":"2026-01-05T01:00:00Z","by":{"staff":{"id":"00000000-0000-0000-0000-0000000000c1","unit":"440304007000-desk"}},"channel":"staff","fact":{"type":"FollowUpRecorded","kind":"progress","reached": false,"words":{"$private":{"of":"case:00000000-0000-0000-0000-ca5e00000001","open":"The resident reports that the reply of the department did not address the second point of the grievance, and asks that the case is opened again for review soon."}}}}'::json, '{}'::json);
"#;

pub async fn single_insert(
    cluster: &Cluster,
    database: &stock::Database,
    tasks: usize,
    time: Duration,
) -> Result<Figures, Failure> {
    database.empty().await?;
    let folder = std::env::temp_dir().join(format!("onetrip-pgbench-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    let script = folder.join("insert.sql");
    fs::write(&script, SCRIPT)?;
    let before = Spent::so_far(&stock::data(cluster));
    let seconds = time.as_secs().max(1);
    let output = Command::new(cluster.bin().join("pgbench"))
        .arg("-h")
        .arg(cluster.base())
        .args(["-p", "5432", "-U", "postgres", "-n", "-M", "prepared"])
        .args(["-c", &tasks.to_string(), "-j", &tasks.min(2).to_string()])
        .args(["-T", &seconds.to_string(), "-l"])
        .arg(format!("--log-prefix={}", folder.join("log").display()))
        .arg("-f")
        .arg(&script)
        .arg(database.name)
        .output()
        .await
        .map_err(|error| format!("pgbench ({error}): install PostgreSQL's server package, which has it"))?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into());
    }
    let mut latencies = Vec::new();
    for entry in fs::read_dir(&folder)? {
        let path = entry?.path();
        if path
            .file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with("log"))
        {
            // Client, transaction, microseconds, ...
            let lines = fs::read_to_string(path)?;
            latencies.extend(
                lines
                    .lines()
                    .filter_map(|line| line.split(' ').nth(2)?.parse::<u64>().ok()),
            );
        }
    }
    fs::remove_dir_all(&folder)?;
    let said = String::from_utf8_lossy(&output.stdout);
    let per_second = said
        .lines()
        .find_map(|line| line.strip_prefix("tps = ")?.split(' ').next()?.parse().ok())
        .ok_or("pgbench told no rate")?;
    Ok(Figures {
        per_second,
        spent: Spent::so_far(&stock::data(cluster)).since(before),
        ..Figures::of(latencies, 0, time)
    })
}
