//! A resident's submission, one question a page. What is typed is kept sealed for a day after every step.

use super::{
    failure::PageError,
    form::{Posted, check_size},
    submit_fields::{Draft, asks_what_is_new, city, communities as communities_of, control, streets},
    visit::{Visit, page, see, with_cookie},
    words,
};
use crate::views::{
    AnswerRow, CheckPage, ContactPage, Errors, Kind, NextStep, Photo, SharedChoice, Steps, SubmittedPage, Ui,
    WhatPage, WherePage,
};
use axum::{
    Json,
    extract::{Path, Query},
    http::HeaderValue,
    response::{IntoResponse, Response},
};
use onetrip_casework::{
    CaseworkError, Fault, FieldFault, NAME_CHARS_MAX, PHOTOS_MAX, PLACE_CHARS_MAX, RequestKey,
};
use onetrip_http_kit::FieldError;
use onetrip_model::{CaseNumber, Channel, Refusal, access::Actor, case::WORDS_CHARS_MAX, clocks::ClockKind};
use serde::{Deserialize, Serialize};

pub(super) const TEXT_MAX: u32 = WORDS_CHARS_MAX as u32;
pub(super) const PLACE_MAX: u32 = PLACE_CHARS_MAX as u32;
pub(super) const NAME_MAX: u32 = NAME_CHARS_MAX as u32;

/// One visitor's submission of one kind.
struct Writing {
    visit: Visit,
    kind: Kind,
    owner: String,
    cookie: Option<HeaderValue>,
    draft: Draft,
}

async fn open(visit: Visit, kind: &str) -> Result<Writing, PageError> {
    let kind: Kind = kind
        .parse()
        .map_err(|_| PageError::from(CaseworkError::NotFound))?;
    let (owner, cookie) = visit.owner()?;
    let kept = visit.casework().draft(&owner, words::case_kind(kind)).await?;
    // A draft of an older shape is started anew rather than refused.
    let draft = kept
        .and_then(|kept| serde_json::from_str(&kept).ok())
        .unwrap_or_else(Draft::new);
    Ok(Writing {
        visit,
        kind,
        owner,
        cookie,
        draft,
    })
}

impl Writing {
    async fn keep(&self) -> Result<(), PageError> {
        let draft =
            serde_json::to_string(&self.draft).map_err(|error| CaseworkError::Internal(error.to_string()))?;
        Ok(self
            .visit
            .casework()
            .keep_draft(&self.owner, words::case_kind(self.kind), &draft)
            .await?)
    }

    fn address(&self, step: &str) -> String {
        format!("/submit/{}/{step}", self.kind.slug())
    }

    fn ui(&self, step: &str) -> Ui {
        self.visit.ui_at(&self.address(step))
    }

    fn on_to(self, step: &str) -> Response {
        let address = self.address(step);
        with_cookie(see(&address), self.cookie)
    }

    /// Faults of the whole submission that belong to one step's fields.
    fn faults(&self, fields: &[&str]) -> Errors {
        let new = self.draft.new_case(&city(&self.visit));
        let faults = self
            .visit
            .casework()
            .check_new_case(words::case_kind(self.kind), new);
        self.errors(faults.into_iter().filter(|found| fields.contains(&found.field)))
    }

    fn errors(&self, faults: impl Iterator<Item = FieldFault>) -> Errors {
        let locale = self.visit.locale();
        let error = |found: FieldFault| {
            FieldError::new(
                control(found.field),
                words::fault(locale, found.field, found.fault),
            )
        };
        Errors::once(faults.map(error))
    }

    fn photos(&self, ui: &Ui) -> Vec<Photo> {
        let photo = |(id, n): (&uuid::Uuid, u64)| Photo {
            id: id.to_string(),
            url: format!("/submit/photo/{id}"),
            alt: ui.t1("photo-n", "n", n),
        };
        self.draft.photos.iter().zip(1_u64..).map(photo).collect()
    }

    fn draw_what(self, errors: Errors) -> Result<Response, PageError> {
        let ui = self.ui("what");
        let view = WhatPage {
            errors,
            kind: self.kind,
            steps: Steps::submission(&ui, 1),
            categories: words::categories(self.visit.casework(), self.visit.locale(), &self.draft.category),
            text: self.draft.text.clone(),
            text_max: TEXT_MAX,
            new_fact: self.draft.new_fact.clone(),
            photos: self.photos(&ui),
            photos_max: PHOTOS_MAX as u32,
            ui,
        };
        Ok(with_cookie(page(&view)?, self.cookie))
    }

