//! A log written once, and read from its beginning by every cell.

use super::rows::Standing;
use crate::{Failure, histories};
use cqrs_es::{
    EventEnvelope, Query,
    persist::{GenericQuery, PersistedEventRepository},
};
use onetrip_cluster::Cluster;
use onetrip_event_log::{EventLog, MasterKey, NewStream, NoInline, Pool, Vault, Why};
use onetrip_model::{
    Case, CaseAct,
    case::{FollowUp, FollowUpKind, Verdict},
};
use onetrip_runner::{Projection, Runner, rebuild};
use onetrip_testkit::{CADRE, URBAN, after_photo, given, rating, submission_of};
use postgres_es::{PostgresEventRepository, PostgresViewRepository};
use sqlx::{
    Connection, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use std::{
    str::FromStr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};
use uuid::Uuid;

/// So many other cases begin before a case goes on: more than any page measured here holds of one.
const APART: i64 = 200;
const CONNECT_PATIENCE: Duration = Duration::from_secs(30);
/// Stock reads `events` and writes `case_view` by these names, so they lie in a schema of their own.
const STOCK: &str = "CREATE SCHEMA stock;
    CREATE TABLE stock.events (
        aggregate_type text NOT NULL, aggregate_id text NOT NULL, sequence bigint CHECK (sequence >= 0) NOT NULL,
        event_type text NOT NULL, event_version text NOT NULL, payload json NOT NULL, metadata json NOT NULL,
        PRIMARY KEY (aggregate_type, aggregate_id, sequence));
    CREATE TABLE stock.case_view (view_id text PRIMARY KEY, version bigint CHECK (version >= 0) NOT NULL, payload json NOT NULL);
    INSERT INTO stock.events SELECT aggregate_type, aggregate_id, sequence, event_type, event_version, payload, metadata
        FROM public.events ORDER BY position;
    VACUUM ANALYZE stock.events";

pub struct Log {
    pub pool: PgPool,
    url: String,
    explain: bool,
}

/// How one cell fared.
#[derive(Clone, Copy, Debug)]
pub struct Figures {
    pub events: u64,
    pub seconds: f64,
    /// The longest that a reader waited meanwhile, beyond what is usual, in milliseconds; only for rebuilds.
    pub blocked_ms: Option<f64>,
}

impl Figures {
    pub fn per_second(&self) -> f64 {
        self.events as f64 / self.seconds
    }
}

impl Log {
    /// Writes a log of `cases` whole cases, so that neighbours are of different ones.
    pub async fn make(cluster: &Cluster, name: &str, cases: u32, explain: bool) -> Result<Log, Failure> {
        let url = cluster.ensure_database(name).await?;
        let pool = PgPool::connect(&url).await?;
        sqlx::migrate!("../../migrations").run(&pool).await?;
        let log: EventLog<Case> = EventLog::new(pool.clone(), vault()?, NoInline, Vec::new());
        let numbers: Vec<u32> = (0..cases).collect();
        for some in numbers.chunks(500) {
            let streams: Vec<_> = some.iter().map(|n| whole_case(*n)).collect();
            log.append_new(&streams, &why(), None).await?;
        }
        // The same rows again in another order, a few hundred a transaction.
        sqlx::raw_sql(&format!(
            "CREATE TABLE laid_out AS
                 SELECT *, row_number() OVER (ORDER BY place, sequence) AS n
                 FROM (SELECT *, dense_rank() OVER (ORDER BY first) + sequence * {APART} AS place
                       FROM (SELECT *, min(position) OVER (PARTITION BY aggregate_id) AS first FROM events) AS e) AS e;
             CREATE UNIQUE INDEX ON laid_out (n);
             TRUNCATE events"
        ))
        .execute(&pool)
        .await?;
        let mut from = 0;
        loop {
            let written = sqlx::query(
                "INSERT INTO events (aggregate_type, aggregate_id, sequence, event_type, event_version, payload, metadata, hash)
                 SELECT aggregate_type, aggregate_id, sequence, event_type, event_version, payload, metadata, hash
                 FROM laid_out WHERE n > $1 AND n <= $1 + 500 ORDER BY n",
            )
            .bind(from)
            .execute(&pool)
            .await?
            .rows_affected();
            if written == 0 {
                break;
            }
            from += 500;
        }
        for statement in ["DROP TABLE laid_out", "VACUUM ANALYZE events"] {
            sqlx::raw_sql(statement).execute(&pool).await?;
        }
        for statement in STOCK.split(';') {
            sqlx::raw_sql(statement).execute(&pool).await?;
        }
        Ok(Log { pool, url, explain })
    }

    /// A pool as the service has it.
    pub fn connect(&self) -> Result<Pool, Failure> {
        let mut options = PgConnectOptions::from_str(&self.url)?;
        if self.explain {
            options = options.options([
                ("session_preload_libraries", "auto_explain"),
                ("auto_explain.log_min_duration", "0"),
                ("auto_explain.log_analyze", "on"),
                ("auto_explain.log_buffers", "on"),
                ("auto_explain.log_timing", "off"),
            ]);
        }
        Ok(Pool::new(options, 8, CONNECT_PATIENCE))
    }

    /// Stock's replay, dispatched event by event as `CqrsFramework` dispatches what it has stored.
    pub async fn stock(&self) -> Result<Figures, Failure> {
        let options = PgConnectOptions::from_str(&self.url)?.options([("search_path", "stock")]);
        let pool = PgPoolOptions::new()
            .max_connections(4)
            .connect_with(options)
            .await?;
        sqlx::raw_sql("TRUNCATE case_view").execute(&pool).await?;
        let repository = PostgresViewRepository::<Standing, Case>::new("case_view", pool.clone());
        let query = GenericQuery::<_, Standing, Case>::new(Arc::new(repository));
        let mut stream = PostgresEventRepository::new(pool.clone())
            .stream_all_events::<Case>()
            .await?;
        // The whole answer is on its way before the first event is here; that is not counted.
        let mut event = stream.next::<Case>(&[]).await;
        let (start, mut events) = (Instant::now(), 0);
        while let Some(next) = event {
            let next: EventEnvelope<Case> = next?;
            let id = next.aggregate_id.clone();
            query.dispatch(&id, &[next]).await;
            events += 1;
            event = stream.next::<Case>(&[]).await;
        }
        let seconds = start.elapsed().as_secs_f64();
        drop(stream);
        pool.close().await;
        Ok(Figures {
            events,
            seconds,
            blocked_ms: None,
        })
    }

    /// Our read model from an empty table to the end of the log.
    pub async fn pages(
        &self,
        projections: &[Arc<dyn Projection>],
        model: &str,
        page: i64,
    ) -> Result<Figures, Failure> {
        let projection = projection(projections, model)?;
        self.forget(&*projection).await?;
        let runner = Runner::new(self.connect()?, vec![Arc::clone(&projection)]).with_pages_of(page);
        runner.prepare().await?;
        let start = Instant::now();
        self.follow(&runner).await?;
        let seconds = start.elapsed().as_secs_f64();
        let events = self.events().await?;
        Ok(Figures {
            events,
            seconds,
            blocked_ms: None,
        })
    }

    /// Our read model built anew while somebody reads it.
    pub async fn rebuild(&self, model: &str) -> Result<Figures, Failure> {
        let projection = projection(&onetrip_read_models::all(), model)?;
        let pool = self.connect()?;
        let runner = Runner::new(pool.clone(), vec![Arc::clone(&projection)]);
        runner.prepare().await?;
        self.follow(&runner).await?;
        let table = *projection
            .tables()
            .first()
            .ok_or("a read model without a table")?;
        let mut reading = sqlx::PgConnection::connect(&self.url).await?;
        let stop = Arc::new(AtomicBool::new(false));
        let reader = tokio::spawn({
            let stop = Arc::clone(&stop);
            async move {
                let sql = format!("SELECT stage FROM {table} WHERE case_id = $1");
                let case = submission_of(1).case.0;
                let mut waits = Vec::new();
                while !stop.load(Relaxed) {
                    let begun = Instant::now();
                    let stage: Option<String> = sqlx::query_scalar(&sql)
                        .bind(case)
                        .fetch_optional(&mut reading)
                        .await?;
                    if stage.is_none() {
                        return Err("a reader found the read model empty".into());
                    }
                    waits.push(begun.elapsed());
                    // A page a few hundred times a second, which leaves the processors to the rebuild.
                    tokio::time::sleep(Duration::from_millis(2)).await;
                }
                Ok::<_, Failure>(waits)
            }
        });
        let start = Instant::now();
        let events = rebuild(&pool, &*projection, &mut |_| {}).await?;
        let seconds = start.elapsed().as_secs_f64();
        stop.store(true, Relaxed);
        let mut waits = reader.await??;
        waits.sort_unstable();
        let usual = waits.get(waits.len() / 2).copied().unwrap_or_default();
        let longest = waits.last().copied().unwrap_or_default();
        Ok(Figures {
            events,
            seconds,
            blocked_ms: Some((longest.saturating_sub(usual)).as_secs_f64() * 1_000.0),
        })
    }

    /// Until the read model has passed the end of the log.
    async fn follow(&self, runner: &Runner) -> Result<(), Failure> {
        loop {
            runner.catch_up().await?;
            // Whatever else runs on the server holds the readers back for a moment.
            let lag = runner.lag().await?;
            if lag.iter().all(|lag| lag.events == 0) {
                if let Some(parked) = lag.iter().find(|lag| lag.parked > 0) {
                    return Err(format!("{} events are parked", parked.parked).into());
                }
                return Ok(());
            }
        }
    }

    /// As if the read model had never been there.
    async fn forget(&self, projection: &dyn Projection) -> Result<(), Failure> {
        sqlx::raw_sql(&format!("TRUNCATE {}", projection.tables().join(", ")))
            .execute(&self.pool)
            .await?;
        sqlx::query("DELETE FROM checkpoints WHERE projection = $1")
            .bind(projection.name())
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    async fn events(&self) -> Result<u64, Failure> {
        let events = onetrip_event_log::count(&mut *self.pool.acquire().await?).await?;
        Ok(events.unsigned_abs())
    }
}

fn projection(projections: &[Arc<dyn Projection>], model: &str) -> Result<Arc<dyn Projection>, Failure> {
    let found = projections.iter().find(|projection| projection.name() == model);
    found
        .cloned()
        .ok_or_else(|| format!("there is no read model {model}").into())
}

/// Filed, accepted, assigned, followed up, answered, rated and closed: seven events.
fn whole_case(n: u32) -> NewStream<Case> {
    let case = given([
        CaseAct::SubmitAppeal(submission_of(n)),
        CaseAct::Accept,
        CaseAct::Assign {
            unit: URBAN.into(),
            contact_cadre: Some(CADRE),
        },
        CaseAct::FollowUp(FollowUp {
            kind: FollowUpKind::Contact,
            reached: true,
            words: histories::WORDS.to_owned(),
        }),
        CaseAct::GiveResult {
            words: histories::WORDS.to_owned(),
            evidence: Vec::new(),
            place_proof: after_photo(),
            promise: None,
        },
        CaseAct::Rate(rating(Verdict::Solved, 5, None)),
    ]);
    NewStream {
        aggregate_id: histories::id(n),
        events: case.events,
    }
}

pub fn vault() -> Result<Vault, Failure> {
    Ok(Vault::new(&MasterKey::from_hex(&"07".repeat(32))?))
}

pub fn why() -> Why {
    Why::request(Uuid::from_u128(1))
}
