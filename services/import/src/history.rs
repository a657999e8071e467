//! A row's history as the domain's own decisions make it, at the instants the export tells.

use crate::{
    mapping::Mapping,
    row::Row,
    words::{Ids, case_number},
};
use chrono::{DateTime, Utc};
use onetrip_event_log::NewStream;
use onetrip_model::{
    By, Case, CaseAct, CaseCommand, CaseKind, Channel, DivisionCode, Refusal,
    case::{PlaceProof, Source, Submission, decide},
    policy::Rules,
};
use std::sync::Arc;

/// Makes histories for the rows of one export.
#[derive(Clone)]
pub(crate) struct Histories {
    pub mapping: Arc<Mapping>,
    pub rules: Arc<Rules>,
    pub ids: Ids,
}

impl Histories {
    /// Everything that happened to the case of a row, oldest first. The export does not say when a case was accepted
    /// and assigned: both follow at once, so that the unit answers for all of its time. `salt` draws the number.
    pub fn of(&self, row: &Row, salt: u32) -> Result<NewStream<Case>, Refusal> {
        let case = self.ids.case(&row.source_id);
        let unit = || By::Unit(row.unit.code.clone());
        // Who filed is not told but by the channel; the residents of an export are unknown.
        let filed_by = if row.filed_by_unit { unit() } else { By::Service };
        let submission = self.submission(row, salt);
        let submit = match row.kind {
            CaseKind::Appeal => CaseAct::SubmitAppeal(submission),
            CaseKind::Suggestion => CaseAct::SubmitSuggestion(submission),
            CaseKind::HearingRequest => CaseAct::RequestHearing(submission),
        };
        let assign = CaseAct::Assign {
            unit: row.unit.code.clone(),
            contact_cadre: None,
        };
        let mut telling = Telling {
            case: Case::default(),
            events: Vec::with_capacity(5),
            rules: &self.rules,
        };
        telling.tell(row.opened_at, filed_by, submit)?;
        telling.tell(row.opened_at, unit(), CaseAct::Accept)?;
        telling.tell(row.opened_at, unit(), assign)?;
        if let Some(closing) = &row.closing {
            let words = self.mapping.outcome_words(&closing.outcome).to_owned();
            let place_bound = telling.case.filed().is_some_and(|filed| filed.place_bound);
            let place_proof = place_bound.then(|| PlaceProof::WhyNot(self.mapping.no_photo().to_owned()));
            telling.tell(
                closing.at,
                unit(),
                CaseAct::GiveResult {
                    words,
                    evidence: Vec::new(),
                    place_proof,
                    promise: None,
                },
            )?;
            telling.tell(
                closing.at,
                unit(),
                CaseAct::CloseFromSource {
                    outcome: closing.outcome.clone(),
                },
            )?;
        }
        Ok(NewStream {
            aggregate_id: case.to_string(),
            events: telling.events,
        })
    }

    fn submission(&self, row: &Row, salt: u32) -> Submission {
        let system = self.mapping.system();
        Submission {
            case: self.ids.case(&row.source_id),
            number: case_number(system, &row.source_id, salt),
            person: self.ids.person(&row.source_id),
            contact: None,
            category: row.category.clone(),
            division: match &row.place {
                Some(place) => place.code.clone(),
                None => DivisionCode::from(system),
            },
            contact_district: None,
            new_fact: None,
            place_words: row.street.clone(),
            point: row.point,
            words: row.words.clone(),
            attachments: Vec::new(),
            // Whether two rows are the same matter is not for us to say: each is its own.
            matter: format!("import:{system}:{}", row.source_id),
            previous: None,
            first_receiver: row.unit.code.clone(),
            source: Some(Source {
                system: system.to_owned(),
                id: row.source_id.clone(),
                target_at: row.target_at,
                observed_until: self.mapping.as_of(),
            }),
        }
    }
}

struct Telling<'a> {
    case: Case,
    events: Vec<onetrip_model::CaseEvent>,
    rules: &'a Arc<Rules>,
}

impl Telling<'_> {
    fn tell(&mut self, at: DateTime<Utc>, by: By, act: CaseAct) -> Result<(), Refusal> {
        let command = CaseCommand {
            at,
            by,
            channel: Channel::Import,
            rules: Arc::clone(self.rules),
            act,
        };
        for event in decide(&self.case, command)? {
            self.case = std::mem::take(&mut self.case).evolve(&event);
            self.events.push(event);
        }
        Ok(())
    }
}
