//! The city's rules as data. Numbers live in `ops/policy/policy.toml`, not here.

use crate::{calendar::Calendar, primitives::CaseKind};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;

/// What decisions need beside the case itself: the policy and the calendar in force.
#[derive(Clone, Debug, PartialEq)]
pub struct Rules {
    pub policy: Policy,
    pub calendar: Calendar,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    pub version: String,
    /// Name under which the calendar version is remembered in deadlines.
    pub calendar: String,
    pub contact: ContactPolicy,
    pub result: ResultPolicy,
    pub legal: Days,
    pub receipt: Days,
    pub rating: Days,
    pub run_once: RunOncePolicy,
    #[serde(rename = "category")]
    pub categories: Vec<Category>,
    #[serde(rename = "material")]
    pub materials: Vec<MaterialKind>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContactPolicy {
    /// Hours round the clock from submission to the first real contact.
    pub hours_max: u32,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResultPolicy {
    pub consultation_working_days: u32,
    pub help_working_days: u32,
    pub complaint_working_days: u32,
    pub suggestion_working_days: u32,
    pub hearing_request_working_days: u32,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Days {
    pub days: u32,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunOncePolicy {
    pub trips_max: u32,
    pub material_requests_max: u32,
    pub material_request_working_days: u32,
    pub material_answer_days: u32,
}

/// The class of an appeal; it decides the limit of the result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AppealClass {
    /// 咨询
    Consultation,
    /// 求助
    Help,
    /// 投诉举报
    Complaint,
}

impl AppealClass {
    pub fn as_str(self) -> &'static str {
        match self {
            AppealClass::Consultation => "consultation",
            AppealClass::Help => "help",
            AppealClass::Complaint => "complaint",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Category {
    pub id: String,
    pub class: AppealClass,
    /// The kind of street office that handles it.
    pub office: String,
    pub place_bound: bool,
    /// Set where life or supply is in danger: hours round the clock to the result.
    #[serde(default)]
    pub hours: Option<u32>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MaterialKind {
    pub id: String,
    /// Described in words each time, so that two of them are never the same paper.
    #[serde(default)]
    pub described: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    #[error("policy: {0} must be at least 1")]
    Zero(&'static str),
    #[error("policy: {what} `{id}` is listed twice")]
    Twice { what: &'static str, id: String },
    #[error("policy: at least one {0} is needed")]
    Missing(&'static str),
}

impl Policy {
    /// Checks what the types can't say. Call once, at start.
    pub fn check(&self) -> Result<(), PolicyError> {
        let numbers = [
            ("contact.hours_max", self.contact.hours_max),
            (
                "result.consultation_working_days",
                self.result.consultation_working_days,
            ),
            ("result.help_working_days", self.result.help_working_days),
            (
                "result.complaint_working_days",
                self.result.complaint_working_days,
            ),
            (
                "result.suggestion_working_days",
                self.result.suggestion_working_days,
            ),
            (
                "result.hearing_request_working_days",
                self.result.hearing_request_working_days,
            ),
            ("legal.days", self.legal.days),
            ("receipt.days", self.receipt.days),
            ("rating.days", self.rating.days),
            (
                "run_once.material_answer_days",
                self.run_once.material_answer_days,
            ),
        ];
        if let Some((name, _)) = numbers.into_iter().find(|(_, value)| *value == 0) {
            return Err(PolicyError::Zero(name));
        }
        unique("category", self.categories.iter().map(|category| &category.id))?;
        unique("material", self.materials.iter().map(|material| &material.id))
    }

    pub fn category(&self, id: &str) -> Option<&Category> {
        self.categories.iter().find(|category| category.id == id)
    }

    pub fn material(&self, id: &str) -> Option<&MaterialKind> {
        self.materials.iter().find(|material| material.id == id)
    }

    /// Working days from submission to the result [GD].
    pub fn result_working_days(&self, kind: CaseKind, class: Option<AppealClass>) -> u32 {
        match (kind, class) {
            (CaseKind::Suggestion, _) => self.result.suggestion_working_days,
            (CaseKind::HearingRequest, _) => self.result.hearing_request_working_days,
            (CaseKind::Appeal, Some(AppealClass::Consultation)) => self.result.consultation_working_days,
            (CaseKind::Appeal, Some(AppealClass::Help) | None) => self.result.help_working_days,
            (CaseKind::Appeal, Some(AppealClass::Complaint)) => self.result.complaint_working_days,
        }
    }
}

fn unique<'a>(what: &'static str, ids: impl Iterator<Item = &'a String>) -> Result<(), PolicyError> {
    let mut seen = HashSet::new();
    for id in ids {
        if !seen.insert(id) {
            return Err(PolicyError::Twice { what, id: id.clone() });
        }
    }
    if seen.is_empty() {
        Err(PolicyError::Missing(what))
    } else {
        Ok(())
    }
}
