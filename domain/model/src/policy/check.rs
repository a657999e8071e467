//! What the types can't say of a policy: each fault names its key, what is wrong and what to write instead.

use super::{AppealClass, Policy};
use std::{collections::HashSet, fmt};

/// Longest term, in its unit: ten years of days. A longer one is a slip of the pen.
const TERM_MAX: u32 = 3_660;

/// Longest version name, in characters: it stands in every deadline.
const VERSION_CHARS_MAX: usize = 40;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyFault {
    /// The key as written in the file: `result.help_working_days`, `category.noise.office`.
    pub key: String,
    pub problem: String,
}

/// Everything that is wrong with a policy, in order of its keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyFaults(pub Vec<PolicyFault>);

impl fmt::Display for PolicyFaults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, PolicyFault { key, problem }) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { "\n" };
            write!(f, "{separator}{key}: {problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for PolicyFaults {}

impl Policy {
    /// Checks what the types can't say. [`Policy::read`] does it.
    pub fn check(&self) -> Result<(), PolicyFaults> {
        let mut check = Check::default();
        check.versions(self);
        check.terms(self);
        check.supervision(self);
        check.routing(self);
        check.duplicates(self);
        if check.faults.is_empty() {
            Ok(())
        } else {
            Err(PolicyFaults(check.faults))
        }
    }
}

#[derive(Default)]
struct Check {
    faults: Vec<PolicyFault>,
}

impl Check {
    fn fault(&mut self, key: impl Into<String>, problem: impl Into<String>) {
        self.faults.push(PolicyFault {
            key: key.into(),
            problem: problem.into(),
        });
    }

    fn versions(&mut self, policy: &Policy) {
        for (key, version) in [("version", &policy.version), ("calendar", &policy.calendar)] {
            let is_plain = |character: char| character.is_ascii_alphanumeric() || "-._".contains(character);
            let length = version.chars().count();
            if !(1..=VERSION_CHARS_MAX).contains(&length) || !version.chars().all(is_plain) {
                self.fault(
                    key,
                    format!("`{version}` is no name of a version; write up to {VERSION_CHARS_MAX} letters, digits, `-`, `.` or `_`, such as 2026-1"),
                );
            }
        }
    }

    fn terms(&mut self, policy: &Policy) {
        let result = &policy.result;
        for (key, value) in [
            ("contact.hours_max", policy.contact.hours_max),
            ("receipt.days", policy.receipt.days),
            ("objection.working_days", policy.objection.working_days),
            (
                "result.consultation_working_days",
                result.consultation_working_days,
            ),
            ("result.help_working_days", result.help_working_days),
            ("result.complaint_working_days", result.complaint_working_days),
            ("result.suggestion_working_days", result.suggestion_working_days),
            (
                "result.hearing_request_working_days",
                result.hearing_request_working_days,
            ),
            ("result.source_target_percent", result.source_target_percent),
            ("legal.days", policy.legal.days),
            ("legal.extension_days_max", policy.legal.extension_days_max),
            ("rating.days", policy.rating.days),
            ("rating.owner_working_days", policy.rating.owner_working_days),
            ("review.ask_days", policy.review.ask_days),
            ("review.decide_days", policy.review.decide_days),
            ("final_review.ask_days", policy.final_review.ask_days),
            ("final_review.decide_days", policy.final_review.decide_days),
            (
                "run_once.material_request_working_days",
                policy.run_once.material_request_working_days,
            ),
            (
                "run_once.material_answer_days",
                policy.run_once.material_answer_days,
            ),
        ] {
            self.term(key, value);
        }
    }

    fn term(&mut self, key: impl Into<String>, value: u32) {
        if !(1..=TERM_MAX).contains(&value) {
            self.fault(
                key,
                format!("{value} is no limit; write a number from 1 to {TERM_MAX}"),
            );
        }
    }

    fn supervision(&mut self, policy: &Policy) {
        let supervision = &policy.supervision;
        for (key, shares, range, example) in [
            (
                "warnings_percent",
                &supervision.warnings_percent,
                1..=99,
                "[50, 80, 95]",
            ),
            (
                "escalations_percent",
                &supervision.escalations_percent,
                101..=1_000,
                "[150, 200, 250]",
            ),
        ] {
            let ascends = shares.is_sorted_by(|one, next| one < next);
            if !ascends || shares.iter().any(|percent| !range.contains(percent)) {
                let (first, last) = (range.start(), range.end());
                self.fault(
                    format!("supervision.{key}"),
                    format!("{shares:?} does not ascend from {first} to {last}; write such as {example}"),
                );
            }
        }
        if supervision.escalations_percent.len() > 3 {
            self.fault(
                "supervision.escalations_percent",
                "there are three tiers above the community; write at most three",
            );
        }
    }

    fn routing(&mut self, policy: &Policy) {
        let offices = &policy.routing.offices;
        self.listed("routing.offices", offices.iter());
        self.listed("category", policy.categories.iter().map(|category| &category.id));
        self.listed("material", policy.materials.iter().map(|material| &material.id));
        for category in &policy.categories {
            if !offices.contains(&category.office) {
                self.fault(
                    format!("category.{}.office", category.id),
                    format!(
                        "there is no office `{}`; write one of routing.offices ({}) or add it there",
                        category.office,
                        offices.join(", ")
                    ),
                );
            }
            if let Some(hours) = category.hours {
                self.term(format!("category.{}.hours", category.id), hours);
            }
        }
    }

    fn duplicates(&mut self, policy: &Policy) {
        let duplicates = &policy.duplicates;
        for (key, value) in [
            ("shown_max", duplicates.shown_max),
            ("candidates_max", duplicates.candidates_max),
            ("metres_max", duplicates.metres_max),
            ("metres_half", duplicates.metres_half),
            ("days_half", duplicates.days_half),
            ("place_weight", duplicates.place_weight),
            ("words_weight", duplicates.words_weight),
            ("score_min_percent", duplicates.score_min_percent),
        ] {
            if value == 0 {
                self.fault(format!("duplicates.{key}"), "0 finds nothing; write at least 1");
            }
        }
        for (key, percent) in [
            ("place_words_percent", duplicates.place_words_percent),
            ("kin_percent", duplicates.kin_percent),
            ("score_min_percent", duplicates.score_min_percent),
        ] {
            if percent > 100 {
                self.fault(
                    format!("duplicates.{key}"),
                    format!("{percent} is more than all of it; write at most 100"),
                );
            }
        }
        for category in policy.categories.iter().filter(|category| category.shared) {
            if category.class == AppealClass::Complaint || !category.place_bound {
                self.fault(
                    format!("category.{}.shared", category.id),
                    "a complaint, or what has no place, is never shown to others; leave it out",
                );
            }
        }
    }

    /// A list of names: at least one, and each once.
    fn listed<'a>(&mut self, key: &str, ids: impl Iterator<Item = &'a String>) {
        let mut seen = HashSet::new();
        let mut is_empty = true;
        for id in ids {
            is_empty = false;
            if id.is_empty() {
                self.fault(key, "a name is empty; write one");
            } else if !seen.insert(id) {
                self.fault(key, format!("`{id}` is listed twice; keep one of them"));
            }
        }
        if is_empty {
            self.fault(key, "nothing is listed; write at least one");
        }
    }
}
