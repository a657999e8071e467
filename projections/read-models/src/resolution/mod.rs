//! Resolution times and the figures of the supervisor's board.

mod project;
mod query;

pub use query::{BoardFilter, BoardRow, CaseRef, Grouping, Paging, board, cases};

use crate::fold::{apply_rows, fill_rows, read_events, warm};
use async_trait::async_trait;
use onetrip_event_log::LoggedEvent;
use onetrip_runner::{Projection, ProjectionError};
use sqlx::PgConnection;

pub const NAME: &str = "resolution";

pub struct Resolution;

#[async_trait]
impl Projection for Resolution {
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
        &["resolution_cases"]
    }

    async fn apply(
        &self,
        connection: &mut PgConnection,
        page: &[LoggedEvent],
    ) -> Result<(), ProjectionError> {
        apply_rows::<project::ResolutionFold>(connection, &read_events(page)?).await
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
        fill_rows::<project::ResolutionFold>(connection, &read_events(histories)?).await
    }
}