    fn draw_place(self, errors: Errors) -> Result<Response, PageError> {
        let ui = self.ui("where");
        let view = WherePage {
            errors,
            kind: self.kind,
            steps: Steps::submission(&ui, 2),
            streets: streets(&self.visit, &self.draft.street),
            communities: communities_of(&self.visit, &self.draft.street, &self.draft.community),
            place: self.draft.place.clone(),
            place_max: PLACE_MAX,
            whole_city: self.draft.whole_city,
            ui,
        };
        Ok(with_cookie(page(&view)?, self.cookie))
    }

    fn draw_contact(self, errors: Errors) -> Result<Response, PageError> {
        let ui = self.ui("contact");
        let view = ContactPage {
            errors,
            kind: self.kind,
            steps: Steps::submission(&ui, 3),
            name: self.draft.name.clone(),
            name_max: NAME_MAX,
            phone: self.draft.phone.clone(),
            unnamed: self.draft.unnamed,
            ui,
        };
        Ok(with_cookie(page(&view)?, self.cookie))
    }

    /// Open cases of others that may be the same matter. Where they can not be looked for, filing goes on without.
    async fn like_this(&self) -> Vec<SharedChoice> {
        let (visit, locale) = (&self.visit, self.visit.locale());
        let draft = onetrip_casework::Draft {
            category: self.draft.category.clone(),
            words: self.draft.text.clone(),
            division: self.draft.division(&city(visit)),
            place_words: Some(self.draft.place.clone()),
        };
        let found = visit
            .casework()
            .shared_duplicates(&Actor::Visitor, words::case_kind(self.kind), draft)
            .await;
        let shared = |case: onetrip_casework::SharedCase| SharedChoice {
            category: words::category(locale, &case.category),
            place: words::division_path(visit.casework().directory(), locale, &case.division),
            filed_on: onetrip_i18n::date_long(locale, case.filed_on),
            progress: visit.t(words::progress_key(case.progress)),
            ticket: case.ticket,
        };
        found.unwrap_or_default().into_iter().map(shared).collect()
    }

    async fn draw_check(self, errors: Errors) -> Result<Response, PageError> {
        let like_this = self.like_this().await;
        let ui = self.ui("check");
        let (visit, draft) = (&self.visit, &self.draft);
        let locale = visit.locale();
        let row = |label: &str, value: String, step: &str| AnswerRow {
            label: visit.t(label),
            value,
            change_href: self.address(step),
        };
        let place = words::place(
            visit.casework().directory(),
            locale,
            &draft.division(&city(visit)),
            Some(&draft.place),
        );
        let mut rows = vec![
            row("category-label", words::category(locale, &draft.category), "what"),
            row(
                &format!("what-label-{}", self.kind.slug()),
                draft.text.clone(),
                "what",
            ),
            row("step-where", place, "where"),
        ];
        if let Some(new_fact) = draft.new_fact.as_ref().filter(|words| !words.is_empty()) {
            rows.insert(2, row("new-fact-label", new_fact.clone(), "what"));
        }
        if draft.unnamed {
            rows.push(row("step-contact", visit.t("unnamed-label"), "contact"));
        } else {
            rows.push(row("phone-label", draft.phone.clone(), "contact"));
            if !draft.name.is_empty() {
                rows.push(row("name-label", draft.name.clone(), "contact"));
            }
        }
        let view = CheckPage {
            errors,
            kind: self.kind,
            steps: Steps::submission(&ui, 4),
            rows,
            photos: self.photos(&ui),
            unnamed: draft.unnamed,
            like_this,
            idempotency_key: draft.id.to_string(),
            ui,
        };
        Ok(with_cookie(page(&view)?, self.cookie))
    }

    /// The first step with something missing; None when it can be sent.
    fn unfinished(&self) -> Option<&'static str> {
        let steps: [(&str, &[&str]); 3] = [
            ("what", &WHAT_FIELDS),
            ("where", &PLACE_FIELDS),
            ("contact", &CONTACT_FIELDS),
        ];
        let contact_missing = !self.draft.unnamed && self.draft.phone.is_empty();
        steps
            .into_iter()
            .find(|(step, fields)| !self.faults(fields).is_empty() || (*step == "contact" && contact_missing))
            .map(|(step, _)| step)
    }
}

const WHAT_FIELDS: [&str; 4] = ["category", "words", "new_fact", "photos"];
const PLACE_FIELDS: [&str; 2] = ["division", "place_words"];
const CONTACT_FIELDS: [&str; 2] = ["name", "phone"];

pub(super) async fn start(visit: Visit, Path(kind): Path<String>) -> Result<Response, PageError> {
    Ok(open(visit, &kind).await?.on_to("what"))
}

pub(super) async fn what(visit: Visit, Path(kind): Path<String>) -> Result<Response, PageError> {
    open(visit, &kind).await?.draw_what(Errors::default())
}

