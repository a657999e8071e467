//! Tasks that each do one thing after the other, until the time is up.

use crate::cpu::Spent;
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

/// What one measurement came to.
#[derive(Clone, Copy, Debug)]
pub struct Figures {
    pub per_second: f64,
    /// Milliseconds.
    pub p50: f64,
    /// Milliseconds.
    pub p99: f64,
    pub failed: u64,
    pub commands: usize,
    /// By all of them together.
    pub spent: Spent,
    /// Commands that shared a transaction, on average; only where that was counted.
    pub shared: Option<f64>,
}

impl Figures {
    /// Of latencies in microseconds.
    pub fn of(mut latencies: Vec<u64>, failed: u64, took: Duration) -> Figures {
        latencies.sort_unstable();
        let at = |share: f64| {
            let place = (latencies.len() as f64 * share) as usize;
            latencies
                .get(place.min(latencies.len().saturating_sub(1)))
                .copied()
                .unwrap_or(0) as f64
                / 1000.0
        };
        Figures {
            per_second: latencies.len() as f64 / took.as_secs_f64(),
            p50: at(0.5),
            p99: at(0.99),
            failed,
            commands: latencies.len(),
            spent: Spent::default(),
            shared: None,
        }
    }
}

/// Runs `work` with the numbers 0, 1, 2 ... in `tasks` tasks. Work that fails is counted, and the first failure shown.
pub async fn drive<W, F, E>(tasks: usize, time: Duration, work: W) -> Figures
where
    W: Fn(u64) -> F + Send + Sync + 'static,
    F: Future<Output = Result<(), E>> + Send,
    E: std::fmt::Display + Send + 'static,
{
    let (work, next) = (Arc::new(work), Arc::new(AtomicU64::new(0)));
    let start = Instant::now();
    let running: Vec<_> = (0..tasks)
        .map(|_| {
            let (work, next) = (Arc::clone(&work), Arc::clone(&next));
            tokio::spawn(async move {
                let (mut latencies, mut failed) = (Vec::new(), 0);
                while start.elapsed() < time {
                    let begun = Instant::now();
                    match work(next.fetch_add(1, Relaxed)).await {
                        Ok(()) => {
                            latencies.push(u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX))
                        }
                        Err(error) => {
                            if failed == 0 {
                                eprintln!("failed: {error}");
                            }
                            failed += 1;
                        }
                    }
                }
                (latencies, failed)
            })
        })
        .collect();
    let (mut latencies, mut failed) = (Vec::new(), 0);
    for task in running {
        if let Ok((some, more)) = task.await {
            latencies.extend(some);
            failed += more;
        }
    }
    Figures::of(latencies, failed, start.elapsed())
}

pub fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}
