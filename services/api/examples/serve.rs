//! Serves the API over a test database with one street and one person of each role, for trying and for fuzzing:
//!
//! ```text
//! cargo run -p onetrip-api --example serve -- 8080 sign-ins.json
//! ```
//!
//! Writes the sign-ins to the file, in the form that `ops/fuzz/run` takes.

#[path = "../tests/common/mod.rs"]
mod common;

use onetrip_model::access::Role;

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let port = arguments.next().unwrap_or_else(|| "8080".to_owned());
    let api = common::start().await;
    if let Some(path) = arguments.next() {
        let staff = common::STAFF.map(|(name, role, _, _): (_, Role, _, _)| {
            serde_json::json!({ "sign_in": name, "password": common::PASSWORD, "role": role.as_str(), "name": name })
        });
        std::fs::write(path, serde_json::json!(staff).to_string()).expect("the file of the sign-ins");
    }
    let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{port}"))
        .await
        .expect("a free port");
    println!("http://127.0.0.1:{port}/api/docs");
    axum::serve(listener, api.router.clone()).await.expect("serving");
}
