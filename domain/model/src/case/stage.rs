//! Where a case stands on its road, and who has it there.

use super::event::{CloseReason, LawPause, ReviewLevel};
use crate::primitives::{CaseId, CaseNumber, UnitCode};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Stage {
    /// Waits for the holder to accept, or for the offered unit to take over.
    Submitted {
        holder: UnitCode,
        offered: Option<UnitCode>,
    },
    Accepted {
        holder: UnitCode,
    },
    Handling {
        unit: UnitCode,
        offered: Option<UnitCode>,
    },
    AwaitingResident {
        unit: UnitCode,
        request: OpenRequest,
    },
    /// A statutory hearing or an expert's time; goes on at `before`.
    LawPause {
        kind: LawPause,
        before: Box<Stage>,
    },
    /// Waits for the verdict.
    ResultGiven {
        unit: UnitCode,
    },
    /// A second look at what `unit` has done.
    UnderReview {
        unit: UnitCode,
        level: ReviewLevel,
    },
    /// Handled with another case; an un-merge goes back to `before`.
    Merged {
        into: CaseId,
        into_number: CaseNumber,
        before: Box<Stage>,
    },
    Closed {
        unit: UnitCode,
        reason: CloseReason,
    },
    Withdrawn {
        unit: UnitCode,
    },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OpenRequest {
    pub kinds: Vec<String>,
    pub asked_at: DateTime<Utc>,
}

/// Who has the case now. Exactly one at any instant.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Holder {
    Unit(UnitCode),
    Resident,
    /// A statutory hearing or an expert.
    Law,
    /// Who reviews it, a tier up.
    Reviewer,
    /// Whoever has the case that it is merged into.
    Lead(CaseId),
    /// It has ended.
    Nobody,
}

impl Stage {
    /// The stable name used in SQL, JSON and catalogue keys.
    pub fn name(&self) -> &'static str {
        match self {
            Stage::Submitted { offered: None, .. } => "submitted",
            Stage::Submitted { offered: Some(_), .. } => "declined",
            Stage::Accepted { .. } => "accepted",
            Stage::Handling { .. } => "handling",
            Stage::AwaitingResident { .. } => "awaiting_resident",
            Stage::LawPause { .. } => "law_pause",
            Stage::ResultGiven { .. } => "result_given",
            Stage::UnderReview { level, .. } => level.as_str(),
            Stage::Merged { .. } => "merged",
            Stage::Closed { .. } => "closed",
            Stage::Withdrawn { .. } => "withdrawn",
        }
    }

    pub const NAMES: [&'static str; 12] = [
        "submitted",
        "declined",
        "accepted",
        "handling",
        "awaiting_resident",
        "law_pause",
        "result_given",
        "review",
        "final_review",
        "merged",
        "closed",
        "withdrawn",
    ];

    pub fn holder(&self) -> Holder {
        match self {
            Stage::Submitted { holder: unit, .. }
            | Stage::Accepted { holder: unit }
            | Stage::Handling { unit, .. } => Holder::Unit(unit.clone()),
            Stage::AwaitingResident { .. } | Stage::ResultGiven { .. } => Holder::Resident,
            Stage::LawPause { .. } => Holder::Law,
            Stage::UnderReview { .. } => Holder::Reviewer,
            Stage::Merged { into, .. } => Holder::Lead(*into),
            Stage::Closed { .. } | Stage::Withdrawn { .. } => Holder::Nobody,
        }
    }

    /// The unit that answers for the case at this stage, also while somebody else has it; the last one, once it has
    /// ended.
    pub fn unit(&self) -> &UnitCode {
        match self {
            Stage::Submitted { holder: unit, .. }
            | Stage::Accepted { holder: unit }
            | Stage::Handling { unit, .. }
            | Stage::AwaitingResident { unit, .. }
            | Stage::ResultGiven { unit }
            | Stage::UnderReview { unit, .. }
            | Stage::Closed { unit, .. }
            | Stage::Withdrawn { unit } => unit,
            Stage::LawPause { before, .. } | Stage::Merged { before, .. } => before.unit(),
        }
    }

    pub fn offered_to(&self) -> Option<&UnitCode> {
        match self {
            Stage::Submitted { offered, .. } | Stage::Handling { offered, .. } => offered.as_ref(),
            _ => None,
        }
    }

    pub fn has_ended(&self) -> bool {
        matches!(self, Stage::Closed { .. } | Stage::Withdrawn { .. })
    }
}
