//! The OpenAPI document and the router say the same.

mod common;

use axum::http::Method;
use serde_json::Value;
use std::{fs, path::Path};

fn document() -> Value {
    serde_json::to_value(onetrip_api::openapi()).unwrap()
}

/// Path and method of every operation, with the operation.
fn operations(document: &Value) -> Vec<(String, Method, &Value)> {
    let paths = document["paths"].as_object().unwrap();
    let methods = |(path, item): (&String, &'_ Value)| -> Vec<(String, Method)> {
        let names = item.as_object().unwrap().keys();
        names
            .filter_map(|name| Some((path.clone(), name.to_uppercase().parse().ok()?)))
            .collect()
    };
    let all = paths.iter().flat_map(methods).collect::<Vec<_>>();
    all.into_iter()
        .map(|(path, method)| {
            let operation = &document["paths"][&path][method.as_str().to_lowercase()];
            (path, method, operation)
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_documented_operation_is_served_and_nothing_beside() {
    let api = common::start().await;
    let document = document();
    let operations = operations(&document);
    assert!(operations.len() >= 24, "{}", operations.len());
    for (path, method, operation) in &operations {
        let filled = path
            .replace("{number}", "8271-5590-3313")
            .replace("{id}", "00000000-0000-0000-0000-000000000001")
            .replace("{file}", "swagger-ui.css");
        let answer = api.call(method.clone(), &filled).send().await;
        assert_ne!(answer.status, 405, "{method} {path}");
        // Nothing that these paths name is there, but who has not said who they are learns that first.
        assert_ne!(answer.status, 404, "{method} {path}: {}", answer.body);
        let status = answer.status.as_str().to_owned();
        assert!(
            operation["responses"].get(&status).is_some(),
            "{method} {path}: {status} is not documented"
        );
    }
    // No other method on any of the paths.
    for (path, _, _) in &operations {
        let filled = path
            .replace("{number}", "8271-5590-3313")
            .replace("{file}", "swagger-ui.css");
        let filled = filled.replace("{id}", "00000000-0000-0000-0000-000000000001");
        for method in [
            Method::GET,
            Method::POST,
            Method::PUT,
            Method::PATCH,
            Method::DELETE,
        ] {
            let documented = operations
                .iter()
                .any(|(other, known, _)| other == path && *known == method);
            if !documented {
                let answer = api
                    .call(method, &filled)
                    .send()
                    .await
                    .problem(405, "method-not-allowed");
                assert!(!answer.header("allow").is_empty(), "{path}");
            }
        }
    }
    for path in [
        "/api",
        "/api/",
        "/api/v1",
        "/api/v1/",
        "/api/v2/cases",
        "/api/v1/cases/",
        "/api/v1/me/",
        "/api/docs/x/y",
    ] {
        api.get(path).send().await.problem(404, "not-found");
    }
}

/// Routes are made from documented endpoints only; the one exception answers unknown paths.
#[test]
fn no_route_is_registered_without_its_documentation() {
    let mut lines = Vec::new();
    for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("src")).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.lines().count() < 400, "{} holds two ideas", path.display());
        let by_hand = [
            ".route(",
            ".route_service(",
            ".nest(",
            ".nest_service(",
            ".merge(",
            ".fallback(",
        ];
        for line in text
            .lines()
            .filter(|line| by_hand.iter().any(|call| line.contains(call)))
        {
            lines.push(line.trim().to_owned());
        }
    }
    let unknown = [
        ".route(\"/api\", unknown())",
        ".route(\"/api/\", unknown())",
        ".route(\"/api/{*path}\", unknown())",
    ];
    assert_eq!(lines, unknown);
}

#[test]
fn the_document_is_complete() {
    let document = document();
    assert_eq!(document["openapi"], "3.1.0");
    for (path, method, operation) in operations(&document) {
        let summary = operation["summary"].as_str().unwrap_or_default();
        assert!(!summary.is_empty(), "{method} {path} has no summary");
        let responses = operation["responses"].as_object().unwrap();
        for (status, response) in responses {
            let words = response["description"].as_str().unwrap_or_default();
            assert!(!words.is_empty(), "{method} {path} {status} has no description");
            if status.starts_with(['4', '5']) {
                let schema = &response["content"]["application/problem+json"]["schema"]["$ref"];
                assert_eq!(schema, "#/components/schemas/Problem", "{method} {path} {status}");
            }
        }
        for status in ["400", "500", "503"] {
            assert!(responses.contains_key(status), "{method} {path} lacks {status}");
        }
        assert!(
            operation.get("security").is_some(),
            "{method} {path} does not say who may call it"
        );
        // Signing in and handing in a photo are new each time; looking for duplicates stores nothing.
        let without_key = ["/sessions", "/uploads", "/possible-duplicates"];
        if method == Method::POST && !without_key.iter().any(|end| path.ends_with(end)) {
            let parameters = operation["parameters"].as_array().unwrap();
            assert!(
                parameters
                    .iter()
                    .any(|parameter| parameter["name"] == "Idempotency-Key"),
                "{path}"
            );
        }
    }
    // Every reference leads somewhere.
    let text = document.to_string();
    for part in text.split("\"#/").skip(1) {
        let pointer = format!("/{}", part.split('"').next().unwrap());
        assert!(document.pointer(&pointer).is_some(), "{pointer} is missing");
    }
    // The acts that the use cases take, each strict and tagged.
    let acts = document["components"]["schemas"]["ActInput"]["oneOf"]
        .as_array()
        .unwrap();
    assert_eq!(acts.len(), 30);
    for act in acts {
        assert_eq!(act["additionalProperties"], false, "{act}");
        assert!(
            act["required"].as_array().unwrap().contains(&"act".into()),
            "{act}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_is_made_of_our_own_files() {
    let api = common::start().await;
    let page = api.get("/api/docs").send().await.expect(200);
    let html = String::from_utf8(page.bytes.clone()).unwrap();
    let policy = page.header("content-security-policy");
    assert!(
        policy.starts_with("default-src 'none'") && !policy.contains("http"),
        "{policy}"
    );
    assert!(
        !policy
            .split(';')
            .any(|part| part.contains("script-src") && part.contains("unsafe")),
        "{policy}"
    );
    assert!(!html.contains("://") && !html.contains("<script>"), "{html}");
    for part in html.split("/api/docs/").skip(1) {
        let file = part.split('"').next().unwrap();
        let answer = api.get(format!("/api/docs/{file}")).send().await.expect(200);
        assert!(
            !answer.bytes.is_empty() && !answer.header("content-type").is_empty(),
            "{file}"
        );
    }
    let start = api
        .get("/api/docs/swagger-initializer.js")
        .send()
        .await
        .expect(200);
    let start = String::from_utf8(start.bytes).unwrap();
    assert!(
        start.contains("/api/openapi.json") && !start.contains("petstore"),
        "{start}"
    );
    let served = api.get("/api/openapi.json").send().await.expect(200);
    assert_eq!(served.body, document());
}
