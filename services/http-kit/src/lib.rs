//! What every HTTP endpoint needs and no Case has a part in: language, security headers, protection against
//! cross-site posts, problem details, request identifiers, paging, metrics and panics.
//!
//! The order of the layers, outermost first, is: request id, metrics, panics, security headers, preferences,
//! cross-site guard. [`stack`] puts them on a router in that order.

mod cookies;
mod csrf;
mod metrics;
mod paging;
mod panics;
mod prefs;
mod problem;
mod request_id;
mod security;
#[cfg(test)]
mod tests;

pub use cookies::{CookiePolicy, cookie_value};
pub use csrf::{CROSS_SITE_SLUG, Csrf, CsrfError, csrf_cookie, refuse_cross_site};
pub use metrics::{HttpMetrics, record_metrics};
pub use paging::{BadCursor, Cursor, Page, PageQuery};
pub use panics::{FailureDetails, FailurePage, catch_panics};
pub use prefs::{Prefs, preferences};
pub use problem::{FieldError, Problem};
pub use request_id::{REQUEST_ID_HEADER, RequestId, assign_request_id};
pub use security::{CONTENT_SECURITY_POLICY, security_headers};

use axum::{Router, middleware};

/// Everything [`stack`] needs to be told.
#[derive(Clone)]
pub struct KitConfig {
    /// How cookies are made; also decides whether HSTS is sent.
    pub cookies: CookiePolicy,
    /// Where requests are counted.
    pub metrics: HttpMetrics,
    /// Draws the page shown after a panic to callers that want HTML.
    pub failure_page: FailurePage,
}

/// Puts the layers for page routes on `router`, in the order described above.
///
/// Add it after every route: axum only wraps what is already there.
pub fn stack<S: Clone + Send + Sync + 'static>(router: Router<S>, config: &KitConfig) -> Router<S> {
    router
        .layer(middleware::from_fn(refuse_cross_site))
        .layer(middleware::from_fn_with_state(config.cookies, csrf_cookie))
        .layer(middleware::from_fn_with_state(config.cookies, preferences))
        .layer(middleware::from_fn_with_state(config.cookies, security_headers))
        .layer(middleware::from_fn_with_state(
            config.failure_page.clone(),
            catch_panics,
        ))
        .layer(middleware::from_fn_with_state(
            config.metrics.clone(),
            record_metrics,
        ))
        .layer(middleware::from_fn(assign_request_id))
}
