use onetrip_event_log::{Fate, Pool, end_idle_holders};
use prometheus::{IntCounter, IntGauge, Registry};
use std::time::Duration;

/// Less than the ten seconds that a read model may stand still because of somebody else.
const PATIENCE: Duration = Duration::from_secs(5);

/// Keeps sessions that do nothing from holding the readers of the log back.
pub(crate) struct Guard {
    /// None ends nobody.
    pub patience: Option<Duration>,
    ended: IntCounter,
    not_permitted: IntGauge,
}

impl Guard {
    pub fn register(registry: &Registry) -> Result<Guard, prometheus::Error> {
        let guard = Guard {
            patience: Some(PATIENCE),
            ended: IntCounter::new(
                "onetrip_horizon_sessions_ended_total",
                "Sessions ended because they were idle in a transaction that held the readers of the log back.",
            )?,
            not_permitted: IntGauge::new(
                "onetrip_horizon_sessions_not_permitted",
                "Such sessions that this service may not end: its role is not in pg_signal_backend.",
            )?,
        };
        registry.register(Box::new(guard.ended.clone()))?;
        registry.register(Box::new(guard.not_permitted.clone()))?;
        Ok(guard)
    }

    pub async fn tick(&self, pool: &Pool) -> Result<(), sqlx::Error> {
        let Some(patience) = self.patience else {
            return Ok(());
        };
        let mut connection = pool.acquire().await?;
        let mut not_permitted = 0;
        for holder in end_idle_holders(&mut connection, patience).await? {
            let (pid, seconds) = (holder.pid, holder.seconds);
            let (database, role, application) = (
                holder.database.unwrap_or_default(),
                holder.role.unwrap_or_default(),
                holder.application,
            );
            match holder.fate {
                Fate::Ended => {
                    self.ended.inc();
                    tracing::warn!(
                        pid,
                        database,
                        role,
                        application,
                        seconds,
                        "ended a session that was idle in a transaction and held the read models back"
                    );
                }
                Fate::NotPermitted => {
                    not_permitted += 1;
                    tracing::warn!(
                        pid,
                        database,
                        role,
                        application,
                        seconds,
                        "a session is idle in a transaction and holds the read models back; this role may not end it"
                    );
                }
                Fate::WentOn => {}
            }
        }
        self.not_permitted.set(not_permitted);
        Ok(())
    }
}
