//! The timeline of a case: one entry for each event.

use crate::{
    case_names::{ByKind, ChannelName, CloseReasonName, FollowUpName, LimitName, RedoName, VerdictName},
    values::{FreeText, UnitRef},
};
use chrono::{DateTime, Utc};
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
    /// The instant that the event sets: the answer's, the rating's or the new result's limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    due_at: Option<DateTime<Utc>>,
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
    /// The next owner outside this system, or the outcome in the system the case came from.
    #[serde(skip_serializing_if = "Option::is_none")]
    named: Option<String>,
    /// A second filing of the same matter that joined this case.
    #[serde(skip_serializing_if = "Option::is_none")]
    from_filing: Option<bool>,
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
        CaseFact::CaseAccepted { legal_due } => Entry {
            due_at: legal_due.map(|due| due.due_at),
            ..base
        },
        CaseFact::CaseDeclined { next_owner, .. } => Entry {
            unit: unit(&next_owner),
            ..base
        },
        CaseFact::CaseAssigned { unit: to, .. }
        | CaseFact::HandOverOffered { to, .. }
        | CaseFact::HandOverTaken { unit: to }
        | CaseFact::HandOverReturned { unit: to, .. } => Entry {
            unit: unit(&to),
            ..base
        },
        CaseFact::FollowUpRecorded { kind, reached, .. } => Entry {
            follow_up: Some(kind.into()),
            reached: Some(reached),
            ..base
        },
        CaseFact::MaterialsRequested { items, answer_due } => Entry {
            materials: Some(items.into_iter().map(|item| item.kind).collect()),
            due_at: Some(answer_due.due_at),
            ..base
        },
        CaseFact::MaterialsAnswered {
            handed_over,
            result_due,
            ..
        } => Entry {
            materials: Some(handed_over),
            due_at: result_due.map(|due| due.due_at),
            ..base
        },
        CaseFact::SilenceRecorded { result_due } => Entry {
            due_at: result_due.map(|due| due.due_at),
            ..base
        },
        CaseFact::LimitWaived { limit, .. } => Entry {
            limit: Some(limit.into()),
            ..base
        },
        CaseFact::ResultGiven {
            round, rate_until, ..
        } => Entry {
            round: Some(round),
            due_at: Some(rate_until),
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
        CaseFact::CaseReopened { redo, result_due, .. } => Entry {
            redo: Some(redo.into()),
            due_at: result_due.map(|due| due.due_at),
            ..base
        },
        CaseFact::CaseClosed { reason, .. } => {
            let (reason, named) = match reason {
                CloseReason::Rated => (CloseReasonName::Rated, None),
                CloseReason::Unrated => (CloseReasonName::Unrated, None),
                CloseReason::Outside { next_owner } => (CloseReasonName::Outside, Some(next_owner)),
                CloseReason::Source { outcome } => (CloseReasonName::Source, Some(outcome)),
            };
            Entry {
                close_reason: Some(reason),
                named,
                ..base
            }
        }
        CaseFact::TripAsked { .. } | CaseFact::CaseWithdrawn { .. } => base,
    }
}
