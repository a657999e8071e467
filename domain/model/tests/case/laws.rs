//! What holds for every history, whatever was asked of the case and in which order. `ONETRIP_HISTORIES` says how many are
//! looked at, `ONETRIP_SEED` repeats a run; a failure also prints the numbers of the smallest history that fails.

use crate::{
    acts::{LEAD, merge, unmerge},
    histories::*,
};
use chrono::{DateTime, Duration, Utc};
use onetrip_model::{
    Case, CaseAct, CaseEvent, CaseFact, Tier,
    case::{CaseClock, Due, Filed, Holder, Stage, WORDS_CHARS_MAX, decide},
    clocks::{ClockKind, Term},
};
use onetrip_testkit::*;
use proptest::{prelude::*, strategy::ValueTree};
use std::collections::{BTreeMap, BTreeSet};

/// What the service has to do at an instant, by a clock that is right.
fn due(given: &Given, now: DateTime<Utc>) -> Vec<Due> {
    given.filed().due(now, now)
}

mod time {
    use super::*;

    proptest! {
        #![proptest_config(config())]

        #[test]
        fn is_held_by_exactly_one_at_any_instant_and_the_pieces_add_up_to_the_whole(
            numbers in journeys(),
            jumps in any::<bool>(),
            after in 0..1_000_000_i64,
        ) {
            let end = if jumps { on_a_jumping_clock(&numbers) } else { supervised(&numbers) };
            let submitted_at = end.events[0].at;
            let mut case = Case::Unfiled;
            let mut now = submitted_at;
            for event in &end.events {
                case = case.evolve(event);
                let filed = case.filed().expect("the first event files it");
                now = now.max(event.at);
                for now in [now, now + Duration::seconds(after)] {
                    let pieces = Vec::from_iter(filed.holding.until(now));
                    let sum: Duration = pieces.iter().map(|piece| piece.lasts()).sum();
                    prop_assert_eq!(sum, now - submitted_at);
                    prop_assert_eq!(pieces[0].from, submitted_at);
                    prop_assert!(pieces.iter().all(|piece| piece.from <= piece.to));
                    prop_assert!(pieces.windows(2).all(|two| two[0].to == two[1].from && two[0].holder != two[1].holder));
                    prop_assert_eq!(pieces.last().map(|piece| piece.holder), Some(&filed.stage.holder()));
                }
            }
        }
    }
}

mod pressing {
    use super::*;

    /// Of every run of every clock: the warnings, breach and escalations that stand, and to which tier.
    type Raised = BTreeMap<(ClockKind, u32), Vec<(u16, Option<Tier>)>>;

    /// Whether nothing is to be raised any more: what was done late remains a breach, of which nobody is warned.
    fn is_done(filed: &Filed, clock: ClockKind, percent: u16) -> bool {
        let was_in_time = |clock: &CaseClock, at| percent != 100 || at <= clock.deadline.due_at;
        let clock = filed.clocks.get(clock);
        clock.is_none_or(|clock| clock.stopped_at.is_some_and(|at| was_in_time(clock, at)))
    }

    fn raised(given: &Given) -> Result<Raised, String> {
        let mut raised = Raised::new();
        let mut started = BTreeMap::new();
        let mut case = Case::Unfiled;
        for event in &given.events {
            let before = case.filed().cloned();
            case = case.evolve(event);
            for set in event.deadlines.iter().filter(|set| !set.steps.is_empty()) {
                *started.entry(set.clock).or_default() += 1;
            }
            let (clock, percent, to) = match event.fact {
                CaseFact::WarningRaised { clock, percent }
                | CaseFact::RaisingWithdrawn { clock, percent } => (clock, percent, None),
                CaseFact::LimitBreached { clock } => (clock, 100, None),
                CaseFact::CaseEscalated { clock, percent, to } => (clock, percent, Some(to)),
                _ => continue,
            };
            let run = *started
                .get(&clock)
                .ok_or("raised for a clock that there is not")?;
            let levels = raised.entry((clock, run)).or_default();
            let stands = levels.iter().position(|(level, _)| *level == percent);
            match (&event.fact, stands) {
                (CaseFact::RaisingWithdrawn { .. }, Some(place)) => {
                    levels.remove(place);
                }
                (CaseFact::RaisingWithdrawn { .. }, None) => {
                    return Err(format!("withdrawn, and not raised: {event:?}"));
                }
                (_, Some(_)) => return Err(format!("raised twice: {event:?}")),
                (_, None) if before.is_some_and(|before| is_done(&before, clock, percent)) => {
                    return Err(format!("raised after it was done: {event:?}"));
                }
                (_, None) => levels.push((percent, to)),
            }
        }
        Ok(raised)
    }

