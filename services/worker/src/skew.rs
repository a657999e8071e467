//! What time it is, on computers whose clocks may be wrong.
//!
//! What is done too early may be irrevocable, what is done late is only late: so time is the earliest of what this computer,
//! the database, and the time that has passed since the start say. What was raised too early is taken back only when it is
//! too early by all of them.

use chrono::{DateTime, TimeDelta, Utc};
use onetrip_casework::{Casework, CaseworkError, Clock};
use onetrip_event_log::Pool;
use prometheus::{Gauge, Registry};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

/// More than time synchronization leaves; beyond it somebody has to look.
const SKEW_MAX: TimeDelta = TimeDelta::seconds(60);

/// Holds a clock against the database's, which may be another computer's, and against the time that has passed since this
/// process began, which no one can set.
#[derive(Clone)]
pub(crate) struct Skew {
    began: (Instant, DateTime<Utc>),
    reference: Reference,
    seconds: Gauge,
    /// Whether the last look was told of: it is told once, not every minute.
    is_large: Arc<AtomicBool>,
}

#[derive(Clone)]
enum Reference {
    Database(Pool),
    Given(Clock),
}

impl Skew {
    pub fn register(casework: &Casework, registry: &Registry) -> Result<Skew, prometheus::Error> {
        let skew = Skew {
            began: (Instant::now(), casework.now()),
            reference: Reference::Database(casework.pool().clone()),
            seconds: Gauge::new(
                "onetrip_clock_skew_seconds",
                "How far this computer's clock is ahead of the database's, or has jumped since the start: the larger of both.",
            )?,
            is_large: Arc::default(),
        };
        registry.register(Box::new(skew.seconds.clone()))?;
        Ok(skew)
    }

    pub fn against(self, reference: Clock) -> Skew {
        Skew {
            reference: Reference::Given(reference),
            ..self
        }
    }

    /// The earliest and the latest that it may be when this computer's clock says `now`. A difference that matters is shown
    /// and told.
    pub async fn bounds(&self, now: DateTime<Utc>) -> Result<(DateTime<Utc>, DateTime<Utc>), CaseworkError> {
        let others = match &self.reference {
            Reference::Given(clock) => vec![clock()],
            Reference::Database(pool) => {
                let (instant, wall) = self.began;
                let passed = TimeDelta::from_std(instant.elapsed()).unwrap_or(TimeDelta::MAX);
                let database = sqlx::query_scalar("SELECT clock_timestamp()")
                    .fetch_one(pool)
                    .await?;
                vec![database, wall.checked_add_signed(passed).unwrap_or(now)]
            }
        };
        let differences = others.iter().map(|other| now - *other);
        let skew = differences.max_by_key(TimeDelta::abs).unwrap_or_default();
        self.seconds.set(skew.as_seconds_f64());
        let is_large = skew.abs() > SKEW_MAX;
        match (self.is_large.swap(is_large, Ordering::Relaxed), is_large) {
            (false, true) => {
                let seconds = skew.num_seconds();
                tracing::error!(
                    seconds,
                    "this computer's clock is wrong or has jumped: cases are acted on by the earliest clock"
                );
            }
            (true, false) => tracing::info!("this computer's clock is right again"),
            _ => {}
        }
        Ok((
            others.iter().copied().fold(now, DateTime::min),
            others.iter().copied().fold(now, DateTime::max),
        ))
    }
}
