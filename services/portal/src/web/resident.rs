//! Following a case by number and secret.

use super::{
    failure::PageError,
    form::Posted,
    home,
    visit::{Visit, page, see, with_cookie},
    words::{self, Side},
};
use crate::views::{
    Errors, LookupPage, MaterialRow, MaterialsForm, RateForm, ReopenForm, ResidentCasePage, ReviewForm,
    TripView,
};
use axum::{
    Json,
    extract::{Path, Query},
    http::header,
    response::{IntoResponse, Response},
};
use onetrip_casework::{CaseView, CaseworkError, Secret};
use onetrip_http_kit::FieldError;
use onetrip_model::{
    CaseFact, CaseNumber,
    access::Act,
    case::{ReviewLevel, Stage},
    clocks::ClockKind,
};
use serde::Deserialize;
use std::collections::BTreeMap;
use uuid::Uuid;

#[derive(Deserialize)]
pub(super) struct LookupQuery {
    #[serde(default)]
    number: String,
}

pub(super) async fn lookup(visit: Visit, Query(query): Query<LookupQuery>) -> Result<Response, PageError> {
    let number = query
        .number
        .parse::<CaseNumber>()
        .map_or(String::new(), |number| number.to_string());
    page(&LookupPage {
        ui: visit.ui(),
        errors: Errors::default(),
        number,
    })
}

pub(super) async fn post_lookup(visit: Visit, posted: Posted) -> Result<Response, PageError> {
    let (typed, secret) = (posted.text("number"), posted.text("secret"));
    let mut errors = Errors::default();
    let mut fault = |field: &str, key: &str| errors.0.push(FieldError::new(field, visit.t(key)));
    let number = typed.parse::<CaseNumber>().ok();
    if number.is_none() {
        fault("number", "err-number");
    }
    if secret.is_empty() {
        fault("secret", "err-secret-empty");
    }
    if let (Some(number), false) = (number, secret.is_empty()) {
        let secret = Secret::parse(&secret);
        match visit.casework().resident(&number, &secret).await {
            Ok(_) => {
                let follow = visit.follow_cookie(&number, &secret);
                return Ok(with_cookie(
                    see(&format!("/case/{}", number.digits())),
                    Some(follow),
                ));
            }
            Err(CaseworkError::NotFound) => fault("number", "err-lookup"),
            Err(error) => return Err(error.into()),
        }
    }
    if posted.is("from", "home") {
        return page(&home::home_page(&visit, errors, typed));
    }
    page(&LookupPage {
        ui: visit.ui_at("/case"),
        errors,
        number: typed,
    })
}

pub(super) async fn leave(visit: Visit, _posted: Posted) -> Result<Response, PageError> {
    let gone = visit.unfollow_cookie();
    Ok(with_cookie(see("/"), Some(gone)))
}

#[derive(Deserialize)]
pub(super) struct CaseQuery {
    #[serde(default)]
    done: String,
}

pub(super) async fn case(
    visit: Visit,
    Path(digits): Path<String>,
    Query(query): Query<CaseQuery>,
) -> Result<Response, PageError> {
    let number: CaseNumber = digits
        .parse()
        .map_err(|_| PageError::from(CaseworkError::NotFound))?;
    let resident = visit.resident(&number).await?;
    let case = visit.casework().case(&resident, &number).await?;
    let mut view = case_page(&visit, &case, &Typed::default());
    view.ui.path = format!("/case/{}", number.digits());
    view.done = said(&visit, &query.done);
    page(&view)
}

/// The proof that the case was filed, as a file to keep.
pub(super) async fn receipt(visit: Visit, Path(digits): Path<String>) -> Result<Response, PageError> {
    let number: CaseNumber = digits
        .parse()
        .map_err(|_| PageError::from(CaseworkError::NotFound))?;
    let resident = visit.resident(&number).await?;
    let receipt = visit.casework().receipt(&resident, &number).await?;
    let headers = [
        (
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"onetrip-receipt-{number}.json\""),
        ),
        (header::CACHE_CONTROL, "private, no-store".to_owned()),
    ];
    Ok((headers, Json(receipt)).into_response())
}

/// The sentence for what has just been done; anything else in the address says nothing.
fn said(visit: &Visit, done: &str) -> Option<String> {
    [
        "supplement",
        "materials",
        "rated",
        "reopened",
        "review-asked",
        "withdrawn",
        "pending",
    ]
    .contains(&done)
    .then(|| visit.t(&format!("done-{done}")))
}

/// What was typed into a form of the page that came back.
#[derive(Default)]
pub(super) struct Typed {
    pub errors: Errors,
    /// Fields by the name of their form and their own: `rate-reason`.
    pub values: BTreeMap<String, String>,
}

impl Typed {
    fn of(&self, id: &str) -> String {
        self.values.get(id).cloned().unwrap_or_default()
    }

    /// What was written into the form whose fields begin so, without what was chosen.
    fn texts(&self, form: &str) -> impl Iterator<Item = String> {
        let written = move |id: &str| id.starts_with(form) && !["rate-verdict", "rate-score"].contains(&id);
        let values = self.values.iter();
        let written = values.filter(move |(id, text)| written(id) && !text.is_empty());
        written.map(|(_, text)| text.clone())
    }
}

