//! Names in the body of a case: enums as the API writes them.

use onetrip_model::{
    Channel, Tier, access,
    case::{FollowUpKind, Redo, ReviewDecision, ReviewLevel, RunOnceLimit, Verdict},
};
use serde::Serialize;
use utoipa::ToSchema;

/// Enums of bodies with the model's enums they are made from.
macro_rules! names {
    ($($name:ident from $model:ty { $($variant:ident,)+ })+) => {$(
        #[derive(Clone, Copy, Serialize, ToSchema)]
        #[serde(rename_all = "snake_case")]
        pub(crate) enum $name { $($variant,)+ }

        impl From<$model> for $name {
            fn from(value: $model) -> Self {
                match value { $(<$model>::$variant => $name::$variant,)+ }
            }
        }
    )+};
}

names! {
    VerdictName from Verdict { Solved, Partly, NotSolved, }
    FollowUpName from FollowUpKind { Contact, Progress, CallBack, }
    LimitName from RunOnceLimit { Trip, MaterialRequest, HeldPaper, }
    RedoName from Redo { SomebodyElse, Supervisor, }
    ReviewName from ReviewLevel { Review, FinalReview, }
    DecisionName from ReviewDecision { Upheld, Changed, SentBack, }
    TierName from Tier { City, District, Street, Community, }
    ChannelName from Channel { Portal, Staff, Counter, Api, Import, Service, }
}

#[allow(
    clippy::derivable_impls,
    reason = "the enum is made by a macro that knows no default"
)]
impl Default for ChannelName {
    fn default() -> Self {
        ChannelName::Service
    }
}

#[derive(Default, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ByKind {
    Resident,
    Staff,
    /// A unit of another system.
    Unit,
    /// The service's own clocks.
    #[default]
    Service,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum CloseReasonName {
    Rated,
    Unrated,
    Outside,
    Reviewed,
    Source,
}

/// The acts of `POST /api/v1/cases/{number}/acts`.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ActName {
    AddSupplement,
    Accept,
    Decline,
    Assign,
    OfferHandOver,
    TakeOver,
    ReturnHandOver,
    FollowUp,
    AskTrip,
    RequestMaterials,
    AnswerRequest,
    RecordSilence,
    WaiveLimit,
    GiveResult,
    Rate,
    Reopen,
    Withdraw,
    CloseUnrated,
    BeginLawPause,
    EndLawPause,
    ExtendLegalLimit,
    OrderJointHandling,
    Contribute,
    KeepPromise,
    OwnRating,
    AskReview,
    DecideReview,
    Merge,
    Unmerge,
    Urge,
}

/// None for what is no act on a filed case.
pub(crate) fn act_name(act: access::Act) -> Option<ActName> {
    use access::Act;
    Some(match act {
        Act::AddSupplement => ActName::AddSupplement,
        Act::Accept => ActName::Accept,
        Act::Decline => ActName::Decline,
        Act::Assign => ActName::Assign,
        Act::OfferHandOver => ActName::OfferHandOver,
        Act::TakeOver => ActName::TakeOver,
        Act::ReturnHandOver => ActName::ReturnHandOver,
        Act::FollowUp => ActName::FollowUp,
        Act::AskTrip => ActName::AskTrip,
        Act::RequestMaterials => ActName::RequestMaterials,
        Act::AnswerRequest => ActName::AnswerRequest,
        Act::RecordSilence => ActName::RecordSilence,
        Act::WaiveLimit => ActName::WaiveLimit,
        Act::GiveResult => ActName::GiveResult,
        Act::Rate => ActName::Rate,
        Act::Reopen => ActName::Reopen,
        Act::Withdraw => ActName::Withdraw,
        Act::CloseUnrated => ActName::CloseUnrated,
        Act::BeginLawPause => ActName::BeginLawPause,
        Act::EndLawPause => ActName::EndLawPause,
        Act::ExtendLegalLimit => ActName::ExtendLegalLimit,
        Act::OrderJointHandling => ActName::OrderJointHandling,
        Act::Contribute => ActName::Contribute,
        Act::KeepPromise => ActName::KeepPromise,
        Act::OwnRating => ActName::OwnRating,
        Act::AskReview => ActName::AskReview,
        Act::DecideReview => ActName::DecideReview,
        Act::Merge => ActName::Merge,
        Act::Unmerge => ActName::Unmerge,
        Act::Urge => ActName::Urge,
        Act::File
        | Act::FileForResident
        | Act::ViewCase
        | Act::ViewContact
        | Act::CloseFromSource
        | Act::RunClocks
        | Act::RecomputeDeadlines
        | Act::ViewQueue
        | Act::ViewBoard
        | Act::Administer => return None,
    })
}
