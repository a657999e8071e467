//! Problem details after RFC 9457: the one shape of every error a program may read.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use onetrip_i18n::{Locale, t};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::RequestId;

/// What is wrong with one field, in words a person can act on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldError {
    /// The name of the field in the form or the body.
    pub field: String,
    /// A whole sentence, the same one the page shows beside the field.
    pub message: String,
}

impl FieldError {
    pub fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            message: message.into(),
        }
    }
}

/// An error as it leaves the service. Holds only what the caller may know; causes belong in the log.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Problem {
    /// Stable: `urn:onetrip:problem:<slug>`.
    #[serde(rename = "type")]
    pub type_uri: String,
    /// The kind of problem, in the caller's language.
    pub title: String,
    #[serde(serialize_with = "status_number")]
    pub status: StatusCode,
    /// What happened this time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
    /// Finds the log lines of this request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// Further members, for example the number of the case that stood in the way.
    #[serde(flatten)]
    pub ext: Map<String, Value>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn status_number<S: serde::Serializer>(status: &StatusCode, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u16(status.as_u16())
}

impl Problem {
    /// A problem with a title given in full.
    pub fn new(slug: &str, status: StatusCode, title: impl Into<String>) -> Self {
        Self {
            type_uri: format!("urn:onetrip:problem:{slug}"),
            title: title.into(),
            status,
            detail: None,
            errors: Vec::new(),
            request_id: None,
            ext: Map::new(),
        }
    }

    /// A problem whose title is the catalogue's `problem-<slug>`.
    pub fn localized(locale: Locale, slug: &str, status: StatusCode) -> Self {
        Self::new(slug, status, t(locale, &format!("problem-{slug}")))
    }

    pub fn with_detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    pub fn with_errors(mut self, errors: Vec<FieldError>) -> Self {
        self.errors = errors;
        self
    }

    pub fn with_request_id(mut self, id: Option<RequestId>) -> Self {
        self.request_id = id.map(|id| id.to_string());
        self
    }

    /// Adds a member. The names the standard uses are ours already and are left as they are.
    pub fn with_member(mut self, name: &str, value: impl Into<Value>) -> Self {
        const TAKEN: [&str; 6] = ["type", "title", "status", "detail", "errors", "request_id"];
        if !TAKEN.contains(&name) {
            self.ext.insert(name.to_owned(), value.into());
        }
        self
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = self.status;
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let mut response = (status, body).into_response();
        response.headers_mut().insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        response.extensions_mut().insert(self);
        response
    }
}
