//! What the database says of the tree.

use crate::{error::EvidenceError, store, witness::Delivery};
use chrono::{DateTime, Utc};
use onetrip_event_log::{Pool, audit::count_after};
use prometheus::{Gauge, IntGauge, IntGaugeVec, Opts, Registry};

/// Counted at most when asking how much is not sealed.
const UNSEALED_MAX: i64 = 10_000;

pub struct Gauges {
    sealed: IntGauge,
    unsealed: IntGauge,
    head_seconds: Gauge,
    backlog: IntGaugeVec,
}

impl Gauges {
    /// Fails if a metric's name is taken.
    pub fn register(registry: &Registry) -> Result<Gauges, prometheus::Error> {
        let gauges = Gauges {
            sealed: IntGauge::new("onetrip_evidence_sealed_events", "Events in the sealed tree.")?,
            unsealed: IntGauge::new(
                "onetrip_evidence_unsealed_events",
                "Events that are not in the sealed tree yet; at most 10,000 are counted.",
            )?,
            head_seconds: Gauge::new(
                "onetrip_evidence_head_age_seconds",
                "Age of the newest signed head while there are events that it does not cover; else 0.",
            )?,
            backlog: IntGaugeVec::new(
                Opts::new(
                    "onetrip_evidence_witness_backlog",
                    "Heads that a witness has not got yet; at most 10,000 are counted.",
                ),
                &["witness"],
            )?,
        };
        registry.register(Box::new(gauges.sealed.clone()))?;
        registry.register(Box::new(gauges.unsealed.clone()))?;
        registry.register(Box::new(gauges.head_seconds.clone()))?;
        registry.register(Box::new(gauges.backlog.clone()))?;
        Ok(gauges)
    }

    pub async fn read(
        &self,
        pool: &Pool,
        witnesses: &[Delivery],
        now: DateTime<Utc>,
    ) -> Result<(), EvidenceError> {
        let mut connection = pool.acquire().await?;
        let state = store::state_there(&mut connection).await?;
        let newest = store::newest_head(&mut connection).await?;
        let unsealed = count_after(&mut connection, state.last, UNSEALED_MAX).await?;
        self.sealed.set(state.size.cast_signed());
        self.unsealed.set(unsealed);
        // An idle log needs no new head, and must raise no alarm for having none.
        let is_behind = unsealed > 0 || newest.as_ref().map_or(0, |head| head.size) < state.size;
        let age = newest.map_or(0.0, |head| (now - head.made_at).as_seconds_f64().max(0.0));
        self.head_seconds.set(if is_behind { age } else { 0.0 });
        drop(connection);
        for witness in witnesses {
            let backlog = witness.backlog().await?;
            self.backlog.with_label_values(&[&witness.name()]).set(backlog);
        }
        Ok(())
    }
}
