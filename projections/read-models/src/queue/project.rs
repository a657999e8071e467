use crate::fold::{CaseRow, due};
use chrono::{DateTime, Utc};
use onetrip_model::{
    CaseEvent, Private,
    case::{CaseSubmitted, Filed, PlaceDetail, Stage},
};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct QueueRow {
    pub open: bool,
    pub place_detail: Option<Private<PlaceDetail>>,
    pub words: Private<String>,
    #[serde(with = "due")]
    pub due_at: Option<DateTime<Utc>>,
    /// `contact`, `result`, `answer` or `verdict`.
    pub due_what: Option<String>,
    pub contact_due_at: Option<DateTime<Utc>>,
}

impl CaseRow for QueueRow {
    const TABLE: &'static str = "queue_entries";

    fn begin(_event: &CaseEvent, submitted: &CaseSubmitted) -> Self {
        QueueRow {
            open: true,
            place_detail: submitted.place.detail.clone(),
            words: submitted.words.clone(),
            due_at: None,
            due_what: None,
            contact_due_at: submitted.contact_due.as_ref().map(|due| due.due_at),
        }
    }

    fn fold(&mut self, _event: &CaseEvent, filed: &Filed) {
        self.open = !filed.stage.has_ended();
        let result = filed.result_due.as_ref().map(|due| due.due_at);
        let contact = self
            .contact_due_at
            .filter(|_| filed.contacted_at.is_none() && filed.rounds == 0);
        let (due_at, what) = match &filed.stage {
            Stage::AwaitingResident { request, .. } => (Some(request.answer_due), "answer"),
            Stage::ResultGiven { rate_until, .. } => (Some(*rate_until), "verdict"),
            Stage::Closed { .. } | Stage::Withdrawn { .. } => (None, "result"),
            _ => match (contact, result) {
                (Some(contact), Some(result)) if contact > result => (Some(result), "result"),
                (Some(contact), _) => (Some(contact), "contact"),
                (None, result) => (result, "result"),
            },
        };
        self.due_what = due_at.map(|_| what.to_owned());
        self.due_at = due_at;
    }
}
