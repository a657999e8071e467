//! What staff do with a case. A stale version shows what changed and what was typed; nothing typed is lost.

use super::{
    failure::PageError,
    form::{Posted, check_size},
    staff_case::case_page,
    visit::{Visit, page, see},
    words,
};
use crate::views::{ConflictPage, Photo, TypedField, TypedValues, Ui, waiting_photos};
use axum::{body::Bytes, extract::Path, http::StatusCode, response::Response};
use onetrip_casework::{ActInput, CaseworkError, Fault, FieldFault, MaterialInput, PromiseInput};
use onetrip_model::{
    CaseNumber, Channel,
    access::Actor,
    case::{FollowUpKind, LawPause, ReviewDecision, RunOnceLimit},
};
use std::collections::BTreeMap;
use uuid::Uuid;

pub(super) async fn post(
    visit: Visit,
    Path((digits, act)): Path<(String, String)>,
    posted: Posted,
) -> Result<Response, PageError> {
    let member = visit.member()?;
    let number: CaseNumber = digits
        .parse()
        .map_err(|_| PageError::from(CaseworkError::NotFound))?;
    let (owner, _) = visit.owner()?;
    // Other forms have no photos.
    let (photos, fault) = match act.as_str() {
        "result" | "keep-promise" => take(&visit, &owner, &posted).await?,
        _ => (Photos::default(), None),
    };
    let input = fault.map_or_else(|| read(&act, &posted, &photos), Err);
    let version = posted.get("version").parse::<u64>().ok();
    let request = posted.request(&owner, &format!("/staff/case/{}/{act}", number.digits()))?;
    let acted = match input {
        Ok(input) => {
            visit
                .casework()
                .act(
                    &member,
                    &number,
                    input,
                    Channel::Staff,
                    &owner,
                    version,
                    Some(&request),
                )
                .await
        }
        Err(error) => Err(error),
    };
    match acted {
        Ok(acted) => {
            let shown = match acted.cursor {
                Some(cursor) => visit.casework().settle(cursor).await,
                None => true,
            };
            let done = if shown { act.as_str() } else { "pending" };
            after(&visit, &member, &number, done).await
        }
        Err(CaseworkError::Stale { expected, .. }) => {
            conflict(&visit, &member, &number, &act, &posted, &photos, expected).await
        }
        Err(error) => come_back(&visit, &member, &number, &act, &posted, &photos, error).await,
    }
}

/// Back to the case; or to the queue, where the act has taken the case out of this person's sight.
async fn after(
    visit: &Visit,
    member: &Actor,
    number: &CaseNumber,
    done: &str,
) -> Result<Response, PageError> {
    match visit.casework().case(member, number).await {
        Err(CaseworkError::NotFound) => Ok(see("/staff")),
        _ => Ok(see(&format!("/staff/case/{}?done={done}", number.digits()))),
    }
}

