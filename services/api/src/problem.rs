//! How errors leave: problem details after RFC 9457, in the caller's language.
//!
//! Endpoints answer with a [`Failure`], which says what happened and nothing about words. [`answer_problems`] puts
//! it into words, and turns what axum itself refuses (unknown method, body too large) into the same form.

use axum::{
    extract::{Request, State},
    http::{HeaderName, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use futures::FutureExt;
use onetrip_casework::{CaseworkError, Fault, PhotoFault};
use onetrip_http_kit::{FieldError, Prefs, Problem, REQUEST_ID_HEADER, RequestId};
use onetrip_i18n::{Arg, Locale, t_args};
use onetrip_model::Refusal;
use serde_json::Value;
use std::{borrow::Cow, panic::AssertUnwindSafe, time::Duration};
use uuid::Uuid;

/// After how many seconds to try again when the service is unavailable.
const RETRY_AFTER_SECONDS: u64 = 2;

/// What is wrong with one field: the key of its sentence and what goes into it.
#[derive(Clone, Debug)]
struct FieldProblem {
    field: String,
    key: String,
    max: Option<usize>,
}

/// Why a request was not done; becomes a [`Problem`].
#[derive(Clone, Debug)]
pub(crate) struct Failure(Box<Parts>);

#[derive(Clone, Debug)]
struct Parts {
    status: StatusCode,
    /// Last part of the type URI.
    slug: Cow<'static, str>,
    /// Catalogue key of the title.
    title: String,
    detail: Option<String>,
    fields: Vec<FieldProblem>,
    members: Vec<(&'static str, Value)>,
    headers: Vec<(HeaderName, HeaderValue)>,
    /// For the log only.
    cause: Option<String>,
}

impl Failure {
    pub fn new(status: StatusCode, slug: &'static str) -> Failure {
        Failure(Box::new(Parts {
            status,
            slug: Cow::Borrowed(slug),
            title: format!("problem-{slug}"),
            detail: None,
            fields: Vec::new(),
            members: Vec::new(),
            headers: Vec::new(),
            cause: None,
        }))
    }

    pub fn not_signed_in() -> Failure {
        let challenge = HeaderValue::from_static("Bearer realm=\"onetrip\"");
        Failure::new(StatusCode::UNAUTHORIZED, "unauthenticated").header(header::WWW_AUTHENTICATE, challenge)
    }

    pub fn not_found() -> Failure {
        Failure::new(StatusCode::NOT_FOUND, "not-found")
    }

    /// One field that is not in order.
    pub fn field(field: &'static str, fault: Fault) -> Failure {
        Failure::new(StatusCode::UNPROCESSABLE_ENTITY, "validation").and_field(field, fault)
    }

    /// One sentence for each field: the first that was found.
    fn and_field(mut self, field: &str, fault: Fault) -> Failure {
        if self.0.fields.iter().any(|known| known.field == field) {
            return self;
        }
        let key = field_key(field, fault);
        self.0.fields.push(FieldProblem {
            field: field.to_owned(),
            key,
            max: fault.max(),
        });
        self
    }

    pub fn and_field_key(mut self, field: impl Into<String>, key: impl Into<String>) -> Failure {
        self.0.fields.push(FieldProblem {
            field: field.into(),
            key: key.into(),
            max: None,
        });
        self
    }

    /// Words for programmers, about what they sent and nothing else.
    pub fn detail(mut self, detail: impl Into<String>) -> Failure {
        self.0.detail = Some(detail.into());
        self
    }

    fn member(mut self, name: &'static str, value: impl Into<Value>) -> Failure {
        self.0.members.push((name, value.into()));
        self
    }

    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Failure {
        self.0.headers.push((name, value));
        self
    }

    /// Goes to the log and nowhere else.
    fn because(mut self, cause: String) -> Failure {
        self.0.cause = Some(cause);
        self
    }

    fn retry_after(self, seconds: u64) -> Failure {
        self.header(header::RETRY_AFTER, seconds.into())
            .member("retry_after_seconds", seconds)
    }

    fn refused(refusal: &Refusal) -> Failure {
        let sentence = format!("refusal-{}", refusal.code());
        // A plain fault of the input, found by the decision instead of at the edge.
        let is_input = matches!(
            refusal,
            Refusal::Empty { .. }
                | Refusal::TooLong { .. }
                | Refusal::Unknown { .. }
                | Refusal::ScoreOutOfRange
        );
        let failure = if is_input {
            Failure::new(StatusCode::UNPROCESSABLE_ENTITY, "validation")
        } else {
            let mut failure = Failure::new(StatusCode::CONFLICT, "refused");
            failure.0.slug = Cow::Owned(format!("refusal/{}", refusal.code()));
            failure.0.title.clone_from(&sentence);
            failure
        };
        let failure = match refusal.field() {
            Some(field) => failure.and_field_key(field, sentence),
            None => failure,
        };
        match refusal {
            Refusal::AlreadyHeld { kind, held_in } => failure
                .member("kind", kind.as_str())
                .member("held_in", held_in.to_string()),
            Refusal::ObjectionTooLate { until }
            | Refusal::RequestTooLate { until }
            | Refusal::StillWaiting { until }
            | Refusal::WindowOpen { until } => failure.member("until", until.to_rfc3339()),
            Refusal::WindowEnded { ended_at } => failure.member("ended_at", ended_at.to_rfc3339()),
            _ => failure,
        }
    }

    /// What axum refused by itself, known by its status only.
    pub fn of_status(status: StatusCode) -> Failure {
        let slug = match status {
            StatusCode::NOT_FOUND => "not-found",
            StatusCode::METHOD_NOT_ALLOWED => "method-not-allowed",
            StatusCode::PAYLOAD_TOO_LARGE => "too-large",
            StatusCode::UNSUPPORTED_MEDIA_TYPE => "unsupported-media-type",
            StatusCode::UNAUTHORIZED => "unauthenticated",
            StatusCode::FORBIDDEN => "forbidden",
            StatusCode::SERVICE_UNAVAILABLE => "unavailable",
            status if status.is_client_error() => "bad-request",
            _ => "internal",
        };
        Failure::new(status, slug)
    }

    fn into_problem(self, locale: Locale, id: RequestId) -> Problem {
        let parts = *self.0;
        let title = t_args(locale, &parts.title, &[]);
        let mut problem = Problem::new(&parts.slug, parts.status, title).with_request_id(Some(id));
        problem.detail = parts.detail;
        let message = |field: &FieldProblem| {
            let max = Arg::from(field.max.unwrap_or_default());
            t_args(locale, &field.key, &[("max", max)])
        };
        let errors = parts
            .fields
            .iter()
            .map(|field| FieldError::new(&field.field, message(field)));
        problem = problem.with_errors(errors.collect());
        for (name, value) in parts.members {
            problem = problem.with_member(name, value);
        }
        problem
    }
}

/// The sentence that the pages show beside the field, or the plain one for the fault.
fn field_key(field: &str, fault: Fault) -> String {
    let own = match (field, fault) {
        ("words", Fault::Missing) => Some("err-text-empty"),
        ("words", Fault::TooLong { .. }) => Some("err-text-long"),
        ("category", Fault::Missing) => Some("err-category"),
        ("division", Fault::Missing | Fault::Street) => Some("err-street"),
        ("place_words", Fault::TooLong { .. }) => Some("err-place-long"),
        ("name", Fault::TooLong { .. }) => Some("err-name-long"),
        ("phone", Fault::Phone) => Some("err-phone"),
        ("photos", Fault::TooMany { .. }) => Some("err-photo-many"),
        _ => None,
    };
    own.map_or_else(|| format!("err-fault-{}", fault.code()), str::to_owned)
}

impl From<CaseworkError> for Failure {
    fn from(error: CaseworkError) -> Failure {
        match error {
            CaseworkError::NotSignedIn => Failure::not_signed_in(),
            CaseworkError::NotFound => Failure::not_found(),
            CaseworkError::NotAllowed => Failure::new(StatusCode::FORBIDDEN, "forbidden"),
            CaseworkError::Refused(refusal) => Failure::refused(&refusal),
            CaseworkError::Invalid(faults) => faults.iter().fold(
                Failure::new(StatusCode::UNPROCESSABLE_ENTITY, "validation"),
                |failure, fault| failure.and_field(fault.field, fault.fault),
            ),
            CaseworkError::Stale { actual, .. } => {
                let failure = Failure::new(StatusCode::PRECONDITION_FAILED, "conflict");
                let failure = failure.member("newest_version", actual);
                match crate::extract::etag(actual) {
                    Some(tag) => failure.header(header::ETAG, tag),
                    None => failure,
                }
            }
            CaseworkError::KeyReused => {
                Failure::new(StatusCode::UNPROCESSABLE_ENTITY, "idempotency-key-reused")
            }
            CaseworkError::TooManyTries { retry_after_seconds } => {
                Failure::new(StatusCode::TOO_MANY_REQUESTS, "too-many").retry_after(retry_after_seconds)
            }
            CaseworkError::Photo(PhotoFault::TooLarge) => {
                Failure::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large")
                    .and_field_key("body", "err-photo-large")
            }
            CaseworkError::Photo(fault) => {
                let sentence = match fault {
                    PhotoFault::TooMany => "err-fault-too-many-waiting",
                    _ => "err-photo-kind",
                };
                Failure::new(StatusCode::UNPROCESSABLE_ENTITY, "validation").and_field_key("body", sentence)
            }
            CaseworkError::Unavailable(cause) => {
                let failure = Failure::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable");
                failure.retry_after(RETRY_AFTER_SECONDS).because(cause)
            }
            CaseworkError::Internal(cause) => {
                Failure::new(StatusCode::INTERNAL_SERVER_ERROR, "internal").because(cause)
            }
        }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut response = self.0.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// The answer to every path under `/api` that is not in the document.
pub(crate) async fn unknown_path() -> Failure {
    Failure::not_found()
}

/// How long an answer may take.
#[derive(Clone, Copy)]
pub(crate) struct Patience(pub Duration);

/// Middleware: every answer carries the request's id; every error is a problem, a panic and lost patience too.
pub(crate) async fn answer_problems(
    State(Patience(patience)): State<Patience>,
    prefs: Prefs,
    mut request: Request,
    next: Next,
) -> Response {
    let known = request.extensions().get::<RequestId>().copied();
    let id = known.unwrap_or_else(|| RequestId(Uuid::now_v7()));
    request.extensions_mut().insert(id);
    let answering = AssertUnwindSafe(next.run(request)).catch_unwind();
    let mut response = match tokio::time::timeout(patience, answering).await {
        Ok(Ok(response)) => response,
        Err(_) => Failure::from(CaseworkError::Unavailable("it took too long".to_owned())).into_response(),
        // The panic's own words go to the log by the panic hook.
        Ok(Err(_)) => Failure::new(StatusCode::INTERNAL_SERVER_ERROR, "internal")
            .because("panic".to_owned())
            .into_response(),
    };
    let status = response.status();
    if status.is_client_error() || status.is_server_error() {
        let failure = response
            .extensions_mut()
            .remove()
            .unwrap_or_else(|| Failure::of_status(status));
        response = problem(
            failure,
            prefs.locale,
            id,
            response.headers().get(header::ALLOW).cloned(),
        );
    }
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(&id.to_string()) {
        headers.entry(REQUEST_ID_HEADER).or_insert(id);
    }
    // Answers are about persons, so nothing between us and the caller keeps them.
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    headers
        .entry(header::X_CONTENT_TYPE_OPTIONS)
        .or_insert(HeaderValue::from_static("nosniff"));
    response
}

fn problem(mut failure: Failure, locale: Locale, id: RequestId, allow: Option<HeaderValue>) -> Response {
    if let Some(cause) = failure.0.cause.take() {
        let status = failure.0.status.as_u16();
        if failure.0.status == StatusCode::INTERNAL_SERVER_ERROR {
            tracing::error!(request.id = %id, status, cause, "a request failed");
        } else {
            tracing::warn!(request.id = %id, status, cause, "a request could not be served");
        }
    }
    let own_headers = std::mem::take(&mut failure.0.headers);
    let mut response = failure.into_problem(locale, id).into_response();
    let headers = response.headers_mut();
    for (name, value) in own_headers {
        headers.insert(name, value);
    }
    if let Some(allow) = allow {
        headers.insert(header::ALLOW, allow);
    }
    if let Ok(tag) = HeaderValue::from_str(locale.tag()) {
        headers.insert(header::CONTENT_LANGUAGE, tag);
    }
    headers.append(header::VARY, HeaderValue::from_static("accept-language"));
    response
}
