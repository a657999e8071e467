//! What DOMAIN.md forbids: states that no history reaches, steps that none takes, closings without a reason and a reply.

use crate::histories::*;
use onetrip_model::{
    By, Case, CaseEvent, CaseFact, Private, StaffId,
    case::{CaseClock, CloseReason, Filed, Holder, PlaceEvidence, ReviewLevel, Stage},
    clocks::ClockKind,
};
use onetrip_testkit::Given;
use proptest::prelude::*;

/// The case before and after every event after the first.
fn each_event(given: &Given) -> Vec<(Filed, &CaseEvent, Filed)> {
    let mut case = Case::Unfiled;
    let mut seen = Vec::new();
    for event in &given.events {
        let before = case.filed().cloned();
        case = case.evolve(event);
        seen.extend(
            before
                .zip(case.filed().cloned())
                .map(|(before, after)| (before, event, after)),
        );
    }
    seen
}

fn says_something(words: &Private<String>) -> bool {
    words.as_open().is_some_and(|words| !words.trim().is_empty())
}

/// What DOMAIN.md forbids of a state, and what this one has of it.
fn forbidden(filed: &Filed) -> Vec<&'static str> {
    let stage = &filed.stage;
    let is_handled = matches!(
        stage,
        Stage::Submitted { .. } | Stage::Accepted { .. } | Stage::Handling { .. }
    );
    // A decision and the closing on it are two events.
    let is_decided = |level| {
        filed
            .reviewed
            .as_ref()
            .is_some_and(|reviewed| reviewed.level == level)
    };
    let is_under_review = filed.under_review().is_some_and(|level| !is_decided(level));
    let stands_still = |clock: &CaseClock| filed.clocks.is_paused(clock.kind);
    let owed = [
        ClockKind::Result,
        ClockKind::Redo,
        ClockKind::Legal,
        ClockKind::Receipt,
    ];
    let rules = [
        (
            "offered to its own holder",
            stage.offered_to() == Some(stage.unit()),
        ),
        (
            "its leading unit helps itself",
            filed.joint_units.contains(stage.unit()),
        ),
        (
            "with the supervisor and on its way all the same",
            filed.with_supervisor
                && !matches!(
                    stage,
                    Stage::Submitted { offered: None, .. } | Stage::Accepted { .. } | Stage::Withdrawn { .. }
                ),
        ),
        (
            "a clock stands still while somebody works",
            is_handled && running(filed).any(stands_still),
        ),
        (
            "a result's clock runs while it waits for what was asked of the resident or the law",
            matches!(stage, Stage::AwaitingResident { .. } | Stage::LawPause { .. })
                && owed[..3]
                    .iter()
                    .any(|kind| runs(filed, *kind) && !filed.clocks.is_paused(*kind)),
        ),
        (
            "waits for the resident without a limit, or has one without waiting",
            matches!(stage, Stage::AwaitingResident { .. }) != runs(filed, ClockKind::Materials),
        ),
        (
            "is reviewed without a limit, or has one without a review",
            is_under_review != (runs(filed, ClockKind::Review) || runs(filed, ClockKind::FinalReview)),
        ),
        (
            "something is owed after the end",
            stage.has_ended() && owed.iter().any(|kind| runs(filed, *kind)),
        ),
        (
            "owes nothing although it has no result",
            filed.accepted_at.is_some()
                && is_handled
                && !(runs(filed, ClockKind::Legal)
                    && (runs(filed, ClockKind::Result) != runs(filed, ClockKind::Redo))),
        ),
        (
            "waits for a verdict without a window, or while a result is owed",
            matches!(stage, Stage::ResultGiven { .. })
                && (!runs(filed, ClockKind::Rating)
                    || runs(filed, ClockKind::Result)
                    || runs(filed, ClockKind::Redo)),
        ),
        (
            "extended more than once",
            filed.clocks.all().iter().any(|clock| clock.extensions > 1),
        ),
        (
            "extended by more than thirty days",
            filed.clocks.all().iter().any(|clock| clock.extended > 30),
        ),
        ("merged into itself", stage.holder() == Holder::Lead(filed.case)),
    ];
    rules
        .into_iter()
        .filter(|(_, is_so)| *is_so)
        .map(|(what, _)| what)
        .collect()
}

