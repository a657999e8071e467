//! A clerk files for somebody at the counter, on one page, and hands over number and secret.

use super::{
    failure::PageError,
    form::{Posted, check_size},
    staff_acts::{kept_photos, waiting},
    submit::{NAME_MAX, PLACE_MAX, TEXT_MAX},
    submit_fields::{Draft, asks_what_is_new, city, communities, control, streets},
    visit::{Visit, page},
    words,
};
use crate::views::{Errors, FilePage, FiledPage, Kind};
use axum::{extract::Path, http::StatusCode, response::Response};
use onetrip_casework::{CaseworkError, FieldFault, PHOTOS_MAX};
use onetrip_http_kit::FieldError;
use onetrip_model::{
    Channel, Refusal,
    access::{Act, authorize},
};
use uuid::Uuid;

fn kind_of(kind: &str) -> Result<Kind, PageError> {
    kind.parse().map_err(|_| CaseworkError::NotFound.into())
}

pub(super) async fn page_of(
    visit: &Visit,
    kind: Kind,
    draft: &Draft,
    errors: Errors,
) -> Result<Response, PageError> {
    let ui = visit.ui_at(&format!("/staff/file/{}", kind.slug()));
    let view = FilePage {
        photos: waiting(&ui, &draft.photos),
        ui,
        errors,
        kind,
        kinds: Kind::ALL,
        idempotency_key: draft.id.to_string(),
        categories: words::categories(visit.casework(), visit.locale(), &draft.category),
        text: draft.text.clone(),
        text_max: TEXT_MAX,
        new_fact: draft.new_fact.clone(),
        streets: streets(visit, &draft.street),
        communities: communities(visit, &draft.street, &draft.community),
        place: draft.place.clone(),
        place_max: PLACE_MAX,
        whole_city: draft.whole_city,
        name: draft.name.clone(),
        name_max: NAME_MAX,
        phone: draft.phone.clone(),
        unnamed: draft.unnamed,
        photos_max: PHOTOS_MAX as u32,
    };
    page(&view)
}

pub(super) async fn show(visit: Visit, Path(kind): Path<String>) -> Result<Response, PageError> {
    let member = visit.member()?;
    let kind = kind_of(&kind)?;
    authorize(&member, Act::FileForResident, None).map_err(CaseworkError::from)?;
    let mut draft = Draft::new();
    // Most people at a street's counter come about that street.
    if let Some(staff) = member.staff() {
        draft.street = staff.area.as_str().to_owned();
    }
    page_of(&visit, kind, &draft, Errors::default()).await
}

pub(super) async fn post(
    visit: Visit,
    Path(kind): Path<String>,
    posted: Posted,
) -> Result<Response, PageError> {
    let member = visit.member()?;
    let kind = kind_of(&kind)?;
    authorize(&member, Act::FileForResident, None).map_err(CaseworkError::from)?;
    let (owner, _) = visit.owner()?;
    let mut draft = Draft::new();
    draft.id = posted
        .get("idempotency_key")
        .parse()
        .unwrap_or_else(|_| Uuid::new_v4());
    draft.read_what(&posted);
    draft.read_place(&posted);
    draft.read_contact(&posted);
    draft.photos = kept_photos(&visit, &owner, &posted, "kept_photo").await?;
    let mut errors = Errors::default();
    for file in posted.files("photo") {
        let taken = match check_size(file) {
            Ok(()) => visit.casework().take_photo(&owner, file.to_vec()).await,
            Err(error) => Err(error),
        };
        match taken {
            Ok(upload) => draft.photos.push(upload.id),
            Err(CaseworkError::Photo(fault)) => {
                errors.0.push(FieldError::new(
                    "photo",
                    words::photo_fault(visit.locale(), fault),
                ));
            }
            Err(error) => return Err(error.into()),
        }
    }
    if posted.is("act", "communities") {
        return page_of(&visit, kind, &draft, errors).await;
    }
    let locale = visit.locale();
    let field_error = |found: FieldFault| {
        FieldError::new(
            control(found.field),
            words::fault(locale, found.field, found.fault),
        )
    };
    let case_kind = words::case_kind(kind);
    let new = draft.new_case(&city(&visit));
    let faults = visit.casework().check_new_case(case_kind, new);
    let mut errors = Errors::once(faults.into_iter().map(field_error).chain(errors.0));
    if !draft.unnamed && draft.phone.is_empty() {
        errors
            .0
            .push(FieldError::new("phone", visit.t("err-file-phone-empty")));
    }
    if errors.is_empty() {
        let new = draft.new_case(&city(&visit));
        let address = format!("/staff/file/{}", kind.slug());
        let request = posted.request(&owner, &address)?;
        let submitted = visit
            .casework()
            .submit(&member, case_kind, new, Channel::Counter, &owner, &request)
            .await;
        match submitted {
            Ok(submitted) => {
                // The way to the case leads somewhere only once the read models show it.
                visit.casework().settle(submitted.cursor).await;
                // Drawn here and not at an address of its own, which would have to be able to tell the secret again.
                // Sent again by a reload, the form gets the same answer.
                return page(&FiledPage {
                    ui: visit.ui_at(&address),
                    number: submitted.number.to_string(),
                    secret: submitted.secret.map(|secret| secret.to_string()),
                    case_href: format!("/staff/case/{}", submitted.number.digits()),
                    file_href: address,
                });
            }
            Err(CaseworkError::Invalid(faults)) => {
                errors = Errors::once(faults.into_iter().map(field_error));
            }
            Err(CaseworkError::Refused(Refusal::FinallyReviewed)) => {
                errors.0.push(asks_what_is_new(&visit, &mut draft));
            }
            Err(error) => return Err(error.into()),
        }
    }
    let mut response = page_of(&visit, kind, &draft, errors).await?;
    *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    Ok(response)
}
