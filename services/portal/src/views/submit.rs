//! The four steps of a submission and its confirmation.

use askama::Template;
use chrono::{DateTime, Utc};

use super::{Choice, ChoiceGroup, Errors, Kind, Photo, Steps, Ui};

/// `/submit/{kind}/what`. Posts multipart: `csrf`, `category`, `text`, `new_fact`, `photo` (several), and
/// `act` = `next`, `upload` or `remove:<photo id>`.
#[derive(Debug, Clone, Template)]
#[template(path = "submit_what.html")]
pub struct WhatPage {
    pub ui: Ui,
    pub errors: Errors,
    pub kind: Kind,
    pub steps: Steps,
    pub categories: Vec<ChoiceGroup>,
    pub text: String,
    pub text_max: u32,
    /// What is new, asked only where the matter has had its final review.
    pub new_fact: Option<String>,
    /// Already uploaded; they survive every error.
    pub photos: Vec<Photo>,
    pub photos_max: u32,
}

/// `/submit/{kind}/where`. Posts `csrf`, `street`, `community`, `place`, `whole_city` = `1`, and
/// `act` = `next` or `communities`.
#[derive(Debug, Clone, Template)]
#[template(path = "submit_where.html")]
pub struct WherePage {
    pub ui: Ui,
    pub errors: Errors,
    pub kind: Kind,
    pub steps: Steps,
    /// Streets under their districts.
    pub streets: Vec<ChoiceGroup>,
    /// Of the chosen street; empty until one is chosen.
    pub communities: Vec<Choice>,
    pub place: String,
    pub place_max: u32,
    pub whole_city: bool,
}

/// `/submit/{kind}/contact`. Posts `csrf`, `name`, `phone`, `unnamed` = `1`.
#[derive(Debug, Clone, Template)]
#[template(path = "submit_contact.html")]
pub struct ContactPage {
    pub ui: Ui,
    pub errors: Errors,
    pub kind: Kind,
    pub steps: Steps,
    pub name: String,
    pub name_max: u32,
    pub phone: String,
    pub unnamed: bool,
}

/// One answer with the way back to change it.
#[derive(Debug, Clone)]
pub struct AnswerRow {
    pub label: String,
    pub value: String,
    pub change_href: String,
}

/// An open case of somebody else that may be the same matter, as anybody may know of it.
#[derive(Debug, Clone)]
pub struct SharedChoice {
    /// Posted where it is chosen.
    pub ticket: String,
    pub category: String,
    pub place: String,
    /// A date, in words.
    pub filed_on: String,
    pub progress: String,
}

/// `/submit/{kind}/check`. Posts `csrf`, `idempotency_key`, `with` = the ticket of one of `like_this` or nothing.
#[derive(Debug, Clone, Template)]
#[template(path = "submit_check.html")]
pub struct CheckPage {
    pub ui: Ui,
    pub errors: Errors,
    pub kind: Kind,
    pub steps: Steps,
    pub rows: Vec<AnswerRow>,
    pub photos: Vec<Photo>,
    pub unnamed: bool,
    /// The likeliest first, five at most.
    pub like_this: Vec<SharedChoice>,
    /// Makes a second tap, a reload and a "Back and Send" the same submission.
    pub idempotency_key: String,
}

/// What happens next, and by when.
#[derive(Debug, Clone)]
pub struct NextStep {
    pub what: String,
    pub by: Option<DateTime<Utc>>,
}

/// `/submitted/{number}`.
#[derive(Debug, Clone, Template)]
#[template(path = "submitted.html")]
pub struct SubmittedPage {
    pub ui: Ui,
    /// As people write it down: `8271-5590-3316`.
    pub number: String,
    /// In groups of four. `None` on a later visit, when it can't be shown again, and when the case was joined.
    pub secret: Option<String>,
    /// The same matter was open already: the words were added to that case and this is its number.
    pub joined: bool,
    /// It is handled with an open case of somebody else.
    pub with_another: bool,
    /// It is filed, but who has it and what comes next can not be shown yet.
    pub late: bool,
    /// Who has it now.
    pub office: String,
    pub next: Vec<NextStep>,
    pub rating_days: u32,
}