    proptest! {
        #![proptest_config(config())]

        #[test]
        fn happens_once_per_level_also_when_the_clock_jumps(numbers in journeys()) {
            let raised = raised(&on_a_jumping_clock(&numbers));
            prop_assert!(raised.is_ok(), "{raised:?}");
        }

        #[test]
        fn goes_up_level_by_level_and_tier_by_tier(numbers in journeys()) {
            let raised = raised(&supervised(&numbers));
            prop_assert!(raised.is_ok(), "{raised:?}");
            for (clock, levels) in raised.unwrap_or_default() {
                let percents = Vec::from_iter(levels.iter().map(|(percent, _)| *percent));
                let steps = rules().policy.supervision.steps(Tier::Community);
                prop_assert_eq!(&percents[..], &steps[..percents.len()], "{:?}", clock);
                let tiers = Vec::from_iter(levels.iter().filter_map(|(_, to)| *to));
                let up = [Tier::Street, Tier::District, Tier::City];
                prop_assert_eq!(&tiers[..], &up[..tiers.len()], "{:?}", clock);
            }
        }

        #[test]
        fn is_asked_for_no_later_than_it_is_due_and_leaves_nothing_behind(numbers in journeys()) {
            for moment in each_moment(&numbers) {
                let Some(acts_at) = moment.filed().acts_at() else {
                    prop_assert_eq!(due(&moment, moment.now + days(4_000)), []);
                    continue;
                };
                if acts_at > moment.now {
                    prop_assert_eq!(due(&moment, moment.now), []);
                    prop_assert_eq!(due(&moment, acts_at - Duration::microseconds(1)), []);
                }
                let now = acts_at.max(moment.now);
                prop_assert!(!due(&moment, now).is_empty());
                let then = moment.at(now).when(RUN_CLOCKS);
                prop_assert!(then.outcome().is_ok_and(|events| !events.is_empty()), "{:?}", then.outcome());
                let after = then.after();
                prop_assert!(after.filed().acts_at().is_none_or(|again| again > now));
                prop_assert_eq!(due(&after, now), []);
            }
        }

        #[test]
        fn leaves_no_false_breach_behind_a_clock_that_jumped(numbers in journeys()) {
            let end = on_a_jumping_clock(&numbers);
            let filed = end.filed();
            prop_assert_eq!(filed.due(end.now, end.now), []);
            for clock in filed.clocks.all() {
                let until = clock.stopped_at.unwrap_or(end.now);
                for raised in &clock.raised {
                    let was_due = filed.clocks.moment(clock, raised.percent) <= until;
                    prop_assert!(was_due || raised.at <= until, "{:?} at {}", clock, end.now);
                }
            }
        }
    }
}

mod deadlines {
    use super::*;

    proptest! {
        #![proptest_config(config())]

        #[test]
        fn are_those_that_their_proof_counts_again_from_the_folded_case(numbers in journeys()) {
            let rules = rules();
            let end = supervised(&numbers);
            let mut case = Case::Unfiled;
            for event in &end.events {
                case = case.evolve(event);
                let filed = case.filed().expect("the first event files it");
                for clock in running(filed).filter(|clock| clock.deadline.term != Term::Source) {
                    let again = filed.clocks.counted(clock).deadline(&rules);
                    prop_assert_eq!(again.due_at, clock.deadline.due_at, "{:?} after {}", clock, event.fact.name());
                }
                for set in &event.deadlines {
                    let clock = filed.clocks.running(set.clock).expect("it was set");
                    let counted = filed.clocks.counted(clock);
                    prop_assert_eq!(&counted.deadline(&rules), &set.deadline);
                    let proof = counted.prove(&rules);
                    prop_assert_eq!(proof.due_at, set.deadline.due_at);
                    prop_assert_eq!(proof.suspended_since, set.deadline.suspended_since);
                }
            }
        }
    }
}

mod merging {
    use super::*;

    proptest! {
        #![proptest_config(config())]

        #[test]
        fn and_un_merging_leaves_the_case_as_if_it_had_never_been(
            numbers in journeys(),
            at in any::<prop::sample::Index>(),
            wait in 0..3_000_i64,
        ) {
            let moments = each_moment(&numbers);
            let mergeable = |moment: &&Given| decide(&moment.case, moment.command(merge())).is_ok_and(|events| !events.is_empty());
            let moments = Vec::from_iter(moments.iter().filter(mergeable));
            prop_assume!(!moments.is_empty());
            let moment = at.get(&moments);
            let run = |given: Given| given.later(hours(wait)).and([RUN_CLOCKS]);
            let taken_in = match moment.filed().stage {
                Stage::Submitted { .. } => vec![CaseAct::Accept],
                _ => Vec::new(),
            };
            let apart = run((*moment).clone().and(taken_in));
            let merged = run((*moment).clone().and([merge()]));
            prop_assert_eq!(merged.filed().stage.holder(), Holder::Lead(LEAD));
            prop_assert_eq!(&merged.filed().clocks, &apart.filed().clocks);
            let unmerged = merged.and([unmerge()]);
            let mut filed = unmerged.filed().clone();
            filed.holding = apart.filed().holding.clone();
            prop_assert_eq!(&filed, apart.filed());
        }
    }
}

