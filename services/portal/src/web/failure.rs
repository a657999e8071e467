use super::{
    frame::{Portal, bare_ui},
    visit::Visit,
    words,
};
use crate::views::{ErrorKind, ErrorPage, Template};
use axum::{
    extract::{FromRequestParts, Request, State},
    http::{HeaderValue, Method, StatusCode, Uri, header},
    middleware::Next,
    response::{Html, IntoResponse, Redirect, Response},
};
use onetrip_casework::CaseworkError;
use onetrip_http_kit::{Prefs, RequestId};
use std::sync::Arc;

/// A failure that is not a form coming back. It travels in the response until [`draw`] has the words for it.
#[derive(Clone, Debug)]
pub(super) enum PageError {
    Case(Arc<CaseworkError>),
    /// The form's token does not fit.
    FormExpired,
    /// What was sent could not be read.
    Unreadable,
    TooLarge,
}

impl From<CaseworkError> for PageError {
    fn from(error: CaseworkError) -> Self {
        PageError::Case(Arc::new(error))
    }
}

impl PageError {
    fn status(&self) -> StatusCode {
        match self {
            PageError::FormExpired => StatusCode::FORBIDDEN,
            PageError::Unreadable => StatusCode::UNPROCESSABLE_ENTITY,
            PageError::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            PageError::Case(error) => match &**error {
                CaseworkError::NotSignedIn | CaseworkError::NotAllowed => StatusCode::FORBIDDEN,
                CaseworkError::NotFound => StatusCode::NOT_FOUND,
                CaseworkError::Refused(_) | CaseworkError::Stale { .. } | CaseworkError::KeyReused => {
                    StatusCode::CONFLICT
                }
                CaseworkError::Invalid(_) | CaseworkError::Photo(_) => StatusCode::UNPROCESSABLE_ENTITY,
                CaseworkError::TooManyTries { .. } => StatusCode::TOO_MANY_REQUESTS,
                CaseworkError::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
                CaseworkError::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
            },
        }
    }

    fn kind(&self) -> ErrorKind {
        match self {
            PageError::FormExpired => ErrorKind::FormExpired,
            PageError::Unreadable => ErrorKind::Unreadable,
            PageError::TooLarge => ErrorKind::TooLarge,
            PageError::Case(error) => match &**error {
                CaseworkError::NotSignedIn | CaseworkError::NotAllowed => ErrorKind::Forbidden,
                CaseworkError::NotFound => ErrorKind::NotFound,
                CaseworkError::Refused(_) | CaseworkError::Stale { .. } | CaseworkError::KeyReused => {
                    ErrorKind::Refused
                }
                CaseworkError::Invalid(_) | CaseworkError::Photo(_) => ErrorKind::Unreadable,
                CaseworkError::TooManyTries { .. } => ErrorKind::TooMany,
                CaseworkError::Unavailable(_) => ErrorKind::Unavailable,
                CaseworkError::Internal(_) => ErrorKind::Internal,
            },
        }
    }

    /// The address to which somebody who has to show who they are is sent.
    fn way_in(&self, method: &Method, address: &Uri) -> Option<String> {
        let PageError::Case(error) = self else { return None };
        if !matches!(**error, CaseworkError::NotSignedIn) {
            return None;
        }
        if address.path().starts_with("/staff") {
            let back = words::in_query(&way_back(method, address));
            return Some(format!("/staff/sign-in?next={back}"));
        }
        Some("/case".to_owned())
    }
}

/// Where somebody goes on after signing in: the page they asked for, or the one whose form they sent.
fn way_back(method: &Method, address: &Uri) -> String {
    if matches!(*method, Method::GET | Method::HEAD) {
        let asked = address.path_and_query();
        return asked.map_or_else(|| "/staff".to_owned(), ToString::to_string);
    }
    let mut parts = address.path().split('/').skip(2);
    match (parts.next(), parts.next()) {
        (Some("case"), Some(number)) => format!("/staff/case/{number}"),
        (Some("file"), Some(kind)) => format!("/staff/file/{kind}"),
        _ => "/staff".to_owned(),
    }
}

impl IntoResponse for PageError {
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// Any address without a page.
pub(super) async fn not_found() -> PageError {
    CaseworkError::NotFound.into()
}

/// Middleware: turns failures into pages, where language and frame are known. A page that takes too long is one.
pub(super) async fn draw(State(portal): State<Portal>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let id = parts.extensions.get::<RequestId>().copied();
    let (method, address) = (parts.method.clone(), parts.uri.clone());
    let Ok(prefs) = Prefs::from_request_parts(&mut parts, &portal).await;
    let answering = async {
        let visit = Visit::from_request_parts(&mut parts, &portal).await;
        (visit.ok(), next.run(Request::from_parts(parts, body)).await)
    };
    let answered = tokio::time::timeout(portal.patience, answering).await;
    let (visit, mut response) = answered.unwrap_or_else(|_| {
        let late = CaseworkError::Unavailable("it took too long".to_owned());
        (None, PageError::from(late).into_response())
    });
    let Some(error) = response.extensions_mut().remove::<PageError>() else {
        return response;
    };
    if let PageError::Case(cause) = &error
        && matches!(
            **cause,
            CaseworkError::Internal(_) | CaseworkError::Unavailable(_)
        )
    {
        tracing::error!(error = %cause, "a page failed");
    }
    if let Some(address) = error.way_in(&method, &address) {
        return Redirect::to(&address).into_response();
    }
    let detail = match (&error, &visit) {
        (PageError::Case(cause), Some(visit)) => match &**cause {
            CaseworkError::Refused(refusal) => Some(words::refusal(visit, refusal)),
            _ => None,
        },
        _ => None,
    };
    let kept = address
        .path()
        .strip_prefix("/submit/")
        .and_then(|rest| rest.split('/').next());
    let page = ErrorPage {
        kind: error.kind(),
        detail,
        request_id: id.map(|id| id.0.to_string()),
        kept_href: kept
            .filter(|_| error.status().is_server_error())
            .map(|kind| format!("/submit/{kind}/check")),
        ui: match visit {
            Some(visit) => visit.ui(),
            // The database does not even say who is signed in.
            None => bare_ui(&portal, prefs, "/"),
        },
    };
    let mut drawn = (error.status(), Html(page.render().unwrap_or_default())).into_response();
    if error.status() == StatusCode::SERVICE_UNAVAILABLE {
        drawn
            .headers_mut()
            .insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
    }
    drawn
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_signing_in_one_comes_to_a_page_that_is_there() {
        for (method, asked, back) in [
            (
                Method::GET,
                "/staff?scope=area&stage=handling",
                "/staff?scope=area&stage=handling",
            ),
            (
                Method::GET,
                "/staff/case/827155903316?act=result",
                "/staff/case/827155903316?act=result",
            ),
            (
                Method::POST,
                "/staff/case/827155903316/result",
                "/staff/case/827155903316",
            ),
            (Method::POST, "/staff/file/appeal", "/staff/file/appeal"),
            (Method::POST, "/staff/sign-out", "/staff"),
        ] {
            assert_eq!(
                way_back(&method, &Uri::from_static(asked)),
                back,
                "{method} {asked}"
            );
        }
    }
}
