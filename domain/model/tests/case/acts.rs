//! What the tests ask of a case, with the words that do not matter filled in.

use chrono::{DateTime, Duration, Utc};
use onetrip_model::{
    CaseAct, CaseId, CaseNumber,
    case::{FollowUp, FollowUpKind, LawPause, NextOwner, Promise, ReviewDecision, Verdict},
};
use onetrip_testkit::*;
use uuid::Uuid;

/// The last second of a city day.
pub fn end_of(city_date: &str) -> DateTime<Utc> {
    at(&format!("{city_date} 23:59")) + Duration::seconds(59)
}

pub fn second() -> Duration {
    Duration::seconds(1)
}

fn because() -> String {
    "理由".to_owned()
}

pub fn decline_to(code: &str) -> CaseAct {
    CaseAct::Decline {
        next_owner: NextOwner::Unit(code.into()),
        reason: because(),
    }
}

pub fn assign(code: &str) -> CaseAct {
    CaseAct::Assign {
        unit: code.into(),
        contact_cadre: None,
    }
}

pub fn offer(code: &str) -> CaseAct {
    CaseAct::OfferHandOver {
        to: code.into(),
        reason: because(),
    }
}

pub fn take(code: &str) -> CaseAct {
    CaseAct::TakeOver { unit: code.into() }
}

pub fn give_back(code: &str) -> CaseAct {
    CaseAct::ReturnHandOver {
        unit: code.into(),
        reason: because(),
    }
}

pub fn reached() -> CaseAct {
    CaseAct::FollowUp(FollowUp {
        kind: FollowUpKind::Contact,
        reached: true,
        words: "已通话".to_owned(),
    })
}

pub fn joint(codes: &[&str]) -> CaseAct {
    CaseAct::OrderJointHandling {
        units: codes.iter().map(|code| (*code).into()).collect(),
        reason: because(),
    }
}

pub fn contribution(code: &str) -> CaseAct {
    CaseAct::Contribute {
        unit: code.into(),
        words: "电源已恢复".to_owned(),
    }
}

pub fn request() -> CaseAct {
    CaseAct::RequestMaterials {
        items: vec![ask("lease")],
        held: Vec::new(),
    }
}

pub fn answer() -> CaseAct {
    CaseAct::AnswerRequest {
        handed_over: vec!["lease".to_owned()],
        words: String::new(),
        attachments: Vec::new(),
    }
}

pub fn begin(kind: LawPause) -> CaseAct {
    CaseAct::BeginLawPause {
        kind,
        notice: "定于下周听证".to_owned(),
    }
}

pub fn extend(days: u32) -> CaseAct {
    CaseAct::ExtendLegalLimit {
        days,
        reason: because(),
    }
}

pub fn result() -> CaseAct {
    result_promising(None)
}

/// A result that promises something by this city day, written `2026-04-01`.
pub fn promise(by: &str) -> CaseAct {
    result_promising(Some(Promise {
        words: "下月更换灯杆".to_owned(),
        by: by.parse().expect("a date like 2026-04-01"),
    }))
}

pub fn result_promising(promise: Option<Promise>) -> CaseAct {
    CaseAct::GiveResult {
        words: "灯泡已更换".to_owned(),
        evidence: Vec::new(),
        place_proof: after_photo(),
        promise,
    }
}

pub fn keep_promise() -> CaseAct {
    CaseAct::KeepPromise {
        words: "灯杆已更换".to_owned(),
        evidence: Vec::new(),
    }
}

pub fn rate(verdict: Verdict, score: u8) -> CaseAct {
    CaseAct::Rate(rating(verdict, score, Some("仍然不亮")))
}

pub fn not_solved() -> CaseAct {
    rate(Verdict::NotSolved, 1)
}

pub fn reopen() -> CaseAct {
    CaseAct::Reopen { reason: because() }
}

pub fn ask_review() -> CaseAct {
    CaseAct::AskReview { reason: because() }
}

pub fn decide_review(decision: ReviewDecision) -> CaseAct {
    CaseAct::DecideReview {
        decision,
        words: "经复查".to_owned(),
    }
}

/// The case that others are merged into.
pub const LEAD: CaseId = CaseId(Uuid::from_u128(0x1EAD));

pub fn merge() -> CaseAct {
    CaseAct::Merge {
        into: LEAD,
        into_number: CaseNumber::from_random(1),
        reason: because(),
    }
}

pub fn unmerge() -> CaseAct {
    CaseAct::Unmerge { reason: because() }
}

pub fn withdraw() -> CaseAct {
    CaseAct::Withdraw { reason: because() }
}
