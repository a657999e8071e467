use crate::{fold::CaseRow, sheet::Sheet};
use chrono::{DateTime, Utc};
use onetrip_model::{
    CaseEvent,
    case::{CaseSubmitted, Filed, ReviewLevel, Stage},
    clocks::ClockKind,
};
use sqlx::postgres::PgRow;

/// What is folded of a line in the queue; all of it follows from the case. The rest is written once.
pub(crate) struct QueueFold {
    open: bool,
    due_at: Option<DateTime<Utc>>,
    due_what: Option<&'static str>,
    acts_at: Option<DateTime<Utc>>,
    raised_at: Option<DateTime<Utc>>,
    escalated_to: Option<&'static str>,
    joinable: bool,
    runs_until: Option<DateTime<Utc>>,
}

impl CaseRow for QueueFold {
    const NAME: &'static str = super::NAME;
    const VERSION: i32 = 7;
    const TABLE: &'static str = "queue_entries";
    const COLUMNS: &'static str = "";

    fn begin(_submitted: &CaseSubmitted) -> Self {
        QueueFold::NOTHING
    }

    fn fold(&mut self, _event: &CaseEvent, filed: &Filed) {
        let (due_what, due_at) = next_due(filed).unzip();
        *self = QueueFold {
            open: filed.is_work(),
            due_at,
            due_what,
            acts_at: filed.acts_at(),
            raised_at: filed.clocks.raised_at(),
            escalated_to: filed.escalated_to().map(|tier| tier.as_str()),
            joinable: filed.is_joinable(),
            runs_until: filed.clocks.runs_until(),
        };
    }

    fn read(_row: &PgRow, _from: usize) -> Result<Self, sqlx::Error> {
        Ok(QueueFold::NOTHING)
    }

    fn write_first(_sheet: &mut Sheet, _event: &CaseEvent, _submitted: &CaseSubmitted) {}

    fn write(&self, sheet: &mut Sheet) {
        sheet
            .bool("open", self.open)
            .due("due_at", self.due_at)
            .text("due_what", self.due_what.map(str::to_owned))
            .due("acts_at", self.acts_at)
            .instant("raised_at", self.raised_at)
            .text("escalated_to", self.escalated_to.map(str::to_owned))
            .bool("joinable", self.joinable)
            .instant("runs_until", self.runs_until);
    }
}

impl QueueFold {
    const NOTHING: QueueFold = QueueFold {
        open: true,
        due_at: None,
        due_what: None,
        acts_at: None,
        raised_at: None,
        escalated_to: None,
        joinable: false,
        runs_until: None,
    };
}

/// What is due next, and when.
fn next_due(filed: &Filed) -> Option<(&'static str, DateTime<Utc>)> {
    let duties = filed
        .duties()
        .map(|clock| (clock.kind.as_str(), clock.deadline.due_at));
    let next = due_at_stage(filed).into_iter().chain(duties);
    next.min_by_key(|(_, due_at)| *due_at)
}

/// What the stage waits for, and until when.
fn due_at_stage(filed: &Filed) -> Option<(&'static str, DateTime<Utc>)> {
    let due = |what, clock| Some((what, filed.due_at(clock)?));
    match &filed.stage {
        Stage::AwaitingResident { .. } => due("answer", ClockKind::Materials),
        Stage::ResultGiven { .. } => due("verdict", ClockKind::Rating),
        Stage::UnderReview {
            level: ReviewLevel::Review,
            ..
        } => due("review", ClockKind::Review),
        Stage::UnderReview {
            level: ReviewLevel::FinalReview,
            ..
        } => due("review", ClockKind::FinalReview),
        Stage::LawPause { .. } | Stage::Closed { .. } | Stage::Withdrawn { .. } => None,
        Stage::Submitted { .. } | Stage::Accepted { .. } | Stage::Handling { .. } | Stage::Merged { .. } => {
            let contact = filed.clocks.running(ClockKind::Contact);
            let contact = contact.map(|clock| ("contact", clock.deadline.due_at));
            let result = filed
                .result_clock()
                .map(|clock| ("result", clock.deadline.due_at));
            contact
                .into_iter()
                .chain(result)
                .min_by_key(|(_, due_at)| *due_at)
        }
    }
}
