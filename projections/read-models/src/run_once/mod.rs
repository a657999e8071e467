//! The run-once ledger (只跑一次): an inline projection, written in the transaction of the append, whose constraints
//! refuse the second filing, trip or request whatever races.

mod project;
mod query;

pub use project::RunOnceLedger;
pub use query::{
    Breach, Earlier, Held, Ledger, MEMBERS_MAX, Merge, Together, breach_counts, breaches, earlier,
    held_papers, ledger, open_merges, together,
};

use self::project::{Numbered, Writing};
use crate::fold::read_events;
use async_trait::async_trait;
use onetrip_event_log::{Appending, InlineProjection, LoggedEvent, Statement};
use onetrip_model::{Case, CaseId, Refusal, case::RunOnceLimit};
use onetrip_runner::{LockedRebuild, ProjectionError};
use sqlx::PgConnection;

pub const NAME: &str = "run_once";

#[async_trait]
impl InlineProjection<Case> for RunOnceLedger {
    fn beside(&self, events: &[Appending<'_, Case>], statement: &mut Statement) -> bool {
        self.write_beside(&numbered(events), statement)
    }

    async fn project(
        &self,
        connection: &mut PgConnection,
        events: &[Appending<'_, Case>],
    ) -> Result<(), sqlx::Error> {
        self.write(connection, &numbered(events), Writing::Append).await
    }

    async fn explain(
        &self,
        connection: &mut PgConnection,
        constraint: &str,
        events: &[Appending<'_, Case>],
    ) -> Result<Option<Refusal>, sqlx::Error> {
        let refusal = match constraint {
            "run_once_trips" => Refusal::RunOnceLimitReached {
                limit: RunOnceLimit::Trip,
            },
            "run_once_material_requests" => Refusal::RunOnceLimitReached {
                limit: RunOnceLimit::MaterialRequest,
            },
            "run_once_nothing_held_is_asked" => Refusal::RunOnceLimitReached {
                limit: RunOnceLimit::HeldPaper,
            },
            "run_once_hand_over_has_taker" => Refusal::NotOffered,
            "run_once_merges_are_flat" => Refusal::MergedOtherwise,
            "run_once_finally_reviewed" => Refusal::FinallyReviewed,
            "run_once_one_open_filing" => {
                let open = query::open_filing(connection, events).await?;
                return Ok(open.map(|case| Refusal::SameMatterOpen { case: CaseId(case) }));
            }
            _ => return Ok(None),
        };
        Ok(Some(refusal))
    }
}

fn numbered<'a>(events: &'a [Appending<'_, Case>]) -> Vec<Numbered<'a>> {
    let events = events.iter().filter_map(|appending| {
        Some((
            appending.aggregate_id.parse().ok()?,
            appending.sequence,
            appending.event,
        ))
    });
    events.collect()
}

/// The ledger is written by appends, not by a runner: a rebuild keeps them waiting and reads everything committed.
#[async_trait]
impl LockedRebuild for RunOnceLedger {
    fn aggregate_type(&self) -> &'static str {
        "case"
    }

    fn tables(&self) -> &'static [&'static str] {
        &[
            "run_once_breaches",
            "run_once_paper_asks",
            "run_once_held_papers",
            "run_once_cases",
            "run_once_matters",
            "run_once_merges",
        ]
    }

    async fn lock(&self, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        // Every event that changes the ledger first takes a row lock here.
        sqlx::query(
            "LOCK TABLE run_once_matters, run_once_cases, run_once_held_papers, run_once_paper_asks,
                        run_once_breaches, run_once_merges IN SHARE ROW EXCLUSIVE MODE",
        )
        .execute(connection)
        .await?;
        Ok(())
    }

    async fn fold(&self, connection: &mut PgConnection, page: &[LoggedEvent]) -> Result<(), ProjectionError> {
        let records = read_events(page)?;
        let events: Vec<_> = records
            .iter()
            .map(|record| (record.case_id, record.sequence.unsigned_abs(), &*record.event))
            .collect();
        Ok(self.write(connection, &events, Writing::Rebuild).await?)
    }

    async fn finish(&self, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        self.open_unclosed(connection).await
    }
}
