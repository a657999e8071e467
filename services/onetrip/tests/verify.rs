//! `onetrip verify` as an operator runs it.

use onetrip_cluster::testing::{TestDatabase, test_database};
use onetrip_event_log::{EventLog, MasterKey, NewStream, NoInline, Vault, Why};
use onetrip_evidence::{Delivery, Receipt, Sealer, Signer, Witness, receipt};
use onetrip_model::Case;
use onetrip_testkit::{accepted, submission_of};
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::Arc,
    time::Duration,
};
use uuid::Uuid;

const KEY: [u8; 1] = [0x5a];

struct Place {
    folder: PathBuf,
    url: String,
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

impl Place {
    fn onetrip(&self, args: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_onetrip"))
            .args(args)
            .env("DATABASE_URL", &self.url)
            .env("ONETRIP_MASTER_KEY_FILE", self.folder.join("key"))
            .env("ONETRIP_EVIDENCE_ORIGIN", "city.example/onetrip")
            .output()
            .unwrap()
    }

    fn path(&self, name: &str) -> String {
        self.folder.join(name).to_str().unwrap().to_owned()
    }
}

#[track_caller]
fn says(output: &Output, code: i32, words: &str) {
    let text = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert_eq!(output.status.code(), Some(code), "{text}");
    assert!(text.contains(words), "{words:?} is not in: {text}");
}

async fn seal(sealer: &Sealer, events: i64, pool: &sqlx::PgPool) {
    // Other tests hold the horizon of the server they share back for a while.
    let covered = || async {
        let size: Option<i64> = sqlx::query_scalar("SELECT max(size) FROM tree_heads")
            .fetch_one(pool)
            .await
            .unwrap();
        size.unwrap_or_default()
    };
    while covered().await < events {
        sealer.catch_up(chrono::Utc::now).await.unwrap();
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn write(path: &Path, receipt: &Receipt) {
    fs::write(path, serde_json::to_string(receipt).unwrap()).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_is_verified_whole_since_the_last_time_and_by_a_receipt() {
    let TestDatabase { pool, url } = test_database(&sqlx::migrate!("../../migrations")).await;
    let folder = std::env::temp_dir().join(format!("onetrip-verify-{}", Uuid::new_v4()));
    let place = Place { folder, url };
    let witness = place.folder.join("witness");
    fs::create_dir_all(&witness).unwrap();
    let master: String = KEY.repeat(32).iter().map(|byte| format!("{byte:02x}")).collect();
    fs::write(place.folder.join("key"), &master).unwrap();
    let vault = Vault::new(&MasterKey::from_hex(&master).unwrap());
    let signer = Arc::new(Signer::new(&vault, "city.example/onetrip").unwrap());
    let sealer = Sealer::new(pool.clone(), Arc::clone(&signer), Duration::ZERO);
    let delivery = Delivery::new(pool.clone(), Witness::Folder(witness));
    let log = EventLog::<Case>::new(pool.clone(), vault, NoInline, Vec::new());
    let append = async |n: u32| {
        let case = accepted(submission_of(n));
        let id = case.filed().case.to_string();
        let stream = NewStream {
            aggregate_id: id.clone(),
            events: case.events,
        };
        log.append_new(&[stream], &Why::request(Uuid::from_u128(1)), None)
            .await
            .unwrap();
        id
    };
    let (state, folder) = (place.path("state"), place.path("witness"));
    let check = || place.onetrip(&["verify", "--state", &state, "--witness-folder", &folder]);

    says(&check(), 0, "No head has been signed");
    let case = append(1).await;
    let mut connection = pool.acquire().await.unwrap();
    let early = receipt(&mut connection, signer.verifier(), "case", &case, 1)
        .await
        .unwrap()
        .unwrap();
    seal(&sealer, 2, &pool).await;
    delivery.step().await.unwrap();
    says(&check(), 0, "2 events checked");
    append(2).await;
    seal(&sealer, 4, &pool).await;
    delivery.step().await.unwrap();
    says(&check(), 0, "Since the head for 2 events");
    says(
        &place.onetrip(&["verify", "--witness-folder", &folder]),
        0,
        "4 events checked",
    );

    // A receipt needs neither the database nor the master key, but the public one.
    let key = String::from_utf8(place.onetrip(&["evidence", "key"]).stdout).unwrap();
    assert_eq!(key.trim_end(), signer.verifier().to_string());
    let sealed = receipt(&mut connection, signer.verifier(), "case", &case, 1)
        .await
        .unwrap()
        .unwrap();
    drop(connection);
    let file = place.folder.join("receipt.json");
    let verify_receipt = || {
        Command::new(env!("CARGO_BIN_EXE_onetrip"))
            .args([
                "verify",
                "--receipt",
                file.to_str().unwrap(),
                "--key",
                key.trim_end(),
            ])
            .env_remove("DATABASE_URL")
            .output()
            .unwrap()
    };
    write(&file, &sealed);
    says(&verify_receipt(), 0, "The receipt holds");
    write(&file, &early);
    says(&verify_receipt(), 1, "no head covers it yet");
    let mut forged = sealed;
    forged.event.recorded_at = "2026-01-01T00:00:00.000000Z".to_owned();
    write(&file, &forged);
    says(&verify_receipt(), 1, "the leaf is not the one of the event");

    // The database is put back to where it was before: it is in order by itself.
    sqlx::raw_sql(
        "ALTER TABLE tree_heads DISABLE TRIGGER tree_heads_stay; DELETE FROM tree_heads WHERE size = 4",
    )
    .execute(&pool)
    .await
    .unwrap();
    says(
        &check(),
        1,
        "the head for 4 events of the state file is not in the database",
    );
    sqlx::query("UPDATE tree_tiles SET hashes = set_bit(hashes, 300, 1 - get_bit(hashes, 300))")
        .execute(&pool)
        .await
        .unwrap();
    let whole = place.onetrip(&["verify", "--witness-folder", &folder]);
    says(&whole, 1, "first bad position");
    fs::write(&state, "{}").unwrap();
    says(&check(), 1, "no state file");
}
