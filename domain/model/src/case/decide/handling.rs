//! Who has the case, and what is done with it on the way to its result.

use super::{Decision, Facts, NEXT_OWNER_CHARS_MAX, SUPPLEMENTS_MAX, within};
use crate::{
    case::{CaseFact, CloseReason, FollowUp, LawPause, NextOwner, Stage, error::Refusal},
    clocks::ClockKind,
    primitives::{AttachmentRef, StaffId, UnitCode},
};

impl Decision<'_> {
    pub(super) fn add_supplement(
        &self,
        words: String,
        attachments: Vec<AttachmentRef>,
        from_filing: bool,
    ) -> Facts {
        if self.filed.stage.has_ended() {
            return Err(Refusal::Ended);
        }
        if self.filed.supplements >= SUPPLEMENTS_MAX {
            return Err(Refusal::SupplementsFull);
        }
        Ok(vec![CaseFact::SupplementAdded {
            words: self.told("words", words)?,
            attachments,
            from_filing,
        }])
    }

    pub(super) fn accept(&self) -> Facts {
        match &self.filed.stage {
            Stage::Submitted { offered: None, .. } if !self.filed.with_supervisor => {
                Ok(vec![CaseFact::CaseAccepted {}])
            }
            Stage::Accepted { .. } if !self.filed.with_supervisor => Ok(Vec::new()),
            _ => Err(self.out_of_turn()),
        }
    }

    pub(super) fn decline(&self, next_owner: NextOwner, reason: String) -> Facts {
        let Stage::Submitted {
            holder,
            offered: None,
        } = &self.filed.stage
        else {
            return Err(self.out_of_turn());
        };
        if self.filed.with_supervisor {
            return Err(self.out_of_turn());
        }
        let reason = self.told("reason", reason)?;
        match next_owner {
            NextOwner::Unit(unit) if unit == *holder => Err(Refusal::SameHolder),
            NextOwner::Unit(next_owner) => {
                self.may_object()?;
                Ok(vec![match self.is_last_hop() {
                    true => CaseFact::HandOverReferred {
                        to: next_owner,
                        reason,
                    },
                    false => CaseFact::CaseDeclined { next_owner, reason },
                }])
            }
            NextOwner::Outside(name) => {
                let field = "next_owner";
                let next_owner =
                    within(field, Some(name), NEXT_OWNER_CHARS_MAX)?.ok_or(Refusal::Empty { field })?;
                let closed = CloseReason::Outside { next_owner };
                Ok(vec![CaseFact::CaseClosed {
                    reason: closed,
                    reply: Some(reason),
                }])
            }
        }
    }

    /// The supervisor's word on whose a case is also accepts it, if nobody has, and moves it from who has it: whatever
    /// stands in the way of a hand-over, somebody can.
    pub(super) fn assign(&self, unit: UnitCode, contact_cadre: Option<StaffId>) -> Facts {
        let assigned = CaseFact::CaseAssigned {
            unit: unit.clone(),
            contact_cadre,
        };
        match &self.filed.stage {
            Stage::Accepted { .. } => Ok(vec![assigned]),
            Stage::Submitted { offered: None, .. } if self.filed.with_supervisor => {
                Ok(vec![CaseFact::CaseAccepted {}, assigned])
            }
            Stage::Handling {
                unit: now,
                offered: None,
            } if *now == unit
                && contact_cadre.is_none_or(|cadre| self.filed.contact_cadre == Some(cadre)) =>
            {
                Ok(Vec::new())
            }
            // Only the supervisor is let come to this: see `access`.
            Stage::Handling { offered: None, .. } => Ok(vec![assigned]),
            _ => Err(self.out_of_turn()),
        }
    }

    pub(super) fn offer_hand_over(&self, to: UnitCode, reason: String) -> Facts {
        let reason = self.told("reason", reason)?;
        match &self.filed.stage {
            Stage::Handling { unit, .. } if *unit == to => Err(Refusal::SameHolder),
            Stage::Handling {
                offered: Some(now), ..
            } if *now == to => Ok(Vec::new()),
            Stage::Handling { offered: None, .. } => {
                self.may_object()?;
                Ok(vec![match self.is_last_hop() {
                    true => CaseFact::HandOverReferred { to, reason },
                    false => CaseFact::HandOverOffered { to, reason },
                }])
            }
            _ => Err(self.out_of_turn()),
        }
    }

    /// "Not ours" is said within a limit, or not at all [XF 23].
    fn may_object(&self) -> Result<(), Refusal> {
        match self.filed.clocks.get(ClockKind::Objection) {
            Some(clock) if self.at > clock.deadline.due_at => Err(Refusal::ObjectionTooLate {
                until: clock.deadline.due_at,
            }),
            _ => Ok(()),
        }
    }

    /// Whether one more hand-over is for the supervisor to decide.
    fn is_last_hop(&self) -> bool {
        self.filed.hops >= self.rules.policy.hand_over.hops_max
    }

    fn offered_to(&self, unit: &UnitCode) -> Result<(), Refusal> {
        match self.filed.stage.offered_to() {
            Some(offered) if offered == unit => Ok(()),
            _ if self.filed.stage.has_ended() => Err(Refusal::Ended),
            _ => Err(Refusal::NotOffered),
        }
    }

    pub(super) fn take_over(&self, unit: UnitCode) -> Facts {
        // Taking what one already has is a repeated command.
        if self.filed.stage.offered_to().is_none() && *self.filed.stage.unit() == unit {
            return Ok(Vec::new());
        }
        self.offered_to(&unit)?;
        Ok(vec![CaseFact::HandOverTaken { unit }])
    }

    pub(super) fn return_hand_over(&self, unit: UnitCode, reason: String) -> Facts {
        self.offered_to(&unit)?;
        Ok(vec![CaseFact::HandOverReturned {
            unit,
            reason: self.told("reason", reason)?,
        }])
    }

    pub(super) fn follow_up(&self, follow_up: FollowUp) -> Facts {
        if matches!(self.filed.stage, Stage::Withdrawn { .. }) {
            return Err(Refusal::Ended);
        }
        let FollowUp { kind, reached, words } = follow_up;
        Ok(vec![CaseFact::FollowUpRecorded {
            kind,
            reached,
            words: self.told("words", words)?,
        }])
    }

    pub(super) fn begin_law_pause(&self, kind: LawPause, notice: String) -> Facts {
        let notice = self.told("notice", notice)?;
        match &self.filed.stage {
            Stage::LawPause { kind: now, .. } if *now == kind => Ok(Vec::new()),
            Stage::Handling { offered: None, .. } | Stage::UnderReview { .. } => {
                Ok(vec![CaseFact::LawPauseBegun { kind, notice }])
            }
            _ => Err(self.out_of_turn()),
        }
    }

    pub(super) fn end_law_pause(&self) -> Facts {
        match &self.filed.stage {
            Stage::LawPause { .. } => Ok(vec![CaseFact::LawPauseEnded {}]),
            _ => Err(self.out_of_turn()),
        }
    }

    /// Within the limit and not after it, as often as the policy says [XF 34]. What stands still has not passed.
    pub(super) fn extend_legal_limit(&self, days: u32, reason: String) -> Facts {
        let max = self.rules.policy.legal.extension_days_max;
        let clock = self.filed.clocks.running(ClockKind::Legal);
        let clock = clock
            .filter(|_| self.filed.owes_result())
            .ok_or_else(|| self.out_of_turn())?;
        if clock.extensions >= self.rules.policy.legal.extensions_max {
            return Err(Refusal::AlreadyExtended);
        }
        let counted = self.filed.clocks.counted(clock).deadline(self.rules);
        if counted.suspended_since.is_none() && self.at > clock.deadline.due_at {
            return Err(Refusal::WindowEnded {
                ended_at: clock.deadline.due_at,
            });
        }
        if days == 0 || days > max {
            return Err(Refusal::OutOfRange {
                field: "days",
                min: 1,
                max,
            });
        }
        Ok(vec![CaseFact::LegalLimitExtended {
            days,
            reason: self.told("reason", reason)?,
        }])
    }

    pub(super) fn withdraw(&self, reason: String) -> Facts {
        let reason = self.told("reason", reason)?;
        match &self.filed.stage {
            Stage::Withdrawn { .. } => Ok(Vec::new()),
            Stage::Closed { .. } => Err(Refusal::Ended),
            _ => Ok(vec![CaseFact::CaseWithdrawn { reason }]),
        }
    }
}
