use super::event::RunOnceLimit;
use crate::primitives::{CaseId, CaseNumber};
use chrono::{DateTime, Utc};

/// Why a command was refused. Each has a stable code that pages and the API translate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("there is no such case")]
    NoSuchCase,
    #[error("the case is already filed")]
    AlreadyFiled,
    #[error("{field} may not be empty")]
    Empty { field: &'static str },
    #[error("{field} may have at most {max} characters")]
    TooLong { field: &'static str, max: usize },
    #[error("unknown {field}")]
    Unknown { field: &'static str },
    #[error("a score is a whole number from 1 to 5")]
    ScoreOutOfRange,
    #[error("the case is not at a stage where this can be done")]
    WrongStage,
    #[error("the case has ended")]
    Ended,
    #[error("\"not ours\" could be said until {until}")]
    ObjectionTooLate { until: DateTime<Utc> },
    #[error("the case has not been offered to this unit")]
    NotOffered,
    #[error("the case cannot be handed to the unit that holds it")]
    SameHolder,
    #[error("{limit:?}: the limit of the run-once rule is reached")]
    RunOnceLimitReached { limit: RunOnceLimit },
    #[error("materials may be requested only until {until}")]
    RequestTooLate { until: DateTime<Utc> },
    #[error("{kind} is already held in case {held_in}")]
    AlreadyHeld { kind: String, held_in: CaseNumber },
    #[error("this limit is not reached: there is nothing to waive")]
    NothingToWaive,
    #[error("the resident may still answer until {until}")]
    StillWaiting { until: DateTime<Utc> },
    #[error("a matter with a place needs an after-photo or the reason why there is none")]
    PlaceProofMissing,
    #[error("'not solved' needs a reason")]
    ReasonMissing,
    #[error("the result has been rated; ratings are kept, never overwritten")]
    AlreadyRated,
    #[error("the window for rating and reopening ended at {ended_at}")]
    WindowEnded { ended_at: DateTime<Utc> },
    #[error("the limit has been extended before")]
    AlreadyExtended,
    #[error("{field} must be from {min} to {max}")]
    OutOfRange { field: &'static str, min: u32, max: u32 },
    #[error("{field} has passed")]
    Past { field: &'static str },
    #[error("an earlier promise is still to be kept")]
    PromiseOpen,
    #[error("this is for somebody else than who did it before")]
    SomebodyElse,
    #[error("the matter has had its final review")]
    FinallyReviewed,
    #[error("to this case no more can be added in writing")]
    SupplementsFull,
    #[error("a case cannot be merged into itself")]
    MergedWithItself,
    /// Raised where the append happens, by the run-once ledger.
    #[error("a case that others are merged into, or that is merged itself, stands in the way")]
    MergedOtherwise,
    #[error("the window for rating is open until {until}")]
    WindowOpen { until: DateTime<Utc> },
    /// Raised where the append happens, by the run-once ledger.
    #[error("the same matter of the same resident is open as another case")]
    SameMatterOpen { case: CaseId },
}

impl Refusal {
    /// The stable code: `refusal-{code}` in the catalogues, the problem type in the API.
    pub fn code(&self) -> &'static str {
        match self {
            Refusal::NoSuchCase => "no-such-case",
            Refusal::AlreadyFiled => "already-filed",
            Refusal::Empty { .. } => "empty",
            Refusal::TooLong { .. } => "too-long",
            Refusal::Unknown { .. } => "unknown",
            Refusal::ScoreOutOfRange => "score-out-of-range",
            Refusal::WrongStage => "wrong-stage",
            Refusal::Ended => "ended",
            Refusal::ObjectionTooLate { .. } => "objection-too-late",
            Refusal::AlreadyExtended => "already-extended",
            Refusal::OutOfRange { .. } => "out-of-range",
            Refusal::Past { .. } => "past",
            Refusal::PromiseOpen => "promise-open",
            Refusal::SomebodyElse => "somebody-else",
            Refusal::FinallyReviewed => "finally-reviewed",
            Refusal::SupplementsFull => "supplements-full",
            Refusal::MergedWithItself => "merged-with-itself",
            Refusal::MergedOtherwise => "merged-otherwise",
            Refusal::NotOffered => "not-offered",
            Refusal::SameHolder => "same-holder",
            Refusal::RunOnceLimitReached {
                limit: RunOnceLimit::Trip,
            } => "trip-limit",
            Refusal::RunOnceLimitReached {
                limit: RunOnceLimit::MaterialRequest,
            } => "material-request-limit",
            Refusal::RunOnceLimitReached {
                limit: RunOnceLimit::HeldPaper,
            } => "held-paper",
            Refusal::RequestTooLate { .. } => "request-too-late",
            Refusal::AlreadyHeld { .. } => "already-held",
            Refusal::NothingToWaive => "nothing-to-waive",
            Refusal::StillWaiting { .. } => "still-waiting",
            Refusal::PlaceProofMissing => "place-proof-missing",
            Refusal::ReasonMissing => "reason-missing",
            Refusal::AlreadyRated => "already-rated",
            Refusal::WindowEnded { .. } => "window-ended",
            Refusal::WindowOpen { .. } => "window-open",
            Refusal::SameMatterOpen { .. } => "same-matter-open",
        }
    }

    /// The form field at fault, where there is one.
    pub fn field(&self) -> Option<&'static str> {
        match self {
            Refusal::Empty { field }
            | Refusal::TooLong { field, .. }
            | Refusal::OutOfRange { field, .. }
            | Refusal::Past { field }
            | Refusal::Unknown { field } => Some(field),
            Refusal::FinallyReviewed => Some("new_fact"),
            Refusal::ScoreOutOfRange => Some("score"),
            Refusal::PlaceProofMissing => Some("place_proof"),
            Refusal::ReasonMissing => Some("reason"),
            Refusal::AlreadyHeld { .. } => Some("items"),
            _ => None,
        }
    }
}
