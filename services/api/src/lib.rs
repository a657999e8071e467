//! The JSON interface of the service: what the pages can do, for programs.
//!
//! One file per group of endpoints. An endpoint extracts, calls a use case of `onetrip_casework` and answers; every
//! error leaves as problem details (`problem.rs`). Routes are registered together with their documentation, so the
//! router and the OpenAPI document cannot differ.

mod acts;
mod board;
mod caller;
mod case_names;
mod case_view;
mod cases;
mod docs;
mod duplicates;
mod evidence;
mod extract;
mod filing;
mod problem;
mod queue;
mod reference;
mod sessions;
mod timeline;
mod uploads;
mod values;

use axum::{Router, extract::DefaultBodyLimit, middleware, routing::any};
use onetrip_casework::Casework;
use std::{sync::Arc, time::Duration};
use utoipa_axum::{router::OpenApiRouter, routes};

/// Largest JSON body, in bytes.
pub const JSON_BYTES_MAX: usize = 1024 * 1024;

/// What every endpoint can reach.
#[derive(Clone)]
struct Api {
    casework: Casework,
    /// The OpenAPI document as JSON.
    document: Arc<str>,
}

/// Every documented route; there are no others, but for the answer to unknown paths.
fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::with_openapi(docs::frame())
        .routes(routes!(sessions::sign_in))
        .routes(routes!(sessions::sign_out))
        .routes(routes!(sessions::me))
        .routes(uploads::limited(routes!(uploads::take)))
        .routes(routes!(uploads::show, uploads::discard))
        .routes(routes!(filing::appeal))
        .routes(routes!(filing::suggestion))
        .routes(routes!(filing::hearing_request))
        .routes(routes!(duplicates::before_filing))
        .routes(routes!(cases::list))
        .routes(routes!(cases::show))
        .routes(routes!(cases::photo))
        .routes(routes!(duplicates::of_case))
        .routes(routes!(evidence::receipt))
        .routes(routes!(acts::act))
        .routes(routes!(queue::queue))
        .routes(routes!(board::board))
        .routes(routes!(board::cases))
        .routes(routes!(reference::divisions))
        .routes(routes!(reference::units))
        .routes(routes!(reference::contact_cadres))
        .routes(routes!(reference::categories))
        .routes(routes!(reference::materials))
        .routes(routes!(evidence::heads))
        .routes(routes!(evidence::key))
        .routes(routes!(docs::document))
        .routes(routes!(docs::page))
        .routes(routes!(docs::asset))
}

/// The routes under `/api`, with an answer of their own for unknown paths there.
///
/// Layers of [`onetrip_http_kit`] around it are welcome and not needed: language, request id, problems and panics are
/// seen to here too. Leave out its cross-site guard and preferences: nothing here is done by cookie.
///
/// An answer that takes longer than `patience` is a problem as well.
pub fn router(casework: Casework, patience: Duration) -> Router {
    let (router, document) = routes().split_for_parts();
    let document = docs::finished(document).to_json().unwrap_or_default();
    let api = Api {
        casework,
        document: document.into(),
    };
    let unknown = || any(problem::unknown_path);
    router
        .route("/api", unknown())
        .route("/api/", unknown())
        .route("/api/{*path}", unknown())
        .layer(DefaultBodyLimit::max(JSON_BYTES_MAX))
        .layer(middleware::from_fn_with_state(
            problem::Patience(patience),
            problem::answer_problems,
        ))
        .with_state(api)
}

/// The OpenAPI document of [`router`].
pub fn openapi() -> utoipa::openapi::OpenApi {
    docs::finished(routes().into_openapi())
}
