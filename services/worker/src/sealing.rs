//! Sealing the log, and handing its heads to witnesses.

use onetrip_casework::{Casework, CaseworkError};
use onetrip_event_log::Pool;
use onetrip_evidence::{Delivery, DeliveryError, EvidenceError, Gauges, Sealer, Witness};
use prometheus::Registry;
use std::{sync::Arc, time::Duration};

/// How the log is sealed.
#[derive(Clone, Debug)]
pub struct Sealing {
    /// A head is made at most so often.
    pub head_every: Duration,
    pub witnesses: Vec<Witness>,
}

impl Default for Sealing {
    fn default() -> Self {
        Sealing {
            head_every: Duration::from_secs(10),
            witnesses: Vec::new(),
        }
    }
}

/// The sealer, its witnesses and its gauges.
#[derive(Clone)]
pub(crate) struct Evidence {
    pool: Pool,
    sealer: Sealer,
    pub deliveries: Vec<Delivery>,
    gauges: Arc<Gauges>,
    pub head_every: Duration,
}

impl Evidence {
    pub fn new(
        casework: &Casework,
        sealing: Sealing,
        registry: &Registry,
    ) -> Result<Evidence, prometheus::Error> {
        let pool = casework.pool().clone();
        let deliver = |witness| Delivery::new(pool.clone(), witness);
        Ok(Evidence {
            sealer: Sealer::new(pool.clone(), Arc::clone(casework.signer()), sealing.head_every),
            deliveries: sealing.witnesses.into_iter().map(deliver).collect(),
            gauges: Arc::new(Gauges::register(registry)?),
            head_every: sealing.head_every,
            pool,
        })
    }

    /// Everything that can be sealed now.
    pub async fn seal(&self) -> Result<(), CaseworkError> {
        self.sealer.catch_up(chrono::Utc::now).await?;
        Ok(())
    }

    pub async fn read_gauges(&self) -> Result<(), EvidenceError> {
        self.gauges
            .read(&self.pool, &self.deliveries, chrono::Utc::now())
            .await
    }
}

/// Hands over what a witness has not got yet.
pub(crate) async fn deliver(delivery: &Delivery) -> Result<(), CaseworkError> {
    match delivery.step().await {
        Ok(_) => Ok(()),
        Err(error @ DeliveryError::Conflict(_)) => {
            // Nothing that waiting mends: somebody has been shown another log.
            tracing::error!(witness = delivery.name(), %error, "a witness holds another head than we do");
            Err(CaseworkError::Internal(error.to_string()))
        }
        Err(error) => Err(CaseworkError::Unavailable(error.to_string())),
    }
}