/// What DOMAIN.md forbids to happen to a case that stood so, and what this is of it.
fn forbidden_step(before: &Filed, event: &CaseEvent, after: &Filed) -> Vec<&'static str> {
    let at = event.at;
    let is_late = |kind: ClockKind| {
        let clock = before.clocks.get(kind).map(|clock| clock.deadline.due_at);
        clock.is_some_and(|due_at| at > due_at)
    };
    let stage = &before.stage;
    let is_offered = stage.offered_to().is_some();
    let by: Option<StaffId> = event.by.staff();
    let first_result = |filed: &Filed| {
        filed
            .clocks
            .get(ClockKind::Result)
            .map(|clock| (clock.started_at, clock.stopped_at))
    };
    let restarted = first_result(before) != first_result(after)
        && !(first_result(before).is_some_and(|(_, stopped)| stopped.is_none())
            && first_result(after)
                .is_some_and(|(started, _)| Some(started) == first_result(before).map(|of| of.0)));
    let mut rules = vec![
        ("the first result's clock restarted", restarted),
        ("the case lost its number", before.number != after.number),
        (
            "a count went back",
            before.rounds > after.rounds || before.hops > after.hops,
        ),
    ];
    rules.extend(match &event.fact {
        CaseFact::CaseDeclined { .. } | CaseFact::HandOverOffered { .. } => vec![
            ("two offers", is_offered),
            ("an objection after its limit", is_late(ClockKind::Objection)),
            ("a third hop without the supervisor", before.hops >= 2),
            (
                "the holder let go before somebody took over",
                before.stage.unit() != after.stage.unit(),
            ),
        ],
        CaseFact::HandOverReferred { .. } => vec![
            ("referred before the third hop", before.hops < 2),
            ("an objection after its limit", is_late(ClockKind::Objection)),
            (
                "the supervisor became the holder",
                before.stage.unit() != after.stage.unit(),
            ),
        ],
        CaseFact::HandOverTaken { unit } => {
            vec![("taken without an offer", stage.offered_to() != Some(unit))]
        }
        CaseFact::CaseAssigned { .. } => {
            vec![(
                "assigned before it was accepted, or while it is offered",
                !matches!(
                    stage,
                    Stage::Accepted { .. } | Stage::Handling { offered: None, .. }
                ),
            )]
        }
        CaseFact::MaterialsRequested { .. } => {
            vec![(
                "asked by who does not handle it",
                !matches!(stage, Stage::Handling { offered: None, .. }),
            )]
        }
        CaseFact::SilenceRecorded {} => vec![
            (
                "silence of somebody who was not asked",
                !matches!(stage, Stage::AwaitingResident { .. }),
            ),
            (
                "silence within the time to answer",
                !is_late(ClockKind::Materials),
            ),
            ("closed for silence", after.stage.has_ended()),
        ],
        CaseFact::ResultGiven {
            words,
            place_evidence,
            ..
        } => vec![
            (
                "a result while it waits for somebody else",
                !matches!(
                    stage,
                    Stage::Handling { offered: None, .. } | Stage::Merged { .. }
                ),
            ),
            (
                "a merged case answered for itself",
                matches!(stage, Stage::Merged { .. }) && event.by != By::Service,
            ),
            (
                "done again by who did it before",
                before.is_redo && by.is_some() && by == before.result_by,
            ),
            ("a result without words", !says_something(words)),
            (
                "a place without a photo or a reason",
                match place_evidence {
                    PlaceEvidence::NotPlaceBound => before.place_bound,
                    PlaceEvidence::WhyNot(why) => !says_something(why),
                    PlaceEvidence::AfterPhoto(_) => false,
                },
            ),
        ],
        CaseFact::ResultRated { .. } => vec![
            (
                "rated without a result",
                !matches!(stage, Stage::ResultGiven { .. }),
            ),
            ("rated after the window", is_late(ClockKind::Rating)),
        ],
        CaseFact::CaseReopened { .. } => vec![
            ("reopened after the window", is_late(ClockKind::Rating)),
            (
                "the second time without the supervisor",
                before.reopenings >= 1 && !after.with_supervisor,
            ),
        ],
        CaseFact::ReviewAsked { level, .. } => {
            let done = before.reviewed.as_ref().map(|reviewed| reviewed.level);
            vec![
                ("a review without a result", !before.has_result()),
                (
                    "a review out of order",
                    match level {
                        ReviewLevel::Review => done.is_some(),
                        ReviewLevel::FinalReview => done != Some(ReviewLevel::Review),
                    },
                ),
            ]
        }
        CaseFact::ReviewDecided { .. } => vec![
            (
                "decided by who gave the result",
                by.is_some() && by == before.result_by,
            ),
            (
                "decided by who decided before",
                by.is_some() && before.reviewed.as_ref().is_some_and(|reviewed| reviewed.by == by),
            ),
        ],
        CaseFact::CaseMerged { into, .. } => vec![
            ("merged into itself", *into == before.case),
            (
                "merged while somebody else decides",
                before.with_supervisor || is_offered,
            ),
        ],
        CaseFact::PromiseMade { .. } => vec![("two promises", runs(before, ClockKind::Promise))],
        CaseFact::CaseClosed { reason, .. } => vec![(
            "closed without a result",
            !matches!(reason, CloseReason::Outside { .. })
                && !matches!(stage, Stage::ResultGiven { .. } | Stage::UnderReview { .. }),
        )],
        _ => Vec::new(),
    });
    rules
        .into_iter()
        .filter(|(_, is_so)| *is_so)
        .map(|(what, _)| what)
        .collect()
}