mod commands {
    use super::*;

    proptest! {
        #![proptest_config(config())]

        #[test]
        fn that_are_repeated_add_no_event(numbers in journeys()) {
            let mut moment = given([CaseAct::SubmitAppeal(submission())]);
            for step in steps_from(&numbers) {
                let act = moment.act_of_step(&step);
                moment = step_on(&moment, &step);
                let again = decide(&moment.case, moment.command(act.clone())).unwrap_or_default();
                // More words, another talk and another push are new each time; a request key tells their repetitions apart.
                let is_new = matches!(
                    act,
                    CaseAct::AddSupplement { .. } | CaseAct::FollowUp(_) | CaseAct::Contribute { .. } | CaseAct::Urge { .. }
                );
                prop_assert!(again.is_empty() || is_new, "{act:?} again gave {again:?}");
            }
        }

        /// Also where the act would change nothing.
        #[test]
        fn that_say_too_much_are_refused(numbers in journeys()) {
            let mut moment = given([CaseAct::SubmitAppeal(submission())]);
            for step in steps_from(&numbers) {
                let act = moment.act_of_step(&step);
                let endless = endless(act.clone());
                if let Some(endless) = &endless {
                    prop_assert!(decide(&moment.case, moment.command(endless.clone())).is_err(), "{act:?}");
                }
                moment = step_on(&moment, &step);
                if let Some(endless) = endless {
                    prop_assert!(decide(&moment.case, moment.command(endless)).is_err(), "{act:?} again");
                }
            }
        }

        /// Also events in an order that no decision would give: they have happened.
        #[test]
        fn never_fail_otherwise_than_by_a_refusal_whatever_has_happened(
            numbers in journeys(),
            order in prop::collection::vec(any::<prop::sample::Index>(), 0..40),
            next in journeys(),
        ) {
            let events = supervised(&numbers).events;
            let shuffled = order.iter().map(|index| index.get(&events).clone());
            let mut odd = given([]).and_events(shuffled);
            let was_filed = odd.case.filed().is_some();
            for number in next {
                let now = odd.now + hours(i64::from(number % 700) - 100);
                odd = odd.at(now).when(act_of(number)).after();
                if let Some(filed) = odd.case.filed() {
                    prop_assert!(filed.due(now, now).len() <= 100 && filed.acts_at() < Some(DateTime::<Utc>::MAX_UTC));
                }
            }
            prop_assert_eq!(odd.case.filed().is_some(), was_filed);
        }
    }
}

/// The act with more text than anybody may write; None where it has none that is asked for.
fn endless(mut act: CaseAct) -> Option<CaseAct> {
    let text = match &mut act {
        CaseAct::AddSupplement { words, .. }
        | CaseAct::AnswerRequest { words, .. }
        | CaseAct::Contribute { words, .. }
        | CaseAct::GiveResult { words, .. }
        | CaseAct::KeepPromise { words, .. }
        | CaseAct::DecideReview { words, .. }
        | CaseAct::Urge { words } => words,
        CaseAct::Decline { reason, .. }
        | CaseAct::OfferHandOver { reason, .. }
        | CaseAct::ReturnHandOver { reason, .. }
        | CaseAct::AskTrip { reason, .. }
        | CaseAct::ExtendLegalLimit { reason, .. }
        | CaseAct::OrderJointHandling { reason, .. }
        | CaseAct::WaiveLimit { reason, .. }
        | CaseAct::Reopen { reason }
        | CaseAct::AskReview { reason }
        | CaseAct::Merge { reason, .. }
        | CaseAct::Unmerge { reason }
        | CaseAct::Withdraw { reason } => reason,
        CaseAct::BeginLawPause { notice, .. } => notice,
        CaseAct::FollowUp(follow_up) => &mut follow_up.words,
        _ => return None,
    };
    *text = "字".repeat(WORDS_CHARS_MAX + 1);
    Some(act)
}

/// The laws say something only if the histories come to what they are about.
#[test]
fn histories_come_to_every_tier_and_to_what_a_wrong_clock_raised() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut tiers = BTreeSet::new();
    let mut withdrawn = 0;
    for _ in 0..500 {
        let numbers = journeys().new_tree(&mut runner).expect("a journey").current();
        tiers.extend(supervised(&numbers).filed().escalated_to());
        let is_withdrawn = |event: &&CaseEvent| matches!(event.fact, CaseFact::RaisingWithdrawn { .. });
        withdrawn += on_a_jumping_clock(&numbers)
            .events
            .iter()
            .filter(is_withdrawn)
            .count();
    }
    assert_eq!(Vec::from_iter(tiers), [Tier::City, Tier::District, Tier::Street]);
    assert!(withdrawn > 0, "no clock was ever wrong enough");
}
