//! The description of the API, as a document and as a page to try it from.

use crate::{
    Api,
    caller::{SECRET_HEADER, VISITOR_CHARS_MIN, VISITOR_HEADER},
    extract::Params,
    problem::Failure,
    values::{Always, NotFound, Problem},
};
use axum::{
    extract::{Path, State},
    http::{HeaderValue, header},
    response::{Html, IntoResponse, Response},
};
use onetrip_casework::{PAPERS_MAX, PHOTOS_MAX};
use onetrip_model::case::{JOINT_UNITS_MAX, NEXT_OWNER_CHARS_MAX, WORDS_CHARS_MAX};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use utoipa::{
    OpenApi,
    openapi::{
        self,
        security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};

/// Swagger UI sets styles by attribute; scripts come from our own files only, and nothing from elsewhere.
const PAGE_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
     img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action 'none'; frame-ancestors 'none'; \
     base-uri 'none'";

const PAGE: &str = r#"<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Onetrip API</title>
<link rel="stylesheet" href="/api/docs/swagger-ui.css">
<link rel="icon" type="image/png" href="/api/docs/favicon-32x32.png">
<script src="/api/docs/swagger-ui-bundle.js" defer></script>
<script src="/api/docs/swagger-ui-standalone-preset.js" defer></script>
<script src="/api/docs/swagger-initializer.js" defer></script>
</head>
<body>
<main id="swagger-ui"></main>
<noscript><p>This page needs JavaScript. The document itself: <a href="/api/openapi.json">/api/openapi.json</a></p></noscript>
</body>
</html>
"#;

/// The files of Swagger UI that the page uses.
const ASSETS: [&str; 5] = [
    "swagger-ui.css",
    "swagger-ui-bundle.js",
    "swagger-ui-standalone-preset.js",
    "swagger-initializer.js",
    "favicon-32x32.png",
];

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Onetrip (一次办)",
        description = "Appeals, suggestions and hearing requests of residents, from filing to the rated result.\n\n\
            Errors are problem details (RFC 9457). Every change takes an `Idempotency-Key`; every change of a case \
            takes its version in `If-Match`. Instants are ISO 8601 in UTC. A guide with examples: `ops/docs/API.md`.",
        license(name = "AGPL-3.0-or-later", identifier = "AGPL-3.0-or-later"),
    ),
    components(schemas(Problem)),
    tags(
        (name = "sessions", description = "Staff signing in and out"),
        (name = "uploads", description = "Photos on their way into a case"),
        (name = "filing", description = "Handing in a case"),
        (name = "cases", description = "Seeing cases and moving them along"),
        (name = "evidence", description = "What proves that cases were taken in and that nothing was changed since"),
        (name = "board", description = "The supervisor's figures"),
        (name = "reference", description = "Divisions, units, categories, papers"),
        (name = "docs", description = "This description"),
    ),
)]
struct Frame;

/// The document without its paths.
pub(crate) fn frame() -> openapi::OpenApi {
    let mut frame = Frame::openapi();
    let components = frame.components.get_or_insert_default();
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("The token of `POST /api/v1/sessions`."))
        .build();
    let visitor = ApiKeyValue::with_description(
        VISITOR_HEADER,
        &format!(
            "Made up by the client: at least {VISITOR_CHARS_MIN} random letters, digits, `-` or `_`. \
             Uploads and idempotency keys belong to it."
        ),
    );
    let secret =
        ApiKeyValue::with_description(SECRET_HEADER, "The secret that was given with the case's number.");
    components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
    components.add_security_scheme("visitor", SecurityScheme::ApiKey(ApiKey::Header(visitor)));
    components.add_security_scheme("secret", SecurityScheme::ApiKey(ApiKey::Header(secret)));
    frame
}

/// The document with what the use cases' own types cannot say about themselves.
pub(crate) fn finished(document: openapi::OpenApi) -> openapi::OpenApi {
    let Ok(mut value) = serde_json::to_value(&document) else {
        return document;
    };
    if let Some(schemas) = value.pointer_mut("/components/schemas") {
        for name in ["ActInput", "MaterialInput", "PromiseInput"] {
            if let Some(schema) = schemas.get_mut(name) {
                tighten(schema);
            }
        }
    }
    serde_json::from_value(value).unwrap_or(document)
}