pub(super) async fn post_what(
    visit: Visit,
    Path(kind): Path<String>,
    posted: Posted,
) -> Result<Response, PageError> {
    let mut writing = open(visit, &kind).await?;
    writing.draft.read_what(&posted);
    let mut errors = Errors::default();
    if let Some(id) = posted.get("act").strip_prefix("remove:")
        && let Ok(id) = id.parse()
    {
        writing.draft.photos.retain(|photo| *photo != id);
        writing.visit.casework().drop_upload(&writing.owner, id).await?;
    }
    for file in posted.files("photo") {
        let taken = if writing.draft.photos.len() >= PHOTOS_MAX {
            Err(CaseworkError::Invalid(vec![FieldFault {
                field: "photos",
                fault: Fault::TooMany { max: PHOTOS_MAX },
            }]))
        } else if let Err(error) = check_size(file) {
            Err(error)
        } else {
            writing
                .visit
                .casework()
                .take_photo(&writing.owner, file.to_vec())
                .await
        };
        match taken {
            Ok(upload) => writing.draft.photos.push(upload.id),
            Err(CaseworkError::Photo(fault)) => {
                errors.0.push(FieldError::new(
                    "photo",
                    words::photo_fault(writing.visit.locale(), fault),
                ));
            }
            Err(CaseworkError::Invalid(faults)) => {
                errors.0.extend(writing.errors(faults.into_iter()).0);
            }
            Err(error) => return Err(error.into()),
        }
    }
    writing.keep().await?;
    if posted.is("act", "next") {
        errors.0.splice(0..0, writing.faults(&WHAT_FIELDS).0);
        if errors.is_empty() {
            return Ok(writing.on_to("where"));
        }
    }
    writing.draw_what(errors)
}

pub(super) async fn place(visit: Visit, Path(kind): Path<String>) -> Result<Response, PageError> {
    open(visit, &kind).await?.draw_place(Errors::default())
}

pub(super) async fn post_place(
    visit: Visit,
    Path(kind): Path<String>,
    posted: Posted,
) -> Result<Response, PageError> {
    let mut writing = open(visit, &kind).await?;
    writing.draft.read_place(&posted);
    writing.keep().await?;
    if posted.is("act", "communities") {
        return writing.draw_place(Errors::default());
    }
    let errors = writing.faults(&PLACE_FIELDS);
    if errors.is_empty() {
        Ok(writing.on_to("contact"))
    } else {
        writing.draw_place(errors)
    }
}

#[derive(Deserialize)]
pub(super) struct StreetQuery {
    #[serde(default)]
    street: String,
}

#[derive(Serialize)]
struct Community {
    code: String,
    name: String,
}

/// The communities of a street, for the script that spares a round trip.
pub(super) async fn communities(visit: Visit, Query(query): Query<StreetQuery>) -> Response {
    let found = communities_of(&visit, &query.street, "");
    let named = found.into_iter().map(|choice| Community {
        code: choice.value,
        name: choice.label,
    });
    Json(named.collect::<Vec<_>>()).into_response()
}

pub(super) async fn contact(visit: Visit, Path(kind): Path<String>) -> Result<Response, PageError> {
    open(visit, &kind).await?.draw_contact(Errors::default())
}

pub(super) async fn post_contact(
    visit: Visit,
    Path(kind): Path<String>,
    posted: Posted,
) -> Result<Response, PageError> {
    let mut writing = open(visit, &kind).await?;
    writing.draft.read_contact(&posted);
    writing.keep().await?;
    let mut errors = writing.faults(&CONTACT_FIELDS);
    if !writing.draft.unnamed && writing.draft.phone.is_empty() {
        errors
            .0
            .push(FieldError::new("phone", writing.visit.t("err-phone-empty")));
    }
    if errors.is_empty() {
        Ok(writing.on_to("check"))
    } else {
        writing.draw_contact(errors)
    }
}

pub(super) async fn check(visit: Visit, Path(kind): Path<String>) -> Result<Response, PageError> {
    let writing = open(visit, &kind).await?;
    match writing.unfinished() {
        Some(step) => Ok(writing.on_to(step)),
        None => writing.draw_check(Errors::default()).await,
    }
}

