//! Signing in, the queue, and filing for a resident.

use askama::Template;

use super::{Choice, ChoiceGroup, Due, Errors, Kind, Photo, StaffPart, Tone, Ui};

/// `/staff/sign-in`. Posts `csrf`, `login`, `password`, `next`.
#[derive(Debug, Clone, Template)]
#[template(path = "staff_sign_in.html")]
pub struct SignInPage {
    pub ui: Ui,
    pub errors: Errors,
    pub login: String,
    /// Where to go afterwards; an address of ours.
    pub next: String,
}

/// A filter that can be tapped: its address is the list with it on, or with it off again.
#[derive(Debug, Clone)]
pub struct FilterChip {
    pub label: String,
    pub href: String,
    pub on: bool,
    pub count: Option<u64>,
}

/// Filters of one sort, for example by status.
#[derive(Debug, Clone)]
pub struct FilterGroup {
    pub label: String,
    pub chips: Vec<FilterChip>,
}

/// A short mark on a row: "trip asked", "reopened".
#[derive(Debug, Clone)]
pub struct Mark {
    pub label: String,
    pub tone: Tone,
}

/// One case in a list.
#[derive(Debug, Clone)]
pub struct QueueRow {
    pub number: String,
    pub href: String,
    pub kind: Kind,
    pub category: String,
    pub place: String,
    /// The first words of what the resident wrote; empty where the reader may not see them.
    pub words: String,
    pub status: String,
    pub tone: Tone,
    /// The most pressing deadline.
    pub due: Option<Due>,
    pub marks: Vec<Mark>,
    /// The form that has the case at hand handled with this one, filled in.
    pub merge_href: Option<String>,
}

/// `/staff`. Search goes by `GET /staff?q=`.
#[derive(Debug, Clone, Template)]
#[template(path = "staff_queue.html")]
pub struct QueuePage {
    pub ui: Ui,
    /// Whose cases: mine, my contact district, my unit, all in my area.
    pub scopes: Vec<FilterChip>,
    pub filters: Vec<FilterGroup>,
    /// Typed into the search.
    pub q: String,
    pub rows: Vec<QueueRow>,
    pub total: u64,
    pub overdue: u64,
    /// Due within three working days.
    pub due_soon: u64,
    /// Back to the first page, on any later one.
    pub first_href: Option<String>,
    pub next_href: Option<String>,
}

impl QueuePage {
    pub fn part(&self) -> StaffPart {
        StaffPart::Queue
    }

    pub fn filtered(&self) -> bool {
        self.filters
            .iter()
            .flat_map(|group| &group.chips)
            .any(|chip| chip.on)
    }
}

/// `/staff/file/{kind}`: a clerk files for somebody at the counter. Posts multipart: `csrf`, `idempotency_key`,
/// `kept_photo` (several), `category`, `text`, `street`, `community`, `place`, `whole_city`, `name`,
/// `phone`, `unnamed`, `photo`, and `act` = `send` or `communities`.
#[derive(Debug, Clone, Template)]
#[template(path = "staff_file.html")]
pub struct FilePage {
    pub ui: Ui,
    pub errors: Errors,
    pub kind: Kind,
    pub kinds: [Kind; 3],
    pub idempotency_key: String,
    pub categories: Vec<ChoiceGroup>,
    pub text: String,
    pub text_max: u32,
    /// What is new, asked only where the matter has had its final review.
    pub new_fact: Option<String>,
    pub streets: Vec<ChoiceGroup>,
    pub communities: Vec<Choice>,
    pub place: String,
    pub place_max: u32,
    pub whole_city: bool,
    pub name: String,
    pub name_max: u32,
    pub phone: String,
    pub unnamed: bool,
    /// Photos taken in before the form came back.
    pub photos: Vec<Photo>,
    pub photos_max: u32,
}

impl FilePage {
    pub fn part(&self) -> StaffPart {
        StaffPart::File
    }
}

/// What the clerk hands over once the case is filed.
#[derive(Debug, Clone, Template)]
#[template(path = "staff_filed.html")]
pub struct FiledPage {
    pub ui: Ui,
    pub number: String,
    /// In groups of four. `None` where the same matter was open already: who filed it has its secret.
    pub secret: Option<String>,
    pub case_href: String,
    /// The empty form, for the next resident.
    pub file_href: String,
}

impl FiledPage {
    pub fn part(&self) -> StaffPart {
        StaffPart::File
    }
}

/// `/staff` for who sees no case.
#[derive(Debug, Clone, Template)]
#[template(path = "staff_start.html")]
pub struct StartPage {
    pub ui: Ui,
}

impl StartPage {
    pub fn part(&self) -> StaffPart {
        StaffPart::Queue
    }
}
