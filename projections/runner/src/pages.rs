//! Pages of the log, read and taken apart once for all runners of a process: they follow it closely, one beside the other.

use crate::runner::Projection;
use onetrip_event_log::{Cursor, Horizon, LoggedEvent, read_page};
use sqlx::PgConnection;
use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::sync::Mutex;

/// Pages kept, and for how long: who comes later reads for itself.
const KEPT: usize = 4;
const KEPT_FOR: Duration = Duration::from_secs(1);

/// A page, and how long ago it was read.
pub(crate) struct Page {
    pub events: Arc<Vec<LoggedEvent>>,
    pub age: Duration,
}

struct Read {
    kind: &'static str,
    after: Cursor,
    at: Instant,
    events: Arc<Vec<LoggedEvent>>,
}

/// The newest pages. What is settled in the log never changes, so they are what anybody would read.
#[derive(Default)]
pub(crate) struct Pages {
    recent: Mutex<VecDeque<Read>>,
}

impl Pages {
    /// The page after a cursor, of at most `limit` events, which is the same for all who share pages. Who asks while
    /// another one reads it gets it from them.
    pub async fn read(
        &self,
        connection: &mut PgConnection,
        projection: &dyn Projection,
        after: Cursor,
        limit: i64,
    ) -> Result<Page, sqlx::Error> {
        let kind = projection.aggregate_type();
        let mut recent = self.recent.lock().await;
        recent.retain(|read| read.at.elapsed() < KEPT_FOR);
        let known = recent
            .iter()
            .find(|read| (read.kind, read.after) == (kind, after));
        if let Some(read) = known {
            return Ok(Page {
                events: Arc::clone(&read.events),
                age: read.at.elapsed(),
            });
        }
        let at = Instant::now();
        let events = Arc::new(read_page(connection, kind, after, limit, Horizon::Settled).await?);
        projection.warm(&events);
        if !events.is_empty() {
            let events = Arc::clone(&events);
            recent.truncate(KEPT - 1);
            recent.push_front(Read {
                kind,
                after,
                at,
                events,
            });
        }
        Ok(Page {
            events,
            age: Duration::ZERO,
        })
    }
}
