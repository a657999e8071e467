//! Small values of bodies, and the problems that endpoints document.

use chrono::{DateTime, Utc};
use onetrip_casework::{Casework, Text};
use onetrip_model::{
    CaseKind, UnitCode,
    clocks::{self, Term},
    policy,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::{
    IntoResponses, ToSchema,
    openapi::{Content, Ref, RefOr, Response, ResponseBuilder},
};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    Appeal,
    Suggestion,
    HearingRequest,
}

impl Kind {
    pub fn as_str(self) -> &'static str {
        CaseKind::from(self).as_str()
    }
}

impl From<CaseKind> for Kind {
    fn from(kind: CaseKind) -> Self {
        match kind {
            CaseKind::Appeal => Kind::Appeal,
            CaseKind::Suggestion => Kind::Suggestion,
            CaseKind::HearingRequest => Kind::HearingRequest,
        }
    }
}

impl From<Kind> for CaseKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Appeal => CaseKind::Appeal,
            Kind::Suggestion => CaseKind::Suggestion,
            Kind::HearingRequest => CaseKind::HearingRequest,
        }
    }
}

/// Where a case stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Stage {
    Submitted,
    /// The first receiver says it is not theirs; it is offered to the next owner.
    Declined,
    Accepted,
    Handling,
    AwaitingResident,
    /// A statutory hearing or an expert: the clocks stand still.
    LawPause,
    ResultGiven,
    Review,
    FinalReview,
    /// Handled with another case.
    Merged,
    Closed,
    Withdrawn,
}

impl Stage {
    const ALL: [Stage; 12] = [
        Stage::Submitted,
        Stage::Declined,
        Stage::Accepted,
        Stage::Handling,
        Stage::AwaitingResident,
        Stage::LawPause,
        Stage::ResultGiven,
        Stage::Review,
        Stage::FinalReview,
        Stage::Merged,
        Stage::Closed,
        Stage::Withdrawn,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Stage::Submitted => "submitted",
            Stage::Declined => "declined",
            Stage::Accepted => "accepted",
            Stage::Handling => "handling",
            Stage::AwaitingResident => "awaiting_resident",
            Stage::LawPause => "law_pause",
            Stage::ResultGiven => "result_given",
            Stage::Review => "review",
            Stage::FinalReview => "final_review",
            Stage::Merged => "merged",
            Stage::Closed => "closed",
            Stage::Withdrawn => "withdrawn",
        }
    }

    /// The stage of this name; every name of the model is one, which a test holds.
    pub fn named(name: &str) -> Stage {
        Stage::ALL
            .into_iter()
            .find(|stage| stage.as_str() == name)
            .unwrap_or(Stage::Submitted)
    }
}

/// Class of an appeal; it decides the limit of the result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum AppealClass {
    Consultation,
    Help,
    Complaint,
}

impl From<policy::AppealClass> for AppealClass {
    fn from(class: policy::AppealClass) -> Self {
        match class {
            policy::AppealClass::Consultation => AppealClass::Consultation,
            policy::AppealClass::Help => AppealClass::Help,
            policy::AppealClass::Complaint => AppealClass::Complaint,
        }
    }
}

/// Free text. `words` is null where its key was deleted at the resident's wish.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct FreeText {
    pub words: Option<String>,
    pub erased: bool,
}

impl From<Text> for FreeText {
    fn from(text: Text) -> Self {
        match text {
            Text::Words(words) => FreeText {
                words: Some(words),
                erased: false,
            },
            Text::Erased => FreeText {
                words: None,
                erased: true,
            },
        }
    }
}

/// How a limit is counted.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum TermUnit {
    /// Round the clock.
    Hours,
    WorkingDays,
    /// Calendar days; an end on a day off moves to the next working day.
    Days,
    /// A day that a reply promised.
    Date,
    /// Set by the system the case came from.
    Source,
}

/// An instant by which something is due, and the rule it follows from.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Deadline {
    /// The last instant that is still in time.
    pub due_at: DateTime<Utc>,
    pub unit: TermUnit,
    /// How many of `unit`; null for `date` and `source`.
    pub count: Option<u32>,
    /// Versions of the policy and of the calendar it was computed with.
    #[schema(example = "2026-1/cn-2026")]
    pub rules: String,
    /// Reaches into a year whose holidays have not been published.
    pub provisional: bool,
    /// Since when the clock stands still: `due_at` is then the earliest it can be.
    pub suspended_since: Option<DateTime<Utc>>,
}

impl From<&clocks::Deadline> for Deadline {
    fn from(deadline: &clocks::Deadline) -> Self {
        let (unit, count) = match deadline.term {
            Term::Hours(count) => (TermUnit::Hours, Some(count)),
            Term::WorkingDays(count) => (TermUnit::WorkingDays, Some(count)),
            Term::Days(count) => (TermUnit::Days, Some(count)),
            Term::Date(_) => (TermUnit::Date, None),
            Term::Source => (TermUnit::Source, None),
        };
        let due_at = deadline.due_at;
        Deadline {
            due_at,
            unit,
            count,
            rules: deadline.rules.clone(),
            provisional: deadline.provisional,
            suspended_since: deadline.suspended_since,
        }
    }
}

