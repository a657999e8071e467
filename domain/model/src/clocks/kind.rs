use serde::{Deserialize, Serialize};

/// What a clock of a case runs for. Several run at once; each is counted by its own rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClockKind {
    /// First real contact with the resident [SZ].
    Contact,
    /// Notice of receipt and path [XF 23].
    Receipt,
    /// Objection to competence, "not ours" [XF 23].
    Objection,
    /// The first result [GD, BJ draft]. Never restarts.
    Result,
    /// The result of what is done again, counted as the first one was.
    Redo,
    /// Outer legal limit, from acceptance [XF 34].
    Legal,
    /// Until when the resident may hand them over.
    Materials,
    /// Rating and reopening, from the notice of the result.
    Rating,
    /// A named bad rating gets an owner.
    RatingOwner,
    /// What a reply promised, on the day it named.
    Promise,
    /// Until when a review may be asked for [XF 35].
    AskReview,
    /// Until when it is decided [XF 35].
    Review,
    /// Until when a final review may be asked for [XF 36].
    AskFinalReview,
    /// Until when it is decided; hearing time is a pause [XF 36].
    FinalReview,
}

impl ClockKind {
    pub const ALL: [ClockKind; 14] = [
        ClockKind::Contact,
        ClockKind::Receipt,
        ClockKind::Objection,
        ClockKind::Result,
        ClockKind::Redo,
        ClockKind::Legal,
        ClockKind::Materials,
        ClockKind::Rating,
        ClockKind::RatingOwner,
        ClockKind::Promise,
        ClockKind::AskReview,
        ClockKind::Review,
        ClockKind::AskFinalReview,
        ClockKind::FinalReview,
    ];

    /// The stable name used in SQL, JSON and catalogue keys.
    pub fn as_str(self) -> &'static str {
        match self {
            ClockKind::Contact => "contact",
            ClockKind::Receipt => "receipt",
            ClockKind::Objection => "objection",
            ClockKind::Result => "result",
            ClockKind::Redo => "redo",
            ClockKind::Legal => "legal",
            ClockKind::Materials => "materials",
            ClockKind::Rating => "rating",
            ClockKind::RatingOwner => "rating_owner",
            ClockKind::Promise => "promise",
            ClockKind::AskReview => "ask_review",
            ClockKind::Review => "review",
            ClockKind::AskFinalReview => "ask_final_review",
            ClockKind::FinalReview => "final_review",
        }
    }
}
