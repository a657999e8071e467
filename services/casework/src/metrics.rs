use prometheus::{HistogramOpts, HistogramVec, IntCounterVec, Opts, Registry};
use std::time::Instant;

/// What this process did with commands.
pub(crate) struct Metrics {
    commands: IntCounterVec,
    seconds: HistogramVec,
}

impl Metrics {
    pub fn register(registry: &Registry) -> Result<Metrics, prometheus::Error> {
        let commands = IntCounterVec::new(
            Opts::new("onetrip_commands_total", "Commands by kind and outcome."),
            &["command", "outcome"],
        )?;
        let seconds = HistogramVec::new(
            HistogramOpts::new(
                "onetrip_command_seconds",
                "Time from a command's arrival to its append, load and decision included.",
            )
            .buckets(vec![
                0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0,
            ]),
            &["command"],
        )?;
        registry.register(Box::new(commands.clone()))?;
        registry.register(Box::new(seconds.clone()))?;
        Ok(Metrics { commands, seconds })
    }

    pub fn count(&self, command: &str, outcome: &str, start: Instant) {
        self.commands.with_label_values(&[command, outcome]).inc();
        self.seconds
            .with_label_values(&[command])
            .observe(start.elapsed().as_secs_f64());
    }
}
