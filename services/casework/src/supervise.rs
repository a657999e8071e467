//! What the service does to a case by itself. The case says what that is and that it has been done, so it may be asked for
//! as often as anybody likes, from wherever: no request key is needed for it to happen once.

use crate::{Casework, error::CaseworkError};
use chrono::{DateTime, Utc};
use onetrip_event_log::{LogError, Outcome, Why};
use onetrip_model::{
    By, CaseAct, CaseCommand, CaseId, Channel,
    case::{Due, Filed},
};
use uuid::Uuid;

impl Casework {
    /// Does whatever is due on the clocks of a case at `now`, which may be as late as `latest`, and says what that was.
    pub async fn run_clocks(
        &self,
        case: CaseId,
        now: DateTime<Utc>,
        latest: DateTime<Utc>,
    ) -> Result<Vec<Due>, CaseworkError> {
        let due = self.newest(case).await?.due(now, latest);
        if due.is_empty() {
            return Ok(due);
        }
        // Decided on the case as it is then: another worker may have done it, or somebody have gone on with the case.
        match self.by_itself(case, CaseAct::RunClocks { latest }, now).await? {
            Outcome::Appended(_) => Ok(due),
            _ => Ok(Vec::new()),
        }
    }

    /// Counts the running deadlines of a case anew under today's rules; whether one has moved.
    pub async fn recompute_deadlines(&self, case: CaseId) -> Result<bool, CaseworkError> {
        let now = self.now();
        if !self.newest(case).await?.deadlines_move(&self.rules, now) {
            return Ok(false);
        }
        let outcome = self.by_itself(case, CaseAct::RecomputeDeadlines, now).await?;
        Ok(matches!(outcome, Outcome::Appended(_)))
    }

    async fn newest(&self, case: CaseId) -> Result<Box<Filed>, CaseworkError> {
        match self.log.load(&case.to_string()).await? {
            (onetrip_model::Case::Filed(filed), _) => Ok(filed),
            (onetrip_model::Case::Unfiled, _) => Err(CaseworkError::NotFound),
        }
    }

    async fn by_itself(
        &self,
        case: CaseId,
        act: CaseAct,
        at: DateTime<Utc>,
    ) -> Result<Outcome, CaseworkError> {
        let command = CaseCommand {
            at,
            ..self.case_command(act, By::Service, Channel::Service)
        };
        let why = Why::request(Uuid::now_v7());
        let outcome = self
            .log
            .execute(&case.to_string(), command, None, &why, None, None)
            .await;
        outcome.map_err(|error: LogError<_>| error.into())
    }
}
