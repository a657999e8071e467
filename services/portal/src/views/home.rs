use askama::Template;

use super::{Errors, Kind, Ui};

/// The time limits residents are told, from the policy in force.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Hours round the clock until somebody really talks to the resident.
    pub contact_hours: u32,
    /// Working days until the result, by kind and class.
    pub consultation_days: u32,
    pub help_days: u32,
    pub complaint_days: u32,
    /// Days after the result in which it can be rated and reopened.
    pub rating_days: u32,
}

/// `GET /`.
#[derive(Debug, Clone, Template)]
#[template(path = "home.html")]
pub struct HomePage {
    pub ui: Ui,
    pub limits: Limits,
    pub kinds: [Kind; 3],
    pub errors: Errors,
    /// Typed number, when a lookup from this page came back.
    pub number: String,
}
