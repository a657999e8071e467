use onetrip_casework::Casework;
use onetrip_event_log::horizon_age;
use onetrip_runner::Runner;
use prometheus::{Gauge, GaugeVec, IntGauge, IntGaugeVec, Opts, Registry};

/// What the database says, beside what this process did.
pub(crate) struct Gauges {
    lag_events: IntGaugeVec,
    lag_seconds: GaugeVec,
    open: IntGauge,
    overdue: IntGauge,
    clocks_late_seconds: Gauge,
    breaches: IntGaugeVec,
    horizon_seconds: Gauge,
    prepared: IntGauge,
    parked: IntGaugeVec,
    degraded: IntGaugeVec,
}

/// Rows of the run-once rule that can be breached.
const BREACH_ROWS: [&str; 5] = ["trip", "material_request", "held_paper", "hand_over", "refiling"];

impl Gauges {
    pub fn register(registry: &Registry) -> Result<Gauges, prometheus::Error> {
        let lag = |name: &str, help: &str| Opts::new(name, help);
        let gauges = Gauges {
            lag_events: IntGaugeVec::new(
                lag(
                    "onetrip_projection_lag_events",
                    "Events a read model has not folded yet.",
                ),
                &["projection"],
            )?,
            lag_seconds: GaugeVec::new(
                lag(
                    "onetrip_projection_lag_seconds",
                    "Age of the oldest event a read model has not folded yet.",
                ),
                &["projection"],
            )?,
            open: IntGauge::new(
                "onetrip_open_cases",
                "Cases in the queue: open ones, and ended ones on which something is owed.",
            )?,
            overdue: IntGauge::new(
                "onetrip_overdue_cases",
                "Cases in the queue past what is due next.",
            )?,
            clocks_late_seconds: Gauge::new(
                "onetrip_clocks_late_seconds",
                "For how long the case that has waited longest for a warning, an escalation or the end of a window has waited.",
            )?,
            breaches: IntGaugeVec::new(
                Opts::new(
                    "onetrip_run_once_breaches",
                    "Recorded breaches of the run-once rule.",
                ),
                &["row"],
            )?,
            horizon_seconds: Gauge::new(
                "onetrip_horizon_age_seconds",
                "Age of the oldest transaction that holds the readers of the log back.",
            )?,
            prepared: IntGauge::new(
                "onetrip_prepared_transactions",
                "Prepared transactions, neither committed nor rolled back: they hold readers back with no session to end.",
            )?,
            parked: IntGaugeVec::new(
                Opts::new(
                    "onetrip_projection_parked_events",
                    "Events a read model goes on without, because they cannot be folded.",
                ),
                &["projection"],
            )?,
            degraded: IntGaugeVec::new(
                Opts::new(
                    "onetrip_projection_degraded",
                    "1 for a read model that goes on without some cases, 0 for one that is whole.",
                ),
                &["projection"],
            )?,
        };
        registry.register(Box::new(gauges.lag_events.clone()))?;
        registry.register(Box::new(gauges.lag_seconds.clone()))?;
        registry.register(Box::new(gauges.open.clone()))?;
        registry.register(Box::new(gauges.overdue.clone()))?;
        registry.register(Box::new(gauges.clocks_late_seconds.clone()))?;
        registry.register(Box::new(gauges.breaches.clone()))?;
        registry.register(Box::new(gauges.horizon_seconds.clone()))?;
        registry.register(Box::new(gauges.prepared.clone()))?;
        registry.register(Box::new(gauges.parked.clone()))?;
        registry.register(Box::new(gauges.degraded.clone()))?;
        Ok(gauges)
    }

    pub async fn read(&self, casework: &Casework, runner: &Runner) -> Result<(), sqlx::Error> {
        for lag in runner.lag().await? {
            self.lag_events
                .with_label_values(&[lag.projection])
                .set(lag.events);
            self.lag_seconds
                .with_label_values(&[lag.projection])
                .set(lag.seconds);
            let projection = &[lag.projection];
            self.parked.with_label_values(projection).set(lag.parked);
            self.degraded
                .with_label_values(projection)
                .set(i64::from(lag.parked > 0));
        }
        let mut connection = casework.pool().acquire().await?;
        let horizon = horizon_age(&mut connection).await?;
        self.horizon_seconds.set(horizon.seconds);
        self.prepared.set(horizon.prepared);
        let now = casework.now();
        let late = onetrip_read_models::queue::acts_late_by(&mut connection, now).await?;
        self.clocks_late_seconds.set(late);
        let counts = onetrip_read_models::queue::counts(&mut connection, now).await?;
        self.open.set(counts.open);
        self.overdue.set(counts.overdue);
        let breaches = onetrip_read_models::run_once::breach_counts(&mut connection).await?;
        for row in BREACH_ROWS {
            let count = breaches
                .iter()
                .find(|(name, _)| name == row)
                .map_or(0, |(_, count)| *count);
            self.breaches.with_label_values(&[row]).set(count);
        }
        Ok(())
    }
}
