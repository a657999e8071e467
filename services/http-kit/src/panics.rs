//! A panic ends one request, not the connection, and tells the caller nothing about our insides.

use std::{panic::AssertUnwindSafe, sync::Arc};

use axum::{
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header},
    middleware::Next,
    response::{Html, IntoResponse, Response},
};
use futures::FutureExt as _;

use crate::{CookiePolicy, Prefs, Problem, RequestId, prefs};

/// All that a page about a failure may say.
#[derive(Debug, Clone)]
pub struct FailureDetails {
    pub prefs: Prefs,
    pub status: StatusCode,
    pub request_id: Option<RequestId>,
}

/// Draws the HTML of a failure.
#[derive(Clone)]
pub struct FailurePage {
    render: Arc<dyn Fn(&FailureDetails) -> String + Send + Sync>,
    cookies: CookiePolicy,
}

impl FailurePage {
    pub fn new(
        cookies: CookiePolicy,
        render: impl Fn(&FailureDetails) -> String + Send + Sync + 'static,
    ) -> Self {
        Self {
            render: Arc::new(render),
            cookies,
        }
    }

    /// A page for callers that ask for HTML, a problem for the rest.
    pub fn respond(&self, headers: &HeaderMap, details: &FailureDetails, slug: &str) -> Response {
        if wants_html(headers) {
            (details.status, Html((self.render)(details))).into_response()
        } else {
            Problem::localized(details.prefs.locale, slug, details.status)
                .with_request_id(details.request_id)
                .into_response()
        }
    }
}

fn wants_html(headers: &HeaderMap) -> bool {
    headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|accept| accept.contains("text/html"))
}

/// Middleware: turns a panic into a plain 500. The panic's own words go to the log only, by the panic hook.
pub async fn catch_panics(State(page): State<FailurePage>, request: Request, next: Next) -> Response {
    let headers = request.headers().clone();
    let request_id = request.extensions().get::<RequestId>().copied();
    match AssertUnwindSafe(next.run(request)).catch_unwind().await {
        Ok(response) => response,
        Err(_) => {
            tracing::error!("an endpoint panicked");
            // The preferences layer lies further in, so its finding is lost with the request.
            let prefs = prefs::from_headers(&headers, page.cookies);
            let details = FailureDetails {
                prefs,
                status: StatusCode::INTERNAL_SERVER_ERROR,
                request_id,
            };
            page.respond(&headers, &details, "internal")
        }
    }
}
