use chrono::{DateTime, TimeDelta, Utc};
use onetrip_cluster::testing::{TestDatabase, test_database};
use onetrip_event_log::{EventLog, MasterKey, NewStream, NoInline, Vault, Why};
use onetrip_evidence::{
    Delivery, Sealer, Signer, VerifierKey, Witness,
    verify::{Outside, Report, Verifier},
};
use onetrip_model::{Case, CaseAct};
use onetrip_testkit::{CADRE, URBAN, accepted, moments::monday_9am, submission_of};
use sqlx::{PgConnection, PgPool};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};
use uuid::Uuid;

pub const ORIGIN: &str = "test.example/log";
const HEAD_EVERY: Duration = Duration::from_secs(10);
/// Other tests hold the horizon of the server they share back for so long at most.
const PATIENCE: Duration = Duration::from_secs(60);

pub fn supplement(words: &str) -> CaseAct {
    CaseAct::AddSupplement {
        words: words.to_owned(),
        attachments: Vec::new(),
        from_filing: false,
    }
}

pub fn vault() -> Vault {
    Vault::new(&MasterKey::from_hex(&"07".repeat(32)).unwrap())
}

/// A log with a sealer, and a witness's folder.
pub struct World {
    pub pool: PgPool,
    pub url: String,
    pub log: EventLog<Case>,
    pub sealer: Sealer,
    pub folder: PathBuf,
    clock: DateTime<Utc>,
    cases: u32,
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

impl World {
    pub async fn new() -> World {
        let TestDatabase { pool, url } = test_database(&sqlx::migrate!("../../migrations")).await;
        let signer = Arc::new(Signer::new(&vault(), ORIGIN).unwrap());
        let folder = std::env::temp_dir().join(format!("onetrip-evidence-{}", Uuid::new_v4()));
        std::fs::create_dir(&folder).unwrap();
        World {
            log: EventLog::new(pool.clone(), vault(), NoInline, Vec::new()),
            sealer: Sealer::new(pool.clone(), signer, HEAD_EVERY),
            folder,
            pool,
            url,
            clock: monday_9am(),
            cases: 0,
        }
    }

    /// A world with `rounds` heads, each for some more cases of five events, and a witness that has them all.
    pub async fn sealed(rounds: u32, cases: u32) -> World {
        let mut world = World::new().await;
        for _ in 0..rounds {
            world.append(cases).await;
            world.seal().await;
        }
        world.deliver().await;
        world
    }

    pub fn key(&self) -> VerifierKey {
        self.sealer.signer().verifier().clone()
    }

    /// As many new cases, of five events each.
    pub async fn append(&mut self, cases: u32) -> Vec<String> {
        let streams: Vec<NewStream<Case>> = (0..cases)
            .map(|_| {
                self.cases += 1;
                let case = accepted(submission_of(self.cases)).and([
                    CaseAct::Assign {
                        unit: URBAN.into(),
                        contact_cadre: Some(CADRE),
                    },
                    supplement("还是不亮"),
                    supplement("隔壁也不亮"),
                ]);
                NewStream {
                    aggregate_id: case.filed().case.to_string(),
                    events: case.events,
                }
            })
            .collect();
        let why = Why::request(Uuid::from_u128(1));
        // As many transactions as in real life share a second, not one.
        for some in streams.chunks(7) {
            self.log.append_new(some, &why, None).await.unwrap();
        }
        streams.into_iter().map(|stream| stream.aggregate_id).collect()
    }

