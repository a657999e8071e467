//! Filing a case: appeals, suggestions, hearing requests.

use crate::{
    Api,
    caller::{Caller, VISITOR_CHARS_MIN},
    extract::{IdempotencyKey, Input, tagged},
    problem::Failure,
    values::{Always, Body, Deadline, Forbidden, Refused, TokenWrong, UnitRef},
};
use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::Response,
};
use onetrip_casework::{Casework, CaseworkError, Fault, NewCase};
use onetrip_model::{CaseEvent, CaseFact, CaseKind, Channel, clocks::ClockKind};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use utoipa::ToSchema;
use uuid::Uuid;

/// What a resident, or a clerk for a resident, hands in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Filing {
    /// Id of a category, from `GET /api/v1/categories`.
    #[schema(min_length = 1, max_length = 64, example = "street_lights")]
    category: String,
    /// What it is about.
    #[schema(
        min_length = 1,
        max_length = 2000,
        example = "The lamp at the corner has been dark for a week."
    )]
    words: String,
    /// Code of a street or community, from `GET /api/v1/divisions`; suggestions and hearing requests may name any
    /// division.
    #[schema(min_length = 1, max_length = 64, example = "440304008")]
    division: String,
    /// Where exactly, in words.
    #[serde(default)]
    #[schema(max_length = 200)]
    place_words: Option<String>,
    #[serde(default)]
    #[schema(max_length = 50)]
    name: Option<String>,
    /// Left out where the resident stays unnamed.
    #[serde(default)]
    #[schema(max_length = 40, example = "13800138000")]
    phone: Option<String>,
    /// What is new, where the same matter has had its final review.
    #[serde(default)]
    #[schema(max_length = 2000)]
    new_fact: Option<String>,
    /// Ids of uploads of the same owner.
    #[serde(default)]
    #[schema(max_items = 4)]
    photos: Vec<Uuid>,
    /// `ticket` of an open case, from `POST /api/v1/possible-duplicates`: the new one is handled with it, and keeps its
    /// number, its secret, its rating and an answer of its own.
    #[serde(default)]
    #[schema(max_length = 64)]
    with: Option<String>,
}

/// What a submission came to.
#[derive(Serialize, ToSchema)]
pub(crate) struct Filed {
    /// For the resident to keep.
    #[schema(pattern = r"^\d{4}-\d{4}-\d{4}$")]
    number: String,
    /// Together with the number it opens the case: for the resident alone. Null where the submission joined an open
    /// case: who filed that one has its secret.
    #[schema(pattern = "^[0-9A-Z]{4}(-[0-9A-Z]{4}){5}$")]
    secret: Option<String>,
    /// The same resident's same matter was open: what was written joined it, and this is its number.
    joined: bool,
    /// It is handled with the case that `with` named.
    with_another: bool,
    #[schema(minimum = 1)]
    version: u64,
    next: Next,
}

/// What happens next, and by when. Null members where the submission joined an open case, which itself says it.
#[derive(Serialize, ToSchema)]
struct Next {
    /// Who received it first and answers for it until somebody else has taken over.
    first_receiver: Option<UnitRef>,
    /// First real contact with the resident; null where the resident is unnamed.
    contact_due: Option<Deadline>,
    /// The first result.
    result_due: Option<Deadline>,
    /// For how many days after the result the resident can rate it or have it redone.
    rating_days: u32,
}

/// File an appeal
///
/// Asks for something to be put right. With the bearer token of a clerk or contact cadre it is filed for a resident at
/// the counter; otherwise for the caller, who may send `X-Onetrip-Visitor` to use uploads.
#[utoipa::path(
    post, path = "/api/v1/appeals", tag = "filing", security((), ("bearer" = []), ("visitor" = [])),
    params(("Idempotency-Key" = String, Header, description = "Chosen by the caller, new for every submission; at least 22 characters, as random as a UUID, where neither bearer token nor visitor token is sent.",
            min_length = 1, max_length = 255, pattern = "^[!-~]+$")),
    request_body = Filing,
    responses(
        (status = 201, description = "Filed, or joined to the open case of the same matter.", body = Filed,
         headers(("Location" = String, description = "The case."), ("ETag" = String, description = "Its version."))),
        Always, TokenWrong, Forbidden, Refused, Body,
    ),
)]
pub(crate) async fn appeal(
    State(api): State<Api>,
    caller: Caller,
    key: IdempotencyKey,
    input: Input<Filing>,
) -> Result<Response, Failure> {
    file(&api, &caller, CaseKind::Appeal, "/api/v1/appeals", key, input).await
}