/// The reply behind a closing: its own words, or those of what came before it.
fn has_reply(before: &[CaseEvent], reason: &CloseReason, reply: Option<&Private<String>>) -> bool {
    let newest = before.iter().rev();
    match reason {
        CloseReason::Outside { next_owner } => !next_owner.is_empty() && reply.is_some_and(says_something),
        CloseReason::Reviewed => match before.last().map(|event| &event.fact) {
            Some(CaseFact::ReviewDecided { words, .. }) => says_something(words),
            _ => false,
        },
        CloseReason::Rated | CloseReason::Unrated | CloseReason::Source { .. } => {
            let mut results = newest.filter_map(|event| match &event.fact {
                CaseFact::ResultGiven { words, .. } => Some(says_something(words)),
                CaseFact::CaseReopened { .. } => Some(false),
                _ => None,
            });
            results.next() == Some(true)
        }
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn forbidden_states_are_never_reached_and_forbidden_steps_never_taken(numbers in journeys()) {
        let end = supervised(&numbers);
        for (before, event, after) in each_event(&end) {
            let wrong = forbidden(&after);
            prop_assert!(wrong.is_empty(), "{wrong:?} after {event:?}: {after:?}");
            let wrong = forbidden_step(&before, event, &after);
            prop_assert!(wrong.is_empty(), "{wrong:?}: {event:?} of {before:?}");
        }
        for two in each_event(&end).windows(2) {
            let [(before, event, _), (_, next, _)] = two else { continue };
            let is_accepted = matches!(event.fact, CaseFact::CaseAccepted {}) && before.with_supervisor;
            let is_assigned = matches!(next.fact, CaseFact::CaseAssigned { .. });
            prop_assert!(!is_accepted || is_assigned, "accepted by somebody else than its supervisor");
        }
    }

    #[test]
    fn a_closed_case_has_a_reason_and_a_reply(numbers in journeys()) {
        let end = supervised(&numbers);
        for (place, event) in end.events.iter().enumerate() {
            if let CaseFact::CaseClosed { reason, reply } = &event.fact {
                prop_assert!(has_reply(&end.events[..place], reason, reply.as_ref()), "{event:?}");
            }
        }
    }
}
