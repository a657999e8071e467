//! Pieces that several pages show.

use std::{fmt, str::FromStr};

use chrono::{DateTime, Utc};

use super::Ui;

/// The three kinds of case, as pages and addresses name them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Appeal,
    Suggestion,
    HearingRequest,
}

impl Kind {
    pub const ALL: [Self; 3] = [Self::Appeal, Self::Suggestion, Self::HearingRequest];

    /// As in the domain: `hearing_request`. Also the name of the icon.
    pub fn id(self) -> &'static str {
        match self {
            Self::Appeal => "appeal",
            Self::Suggestion => "suggestion",
            Self::HearingRequest => "hearing_request",
        }
    }

    /// As in addresses and catalogue keys: `hearing-request`.
    pub fn slug(self) -> &'static str {
        match self {
            Self::Appeal => "appeal",
            Self::Suggestion => "suggestion",
            Self::HearingRequest => "hearing-request",
        }
    }

    /// Whether a case of this kind may be about the whole city and no single place.
    pub fn may_lack_place(self) -> bool {
        !matches!(self, Self::Appeal)
    }
}

/// The address names no kind of case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownKind;

impl fmt::Display for UnknownKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a kind of case")
    }
}

impl std::error::Error for UnknownKind {}

impl FromStr for Kind {
    type Err = UnknownKind;

    /// Accepts the slug and the domain's id.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.slug() == text || kind.id() == text)
            .ok_or(UnknownKind)
    }
}

/// One thing to choose in a select or a set of radio buttons.
#[derive(Debug, Clone, Default)]
pub struct Choice {
    pub value: String,
    pub label: String,
    pub chosen: bool,
}

impl Choice {
    pub fn new(value: impl Into<String>, label: impl Into<String>, chosen: bool) -> Self {
        Self {
            value: value.into(),
            label: label.into(),
            chosen,
        }
    }
}

/// Choices under one heading: an `optgroup`, or a group of radio buttons.
#[derive(Debug, Clone, Default)]
pub struct ChoiceGroup {
    pub label: String,
    pub choices: Vec<Choice>,
}

/// A photo that can be shown.
#[derive(Debug, Clone)]
pub struct Photo {
    /// Names it in "remove" buttons.
    pub id: String,
    pub url: String,
    /// What it is, for those who can't see it.
    pub alt: String,
}

/// How a status, an entry or a mark is coloured. Colour never says anything the words don't.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tone {
    #[default]
    Plain,
    /// It moves.
    Active,
    /// It went well.
    Good,
    /// Somebody has to act.
    Warn,
    /// A limit was broken.
    Bad,
}

impl Tone {
    pub fn class(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Active => "active",
            Self::Good => "good",
            Self::Warn => "warn",
            Self::Bad => "bad",
        }
    }
}

/// A deadline with its state.
#[derive(Debug, Clone)]
pub struct Due {
    /// What is due: `clock-contact`, `clock-result` … already in words.
    pub label: String,
    pub started_at: DateTime<Utc>,
    pub due_at: DateTime<Utc>,
    /// When it was met, or missed and then done.
    pub done_at: Option<DateTime<Utc>>,
    /// The clock stands still, for example while the resident is asked.
    pub paused: bool,
    /// Why it is due then, a sentence a step; empty where nothing is to be told.
    pub proof: Vec<String>,
}

/// How pressing a deadline is. The steps are those of the warnings: 50, 80 and 95 per cent of the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DueLevel {
    Met,
    MetLate,
    Paused,
    Calm,
    Half,
    Soon,
    Over,
}

impl DueLevel {
    pub fn class(self) -> &'static str {
        match self {
            Self::Met => "met",
            Self::MetLate => "late",
            Self::Paused => "paused",
            Self::Calm => "calm",
            Self::Half => "half",
            Self::Soon => "soon",
            Self::Over => "over",
        }
    }
}

impl Due {
    pub fn level(&self, now: &DateTime<Utc>) -> DueLevel {
        if let Some(done_at) = self.done_at {
            return if done_at <= self.due_at {
                DueLevel::Met
            } else {
                DueLevel::MetLate
            };
        }
        if self.paused {
            return DueLevel::Paused;
        }
        if *now > self.due_at {
            return DueLevel::Over;
        }
        let whole = (self.due_at - self.started_at).num_seconds().max(1) as f64;
        let gone = (*now - self.started_at).num_seconds() as f64 / whole;
        match gone {
            gone if gone >= 0.8 => DueLevel::Soon,
            gone if gone >= 0.5 => DueLevel::Half,
            _ => DueLevel::Calm,
        }
    }

    /// Whether "time left" changes while somebody looks at it.
    pub fn runs(&self) -> bool {
        self.done_at.is_none() && !self.paused
    }

    /// The state in words: time left, paused, met, or late.
    pub fn state(&self, ui: &Ui) -> String {
        match self.level(&ui.now) {
            DueLevel::Met => ui.t("due-met"),
            DueLevel::MetLate => ui.t("due-met-late"),
            DueLevel::Paused => ui.t("due-paused"),
            _ => ui.time_left(&self.due_at),
        }
    }
}

/// How long somebody has had a case.
#[derive(Debug, Clone)]
pub struct HeldRow {
    pub holder: String,
    /// Such as "3 days" or "5 hours".
    pub time: String,
    /// Has it now.
    pub now: bool,
}

/// One row of the run-once ledger of a case.
#[derive(Debug, Clone)]
pub struct LedgerRow {
    pub label: String,
    pub used: u32,
    pub limit: u32,
    pub breached: bool,
    /// For example who waived the limit and why.
    pub note: Option<String>,
}

/// One event of a case, as a sentence.
#[derive(Debug, Clone)]
pub struct TimelineEntry {
    pub at: DateTime<Utc>,
    pub sentence: String,
    /// The office; never a private name on residents' pages.
    pub office: Option<String>,
    /// What was written, where the reader may see it.
    pub words: Option<String>,
    pub photos: Vec<Photo>,
    pub tone: Tone,
}

/// Where one is in a journey of several pages.
#[derive(Debug, Clone)]
pub struct Steps {
    pub labels: Vec<String>,
    /// Counted from 1.
    pub current: usize,
}

impl Steps {
    /// The four steps of a submission.
    pub fn submission(ui: &Ui, current: usize) -> Self {
        let labels = vec![
            ui.t("step-what"),
            ui.t("step-where"),
            ui.t("step-contact"),
            ui.t("step-check"),
        ];
        Self { labels, current }
    }
}
