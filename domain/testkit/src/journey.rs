use crate::{
    CADRE, DESK, Given, HANDLER, SAFETY, SERVICES, SUPERVISOR, URBAN, ask, by_staff, given, hours, photo,
    rating,
};
use onetrip_model::{
    By, Case, CaseAct, CaseEvent, CaseFact, CaseId, CaseNumber, UnitCode,
    calendar::city_date,
    case::{
        FollowUp, FollowUpKind, HeldPaper, LawPause, MaterialAsk, NextOwner, PlaceProof, Promise,
        ReviewDecision, RunOnceLimit, Stage, Submission, Verdict,
    },
};
use uuid::Uuid;

/// One thing tried in a journey: which act, and how long after the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    pub act: u32,
    pub hours: u16,
}

/// Steps from plain numbers, as a property test draws them: half of what is tried fits the stage, time goes on by
/// minutes to weeks.
pub fn steps_from(numbers: &[u32]) -> Vec<Step> {
    let wait = |number: u32| match number % 16 {
        0 => 24 * 16,
        1..4 => 30,
        _ => 1,
    };
    numbers
        .iter()
        .map(|number| Step {
            act: number / 16,
            hours: wait(*number),
        })
        .collect()
}

/// Plays a journey: a submission and then every step, those that are refused leaving nothing behind.
pub fn play(submission: Submission, steps: &[Step]) -> Given {
    let start = given([CaseAct::SubmitAppeal(submission)]);
    steps.iter().fold(start, |given, step| {
        let (by, act) = (given.who_acts(), given.act_of_step(step));
        given.later(hours(step.hours.into())).by(by).when(act).after()
    })
}

const ACTS: u32 = 32;

/// One of everything that can be asked of a filed case. Every number gives an act, equal numbers equal ones.
pub fn act_of(number: u32) -> CaseAct {
    act(number % ACTS, number / ACTS)
}

fn act(kind: u32, variant: u32) -> CaseAct {
    let words = || format!("说明 {variant}");
    let unit = || unit_of(variant);
    match kind {
        0 => CaseAct::AddSupplement {
            words: words(),
            attachments: vec![photo(variant.into())],
            from_filing: variant.is_multiple_of(2),
        },
        1 => CaseAct::Accept,
        2 if variant.is_multiple_of(4) => CaseAct::Decline {
            next_owner: NextOwner::Outside("深圳市中级人民法院".to_owned()),
            reason: words(),
        },
        2 => CaseAct::Decline {
            next_owner: NextOwner::Unit(unit()),
            reason: words(),
        },
        3 => CaseAct::Assign {
            unit: unit(),
            contact_cadre: (variant.is_multiple_of(2)).then_some(CADRE),
        },
        4 => CaseAct::OfferHandOver {
            to: unit(),
            reason: words(),
        },
        5 => CaseAct::TakeOver { unit: unit() },
        6 => CaseAct::ReturnHandOver {
            unit: unit(),
            reason: words(),
        },
        7 => {
            let kinds = [
                FollowUpKind::Contact,
                FollowUpKind::Progress,
                FollowUpKind::CallBack,
            ];
            let kind = kinds[variant as usize % kinds.len()];
            CaseAct::FollowUp(FollowUp {
                kind,
                reached: variant.is_multiple_of(2),
                words: words(),
            })
        }
        8 => CaseAct::AskTrip {
            to_place: "街道办事大厅".to_owned(),
            reason: words(),
        },
        9 => CaseAct::RequestMaterials {
            items: vec![material_of(variant)],
            held: Vec::new(),
        },
        10 => CaseAct::AnswerRequest {
            handed_over: vec![material_of(variant).kind],
            words: words(),
            attachments: Vec::new(),
        },
        11 => CaseAct::RecordSilence,
        12 => match RunOnceLimit::ALL[variant as usize % 3] {
            RunOnceLimit::HeldPaper => CaseAct::WaiveHeldPapers {
                held: Vec::new(),
                reason: words(),
            },
            limit => CaseAct::WaiveLimit {
                limit,
                reason: words(),
            },
        },
        13 => {
            let proof = [
                None,
                Some(PlaceProof::AfterPhoto(photo(2))),
                Some(PlaceProof::WhyNot("在室内".to_owned())),
            ];
            let [none, photo, reason] = proof;
            let place_proof = match variant % 3 {
                0 => none,
                1 => photo,
                _ => reason,
            };
            CaseAct::GiveResult {
                words: words(),
                evidence: Vec::new(),
                place_proof,
                promise: (variant.is_multiple_of(5)).then(|| Promise {
                    words: words(),
                    by: city_date(crate::moments::monday_9am()) + crate::days(30),
                }),
            }
        }
        14 => {
            let verdict = Verdict::ALL[variant as usize % 3];
            let score = u8::try_from(variant / 3 % 7).unwrap_or_default();
            CaseAct::Rate(rating(
                verdict,
                score,
                variant.is_multiple_of(2).then_some("仍然不亮"),
            ))
        }
        15 => CaseAct::Reopen { reason: words() },
        16 => CaseAct::CloseUnrated,
        18 => CaseAct::BeginLawPause {
            kind: [LawPause::Hearing, LawPause::Expert][variant as usize % 2],
            notice: words(),
        },
        19 => CaseAct::EndLawPause,
        20 => CaseAct::ExtendLegalLimit {
            days: variant % 40,
            reason: words(),
        },
        21 => CaseAct::OrderJointHandling {
            units: vec![unit(), unit_of(variant + 1)],
            reason: words(),
        },
        22 => CaseAct::Contribute {
            unit: unit(),
            words: words(),
        },
        23 => CaseAct::KeepPromise {
            words: words(),
            evidence: Vec::new(),
        },
        24 => CaseAct::OwnRating,
        25 => CaseAct::AskReview { reason: words() },
        26 => CaseAct::DecideReview {
            decision: ReviewDecision::ALL[variant as usize % 3],
            words: words(),
        },
        27 => CaseAct::Merge {
            into: CaseId(Uuid::from_u128(0x1EAD)),
            into_number: CaseNumber::from_random(1),
            reason: words(),
        },
        28 => CaseAct::Unmerge { reason: words() },
        29 => CaseAct::Urge { words: words() },
        30 => CaseAct::RunClocks {
            latest: crate::moments::monday_9am() + crate::days(i64::from(variant % 90)),
        },
        31 => CaseAct::RecomputeDeadlines,
        // Seldom, as it ends a journey for good.
        _ if variant.is_multiple_of(8) => CaseAct::Withdraw { reason: words() },
        _ => CaseAct::AddSupplement {
            words: words(),
            attachments: Vec::new(),
            from_filing: false,
        },
    }
}

