use crate::{
    calendar::Calendar,
    policy::Policy,
    primitives::{HoldsPrivate, PrivateValue},
};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// What can have happened to the rule book.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum RulesEvent {
    /// From `at` on these rule, until the next are adopted. Whole, so that an old deadline can be counted again without any
    /// file.
    RulesAdopted {
        at: DateTime<Utc>,
        policy: Box<Policy>,
        calendar: Calendar,
    },
}

impl cqrs_es::DomainEvent for RulesEvent {
    fn event_type(&self) -> String {
        match self {
            RulesEvent::RulesAdopted { .. } => "RulesAdopted".to_owned(),
        }
    }

    fn event_version(&self) -> String {
        "1.0".to_owned()
    }
}

/// Rules hold nothing personal.
impl HoldsPrivate for RulesEvent {
    fn private_values(&mut self) -> Vec<&mut dyn PrivateValue> {
        Vec::new()
    }
}
