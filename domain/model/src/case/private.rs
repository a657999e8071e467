//! Which fields of an event are private. Every variant is named, so that a new one cannot be forgotten.

use super::event::{CaseEvent, CaseFact, PlaceEvidence};
use crate::primitives::{HoldsPrivate, PrivateValue};

impl HoldsPrivate for CaseEvent {
    fn private_values(&mut self) -> Vec<&mut dyn PrivateValue> {
        match &mut self.fact {
            CaseFact::CaseSubmitted(submitted) => {
                let mut values: Vec<&mut dyn PrivateValue> = vec![&mut submitted.words];
                values.extend(submitted.contact.as_mut().map(erase));
                values.extend(submitted.new_fact.as_mut().map(erase));
                values.extend(submitted.place.detail.as_mut().map(erase));
                values
            }
            CaseFact::SupplementAdded { words, .. }
            | CaseFact::FollowUpRecorded { words, .. }
            | CaseFact::MaterialsAnswered { words, .. }
            | CaseFact::ContributionGiven { words, .. }
            | CaseFact::LawPauseBegun { notice: words, .. }
            | CaseFact::PromiseMade { words, .. }
            | CaseFact::PromiseKept { words, .. }
            | CaseFact::ReviewDecided { words, .. }
            | CaseFact::CaseUrged { words } => vec![words],
            CaseFact::CaseDeclined { reason, .. }
            | CaseFact::HandOverOffered { reason, .. }
            | CaseFact::HandOverReturned { reason, .. }
            | CaseFact::LimitWaived { reason, .. }
            | CaseFact::CaseReopened { reason, .. }
            | CaseFact::HandOverReferred { reason, .. }
            | CaseFact::JointHandlingOrdered { reason, .. }
            | CaseFact::LegalLimitExtended { reason, .. }
            | CaseFact::ReviewAsked { reason, .. }
            | CaseFact::CaseMerged { reason, .. }
            | CaseFact::CaseUnmerged { reason }
            | CaseFact::CaseWithdrawn { reason } => vec![reason],
            CaseFact::TripAsked { to_place, reason } => vec![to_place, reason],
            CaseFact::MaterialsRequested { items, .. } => items
                .iter_mut()
                .filter_map(|item| item.words.as_mut())
                .map(erase)
                .collect(),
            CaseFact::ResultGiven {
                words,
                place_evidence,
                ..
            } => {
                let mut values: Vec<&mut dyn PrivateValue> = vec![words];
                match place_evidence {
                    PlaceEvidence::WhyNot(why) => values.push(why),
                    PlaceEvidence::NotPlaceBound | PlaceEvidence::AfterPhoto(_) => {}
                }
                values
            }
            CaseFact::ResultRated { reason: text, .. } | CaseFact::CaseClosed { reply: text, .. } => {
                text.iter_mut().map(erase).collect()
            }
            CaseFact::CaseAccepted { .. }
            | CaseFact::CaseAssigned { .. }
            | CaseFact::HandOverTaken { .. }
            | CaseFact::SilenceRecorded { .. }
            | CaseFact::LawPauseEnded {}
            | CaseFact::RatingOwned {}
            | CaseFact::WarningRaised { .. }
            | CaseFact::LimitBreached { .. }
            | CaseFact::CaseEscalated { .. }
            | CaseFact::RaisingWithdrawn { .. }
            | CaseFact::DeadlinesRecomputed { .. } => Vec::new(),
        }
    }
}

fn erase<T: PrivateValue>(value: &mut T) -> &mut dyn PrivateValue {
    value
}
