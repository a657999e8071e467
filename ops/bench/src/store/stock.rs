//! cqrs-es and postgres-es as they come, on their own table.

use crate::{
    Failure,
    cpu::counted,
    drive::{Figures, drive},
    histories::{self, cases, history, note},
};
use cqrs_es::{
    CqrsFramework, DomainEvent, EventEnvelope, Query, View,
    persist::{GenericQuery, PersistedEventStore},
};
use futures::TryStreamExt;
use onetrip_cluster::Cluster;
use onetrip_model::{Case, CaseEvent};
use postgres_es::{PostgresEventRepository, PostgresViewRepository};
use serde::{Deserialize, Serialize};
use sqlx::{PgPool, postgres::PgPoolOptions};
use std::{path::PathBuf, sync::Arc, time::Duration};

/// postgres-es's own tables.
const TABLES: &str = "CREATE TABLE events (
        aggregate_type text NOT NULL, aggregate_id text NOT NULL, sequence bigint CHECK (sequence >= 0) NOT NULL,
        event_type text NOT NULL, event_version text NOT NULL, payload json NOT NULL, metadata json NOT NULL,
        PRIMARY KEY (aggregate_type, aggregate_id, sequence));
    CREATE TABLE case_view (view_id text PRIMARY KEY, version bigint CHECK (version >= 0) NOT NULL, payload json NOT NULL)";

pub struct Database {
    pub name: &'static str,
    admin: PgPool,
    url: String,
    data: PathBuf,
}

/// Identifiers, sequences, types and payloads.
type EventColumns = (Vec<String>, Vec<i64>, Vec<String>, Vec<String>);

/// A small view: how much has happened, and what last.
#[derive(Debug, Default, Serialize, Deserialize)]
struct CaseView {
    events: u64,
    newest: Option<CaseEvent>,
}

impl View<Case> for CaseView {
    fn update(&mut self, event: &EventEnvelope<Case>) {
        self.events += 1;
        self.newest = Some(event.payload.clone());
    }
}

impl Database {
    pub async fn make(cluster: &Cluster) -> Result<Database, Failure> {
        let name = "bench_stock";
        let url = cluster.ensure_database(name).await?;
        let admin = PgPool::connect(&url).await?;
        sqlx::raw_sql(TABLES).execute(&admin).await?;
        Ok(Database {
            name,
            admin,
            url,
            data: data(cluster),
        })
    }

    pub async fn empty(&self) -> Result<(), Failure> {
        sqlx::raw_sql("TRUNCATE events, case_view")
            .execute(&self.admin)
            .await?;
        Ok(())
    }

    /// `CqrsFramework::execute`: load, decide, append one event; with `view`, one `GenericQuery` besides.
    pub async fn run(
        &self,
        events: usize,
        view: bool,
        tasks: usize,
        time: Duration,
    ) -> Result<Figures, Failure> {
        self.fill(events).await?;
        let pool = PgPoolOptions::new()
            .max_connections(u32::try_from(tasks)?)
            .min_connections(u32::try_from(tasks)?)
            .connect(&self.url)
            .await?;
        let queries: Vec<Box<dyn Query<Case>>> = if view {
            let repository = PostgresViewRepository::<CaseView, Case>::new("case_view", pool.clone());
            vec![Box::new(GenericQuery::new(Arc::new(repository)))]
        } else {
            Vec::new()
        };
        let store = PersistedEventStore::new_event_store(PostgresEventRepository::new(pool.clone()));
        let framework = Arc::new(CqrsFramework::new(store, queries, ()));
        let cases = u64::from(cases(events));
        let ids: Arc<Vec<String>> = Arc::new((0..u32::try_from(cases)?).map(histories::id).collect());
        let measuring = drive(tasks, time, move |n| {
            let (framework, ids) = (Arc::clone(&framework), Arc::clone(&ids));
            async move { framework.execute(&ids[(n % cases) as usize], note()).await }
        });
        let figures = counted(&self.data, measuring).await;
        pool.close().await;
        Ok(figures)
    }

    async fn fill(&self, events: usize) -> Result<(), Failure> {
        self.empty().await?;
        let numbers: Vec<u32> = (0..cases(events)).collect();
        for some in numbers.chunks(500) {
            let mut columns = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
            for &n in some {
                for (event, sequence) in history(n, events).events.iter().zip(1_i64..) {
                    columns.0.push(histories::id(n));
                    columns.1.push(sequence);
                    columns.2.push(event.event_type());
                    columns.3.push(serde_json::to_string(event)?);
                }
            }
            self.insert(columns).await?;
        }
        sqlx::raw_sql("VACUUM ANALYZE events")
            .execute(&self.admin)
            .await?;
        Ok(())
    }

    /// Heap and indexes of the same histories that ours are measured with, freshly written.
    pub async fn bytes_per_event(&self) -> Result<f64, Failure> {
        self.fill(50).await?;
        bytes_per_event(&self.admin).await
    }

    /// The same with the payloads that lie in `ours`.
    pub async fn bytes_per_event_with(&self, ours: &PgPool) -> Result<f64, Failure> {
        self.empty().await?;
        let mut events = sqlx::query_as::<_, (String, i64, String, String)>(
            "SELECT aggregate_id, sequence, event_type, payload::text FROM events ORDER BY aggregate_id, sequence",
        )
        .fetch(ours)
        .try_chunks(5_000);
        while let Some(some) = events.try_next().await.map_err(|error| error.1)? {
            let mut columns = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
            for (id, sequence, event_type, payload) in some {
                columns.0.push(id);
                columns.1.push(sequence);
                columns.2.push(event_type);
                columns.3.push(payload);
            }
            self.insert(columns).await?;
        }
        bytes_per_event(&self.admin).await
    }

    async fn insert(&self, columns: EventColumns) -> Result<(), Failure> {
        sqlx::query(
            "INSERT INTO events SELECT 'case', id, sequence, type, '1.0', payload::json, '{}'
             FROM unnest($1::text[], $2::bigint[], $3::text[], $4::text[]) AS new (id, sequence, type, payload)",
        )
        .bind(columns.0)
        .bind(columns.1)
        .bind(columns.2)
        .bind(columns.3)
        .execute(&self.admin)
        .await?;
        Ok(())
    }
}

/// The server's data folder.
pub fn data(cluster: &Cluster) -> PathBuf {
    cluster.base().join("data")
}

pub async fn bytes_per_event(pool: &PgPool) -> Result<f64, Failure> {
    sqlx::raw_sql("VACUUM FULL events").execute(pool).await?;
    Ok(
        sqlx::query_scalar(
            "SELECT (pg_total_relation_size('events') / count(*)::float8)::float8 FROM events",
        )
        .fetch_one(pool)
        .await?,
    )
}
