//! Possible duplicates: before a case is filed, and of a case.

use crate::{
    Api,
    caller::Caller,
    extract::{Input, Number},
    problem::Failure,
    queue::QueueLine,
    values::{Always, Body, Forbidden, Kind, NotFound, SignInNeeded, TokenWrong},
};
use axum::{Json, extract::State};
use chrono::NaiveDate;
use onetrip_casework as casework;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What somebody is about to file; the members are those of the submission.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DraftCase {
    kind: Kind,
    /// Id of a category, from `GET /api/v1/categories`.
    #[schema(min_length = 1, max_length = 64, example = "street_lights")]
    category: String,
    #[schema(
        min_length = 1,
        max_length = 2000,
        example = "The lamp at the corner has been dark for a week."
    )]
    words: String,
    #[schema(min_length = 1, max_length = 64, example = "440304008")]
    division: String,
    #[serde(default)]
    #[schema(max_length = 200, example = "Corner of Hongli Road")]
    place_words: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct SharedCases {
    /// The likeliest first, five at most.
    #[schema(max_items = 5)]
    items: Vec<SharedCase>,
}

/// An open case of a shared category, as anybody may know of it: without number, words, exact place and resident.
#[derive(Serialize, ToSchema)]
struct SharedCase {
    /// As `with` of a submission it has the new case handled with this one.
    #[schema(max_length = 64)]
    ticket: String,
    category: String,
    /// Code of the division it was filed for.
    division: String,
    /// Date in the city's time zone.
    filed_on: NaiveDate,
    progress: Progress,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Progress {
    Received,
    Handling,
}

impl From<casework::SharedCase> for SharedCase {
    fn from(case: casework::SharedCase) -> Self {
        SharedCase {
            ticket: case.ticket,
            category: case.category,
            division: case.division,
            filed_on: case.filed_on,
            progress: match case.progress {
                casework::Progress::Received => Progress::Received,
                casework::Progress::Handling => Progress::Handling,
            },
        }
    }
}

#[derive(Serialize, ToSchema)]
pub(crate) struct PossibleDuplicates {
    /// The likeliest first, five at most.
    #[schema(max_items = 5)]
    items: Vec<QueueLine>,
}

/// Has somebody reported the same?
///
/// Open cases that what is about to be filed may be a duplicate of. Only of categories that are `shared`; for all others
/// the list is empty.
#[utoipa::path(
    post, path = "/api/v1/possible-duplicates", tag = "filing", security((), ("bearer" = [])),
    request_body = DraftCase,
    responses(
        (status = 200, description = "What anybody may know of them.", body = SharedCases),
        Always, TokenWrong, Body,
    ),
)]
pub(crate) async fn before_filing(
    State(api): State<Api>,
    caller: Caller,
    input: Input<DraftCase>,
) -> Result<Json<SharedCases>, Failure> {
    let draft = input.value;
    let kind = draft.kind.into();
    let draft = casework::Draft {
        category: draft.category,
        words: draft.words,
        division: draft.division,
        place_words: draft.place_words,
    };
    let found = api
        .casework
        .shared_duplicates(&caller.actor(), kind, draft)
        .await?;
    Ok(Json(SharedCases {
        items: found.into_iter().map(SharedCase::from).collect(),
    }))
}

/// Possible duplicates of a case
///
/// Other open cases that may be the same matter, of those that the signed-in person may see.
#[utoipa::path(
    get, path = "/api/v1/cases/{number}/possible-duplicates", tag = "cases", security(("bearer" = [])),
    params(("number" = String, Path, description = "Twelve digits, with or without dashes.",
            pattern = r"^\d{4}-?\d{4}-?\d{4}$", example = "8271-5590-3313")),
    responses(
        (status = 200, description = "Cases as in the queue.", body = PossibleDuplicates),
        Always, SignInNeeded, Forbidden, NotFound,
    ),
)]
pub(crate) async fn of_case(
    State(api): State<Api>,
    caller: Caller,
    Number(number): Number,
) -> Result<Json<PossibleDuplicates>, Failure> {
    caller.signed_in()?;
    let found = api.casework.possible_duplicates(&caller.actor(), &number).await?;
    let line = |item| QueueLine::of(&api.casework, item);
    Ok(Json(PossibleDuplicates {
        items: found.into_iter().map(line).collect(),
    }))
}
