//! The timeline of a case: one entry for each event.

use crate::{
    case_names::{
        ByKind, ChannelName, CloseReasonName, DecisionName, FollowUpName, LimitName, RedoName, ReviewName,
        TierName, VerdictName,
    },
    values::{Deadline, FreeText, UnitRef},
};
use chrono::{DateTime, NaiveDate, Utc};
use onetrip_casework::{Casework, Happening};
use onetrip_model::{By, CaseFact, case::CloseReason};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// One event of the case. Members that an event has no use for are left out.
#[derive(Default, Serialize, ToSchema)]
pub(crate) struct Entry {
    #[schema(minimum = 1)]
    sequence: u64,
    /// The name of the event, such as `CaseAccepted`.
    event: &'static str,
    /// When it happened.
    at: DateTime<Utc>,
    recorded_at: DateTime<Utc>,
    by: ByWhom,
    channel: ChannelName,
    texts: Vec<NamedText>,
    /// Ids of photos, for `GET /api/v1/cases/{number}/photos/{id}`.
    photos: Vec<Uuid>,
    /// The unit that is assigned, offered, taking over or returning; the next owner of a declined case.
    #[serde(skip_serializing_if = "Option::is_none")]
    unit: Option<UnitRef>,
    /// The units that do it together with the holder.
    #[serde(skip_serializing_if = "Option::is_none")]
    units: Option<Vec<UnitRef>>,
    /// The deadlines that the event set or moved.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    deadlines: Vec<ClockDeadline>,
    /// Days by which a limit was extended.
    #[serde(skip_serializing_if = "Option::is_none")]
    days: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    promised_by: Option<NaiveDate>,
    #[serde(skip_serializing_if = "Option::is_none")]
    review: Option<ReviewName>,
    #[serde(skip_serializing_if = "Option::is_none")]
    decision: Option<DecisionName>,
    /// The clock on which something was raised, such as `result`.
    #[serde(skip_serializing_if = "Option::is_none")]
    clock: Option<&'static str>,
    /// How much of the clock's time had gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    percent: Option<u16>,
    /// The tier it was escalated to.
    #[serde(skip_serializing_if = "Option::is_none")]
    tier: Option<TierName>,
    #[serde(skip_serializing_if = "Option::is_none")]
    follow_up: Option<FollowUpName>,
    /// Whether the resident was really reached.
    #[serde(skip_serializing_if = "Option::is_none")]
    reached: Option<bool>,
    /// Kinds of papers asked for or handed over.
    #[serde(skip_serializing_if = "Option::is_none")]
    materials: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<LimitName>,
    /// Counts the results.
    #[serde(skip_serializing_if = "Option::is_none")]
    round: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    verdict: Option<VerdictName>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 5)]
    score: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    redo: Option<RedoName>,
    #[serde(skip_serializing_if = "Option::is_none")]
    close_reason: Option<CloseReasonName>,
    /// The next owner outside this system, the outcome in the system the case came from, the number of the case it was
    /// merged into, or the version of the calendar.
    #[serde(skip_serializing_if = "Option::is_none")]
    named: Option<String>,
    /// A second filing of the same matter that joined this case.
    #[serde(skip_serializing_if = "Option::is_none")]
    from_filing: Option<bool>,
}

/// One clock's deadline from this event on.
#[derive(Serialize, ToSchema)]
struct ClockDeadline {
    /// Such as `contact`, `result`, `legal`.
    clock: &'static str,
    #[serde(flatten)]
    deadline: Deadline,
}

/// An office, never a private name.
#[derive(Default, Serialize, ToSchema)]
struct ByWhom {
    who: ByKind,
    unit: Option<UnitRef>,
}

/// A text of an event: `words`, `reason`, `to_place`, `item:<kind>`, ...
#[derive(Serialize, ToSchema)]
struct NamedText {
    name: String,
    #[serde(flatten)]
    text: FreeText,
}

