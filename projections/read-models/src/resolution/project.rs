use crate::fold::CaseRow;
use chrono::{DateTime, Utc};
use onetrip_model::{
    CaseEvent, CaseFact,
    case::{CaseSubmitted, Filed},
};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ResolutionRow {
    pub source_system: Option<String>,
    pub observed_until: Option<DateTime<Utc>>,
    pub contact_due_at: Option<DateTime<Utc>>,
    pub contacted_at: Option<DateTime<Utc>>,
    pub first_due_at: Option<DateTime<Utc>>,
    pub first_result_at: Option<DateTime<Utc>>,
    pub result_at: Option<DateTime<Utc>>,
    pub closed_at: Option<DateTime<Utc>>,
    pub withdrawn_at: Option<DateTime<Utc>>,
    pub asked_at: Option<DateTime<Utc>>,
    pub rated_at: Option<DateTime<Utc>>,
    pub reopened_at: Option<DateTime<Utc>>,
    pub first_ended_at: Option<DateTime<Utc>>,
    pub verdict: Option<String>,
    pub score: Option<i16>,
}

impl CaseRow for ResolutionRow {
    const TABLE: &'static str = "resolution_cases";

    fn begin(_event: &CaseEvent, submitted: &CaseSubmitted) -> Self {
        ResolutionRow {
            source_system: submitted.source.as_ref().map(|source| source.system.clone()),
            observed_until: submitted.source.as_ref().map(|source| source.observed_until),
            contact_due_at: submitted.contact_due.as_ref().map(|due| due.due_at),
            contacted_at: None,
            first_due_at: submitted.result_due.as_ref().map(|due| due.due_at),
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
        match &event.fact {
            // While the resident is asked, the clock of the first result stands still; the end of the pause says when it
            // is due. A limit that had already fallen stays where it fell.
            CaseFact::MaterialsRequested { .. } if self.first_result_at.is_none() => {
                self.first_due_at = self.first_due_at.filter(|due| *due < event.at);
            }
            // A pause moves the first clock only while there is no first result.
            CaseFact::MaterialsAnswered { result_due, .. } | CaseFact::SilenceRecorded { result_due }
                if self.first_result_at.is_none() =>
            {
                self.first_due_at = result_due.as_ref().map(|due| due.due_at);
            }
            CaseFact::ResultGiven { .. } => {
                self.first_result_at = self.first_result_at.or(Some(event.at));
                self.result_at = Some(event.at);
                // Nobody asks the residents of another system.
                self.asked_at = self.source_system.is_none().then_some(event.at);
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
            CaseFact::CaseClosed { .. } => {
                self.closed_at = Some(event.at);
                self.first_ended_at = self.first_ended_at.or(Some(event.at));
            }
            CaseFact::CaseWithdrawn { .. } => self.withdrawn_at = Some(event.at),
            _ => {}
        }
    }
}
