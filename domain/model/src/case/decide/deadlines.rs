//! How long each clock of a case may run, and what is raised on its way there.

use crate::{
    case::{Case, CaseClock, CaseEvent, CaseFact, Filed, event::SetDeadline},
    clocks::{Clock, ClockKind, Deadline, Term},
    policy::{Rules, rules_name},
    primitives::{CaseKind, Tier},
};
use chrono::{DateTime, Duration, Utc};

/// The events with the deadlines of the clocks that they start or move.
pub(super) fn set(case: &Case, events: impl Iterator<Item = CaseEvent>, rules: &Rules) -> Vec<CaseEvent> {
    let mut case = case.clone();
    let with_deadlines = events.map(|mut event| {
        let mut after = std::mem::take(&mut case).after_fact(&event);
        if let Case::Filed(filed) = &mut after {
            event.deadlines = deadlines_after(filed, &event, rules);
            filed.clocks.set(&event.deadlines);
        }
        case = after;
        event
    });
    with_deadlines.collect()
}

fn deadlines_after(filed: &Filed, event: &CaseEvent, rules: &Rules) -> Vec<SetDeadline> {
    let started = filed.clocks.started().iter().filter_map(|(kind, started_at)| {
        let deadline = match source_target(filed, &event.fact, *kind, rules) {
            Some(target) => target,
            None => Clock::new(*kind, term(filed, &event.fact, *kind, rules)?, *started_at).deadline(rules),
        };
        let is_ours = deadline.term != Term::Source;
        Some(SetDeadline {
            clock: *kind,
            deadline,
            steps: if is_ours {
                steps(filed, *kind, rules)
            } else {
                Vec::new()
            },
        })
    });
    started
        .chain(moved(filed, event.at, &event.fact, rules))
        .collect()
}

/// The deadlines of clocks that run already and, after this fact, end at another time.
fn moved<'a>(
    filed: &'a Filed,
    at: DateTime<Utc>,
    fact: &'a CaseFact,
    rules: &'a Rules,
) -> impl Iterator<Item = SetDeadline> + 'a {
    let started = |kind| filed.clocks.started().iter().any(|(started, _)| *started == kind);
    let is_paused = |clock: &CaseClock| filed.clocks.is_paused(clock.kind);
    let may_move = move |clock: &&CaseClock| {
        let moves = match fact {
            CaseFact::MaterialsAnswered { .. }
            | CaseFact::SilenceRecorded {}
            | CaseFact::LawPauseEnded {}
            | CaseFact::CaseReopened { .. }
            | CaseFact::ReviewDecided { .. } => true,
            CaseFact::LegalLimitExtended { .. } => clock.kind == ClockKind::Legal,
            // What has passed is decided; what stands still is counted when it goes on.
            CaseFact::DeadlinesRecomputed { .. } => !is_paused(clock) && at <= clock.deadline.due_at,
            _ => false,
        };
        moves && clock.stopped_at.is_none() && clock.deadline.term != Term::Source && !started(clock.kind)
    };
    let running = filed.clocks.all().iter().filter(may_move);
    running.filter_map(move |clock| {
        let mut deadline = filed.clocks.counted(clock).deadline(rules);
        // The days of today's calendar; the term is still that of the policy under which the clock was started.
        if let Some((policy, _)) = clock.deadline.rules.split_once('/') {
            deadline.rules = rules_name(policy, rules.calendar.version());
        }
        // That a clock stands still follows from the facts; that it goes on ends what its deadline said of it.
        let suspended = |deadline: &Deadline| deadline.suspended_since.filter(|_| !is_paused(clock));
        let told = |deadline: &Deadline| (deadline.due_at, deadline.provisional, suspended(deadline));
        (told(&deadline) != told(&clock.deadline)).then(|| SetDeadline {
            clock: clock.kind,
            deadline,
            steps: Vec::new(),
        })
    })
}

