//! What stock's views hold: as much as our read models do, as one document a case.

use cqrs_es::{EventEnvelope, View};
use onetrip_model::{Case, CaseEvent};
use serde::{Deserialize, Serialize};

/// The folded case, as queue and resolution keep it beside a few columns.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Standing {
    version: usize,
    state: Case,
}

impl View<Case> for Standing {
    fn update(&mut self, event: &EventEnvelope<Case>) {
        self.version = event.sequence;
        self.state = std::mem::take(&mut self.state).evolve(&event.payload);
    }
}

/// The folded case with everything that has happened, as the case file keeps it.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct File {
    standing: Standing,
    timeline: Vec<CaseEvent>,
}

impl View<Case> for File {
    fn update(&mut self, event: &EventEnvelope<Case>) {
        self.standing.update(event);
        self.timeline.push(event.payload.clone());
    }
}
