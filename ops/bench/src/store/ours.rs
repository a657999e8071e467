//! The service's own log, on the service's own schema.

use super::stock::{bytes_per_event, data};
use crate::{
    Failure,
    cpu::counted,
    drive::{Figures, drive},
    histories::{cases, hand_over, id, note, stream},
};
use onetrip_cluster::Cluster;
use onetrip_event_log::{EventLog, InlineProjection, Limits, MasterKey, NoInline, RequestKey, Vault, Why};
use onetrip_model::Case;
use onetrip_read_models::RunOnceLedger;
use onetrip_testkit::rules;
use sqlx::{PgPool, postgres::PgPoolOptions};
use std::{path::PathBuf, sync::Arc, time::Duration};
use uuid::Uuid;

/// Cases that the cells with a cache work on.
const HOT: u32 = 1_000;

pub struct Database {
    pub pool: PgPool,
    vault: Vault,
    data: PathBuf,
}

impl Database {
    pub async fn make(cluster: &Cluster) -> Result<Database, Failure> {
        let url = cluster.ensure_database("bench_ours").await?;
        let pool = PgPoolOptions::new()
            .max_connections(8)
            .test_before_acquire(false)
            .connect(&url)
            .await?;
        sqlx::migrate!("../../migrations").run(&pool).await?;
        let vault = Vault::new(&MasterKey::from_hex(&"07".repeat(32))?);
        Ok(Database {
            pool,
            vault,
            data: data(cluster),
        })
    }

    fn log(&self, inline: impl InlineProjection<Case> + 'static, limits: &Limits) -> EventLog<Case> {
        EventLog::with_limits(self.pool.clone(), self.vault.clone(), inline, Vec::new(), limits)
    }

    async fn fill(&self, log: &EventLog<Case>, events: usize) -> Result<(), Failure> {
        sqlx::raw_sql(
            "TRUNCATE events, requests, keys.data_keys, keys.persons, run_once_cases, run_once_matters,
                      run_once_held_papers, run_once_paper_asks, run_once_breaches, run_once_merges",
        )
        .execute(&self.pool)
        .await?;
        let numbers: Vec<u32> = (0..cases(events)).collect();
        for some in numbers.chunks(500) {
            let streams: Vec<_> = some.iter().map(|n| stream(*n, events)).collect();
            log.append_new(&streams, &why(), None).await?;
        }
        sqlx::raw_sql("VACUUM ANALYZE").execute(&self.pool).await?;
        Ok(())
    }

    /// A note on one of a thousand cases in memory.
    pub async fn cached(&self, tasks: usize, time: Duration) -> Result<Figures, Failure> {
        let log = self.log(NoInline, &Limits::default());
        self.fill(&log, 5).await?;
        let ids = self.warm(&log, false).await?;
        let measuring = drive(tasks, time, move |n| {
            let (log, ids) = (log.clone(), Arc::clone(&ids));
            async move {
                let id = &ids[(n % u64::from(HOT)) as usize];
                log.execute(id, note(), None, &why(), None, None).await.map(drop)
            }
        });
        self.counted(measuring).await
    }

    /// A hand-over, so that the ledger changes with each command, and a request key for each.
    pub async fn cached_with_rules(&self, tasks: usize, time: Duration) -> Result<Figures, Failure> {
        let log = self.log(RunOnceLedger::new(&rules().policy), &Limits::default());
        self.fill(&log, 5).await?;
        let ids = self.warm(&log, true).await?;
        let measuring = drive(tasks, time, move |n| {
            let (log, ids) = (log.clone(), Arc::clone(&ids));
            async move {
                let id = &ids[(n % u64::from(HOT)) as usize];
                // The offers of the warming come before these.
                let command = hand_over(n / u64::from(HOT) + 1);
                let request = RequestKey {
                    actor: "staff:bench".to_owned(),
                    key: Uuid::now_v7().to_string(),
                    body_hash: [7; 32],
                };
                log.execute(id, command, None, &why(), Some(&request), None)
                    .await
                    .map(drop)
            }
        });
        self.counted(measuring).await
    }

    /// A note on the next of all cases, none of which is in memory.
    pub async fn cold(&self, events: usize, tasks: usize, time: Duration) -> Result<Figures, Failure> {
        let limits = Limits {
            remembered: 0,
            ..Limits::default()
        };
        let log = self.log(NoInline, &limits);
        self.fill(&log, events).await?;
        let ids: Arc<Vec<String>> = Arc::new((0..cases(events)).map(id).collect());
        let measuring = drive(tasks, time, move |n| {
            let (log, ids) = (log.clone(), Arc::clone(&ids));
            async move {
                let id = &ids[(n % ids.len() as u64) as usize];
                log.execute(id, note(), None, &why(), None, None).await.map(drop)
            }
        });
        self.counted(measuring).await
    }

    /// With the processor time, and how many commands shared a transaction.
    async fn counted(&self, measuring: impl Future<Output = Figures>) -> Result<Figures, Failure> {
        let before: i64 = sqlx::query_scalar("SELECT coalesce(max(position), 0) FROM events")
            .fetch_one(&self.pool)
            .await?;
        let figures = counted(&self.data, measuring).await;
        let shared = sqlx::query_scalar(
            "SELECT count(*)::float8 / nullif(count(DISTINCT transaction_id), 0) FROM events WHERE position > $1",
        )
        .bind(before)
        .fetch_one(&self.pool)
        .await?;
        Ok(Figures { shared, ..figures })
    }

    async fn warm(&self, log: &EventLog<Case>, with_rules: bool) -> Result<Arc<Vec<String>>, Failure> {
        let ids: Vec<String> = (0..HOT).map(id).collect();
        for some in ids.chunks(100) {
            let command = || if with_rules { hand_over(0) } else { note() };
            let commands = some
                .iter()
                .map(|id| async move { log.execute(id, command(), None, &why(), None, None).await });
            for done in futures::future::join_all(commands).await {
                done?;
            }
        }
        Ok(Arc::new(ids))
    }

    /// As [`super::stock::Database::bytes_per_event`]; private texts are sealed here, and each event has its hash.
    pub async fn bytes_per_event(&self) -> Result<f64, Failure> {
        self.fill(&self.log(NoInline, &Limits::default()), 50).await?;
        bytes_per_event(&self.pool).await
    }
}

fn why() -> Why {
    Why::request(Uuid::from_u128(1))
}
