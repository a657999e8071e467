//! What a resident does with a case: answer, rate, reopen, add, withdraw.

use super::{
    failure::PageError,
    form::{Posted, check_size},
    resident::{Typed, case_page},
    visit::{Visit, page, see},
    words,
};
use axum::{body::Bytes, extract::Path, http::StatusCode, response::Response};
use onetrip_casework::{ActInput, CaseworkError, Fault, FieldFault};
use onetrip_model::{CaseNumber, Channel, access::Actor, case::Verdict};
use std::collections::BTreeMap;
use uuid::Uuid;

/// A form on the resident's page: its name begins the ids of its fields.
struct OwnForm<'a> {
    visit: &'a Visit,
    number: CaseNumber,
    resident: Actor,
    posted: &'a Posted,
    name: &'static str,
    done: &'static str,
    photo_field: &'static str,
}

impl OwnForm<'_> {
    /// Photos of the form, taken in. They wait for a day if the act is refused.
    async fn take(&self, files: impl Iterator<Item = &Bytes>) -> Result<Vec<Uuid>, CaseworkError> {
        let owner = self.owner();
        let mut photos = Vec::new();
        for file in files {
            check_size(file)?;
            photos.push(self.visit.casework().take_photo(&owner, file.to_vec()).await?.id);
        }
        Ok(photos)
    }

    /// Whoever shows number and secret of a case shares its uploads.
    fn owner(&self) -> String {
        self.visit.casework().owner_of_case(&self.number)
    }

    /// Acts, then goes back to the case; a form that can be mended comes back with what was typed.
    async fn run(self, input: Result<ActInput, CaseworkError>) -> Result<Response, PageError> {
        let owner = self.owner();
        let request = self
            .posted
            .request(&owner, &format!("/case/{}/{}", self.number.digits(), self.name))?;
        let acted = match input {
            Ok(input) => {
                self.visit
                    .casework()
                    .act(
                        &self.resident,
                        &self.number,
                        input,
                        Channel::Portal,
                        &owner,
                        None,
                        Some(&request),
                    )
                    .await
            }
            Err(error) => Err(error),
        };
        let error = match acted {
            Ok(acted) => {
                let shown = match acted.cursor {
                    Some(cursor) => self.visit.casework().settle(cursor).await,
                    None => true,
                };
                let done = if shown { self.done } else { "pending" };
                return Ok(see(&format!("/case/{}?done={done}", self.number.digits())));
            }
            Err(error) => error,
        };
        let name = self.name;
        let control = |field: &str| match field {
            "photos" => self.photo_field.to_owned(),
            field => format!("{name}-{field}"),
        };
        let Some(errors) = words::errors(self.visit, &error, self.photo_field, control) else {
            return Err(error.into());
        };
        let case = self.visit.casework().case(&self.resident, &self.number).await?;
        let values: BTreeMap<String, String> = self
            .posted
            .typed()
            .map(|(field, value)| {
                let field = field
                    .strip_prefix("item_")
                    .and_then(|item| item.strip_suffix("_words"))
                    .unwrap_or(field);
                (format!("{name}-{field}"), value.to_owned())
            })
            .collect();
        let refused = errors.has("");
        let mut response = page(&case_page(self.visit, &case, &Typed { errors, values }))?;
        if refused {
            *response.status_mut() = StatusCode::CONFLICT;
        }
        Ok(response)
    }
}

async fn open<'a>(
    visit: &'a Visit,
    digits: &str,
    posted: &'a Posted,
    name: &'static str,
    done: &'static str,
    photo_field: &'static str,
) -> Result<OwnForm<'a>, PageError> {
    let number: CaseNumber = digits
        .parse()
        .map_err(|_| PageError::from(CaseworkError::NotFound))?;
    let resident = visit.resident(&number).await?;
    Ok(OwnForm {
        visit,
        number,
        resident,
        posted,
        name,
        done,
        photo_field,
    })
}

