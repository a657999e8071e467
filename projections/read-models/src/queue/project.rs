use crate::{
    fold::{CaseRow, json},
    sheet::Sheet,
};
use chrono::{DateTime, Utc};
use onetrip_model::{
    CaseEvent,
    case::{CaseSubmitted, Filed, Stage},
};
use sqlx::{Row, postgres::PgRow};

/// What stays to be folded of a line in the queue; the rest is written once.
pub(super) struct QueueFold {
    open: bool,
    due_at: Option<DateTime<Utc>>,
    due_what: Option<&'static str>,
    contact_due_at: Option<DateTime<Utc>>,
}

impl CaseRow for QueueFold {
    const TABLE: &'static str = "queue_entries";
    // What is open and due follows from the case.
    const COLUMNS: &'static str = "contact_due_at";

    fn begin(_event: &CaseEvent, submitted: &CaseSubmitted) -> Self {
        QueueFold {
            open: true,
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
        self.due_what = due_at.map(|_| what);
        self.due_at = due_at;
    }

    fn read(row: &PgRow, from: usize) -> Result<Self, sqlx::Error> {
        Ok(QueueFold {
            open: true,
            due_at: None,
            due_what: None,
            contact_due_at: row.try_get(from)?,
        })
    }

    fn write_first(
        sheet: &mut Sheet,
        _event: &CaseEvent,
        submitted: &CaseSubmitted,
    ) -> Result<(), serde_json::Error> {
        sheet
            .json("place_detail", json(submitted.place.detail.as_ref())?)
            .json("words", json(Some(&submitted.words))?)
            .instant(
                "contact_due_at",
                submitted.contact_due.as_ref().map(|due| due.due_at),
            );
        Ok(())
    }

    fn write(&self, sheet: &mut Sheet) -> Result<(), serde_json::Error> {
        sheet
            .bool("open", self.open)
            .due("due_at", self.due_at)
            .text("due_what", self.due_what.map(str::to_owned));
        Ok(())
    }
}
