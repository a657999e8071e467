//! The data notice, failures, and the view after a conflict.

use askama::Template;

use super::{Photo, StaffPart, TimelineEntry, Ui};

/// `/privacy`.
#[derive(Debug, Clone, Template)]
#[template(path = "privacy.html")]
pub struct PrivacyPage {
    pub ui: Ui,
}

/// What went wrong, as far as a page may say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// 404, also for what the reader may not know of.
    NotFound,
    /// 403.
    Forbidden,
    /// 403 or 422: the form's token was of another visit, or too old.
    FormExpired,
    /// 409: a rule refused it. Give the refusal's words as `detail`.
    Refused,
    /// 413.
    TooLarge,
    /// 422 with no form to go back to.
    Unreadable,
    /// 429.
    TooMany,
    /// 500.
    Internal,
    /// 503.
    Unavailable,
}

impl ErrorKind {
    /// Ends the catalogue keys `error-title-…` and `error-text-…`, which `Self::title` and `Self::text` give.
    pub fn title(self, ui: &Ui) -> String {
        match self {
            Self::NotFound => ui.t("error-title-not-found"),
            Self::Forbidden => ui.t("error-title-forbidden"),
            Self::FormExpired => ui.t("error-title-form-expired"),
            Self::Refused => ui.t("error-title-refused"),
            Self::TooLarge => ui.t("error-title-too-large"),
            Self::Unreadable => ui.t("error-title-unreadable"),
            Self::TooMany => ui.t("error-title-too-many"),
            Self::Internal => ui.t("error-title-internal"),
            Self::Unavailable => ui.t("error-title-unavailable"),
        }
    }

    pub fn text(self, ui: &Ui) -> String {
        match self {
            Self::NotFound => ui.t("error-text-not-found"),
            Self::Forbidden => ui.t("error-text-forbidden"),
            Self::FormExpired => ui.t("error-text-form-expired"),
            Self::Refused => ui.t("error-text-refused"),
            Self::TooLarge => ui.t("error-text-too-large"),
            Self::Unreadable => ui.t("error-text-unreadable"),
            Self::TooMany => ui.t("error-text-too-many"),
            Self::Internal => ui.t("error-text-internal"),
            Self::Unavailable => ui.t("error-text-unavailable"),
        }
    }
}

/// Every failure that is not a form coming back.
#[derive(Debug, Clone, Template)]
#[template(path = "error.html")]
pub struct ErrorPage {
    pub ui: Ui,
    pub kind: ErrorKind,
    /// Says more, for example a refusal in words.
    pub detail: Option<String>,
    /// For people who call about it.
    pub request_id: Option<String>,
    /// Answers given so far are kept, and this is where they are.
    pub kept_href: Option<String>,
}

/// Something typed into a form that could not be saved.
#[derive(Debug, Clone)]
pub struct TypedField {
    /// Name of the field in the form.
    pub name: String,
    pub label: String,
    pub value: String,
    /// What the value means to a reader, where it is a code; such a field is shown, not edited.
    pub shown: Option<String>,
}

/// 409 after somebody else changed the case meanwhile: what changed, and what was typed, ready to be sent again
/// on top of it. Nothing typed is ever lost.
#[derive(Debug, Clone, Template)]
#[template(path = "conflict.html")]
pub struct ConflictPage {
    pub ui: Ui,
    pub number: String,
    pub case_href: String,
    /// Where the form posts to: the same act.
    pub action: String,
    /// The version the case has now.
    pub version: u64,
    pub idempotency_key: String,
    pub act_label: String,
    pub changed: Vec<TimelineEntry>,
    pub typed: Vec<TypedField>,
    /// Photos of the form that were taken in: evidence, and the one afterwards.
    pub kept: Vec<Photo>,
    pub kept_after: Vec<Photo>,
}

impl ConflictPage {
    pub fn part(&self) -> StaffPart {
        StaffPart::Queue
    }
}
