//! What holds for every journey on the way from filing to its end; the laws of clocks, holders and states are in `laws.rs`.

use crate::histories::{config, journeys};
use chrono::{DateTime, Utc};
use onetrip_model::{
    Case, CaseAct, CaseEvent, CaseFact,
    case::{CloseReason, Holder, RunOnceLimit, Stage, Verdict},
    clocks::ClockKind,
};
use onetrip_testkit::*;
use proptest::prelude::*;

fn count(events: &[CaseEvent], wanted: impl Fn(&CaseFact) -> bool) -> u32 {
    u32::try_from(events.iter().filter(|event| wanted(&event.fact)).count()).expect("a short journey")
}

fn waivers(events: &[CaseEvent], of: RunOnceLimit) -> u32 {
    count(
        events,
        |fact| matches!(fact, CaseFact::LimitWaived { limit, .. } if *limit == of),
    )
}

/// The journey of a case filed here, and the same of an imported one, which ends as its own system says if it can.
fn with_imported(steps: &[Step]) -> [Given; 2] {
    let source = CaseAct::CloseFromSource {
        outcome: "closed".to_owned(),
    };
    [
        play(submission(), steps),
        play(imported(), steps).when(source).after(),
    ]
}

/// Round of the newest result, and until when it may be rated; None where there is none or it was reopened.
fn standing_result(events: &[CaseEvent]) -> Option<(u32, DateTime<Utc>)> {
    events.iter().rev().find_map(|event| match &event.fact {
        CaseFact::ResultGiven { round, .. } => {
            let rating = event.deadlines.iter().find(|set| set.clock == ClockKind::Rating);
            Some(Some((
                *round,
                rating.expect("a window for the verdict").deadline.due_at,
            )))
        }
        CaseFact::CaseReopened { .. } => Some(None),
        _ => None,
    })?
}

