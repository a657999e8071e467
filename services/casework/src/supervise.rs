//! What the service does to a case by itself. The case says what that is and that it has been done, so it may be asked for
//! as often as anybody likes, from wherever: no request key is needed for it to happen once.

use crate::{Casework, error::CaseworkError};
use chrono::{DateTime, Utc};
use onetrip_event_log::{LogError, Outcome, Why};
use onetrip_model::{
    By, CaseAct, CaseCommand, CaseId, Channel,
    case::{Due, Filed},
};
use std::sync::Arc;
use uuid::Uuid;

/// Tries before a case that others are changing is left to the next turn.
const TRIES_MAX: usize = 4;

impl Casework {
    /// Does whatever is due on the clocks of a case at `now`, which may be as late as `latest`, and says what that was.
    pub async fn run_clocks(
        &self,
        case: CaseId,
        now: DateTime<Utc>,
        latest: DateTime<Utc>,
    ) -> Result<Vec<Due>, CaseworkError> {
        for _ in 0..TRIES_MAX {
            let (filed, version) = self.newest(case).await?;
            let due = filed.due(now, latest);
            if due.is_empty() {
                return Ok(due);
            }
            match self
                .by_itself(case, CaseAct::RunClocks { latest }, now, version)
                .await
            {
                Ok(Outcome::Appended(_)) => return Ok(due),
                Ok(_) => return Ok(Vec::new()),
                // Another worker has done it, or somebody has gone on with the case.
                Err(CaseworkError::Stale { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Err(CaseworkError::Unavailable(
            "the case is being changed by others".to_owned(),
        ))
    }

    /// Counts the running deadlines of a case anew under today's rules; whether one has moved.
    pub async fn recompute_deadlines(&self, case: CaseId) -> Result<bool, CaseworkError> {
        for _ in 0..TRIES_MAX {
            let (filed, version) = self.newest(case).await?;
            if !filed.deadlines_move(&self.rules, self.now()) {
                return Ok(false);
            }
            match self
                .by_itself(case, CaseAct::RecomputeDeadlines, self.now(), version)
                .await
            {
                Ok(outcome) => return Ok(matches!(outcome, Outcome::Appended(_))),
                Err(CaseworkError::Stale { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Err(CaseworkError::Unavailable(
            "the case is being changed by others".to_owned(),
        ))
    }

    async fn newest(&self, case: CaseId) -> Result<(Box<Filed>, u64), CaseworkError> {
        match self.log.load(&case.to_string()).await? {
            (onetrip_model::Case::Filed(filed), version) => Ok((filed, version)),
            (onetrip_model::Case::Unfiled, _) => Err(CaseworkError::NotFound),
        }
    }

    async fn by_itself(
        &self,
        case: CaseId,
        act: CaseAct,
        at: DateTime<Utc>,
        version: u64,
    ) -> Result<Outcome, CaseworkError> {
        let command = CaseCommand {
            at,
            by: By::Service,
            channel: Channel::Service,
            rules: Arc::clone(&self.rules),
            act,
        };
        let why = Why::request(Uuid::now_v7());
        let outcome = self
            .log
            .execute(&case.to_string(), command, Some(version), &why, None, None)
            .await;
        outcome.map_err(|error: LogError<_>| error.into())
    }
}
