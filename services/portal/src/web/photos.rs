use super::{failure::PageError, frame::Portal, visit::Visit};
use axum::{
    extract::{Path, State},
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use onetrip_casework::{CaseworkError, Photo};
use onetrip_model::CaseNumber;
use uuid::Uuid;

/// A photo, never to be taken for a page and never kept by anybody between us and the browser.
fn shown(photo: Photo) -> Response {
    let mut response = photo.bytes.into_response();
    let headers = response.headers_mut();
    let media_type = HeaderValue::from_str(&photo.media_type);
    headers.insert(
        header::CONTENT_TYPE,
        media_type.unwrap_or(HeaderValue::from_static("application/octet-stream")),
    );
    headers.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("private, no-store"),
    );
    response
}

fn number(text: &str) -> Result<CaseNumber, PageError> {
    text.parse().map_err(|_| CaseworkError::NotFound.into())
}

/// A photo of a form that is still being written, shown to who handed it in.
pub(super) async fn waiting(
    State(portal): State<Portal>,
    visit: Visit,
    Path(id): Path<Uuid>,
) -> Result<Response, PageError> {
    let (owner, _) = visit.owner()?;
    Ok(shown(portal.casework.upload(&owner, id).await?))
}

pub(super) async fn of_own_case(
    visit: Visit,
    Path((digits, id)): Path<(String, Uuid)>,
) -> Result<Response, PageError> {
    let number = number(&digits)?;
    let resident = visit.resident(&number).await?;
    Ok(shown(visit.casework().photo(&resident, &number, id).await?))
}

pub(super) async fn of_case(
    visit: Visit,
    Path((digits, id)): Path<(String, Uuid)>,
) -> Result<Response, PageError> {
    let member = visit.member()?;
    Ok(shown(
        visit.casework().photo(&member, &number(&digits)?, id).await?,
    ))
}
