//! How cookies are named and flagged.

use axum::http::{HeaderMap, header};
use axum_extra::extract::cookie::{Cookie, CookieJar, SameSite};

/// Whether the service is reached over TLS.
///
/// The `__Host-` prefix ties a cookie to this very host, but browsers only accept it with `Secure`, and
/// `Secure` cookies are dropped on the plain `http://127.0.0.1` of a demonstration. So it is a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CookiePolicy {
    /// True everywhere but on a developer's own machine.
    pub secure: bool,
}

impl CookiePolicy {
    /// The name a cookie really travels under: `__Host-lang`, or `lang` without TLS.
    pub fn name(self, base: &str) -> String {
        if self.secure {
            format!("__Host-{base}")
        } else {
            base.to_owned()
        }
    }

    /// A cookie with our flags (`HttpOnly`, `SameSite=Lax`, `Path=/`). Without `days` it ends with the browser
    /// session.
    pub fn cookie(self, base: &str, value: String, days: Option<i64>) -> Cookie<'static> {
        let mut cookie = Cookie::new(self.name(base), value);
        cookie.set_http_only(true);
        cookie.set_same_site(SameSite::Lax);
        cookie.set_path("/");
        cookie.set_secure(self.secure);
        if let Some(days) = days {
            // Max-Age is written by hand so that we need no second time library for one number.
            return Cookie::parse(format!("{cookie}; Max-Age={}", days * 86_400))
                .unwrap_or(cookie)
                .into_owned();
        }
        cookie
    }

    /// A cookie that makes the browser forget `base`.
    pub fn removal(self, base: &str) -> Cookie<'static> {
        self.cookie(base, String::new(), Some(0))
    }
}

/// The value of cookie `base` as the browser sent it.
pub fn cookie_value(headers: &HeaderMap, policy: CookiePolicy, base: &str) -> Option<String> {
    if !headers.contains_key(header::COOKIE) {
        return None;
    }
    CookieJar::from_headers(headers)
        .get(&policy.name(base))
        .map(|cookie| cookie.value().to_owned())
}
