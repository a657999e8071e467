//! The contact-district queue: open cases by time left.

mod near;
mod project;
mod query;

pub use near::{Near, near};
pub use query::{
    ActsCursor, Counts, Mine, QueueCursor, QueueEntry, QueueFilter, acts_late_by, count, counts,
    on_the_clock, page, raised_early, to_act_on,
};

use crate::fold::{apply_rows, fill_rows, read_events, warm};
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
        5
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
        apply_rows::<project::QueueFold>(connection, &read_events(page)?).await
    }

    fn warm(&self, page: &[LoggedEvent]) {
        warm(page);
    }

    fn fills(&self) -> bool {
        true
    }

    async fn fill(
        &self,
        connection: &mut PgConnection,
        histories: &[LoggedEvent],
    ) -> Result<(), ProjectionError> {
        fill_rows::<project::QueueFold>(connection, &read_events(histories)?).await
    }
}