pub(super) async fn materials(
    visit: Visit,
    Path(digits): Path<String>,
    posted: Posted,
) -> Result<Response, PageError> {
    let form = open(
        &visit,
        &digits,
        &posted,
        "materials",
        "materials",
        "materials-words",
    )
    .await?;
    // A paper counts as handed over when something was written or photographed for it.
    let mut handed_over = Vec::new();
    let mut told = Vec::new();
    let policy = &visit.casework().rules().policy;
    for material in &policy.materials {
        let words = posted.text(&format!("item_{}_words", material.id));
        let photo = format!("item_{}_photo", material.id);
        if !words.is_empty() || posted.files(&photo).next().is_some() {
            handed_over.push(material.id.clone());
        }
        if !words.is_empty() {
            told.push(format!(
                "{}{}{words}",
                visit.t(&format!("material-{}", material.id.replace('_', "-"))),
                words::colon(visit.locale())
            ));
        }
    }
    told.extend(posted.optional("words"));
    let input = form
        .take(posted.files_where(|name| name.starts_with("item_")))
        .await
        .map(|photos| ActInput::AnswerRequest {
            handed_over,
            words: told.join("\n"),
            photos,
        });
    form.run(input).await
}

pub(super) async fn rate(
    visit: Visit,
    Path(digits): Path<String>,
    posted: Posted,
) -> Result<Response, PageError> {
    let form = open(&visit, &digits, &posted, "rate", "rated", "rate-reason").await?;
    let verdict = Verdict::ALL
        .into_iter()
        .find(|verdict| verdict.as_str() == posted.get("verdict"));
    let score = posted
        .get("score")
        .parse::<u8>()
        .ok()
        .filter(|score| (1..=5).contains(score));
    let done = if verdict == Some(Verdict::NotSolved) {
        "reopened"
    } else {
        "rated"
    };
    let input = match (verdict, score) {
        (Some(verdict), Some(score)) => Ok(ActInput::Rate {
            verdict,
            score,
            reason: posted.optional("reason"),
        }),
        (verdict, score) => {
            let missing = [("verdict", verdict.is_none()), ("score", score.is_none())];
            let faults = missing.into_iter().filter(|(_, missing)| *missing);
            let faults = faults.map(|(field, _)| FieldFault {
                field,
                fault: Fault::Missing,
            });
            Err(CaseworkError::Invalid(faults.collect()))
        }
    };
    OwnForm { done, ..form }.run(input).await
}

/// An act that is nothing but its reason.
async fn with_reason(
    visit: &Visit,
    digits: &str,
    posted: &Posted,
    [name, done, field]: [&'static str; 3],
    act: impl FnOnce(String) -> ActInput,
) -> Result<Response, PageError> {
    let form = open(visit, digits, posted, name, done, field).await?;
    form.run(Ok(act(posted.text("reason")))).await
}

pub(super) async fn reopen(
    visit: Visit,
    Path(digits): Path<String>,
    posted: Posted,
) -> Result<Response, PageError> {
    let names = ["reopen", "reopened", "reopen-reason"];
    with_reason(&visit, &digits, &posted, names, |reason| ActInput::Reopen {
        reason,
    })
    .await
}

pub(super) async fn review(
    visit: Visit,
    Path(digits): Path<String>,
    posted: Posted,
) -> Result<Response, PageError> {
    let names = ["review", "review-asked", "review-reason"];
    with_reason(&visit, &digits, &posted, names, |reason| ActInput::AskReview {
        reason,
    })
    .await
}

pub(super) async fn withdraw(
    visit: Visit,
    Path(digits): Path<String>,
    posted: Posted,
) -> Result<Response, PageError> {
    let names = ["withdraw", "withdrawn", "withdraw-reason"];
    with_reason(&visit, &digits, &posted, names, |reason| ActInput::Withdraw {
        reason,
    })
    .await
}

pub(super) async fn supplement(
    visit: Visit,
    Path(digits): Path<String>,
    posted: Posted,
) -> Result<Response, PageError> {
    let form = open(
        &visit,
        &digits,
        &posted,
        "supplement",
        "supplement",
        "supplement-words",
    )
    .await?;
    let words = posted.text("words");
    let input = form
        .take(posted.files("photo"))
        .await
        .map(|photos| ActInput::AddSupplement { words, photos });
    form.run(input).await
}
