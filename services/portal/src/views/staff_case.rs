//! A case as staff work on it.

use std::collections::BTreeMap;

use askama::Template;
use chrono::{DateTime, Utc};

use super::{
    Choice, Due, Errors, Kind, LedgerRow, Mark, Photo, RatingView, ResultView, StaffPart, TimelineEntry,
    Tone, Ui,
};

/// How to reach the resident, where this reader may know.
#[derive(Debug, Clone)]
pub struct ResidentContact {
    pub name: Option<String>,
    pub phone: String,
}

/// Something this person can do with the case, with what its form needs. Each posts to
/// `/staff/case/{number}/{slug}` with `csrf`, `version`, `idempotency_key` and the fields named here.
#[derive(Debug, Clone)]
pub enum Act {
    /// No fields.
    Accept,
    /// `next_owner` (a unit, or `outside`), `outside` (words), `reason`.
    Decline { owners: Vec<Choice> },
    /// `contact_cadre`, `unit`.
    Assign { cadres: Vec<Choice>, units: Vec<Choice> },
    /// `kind` (`contact`, `progress`, `call_back`), `reached` (`yes`, `no`), `words`.
    FollowUp { kinds: Vec<Choice> },
    /// `items` (several kinds of material), `words_<kind>`.
    Materials {
        kinds: Vec<Choice>,
        until: Option<DateTime<Utc>>,
    },
    /// `to_place`, `reason`.
    Trip,
    /// `limit`, `reason`.
    Waive { limits: Vec<Choice> },
    /// `unit`, `reason`.
    HandOver { units: Vec<Choice> },
    /// `from` only says who offers. No fields.
    TakeOver { from: String },
    /// `reason`.
    Return,
    /// `to` only says who has not answered. `reason`.
    TakeBack { to: String },
    /// `words`, `evidence` (photos, several), `after_photo`, `why_no_photo`; multipart.
    Result { place_bound: bool },
    /// No fields.
    Close,
}

impl Act {
    /// Last part of the address, beginning of the ids of its fields, and end of its catalogue keys `act-…`.
    pub fn slug(&self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::Decline { .. } => "decline",
            Self::Assign { .. } => "assign",
            Self::FollowUp { .. } => "follow-up",
            Self::Materials { .. } => "materials",
            Self::Trip => "trip",
            Self::Waive { .. } => "waive",
            Self::HandOver { .. } => "hand-over",
            Self::TakeOver { .. } => "take-over",
            Self::Return => "return",
            Self::TakeBack { .. } => "take-back",
            Self::Result { .. } => "result",
            Self::Close => "close",
        }
    }
}

/// An act, or the reason why it can't be done now.
#[derive(Debug, Clone)]
pub struct ActSection {
    pub act: Act,
    /// Shown instead of the form: a refusal in words, naming the rule.
    pub refused: Option<String>,
}

/// What was typed into an act's form before it came back, by id: `result-words`.
#[derive(Debug, Clone, Default)]
pub struct TypedValues(pub BTreeMap<String, String>);

impl TypedValues {
    pub fn of(&self, id: &str) -> &str {
        self.0.get(id).map_or("", String::as_str)
    }

    pub fn is(&self, id: &str, value: &str) -> bool {
        self.of(id) == value
    }
}

/// `/staff/case/{number}`; `?act=result` opens that act's section.
#[derive(Debug, Clone, Template)]
#[template(path = "staff_case.html")]
pub struct StaffCasePage {
    pub ui: Ui,
    /// Fields are named by id: `result-words`.
    pub errors: Errors,
    pub number: String,
    pub version: u64,
    pub idempotency_key: String,
    pub kind: Kind,
    /// Of an appeal.
    pub class: Option<String>,
    pub category: String,
    pub place: String,
    pub words: String,
    pub photos: Vec<Photo>,
    pub status: String,
    pub tone: Tone,
    pub marks: Vec<Mark>,
    pub holder: String,
    pub contact_cadre: Option<String>,
    pub unnamed: bool,
    /// `None` where the resident stays unnamed or the reader may not know.
    pub contact: Option<ResidentContact>,
    pub clocks: Vec<Due>,
    pub result: Option<ResultView>,
    pub rating: Option<RatingView>,
    pub timeline: Vec<TimelineEntry>,
    pub ledger: Vec<LedgerRow>,
    /// In the order of use: the first one that isn't refused is the main act in the bar at the bottom.
    pub acts: Vec<ActSection>,
    /// Slug of the act whose section is open.
    pub open_act: Option<String>,
    pub typed: TypedValues,
    /// What has just been done, for the page after a post.
    pub done: Option<String>,
}

impl StaffCasePage {
    pub fn part(&self) -> StaffPart {
        StaffPart::Queue
    }

    pub fn is_open(&self, slug: &str) -> bool {
        self.open_act.as_deref() == Some(slug)
    }

    /// The acts in the bar at the bottom: the first two that can be done.
    pub fn bar(&self) -> Vec<&ActSection> {
        self.acts
            .iter()
            .filter(|section| section.refused.is_none())
            .take(2)
            .collect()
    }
}