pub(crate) fn entry(casework: &Casework, happening: Happening) -> Entry {
    let unit = |code: &onetrip_model::UnitCode| Some(UnitRef::of(casework, code.as_str()));
    let by = match &happening.by {
        By::Resident(_) => ByWhom {
            who: ByKind::Resident,
            unit: None,
        },
        By::Staff { unit: own, .. } => ByWhom {
            who: ByKind::Staff,
            unit: own.as_ref().and_then(unit),
        },
        By::Unit(own) => ByWhom {
            who: ByKind::Unit,
            unit: unit(own),
        },
        By::Service => ByWhom {
            who: ByKind::Service,
            unit: None,
        },
    };
    let base = Entry {
        sequence: happening.sequence,
        event: happening.fact.name(),
        at: happening.at,
        recorded_at: happening.recorded_at,
        by,
        channel: happening.channel.into(),
        texts: happening
            .texts
            .into_iter()
            .map(|(name, text)| NamedText {
                name,
                text: text.into(),
            })
            .collect(),
        photos: happening.photos,
        deadlines: happening
            .deadlines
            .iter()
            .map(|set| ClockDeadline {
                clock: set.clock.as_str(),
                deadline: (&set.deadline).into(),
            })
            .collect(),
        ..Entry::default()
    };
    match happening.fact {
        CaseFact::CaseSubmitted(submitted) => Entry {
            unit: unit(&submitted.first_receiver),
            ..base
        },
        CaseFact::SupplementAdded { from_filing, .. } => Entry {
            from_filing: Some(from_filing),
            ..base
        },
        CaseFact::CaseDeclined { next_owner, .. } => Entry {
            unit: unit(&next_owner),
            ..base
        },
        CaseFact::CaseAssigned { unit: to, .. }
        | CaseFact::HandOverOffered { to, .. }
        | CaseFact::HandOverTaken { unit: to }
        | CaseFact::HandOverReturned { unit: to, .. }
        | CaseFact::HandOverReferred { to, .. }
        | CaseFact::ContributionGiven { unit: to, .. } => Entry {
            unit: unit(&to),
            ..base
        },
        CaseFact::FollowUpRecorded { kind, reached, .. } => Entry {
            follow_up: Some(kind.into()),
            reached: Some(reached),
            ..base
        },
        CaseFact::MaterialsRequested { items } => Entry {
            materials: Some(items.into_iter().map(|item| item.kind).collect()),
            ..base
        },
        CaseFact::MaterialsAnswered { handed_over, .. } => Entry {
            materials: Some(handed_over),
            ..base
        },
        CaseFact::LimitWaived { limit, .. } => Entry {
            limit: Some(limit.into()),
            ..base
        },
        CaseFact::ResultGiven { round, .. } => Entry {
            round: Some(round),
            ..base
        },
        CaseFact::ResultRated {
            round,
            verdict,
            score,
            ..
        } => Entry {
            round: Some(round),
            verdict: Some(verdict.into()),
            score: Some(score),
            ..base
        },
        CaseFact::CaseReopened { redo, .. } => Entry {
            redo: Some(redo.into()),
            ..base
        },
        CaseFact::JointHandlingOrdered { units, .. } => Entry {
            units: Some(
                units
                    .iter()
                    .map(|code| UnitRef::of(casework, code.as_str()))
                    .collect(),
            ),
            ..base
        },
        CaseFact::LegalLimitExtended { days, .. } => Entry {
            days: Some(days),
            ..base
        },
        CaseFact::PromiseMade { by, .. } => Entry {
            promised_by: Some(by),
            ..base
        },
        CaseFact::ReviewAsked { level, .. } => Entry {
            review: Some(level.into()),
            ..base
        },
        CaseFact::ReviewDecided { level, decision, .. } => Entry {
            review: Some(level.into()),
            decision: Some(decision.into()),
            ..base
        },
        CaseFact::CaseMerged { .. } => Entry {
            named: happening.merged_into.map(|number| number.to_string()),
            ..base
        },
        CaseFact::WarningRaised { clock, percent } | CaseFact::RaisingWithdrawn { clock, percent } => Entry {
            clock: Some(clock.as_str()),
            percent: Some(percent),
            ..base
        },
        CaseFact::LimitBreached { clock } => Entry {
            clock: Some(clock.as_str()),
            ..base
        },
        CaseFact::CaseEscalated { clock, percent, to } => Entry {
            clock: Some(clock.as_str()),
            percent: Some(percent),
            tier: Some(to.into()),
            ..base
        },
        CaseFact::DeadlinesRecomputed { calendar } => Entry {
            named: Some(calendar),
            ..base
        },
        CaseFact::CaseClosed { reason, .. } => {
            let (reason, named) = match reason {
                CloseReason::Rated => (CloseReasonName::Rated, None),
                CloseReason::Unrated => (CloseReasonName::Unrated, None),
                CloseReason::Outside { next_owner } => (CloseReasonName::Outside, Some(next_owner)),
                CloseReason::Reviewed => (CloseReasonName::Reviewed, None),
                CloseReason::Source { outcome } => (CloseReasonName::Source, Some(outcome)),
            };
            Entry {
                close_reason: Some(reason),
                named,
                ..base
            }
        }
        CaseFact::CaseAccepted {}
        | CaseFact::SilenceRecorded {}
        | CaseFact::TripAsked { .. }
        | CaseFact::LawPauseBegun { .. }
        | CaseFact::LawPauseEnded {}
        | CaseFact::PromiseKept { .. }
        | CaseFact::RatingOwned {}
        | CaseFact::CaseUnmerged { .. }
        | CaseFact::CaseUrged { .. }
        | CaseFact::CaseWithdrawn { .. } => base,
    }
}
