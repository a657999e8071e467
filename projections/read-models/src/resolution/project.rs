use crate::{fold::CaseRow, sheet::Sheet};
use chrono::{DateTime, Utc};
use onetrip_model::{
    CaseEvent, CaseFact,
    case::{CaseSubmitted, Filed, ReviewDecision},
    clocks::ClockKind,
};
use sqlx::{Row, postgres::PgRow};

/// What stays to be folded of a case's times; the rest is written once.
pub(crate) struct ResolutionFold {
    is_imported: bool,
    contacted_at: Option<DateTime<Utc>>,
    first_due_at: Option<DateTime<Utc>>,
    first_result_at: Option<DateTime<Utc>>,
    result_at: Option<DateTime<Utc>>,
    closed_at: Option<DateTime<Utc>>,
    withdrawn_at: Option<DateTime<Utc>>,
    asked_at: Option<DateTime<Utc>>,
    rated_at: Option<DateTime<Utc>>,
    reopened_at: Option<DateTime<Utc>>,
    first_ended_at: Option<DateTime<Utc>>,
    verdict: Option<String>,
    score: Option<i16>,
}

impl CaseRow for ResolutionFold {
    const NAME: &'static str = super::NAME;
    const VERSION: i32 = 6;
    const TABLE: &'static str = "resolution_cases";
    const COLUMNS: &'static str = "source_system IS NOT NULL, contacted_at, first_due_at, first_result_at, result_at,
                                   closed_at, withdrawn_at, asked_at, rated_at, reopened_at, first_ended_at, verdict, score";

    fn begin(submitted: &CaseSubmitted) -> Self {
        ResolutionFold {
            is_imported: submitted.source.is_some(),
            contacted_at: None,
            first_due_at: None,
            first_result_at: None,
            result_at: None,
            closed_at: None,
            withdrawn_at: None,
            asked_at: None,
            rated_at: None,
            reopened_at: None,
            first_ended_at: None,
            verdict: None,
            score: None,
        }
    }

    fn fold(&mut self, event: &CaseEvent, filed: &Filed) {
        self.contacted_at = filed.contacted_at;
        if self.first_result_at.is_none() {
            // While the clock of the first result stands still, the end of the pause says when it is due. A limit that had
            // already fallen stays where it fell.
            self.first_due_at = match filed.clocks.is_paused(ClockKind::Result) {
                true => self.first_due_at.filter(|due| *due < event.at),
                false => filed.due_at(ClockKind::Result),
            };
        }
        match &event.fact {
            CaseFact::ResultGiven { .. } => {
                self.first_result_at = self.first_result_at.or(Some(event.at));
                self.result_at = Some(event.at);
                // Nobody asks the residents of another system.
                self.asked_at = (!self.is_imported).then_some(event.at);
                // Asked anew: what was said of the result before stays in the log.
                self.rated_at = None;
                self.verdict = None;
                self.score = None;
            }
            CaseFact::ResultRated { verdict, score, .. } => {
                self.rated_at = Some(event.at);
                self.verdict = Some(verdict.as_str().to_owned());
                self.score = Some(i16::from(*score));
            }
            CaseFact::CaseReopened { .. } => {
                self.reopened_at = Some(event.at);
                self.first_ended_at = self.first_ended_at.or(Some(event.at));
                self.result_at = None;
                self.closed_at = None;
            }
            CaseFact::ReviewAsked { .. } => self.closed_at = None,
            CaseFact::ReviewDecided {
                decision: ReviewDecision::SentBack,
                ..
            } => {
                self.result_at = None;
                self.closed_at = None;
            }
            CaseFact::CaseClosed { .. } => {
                self.closed_at = Some(event.at);
                self.first_ended_at = self.first_ended_at.or(Some(event.at));
            }
            CaseFact::CaseWithdrawn { .. } => self.withdrawn_at = Some(event.at),
            _ => {}
        }
    }

    fn read(row: &PgRow, from: usize) -> Result<Self, sqlx::Error> {
        Ok(ResolutionFold {
            is_imported: row.try_get(from)?,
            contacted_at: row.try_get(from + 1)?,
            first_due_at: row.try_get(from + 2)?,
            first_result_at: row.try_get(from + 3)?,
            result_at: row.try_get(from + 4)?,
            closed_at: row.try_get(from + 5)?,
            withdrawn_at: row.try_get(from + 6)?,
            asked_at: row.try_get(from + 7)?,
            rated_at: row.try_get(from + 8)?,
            reopened_at: row.try_get(from + 9)?,
            first_ended_at: row.try_get(from + 10)?,
            verdict: row.try_get(from + 11)?,
            score: row.try_get(from + 12)?,
        })
    }

    fn write_first(sheet: &mut Sheet, event: &CaseEvent, submitted: &CaseSubmitted) {
        let source = submitted.source.as_ref();
        sheet
            .text("source_system", source.map(|source| source.system.clone()))
            .instant("observed_until", source.map(|source| source.observed_until))
            .instant(
                "contact_due_at",
                event.deadline(ClockKind::Contact).map(|due| due.due_at),
            );
    }

    fn write(&self, sheet: &mut Sheet) {
        sheet
            .instant("contacted_at", self.contacted_at)
            .instant("first_due_at", self.first_due_at)
            .instant("first_result_at", self.first_result_at)
            .instant("result_at", self.result_at)
            .instant("closed_at", self.closed_at)
            .instant("withdrawn_at", self.withdrawn_at)
            .instant("asked_at", self.asked_at)
            .instant("rated_at", self.rated_at)
            .instant("reopened_at", self.reopened_at)
            .instant("first_ended_at", self.first_ended_at)
            .text("verdict", self.verdict.clone())
            .short("score", self.score);
    }
}