/// An act that the stage of the case is waiting for.
pub fn likely_act(case: &Case, number: u32) -> CaseAct {
    let variant = number / 8;
    let kind = match case.filed().map(|filed| &filed.stage) {
        None => 1,
        Some(Stage::Submitted {
            offered: Some(unit), ..
        }) => return CaseAct::TakeOver { unit: unit.clone() },
        Some(Stage::Submitted { .. }) => [1, 1, 1, 1, 1, 1, 2, 0][number as usize % 8],
        Some(Stage::Accepted { .. }) => [3, 3, 3, 3, 7, 8, 12, 3][number as usize % 8],
        Some(Stage::Handling {
            offered: Some(unit), ..
        }) if number.is_multiple_of(2) => {
            return CaseAct::TakeOver { unit: unit.clone() };
        }
        Some(Stage::Handling { .. }) => {
            [13, 13, 13, 9, 8, 12, 7, 4, 13, 13, 18, 20, 21, 22, 27, 30][number as usize % 16]
        }
        Some(Stage::AwaitingResident { request, .. }) if number.is_multiple_of(4) => {
            let handed_over = request.kinds.clone();
            return CaseAct::AnswerRequest {
                handed_over,
                words: "都在这里".to_owned(),
                attachments: Vec::new(),
            };
        }
        Some(Stage::AwaitingResident { .. }) => 11,
        Some(Stage::ResultGiven { .. }) => [14, 14, 14, 14, 14, 25, 16, 7][number as usize % 8],
        Some(Stage::UnderReview { .. }) => [26, 26, 18, 30][number as usize % 4],
        Some(Stage::LawPause { .. }) => 19,
        Some(Stage::Merged { .. }) => [28, 13, 30, 0][number as usize % 4],
        Some(Stage::Closed { .. }) => [15, 25, 25, 7, 23, 24, 30, 15][number as usize % 8],
        Some(Stage::Withdrawn { .. }) => 0,
    };
    act(kind, variant)
}

fn unit_of(number: u32) -> UnitCode {
    [DESK, URBAN, SAFETY, SERVICES][number as usize % 4].into()
}

fn material_of(number: u32) -> MaterialAsk {
    match number % 4 {
        0 => MaterialAsk {
            kind: "other".to_owned(),
            words: Some("楼道照片".to_owned()),
        },
        1 => ask("lease"),
        2 => ask("identity"),
        _ => ask("wage_record"),
    }
}

impl Given {
    /// Who acts next: with every round somebody else, and for what is merged the service.
    pub fn who_acts(&self) -> By {
        let filed = self.filed();
        let staff = [CADRE, HANDLER, SUPERVISOR];
        match (&filed.stage, filed.under_review(), &filed.reviewed) {
            (Stage::Merged { .. }, _, _) => By::Service,
            (_, Some(_), Some(_)) => by_staff(crate::CLERK),
            (_, Some(_), None) => by_staff(crate::SAFETY_HANDLER),
            _ => by_staff(staff[filed.rounds as usize % staff.len()]),
        }
    }

    /// What a step tries on this case. Papers handed over earlier in the journey are held.
    pub fn act_of_step(&self, step: &Step) -> CaseAct {
        let act = if step.act.is_multiple_of(2) {
            likely_act(&self.case, step.act / 2)
        } else {
            act_of(step.act / 2)
        };
        match act {
            CaseAct::RequestMaterials { items, .. } => CaseAct::RequestMaterials {
                items,
                held: self.held_papers(),
            },
            CaseAct::WaiveHeldPapers { reason, .. } => CaseAct::WaiveHeldPapers {
                held: self.held_papers(),
                reason,
            },
            other => other,
        }
    }

    /// The papers handed over so far.
    pub fn held_papers(&self) -> Vec<HeldPaper> {
        let held_in = self.filed().number.clone();
        let handed_over = self.events.iter().filter_map(|event| match &event.fact {
            CaseFact::MaterialsAnswered { handed_over, .. } => Some(handed_over),
            _ => None,
        });
        handed_over
            .flatten()
            .map(|kind| HeldPaper {
                kind: kind.clone(),
                held_in: held_in.clone(),
            })
            .collect()
    }

    /// The events that happened, with their sequence numbers.
    pub fn numbered(&self) -> impl Iterator<Item = (u64, &CaseEvent)> {
        (1..).zip(&self.events)
    }
}
