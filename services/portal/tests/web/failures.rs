use crate::browser::{patient_site, site};
use axum::http::{StatusCode, header};
use std::time::Duration;

#[tokio::test]
async fn a_page_that_takes_too_long_says_so_in_the_readers_language() {
    let site = patient_site(Duration::from_millis(50)).await;
    // Whose session it is cannot be looked up meanwhile.
    let mut held = site.database.pool.begin().await.unwrap();
    sqlx::query("LOCK TABLE sessions")
        .execute(&mut *held)
        .await
        .unwrap();
    let mut browser = site.browser();
    browser
        .cookies
        .insert("session".to_owned(), "somebody".to_owned());
    let answer = browser.get("/staff/board").await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.headers[header::RETRY_AFTER], "5");
    assert!(answer.html.contains("<html lang=\"en\""), "{}", answer.html);
    let id = answer.headers["x-request-id"].to_str().unwrap();
    assert!(answer.html.contains(id), "{}", answer.html);
}

#[tokio::test]
async fn where_the_database_does_not_answer_staff_get_a_page_too() {
    let site = site().await;
    let signed_in = site.signed_in("cadre").await;
    let mut held = site.database.pool.begin().await.unwrap();
    sqlx::query("LOCK TABLE sessions")
        .execute(&mut *held)
        .await
        .unwrap();
    let mut browser = site.with_database_patience(Duration::from_millis(50)).browser();
    browser.cookies = signed_in.cookies;
    let answer = browser.get("/staff").await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(answer.html.contains("<h1>"), "{}", answer.html);
}
