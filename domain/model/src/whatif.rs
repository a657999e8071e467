//! What would have become of a case's limits under other rules (`onetrip whatif`): computed from what happened, changing
//! nothing.

use crate::{
    case::{CaseClock, Filed, Stage},
    clocks::{Clock, ClockKind, Term},
    policy::Rules,
    primitives::CaseKind,
};
use chrono::{DateTime, Utc};

/// How a limit of a case went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    Met,
    Breached,
    /// Not done, and not due yet when the case was last watched; or withdrawn before it was due.
    Undecided,
}

/// A limit as it was, and as other rules would have set it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Compared {
    pub before: Fate,
    pub after: Fate,
}

/// The limits that are compared: the first contact and the first result.
pub const LIMITS: [ClockKind; 2] = [ClockKind::Contact, ClockKind::Result];

/// How this limit of a case went, and how it would have gone under `rules`; None where the case has no such limit. The
/// case is taken to have gone the same way in the same time, with the same pauses.
pub fn compare(
    filed: &Filed,
    kind: ClockKind,
    rules: &Rules,
    watched_until: DateTime<Utc>,
) -> Option<Compared> {
    let clock = filed.clocks.get(kind)?;
    let due_at = due_under(filed, clock, rules);
    let withdrawn = matches!(filed.stage, Stage::Withdrawn { .. });
    let fate = |due_at| fate(clock, due_at, withdrawn, watched_until);
    Some(Compared {
        before: fate(clock.deadline.due_at),
        after: fate(due_at),
    })
}

fn fate(clock: &CaseClock, due_at: DateTime<Utc>, withdrawn: bool, watched_until: DateTime<Utc>) -> Fate {
    match clock.stopped_at {
        Some(stopped_at) if stopped_at > due_at => Fate::Breached,
        Some(_) if withdrawn => Fate::Undecided,
        Some(_) => Fate::Met,
        None if due_at < watched_until => Fate::Breached,
        None => Fate::Undecided,
    }
}

fn due_under(filed: &Filed, clock: &CaseClock, rules: &Rules) -> DateTime<Utc> {
    let policy = &rules.policy;
    let term = match clock.deadline.term {
        Term::Source => {
            let granted = (clock.deadline.due_at - clock.started_at).num_seconds();
            let percent = i64::from(policy.result.source_target_percent);
            let seconds = granted.saturating_mul(percent) / 100;
            return clock.started_at + chrono::Duration::seconds(seconds);
        }
        _ if clock.kind == ClockKind::Contact => policy.contact.term(),
        _ => {
            // A category may have another class there; one that is gone keeps its own.
            let class = policy.category(&filed.category).map(|category| category.class);
            let class = class.filter(|_| filed.kind == CaseKind::Appeal).or(filed.class);
            policy.result_term(filed.kind, class, &filed.category)
        }
    };
    let counted = Clock {
        term,
        ..filed.clocks.counted(clock)
    };
    counted.deadline(rules).due_at
}

/// The kind of office that a case's category is routed to; None where these rules do not know the category.
pub fn office<'a>(filed: &Filed, rules: &'a Rules) -> Option<&'a str> {
    let category = rules.policy.category(&filed.category)?;
    Some(&category.office)
}
