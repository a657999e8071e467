//! What endpoints take from a request: bodies, queries, numbers, versions and idempotency keys.

use crate::problem::Failure;
use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Path, Query, Request},
    http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts},
    response::IntoResponse,
};
use chrono::{DateTime, Datelike, Utc};
use onetrip_casework::RequestKey;
use onetrip_http_kit::Cursor;
use onetrip_model::CaseNumber;
use serde::de::DeserializeOwned;
use serde_json::Value;
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// Longest idempotency key, in characters.
pub(crate) const KEY_CHARS_MAX: usize = 255;
/// Longest part of a message about a body that is sent back, in characters.
const DETAIL_CHARS_MAX: usize = 300;

/// A JSON body, read strictly, beside its bytes in canonical form.
pub(crate) struct Input<T> {
    pub value: T,
    body: Value,
}

impl<T> Input<T> {
    /// What makes a retry of this request recognizable. `path` is the path with every number in one spelling.
    pub fn request_key(&self, actor: String, key: IdempotencyKey, path: &str) -> RequestKey {
        let mut hash = Sha256::new();
        hash.update(b"POST\n");
        hash.update(path.as_bytes());
        hash.update(b"\n");
        hash.update(canonical(&self.body).as_bytes());
        RequestKey {
            actor,
            key: key.0,
            body_hash: hash.finalize().into(),
        }
    }
}

/// JSON without spaces, members in the order of their names.
fn canonical(value: &Value) -> String {
    match value {
        Value::Array(items) => format!("[{}]", items.iter().map(canonical).collect::<Vec<_>>().join(",")),
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_unstable_by_key(|(name, _)| *name);
            let written = members
                .into_iter()
                .map(|(name, value)| format!("{}:{}", Value::from(&**name), canonical(value)));
            format!("{{{}}}", written.collect::<Vec<_>>().join(","))
        }
        plain => plain.to_string(),
    }
}

/// PostgreSQL keeps every character but this one.
fn has_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(has_nul),
        Value::Object(members) => members
            .iter()
            .any(|(name, value)| name.contains('\0') || has_nul(value)),
        _ => false,
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let Some(media_type) = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
    else {
        return false;
    };
    let essence = media_type
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"))
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Input<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failure> {
        if !is_json(request.headers()) {
            let failure = Failure::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type");
            return Err(failure.detail("Send application/json."));
        }
        read(&body(request, state).await?)
    }
}

/// The whole body, up to the limit of the route.
pub(crate) async fn body<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, Failure> {
    let bytes = Bytes::from_request(request, state).await;
    bytes.map_err(|rejection| Failure::of_status(rejection.into_response().status()))
}

fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<Input<T>, Failure> {
    let bad_json = || Failure::new(StatusCode::BAD_REQUEST, "bad-json");
    let body: Value = serde_json::from_slice(bytes).map_err(|error| bad_json().detail(error.to_string()))?;
    if has_nul(&body) {
        return Err(bad_json().detail("The character U+0000 cannot be stored."));
    }
    // From the bytes and not from the value, in which a member given twice would be lost.
    let value = serde_json::from_slice(bytes).map_err(|error| wrong_shape(&error))?;
    Ok(Input { value, body })
}

/// Well-formed JSON that is not what the endpoint takes: names the member at fault where serde does.
fn wrong_shape(error: &serde_json::Error) -> Failure {
    let words = error.to_string();
    let (field, sentence) = ["missing field `", "unknown field `", "duplicate field `"]
        .into_iter()
        .find_map(|opening| {
            let field = words.strip_prefix(opening)?.split('`').next()?.to_owned();
            let sentence = if opening.starts_with("missing") {
                "err-fault-missing"
            } else {
                "err-fault-unknown-field"
            };
            Some((field, sentence))
        })
        .unwrap_or_else(|| ("body".to_owned(), "err-fault-shape"));
    let short = |text: &str| text.chars().take(DETAIL_CHARS_MAX).collect::<String>();
    Failure::new(StatusCode::UNPROCESSABLE_ENTITY, "validation")
        .detail(short(&words))
        .and_field_key(short(&field), sentence)
}

/// The query of an address, read strictly: an unknown parameter is an error and not ignored.
pub(crate) struct Params<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Params<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Failure> {
        match Query::<T>::try_from_uri(&parts.uri) {
            Ok(Query(value)) => Ok(Params(value)),
            Err(error) => Err(bad_query().detail(
                error
                    .to_string()
                    .chars()
                    .take(DETAIL_CHARS_MAX)
                    .collect::<String>(),
            )),
        }
    }
}

pub(crate) fn bad_query() -> Failure {
    Failure::new(StatusCode::BAD_REQUEST, "bad-query")
}

/// Codes in queries go to the database as they are; these characters are in none.
pub(crate) fn checked_code(name: &str, code: Option<String>) -> Result<Option<String>, Failure> {
    match code {
        Some(code)
            if code.is_empty() || code.len() > CODE_BYTES_MAX || code.chars().any(char::is_control) =>
        {
            Err(bad_query().detail(format!("{name}: not a code")))
        }
        code => Ok(code),
    }
}

const CODE_BYTES_MAX: usize = 64;

/// The rows asked for; a number outside of the bounds is an error and not moved.
pub(crate) fn limit(limit: Option<u32>) -> Result<u32, Failure> {
    use onetrip_http_kit::PageQuery;
    match limit.unwrap_or(PageQuery::LIMIT_DEFAULT) {
        limit @ 1..=PageQuery::LIMIT_MAX => Ok(limit),
        _ => Err(bad_query().detail("limit: 1 to 100")),
    }
}

