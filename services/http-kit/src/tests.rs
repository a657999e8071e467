//! The layers on a small router, asked over `tower::Service` without a socket.

use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Method, Request, StatusCode, header},
    response::IntoResponse,
    routing::{get, post},
};
use onetrip_i18n::Locale;
use prometheus::{Encoder as _, Registry, TextEncoder};
use tower::ServiceExt as _;

use super::*;
use std::sync::{Arc, Mutex};

const PLAIN: CookiePolicy = CookiePolicy { secure: false };

fn app(registry: &Registry) -> Router {
    let config = KitConfig {
        cookies: PLAIN,
        metrics: HttpMetrics::new(registry).expect("metrics"),
        failure_page: FailurePage::new(PLAIN, |details| {
            format!("<p lang={}>{}</p>", details.prefs.locale, details.status.as_u16())
        }),
    };
    let router = Router::new()
        .route(
            "/",
            get(|prefs: Prefs| async move { format!("{} {}", prefs.locale, prefs.elder) }),
        )
        .route("/token", get(|csrf: Csrf| async move { csrf.token() }))
        .route(
            "/post/{id}",
            post(|csrf: Csrf, token: String| async move { csrf.verify(&token).is_ok().to_string() }),
        )
        .route(
            "/panic",
            get(|| async {
                if true {
                    panic!("secret words")
                }
            }),
        )
        .route(
            "/fails/{number}",
            get(|| async {
                if true {
                    panic!("on purpose")
                }
            }),
        )
        .route(
            "/file",
            get(|| async { ([(header::CACHE_CONTROL, "public, max-age=1")], "x").into_response() }),
        );
    stack(router, &config)
}

async fn ask(
    method: Method,
    address: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> (StatusCode, HeaderMap, String) {
    let mut request = Request::builder().method(method).uri(address);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Body::from(body.to_owned())).expect("request");
    let response = app(&Registry::new()).oneshot(request).await.expect("infallible");
    let (parts, body) = response.into_parts();
    let bytes = axum::body::to_bytes(body, 1 << 20).await.expect("body");
    (
        parts.status,
        parts.headers,
        String::from_utf8(bytes.to_vec()).expect("text"),
    )
}

#[tokio::test]
async fn a_chosen_language_is_kept_and_the_address_cleaned() {
    let (status, headers, _) = ask(Method::GET, "/?page=2&lang=en&elder=1", &[], "").await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    assert_eq!(headers[header::LOCATION], "/?page=2");
    let cookies: Vec<_> = headers
        .get_all(header::SET_COOKIE)
        .iter()
        .map(|c| c.to_str().expect("text"))
        .collect();
    assert!(
        cookies
            .iter()
            .any(|c| c.starts_with("lang=en; HttpOnly; SameSite=Lax; Path=/; Max-Age=31536000")),
        "{cookies:?}"
    );
    assert!(cookies.iter().any(|c| c.starts_with("elder=1;")), "{cookies:?}");
    let (_, _, body) = ask(Method::GET, "/", &[("cookie", "lang=en; elder=1")], "").await;
    assert_eq!(body, "en true");
}

#[tokio::test]
async fn a_clean_address_never_leaves_the_site() {
    let (_, headers, _) = ask(Method::GET, "//elsewhere.example/?lang=en", &[], "").await;
    assert_eq!(headers[header::LOCATION], "/elsewhere.example/");
}

#[tokio::test]
async fn an_unknown_language_does_not_loop() {
    let (status, _, body) = ask(Method::GET, "/?lang=xx", &[("accept-language", "en")], "").await;
    assert_eq!((status, body.as_str()), (StatusCode::OK, "en false"));
}

#[tokio::test]
async fn headers_are_on_every_page_and_files_keep_their_cache() {
    let (_, headers, _) = ask(Method::GET, "/", &[], "").await;
    assert_eq!(headers[header::CONTENT_SECURITY_POLICY], CONTENT_SECURITY_POLICY);
    assert_eq!(headers[header::CACHE_CONTROL], "no-store");
    assert_eq!(headers[header::REFERRER_POLICY], "no-referrer");
    assert!(!CONTENT_SECURITY_POLICY.contains("unsafe") && !CONTENT_SECURITY_POLICY.contains("  "));
    let (_, headers, _) = ask(Method::GET, "/file", &[], "").await;
    assert_eq!(headers[header::CACHE_CONTROL], "public, max-age=1");
    assert!(!headers.contains_key(header::SET_COOKIE));
}

#[tokio::test]
async fn a_request_id_from_outside_is_not_believed() {
    let (_, headers, _) = ask(Method::GET, "/", &[("x-request-id", "mine")], "").await;
    assert_ne!(headers["x-request-id"], "mine");
    assert_eq!(headers["x-request-id"].len(), 36);
}

