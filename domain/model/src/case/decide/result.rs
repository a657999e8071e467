//! The result, the verdict on it, and what follows from that.

use super::{Decision, Facts, optional, written};
use crate::{
    calendar::city_date,
    case::{
        CaseFact, CloseReason, PlaceEvidence, PlaceProof, Promise, Rating, Redo, Stage, Verdict,
        error::Refusal,
    },
    clocks::ClockKind,
    primitives::{AttachmentRef, By, Private},
};

impl Decision<'_> {
    pub(super) fn give_result(
        &self,
        words: String,
        evidence: Vec<AttachmentRef>,
        place_proof: Option<PlaceProof>,
        promise: Option<Promise>,
    ) -> Facts {
        match &self.filed.stage {
            Stage::Handling { offered: None, .. } => {}
            // What is handled with another case is answered with it.
            Stage::Merged { .. } if *self.by == By::Service => {}
            _ => return Err(self.out_of_turn()),
        }
        if self.filed.is_redo && self.by.staff().is_some() && self.by.staff() == self.filed.result_by {
            return Err(Refusal::SomebodyElse);
        }
        let words = self.told("words", words)?;
        let place_evidence = match place_proof {
            Some(PlaceProof::AfterPhoto(photo)) => PlaceEvidence::AfterPhoto(photo),
            Some(PlaceProof::WhyNot(reason)) => PlaceEvidence::WhyNot(self.told("place_proof", reason)?),
            None if self.filed.place_bound => return Err(Refusal::PlaceProofMissing),
            None => PlaceEvidence::NotPlaceBound,
        };
        let mut facts = vec![CaseFact::ResultGiven {
            round: self.filed.rounds + 1,
            words,
            evidence,
            place_evidence,
        }];
        facts.extend(promise.map(|promise| self.promised(promise)).transpose()?);
        Ok(facts)
    }

    fn promised(&self, promise: Promise) -> Result<CaseFact, Refusal> {
        let Promise { words, by } = promise;
        if by < city_date(self.at) {
            return Err(Refusal::Past { field: "promise_by" });
        }
        if self.filed.clocks.running(ClockKind::Promise).is_some() {
            return Err(Refusal::PromiseOpen);
        }
        Ok(CaseFact::PromiseMade {
            words: self.told("promise", words)?,
            by,
        })
    }

    /// Also after closing: that is what the promise was for.
    pub(super) fn keep_promise(&self, words: String, evidence: Vec<AttachmentRef>) -> Facts {
        let words = self.told("words", words)?;
        match self.filed.clocks.get(ClockKind::Promise) {
            Some(clock) if clock.stopped_at.is_none() => Ok(vec![CaseFact::PromiseKept { words, evidence }]),
            Some(_) => Ok(Vec::new()),
            None => Err(self.out_of_turn()),
        }
    }

    pub(super) fn rate(&self, rating: Rating) -> Facts {
        let Rating {
            verdict,
            score,
            reason,
        } = rating;
        match &self.filed.stage {
            Stage::ResultGiven { .. } => match self.filed.verdict_until() {
                Some(ended_at) if self.at > ended_at => return Err(Refusal::WindowEnded { ended_at }),
                _ => {}
            },
            Stage::Closed {
                reason: CloseReason::Rated,
                ..
            } => return Err(Refusal::AlreadyRated),
            _ => return Err(self.out_of_turn()),
        }
        if !(1..=5).contains(&score) {
            return Err(Refusal::ScoreOutOfRange);
        }
        let reason = optional("reason", reason)?;
        let rated = CaseFact::ResultRated {
            round: self.filed.rounds,
            verdict,
            score,
            reason: reason.clone().map(|reason| Private::of_case(self.case(), reason)),
        };
        match (verdict, reason) {
            (Verdict::NotSolved, None) => Err(Refusal::ReasonMissing),
            (Verdict::NotSolved, Some(reason)) => Ok(vec![rated, self.reopened(reason)]),
            _ => Ok(vec![
                rated,
                CaseFact::CaseClosed {
                    reason: CloseReason::Rated,
                    reply: None,
                },
            ]),
        }
    }

    pub(super) fn own_rating(&self) -> Facts {
        match self.filed.clocks.get(ClockKind::RatingOwner) {
            Some(clock) if clock.stopped_at.is_none() => Ok(vec![CaseFact::RatingOwned {}]),
            Some(_) => Ok(Vec::new()),
            None => Err(self.out_of_turn()),
        }
    }

    pub(super) fn reopen(&self, reason: String) -> Facts {
        match self.filed.verdict_until() {
            Some(until) if self.filed.may_reopen() => {
                if self.at > until {
                    return Err(Refusal::WindowEnded { ended_at: until });
                }
                Ok(vec![self.reopened(written("reason", reason)?)])
            }
            _ => Err(self.out_of_turn()),
        }
    }

    /// The redo gets a clock of its own; the first result's clock is never restarted.
    fn reopened(&self, reason: String) -> CaseFact {
        CaseFact::CaseReopened {
            redo: if self.filed.reopenings >= 1 {
                Redo::Supervisor
            } else {
                Redo::SomebodyElse
            },
            reason: Private::of_case(self.case(), reason),
        }
    }

    pub(super) fn close_unrated(&self) -> Facts {
        match &self.filed.stage {
            Stage::ResultGiven { .. } => match self.filed.verdict_until() {
                Some(until) if self.at <= until => Err(Refusal::WindowOpen { until }),
                _ => Ok(vec![CaseFact::CaseClosed {
                    reason: CloseReason::Unrated,
                    reply: None,
                }]),
            },
            Stage::Closed { .. } => Ok(Vec::new()),
            _ => Err(self.out_of_turn()),
        }
    }

    pub(super) fn close_from_source(&self, outcome: String) -> Facts {
        match &self.filed.stage {
            Stage::ResultGiven { .. } if self.filed.imported => Ok(vec![CaseFact::CaseClosed {
                reason: CloseReason::Source { outcome },
                reply: None,
            }]),
            _ => Err(self.out_of_turn()),
        }
    }
}