/// Where a page starts.
pub(crate) fn after<K: DeserializeOwned>(after: Option<&str>) -> Result<Option<K>, Failure> {
    let cursor = after.map(Cursor::<K>::decode).transpose();
    cursor
        .map(|cursor| cursor.map(|Cursor(key)| key))
        .map_err(|_| bad_query().detail("after: not a cursor of this list"))
}

/// An instant of a cursor that the database can hold.
pub(crate) fn checked_instant(at: DateTime<Utc>) -> Result<DateTime<Utc>, Failure> {
    if (1..=9999).contains(&at.year()) {
        Ok(at)
    } else {
        Err(bad_query().detail("after: not a cursor of this list"))
    }
}

/// The case number in a path. One that is none is a case that is not there.
pub(crate) struct Number(pub CaseNumber);

impl<S: Send + Sync> FromRequestParts<S> for Number {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let Path(segments) = segments(parts, state).await?;
        let number = segments
            .iter()
            .find(|(name, _)| name == "number")
            .and_then(|(_, text)| text.parse().ok());
        number.map(Number).ok_or_else(Failure::not_found)
    }
}

/// The identifier in a path. One that is none is a thing that is not there.
pub(crate) struct Id(pub Uuid);

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let Path(segments) = segments(parts, state).await?;
        let id = segments
            .iter()
            .find(|(name, _)| name == "id")
            .and_then(|(_, text)| text.parse().ok());
        id.map(Id).ok_or_else(Failure::not_found)
    }
}

async fn segments<S: Send + Sync>(
    parts: &mut Parts,
    state: &S,
) -> Result<Path<Vec<(String, String)>>, Failure> {
    Path::from_request_parts(parts, state)
        .await
        .map_err(|_| Failure::not_found())
}

/// The value of a header that is there once at most.
fn single<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a HeaderValue>, ()> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (first, None) => Ok(first),
        _ => Err(()),
    }
}

/// The `Idempotency-Key`: makes sending a request again safe.
pub(crate) struct IdempotencyKey(pub String);

impl<S: Send + Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Failure> {
        let malformed = || Failure::new(StatusCode::BAD_REQUEST, "idempotency-key-malformed");
        let value = single(&parts.headers, "idempotency-key").map_err(|()| malformed())?;
        let missing = || Failure::new(StatusCode::BAD_REQUEST, "idempotency-key-missing");
        let key = value
            .ok_or_else(missing)?
            .to_str()
            .map_err(|_| malformed())?
            .trim();
        match key.len() {
            0 => Err(missing()),
            1..=KEY_CHARS_MAX if !key.chars().any(char::is_control) => Ok(IdempotencyKey(key.to_owned())),
            _ => Err(malformed()),
        }
    }
}

/// The version in `If-Match`: the change is made only if the case is still there.
pub(crate) struct IfMatch(pub u64);

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Failure> {
        let needed = || Failure::new(StatusCode::PRECONDITION_REQUIRED, "version-needed");
        let malformed = || Failure::new(StatusCode::BAD_REQUEST, "version-malformed");
        let value = single(&parts.headers, "if-match").map_err(|()| malformed())?;
        let text = value
            .ok_or_else(needed)?
            .to_str()
            .map_err(|_| malformed())?
            .trim();
        if text.is_empty() || text == "*" {
            return Err(needed());
        }
        // A proxy that compresses marks our tag as weak; the version in it is the same.
        let tag = text.strip_prefix("W/").unwrap_or(text);
        let digits = tag
            .strip_prefix('"')
            .and_then(|tag| tag.strip_suffix('"'))
            .ok_or_else(malformed)?;
        let plain = (1..=18).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
        plain
            .then(|| digits.parse().ok())
            .flatten()
            .map(IfMatch)
            .ok_or_else(malformed)
    }
}

/// The ETag of a version.
pub(crate) fn etag(version: u64) -> Option<HeaderValue> {
    HeaderValue::from_str(&format!("\"{version}\"")).ok()
}

/// An answer with the ETag of a version.
pub(crate) fn tagged(version: u64, answer: impl IntoResponse) -> axum::response::Response {
    let mut response = answer.into_response();
    if let Some(tag) = etag(version) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_body_hashes_the_same_however_it_is_spaced_and_ordered() {
        let hash = |text: &str, path: &str| {
            let input: Input<Value> = read(text.as_bytes()).unwrap();
            input
                .request_key("a".to_owned(), IdempotencyKey("k".to_owned()), path)
                .body_hash
        };
        assert_eq!(
            hash(r#"{"a":1,"b":[true,"x"]}"#, "/p"),
            hash("{ \"b\" : [true, \"x\"],\n \"a\": 1 }", "/p")
        );
        assert_ne!(hash(r#"{"a":1}"#, "/p"), hash(r#"{"a":2}"#, "/p"));
        assert_ne!(hash(r#"{"a":1}"#, "/p"), hash(r#"{"a":1}"#, "/q"));
        assert_eq!(
            canonical(&json!({"b": {"d": null, "c": "\""}, "a": []})),
            r#"{"a":[],"b":{"c":"\"","d":null}}"#
        );
    }

    #[test]
    fn what_cannot_be_stored_is_refused_wherever_it_hides() {
        for text in [r#"{"a":"\u0000"}"#, r#"["x\u0000"]"#, r#"{"\u0000":1}"#] {
            assert!(read::<Value>(text.as_bytes()).is_err(), "{text}");
        }
        assert!(read::<Value>(br#""\\u0000""#).is_ok());
    }
}
