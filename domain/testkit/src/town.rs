use crate::{Given, Step, days, given, moments::monday_9am, steps_from, submission_of};
use chrono::{DateTime, Utc};
use onetrip_model::{
    CaseAct, CaseFact, CaseId,
    case::{HeldPaper, ReviewDecision, ReviewLevel, Stage, Submission},
};
use std::collections::HashMap;

/// Numbers for journeys, the same in every run (splitmix64).
pub fn numbers(seed: u64, count: usize) -> Vec<u32> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let mut next = || {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        u32::try_from((mixed ^ (mixed >> 31)) >> 32).expect("32 bits")
    };
    (0..count).map(|_| next()).collect()
}

/// Cases of one resident.
const CASES_EACH: u32 = 4;

/// The lives of about so many cases, four of each resident one after the other, who comes back with the same matter and with
/// others. Round by round: no two cases of a round are of one resident.
pub fn town(cases: u32) -> Vec<Vec<Given>> {
    let mut residents: Vec<Resident> = (0..(cases / CASES_EACH).max(1))
        .map(|_| Resident::default())
        .collect();
    let count = u32::try_from(residents.len()).expect("a town");
    let rounds = (0..CASES_EACH).map(|round| {
        let lives = (1..).zip(&mut residents).map(|(who, resident)| {
            resident.live(
                who,
                round * count + who,
                monday_9am() + days(i64::from(round) * 30),
            )
        });
        lives.collect()
    });
    rounds.collect()
}

/// What a resident's earlier cases leave behind.
#[derive(Default)]
struct Resident {
    held: Vec<HeldPaper>,
    matters: HashMap<String, Matter>,
}

#[derive(Default)]
struct Matter {
    open: bool,
    closed: Option<(DateTime<Utc>, CaseId)>,
    finally_reviewed: bool,
}

impl Resident {
    fn live(&mut self, who: u32, case: u32, from: DateTime<Utc>) -> Given {
        let drawn = numbers(case.into(), 2 + case as usize % 60);
        let submission = self.submission(who, case, &drawn);
        let matter = submission.matter.clone();
        let start = given([]).at(from).and([CaseAct::SubmitAppeal(submission)]);
        let steps = steps_from(&drawn);
        let life = steps.iter().fold(start, |life, step| self.step(life, step));
        self.remember(&matter, &life);
        life
    }

    /// Mostly of a matter that the resident has had before; where that is open, of a new one.
    fn submission(&self, who: u32, case: u32, drawn: &[u32]) -> Submission {
        let fresh = || format!("matter {case} of {who}");
        let usual = format!("usual matter {} of {who}", drawn[0] % 2);
        let before = self.matters.get(&usual);
        let is_new = drawn[1].is_multiple_of(2);
        let (matter, before) = match before {
            Some(before) if before.open || before.finally_reviewed && !is_new => (fresh(), None),
            before => (usual, before),
        };
        Submission {
            person: submission_of(who).person,
            matter,
            previous: before.and_then(|before| before.closed).map(|(_, case)| case),
            new_fact: is_new.then(|| "又出现了新情况".to_owned()),
            ..submission_of(case)
        }
    }

    fn step(&self, life: Given, step: &Step) -> Given {
        let act = match life.act_of_step(step) {
            CaseAct::RequestMaterials { items, held } => CaseAct::RequestMaterials {
                items,
                held: [self.held.clone(), held].concat(),
            },
            CaseAct::WaiveHeldPapers { held, reason } => CaseAct::WaiveHeldPapers {
                held: [self.held.clone(), held].concat(),
                reason,
            },
            other => other,
        };
        let by = life.who_acts();
        life.later(crate::hours(step.hours.into()))
            .by(by)
            .when(act)
            .after()
    }

    fn remember(&mut self, matter: &str, life: &Given) {
        let filed = life.filed();
        self.held.extend(life.held_papers());
        let matter = self.matters.entry(matter.to_owned()).or_default();
        matter.open |= !filed.stage.has_ended();
        let closed = life
            .events
            .iter()
            .rev()
            .find(|event| matches!(event.fact, CaseFact::CaseClosed { .. }));
        if let (Stage::Closed { .. }, Some(closed)) = (&filed.stage, closed) {
            matter.closed = matter.closed.max(Some((closed.at, filed.case)));
        }
        matter.finally_reviewed |= life.events.iter().any(|event| {
            matches!(
                event.fact,
                CaseFact::ReviewDecided {
                    level: ReviewLevel::FinalReview,
                    decision: ReviewDecision::Upheld | ReviewDecision::Changed,
                    ..
                }
            )
        });
    }
}
