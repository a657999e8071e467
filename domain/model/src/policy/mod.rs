//! The city's rules as data. Numbers live in `ops/policy`, one file a version, and never here.

mod check;
mod diff;
#[cfg(test)]
mod tests;

pub use check::{PolicyFault, PolicyFaults};
pub use diff::{Difference, differences};

use crate::{
    calendar::{Calendar, CalendarError},
    clocks::Term,
    primitives::{CaseKind, Tier},
};
use serde::{Deserialize, Serialize};

/// What decisions need beside the case itself: the policy and the calendar in force.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rules {
    pub policy: Policy,
    pub calendar: Calendar,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RulesError {
    #[error("{0}")]
    Text(String),
    #[error(transparent)]
    Policy(#[from] PolicyFaults),
    #[error(transparent)]
    Calendar(#[from] CalendarError),
}

impl Rules {
    /// Reads and checks both: the policy as TOML, its calendar as CSV.
    pub fn read(policy: &str, calendar: &str) -> Result<Rules, RulesError> {
        let policy = Policy::read(policy)?;
        let calendar = Calendar::from_csv(&policy.calendar, calendar)?;
        Ok(Rules { policy, calendar })
    }

    /// `policy version/calendar version`, as deadlines remember it.
    pub fn name(&self) -> String {
        rules_name(&self.policy.version, self.calendar.version())
    }
}

pub(crate) fn rules_name(policy_version: &str, calendar_version: &str) -> String {
    format!("{policy_version}/{calendar_version}")
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    pub version: String,
    /// Name under which the calendar version is remembered in deadlines.
    pub calendar: String,
    pub contact: ContactPolicy,
    pub receipt: Days,
    pub objection: WorkingDays,
    pub result: ResultPolicy,
    pub legal: LegalPolicy,
    pub rating: RatingPolicy,
    pub review: ReviewPolicy,
    pub final_review: ReviewPolicy,
    pub hand_over: HandOverPolicy,
    pub supervision: SupervisionPolicy,
    pub run_once: RunOncePolicy,
    pub duplicates: DuplicatesPolicy,
    pub routing: RoutingPolicy,
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
    /// How much of the target that another system set for a case is granted here, in per cent.
    pub source_target_percent: u32,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Days {
    pub days: u32,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorkingDays {
    pub working_days: u32,
}

/// The outer limit of an appeal, and how it may be extended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LegalPolicy {
    pub days: u32,
    pub extensions_max: u32,
    /// Days that one extension may add at most.
    pub extension_days_max: u32,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RatingPolicy {
    /// Days from the notice of the result in which it may be rated, and the case reopened.
    pub days: u32,
    /// Working days in which a named bad rating gets an owner.
    pub owner_working_days: u32,
}

/// A statutory second look: how long it may be asked for, and how long it may take.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReviewPolicy {
    pub ask_days: u32,
    pub decide_days: u32,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HandOverPolicy {
    /// Hops that units make among themselves; the next goes to the supervisor.
    pub hops_max: u32,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SupervisionPolicy {
    /// Shares of a limit, in percent, at whose end its holder is warned; ascending.
    pub warnings_percent: Vec<u16>,
    /// Shares of a limit, in percent and beyond it, at which the case goes one tier up; ascending.
    pub escalations_percent: Vec<u16>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunOncePolicy {
    pub trips_max: u32,
    pub material_requests_max: u32,
    pub material_request_working_days: u32,
    pub material_answer_days: u32,
}

/// Which cases are suggested as the same matter; see [`crate::likeness`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DuplicatesPolicy {
    pub shown_max: u32,
    /// Cases looked at for one suggestion: those of the same category first, the newest of them.
    pub candidates_max: u32,
    /// What has points further apart than this is not one matter.
    pub metres_max: u32,
    /// At this distance places count as half as close.
    pub metres_half: u32,
    pub days_half: u32,
    /// Texts of so many pairs of characters count half of what long ones do.
    pub text_half: u32,
    pub place_weight: u32,
    pub words_weight: u32,
    pub recency_weight: u32,
    /// Of the place, how much its words count where there are points too.
    pub place_words_percent: u32,
    /// What a case of another category of the same office counts.
    pub kin_percent: u32,
    /// Scores below are not suggested.
    pub score_min_percent: u32,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoutingPolicy {
    /// The kinds of street offices that categories can be routed to.
    pub offices: Vec<String>,
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
    /// Anybody who is about to report the same may be told that, where about and when such a case was filed: things of
    /// the public street. Never what a complaint is about.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub shared: bool,
    /// Set where life or supply is in danger: hours round the clock to the result.
    #[serde(default, skip_serializing_if = "Option::is_none")]
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

impl Policy {
    /// Reads TOML and checks it.
    pub fn read(toml: &str) -> Result<Policy, RulesError> {
        let policy: Policy = toml::from_str(toml).map_err(|error| RulesError::Text(error.to_string()))?;
        policy.check()?;
        Ok(policy)
    }

    pub fn category(&self, id: &str) -> Option<&Category> {
        self.categories.iter().find(|category| category.id == id)
    }

    /// This category and then those that the same office handles: where one matter may have been filed too.
    pub fn kin_of(&self, id: &str) -> Vec<&Category> {
        let Some(own) = self.category(id) else {
            return Vec::new();
        };
        let kin = |other: &&Category| other.office == own.office && other.id != own.id;
        std::iter::once(own)
            .chain(self.categories.iter().filter(kin))
            .collect()
    }

    pub fn material(&self, id: &str) -> Option<&MaterialKind> {
        self.materials.iter().find(|material| material.id == id)
    }

    /// How long the result may take, from submission: hours where life or supply is in danger, else working days
    /// [BJ draft, GD].
    pub fn result_term(&self, kind: CaseKind, class: Option<AppealClass>, category: &str) -> Term {
        let hours = self.category(category).and_then(|category| category.hours);
        match (kind, hours) {
            (CaseKind::Appeal, Some(hours)) => Term::Hours(hours),
            _ => Term::WorkingDays(self.result_working_days(kind, class)),
        }
    }

    fn result_working_days(&self, kind: CaseKind, class: Option<AppealClass>) -> u32 {
        match (kind, class) {
            (CaseKind::Suggestion, _) => self.result.suggestion_working_days,
            (CaseKind::HearingRequest, _) => self.result.hearing_request_working_days,
            (CaseKind::Appeal, Some(AppealClass::Consultation)) => self.result.consultation_working_days,
            (CaseKind::Appeal, Some(AppealClass::Help) | None) => self.result.help_working_days,
            (CaseKind::Appeal, Some(AppealClass::Complaint)) => self.result.complaint_working_days,
        }
    }
}

impl ContactPolicy {
    pub fn term(&self) -> Term {
        Term::Hours(self.hours_max)
    }
}

impl Days {
    pub fn term(&self) -> Term {
        Term::Days(self.days)
    }
}

impl WorkingDays {
    pub fn term(&self) -> Term {
        Term::WorkingDays(self.working_days)
    }
}

impl LegalPolicy {
    pub fn term(&self) -> Term {
        Term::Days(self.days)
    }
}

impl RatingPolicy {
    pub fn term(&self) -> Term {
        Term::Days(self.days)
    }

    /// Until a named bad rating has an owner.
    pub fn owner_term(&self) -> Term {
        Term::WorkingDays(self.owner_working_days)
    }
}

impl ReviewPolicy {
    /// Until when it may be asked for.
    pub fn ask_term(&self) -> Term {
        Term::Days(self.ask_days)
    }

    /// Until when it is decided.
    pub fn decide_term(&self) -> Term {
        Term::Days(self.decide_days)
    }
}

impl SupervisionPolicy {
    /// At which per cent of a limit something is raised for a matter of this tier: warnings, the breach at 100, and an
    /// escalation for every tier above it.
    pub fn steps(&self, tier: Tier) -> Vec<u16> {
        let warnings = self.warnings_percent.iter().copied();
        let above = (1..).map_while(|levels| tier.up(levels));
        let escalations = self
            .escalations_percent
            .iter()
            .copied()
            .zip(above)
            .map(|(percent, _)| percent);
        warnings.chain([100]).chain(escalations).collect()
    }
}

impl RunOncePolicy {
    /// Until when the resident may hand them over.
    pub fn answer_term(&self) -> Term {
        Term::Days(self.material_answer_days)
    }
}
