//! What a resident sees of a case.

use askama::Template;
use chrono::{DateTime, Utc};

use super::{Due, Errors, HeldRow, Kind, LedgerRow, Photo, TimelineEntry, Tone, Ui};

/// `/case`. Posts `csrf`, `number`, `secret`.
#[derive(Debug, Clone, Template)]
#[template(path = "lookup.html")]
pub struct LookupPage {
    pub ui: Ui,
    pub errors: Errors,
    pub number: String,
}

/// The written answer with its evidence.
#[derive(Debug, Clone)]
pub struct ResultView {
    pub at: DateTime<Utc>,
    pub office: String,
    pub words: String,
    /// Evidence and the after-photo.
    pub photos: Vec<Photo>,
    /// Why there is no after-photo.
    pub why_no_photo: Option<String>,
}

/// A verdict that was given.
#[derive(Debug, Clone)]
pub struct RatingView {
    pub verdict: String,
    pub score: u8,
    pub score_words: String,
    pub reason: Option<String>,
}

/// The one trip staff ask of the resident.
#[derive(Debug, Clone)]
pub struct TripView {
    pub to_place: String,
    pub reason: String,
    pub at: DateTime<Utc>,
}

/// One thing asked of the resident.
#[derive(Debug, Clone)]
pub struct MaterialRow {
    /// Kind of material; part of the field names `item_<id>_words` and `item_<id>_photo`.
    pub id: String,
    pub label: String,
    /// What staff wrote about it.
    pub words: Option<String>,
    /// What the resident typed before the form came back.
    pub typed: String,
}

/// Posts multipart to `/case/{number}/materials`: `csrf`, per item `item_<id>_words` and `item_<id>_photo`,
/// and `words`.
#[derive(Debug, Clone)]
pub struct MaterialsForm {
    pub items: Vec<MaterialRow>,
    pub until: DateTime<Utc>,
    pub words: String,
}

/// Posts to `/case/{number}/rate`: `csrf`, `verdict` (`solved`, `partly`, `not_solved`), `score` (1 to 5),
/// `reason`.
#[derive(Debug, Clone)]
pub struct RateForm {
    pub verdict: String,
    pub score: u8,
    pub reason: String,
    pub until: DateTime<Utc>,
}

/// Posts to `/case/{number}/reopen`: `csrf`, `reason`.
#[derive(Debug, Clone)]
pub struct ReopenForm {
    pub reason: String,
    pub until: DateTime<Utc>,
}

/// Posts to `/case/{number}/review`: `csrf`, `reason`. The keys say whether it is the review or the final one.
#[derive(Debug, Clone)]
pub struct ReviewForm {
    pub title: &'static str,
    pub text: &'static str,
    pub reason: String,
    pub until: DateTime<Utc>,
    /// In how many days it is answered.
    pub days: u32,
}

/// `/case/{number}`. Further forms: `/case/{number}/supplement` (multipart: `csrf`, `idempotency_key`, `words`,
/// `photo`), `/case/{number}/withdraw` (`csrf`, `reason`), `/case/leave` (`csrf`).
#[derive(Debug, Clone, Template)]
#[template(path = "case.html")]
pub struct ResidentCasePage {
    pub ui: Ui,
    /// Field names carry the act: `rate-reason`, `reopen-reason`, `withdraw-reason`, `supplement-words`,
    /// `materials-<id>`, `materials-words`.
    pub errors: Errors,
    pub number: String,
    pub idempotency_key: String,
    pub kind: Kind,
    pub category: String,
    pub place: String,
    pub words: String,
    pub photos: Vec<Photo>,
    pub status: String,
    pub tone: Tone,
    /// Who has it now: an office, the resident, or nobody any more.
    pub holder: String,
    /// The next legal dates.
    pub dues: Vec<Due>,
    pub result: Option<ResultView>,
    pub rating: Option<RatingView>,
    pub trip: Option<TripView>,
    pub timeline: Vec<TimelineEntry>,
    pub ledger: Vec<LedgerRow>,
    pub materials: Option<MaterialsForm>,
    pub rate: Option<RateForm>,
    pub reopen: Option<ReopenForm>,
    pub review: Option<ReviewForm>,
    /// How long each has had it.
    pub held: Vec<HeldRow>,
    pub may_supplement: bool,
    pub may_withdraw: bool,
    pub supplement_words: String,
    pub withdraw_reason: String,
    /// What was written into a form that is not there any more.
    pub unsent: Vec<String>,
    /// What has just been done, for the page after a post.
    pub done: Option<String>,
}

impl ResidentCasePage {
    /// Scores with their words, best first.
    pub fn scores(&self) -> [u8; 5] {
        [5, 4, 3, 2, 1]
    }

    pub fn verdicts(&self) -> [&'static str; 3] {
        ["solved", "partly", "not_solved"]
    }
}
