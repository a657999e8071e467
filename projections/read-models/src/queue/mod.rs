//! The contact-district queue: open cases by time left.

mod project;
mod query;

pub use query::{Counts, Mine, QueueCursor, QueueEntry, QueueFilter, count, counts, page};

use crate::fold::{apply_rows, read_events};
use async_trait::async_trait;
use onetrip_event_log::LoggedEvent;
use onetrip_runner::{Projection, ProjectionError};
use sqlx::PgConnection;

pub const NAME: &str = "queue";

pub struct Queue;

#[async_trait]
impl Projection for Queue {
    fn name(&self) -> &'static str {
        NAME
    }

    fn version(&self) -> i32 {
        2
    }

    fn aggregate_type(&self) -> &'static str {
        "case"
    }

    fn tables(&self) -> &'static [&'static str] {
        &["queue_entries"]
    }

    async fn apply(
        &self,
        connection: &mut PgConnection,
        page: &[LoggedEvent],
    ) -> Result<(), ProjectionError> {
        apply_rows::<project::QueueRow>(connection, &read_events(page)?).await
    }
}
