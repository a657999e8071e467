//! A clerk files for somebody at the counter or on the phone, on one page.

use super::{
    failure::PageError,
    form::{Posted, check_size},
    submit::{NAME_MAX, PLACE_MAX, TEXT_MAX},
    submit_fields::{Draft, city, communities, control, streets},
    visit::{Visit, page, see, with_cookie},
    words,
};
use crate::views::{Choice, Errors, FilePage, Kind};
use axum::{extract::Path, http::StatusCode, response::Response};
use onetrip_casework::{CaseworkError, FieldFault, PHOTOS_MAX};
use onetrip_http_kit::FieldError;
use onetrip_model::{
    Channel,
    access::{Act, authorize},
};
use uuid::Uuid;

const CHANNELS: [&str; 3] = ["counter", "phone", "visit"];

fn kind_of(kind: &str) -> Result<Kind, PageError> {
    kind.parse().map_err(|_| CaseworkError::NotFound.into())
}

pub(super) async fn page_of(
    visit: &Visit,
    kind: Kind,
    draft: &Draft,
    channel: &str,
    errors: Errors,
) -> Result<Response, PageError> {
    let view = FilePage {
        ui: visit.ui_at(&format!("/staff/file/{}", kind.slug())),
        errors,
        kind,
        kinds: Kind::ALL,
        idempotency_key: draft.id.to_string(),
        channels: CHANNELS
            .into_iter()
            .map(|name| Choice::new(name, visit.t(&format!("channel-{name}")), name == channel))
            .collect(),
        categories: words::categories(visit.casework(), visit.locale(), &draft.category),
        text: draft.text.clone(),
        text_max: TEXT_MAX,
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
    page_of(&visit, kind, &draft, CHANNELS[0], Errors::default()).await
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
    let channel = posted.get("channel").to_owned();
    if posted.is("act", "communities") {
        return page_of(&visit, kind, &draft, &channel, Errors::default()).await;
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
    let mut errors = Errors::once(faults.into_iter().map(field_error));
    if !draft.unnamed && draft.phone.is_empty() {
        errors
            .0
            .push(FieldError::new("phone", visit.t("err-phone-empty")));
    }
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
    if errors.is_empty() {
        let new = draft.new_case(&city(&visit));
        let request = posted.request(&owner, &format!("/staff/file/{}", kind.slug()))?;
        let submitted = visit
            .casework()
            .submit(&member, case_kind, new, Channel::Counter, &owner, &request)
            .await;
        match submitted {
            Ok(submitted) => {
                visit.casework().settle(submitted.cursor).await?;
                let digits = submitted.number.digits();
                return Ok(match &submitted.secret {
                    Some(secret) => {
                        let follow = visit.follow_cookie(&submitted.number, secret);
                        with_cookie(see(&format!("/submitted/{digits}")), Some(follow))
                    }
                    None => see(&format!("/submitted/{digits}?joined={}", kind.slug())),
                });
            }
            Err(CaseworkError::Invalid(faults)) => {
                errors = Errors::once(faults.into_iter().map(field_error));
            }
            Err(error) => return Err(error.into()),
        }
    }
    let mut response = page_of(&visit, kind, &draft, &channel, errors).await?;
    *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    Ok(response)
}