/// File a suggestion
#[utoipa::path(
    post, path = "/api/v1/suggestions", tag = "filing", security((), ("bearer" = []), ("visitor" = [])),
    params(("Idempotency-Key" = String, Header, description = "Chosen by the caller, new for every submission; at least 22 characters, as random as a UUID, where neither bearer token nor visitor token is sent.",
            min_length = 1, max_length = 255, pattern = "^[!-~]+$")),
    request_body = Filing,
    responses(
        (status = 201, description = "Filed, or joined to the open case of the same matter.", body = Filed,
         headers(("Location" = String, description = "The case."), ("ETag" = String, description = "Its version."))),
        Always, TokenWrong, Forbidden, Refused, Body,
    ),
)]
pub(crate) async fn suggestion(
    State(api): State<Api>,
    caller: Caller,
    key: IdempotencyKey,
    input: Input<Filing>,
) -> Result<Response, Failure> {
    file(
        &api,
        &caller,
        CaseKind::Suggestion,
        "/api/v1/suggestions",
        key,
        input,
    )
    .await
}

/// Ask for a hearing on a major matter
#[utoipa::path(
    post, path = "/api/v1/hearing-requests", tag = "filing", security((), ("bearer" = []), ("visitor" = [])),
    params(("Idempotency-Key" = String, Header, description = "Chosen by the caller, new for every submission; at least 22 characters, as random as a UUID, where neither bearer token nor visitor token is sent.",
            min_length = 1, max_length = 255, pattern = "^[!-~]+$")),
    request_body = Filing,
    responses(
        (status = 201, description = "Filed, or joined to the open case of the same matter.", body = Filed,
         headers(("Location" = String, description = "The case."), ("ETag" = String, description = "Its version."))),
        Always, TokenWrong, Forbidden, Refused, Body,
    ),
)]
pub(crate) async fn hearing_request(
    State(api): State<Api>,
    caller: Caller,
    key: IdempotencyKey,
    input: Input<Filing>,
) -> Result<Response, Failure> {
    file(
        &api,
        &caller,
        CaseKind::HearingRequest,
        "/api/v1/hearing-requests",
        key,
        input,
    )
    .await
}

async fn file(
    api: &Api,
    caller: &Caller,
    kind: CaseKind,
    path: &str,
    key: IdempotencyKey,
    input: Input<Filing>,
) -> Result<Response, Failure> {
    // Callers without a token share one space of keys, and the answer holds a secret: no key there may be guessable.
    if caller.known_owner().is_none() && key.0.len() < VISITOR_CHARS_MIN {
        return Err(Failure::new(StatusCode::BAD_REQUEST, "idempotency-key-malformed"));
    }
    let owner = caller.owner();
    let request = input.request_key(owner.clone(), key, path);
    let filing = input.value;
    all_different(&filing.photos)?;
    let channel = if caller.staff.is_some() {
        Channel::Counter
    } else {
        Channel::Api
    };
    let new = NewCase {
        category: filing.category,
        words: filing.words,
        division: filing.division,
        place_words: filing.place_words,
        name: filing.name,
        phone: filing.phone,
        new_fact: filing.new_fact,
        photos: filing.photos,
        with: filing.with,
    };
    let submitted = api
        .casework
        .submit(&caller.actor(), kind, new, channel, &owner, &request)
        .await;
    let submitted = submitted.map_err(|error| match error {
        // Nothing else that a submission names can be missing.
        CaseworkError::NotFound => Failure::field("photos", Fault::Unknown),
        error => error.into(),
    })?;
    if caller.staff.is_some() {
        // Who has lists looks at them next. A case by itself is waited for when it is asked for.
        api.casework.settle(submitted.cursor).await;
    }
    let location = format!("/api/v1/cases/{}", submitted.number);
    let version = submitted.version;
    let filed = Filed {
        number: submitted.number.to_string(),
        secret: submitted.secret.as_ref().map(ToString::to_string),
        joined: submitted.joined,
        with_another: submitted.with_another,
        version,
        next: Next::of(&api.casework, submitted.filed.as_ref()),
    };
    Ok(tagged(
        version,
        (StatusCode::CREATED, [(header::LOCATION, location)], Json(filed)),
    ))
}

impl Next {
    /// Taken from the submission itself, so that a retry shows the same however far the case has come.
    fn of(casework: &Casework, filed: Option<&CaseEvent>) -> Next {
        let due = |clock| filed?.deadline(clock).map(Deadline::from);
        Next {
            first_receiver: filed.and_then(|filed| match &filed.fact {
                CaseFact::CaseSubmitted(filed) => Some(UnitRef::of(casework, filed.first_receiver.as_str())),
                _ => None,
            }),
            contact_due: due(ClockKind::Contact),
            result_due: due(ClockKind::Result),
            rating_days: casework.rules().policy.rating.days,
        }
    }
}

/// A photo can be used once.
pub(crate) fn all_different(photos: &[Uuid]) -> Result<(), Failure> {
    let mut seen = HashSet::new();
    if photos.iter().all(|photo| seen.insert(photo)) {
        Ok(())
    } else {
        Err(Failure::field("photos", Fault::Unknown))
    }
}
