//! Case file: the head of each case and its timeline, as residents and staff see them. Private parts stay sealed;
//! whoever shows them opens them with the vault.

mod project;
mod query;

pub use query::{CaseFile, TimelineEntry, answered_or_ended, by_id, by_number, by_source, list, timeline};

use crate::fold::{apply_rows, fill_rows, read_events, warm};
use async_trait::async_trait;
use onetrip_event_log::LoggedEvent;
use onetrip_runner::{Projection, ProjectionError};
use sqlx::PgConnection;

const TIMELINE: &str = "case_timeline";

pub const NAME: &str = "case_file";

pub struct CaseFiles;

#[async_trait]
impl Projection for CaseFiles {
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
        &["case_files", TIMELINE]
    }

    async fn apply(
        &self,
        connection: &mut PgConnection,
        page: &[LoggedEvent],
    ) -> Result<(), ProjectionError> {
        let records = read_events(page)?;
        apply_rows::<project::FileFold>(connection, &records).await?;
        project::timeline(&records)?
            .insert_missing(connection, TIMELINE)
            .await?;
        Ok(())
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
        let records = read_events(histories)?;
        fill_rows::<project::FileFold>(connection, &records).await?;
        project::timeline(&records)?.copy(connection, TIMELINE).await?;
        Ok(())
    }
}
