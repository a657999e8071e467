use super::event::{FollowUpKind, LawPause, ReviewDecision, RunOnceLimit, Verdict};
use crate::{
    policy::Rules,
    primitives::{
        AttachmentRef, By, CaseId, CaseNumber, Channel, ContactDistrictCode, DivisionCode, PersonId, StaffId,
        UnitCode,
    },
};
use chrono::{DateTime, NaiveDate, Utc};
use std::sync::Arc;

/// Something asked of one case. Instants, identifiers and rules come from outside, so that a test can name them.
#[derive(Clone, Debug)]
pub struct CaseCommand {
    pub at: DateTime<Utc>,
    pub by: By,
    pub channel: Channel,
    pub rules: Arc<Rules>,
    pub act: CaseAct,
}

/// What is asked. The first three file a case; the rest move one along the road in DOMAIN.md.
#[derive(Clone, Debug)]
pub enum CaseAct {
    SubmitAppeal(Submission),
    SubmitSuggestion(Submission),
    RequestHearing(Submission),
    /// The resident adds to an open case; also how a second filing of the same matter joins the first.
    AddSupplement {
        words: String,
        attachments: Vec<AttachmentRef>,
        from_filing: bool,
    },
    Accept,
    /// Not ours: names who is next and why. The holder stays responsible until the next owner has taken over.
    Decline {
        next_owner: NextOwner,
        reason: String,
    },
    Assign {
        unit: UnitCode,
        contact_cadre: Option<StaffId>,
    },
    /// After assignment: offers the case to another unit, again without letting go of it.
    OfferHandOver {
        to: UnitCode,
        reason: String,
    },
    TakeOver {
        unit: UnitCode,
    },
    /// Ends the offer to `unit`, whether that unit sends it back or the holder takes it back.
    ReturnHandOver {
        unit: UnitCode,
        reason: String,
    },
    FollowUp(FollowUp),
    AskTrip {
        to_place: String,
        reason: String,
    },
    /// One complete request. `held` lists what is already held of this resident.
    RequestMaterials {
        items: Vec<MaterialAsk>,
        held: Vec<HeldPaper>,
    },
    AnswerRequest {
        handed_over: Vec<String>,
        words: String,
        attachments: Vec<AttachmentRef>,
    },
    /// The resident was silent: the case goes back to the holder, the silence is recorded.
    RecordSilence,
    /// A statutory hearing, or an expert's time, told to the resident in writing.
    BeginLawPause {
        kind: LawPause,
        notice: String,
    },
    EndLawPause,
    /// The one extension of the outer legal limit.
    ExtendLegalLimit {
        days: u32,
        reason: String,
    },
    /// Several units together; the holder leads. None ends it.
    OrderJointHandling {
        units: Vec<UnitCode>,
        reason: String,
    },
    /// What a unit that does it together with the holder has done.
    Contribute {
        unit: UnitCode,
        words: String,
    },
    /// One trip or one request more. For what is held see [`CaseAct::WaiveHeldPapers`].
    WaiveLimit {
        limit: RunOnceLimit,
        reason: String,
    },
    /// Lets this case ask for what is already held of this resident, which `held` lists: for every such paper, not only
    /// for the one that was needed. Where nothing is held there is nothing to waive.
    WaiveHeldPapers {
        held: Vec<HeldPaper>,
        reason: String,
    },
    GiveResult {
        words: String,
        evidence: Vec<AttachmentRef>,
        place_proof: Option<PlaceProof>,
        promise: Option<Promise>,
    },
    KeepPromise {
        words: String,
        evidence: Vec<AttachmentRef>,
    },
    Rate(Rating),
    /// Takes a bad rating on.
    OwnRating,
    /// By the resident, within the window after the result notice.
    Reopen {
        reason: String,
    },
    /// By the resident, within the window after the result, or after the first review.
    AskReview {
        reason: String,
    },
    DecideReview {
        decision: ReviewDecision,
        words: String,
    },
    /// Handles it with another case of the same matter from here on.
    Merge {
        into: CaseId,
        into_number: CaseNumber,
        reason: String,
    },
    Unmerge {
        reason: String,
    },
    Withdraw {
        reason: String,
    },
    /// A supervisor presses for action.
    Urge {
        words: String,
    },
    /// Whatever is due on the clocks of the case: warnings, breaches, escalations, silence, the end of a window. Where
    /// computers disagree on the time, `at` is the earliest that it may be, and only what was raised after the `latest` is
    /// taken back.
    RunClocks {
        latest: DateTime<Utc>,
    },
    /// Under another calendar than the deadlines were computed with.
    RecomputeDeadlines,
    /// The window passed without a verdict.
    CloseUnrated,
    /// Closes a case brought in from another system, with that system's own outcome.
    CloseFromSource {
        outcome: String,
    },
}

#[derive(Clone, Debug)]
pub struct Submission {
    pub case: CaseId,
    pub number: CaseNumber,
    /// The resident; a fresh id where they stay unnamed.
    pub person: PersonId,
    pub contact: Option<Contact>,
    pub category: String,
    pub division: DivisionCode,
    pub contact_district: Option<ContactDistrictCode>,
    pub place_words: Option<String>,
    /// Latitude and longitude in degrees, WGS 84.
    pub point: Option<(f64, f64)>,
    pub words: String,
    pub attachments: Vec<AttachmentRef>,
    /// Keyed digest of [`super::matter_text`]: equal exactly for the same matter.
    pub matter: String,
    /// The closed case of the same resident and matter, if there is one.
    pub previous: Option<CaseId>,
    /// What is new, where the same matter has had its final review.
    pub new_fact: Option<String>,
    /// Who received it first and stays responsible until somebody else has taken over.
    pub first_receiver: UnitCode,
    pub source: Option<Source>,
}

/// How to reach the resident. Sealed under the resident's own key.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Contact {
    pub name: Option<String>,
    pub phone: String,
}

/// Where an imported case came from.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Source {
    pub system: String,
    /// The other system's own case number.
    pub id: String,
    /// The other system's target for the result, if it set one.
    pub target_at: Option<DateTime<Utc>>,
    /// Until when the export watched the case; an open one is not known to be open later than this.
    pub observed_until: DateTime<Utc>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NextOwner {
    Unit(UnitCode),
    /// Outside this system (a court, another city): the name of an office, and the case is closed with the reason.
    Outside(String),
}

#[derive(Clone, Debug)]
pub struct FollowUp {
    pub kind: FollowUpKind,
    /// Whether the resident was really reached.
    pub reached: bool,
    pub words: String,
}

#[derive(Clone, Debug)]
pub struct MaterialAsk {
    pub kind: String,
    pub words: Option<String>,
}

/// A paper that this resident has handed over before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldPaper {
    pub kind: String,
    /// The number of the case in which it is held.
    pub held_in: CaseNumber,
}

#[derive(Clone, Debug)]
pub enum PlaceProof {
    AfterPhoto(AttachmentRef),
    /// Why there is no after-photo.
    WhyNot(String),
}

/// Something that a result promises by a city day.
#[derive(Clone, Debug)]
pub struct Promise {
    pub words: String,
    pub by: NaiveDate,
}

#[derive(Clone, Debug)]
pub struct Rating {
    pub verdict: Verdict,
    /// 1 to 5 on the national scale; 3 and better is satisfied.
    pub score: u8,
    pub reason: Option<String>,
}
