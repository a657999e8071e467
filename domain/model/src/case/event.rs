use super::command::{Contact, Source};
use crate::{
    clocks::Deadline,
    policy::AppealClass,
    primitives::{
        AttachmentRef, By, CaseId, CaseKind, CaseNumber, Channel, ContactDistrictCode, DivisionCode,
        PersonId, Private, StaffId, UnitCode,
    },
};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// A fact about a case: when it happened, who did it, by which channel.
/// When it was recorded, and why (correlation, causation), stands beside it in the log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CaseEvent {
    pub at: DateTime<Utc>,
    pub by: By,
    pub channel: Channel,
    pub fact: CaseFact,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum CaseFact {
    CaseSubmitted(Box<CaseSubmitted>),
    SupplementAdded {
        words: Private<String>,
        attachments: Vec<AttachmentRef>,
        /// A second filing of the same matter that joined this case.
        from_filing: bool,
    },
    CaseAccepted {
        /// The outer legal limit; only appeals have one.
        legal_due: Option<Deadline>,
    },
    CaseDeclined {
        next_owner: UnitCode,
        reason: Private<String>,
    },
    CaseAssigned {
        unit: UnitCode,
        contact_cadre: Option<StaffId>,
    },
    HandOverOffered {
        to: UnitCode,
        reason: Private<String>,
    },
    HandOverTaken {
        unit: UnitCode,
    },
    /// The offer to `unit` has ended: sent back by that unit, or taken back by who did this.
    HandOverReturned {
        unit: UnitCode,
        reason: Private<String>,
    },
    FollowUpRecorded {
        kind: FollowUpKind,
        reached: bool,
        words: Private<String>,
    },
    TripAsked {
        to_place: Private<String>,
        reason: Private<String>,
    },
    MaterialsRequested {
        items: Vec<MaterialItem>,
        answer_due: Deadline,
    },
    MaterialsAnswered {
        /// Kinds of the papers handed over, now held.
        handed_over: Vec<String>,
        words: Private<String>,
        attachments: Vec<AttachmentRef>,
        /// The result deadline after the pause.
        result_due: Option<Deadline>,
    },
    SilenceRecorded {
        result_due: Option<Deadline>,
    },
    LimitWaived {
        limit: RunOnceLimit,
        reason: Private<String>,
    },
    ResultGiven {
        /// 1 for the first result, counting up with every reopening.
        round: u32,
        words: Private<String>,
        evidence: Vec<AttachmentRef>,
        place_evidence: PlaceEvidence,
        /// Until when the resident may rate or reopen.
        rate_until: DateTime<Utc>,
    },
    ResultRated {
        round: u32,
        verdict: Verdict,
        score: u8,
        reason: Option<Private<String>>,
    },
    CaseReopened {
        redo: Redo,
        reason: Private<String>,
        result_due: Option<Deadline>,
    },
    CaseWithdrawn {
        reason: Private<String>,
    },
    CaseClosed {
        reason: CloseReason,
        /// Words of the closing where they are not those of the result.
        reply: Option<Private<String>>,
    },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CaseSubmitted {
    pub case: CaseId,
    pub number: CaseNumber,
    pub kind: CaseKind,
    /// Only appeals have a class.
    pub class: Option<AppealClass>,
    pub category: String,
    pub place_bound: bool,
    pub person: PersonId,
    /// None where the resident stays unnamed.
    pub contact: Option<Private<Contact>>,
    pub place: Place,
    pub words: Private<String>,
    pub attachments: Vec<AttachmentRef>,
    pub matter: String,
    pub previous: Option<CaseId>,
    pub first_receiver: UnitCode,
    pub contact_due: Option<Deadline>,
    pub result_due: Option<Deadline>,
    pub source: Option<Source>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Place {
    pub division: DivisionCode,
    pub contact_district: Option<ContactDistrictCode>,
    pub detail: Option<Private<PlaceDetail>>,
}

/// Where exactly: it may be somebody's door.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlaceDetail {
    pub words: Option<String>,
    /// Latitude and longitude in degrees, WGS 84.
    pub point: Option<(f64, f64)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FollowUpKind {
    /// Talking to the resident about their matter; the first one or call-back that reached them stops the contact clock.
    Contact,
    /// Looking at how the handling goes.
    Progress,
    /// 回访, after the result.
    CallBack,
}

impl FollowUpKind {
    /// Whether it is talking to the resident: looking at the handling reaches nobody, whatever its form says.
    pub fn is_with_resident(self) -> bool {
        match self {
            FollowUpKind::Contact | FollowUpKind::CallBack => true,
            FollowUpKind::Progress => false,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MaterialItem {
    pub kind: String,
    pub words: Option<Private<String>>,
}

/// The rows of the run-once rule that a supervisor may waive, with a reason: a recorded breach.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunOnceLimit {
    Trip,
    MaterialRequest,
    /// Waived once a case, for everything that is held of the resident.
    HeldPaper,
}

impl RunOnceLimit {
    pub const ALL: [RunOnceLimit; 3] = [
        RunOnceLimit::Trip,
        RunOnceLimit::MaterialRequest,
        RunOnceLimit::HeldPaper,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            RunOnceLimit::Trip => "trip",
            RunOnceLimit::MaterialRequest => "material_request",
            RunOnceLimit::HeldPaper => "held_paper",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlaceEvidence {
    NotPlaceBound,
    AfterPhoto(AttachmentRef),
    WhyNot(Private<String>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Solved,
    Partly,
    NotSolved,
}

impl Verdict {
    pub const ALL: [Verdict; 3] = [Verdict::Solved, Verdict::Partly, Verdict::NotSolved];

    pub fn as_str(self) -> &'static str {
        match self {
            Verdict::Solved => "solved",
            Verdict::Partly => "partly",
            Verdict::NotSolved => "not_solved",
        }
    }
}

/// Who does it again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Redo {
    /// First time: somebody else of the unit.
    SomebodyElse,
    /// Second time and later: the supervisor, who assigns it.
    Supervisor,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CloseReason {
    /// The resident gave a verdict.
    Rated,
    /// The rating window passed.
    Unrated,
    /// Belongs outside this system; names the next owner. The public name of an office, at most
    /// [`super::NEXT_OWNER_CHARS_MAX`] characters, stands open in the log: it tells nothing of the resident, and it must
    /// still say where the matter went when the resident's words have been erased. Why is in the reply, which is sealed.
    Outside { next_owner: String },
    /// The other system's own outcome.
    Source { outcome: String },
}

impl CloseReason {
    pub fn as_str(&self) -> &'static str {
        match self {
            CloseReason::Rated => "rated",
            CloseReason::Unrated => "unrated",
            CloseReason::Outside { .. } => "outside",
            CloseReason::Source { .. } => "source",
        }
    }
}

impl CaseFact {
    /// The stable name written to the event log.
    pub fn name(&self) -> &'static str {
        match self {
            CaseFact::CaseSubmitted(_) => "CaseSubmitted",
            CaseFact::SupplementAdded { .. } => "SupplementAdded",
            CaseFact::CaseAccepted { .. } => "CaseAccepted",
            CaseFact::CaseDeclined { .. } => "CaseDeclined",
            CaseFact::CaseAssigned { .. } => "CaseAssigned",
            CaseFact::HandOverOffered { .. } => "HandOverOffered",
            CaseFact::HandOverTaken { .. } => "HandOverTaken",
            CaseFact::HandOverReturned { .. } => "HandOverReturned",
            CaseFact::FollowUpRecorded { .. } => "FollowUpRecorded",
            CaseFact::TripAsked { .. } => "TripAsked",
            CaseFact::MaterialsRequested { .. } => "MaterialsRequested",
            CaseFact::MaterialsAnswered { .. } => "MaterialsAnswered",
            CaseFact::SilenceRecorded { .. } => "SilenceRecorded",
            CaseFact::LimitWaived { .. } => "LimitWaived",
            CaseFact::ResultGiven { .. } => "ResultGiven",
            CaseFact::ResultRated { .. } => "ResultRated",
            CaseFact::CaseReopened { .. } => "CaseReopened",
            CaseFact::CaseWithdrawn { .. } => "CaseWithdrawn",
            CaseFact::CaseClosed { .. } => "CaseClosed",
        }
    }
}

impl cqrs_es::DomainEvent for CaseEvent {
    fn event_type(&self) -> String {
        self.fact.name().to_owned()
    }

    fn event_version(&self) -> String {
        "1.0".to_owned()
    }
}
