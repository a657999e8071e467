//! Photos on their way into a case: kept a day for whoever handed them in.

use crate::{
    Api,
    caller::Caller,
    extract::{Id, body},
    problem::Failure,
    values::{Always, Body, NotFound, OwnerNeeded},
};
use axum::{
    Json,
    extract::{DefaultBodyLimit, Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use onetrip_casework::{PHOTO_BYTES_MAX, Photo};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::{UtoipaMethodRouter, UtoipaMethodRouterExt};
use uuid::Uuid;

const MEDIA_TYPES: [&str; 4] = [
    "image/jpeg",
    "image/png",
    "image/webp",
    "application/octet-stream",
];

#[derive(Serialize, ToSchema)]
pub(crate) struct Uploaded {
    /// Name it in `photos` of a case or an act.
    id: Uuid,
    /// Size as kept: encoded anew, without any metadata.
    size_bytes: u64,
}

/// The bytes of a picture.
#[derive(ToSchema)]
#[schema(value_type = String, format = Binary)]
#[allow(dead_code, reason = "describes a body")]
pub(crate) struct Picture(Vec<u8>);

/// Photos may be larger than JSON.
pub(crate) fn limited(routes: UtoipaMethodRouter<Api>) -> UtoipaMethodRouter<Api> {
    routes.layer(DefaultBodyLimit::max(PHOTO_BYTES_MAX))
}

fn is_photo(headers: &HeaderMap) -> bool {
    let media_type = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let essence = media_type
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    MEDIA_TYPES.contains(&&*essence)
}

/// Hand in a photo
///
/// JPEG, PNG or WebP, 12 MiB at most. It is turned upright, scaled down and encoded anew, so that nothing of where and
/// when it was taken remains. Kept for a day, twenty at a time.
#[utoipa::path(
    post, path = "/api/v1/uploads", tag = "uploads", security(("bearer" = []), ("visitor" = [])),
    request_body(content(
        (Picture = "image/jpeg"), (Picture = "image/png"), (Picture = "image/webp"),
        (Picture = "application/octet-stream"),
    )),
    responses((status = 201, description = "Kept.", body = Uploaded), Always, OwnerNeeded, Body),
)]
pub(crate) async fn take(
    State(api): State<Api>,
    caller: Caller,
    request: Request,
) -> Result<Response, Failure> {
    let owner = caller.known_owner().ok_or_else(Failure::not_signed_in)?;
    if !is_photo(request.headers()) {
        let failure = Failure::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type");
        return Err(failure.detail(format!("Send one of {}.", MEDIA_TYPES.join(", "))));
    }
    let bytes = body(request, &api).await?;
    let upload = api.casework.take_photo(&owner, bytes.into()).await?;
    let uploaded = Uploaded {
        id: upload.id,
        size_bytes: upload.size_bytes,
    };
    let location = format!("/api/v1/uploads/{}", upload.id);
    Ok((
        StatusCode::CREATED,
        [(header::LOCATION, location)],
        Json(uploaded),
    )
        .into_response())
}

/// See a photo that was handed in
#[utoipa::path(
    get, path = "/api/v1/uploads/{id}", tag = "uploads", security(("bearer" = []), ("visitor" = [])),
    params(("id" = Uuid, Path, description = "Id of an upload of the same owner.")),
    responses(
        (status = 200, description = "The photo as kept.", body = Picture, content_type = "image/jpeg"),
        Always, OwnerNeeded, NotFound,
    ),
)]
pub(crate) async fn show(State(api): State<Api>, caller: Caller, Id(id): Id) -> Result<Response, Failure> {
    let owner = caller.known_owner().ok_or_else(Failure::not_signed_in)?;
    Ok(picture(api.casework.upload(&owner, id).await?))
}

/// Take a photo back
///
/// Answers the same where there is none, so that it can be sent again.
#[utoipa::path(
    delete, path = "/api/v1/uploads/{id}", tag = "uploads", security(("bearer" = []), ("visitor" = [])),
    params(("id" = Uuid, Path, description = "Id of an upload of the same owner.")),
    responses((status = 204, description = "It is gone."), Always, OwnerNeeded, NotFound),
)]
pub(crate) async fn discard(
    State(api): State<Api>,
    caller: Caller,
    Id(id): Id,
) -> Result<StatusCode, Failure> {
    let owner = caller.known_owner().ok_or_else(Failure::not_signed_in)?;
    api.casework.drop_upload(&owner, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A photo as an answer.
pub(crate) fn picture(photo: Photo) -> Response {
    let media_type = HeaderValue::from_str(&photo.media_type);
    let media_type = media_type.unwrap_or(HeaderValue::from_static("application/octet-stream"));
    ([(header::CONTENT_TYPE, media_type)], photo.bytes).into_response()
}
