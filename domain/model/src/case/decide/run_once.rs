//! What may be asked of the resident, and how often: the run-once rule (只跑一次) within one case.

use super::{Decision, Facts, optional};
use crate::{
    case::{CaseFact, HeldPaper, MaterialAsk, MaterialItem, RunOnceLimit, Stage, error::Refusal},
    clocks::ClockKind,
    primitives::{AttachmentRef, Private},
};

impl Decision<'_> {
    pub(super) fn ask_trip(&self, to_place: String, reason: String) -> Facts {
        match &self.filed.stage {
            Stage::Accepted { .. } | Stage::Handling { .. } => {}
            _ => return Err(self.out_of_turn()),
        }
        if let Some(refusal) = self.filed.trip_refused(self.rules) {
            return Err(refusal);
        }
        let to_place = self.told("to_place", to_place)?;
        Ok(vec![CaseFact::TripAsked {
            to_place,
            reason: self.told("reason", reason)?,
        }])
    }

    pub(super) fn request_materials(&self, items: Vec<MaterialAsk>, held: &[HeldPaper]) -> Facts {
        let policy = &self.rules.policy;
        let tally = self.filed.tally;
        match &self.filed.stage {
            Stage::Handling { offered: None, .. } => {}
            Stage::AwaitingResident { .. } => {
                return Err(Refusal::RunOnceLimitReached {
                    limit: RunOnceLimit::MaterialRequest,
                });
            }
            _ => return Err(self.out_of_turn()),
        }
        if let Some(refusal) = self.filed.request_refused(self.rules, self.at) {
            return Err(refusal);
        }
        if items.is_empty() {
            return Err(Refusal::Empty { field: "items" });
        }
        let mut asked = Vec::with_capacity(items.len());
        for item in items {
            let kind = policy
                .material(&item.kind)
                .ok_or(Refusal::Unknown { field: "items" })?;
            let words = optional("items", item.words)?;
            if kind.described && words.is_none() {
                return Err(Refusal::Empty { field: "items" });
            }
            let holding = held
                .iter()
                .find(|paper| paper.kind == item.kind && !kind.described);
            if let Some(paper) = holding.filter(|_| tally.held_paper_waivers == 0) {
                return Err(Refusal::AlreadyHeld {
                    kind: item.kind,
                    held_in: paper.held_in.clone(),
                });
            }
            let words = words.map(|words| Private::of_case(self.case(), words));
            asked.push(MaterialItem {
                kind: item.kind,
                words,
            });
        }
        Ok(vec![CaseFact::MaterialsRequested { items: asked }])
    }

    fn asked_kinds(&self) -> Result<&[String], Refusal> {
        match &self.filed.stage {
            Stage::AwaitingResident { request, .. } => Ok(&request.kinds),
            _ => Err(self.out_of_turn()),
        }
    }

    pub(super) fn answer_request(
        &self,
        handed_over: Vec<String>,
        words: String,
        attachments: Vec<AttachmentRef>,
    ) -> Facts {
        let kinds = self.asked_kinds()?;
        if handed_over.iter().any(|kind| !kinds.contains(kind)) {
            return Err(Refusal::Unknown { field: "handed_over" });
        }
        let words = match optional("words", Some(words))? {
            Some(words) => words,
            None if handed_over.is_empty() && attachments.is_empty() => {
                return Err(Refusal::Empty { field: "words" });
            }
            None => String::new(),
        };
        let words = Private::of_case(self.case(), words);
        Ok(vec![CaseFact::MaterialsAnswered {
            handed_over,
            words,
            attachments,
        }])
    }

    pub(super) fn record_silence(&self) -> Facts {
        self.asked_kinds()?;
        match self.filed.due_at(ClockKind::Materials) {
            Some(until) if self.at <= until => Err(Refusal::StillWaiting { until }),
            _ => Ok(vec![CaseFact::SilenceRecorded {}]),
        }
    }

    pub(super) fn waive_limit(&self, limit: RunOnceLimit, held: &[HeldPaper], reason: String) -> Facts {
        if self.filed.stage.has_ended() {
            return Err(Refusal::Ended);
        }
        let reached = match limit {
            RunOnceLimit::Trip => self.filed.trip_refused(self.rules).is_some(),
            RunOnceLimit::MaterialRequest => self.filed.request_refused(self.rules, self.at).is_some(),
            RunOnceLimit::HeldPaper => !held.is_empty() && self.filed.tally.held_paper_waivers == 0,
        };
        if !reached {
            return Err(Refusal::NothingToWaive);
        }
        Ok(vec![CaseFact::LimitWaived {
            limit,
            reason: self.told("reason", reason)?,
        }])
    }
}