#[tokio::test]
async fn cross_site_posts_are_refused() {
    for (name, value, allowed) in [
        ("sec-fetch-site", "same-origin", true),
        ("sec-fetch-site", "none", true),
        ("sec-fetch-site", "same-site", false),
        ("sec-fetch-site", "cross-site", false),
        ("origin", "http://city.example", true),
        ("origin", "http://evil.example", false),
        ("origin", "null", false),
    ] {
        let (status, _, body) = ask(
            Method::POST,
            "/post/1",
            &[("host", "city.example"), (name, value)],
            "",
        )
        .await;
        assert_eq!(status == StatusCode::OK, allowed, "{name}: {value}");
        if !allowed {
            assert!(body.contains("urn:onetrip:problem:cross-site"), "{body}");
        }
    }
}

#[tokio::test]
async fn a_token_is_good_for_its_visit_only() {
    let (_, headers, token) = ask(Method::GET, "/token", &[], "").await;
    let cookie = headers[header::SET_COOKIE]
        .to_str()
        .expect("text")
        .split(';')
        .next()
        .expect("pair")
        .to_owned();
    let post = |cookie: String, token: String| async move {
        ask(Method::POST, "/post/1", &[("cookie", &cookie)], &token)
            .await
            .2
    };
    assert_eq!(post(cookie.clone(), token.clone()).await, "true");
    assert_eq!(post(cookie, String::new()).await, "false");
    assert_eq!(post(String::new(), token).await, "false");
}

#[tokio::test]
async fn a_panic_says_nothing_of_its_cause() {
    let (status, _, body) = ask(
        Method::GET,
        "/panic",
        &[("accept", "text/html"), ("cookie", "lang=en")],
        "",
    )
    .await;
    assert_eq!(
        (status, body.as_str()),
        (StatusCode::INTERNAL_SERVER_ERROR, "<p lang=en>500</p>")
    );
    let (_, headers, body) = ask(Method::GET, "/panic", &[], "").await;
    assert_eq!(headers[header::CONTENT_TYPE], "application/problem+json");
    assert!(!body.contains("secret") && body.contains("request_id"), "{body}");
}

/// Log lines, kept where a test can read them.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("lines").write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_log_line_of_a_failing_request_has_its_id_and_no_address() {
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    let logging = tracing::subscriber::set_default(subscriber);
    let (status, headers, _) = ask(Method::GET, "/fails/4403-1?name=Lam", &[], "").await;
    drop(logging);
    assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
    let text = String::from_utf8(lines.0.lock().expect("lines").clone()).expect("text");
    let line = text
        .lines()
        .find(|line| line.contains("an endpoint panicked"))
        .expect("a line");
    let id = headers["x-request-id"].to_str().expect("text");
    assert!(line.contains(&format!("request.id={id}")), "{line}");
    assert!(line.contains("http.route=\"/fails/{number}\""), "{line}");
    assert!(line.contains("http.method=\"GET\""), "{line}");
    assert!(!text.contains("4403-1") && !text.contains("Lam"), "{text}");
}

#[tokio::test]
async fn requests_are_counted_by_route_template() {
    let registry = Registry::new();
    let request = Request::builder()
        .method("POST")
        .uri("/post/4403-1")
        .body(Body::empty())
        .expect("request");
    app(&registry).oneshot(request).await.expect("infallible");
    let mut text = Vec::new();
    TextEncoder::new()
        .encode(&registry.gather(), &mut text)
        .expect("metrics");
    let text = String::from_utf8(text).expect("text");
    assert!(
        text.contains(r#"method="POST",route="/post/{id}",status="2xx"} 1"#),
        "{text}"
    );
    assert!(!text.contains("4403-1"));
}

#[test]
fn cursors_travel_and_pages_know_their_end() {
    let page = Page::from_overfetch(vec![1, 2, 3], 2, |row| *row);
    assert_eq!(page.items, [1, 2]);
    let query = PageQuery {
        after: page.next,
        limit: Some(1000),
    };
    assert_eq!(query.cursor::<i32>(), Ok(Some(Cursor(2))));
    assert_eq!(query.limit(), PageQuery::LIMIT_MAX);
    assert_eq!(Page::from_overfetch(vec![3], 2, |row| *row).next, None);
    assert_eq!(Cursor::<i32>::decode("%%"), Err(BadCursor));
}

#[test]
fn a_problem_has_the_standard_shape() {
    let problem = Problem::localized(Locale::En, "validation", StatusCode::UNPROCESSABLE_ENTITY)
        .with_errors(vec![FieldError::new("text", "Write what happened")])
        .with_member("number", "4403")
        .with_member("status", 200);
    let json = serde_json::to_value(&problem).expect("json");
    assert_eq!(json["type"], "urn:onetrip:problem:validation");
    assert_eq!(json["status"], 422);
    assert_eq!(json["number"], "4403");
    assert_eq!(json["errors"][0]["field"], "text");
}
