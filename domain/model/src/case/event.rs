use super::command::{Contact, Source};
use crate::{
    clocks::{ClockKind, Deadline},
    policy::AppealClass,
    primitives::{
        AttachmentRef, By, CaseId, CaseKind, CaseNumber, Channel, ContactDistrictCode, DivisionCode,
        PersonId, Private, StaffId, Tier, UnitCode,
    },
};
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

/// A fact about a case: when it happened, who did it, by which channel.
/// When it was recorded, and why (correlation, causation), stands beside it in the log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CaseEvent {
    pub at: DateTime<Utc>,
    pub by: By,
    pub channel: Channel,
    pub fact: CaseFact,
    /// The deadlines that this event set or moved, as computed under the rules in force then. Which clocks run, stand
    /// still or have stopped follows from the facts alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deadlines: Vec<SetDeadline>,
}

impl CaseEvent {
    /// The deadline that this event gave this clock.
    pub fn deadline(&self, clock: ClockKind) -> Option<&Deadline> {
        let set = self.deadlines.iter().find(|set| set.clock == clock)?;
        Some(&set.deadline)
    }
}

/// One clock's deadline, from this event on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SetDeadline {
    pub clock: ClockKind,
    pub deadline: Deadline,
    /// At which per cent of its time something is raised; none for the windows of residents.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<u16>,
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
    CaseAccepted {},
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
    /// Offered on once too often: the holder keeps the case, and the supervisor says whose it is.
    HandOverReferred {
        /// Whom the holder proposes.
        to: UnitCode,
        reason: Private<String>,
    },
    /// Several units do it together; the holder leads and answers for all of it.
    JointHandlingOrdered {
        /// The others, in the place of those named before; none ends it.
        units: Vec<UnitCode>,
        reason: Private<String>,
    },
    /// What one of these units has done towards it.
    ContributionGiven {
        unit: UnitCode,
        words: Private<String>,
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
    },
    MaterialsAnswered {
        /// Kinds of the papers handed over, now held.
        handed_over: Vec<String>,
        words: Private<String>,
        attachments: Vec<AttachmentRef>,
    },
    SilenceRecorded {},
    /// A time that the law takes out of the clocks, told to the resident in writing.
    LawPauseBegun {
        kind: LawPause,
        notice: Private<String>,
    },
    LawPauseEnded {},
    /// The one extension of the outer legal limit [XF 34].
    LegalLimitExtended {
        days: u32,
        reason: Private<String>,
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
    },
    /// The result promises something by a day: a clock that runs on after closing.
    PromiseMade {
        words: Private<String>,
        by: NaiveDate,
    },
    PromiseKept {
        words: Private<String>,
        evidence: Vec<AttachmentRef>,
    },
    ResultRated {
        round: u32,
        verdict: Verdict,
        score: u8,
        reason: Option<Private<String>>,
    },
    /// Somebody has taken a bad rating on, who did it says.
    RatingOwned {},
    CaseReopened {
        redo: Redo,
        reason: Private<String>,
    },
    ReviewAsked {
        level: ReviewLevel,
        reason: Private<String>,
    },
    ReviewDecided {
        level: ReviewLevel,
        decision: ReviewDecision,
        words: Private<String>,
    },
    /// Handled with another case of the same matter from here on; its number, clocks and rating stay its own.
    CaseMerged {
        into: CaseId,
        into_number: CaseNumber,
        reason: Private<String>,
    },
    CaseUnmerged {
        reason: Private<String>,
    },
    /// A supervisor presses for action (督办).
    CaseUrged {
        words: Private<String>,
    },
    /// This much of a clock's time has gone.
    WarningRaised {
        clock: ClockKind,
        percent: u16,
    },
    LimitBreached {
        clock: ClockKind,
    },
    /// Still not done this long after the limit: one tier up.
    CaseEscalated {
        clock: ClockKind,
        percent: u16,
        to: Tier,
    },
    /// What was raised at this per cent of the limit was raised by a computer's clock that was wrong.
    RaisingWithdrawn {
        clock: ClockKind,
        percent: u16,
    },
    /// The holidays of a year were published, or changed: the deadlines that this moves.
    DeadlinesRecomputed {
        calendar: String,
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
    /// What is new, where the same matter has had its final review.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new_fact: Option<Private<String>>,
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

/// What the law takes out of the clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LawPause {
    /// A statutory hearing.
    Hearing,
    /// An expert's opinion or measurement.
    Expert,
}

/// The two statutory second looks [XF 35, 36].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReviewLevel {
    /// 复查
    Review,
    /// 复核
    FinalReview,
}

impl ReviewLevel {
    pub fn as_str(self) -> &'static str {
        match self {
            ReviewLevel::Review => "review",
            ReviewLevel::FinalReview => "final_review",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReviewDecision {
    /// The result stands.
    Upheld,
    /// The decision's words take the place of the result.
    Changed,
    /// To be handled again.
    SentBack,
}

impl ReviewDecision {
    pub const ALL: [ReviewDecision; 3] = [
        ReviewDecision::Upheld,
        ReviewDecision::Changed,
        ReviewDecision::SentBack,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            ReviewDecision::Upheld => "upheld",
            ReviewDecision::Changed => "changed",
            ReviewDecision::SentBack => "sent_back",
        }
    }
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
    /// A review has decided.
    Reviewed,
    /// The other system's own outcome.
    Source { outcome: String },
}

impl CloseReason {
    pub fn as_str(&self) -> &'static str {
        match self {
            CloseReason::Rated => "rated",
            CloseReason::Unrated => "unrated",
            CloseReason::Outside { .. } => "outside",
            CloseReason::Reviewed => "reviewed",
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
            CaseFact::HandOverReferred { .. } => "HandOverReferred",
            CaseFact::JointHandlingOrdered { .. } => "JointHandlingOrdered",
            CaseFact::ContributionGiven { .. } => "ContributionGiven",
            CaseFact::LawPauseBegun { .. } => "LawPauseBegun",
            CaseFact::LegalLimitExtended { .. } => "LegalLimitExtended",
            CaseFact::PromiseMade { .. } => "PromiseMade",
            CaseFact::PromiseKept { .. } => "PromiseKept",
            CaseFact::ReviewAsked { .. } => "ReviewAsked",
            CaseFact::ReviewDecided { .. } => "ReviewDecided",
            CaseFact::CaseMerged { .. } => "CaseMerged",
            CaseFact::CaseUnmerged { .. } => "CaseUnmerged",
            CaseFact::CaseUrged { .. } => "CaseUrged",
            CaseFact::WarningRaised { .. } => "WarningRaised",
            CaseFact::LimitBreached { .. } => "LimitBreached",
            CaseFact::CaseEscalated { .. } => "CaseEscalated",
            CaseFact::RaisingWithdrawn { .. } => "RaisingWithdrawn",
            CaseFact::DeadlinesRecomputed { .. } => "DeadlinesRecomputed",
            CaseFact::LawPauseEnded { .. } => "LawPauseEnded",
            CaseFact::RatingOwned { .. } => "RatingOwned",
        }
    }
}

impl cqrs_es::DomainEvent for CaseEvent {
    fn event_type(&self) -> String {
        self.fact.name().to_owned()
    }

    fn event_version(&self) -> String {
        super::upcast::version_of(self.fact.name()).to_owned()
    }
}
