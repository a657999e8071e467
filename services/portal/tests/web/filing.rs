use crate::browser::{file, site};
use axum::http::StatusCode;

#[tokio::test]
async fn who_has_filed_gets_number_and_secret_however_late_the_read_models_are() {
    let site = site().await;
    let mut browser = site.browser();
    let sent = file(&mut browser, "Hongli Road").await;
    assert_eq!(sent.status, StatusCode::SEE_OTHER, "{}", sent.html);
    let page = browser.get(sent.location()).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.html.contains("id=\"code-number\""), "{}", page.html);
    assert!(page.html.contains("id=\"code-secret\""), "{}", page.html);
    assert!(page.html.contains("will appear here shortly"), "{}", page.html);

    let _following = site.follow().await;
    let mut again = site.browser();
    let sent = file(&mut again, "Lianhua Road").await;
    let page = again.get(sent.location()).await;
    assert!(page.html.contains("Lianhua desk"), "{}", page.html);
    assert!(!page.html.contains("will appear here shortly"), "{}", page.html);
}

#[tokio::test]
async fn who_has_filed_can_take_a_receipt_home_and_nobody_else() {
    let site = site().await;
    let mut browser = site.browser();
    let sent = file(&mut browser, "Hongli Road").await;
    let page = browser.get(sent.location()).await;
    let link = page
        .html
        .split("href=\"")
        .find(|part| part.contains("/receipt\""))
        .unwrap();
    let link = link.split('"').next().unwrap();
    let answer = browser.get(link).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.html);
    let receipt: serde_json::Value = serde_json::from_str(&answer.html).unwrap();
    assert_eq!(receipt["format"], "onetrip-receipt/1");
    assert_eq!(receipt["event"]["event_type"], "CaseSubmitted");
    assert!(receipt["proof"].is_null());
    assert!(
        !answer.html.contains("13800138000"),
        "nothing private lies open in it"
    );
    let stranger = site.browser().get(link).await;
    assert_ne!(stranger.status, StatusCode::OK);
}
