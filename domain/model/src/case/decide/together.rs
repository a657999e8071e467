//! Units that do one case together, and cases of one matter that are handled as one.

use super::{Decision, Facts};
use crate::{
    case::{CaseFact, Stage, error::Refusal},
    primitives::{CaseId, CaseNumber, UnitCode},
};
use std::collections::BTreeSet;

/// Units that may do a case together with the one that leads: more is no longer handling but a meeting.
pub const JOINT_UNITS_MAX: usize = 8;

impl Decision<'_> {
    pub(super) fn order_joint_handling(&self, units: Vec<UnitCode>, reason: String) -> Facts {
        let Stage::Handling { unit: lead, .. } = &self.filed.stage else {
            return Err(self.out_of_turn());
        };
        if units.len() > JOINT_UNITS_MAX {
            return Err(Refusal::OutOfRange {
                field: "units",
                min: 0,
                max: JOINT_UNITS_MAX as u32,
            });
        }
        let units: Vec<UnitCode> = BTreeSet::from_iter(units).into_iter().collect();
        let reason = self.told("reason", reason)?;
        if units.contains(lead) {
            return Err(Refusal::SameHolder);
        }
        if units == self.filed.joint_units {
            return Ok(Vec::new());
        }
        Ok(vec![CaseFact::JointHandlingOrdered { units, reason }])
    }

    pub(super) fn contribute(&self, unit: UnitCode, words: String) -> Facts {
        if self.filed.stage.has_ended() {
            return Err(Refusal::Ended);
        }
        if !self.filed.joint_units.contains(&unit) {
            return Err(self.out_of_turn());
        }
        Ok(vec![CaseFact::ContributionGiven {
            unit,
            words: self.told("words", words)?,
        }])
    }

    /// While it is on its way to its first result: what was not solved is done again, not answered with another. That a
    /// case others are merged into is not merged itself holds where the append happens: no single case can know.
    pub(super) fn merge(&self, into: CaseId, into_number: CaseNumber, reason: String) -> Facts {
        if into == self.case() {
            return Err(Refusal::MergedWithItself);
        }
        let reason = self.told("reason", reason)?;
        match &self.filed.stage {
            Stage::Merged { into: now, .. } if *now == into => Ok(Vec::new()),
            _ if self.filed.is_redo => Err(self.out_of_turn()),
            Stage::Accepted { .. } | Stage::Handling { offered: None, .. } if !self.filed.with_supervisor => {
                Ok(vec![CaseFact::CaseMerged {
                    into,
                    into_number,
                    reason,
                }])
            }
            Stage::Submitted { offered: None, .. } if !self.filed.with_supervisor => Ok(vec![
                // Taken in by the unit that has the other one: the resident has the notice of receipt with it.
                CaseFact::CaseAccepted {},
                CaseFact::CaseMerged {
                    into,
                    into_number,
                    reason,
                },
            ]),
            _ => Err(self.out_of_turn()),
        }
    }

    pub(super) fn unmerge(&self, reason: String) -> Facts {
        match &self.filed.stage {
            Stage::Merged { .. } => Ok(vec![CaseFact::CaseUnmerged {
                reason: self.told("reason", reason)?,
            }]),
            _ => Err(self.out_of_turn()),
        }
    }
}
