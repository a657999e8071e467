use crate::browser::{Browser, Site, URBAN, file, site};
use axum::http::StatusCode;
use onetrip_casework::{ActInput, MaterialInput};
use onetrip_model::{CaseNumber, Channel, access::Actor};
use uuid::Uuid;

fn png() -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    image::DynamicImage::new_rgb8(8, 8)
        .write_to(&mut bytes, image::ImageFormat::Png)
        .unwrap();
    bytes.into_inner()
}

async fn act(site: &Site, number: &CaseNumber, input: ActInput) {
    let done = site.casework.act(
        &Actor::Service,
        number,
        input,
        Channel::Service,
        "test",
        None,
        None,
    );
    let written = done.await.unwrap().cursor.unwrap();
    while !site.casework.settle(written).await {}
}

/// A case in the hands of the urban office.
async fn handled(site: &Site) -> CaseNumber {
    let sent = file(&mut site.browser(), "Hongli Road").await;
    let number: CaseNumber = sent.location().rsplit('/').next().unwrap().parse().unwrap();
    act(site, &number, ActInput::Accept {}).await;
    let assign = ActInput::Assign {
        unit: URBAN.to_owned(),
        contact_cadre: Some(Uuid::from_u128(2)),
    };
    act(site, &number, assign).await;
    number
}

/// The page of a case with an act's form on it: version and key of the form.
async fn form(browser: &mut Browser, number: &CaseNumber) -> (String, String) {
    let page = browser.get(&format!("/staff/case/{}", number.digits())).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.html);
    (page.value("version"), page.value("idempotency_key"))
}

#[tokio::test]
async fn a_clerk_hands_over_number_and_secret_and_follows_nothing() {
    let site = site().await;
    let mut browser = site.signed_in("clerk").await;
    let page = browser.get("/staff/file/appeal").await;
    let key = page.value("idempotency_key");
    let typed = [
        ("idempotency_key", key.as_str()),
        ("category", "street_lights"),
        ("text", "The lamp is out."),
        ("street", crate::browser::STREET),
        ("place", "Hongli Road"),
        ("act", "send"),
    ];
    let back = browser
        .post_files("/staff/file/appeal", &typed, &[("photo", png())])
        .await;
    assert_eq!(back.status, StatusCode::UNPROCESSABLE_ENTITY);
    let kept = back.value("kept_photo");
    let photo = browser.get(&format!("/staff/photo/{kept}")).await;
    assert_eq!(
        photo.status,
        StatusCode::OK,
        "the photo is shown to who handed it in"
    );

    let mut typed = typed.to_vec();
    typed.extend([("phone", "13800138000"), ("kept_photo", kept.as_str())]);
    let filed = browser.post("/staff/file/appeal", &typed).await;
    assert_eq!(filed.status, StatusCode::OK, "{}", filed.html);
    assert!(filed.html.contains("id=\"code-secret\""), "{}", filed.html);
    assert!(!browser.cookies.contains_key("follow"));
    let attached: i64 = sqlx::query_scalar("SELECT count(*) FROM attachments")
        .fetch_one(&site.database.pool)
        .await
        .unwrap();
    assert_eq!(attached, 1);
    let secret = |html: &str| {
        let rest = html.split("id=\"code-secret\">").nth(1).unwrap_or_default();
        rest.split('<').next().unwrap_or_default().to_owned()
    };
    let again = browser.post("/staff/file/appeal", &typed).await;
    assert_eq!(secret(&again.html), secret(&filed.html), "sent again by a reload");
}

#[tokio::test]
async fn a_result_that_comes_back_keeps_its_photos() {
    let site = site().await;
    let _following = site.follow().await;
    let number = handled(&site).await;
    let address = format!("/staff/case/{}/result", number.digits());
    let mut browser = site.signed_in("unit").await;
    let (version, key) = form(&mut browser, &number).await;
    let typed = [("version", version.as_str()), ("idempotency_key", key.as_str())];
    let files = [("after_photo", png()), ("evidence", png())];
    let back = browser.post_files(&address, &typed, &files).await;
    assert_eq!(back.status, StatusCode::UNPROCESSABLE_ENTITY);
    let (evidence, after) = (back.value("kept_photo"), back.value("kept_after_photo"));
    assert!(!evidence.is_empty() && !after.is_empty(), "{}", back.html);

    // Somebody else was faster: the photos come along to the page about it.
    let supplement = ActInput::AddSupplement {
        words: "Still out.".to_owned(),
        photos: Vec::new(),
    };
    act(&site, &number, supplement).await;
    let key = back.value("idempotency_key");
    let typed = [
        ("version", version.as_str()),
        ("idempotency_key", key.as_str()),
        ("words", "Mended."),
        ("kept_photo", evidence.as_str()),
        ("kept_after_photo", after.as_str()),
    ];
    let conflict = browser.post(&address, &typed).await;
    assert_eq!(conflict.status, StatusCode::CONFLICT, "{}", conflict.html);
    assert!(conflict.html.contains("Mended."), "{}", conflict.html);
    assert_eq!(conflict.value("kept_photo"), evidence);
    assert_eq!(conflict.value("kept_after_photo"), after);
    let (version, key) = (conflict.value("version"), conflict.value("idempotency_key"));
    let mut typed = typed;
    typed[0].1 = &version;
    typed[1].1 = &key;
    let sent = browser.post(&address, &typed).await;
    assert_eq!(sent.status, StatusCode::SEE_OTHER, "{}", sent.html);
    let left: i64 = sqlx::query_scalar("SELECT count(*) FROM uploads")
        .fetch_one(&site.database.pool)
        .await
        .unwrap();
    assert_eq!(left, 0, "both photos are in the case");
}

#[tokio::test]
async fn a_refusal_of_no_field_comes_with_what_was_written() {
    let site = site().await;
    let _following = site.follow().await;
    let number = handled(&site).await;
    let item = MaterialInput {
        kind: "identity".to_owned(),
        words: None,
    };
    act(&site, &number, ActInput::RequestMaterials { items: vec![item] }).await;
    let mut browser = site.signed_in("unit").await;
    let (version, _) = form(&mut browser, &number).await;
    let typed = [
        ("version", version.as_str()),
        ("idempotency_key", "one-key"),
        ("items", "lease"),
        ("words_lease", "The page with the address."),
    ];
    let address = format!("/staff/case/{}/materials", number.digits());
    let refused = browser.post(&address, &typed).await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    assert!(refused.html.contains("id=\"errors\""), "{}", refused.html);
    assert!(
        refused.html.contains("The page with the address."),
        "{}",
        refused.html
    );
}

#[tokio::test]
async fn after_signing_in_everybody_comes_to_a_page_they_may_see() {
    let site = site().await;
    let _following = site.follow().await;
    for name in ["clerk", "cadre", "unit", "supervisor", "administrator"] {
        let page = site.signed_in(name).await.get("/staff").await;
        assert_eq!(page.status, StatusCode::OK, "{name}: {}", page.html);
        assert!(page.html.contains(name), "{name}");
        assert_eq!(page.html.contains("Queue"), name != "administrator", "{name}");
    }
}