pub(super) fn case_page(visit: &Visit, case: &CaseView, typed: &Typed) -> ResidentCasePage {
    let (locale, directory) = (visit.locale(), visit.casework().directory());
    let ui = visit.ui_at(&format!("/case/{}", case.number.digits()));
    let filed = &case.file.filed;
    let now = ui.now;
    let allowed = |act| case.allowed.contains(&act);
    let (status, tone) = words::status(locale, filed.stage.name(), filed.rounds);
    let place_words = case.place_words.as_ref().map(|place| words::text(locale, place));
    let submission_photos: Vec<Uuid> = case.file.attachments.iter().map(|photo| photo.id).collect();
    let trip = case
        .happenings
        .iter()
        .rev()
        .find_map(|happening| match &happening.fact {
            CaseFact::TripAsked { .. }
                if !filed.stage.has_ended() && case.file.outcome.resulted_at.is_none() =>
            {
                let of = |name: &str| {
                    happening
                        .texts
                        .iter()
                        .find(|(field, _)| field == name)
                        .map(|(_, text)| words::text(locale, text))
                };
                let (to_place, reason) = (of("to_place")?, of("reason")?);
                Some(TripView {
                    to_place,
                    reason,
                    at: happening.at,
                })
            }
            _ => None,
        });
    let materials = match &filed.stage {
        Stage::AwaitingResident { request, .. } if allowed(Act::AnswerRequest) => Some(MaterialsForm {
            items: request
                .kinds
                .iter()
                .map(|kind| material(visit, case, kind, typed))
                .collect(),
            until: filed.due_at(ClockKind::Materials).unwrap_or(request.asked_at),
            words: typed.of("materials-words"),
        }),
        _ => None,
    };
    let until = filed.verdict_until().filter(|until| now <= *until);
    let rate = match (&filed.stage, until) {
        (Stage::ResultGiven { .. }, Some(until)) if allowed(Act::Rate) => Some(RateForm {
            verdict: typed.of("rate-verdict"),
            score: typed.of("rate-score").parse().unwrap_or(0),
            reason: typed.of("rate-reason"),
            until,
        }),
        _ => None,
    };
    let reopen = match (&filed.stage, until) {
        (Stage::Closed { .. }, Some(until)) if allowed(Act::Reopen) && filed.may_reopen() => {
            Some(ReopenForm {
                reason: typed.of("reopen-reason"),
                until,
            })
        }
        _ => None,
    };
    let review = filed
        .review_window()
        .filter(|(_, until)| now <= *until && allowed(Act::AskReview))
        .map(|(level, until)| {
            let policy = &visit.casework().rules().policy;
            let (title, text, policy) = match level {
                ReviewLevel::Review => ("review-title", "review-text", &policy.review),
                ReviewLevel::FinalReview => ("final-review-title", "final-review-text", &policy.final_review),
            };
            ReviewForm {
                days: policy.decide_days,
                title,
                text,
                reason: typed.of("review-reason"),
                until,
            }
        });
    let open = !filed.stage.has_ended();
    let (may_supplement, may_withdraw) = (
        open && allowed(Act::AddSupplement),
        open && allowed(Act::Withdraw),
    );
    let shown = [
        ("materials-", materials.is_some()),
        ("rate-", rate.is_some()),
        ("reopen-", reopen.is_some()),
        ("review-", review.is_some()),
        ("supplement-", may_supplement),
        ("withdraw-", may_withdraw),
    ];
    let unsent = shown.iter().filter(|(_, shown)| !shown);
    let unsent = unsent.flat_map(|(form, _)| typed.texts(form)).collect();
    ResidentCasePage {
        errors: typed.errors.clone(),
        number: case.number.to_string(),
        idempotency_key: Uuid::new_v4().to_string(),
        kind: words::kind(filed.kind),
        category: words::category(locale, &filed.category),
        place: words::place(directory, locale, filed.division.as_str(), place_words.as_deref()),
        words: words::text(locale, &case.words),
        photos: words::photos(&ui, Side::Resident, &case.number, &submission_photos),
        status,
        tone,
        holder: words::holder_told(directory, locale, &filed.stage),
        dues: words::clocks(locale, case),
        result: words::result(visit, &ui, Side::Resident, case),
        rating: words::rating(visit, case),
        trip,
        timeline: words::timeline(visit, &ui, Side::Resident, case),
        ledger: words::ledger_told(locale, &case.ledger, case),
        materials,
        rate,
        reopen,
        review,
        held: words::held(directory, locale, filed, now, Side::Resident),
        may_supplement,
        may_withdraw,
        supplement_words: typed.of("supplement-words"),
        withdraw_reason: typed.of("withdraw-reason"),
        unsent,
        done: None,
        ui,
    }
}

fn material(visit: &Visit, case: &CaseView, kind: &str, typed: &Typed) -> MaterialRow {
    let locale = visit.locale();
    let field = format!("item:{kind}");
    let told = case
        .happenings
        .iter()
        .rev()
        .find(|happening| matches!(happening.fact, CaseFact::MaterialsRequested { .. }))
        .and_then(|happening| happening.texts.iter().find(|(name, _)| *name == field));
    MaterialRow {
        id: kind.to_owned(),
        label: visit.t(&format!("material-{}", kind.replace('_', "-"))),
        words: told.map(|(_, text)| words::text(locale, text)),
        typed: typed.of(&format!("materials-{kind}")),
    }
}