    /// Cases like `model` under other ids, number `from` up to `to`, chained as the document says by the database itself.
    pub async fn copy(&self, model: &str, from: i64, to: i64) {
        for sequence in 1..=5_i64 {
            sqlx::query(
                "INSERT INTO events (aggregate_type, aggregate_id, sequence, event_type, event_version, payload, metadata,
                                     hash)
                 SELECT aggregate_type, id, sequence, event_type, event_version, payload, metadata,
                        sha256('onetrip/event/1'::bytea || before || int8send(sequence)
                               || int8send(octet_length(aggregate_type)) || convert_to(aggregate_type, 'UTF8')
                               || int8send(octet_length(id)) || convert_to(id, 'UTF8')
                               || int8send(octet_length(event_type)) || convert_to(event_type, 'UTF8')
                               || int8send(octet_length(event_version)) || convert_to(event_version, 'UTF8')
                               || int8send(octet_length(payload::text)) || convert_to(payload::text, 'UTF8')
                               || int8send(octet_length(metadata::text)) || convert_to(metadata::text, 'UTF8'))
                 FROM (SELECT * FROM events WHERE aggregate_id = $1 AND sequence = $2) AS model,
                      generate_series($3::bigint, $4 - 1) AS n,
                      LATERAL (SELECT md5(n::text)::uuid::text AS id) AS named,
                      LATERAL (SELECT CASE $2 WHEN 1 THEN decode(repeat('00', 32), 'hex')
                                              ELSE (SELECT hash FROM events AS earlier
                                                    WHERE earlier.aggregate_type = 'case' AND earlier.aggregate_id = id
                                                      AND earlier.sequence = $2 - 1) END AS before) AS chained",
            )
            .bind(model)
            .bind(sequence)
            .bind(from)
            .bind(to)
            .execute(&self.pool)
            .await
            .unwrap();
        }
    }

    pub async fn events(&self) -> i64 {
        sqlx::query_scalar("SELECT count(*) FROM events")
            .fetch_one(&self.pool)
            .await
            .unwrap()
    }

    pub async fn sealed_size(&self) -> i64 {
        sqlx::query_scalar("SELECT size FROM tree_state")
            .fetch_one(&self.pool)
            .await
            .unwrap()
    }

    /// Seals everything, ten seconds later by the sealer's clock, under one new head.
    pub async fn seal(&mut self) {
        let start = Instant::now();
        let settled = "SELECT NOT EXISTS (SELECT FROM events WHERE transaction_id >= pg_snapshot_xmin(pg_current_snapshot()))";
        while !sqlx::query_scalar::<_, bool>(settled)
            .fetch_one(&self.pool)
            .await
            .unwrap()
        {
            assert!(start.elapsed() < PATIENCE, "the horizon stands still");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        self.clock += TimeDelta::seconds(10);
        let now = self.clock;
        self.sealer.catch_up(|| now).await.unwrap();
    }

    pub async fn deliver(&self) -> u64 {
        self.delivery().step().await.unwrap()
    }

    pub fn delivery(&self) -> Delivery {
        Delivery::new(self.pool.clone(), Witness::Folder(self.folder.clone()))
    }

    pub fn outside(&self) -> [Outside; 1] {
        [outside(&self.folder)]
    }

    pub async fn verify(&self) -> Report {
        let mut connection = self.pool.acquire().await.unwrap();
        verify(&mut connection, &self.key(), &[]).await
    }
}

pub fn outside(folder: &Path) -> Outside {
    Outside::read(folder).unwrap()
}

pub fn verifier<'a>(key: &'a VerifierKey, outside: &'a [Outside]) -> Verifier<'a> {
    Verifier {
        key,
        outside,
        progress: Arc::new(|_| ()),
    }
}

/// On one connection, which may have changed what others do not see.
pub async fn verify(connection: &mut PgConnection, key: &VerifierKey, outside: &[Outside]) -> Report {
    verifier(key, outside).full(connection, Vec::new()).await.unwrap()
}

/// The same numbers for the same seed on every machine (SplitMix64).
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    pub fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }
}

/// A number from the environment: the long form of a test.
pub fn setting(name: &str, short: u64) -> u64 {
    std::env::var(name)
        .ok()
        .and_then(|value| value.parse().ok())
        .unwrap_or(short)
}