pub(super) async fn post_check(
    visit: Visit,
    Path(kind): Path<String>,
    posted: Posted,
) -> Result<Response, PageError> {
    let mut writing = open(visit, &kind).await?;
    let key: String = posted.get("idempotency_key").chars().take(64).collect();
    let request = RequestKey {
        actor: writing.owner.clone(),
        key: format!("submission:{key}"),
        body_hash: [0; 32],
    };
    let kind = words::case_kind(writing.kind);
    // The draft is gone after the first send: a second tap, a reload or "back and send" finds the first answer.
    let sent_before = key != writing.draft.id.to_string();
    let new = if sent_before {
        Default::default()
    } else {
        onetrip_casework::NewCase {
            with: posted.optional("with"),
            ..writing.draft.new_case(&city(&writing.visit))
        }
    };
    let submitted = writing
        .visit
        .casework()
        .submit(
            &Actor::Visitor,
            kind,
            new,
            Channel::Portal,
            &writing.owner,
            &request,
        )
        .await;
    let submitted = match submitted {
        Ok(submitted) => submitted,
        Err(CaseworkError::Invalid(_)) if sent_before => return Ok(writing.on_to("check")),
        Err(CaseworkError::Invalid(faults)) => {
            let errors = writing.errors(faults.into_iter());
            return writing.draw_check(errors).await;
        }
        Err(CaseworkError::Refused(Refusal::FinallyReviewed)) => {
            let error = asks_what_is_new(&writing.visit, &mut writing.draft);
            writing.keep().await?;
            return writing.draw_what(Errors(vec![error]));
        }
        Err(error) => return Err(error.into()),
    };
    let casework = writing.visit.casework();
    casework.drop_draft(&writing.owner, kind).await?;
    // Where the read models are late all the same, the confirmation says that the rest will follow.
    casework.settle(submitted.cursor).await;
    let digits = submitted.number.digits();
    Ok(match &submitted.secret {
        Some(secret) => {
            let follow = writing.visit.follow_cookie(&submitted.number, secret);
            with_cookie(see(&format!("/submitted/{digits}")), Some(follow))
        }
        None => see(&format!("/submitted/{digits}?joined={}", writing.kind.slug())),
    })
}

#[derive(Deserialize)]
pub(super) struct SubmittedQuery {
    joined: Option<String>,
}

/// The confirmation. Needs number and secret, but for a joined case, where it says nothing but the number.
pub(super) async fn submitted(
    visit: Visit,
    Path(digits): Path<String>,
    Query(query): Query<SubmittedQuery>,
) -> Result<Response, PageError> {
    let number: CaseNumber = digits
        .parse()
        .map_err(|_| PageError::from(CaseworkError::NotFound))?;
    let rating_days = visit.casework().rules().policy.rating.days;
    let bare = SubmittedPage {
        ui: visit.ui(),
        number: number.to_string(),
        secret: None,
        joined: false,
        with_another: false,
        late: false,
        office: String::new(),
        next: Vec::new(),
        rating_days,
    };
    if query.joined.is_some_and(|kind| kind.parse::<Kind>().is_ok()) {
        return page(&SubmittedPage { joined: true, ..bare });
    }
    let resident = match visit.resident(&number).await {
        Ok(resident) => resident,
        // A bookmark opened later: number and secret lead back to the case.
        Err(_) => return Ok(see(&format!("/case?number={}", number.digits()))),
    };
    let Actor::Resident { case, .. } = &resident else {
        return Err(CaseworkError::NotSignedIn.into());
    };
    let secret = Some(visit.casework().secret(&resident, *case)?.to_string());
    let case = match visit.casework().case(&resident, &number).await {
        Ok(case) => case,
        // Filed it is, since number and secret fit, but no read model shows it yet.
        Err(CaseworkError::NotFound) => {
            return page(&SubmittedPage {
                secret,
                late: true,
                ..bare
            });
        }
        Err(error) => return Err(error.into()),
    };
    let directory = visit.casework().directory();
    let office = words::unit(directory, visit.locale(), case.file.filed.stage.unit().as_str());
    page(&SubmittedPage {
        secret,
        with_another: case.file.filed.is_merged(),
        office,
        next: next_steps(&visit, &case),
        ..bare
    })
}

/// What happens next and by when: the very deadlines of the case.
fn next_steps(visit: &Visit, case: &onetrip_casework::CaseView) -> Vec<NextStep> {
    let filed = &case.file.filed;
    let mut steps = Vec::new();
    if let Some(receipt) = filed.clocks.running(ClockKind::Receipt) {
        steps.push(NextStep {
            what: visit.t("next-receipt"),
            by: Some(receipt.deadline.due_at),
        });
    }
    match filed.due_at(ClockKind::Contact) {
        Some(due_at) => steps.push(NextStep {
            what: visit.t("next-contact"),
            by: Some(due_at),
        }),
        None => steps.push(NextStep {
            what: visit.t("next-contact-unnamed"),
            by: None,
        }),
    }
    steps.push(NextStep {
        what: visit.t("next-result"),
        by: filed.result_clock().map(|clock| clock.deadline.due_at),
    });
    steps
}
