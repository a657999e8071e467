use super::{
    failure::PageError,
    form::Posted,
    visit::{SESSION, Visit, page, see, with_cookie},
    words,
};
use crate::views::{Errors, SignInPage};
use axum::{extract::Query, http::StatusCode, response::Response};
use onetrip_casework::{CaseworkError, Fault};
use onetrip_http_kit::FieldError;
use serde::Deserialize;

#[derive(Deserialize)]
pub(super) struct SignInQuery {
    #[serde(default)]
    next: String,
}

/// An address of ours under `/staff`, whatever was asked for.
fn safe(next: &str) -> &str {
    let inside = next == "/staff" || next.starts_with("/staff/") || next.starts_with("/staff?");
    if inside && !next.contains(['\\', '\r', '\n']) {
        next
    } else {
        "/staff"
    }
}

fn draw(visit: &Visit, errors: Errors, login: String, next: &str) -> Result<Response, PageError> {
    let next = safe(next);
    let ui = visit.ui_at(&format!("/staff/sign-in?next={}", words::in_query(next)));
    page(&SignInPage {
        ui,
        errors,
        login,
        next: next.to_owned(),
    })
}

pub(super) async fn show(visit: Visit, Query(query): Query<SignInQuery>) -> Result<Response, PageError> {
    if visit.staff.is_some() {
        return Ok(see(safe(&query.next)));
    }
    draw(&visit, Errors::default(), String::new(), &query.next)
}

pub(super) async fn post(visit: Visit, posted: Posted) -> Result<Response, PageError> {
    let login = posted.text("login");
    // Spaces around a password belong to it; those around one copied from a page don't.
    let password = posted.get("password").to_owned();
    let next = posted.text("next");
    match visit.casework().sign_in(&login, &password).await {
        Ok(token) => Ok(with_cookie(see(safe(&next)), Some(visit.cookie(SESSION, token)))),
        Err(CaseworkError::NotSignedIn) => {
            let errors = Errors(vec![FieldError::new("login", visit.t("err-sign-in"))]);
            let mut response = draw(&visit, errors, login, &next)?;
            *response.status_mut() = StatusCode::FORBIDDEN;
            Ok(response)
        }
        Err(CaseworkError::Invalid(faults)) => {
            let errors = faults.into_iter().map(|found| {
                let field = if found.field == "sign_in" {
                    "login"
                } else {
                    found.field
                };
                let key = if found.fault == Fault::Missing {
                    "err-fill-in"
                } else {
                    "err-sign-in"
                };
                FieldError::new(field, visit.t(key))
            });
            let mut response = draw(&visit, Errors(errors.collect()), login, &next)?;
            *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
            Ok(response)
        }
        Err(error) => Err(error.into()),
    }
}

pub(super) async fn sign_out(visit: Visit, _posted: Posted) -> Result<Response, PageError> {
    if let Some(token) = visit.session_token() {
        visit.casework().sign_out(&token).await?;
    }
    Ok(with_cookie(see("/staff/sign-in"), Some(visit.removal(SESSION))))
}
