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
