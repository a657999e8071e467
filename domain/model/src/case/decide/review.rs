//! The two statutory second looks at a result: review (复查) and final review (复核) [XF 35, 36].

use super::{Decision, Facts};
use crate::case::{CaseFact, CloseReason, ReviewDecision, Stage, error::Refusal};

impl Decision<'_> {
    /// The review after a result, the final review after the review; of the final review there is none.
    pub(super) fn ask_review(&self, reason: String) -> Facts {
        let reason = self.told("reason", reason)?;
        if let Stage::UnderReview { .. } = self.filed.stage {
            return Ok(Vec::new());
        }
        if self.filed.is_finally_reviewed() && self.filed.has_result() {
            return Err(Refusal::FinallyReviewed);
        }
        let (level, until) = self.filed.review_window().ok_or_else(|| self.out_of_turn())?;
        if self.at > until {
            return Err(Refusal::WindowEnded { ended_at: until });
        }
        Ok(vec![CaseFact::ReviewAsked { level, reason }])
    }

    /// Decided by somebody else than who decided before.
    pub(super) fn decide_review(&self, decision: ReviewDecision, words: String) -> Facts {
        let Stage::UnderReview { level, .. } = self.filed.stage else {
            return Err(self.out_of_turn());
        };
        let decided_before = self.filed.reviewed.as_ref().and_then(|reviewed| reviewed.by);
        let by = self.by.staff();
        if by.is_some() && (by == decided_before || by == self.filed.result_by) {
            return Err(Refusal::SomebodyElse);
        }
        let decided = CaseFact::ReviewDecided {
            level,
            decision,
            words: self.told("words", words)?,
        };
        Ok(match decision {
            ReviewDecision::SentBack => vec![decided],
            ReviewDecision::Upheld | ReviewDecision::Changed => vec![
                decided,
                CaseFact::CaseClosed {
                    reason: CloseReason::Reviewed,
                    reply: None,
                },
            ],
        })
    }
}
