//! The rule book (规则库): every policy and calendar that ever ruled, each from the instant it was adopted, so that history
//! knows which version ruled when.
//!
//! One aggregate for the city. `decide.rs` the rules of adopting, `event.rs` what can have happened.

mod decide;
mod event;

pub use decide::{AdoptRules, RulesRefusal, decide};
pub use event::RulesEvent;

use crate::policy::Rules;
use chrono::{DateTime, Utc};
use cqrs_es::{Aggregate, event_sink::EventSink};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The stream of the one rule book in the event log.
pub const RULE_BOOK: &str = "city";

/// What was adopted, in order.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RuleBook {
    adoptions: Vec<Adoption>,
}

/// Rules, and since when they rule.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Adoption {
    pub adopted_at: DateTime<Utc>,
    pub rules: Arc<Rules>,
}

impl RuleBook {
    /// Every adoption, the newest last.
    pub fn adoptions(&self) -> &[Adoption] {
        &self.adoptions
    }

    /// The rules in force; None before any were adopted.
    pub fn newest(&self) -> Option<&Adoption> {
        self.adoptions.last()
    }

    /// The rules that ruled at an instant. What happened before the first were adopted is ruled by those.
    pub fn at(&self, instant: DateTime<Utc>) -> Option<&Arc<Rules>> {
        let later = self
            .adoptions
            .partition_point(|adoption| adoption.adopted_at <= instant);
        self.adoptions
            .get(later.saturating_sub(1))
            .map(|adoption| &adoption.rules)
    }

    /// The rules that a deadline names as `policy version/calendar version`. The two need not have been adopted together: a
    /// recomputed deadline keeps its policy under a later calendar.
    pub fn version(&self, name: &str) -> Option<Arc<Rules>> {
        let all = || self.adoptions.iter().map(|adoption| &adoption.rules);
        let (policy_version, calendar_version) = name.split_once('/')?;
        let by_policy = all().find(|rules| rules.policy.version == policy_version)?;
        let by_calendar = all().find(|rules| rules.calendar.version() == calendar_version)?;
        Some(Arc::new(Rules {
            policy: by_policy.policy.clone(),
            calendar: by_calendar.calendar.clone(),
        }))
    }

    /// The book after an event. Never fails: the event has happened.
    pub fn evolve(mut self, event: RulesEvent) -> RuleBook {
        let RulesEvent::RulesAdopted { at, policy, calendar } = event;
        self.adoptions.push(Adoption {
            adopted_at: at,
            rules: Arc::new(Rules {
                policy: *policy,
                calendar,
            }),
        });
        self
    }
}

impl Aggregate for RuleBook {
    const TYPE: &'static str = "rules";
    type Command = AdoptRules;
    type Event = RulesEvent;
    type Error = RulesRefusal;
    type Services = ();

    async fn handle(
        &mut self,
        command: AdoptRules,
        _services: &(),
        sink: &EventSink<Self>,
    ) -> Result<(), RulesRefusal> {
        for event in decide(self, command)? {
            sink.write(event, self).await;
        }
        Ok(())
    }

    fn apply(&mut self, event: RulesEvent) {
        *self = std::mem::take(self).evolve(event);
    }
}