fn missing(fields: &[(&'static str, bool)]) -> Result<(), CaseworkError> {
    let faults = fields.iter().filter(|(_, missing)| *missing);
    let faults: Vec<FieldFault> = faults
        .map(|(field, _)| FieldFault {
            field,
            fault: Fault::Missing,
        })
        .collect();
    if faults.is_empty() {
        Ok(())
    } else {
        Err(CaseworkError::Invalid(faults))
    }
}

/// Ids of the fields in which a form that comes back names its photos.
const KEPT: &str = "kept_photo";
const KEPT_AFTER: &str = "kept_after_photo";

/// Photos of a form: the ones that an earlier try has taken in, and the new ones. They wait for a day, so that a form
/// that comes back only has to name them.
#[derive(Default)]
struct Photos {
    evidence: Vec<Uuid>,
    after: Option<Uuid>,
}

/// The photos of the form, and what is wrong with the first that could not be taken in.
async fn take(
    visit: &Visit,
    owner: &str,
    posted: &Posted,
) -> Result<(Photos, Option<CaseworkError>), CaseworkError> {
    let mut photos = Photos {
        evidence: kept_photos(visit, owner, posted, KEPT).await?,
        after: kept_photos(visit, owner, posted, KEPT_AFTER).await?.pop(),
    };
    let take = async |file: &Bytes| {
        check_size(file)?;
        Ok(visit.casework().take_photo(owner, file.to_vec()).await?.id)
    };
    let mut fault = None;
    if let Some(file) = posted.files("after_photo").next() {
        match take(file).await {
            Ok(id) => photos.after = Some(id),
            Err(error) => fault = Some(error),
        }
    }
    for file in posted.files("evidence") {
        match take(file).await {
            Ok(id) => photos.evidence.push(id),
            Err(error) => {
                fault.get_or_insert(error);
            }
        }
    }
    Ok((photos, fault))
}

/// The photos that a form names as taken in before, as far as they still wait.
pub(super) async fn kept_photos(
    visit: &Visit,
    owner: &str,
    posted: &Posted,
    field: &str,
) -> Result<Vec<Uuid>, CaseworkError> {
    let named = posted.all(field);
    if named.is_empty() {
        return Ok(Vec::new());
    }
    let named: Vec<Uuid> = named.iter().filter_map(|id| id.parse().ok()).collect();
    let waiting = visit.casework().uploads(owner).await?.into_iter();
    Ok(waiting
        .map(|upload| upload.id)
        .filter(|id| named.contains(id))
        .collect())
}

/// The act that a form asks for. An address that names no act is not there.
fn read(act: &str, posted: &Posted, photos: &Photos) -> Result<ActInput, CaseworkError> {
    let reason = || posted.text("reason");
    Ok(match act {
        "accept" => ActInput::Accept {},
        "decline" => match posted.get("next_owner") {
            "" => {
                return Err(missing(&[("next_owner", true), ("reason", reason().is_empty())])
                    .err()
                    .unwrap_or(CaseworkError::NotFound));
            }
            "outside" => {
                missing(&[
                    ("outside", posted.get("outside").is_empty()),
                    ("reason", reason().is_empty()),
                ])?;
                ActInput::Decline {
                    next_unit: None,
                    outside: posted.optional("outside"),
                    reason: reason(),
                }
            }
            unit => ActInput::Decline {
                next_unit: Some(unit.to_owned()),
                outside: None,
                reason: reason(),
            },
        },
        "assign" => {
            missing(&[("unit", posted.get("unit").is_empty())])?;
            ActInput::Assign {
                unit: posted.text("unit"),
                contact_cadre: posted.get("contact_cadre").parse().ok(),
            }
        }
        "follow-up" => {
            let kind = match posted.get("kind") {
                "contact" => Some(FollowUpKind::Contact),
                "progress" => Some(FollowUpKind::Progress),
                "call_back" => Some(FollowUpKind::CallBack),
                _ => None,
            };
            let reached = posted.get("reached");
            // Looking at how the handling goes reaches nobody.
            let no_answer = reached.is_empty() && kind != Some(FollowUpKind::Progress);
            missing(&[("kind", kind.is_none()), ("reached", no_answer)])?;
            let kind = kind.unwrap_or(FollowUpKind::Progress);
            ActInput::FollowUp {
                kind,
                reached: reached == "yes",
                words: posted.text("words"),
            }
        }
        "materials" => {
            let item = |kind: String| MaterialInput {
                words: posted.optional(&format!("words_{kind}")),
                kind,
            };
            ActInput::RequestMaterials {
                items: posted.all("items").into_iter().map(item).collect(),
            }
        }
        "trip" => ActInput::AskTrip {
            to_place: posted.text("to_place"),
            reason: reason(),
        },
        "waive" => {
            let limit = RunOnceLimit::ALL
                .into_iter()
                .find(|limit| limit.as_str() == posted.get("limit"));
            missing(&[("limit", limit.is_none())])?;
            ActInput::WaiveLimit {
                limit: limit.unwrap_or(RunOnceLimit::Trip),
                reason: reason(),
            }
        }
        "hand-over" => {
            missing(&[("unit", posted.get("unit").is_empty())])?;
            ActInput::OfferHandOver {
                to: posted.text("unit"),
                reason: reason(),
            }
        }
        "take-over" => ActInput::TakeOver {},
        "return" | "take-back" => ActInput::ReturnHandOver { reason: reason() },
        "result" => {
            missing(&[("words", posted.get("words").is_empty())])?;
            ActInput::GiveResult {
                words: posted.text("words"),
                photos: photos.evidence.clone(),
                after_photo: photos.after,
                why_no_photo: posted.optional("why_no_photo"),
                promise: promise(posted)?,
            }
        }
        "close" => ActInput::CloseUnrated {},
        "law-pause" => {
            let kind = match posted.get("kind") {
                "hearing" => Some(LawPause::Hearing),
                "expert" => Some(LawPause::Expert),
                _ => None,
            };
            missing(&[("kind", kind.is_none())])?;
            ActInput::BeginLawPause {
                kind: kind.unwrap_or(LawPause::Hearing),
                notice: posted.text("notice"),
            }
        }
        "law-pause-end" => ActInput::EndLawPause {},
        "extend" => {
            let days = posted.get("days").trim().parse().ok();
            missing(&[("days", days.is_none())])?;
            ActInput::ExtendLegalLimit {
                days: days.unwrap_or_default(),
                reason: reason(),
            }
        }
        "joint" => ActInput::OrderJointHandling {
            units: posted.all("units"),
            reason: reason(),
        },
        "contribute" => ActInput::Contribute {
            words: posted.text("words"),
        },
        "keep-promise" => ActInput::KeepPromise {
            words: posted.text("words"),
            photos: photos.evidence.clone(),
        },
        "own-rating" => ActInput::OwnRating {},
        "decide-review" => {
            let decision = ReviewDecision::ALL
                .into_iter()
                .find(|decision| decision.as_str() == posted.get("decision"));
            missing(&[("decision", decision.is_none())])?;
            ActInput::DecideReview {
                decision: decision.unwrap_or(ReviewDecision::Upheld),
                words: posted.text("words"),
            }
        }
        "merge" => ActInput::Merge {
            into: posted.text("into"),
            reason: reason(),
        },
        "unmerge" => ActInput::Unmerge { reason: reason() },
        "urge" => ActInput::Urge {
            words: posted.text("words"),
        },
        _ => return Err(CaseworkError::NotFound),
    })
}

/// What a result promises and by when; one without the other is no promise.
fn promise(posted: &Posted) -> Result<Option<PromiseInput>, CaseworkError> {
    let by = posted.get("promise_by").trim();
    match (posted.optional("promise"), by.is_empty()) {
        (None, true) => Ok(None),
        (words, _) => {
            let by = by.parse().ok();
            missing(&[("promise", words.is_none()), ("promise_by", by.is_none())])?;
            Ok(words.zip(by).map(|(words, by)| PromiseInput { words, by }))
        }
    }
}

/// What was typed, by the ids of the controls, and the photos that wait.
fn typed_values(act: &str, posted: &Posted, photos: &Photos) -> TypedValues {
    let mut values = BTreeMap::new();
    let kept = |id: &Uuid| id.to_string();
    let evidence: Vec<String> = photos.evidence.iter().map(kept).collect();
    values.insert(format!("{act}-{KEPT}"), evidence.join(","));
    let after = photos.after.as_ref().map(kept).unwrap_or_default();
    values.insert(format!("{act}-{KEPT_AFTER}"), after);
    for (field, value) in posted.typed().filter(is_no_photo) {
        let id = match field.strip_prefix("words_") {
            Some(kind) => format!("{act}-words-{kind}"),
            None => format!("{act}-{field}"),
        };
        values
            .entry(id)
            .and_modify(|several: &mut String| {
                several.push(',');
                several.push_str(value);
            })
            .or_insert_with(|| value.to_owned());
    }
    TypedValues(values)
}

/// The ids of kept photos are no text to be shown or edited.
fn is_no_photo((field, _): &(&str, &str)) -> bool {
    ![KEPT, KEPT_AFTER].contains(field)
}

async fn come_back(
    visit: &Visit,
    member: &Actor,
    number: &CaseNumber,
    act: &str,
    posted: &Posted,
    photos: &Photos,
    error: CaseworkError,
) -> Result<Response, PageError> {
    let control = |field: &str| match (act, field) {
        ("decline", "next_unit") => "decline-next_owner".to_owned(),
        ("decline", "next_owner") if posted.get("next_owner") == "outside" => "decline-outside".to_owned(),
        ("hand-over", "to") => "hand-over-unit".to_owned(),
        ("result" | "keep-promise", "photos") => format!("{act}-evidence"),
        _ => format!("{act}-{field}"),
    };
    let photo_field = match act {
        "result" | "keep-promise" => format!("{act}-evidence"),
        _ => "photo".to_owned(),
    };
    let Some(errors) = words::errors(visit, &error, &photo_field, control) else {
        return Err(error.into());
    };
    let case = visit.casework().case(member, number).await?;
    let view = case_page(
        visit,
        &case,
        errors,
        typed_values(act, posted, photos),
        Some(act.to_owned()),
    );
    let status = if view.errors.has("") {
        StatusCode::CONFLICT
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    };
    let mut response = page(&view)?;
    *response.status_mut() = status;
    Ok(response)
}

/// Somebody else changed the case meanwhile: both texts, and the way to send it all the same.
async fn conflict(
    visit: &Visit,
    member: &Actor,
    number: &CaseNumber,
    act: &str,
    posted: &Posted,
    photos: &Photos,
    expected: u64,
) -> Result<Response, PageError> {
    let case = visit.casework().case(member, number).await?;
    let case_href = format!("/staff/case/{}", number.digits());
    let ui = visit.ui_at(&case_href);
    let field = |(name, value): (&str, &str)| {
        const TEXTS: [&str; 7] = [
            "reason",
            "words",
            "outside",
            "to_place",
            "why_no_photo",
            "notice",
            "promise",
        ];
        let words = TEXTS.contains(&name) || name.starts_with("words_");
        TypedField {
            name: name.to_owned(),
            label: label(visit, act, name),
            value: value.to_owned(),
            shown: (!words).then(|| shown(visit, value)),
        }
    };
    let view = ConflictPage {
        number: number.to_string(),
        action: format!("{case_href}/{act}"),
        version: case.file.version,
        idempotency_key: Uuid::new_v4().to_string(),
        act_label: visit.t(&format!("act-{act}")),
        changed: words::since(visit, &ui, &case, expected),
        typed: posted
            .typed()
            .filter(is_no_photo)
            .filter(|(_, value)| !value.is_empty())
            .map(field)
            .collect(),
        kept: waiting(&ui, &photos.evidence),
        kept_after: waiting(&ui, photos.after.as_slice()),
        case_href,
        ui,
    };
    let mut response = page(&view)?;
    *response.status_mut() = StatusCode::CONFLICT;
    Ok(response)
}

/// Waiting photos as a form shows them.
pub(super) fn waiting(ui: &Ui, ids: &[Uuid]) -> Vec<Photo> {
    let ids: Vec<String> = ids.iter().map(Uuid::to_string).collect();
    waiting_photos(ui, ids.iter().map(String::as_str))
}

/// The label of a field on the form it was typed into.
fn label(visit: &Visit, act: &str, name: &str) -> String {
    let key = match (act, name) {
        ("decline", "next_owner") => "field-next-owner",
        ("decline", "outside") => "field-outside",
        ("decline", "reason") => "field-decline-reason",
        ("assign", "contact_cadre") => "field-cadre",
        ("assign", "unit") => "field-unit",
        ("follow-up", "kind") => "field-follow-up-kind",
        ("follow-up", "reached") => "field-reached",
        ("follow-up", _) => "field-follow-up-words",
        ("materials", _) => "field-materials",
        ("trip", "to_place") => "field-trip-place",
        ("trip", _) => "field-trip-reason",
        ("waive", "limit") => "field-limit",
        ("waive", _) => "field-waive-reason",
        ("hand-over", "unit") => "field-hand-over-unit",
        ("result", "why_no_photo") => "field-why-no-photo",
        ("result", "promise") => "field-promise",
        ("result", "promise_by") => "field-promise-by",
        ("result", _) => "field-result-words",
        ("law-pause", "kind") => "field-law-pause-kind",
        ("law-pause", _) => "field-notice",
        ("extend", "days") => "field-days",
        ("joint", "units") => "field-joint-units",
        ("contribute", _) => "field-contribute-words",
        ("keep-promise", _) => "field-kept-words",
        ("decide-review", "decision") => "field-decision",
        ("decide-review", _) => "field-decision-words",
        ("merge", "into") => "field-merge-into",
        ("urge", _) => "field-urge-words",
        _ => "field-reason",
    };
    visit.t(key)
}

/// What a chosen value means to a reader.
fn shown(visit: &Visit, value: &str) -> String {
    let (directory, locale) = (visit.casework().directory(), visit.locale());
    if directory.unit(value).is_some() {
        return words::unit(directory, locale, value);
    }
    if let Some(staff) = value
        .parse()
        .ok()
        .and_then(|id| directory.staff(onetrip_model::StaffId(id)))
    {
        return words::pick(locale, staff.name, staff.name_en);
    }
    let dashed = value.replace('_', "-");
    [
        "material",
        "follow-up",
        "waive",
        "field-reached",
        "field-next-owner",
        "law-pause",
        "decision",
    ]
    .into_iter()
    .map(|family| format!("{family}-{dashed}"))
    .find(|key| onetrip_i18n::has(locale, key))
    .map_or_else(|| value.to_owned(), |key| visit.t(&key))
}