/// An office with its names. Never a person.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct UnitRef {
    pub code: String,
    pub name: String,
    pub name_en: String,
}

impl UnitRef {
    /// The unit; one of another system goes by its code.
    pub fn of(casework: &Casework, code: &str) -> UnitRef {
        match casework.directory().unit(code) {
            Some(unit) => UnitRef {
                code: unit.code,
                name: unit.name,
                name_en: unit.name_en,
            },
            None => UnitRef {
                code: code.to_owned(),
                name: code.to_owned(),
                name_en: code.to_owned(),
            },
        }
    }

    pub fn of_code(casework: &Casework, code: Option<&UnitCode>) -> Option<UnitRef> {
        code.map(|code| UnitRef::of(casework, code.as_str()))
    }
}

/// An error, after RFC 9457.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes what onetrip_http_kit::Problem writes")]
pub(crate) struct Problem {
    /// Stable: the kind of problem. Programs decide by this.
    #[schema(
        pattern = "^urn:onetrip:problem:[a-z0-9/-]+$",
        example = "urn:onetrip:problem:refusal/trip-limit"
    )]
    r#type: String,
    /// The kind of problem in the language of `Accept-Language`.
    title: String,
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    /// What happened this time, for programmers.
    #[schema(nullable = false)]
    detail: Option<String>,
    /// The fields that are not in order.
    #[schema(nullable = false)]
    errors: Option<Vec<ProblemField>>,
    /// Finds this request in the log.
    request_id: uuid::Uuid,
    /// With 412: the version the case has now.
    #[schema(nullable = false, minimum = 1)]
    newest_version: Option<u64>,
    /// With 429 and 503: the same as `Retry-After`.
    #[schema(nullable = false)]
    retry_after_seconds: Option<u64>,
}

/// One field that is not in order.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes what onetrip_http_kit::FieldError writes")]
pub(crate) struct ProblemField {
    /// Its name in the body.
    field: String,
    /// A whole sentence in the language of `Accept-Language`.
    message: String,
}

fn problem(description: &str) -> RefOr<Response> {
    let schema = Ref::from_schema_name("Problem");
    let content = Content::builder().schema(Some(schema)).build();
    ResponseBuilder::new()
        .description(description)
        .content("application/problem+json", content)
        .build()
        .into()
}

/// Groups of problems, each documented under its status.
macro_rules! problems {
    ($($(#[$doc:meta])* $name:ident { $($status:literal: $text:literal,)+ })+) => {$(
        $(#[$doc])*
        pub(crate) struct $name;

        impl IntoResponses for $name {
            fn responses() -> BTreeMap<String, RefOr<Response>> {
                BTreeMap::from([$(($status.to_owned(), problem($text)),)+])
            }
        }
    )+};
}

problems! {
    /// What every endpoint may answer.
    Always {
        "400": "The request cannot be read: a header, the query or the JSON is malformed.",
        "500": "Something broke on our side; the cause is in the log under `request_id`.",
        "503": "Unavailable for a moment. Nothing is known to be lost; the same idempotency key may be sent again.",
    }
    SignInNeeded { "401": "The bearer token is missing, unknown or has ended.", }
    ProofNeeded { "401": "Needs a bearer token, or the case's secret in `X-Onetrip-Secret`.", }
    TokenWrong { "401": "A bearer token was sent and is unknown or has ended.", }
    OwnerNeeded { "401": "Needs a bearer token or an `X-Onetrip-Visitor` token.", }
    Forbidden { "403": "Not for this role.", }
    NotFound { "404": "There is no such thing, or the caller may not know of it. A wrong number and a wrong secret look the same.", }
    Body {
        "413": "The body is too large.",
        "415": "The body is not of a media type that this endpoint takes.",
        "422": "Fields are not in order (`errors` names them), or the idempotency key was used for another request.",
    }
    UnknownCode { "422": "A code in the query is not one of ours (`errors` names it).", }
    Refused { "409": "A rule does not allow this now. The type ends in `refusal/` and the code of the refusal.", }
    Versioned {
        "412": "Somebody changed the case since that version; `newest_version` and `ETag` name the newest.",
        "428": "`If-Match` with a version is missing. `*` is none: a change says what it was decided on.",
    }
    TooMany { "429": "Too many wrong tries; `Retry-After` says when to go on.", }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stage_of_the_model_has_its_name_here() {
        for name in onetrip_model::case::Stage::NAMES {
            assert_eq!(Stage::named(name).as_str(), name);
            assert_eq!(serde_json::to_value(Stage::named(name)).unwrap(), name);
        }
    }
}
