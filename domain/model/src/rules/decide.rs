use super::{RuleBook, RulesEvent};
use crate::policy::{Difference, Policy, Rules, differences};
use chrono::{DateTime, Utc};
use std::sync::Arc;

/// From `at` on, let these rule.
#[derive(Clone, Debug)]
pub struct AdoptRules {
    pub at: DateTime<Utc>,
    pub rules: Arc<Rules>,
}

/// Why rules are not adopted: a version is a promise of what it says.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RulesRefusal {
    #[error(
        "policy {version} has been adopted with something else: {}. Put it back, or give the file a version of its own",
        told(.differences)
    )]
    PolicyChanged {
        version: String,
        differences: Vec<Difference>,
    },
    #[error(
        "calendar {version} has been adopted with other days. Put them back, or give the calendar a version of its own \
         (`calendar` in the policy)"
    )]
    CalendarChanged { version: String },
}

fn told(differences: &[Difference]) -> String {
    let told: Vec<String> = differences.iter().map(Difference::to_string).collect();
    told.join("; ")
}

/// Rules in force are adopted again without an event; rules that ruled before may come back.
pub fn decide(book: &RuleBook, command: AdoptRules) -> Result<Vec<RulesEvent>, RulesRefusal> {
    let AdoptRules { at, rules } = command;
    for earlier in book.adoptions() {
        is_kept(&earlier.rules, &rules)?;
    }
    let newest = book.newest();
    if newest.is_some_and(|newest| newest.rules.name() == rules.name()) {
        return Ok(Vec::new());
    }
    Ok(vec![RulesEvent::RulesAdopted {
        // A clock that was set back makes nobody rule before their predecessors.
        at: newest.map_or(at, |newest| newest.adopted_at.max(at)),
        policy: Box::new(rules.policy.clone()),
        calendar: rules.calendar.clone(),
    }])
}

fn is_kept(earlier: &Rules, now: &Rules) -> Result<(), RulesRefusal> {
    if earlier.policy.version == now.policy.version {
        let differences = differences(&earlier.policy, &beside(&now.policy, &earlier.policy.calendar));
        if !differences.is_empty() {
            return Err(RulesRefusal::PolicyChanged {
                version: now.policy.version.clone(),
                differences,
            });
        }
    }
    let (before, after) = (&earlier.calendar, &now.calendar);
    if before.version() == after.version() && !before.says_the_same(after) {
        return Err(RulesRefusal::CalendarChanged {
            version: after.version().to_owned(),
        });
    }
    Ok(())
}

/// A policy beside another calendar: a late notice changes the calendar of a policy and none of its numbers.
fn beside(policy: &Policy, calendar: &str) -> Policy {
    Policy {
        calendar: calendar.to_owned(),
        ..policy.clone()
    }
}
