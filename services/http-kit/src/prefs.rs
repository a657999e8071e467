//! What the visitor chose about the pages themselves: the language, and the elder mode with larger type.

use std::convert::Infallible;

use axum::{
    extract::{FromRequestParts, Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};
use onetrip_i18n::Locale;

use crate::{CookiePolicy, cookie_value};

const LANG: &str = "lang";
const ELDER: &str = "elder";
const KEPT_DAYS: i64 = 365;

/// Language and type size of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Prefs {
    pub locale: Locale,
    /// Type of 22 px and up, targets of 60 px and up.
    pub elder: bool,
}

impl Prefs {
    /// Cookie first, then `Accept-Language`, then Chinese.
    fn from_headers(headers: &HeaderMap, policy: CookiePolicy) -> Self {
        let locale = cookie_value(headers, policy, LANG)
            .and_then(|tag| tag.parse().ok())
            .unwrap_or_else(|| {
                let accept = headers
                    .get(header::ACCEPT_LANGUAGE)
                    .and_then(|value| value.to_str().ok());
                Locale::negotiate(accept.unwrap_or_default())
            });
        Self {
            locale,
            elder: cookie_value(headers, policy, ELDER).as_deref() == Some("1"),
        }
    }
}

/// For layers that lie outside of [`preferences`].
pub(crate) fn from_headers(headers: &HeaderMap, policy: CookiePolicy) -> Prefs {
    Prefs::from_headers(headers, policy)
}

impl<S: Send + Sync> FromRequestParts<S> for Prefs {
    type Rejection = Infallible;

    /// Reads what [`preferences`] found; without that layer, only `Accept-Language` is looked at.
    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        Ok(parts
            .extensions
            .get::<Self>()
            .copied()
            .unwrap_or_else(|| Self::from_headers(&parts.headers, CookiePolicy { secure: true })))
    }
}

/// Middleware: finds the [`Prefs`] of a request. `?lang=en` and `?elder=1` on a page are kept in a cookie and
/// answered with a redirect to the same address without them, so that links people share carry neither.
pub async fn preferences(State(policy): State<CookiePolicy>, mut request: Request, next: Next) -> Response {
    let choice = Choice::from_query(request.uri());
    let readable = matches!(*request.method(), Method::GET | Method::HEAD);
    if readable && (choice.locale.is_some() || choice.elder.is_some()) {
        return choice.redirect(policy, request.uri());
    }
    let prefs = Prefs::from_headers(request.headers(), policy);
    request.extensions_mut().insert(prefs);
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    if headers.contains_key(header::CACHE_CONTROL) {
        // A file meant for caches is the same in every language.
        return response;
    }
    if let Ok(tag) = HeaderValue::from_str(prefs.locale.tag()) {
        headers.entry(header::CONTENT_LANGUAGE).or_insert(tag);
    }
    headers.append(header::VARY, HeaderValue::from_static("accept-language, cookie"));
    response
}

#[derive(Default)]
struct Choice {
    locale: Option<Locale>,
    elder: Option<bool>,
    /// The query without our two parameters.
    rest: String,
}

impl Choice {
    fn from_query(uri: &Uri) -> Self {
        let mut choice = Self::default();
        for pair in uri
            .query()
            .unwrap_or_default()
            .split('&')
            .filter(|pair| !pair.is_empty())
        {
            match pair.split_once('=') {
                // An unknown value is left alone: it is somebody else's parameter, and redirecting would loop.
                Some((LANG, tag)) if tag.parse::<Locale>().is_ok() => choice.locale = tag.parse().ok(),
                Some((ELDER, flag @ ("0" | "1"))) => choice.elder = Some(flag == "1"),
                _ => {
                    if !choice.rest.is_empty() {
                        choice.rest.push('&');
                    }
                    choice.rest.push_str(pair);
                }
            }
        }
        choice
    }

    fn redirect(&self, policy: CookiePolicy, uri: &Uri) -> Response {
        // The path is ours and starts with one slash; two would let `//elsewhere` leave the site.
        let path = format!("/{}", uri.path().trim_start_matches(['/', '\\']));
        let target = if self.rest.is_empty() {
            path
        } else {
            format!("{path}?{}", self.rest)
        };
        let mut response = StatusCode::SEE_OTHER.into_response();
        let headers = response.headers_mut();
        headers.insert(
            header::LOCATION,
            HeaderValue::from_str(&target).unwrap_or(HeaderValue::from_static("/")),
        );
        let chosen = [
            self.locale
                .map(|locale| policy.cookie(LANG, locale.tag().to_owned(), Some(KEPT_DAYS))),
            self.elder
                .map(|on| policy.cookie(ELDER, u8::from(on).to_string(), Some(KEPT_DAYS))),
        ];
        for cookie in chosen.into_iter().flatten() {
            if let Ok(value) = HeaderValue::from_str(&cookie.to_string()) {
                headers.append(header::SET_COOKIE, value);
            }
        }
        response
    }
}
