//! Acting on a case: everything that moves it along, as one tagged body.

use crate::{
    Api,
    caller::Caller,
    extract::{IdempotencyKey, IfMatch, Input, Number, tagged},
    filing::all_different,
    problem::Failure,
    values::{Always, Body, Forbidden, NotFound, ProofNeeded, Refused, Versioned},
};
use axum::{Json, extract::State, response::Response};
use onetrip_casework::{ActInput, CaseworkError, Fault};
use onetrip_model::{CaseNumber, Channel, access::Actor};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// What an act came to.
#[derive(Serialize, ToSchema)]
pub(crate) struct Acted {
    #[schema(pattern = r"^\d{4}-\d{4}-\d{4}$")]
    number: String,
    /// The case's version now: for the `If-Match` of the next act.
    #[schema(minimum = 1)]
    version: u64,
}

/// Act on a case
///
/// `act` in the body says what is done; the other members belong to it. `allowed` of the case names the acts that its
/// asker may try. An act is done on the version it was decided on, or not at all.
#[utoipa::path(
    post, path = "/api/v1/cases/{number}/acts", tag = "cases",
    security(("bearer" = []), ("secret" = []), ("secret" = [], "visitor" = [])),
    params(
        ("number" = String, Path, description = "Twelve digits, with or without dashes.",
         pattern = r"^\d{4}-?\d{4}-?\d{4}$", example = "8271-5590-3313"),
        ("If-Match" = String, Header, description = "The ETag of the case as it was read.",
         pattern = r#"^(W/)?"[0-9]{1,18}"$"#, example = "\"3\""),
        ("Idempotency-Key" = String, Header, description = "Chosen by the caller, new for every act.",
         min_length = 1, max_length = 255, pattern = "^[!-~]+$"),
    ),
    request_body(content = ActInput, examples(
        ("accept" = (value = json!({"act": "accept"}))),
        ("assign" = (value = json!({"act": "assign", "unit": "440304008-urban"}))),
        ("follow_up" = (value = json!({"act": "follow_up", "kind": "contact", "reached": true, "words": "Called."}))),
        ("ask_trip" = (value = json!({"act": "ask_trip", "to_place": "The street desk", "reason": "To sign."}))),
        ("request_materials" = (value = json!({"act": "request_materials", "items": [{"kind": "lease"}]}))),
        ("answer_request" = (value = json!({"act": "answer_request", "handed_over": ["lease"], "words": "Here."}))),
        ("give_result" = (value = json!({
            "act": "give_result", "words": "The lamp works again.", "why_no_photo": "It was daylight.",
        }))),
        ("rate" = (value = json!({"act": "rate", "verdict": "solved", "score": 5}))),
    )),
    responses(
        (status = 200, description = "Done, or done before.", body = Acted,
         headers(("ETag" = String, description = "The new version."))),
        Always, ProofNeeded, Forbidden, NotFound, Refused, Versioned, Body,
    ),
)]
pub(crate) async fn act(
    State(api): State<Api>,
    caller: Caller,
    Number(number): Number,
    IfMatch(version): IfMatch,
    key: IdempotencyKey,
    input: Input<ActInput>,
) -> Result<Response, Failure> {
    let actor = caller.actor_for(&api, &number).await?;
    let owner = caller.owner();
    let sender = match &actor {
        Actor::Resident { case, .. } => format!("resident:{case}"),
        _ => owner.clone(),
    };
    let request = input.request_key(sender, key, &format!("/api/v1/cases/{number}/acts"));
    let photos = input.value.photos();
    all_different(&photos)?;
    let acted = api.casework.act(
        &actor,
        &number,
        input.value,
        Channel::Api,
        &owner,
        Some(version),
        Some(&request),
    );
    let acted = match acted.await {
        Ok(acted) => acted,
        Err(CaseworkError::NotFound) => {
            return Err(what_is_missing(&api, &actor, &number, &owner, &photos).await);
        }
        Err(error) => return Err(error.into()),
    };
    if let Some(cursor) = acted.cursor {
        api.casework.settle(cursor).await;
    }
    let (number, version) = (number.to_string(), acted.version);
    Ok(tagged(version, Json(Acted { number, version })))
}

/// A case that may not be known of, or a photo that is not there: only who may see the case learns which.
async fn what_is_missing(
    api: &Api,
    actor: &Actor,
    number: &CaseNumber,
    owner: &str,
    photos: &[Uuid],
) -> Failure {
    if let Err(error) = api.casework.case(actor, number).await {
        return error.into();
    }
    match api.casework.uploads(owner).await {
        Err(error) => error.into(),
        Ok(waiting)
            if photos
                .iter()
                .all(|photo| waiting.iter().any(|upload| upload.id == *photo)) =>
        {
            Failure::not_found()
        }
        Ok(_) => Failure::field("photos", Fault::Unknown),
    }
}