fn ratings(events: &[CaseEvent], of: u32) -> u32 {
    count(
        events,
        |fact| matches!(fact, CaseFact::ResultRated { round, .. } if *round == of),
    )
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn trips_and_requests_never_exceed_the_limit_and_its_waivers(numbers in journeys()) {
        let limits = &rules().policy.run_once;
        let end = play(submission(), &steps_from(&numbers));
        let trips = count(&end.events, |fact| matches!(fact, CaseFact::TripAsked { .. }));
        prop_assert!(trips <= limits.trips_max + waivers(&end.events, RunOnceLimit::Trip));
        let requests = count(&end.events, |fact| matches!(fact, CaseFact::MaterialsRequested { .. }));
        let allowed = limits.material_requests_max + waivers(&end.events, RunOnceLimit::MaterialRequest);
        prop_assert!(requests <= allowed);
        let tally = end.filed().tally;
        prop_assert_eq!((tally.trips, tally.material_requests), (trips, requests));
    }

    #[test]
    fn an_open_case_has_one_holder_and_an_ended_one_none(numbers in journeys()) {
        let end = play(submission(), &steps_from(&numbers));
        let mut case = Case::Unfiled;
        for event in &end.events {
            case = case.evolve(event);
            let stage = &case.filed().expect("the first event files it").stage;
            match stage.holder() {
                Holder::Unit(unit) => prop_assert!(!unit.as_str().is_empty() && !stage.has_ended()),
                Holder::Resident => {
                    let is_theirs = matches!(stage, Stage::AwaitingResident { .. } | Stage::ResultGiven { .. });
                    prop_assert!(is_theirs);
                }
                Holder::Law => prop_assert_eq!(stage.name(), "law_pause"),
                Holder::Reviewer => prop_assert!(stage.name().ends_with("review")),
                Holder::Lead(_) => prop_assert_eq!(stage.name(), "merged"),
                Holder::Nobody => prop_assert!(stage.has_ended()),
            }
        }
    }

    #[test]
    fn the_holder_changes_only_to_who_took_over_or_was_assigned(numbers in journeys()) {
        let end = play(submission(), &steps_from(&numbers));
        let mut case = Case::Unfiled;
        for event in &end.events {
            let before = case.filed().map(|filed| filed.stage.unit().clone());
            let offered = case.filed().and_then(|filed| filed.stage.offered_to().cloned());
            case = case.evolve(event);
            let after = case.filed().map(|filed| filed.stage.unit().clone());
            match &event.fact {
                CaseFact::HandOverTaken { unit } => {
                    prop_assert_eq!(offered.as_ref(), Some(unit));
                    prop_assert_eq!(after.as_ref(), Some(unit));
                }
                CaseFact::CaseSubmitted(_) | CaseFact::CaseAssigned { .. } => {}
                _ => prop_assert_eq!(before, after, "{}", event.fact.name()),
            }
        }
    }

    #[test]
    fn an_ended_case_accepts_nothing_but_what_outlives_an_end(numbers in journeys(), next in any::<u32>()) {
        let mut end = play(submission(), &steps_from(&numbers));
        if !end.filed().stage.has_ended() {
            end = end.and([CaseAct::Withdraw { reason: "自己修好了".to_owned() }]);
        }
        let withdrawn = end.filed().stage.name() == "withdrawn";
        let then = end.when(act_of(next));
        for event in then.outcome().unwrap_or_default() {
            // A closed case may be asked about again; a promise, a bad rating and their clocks outlive any end.
            let allowed = match event.fact {
                CaseFact::FollowUpRecorded { .. } | CaseFact::CaseReopened { .. } | CaseFact::ReviewAsked { .. } => {
                    !withdrawn
                }
                CaseFact::PromiseKept { .. }
                | CaseFact::RatingOwned {}
                | CaseFact::WarningRaised { .. }
                | CaseFact::LimitBreached { .. }
                | CaseFact::CaseEscalated { .. } => true,
                _ => false,
            };
            prop_assert!(allowed, "{}", event.fact.name());
        }
    }

    #[test]
    fn every_closing_has_behind_it_what_its_reason_says(numbers in journeys()) {
        for end in with_imported(&steps_from(&numbers)) {
            for (place, event) in end.events.iter().enumerate() {
                let CaseFact::CaseClosed { reason, reply } = &event.fact else { continue };
                let before = &end.events[..place];
                let result = standing_result(before);
                let rated = match before.last().map(|event| &event.fact) {
                    Some(CaseFact::ResultRated { round, verdict, .. }) => Some((*round, *verdict)),
                    _ => None,
                };
                let kept = match (reason, result) {
                    (CloseReason::Rated, Some((round, _))) => {
                        rated.is_some_and(|rated| rated.0 == round && rated.1 != Verdict::NotSolved)
                    }
                    (CloseReason::Unrated, Some((round, until))) => {
                        event.at > until && ratings(before, round) == 0
                    }
                    (CloseReason::Source { .. }, Some(_)) => true,
                    (CloseReason::Reviewed, Some(_)) => {
                        matches!(before.last().map(|event| &event.fact), Some(CaseFact::ReviewDecided { .. }))
                    }
                    (CloseReason::Outside { next_owner }, None) => {
                        let told = reply.as_ref().and_then(|reply| reply.as_open());
                        !next_owner.is_empty() && told.is_some_and(|reply| !reply.is_empty())
                    }
                    _ => false,
                };
                prop_assert!(kept, "{reason:?} after {result:?} and {rated:?}, with {reply:?}");
            }
        }
    }

    #[test]
    fn ratings_of_a_round_are_given_once(numbers in journeys()) {
        let end = play(submission(), &steps_from(&numbers));
        let mut rounds: Vec<u32> = end.events.iter().filter_map(|event| match event.fact {
            CaseFact::ResultRated { round, .. } => Some(round),
            _ => None,
        }).collect();
        let given = rounds.len();
        rounds.dedup();
        prop_assert_eq!(rounds.len(), given);
    }

    #[test]
    fn an_event_survives_its_json(numbers in journeys()) {
        let end = play(submission(), &steps_from(&numbers));
        for event in &end.events {
            let json = serde_json::to_string(event).expect("events serialize");
            prop_assert_eq!(&serde_json::from_str::<CaseEvent>(&json).expect("events deserialize"), event);
        }
        let json = serde_json::to_string(&end.case).expect("states serialize");
        prop_assert_eq!(serde_json::from_str::<Case>(&json).expect("states deserialize"), end.case);
    }
}

/// The properties above say something only if the journeys come to it.
#[test]
fn journeys_come_to_every_stage_every_event_and_every_reason_to_close() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let (mut stages, mut facts) = (
        std::collections::BTreeSet::new(),
        std::collections::BTreeSet::new(),
    );
    let mut reasons = std::collections::BTreeSet::new();
    for _ in 0..1_500 {
        let numbers =
            proptest::strategy::ValueTree::current(&journeys().new_tree(&mut runner).expect("a journey"));
        let steps = steps_from(&numbers);
        let end = play(submission(), &steps);
        for event in with_imported(&steps).iter().flat_map(|end| &end.events) {
            if let CaseFact::CaseClosed { reason, .. } = &event.fact {
                reasons.insert(reason.as_str());
            }
        }
        stages.insert(end.filed().stage.name());
        stages.extend(end.filed().with_supervisor.then_some("with the supervisor"));
        facts.extend(end.events.iter().map(|event| event.fact.name()));
    }
    assert_eq!(stages.len(), Stage::NAMES.len() + 1, "{stages:?}");
    assert_eq!(facts.len(), 36, "{facts:?}");
    assert_eq!(
        Vec::from_iter(reasons),
        ["outside", "rated", "reviewed", "source", "unrated"]
    );
}
