//! What stock's views hold: the folded case, without which stock has nothing to go on folding with. Our read models keep
//! columns of it only, and remember the case or fold it from the log.

use cqrs_es::{EventEnvelope, View};
use onetrip_model::Case;
use serde::{Deserialize, Serialize};

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
