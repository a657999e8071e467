//! Two guards against a foreign site posting in a visitor's name.
//!
//! The first looks at where the browser says a request comes from. The second wants a token that only a page
//! of ours could have put into the form; it also covers browsers too old to say where they come from.

use axum::{
    extract::{FromRequestParts, Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use subtle::ConstantTimeEq as _;

use crate::{CookiePolicy, Prefs, Problem, RequestId, cookie_value};

const COOKIE: &str = "csrf";
const SECRET_BYTES: usize = 32;

/// Ends the type of the problem a refused cross-site request gets.
pub const CROSS_SITE_SLUG: &str = "cross-site";

/// The form's token is missing, damaged, or of another visitor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the form did not come from a page of this visit")]
pub struct CsrfError;

/// The secret of this visit. Pages put [`Csrf::token`] into their forms; endpoints call [`Csrf::verify`].
#[derive(Clone)]
pub struct Csrf {
    secret: [u8; SECRET_BYTES],
}

impl Csrf {
    fn generate() -> Option<Self> {
        let mut secret = [0; SECRET_BYTES];
        getrandom::fill(&mut secret).ok()?;
        Some(Self { secret })
    }

    fn decode(text: &str) -> Option<Self> {
        let secret = URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()?;
        Some(Self { secret })
    }

    /// A token for one form. It differs on every page, since a constant one could be guessed byte by byte from
    /// the length of compressed pages.
    pub fn token(&self) -> String {
        let mut bytes = [0; SECRET_BYTES * 2];
        let (mask, masked) = bytes.split_at_mut(SECRET_BYTES);
        if getrandom::fill(mask).is_err() {
            // No randomness left: an empty token is refused on return, which is the safe way to fail.
            return String::new();
        }
        for (out, (mask, secret)) in masked.iter_mut().zip(mask.iter().zip(&self.secret)) {
            *out = mask ^ secret;
        }
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Accepts only tokens made by [`Csrf::token`] with the same secret.
    pub fn verify(&self, token: &str) -> Result<(), CsrfError> {
        let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| CsrfError)?;
        if bytes.len() != SECRET_BYTES * 2 {
            return Err(CsrfError);
        }
        let (mask, masked) = bytes.split_at(SECRET_BYTES);
        let mut secret = [0; SECRET_BYTES];
        for (out, (mask, masked)) in secret.iter_mut().zip(mask.iter().zip(masked)) {
            *out = mask ^ masked;
        }
        if secret.ct_eq(&self.secret).into() {
            Ok(())
        } else {
            Err(CsrfError)
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Csrf {
    type Rejection = StatusCode;

    /// Fails with 500 where [`csrf_cookie`] isn't on the route: a form without its guard is our fault.
    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, StatusCode> {
        parts
            .extensions
            .get::<Self>()
            .cloned()
            .ok_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

/// Middleware: keeps the visit's secret in a cookie that ends with the browser session.
pub async fn csrf_cookie(State(policy): State<CookiePolicy>, mut request: Request, next: Next) -> Response {
    let known = cookie_value(request.headers(), policy, COOKIE).and_then(|text| Csrf::decode(&text));
    let fresh = known.is_none();
    let Some(csrf) = known.or_else(Csrf::generate) else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    request.extensions_mut().insert(csrf.clone());
    let mut response = next.run(request).await;
    let kept = response
        .headers()
        .get(header::CACHE_CONTROL)
        .is_some_and(|value| value != "no-store");
    // Files that caches may share must not carry one visitor's cookie to the next.
    if fresh && !kept {
        let cookie = policy.cookie(COOKIE, URL_SAFE_NO_PAD.encode(csrf.secret), None);
        if let Ok(value) = HeaderValue::from_str(&cookie.to_string()) {
            response.headers_mut().append(header::SET_COOKIE, value);
        }
    }
    response
}

/// Middleware: refuses changing requests that a browser says were started elsewhere.
pub async fn refuse_cross_site(request: Request, next: Next) -> Response {
    let safe = matches!(
        *request.method(),
        Method::GET | Method::HEAD | Method::OPTIONS | Method::TRACE
    );
    if safe || comes_from_us(request.headers(), request.uri()) {
        return next.run(request).await;
    }
    let locale = request
        .extensions()
        .get::<Prefs>()
        .copied()
        .unwrap_or_default()
        .locale;
    let id = request.extensions().get::<RequestId>().copied();
    Problem::localized(locale, CROSS_SITE_SLUG, StatusCode::FORBIDDEN)
        .with_request_id(id)
        .into_response()
}

fn comes_from_us(headers: &HeaderMap, uri: &Uri) -> bool {
    let text = |name| {
        headers
            .get(name)
            .and_then(|value: &HeaderValue| value.to_str().ok())
    };
    if let Some(site) = text(header::HeaderName::from_static("sec-fetch-site")) {
        return matches!(site, "same-origin" | "none");
    }
    let Some(origin) = text(header::ORIGIN) else {
        // Neither header: an old browser or a program. The token in the form decides.
        return true;
    };
    // HTTP/2 names the host in the address, HTTP/1 in a header.
    let host = uri
        .authority()
        .map(|authority| authority.as_str())
        .or_else(|| text(header::HOST));
    let origin_host = origin.split_once("://").map(|(_, host)| host);
    origin_host.is_some() && origin_host == host
}
