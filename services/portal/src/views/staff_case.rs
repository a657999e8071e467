//! A case as staff work on it.

use std::collections::BTreeMap;

use askama::Template;
use chrono::{DateTime, Utc};

use super::{
    Choice, Due, Errors, HeldRow, Kind, LedgerRow, Mark, Photo, QueueRow, RatingView, ResultView, StaffPart,
    TimelineEntry, Tone, Ui,
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
    /// Also `promise` (words) and `promise_by` (a day). `shared` where other cases get the same answer.
    Result { place_bound: bool, shared: bool },
    /// No fields.
    Close,
    /// `kind` (`hearing`, `expert`), `notice`.
    LawPause { kinds: Vec<Choice> },
    /// No fields.
    LawPauseEnd,
    /// `days` up to `max`, `reason`.
    Extend { max: u32 },
    /// `units` (several), `reason`.
    Joint { units: Vec<Choice> },
    /// `words`.
    Contribute,
    /// `words`, `evidence` (photos, several); multipart.
    KeepPromise { promised: String },
    /// No fields.
    OwnRating,
    /// `decision` (`upheld`, `changed`, `sent_back`), `words`.
    DecideReview { decisions: Vec<Choice> },
    /// `into` (a number), `reason`.
    Merge,
    /// `into` only says with which. `reason`.
    Unmerge { into: String },
    /// `words`.
    Urge,
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
            Self::LawPause { .. } => "law-pause",
            Self::LawPauseEnd => "law-pause-end",
            Self::Extend { .. } => "extend",
            Self::Joint { .. } => "joint",
            Self::Contribute => "contribute",
            Self::KeepPromise { .. } => "keep-promise",
            Self::OwnRating => "own-rating",
            Self::DecideReview { .. } => "decide-review",
            Self::Merge => "merge",
            Self::Unmerge { .. } => "unmerge",
            Self::Urge => "urge",
        }
    }

    pub fn has_photos(&self) -> bool {
        matches!(self, Self::Result { .. } | Self::KeepPromise { .. })
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
    /// One field filled in beforehand, where there is something to fill in.
    pub fn of_one(id: &str, value: String) -> Self {
        let filled = Some(value).filter(|value| !value.is_empty());
        TypedValues(filled.map(|value| (id.to_owned(), value)).into_iter().collect())
    }

    pub fn of(&self, id: &str) -> &str {
        self.0.get(id).map_or("", String::as_str)
    }

    pub fn is(&self, id: &str, value: &str) -> bool {
        self.of(id) == value
    }

    /// The free texts, which somebody would have to write again.
    fn texts(&self) -> Vec<&str> {
        const FIELDS: [&str; 7] = [
            "-words",
            "-reason",
            "-outside",
            "-to_place",
            "-why_no_photo",
            "-notice",
            "-promise",
        ];
        let is_text = |id: &str| id.contains("-words-") || FIELDS.iter().any(|field| id.ends_with(field));
        self.0
            .iter()
            .filter(|(id, text)| is_text(id) && !text.is_empty())
            .map(|(_, text)| text.as_str())
            .collect()
    }

    /// The waiting photos whose ids are kept under `id`, with commas between.
    pub fn photos(&self, ui: &Ui, id: &str) -> Vec<Photo> {
        waiting_photos(ui, self.of(id).split(',').filter(|id| !id.is_empty()))
    }
}

/// Photos that a member of staff has handed in for no case yet.
pub(crate) fn waiting_photos<'a>(ui: &Ui, ids: impl Iterator<Item = &'a str>) -> Vec<Photo> {
    let photo = |(id, n): (&str, u64)| Photo {
        id: id.to_owned(),
        url: format!("/staff/photo/{id}"),
        alt: ui.t1("photo-n", "n", n),
    };
    ids.zip(1_u64..).map(photo).collect()
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
    /// Other open cases that may be the same matter, the likeliest first; none beside a form that came back.
    pub duplicates: Vec<QueueRow>,
    /// Numbers of the cases that are handled with this one.
    pub members: Vec<String>,
    pub timeline: Vec<TimelineEntry>,
    pub ledger: Vec<LedgerRow>,
    /// How long each has had it.
    pub held: Vec<HeldRow>,
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

    /// What was written for an act that is not offered any more, so that it is not lost.
    pub fn unsent(&self) -> Vec<&str> {
        let offered = |act: &str| {
            let mut sections = self.acts.iter();
            sections.any(|section| section.act.slug() == act && section.refused.is_none())
        };
        match &self.open_act {
            Some(act) if !self.errors.is_empty() && !offered(act) => self.typed.texts(),
            _ => Vec::new(),
        }
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
