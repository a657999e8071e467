//! Cases: the list staff may see, one case, its photos.

use crate::{
    Api,
    caller::Caller,
    case_view::Case,
    extract::{Id, Number, Params, after, checked_instant, limit, tagged},
    problem::Failure,
    uploads::{Picture, picture},
    values::{
        Always, AppealClass, Deadline, Forbidden, Kind, NotFound, ProofNeeded, SignInNeeded, Stage, UnitRef,
    },
};
use axum::{Json, extract::State, response::Response};
use chrono::{DateTime, Utc};
use onetrip_casework::Casework;
use onetrip_http_kit::Cursor;
use onetrip_read_models::case_file::CaseFile;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Listing {
    /// Only cases at this stage.
    stage: Option<Stage>,
    /// `next` of the page before.
    #[param(max_length = 512)]
    after: Option<String>,
    /// Rows of a page; 25 if left out.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct CasePage {
    /// Newest first.
    items: Vec<CaseLine>,
    /// `after` of the next page; null on the last.
    next: Option<String>,
}

/// A case in a list; its words are in the case.
#[derive(Serialize, ToSchema)]
struct CaseLine {
    #[schema(pattern = r"^\d{4}-\d{4}-\d{4}$")]
    number: String,
    #[schema(minimum = 1)]
    version: u64,
    kind: Kind,
    class: Option<AppealClass>,
    category: String,
    stage: Stage,
    /// Who answers for it; the last one, once it has ended.
    unit: Option<UnitRef>,
    division: String,
    contact_district: Option<String>,
    submitted_at: DateTime<Utc>,
    result_due: Option<Deadline>,
    resulted_at: Option<DateTime<Utc>>,
    closed_at: Option<DateTime<Utc>>,
}

impl CaseLine {
    fn of(casework: &Casework, file: CaseFile) -> CaseLine {
        let result_clock = file.filed.result_clock();
        let result_due = result_clock.map(|clock| Deadline::from(&clock.deadline));
        CaseLine {
            number: file.filed.number.to_string(),
            version: file.version,
            kind: file.filed.kind.into(),
            class: file.filed.class.map(AppealClass::from),
            stage: Stage::named(file.filed.stage.name()),
            unit: file.standing.unit.map(|unit| UnitRef::of(casework, &unit)),
            division: file.filed.division.0,
            contact_district: file.filed.contact_district.map(|district| district.0),
            category: file.filed.category,
            submitted_at: file.submitted_at,
            result_due,
            resulted_at: file.outcome.resulted_at,
            closed_at: file.outcome.closed_at,
        }
    }
}

/// Cases
///
/// Of any stage, inside what the signed-in person may see.
#[utoipa::path(
    get, path = "/api/v1/cases", tag = "cases", security(("bearer" = [])), params(Listing),
    responses((status = 200, description = "A page of cases.", body = CasePage), Always, SignInNeeded, Forbidden),
)]
pub(crate) async fn list(
    State(api): State<Api>,
    caller: Caller,
    Params(listing): Params<Listing>,
) -> Result<Json<CasePage>, Failure> {
    caller.signed_in()?;
    let limit = limit(listing.limit)?;
    let before: Option<(DateTime<Utc>, Uuid)> = after(listing.after.as_deref())?;
    let before = before
        .map(|(at, case)| Ok::<_, Failure>((checked_instant(at)?, case)))
        .transpose()?;
    let stage = listing.stage.map(Stage::as_str);
    let page = api
        .casework
        .cases(&caller.actor(), stage, before, limit.into())
        .await?;
    Ok(Json(CasePage {
        items: page
            .items
            .into_iter()
            .map(|file| CaseLine::of(&api.casework, file))
            .collect(),
        next: page.next.map(|key| Cursor(key).to_string()),
    }))
}

/// One case
///
/// For staff inside what they may see; for its resident with the secret.
#[utoipa::path(
    get, path = "/api/v1/cases/{number}", tag = "cases", security(("bearer" = []), ("secret" = [])),
    params(("number" = String, Path, description = "Twelve digits, with or without dashes.",
            pattern = r"^\d{4}-?\d{4}-?\d{4}$", example = "8271-5590-3313")),
    responses(
        (status = 200, description = "The case as the asker may see it.", body = Case,
         headers(("ETag" = String, description = "Its version, for `If-Match`."))),
        Always, ProofNeeded, NotFound,
    ),
)]
pub(crate) async fn show(
    State(api): State<Api>,
    caller: Caller,
    Number(number): Number,
) -> Result<Response, Failure> {
    let actor = caller.actor_for(&api, &number).await?;
    let view = api.casework.case(&actor, &number).await?;
    let version = view.file.version;
    Ok(tagged(version, Json(Case::of(&api.casework, &actor, view))))
}

/// A photo of a case
#[utoipa::path(
    get, path = "/api/v1/cases/{number}/photos/{id}", tag = "cases", security(("bearer" = []), ("secret" = [])),
    params(
        ("number" = String, Path, description = "Twelve digits, with or without dashes.",
         pattern = r"^\d{4}-?\d{4}-?\d{4}$", example = "8271-5590-3313"),
        ("id" = Uuid, Path, description = "From `photos` of the timeline."),
    ),
    responses(
        (status = 200, description = "The photo.", body = Picture, content_type = "image/jpeg"),
        Always, ProofNeeded, NotFound,
    ),
)]
pub(crate) async fn photo(
    State(api): State<Api>,
    caller: Caller,
    Number(number): Number,
    Id(id): Id,
) -> Result<Response, Failure> {
    let actor = caller.actor_for(&api, &number).await?;
    Ok(picture(api.casework.photo(&actor, &number, id).await?))
}