impl Filed {
    /// Whether these rules give a clock that runs another deadline than it has, at `at`.
    pub fn deadlines_move(&self, rules: &Rules, at: DateTime<Utc>) -> bool {
        moved(self, at, &recomputed(rules), rules).next().is_some()
    }
}

/// The fact that a calendar has moved deadlines.
pub(super) fn recomputed(rules: &Rules) -> CaseFact {
    CaseFact::DeadlinesRecomputed {
        calendar: rules.calendar.version().to_owned(),
    }
}

/// The target that the other system set for an imported case, as much of it as is granted here.
fn source_target(filed: &Filed, fact: &CaseFact, kind: ClockKind, rules: &Rules) -> Option<Deadline> {
    let CaseFact::CaseSubmitted(submitted) = fact else {
        return None;
    };
    let source = submitted.source.as_ref().filter(|_| filed.imported)?;
    let target_at = source.target_at.filter(|_| kind == ClockKind::Result)?;
    let began_at = filed.clocks.started().first().map_or(target_at, |(_, at)| *at);
    let granted = (target_at - began_at).num_seconds();
    let percent = i64::from(rules.policy.result.source_target_percent);
    let due_at = began_at + Duration::seconds(granted.saturating_mul(percent) / 100);
    Some(Deadline::from_source(&source.system, due_at))
}

/// How long this clock may run for this case; None where the case has no such clock. Every number is the policy's.
fn term(filed: &Filed, fact: &CaseFact, kind: ClockKind, rules: &Rules) -> Option<Term> {
    let policy = &rules.policy;
    let is_appeal = filed.kind == CaseKind::Appeal;
    // Another system's case has its targets; here only what happens here has a limit.
    let is_theirs = filed.imported && filed.rounds == 0;
    let term = match kind {
        ClockKind::Contact
        | ClockKind::Receipt
        | ClockKind::Objection
        | ClockKind::Result
        | ClockKind::Legal
            if is_theirs =>
        {
            return None;
        }
        ClockKind::Contact if !filed.named => return None,
        ClockKind::Legal
        | ClockKind::AskReview
        | ClockKind::Review
        | ClockKind::AskFinalReview
        | ClockKind::FinalReview
            if !is_appeal =>
        {
            return None;
        }
        ClockKind::Contact => policy.contact.term(),
        ClockKind::Receipt => policy.receipt.term(),
        ClockKind::Objection => policy.objection.term(),
        ClockKind::Result | ClockKind::Redo => policy.result_term(filed.kind, filed.class, &filed.category),
        ClockKind::Legal => policy.legal.term(),
        ClockKind::Materials => policy.run_once.answer_term(),
        ClockKind::Rating => policy.rating.term(),
        ClockKind::RatingOwner => policy.rating.owner_term(),
        ClockKind::AskReview => policy.review.ask_term(),
        ClockKind::Review => policy.review.decide_term(),
        ClockKind::AskFinalReview => policy.final_review.ask_term(),
        ClockKind::FinalReview => policy.final_review.decide_term(),
        ClockKind::Promise => match fact {
            CaseFact::PromiseMade { by, .. } => Term::Date(*by),
            _ => return None,
        },
    };
    Some(term)
}

/// Only who works for the city is warned; a resident's window just ends.
fn steps(filed: &Filed, kind: ClockKind, rules: &Rules) -> Vec<u16> {
    match kind {
        ClockKind::Objection
        | ClockKind::Materials
        | ClockKind::Rating
        | ClockKind::AskReview
        | ClockKind::AskFinalReview => Vec::new(),
        ClockKind::Contact
        | ClockKind::Receipt
        | ClockKind::Result
        | ClockKind::Redo
        | ClockKind::Legal
        | ClockKind::Review
        | ClockKind::FinalReview
        | ClockKind::RatingOwner
        | ClockKind::Promise => rules.policy.supervision.steps(Tier::of(&filed.division)),
    }
}