/// Bounds of an act's members, by their names: the same name means the same everywhere.
fn bounds(member: &str) -> Option<Value> {
    Some(match member {
        "words" | "reason" | "to_place" | "why_no_photo" | "notice" => {
            json!({ "maxLength": WORDS_CHARS_MAX })
        }
        "outside" => json!({ "maxLength": NEXT_OWNER_CHARS_MAX }),
        "unit" | "to" | "next_unit" => json!({ "maxLength": 64 }),
        "photos" => json!({ "maxItems": PHOTOS_MAX }),
        "units" => json!({ "maxItems": JOINT_UNITS_MAX }),
        "decision" => json!({ "enum": ["upheld", "changed", "sent_back"] }),
        "verdict" => json!({ "enum": ["solved", "partly", "not_solved"] }),
        "limit" => json!({ "enum": ["trip", "material_request", "held_paper"] }),
        _ => return None,
    })
}

fn tighten(schema: &mut Value) {
    match schema {
        Value::Array(parts) => parts.iter_mut().for_each(tighten),
        Value::Object(members) => {
            if let Some(Value::Object(properties)) = members.get_mut("properties") {
                let follow_up = properties.contains_key("reached");
                let papers = properties.contains_key("handed_over");
                let pause = properties.contains_key("notice");
                for (name, property) in properties.iter_mut() {
                    let bounds = match name.as_str() {
                        "photos" if papers => Some(json!({ "maxItems": PAPERS_MAX })),
                        "kind" if follow_up => Some(json!({ "enum": ["contact", "progress", "call_back"] })),
                        "kind" if pause => Some(json!({ "enum": ["hearing", "expert"] })),
                        name => bounds(name),
                    };
                    if let (Some(Value::Object(bounds)), Value::Object(property)) = (bounds, property) {
                        property.extend(bounds);
                    }
                }
                members.insert("additionalProperties".to_owned(), Value::Bool(false));
            }
            for part in ["oneOf", "allOf", "anyOf"] {
                if let Some(parts) = members.get_mut(part) {
                    tighten(parts);
                }
            }
        }
        _ => {}
    }
}

/// No parameters.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Nothing {}

/// This description
#[utoipa::path(
    get, path = "/api/openapi.json", tag = "docs", security(()),
    responses((status = 200, description = "OpenAPI 3.1.", body = Object), Always),
)]
pub(crate) async fn document(State(api): State<Api>, _: Params<Nothing>) -> Response {
    let json = HeaderValue::from_static("application/json");
    ([(header::CONTENT_TYPE, json)], api.document.to_string()).into_response()
}

/// This description as a page
#[utoipa::path(
    get, path = "/api/docs", tag = "docs", security(()),
    responses((status = 200, description = "A page.", body = String, content_type = "text/html"), Always),
)]
pub(crate) async fn page() -> Response {
    let policy = HeaderValue::from_static(PAGE_POLICY);
    ([(header::CONTENT_SECURITY_POLICY, policy)], Html(PAGE)).into_response()
}

/// A file of the page
#[utoipa::path(
    get, path = "/api/docs/{file}", tag = "docs", security(()),
    params(("file" = String, Path, description = "Name of a file of the page.", example = "swagger-ui.css",
            pattern = r"^[a-z0-9-]+\.(css|js|png)$")),
    responses(
        (status = 200, description = "The file.", content(
            (String = "text/css"), (String = "text/javascript"), (String = "image/png"),
        )),
        Always, NotFound,
    ),
)]
pub(crate) async fn asset(Path(file): Path<String>) -> Result<Response, Failure> {
    if !ASSETS.contains(&&*file) {
        return Err(Failure::not_found());
    }
    let config = utoipa_swagger_ui::Config::new(["/api/openapi.json"])
        .use_base_layout()
        .try_it_out_enabled(true)
        .persist_authorization(false)
        .validator_url("none");
    let found = utoipa_swagger_ui::serve(&file, Arc::new(config))
        .ok()
        .flatten()
        .ok_or_else(Failure::not_found)?;
    let media_type = HeaderValue::from_str(&found.content_type);
    let media_type = media_type.unwrap_or(HeaderValue::from_static("application/octet-stream"));
    Ok(([(header::CONTENT_TYPE, media_type)], found.bytes.into_owned()).into_response())
}
