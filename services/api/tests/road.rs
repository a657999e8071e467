//! The straight road of a case, by the API alone.

mod common;

use axum::http::Method;
use common::{Answer, COMMUNITY, TestApi, URBAN, filing, png, start};
use onetrip_evidence::{Receipt, Sealer, Shown, VerifierKey};
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};

/// One side of a case: a bearer token, or the case's secret.
enum Side<'a> {
    Staff(&'a str),
    Resident(&'a str),
}

async fn act(api: &TestApi, side: &Side<'_>, number: &str, version: u64, body: Value) -> Answer {
    let call = api
        .post(format!("/api/v1/cases/{number}/acts"), &body)
        .with("if-match", &format!("\"{version}\""));
    match side {
        Side::Staff(token) => call.bearer(token),
        Side::Resident(secret) => call.with("x-onetrip-secret", secret),
    }
    .send()
    .await
}

async fn case(api: &TestApi, side: &Side<'_>, number: &str) -> Answer {
    let call = api.get(format!("/api/v1/cases/{number}"));
    match side {
        Side::Staff(token) => call.bearer(token),
        Side::Resident(secret) => call.with("x-onetrip-secret", secret),
    }
    .send()
    .await
    .expect(200)
}

/// The receipt of a case that has just been filed, before and after it is sealed.
async fn receipts(api: &TestApi, number: &str, secret: &str) {
    let path = format!("/api/v1/cases/{number}/receipt");
    let receipt = async || {
        let call = api.get(&path).with("x-onetrip-secret", secret);
        call.send().await.expect(200)
    };
    api.get(&path).send().await.problem(401, "unauthenticated");
    let wrong = api
        .get(&path)
        .with("x-onetrip-secret", "0000-0000-0000-0000-0000-0000");
    wrong.send().await.problem(404, "not-found");
    let early = receipt().await.body;
    assert_eq!(early["proof"], Value::Null);
    let payload = early["event"]["payload"].as_str().unwrap();
    assert!(payload.contains(&number.replace('-', "")), "{payload}");
    assert!(!payload.contains("13800138000"), "{payload}");

    let key = api.get("/evidence/key").send().await.expect(200);
    let key = String::from_utf8(key.bytes).unwrap();
    let key = VerifierKey::parse(key.trim_end()).unwrap();
    let pool = api.casework.pool().clone();
    let sealer = Sealer::new(pool, Arc::clone(api.casework.signer()), Duration::ZERO);
    // Other tests hold the horizon of the server they share back for a while.
    let sealed = loop {
        sealer.catch_up(chrono::Utc::now).await.unwrap();
        let sealed = receipt().await;
        if !sealed.body["proof"].is_null() {
            break sealed;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    };
    let text = String::from_utf8(sealed.bytes).unwrap();
    let shown = Receipt::parse(&text).unwrap().check(&key).unwrap();
    assert!(matches!(shown, Shown::Sealed(_)), "{shown:?}");
    let heads = api.get("/evidence/heads").send().await.expect(200).body;
    assert_eq!(heads["heads"][0]["note"], sealed.body["proof"]["head"]);
    let before = format!("/evidence/heads?before={}", heads["heads"][0]["size"]);
    assert_eq!(api.get(before).send().await.expect(200).body["heads"], json!([]));
    api.get("/evidence/heads?before=0")
        .send()
        .await
        .problem(400, "bad-query");
}

#[tokio::test(flavor = "multi_thread")]
async fn from_filing_to_a_rating_of_five_with_a_redo() {
    let api = start().await;
    let (clerk, cadre, unit) = (
        api.sign_in("clerk").await,
        api.sign_in("cadre").await,
        api.sign_in("unit").await,
    );
    let (clerk, cadre, unit) = (Side::Staff(&clerk), Side::Staff(&cadre), Side::Staff(&unit));
    let visitor = "visitor-0123456789abcdefghij";

    let photo = api
        .call(Method::POST, "/api/v1/uploads")
        .with("x-onetrip-visitor", visitor);
    let photo = photo
        .with("content-type", "image/png")
        .bytes(png())
        .send()
        .await
        .expect(201);
    let mut body = filing("新闻路口");
    body["photos"] = json!([photo.body["id"]]);
    let filed = api
        .post("/api/v1/appeals", &body)
        .with("x-onetrip-visitor", visitor)
        .send()
        .await
        .expect(201);
    let number = filed.body["number"].as_str().unwrap();
    let secret = filed.body["secret"].as_str().unwrap();
    let resident = Side::Resident(secret);
    assert_eq!(filed.header("location"), format!("/api/v1/cases/{number}"));
    assert_eq!(filed.header("etag"), "\"1\"");
    assert_eq!(filed.body["joined"], false);
    assert_eq!(filed.body["next"]["first_receiver"]["code"], common::DESK);
    assert_eq!(filed.body["next"]["contact_due"]["count"], 24);
    assert_eq!(filed.body["next"]["result_due"]["unit"], "working_days");

    // The write is seen at once, each side with what is theirs to see.
    let seen = case(&api, &resident, number).await;
    assert_eq!(seen.header("etag"), "\"1\"");
    assert_eq!(seen.body["contact"]["phone"], "13800138000");
    assert_eq!(seen.body["words"]["words"], "路灯坏了一周");
    let picture = seen.body["timeline"][0]["photos"][0].as_str().unwrap();
    let path = format!("/api/v1/cases/{number}/photos/{picture}");
    let shown = api
        .get(&path)
        .with("x-onetrip-secret", secret)
        .send()
        .await
        .expect(200);
    assert_eq!(shown.header("content-type"), "image/jpeg");
    api.get(&path).send().await.problem(401, "unauthenticated");
    receipts(&api, number, secret).await;

    act(&api, &clerk, number, 1, json!({"act": "accept"}))
        .await
        .expect(200);
    act(&api, &clerk, number, 2, json!({"act": "assign", "unit": URBAN}))
        .await
        .expect(200);
    let contacted = json!({"act": "follow_up", "kind": "contact", "reached": true, "words": "已联系"});
    act(&api, &cadre, number, 3, contacted).await.expect(200);
    assert_eq!(case(&api, &unit, number).await.body["contact"], Value::Null);
    assert_eq!(case(&api, &cadre, number).await.body["contact"]["name"], "王小明");
    // The event names the person behind the case: only for who may know them.
    let receipt = format!("/api/v1/cases/{number}/receipt");
    for (side, status) in [(&cadre, 200), (&unit, 403)] {
        let Side::Staff(token) = side else { continue };
        api.get(&receipt).bearer(token).send().await.expect(status);
    }

    let ask = json!({"act": "request_materials", "items": [{"kind": "property_certificate"}]});
    act(&api, &unit, number, 4, ask.clone()).await.expect(200);
    let waiting = case(&api, &resident, number).await;
    assert_eq!(waiting.body["stage"], "awaiting_resident");
    assert_eq!(
        waiting.body["open_request"]["materials"],
        json!(["property_certificate"])
    );
    let answer = json!({"act": "answer_request", "handed_over": ["property_certificate"], "words": "给您"});
    act(&api, &resident, number, 5, answer).await.expect(200);
    let again = act(&api, &unit, number, 6, ask)
        .await
        .problem(409, "refusal/material-request-limit");
    assert!(again.body["title"].as_str().unwrap().contains("补过一次材料"));

    let no_proof = json!({"act": "give_result", "words": "修好了"});
    let refused = act(&api, &unit, number, 6, no_proof)
        .await
        .problem(409, "refusal/place-proof-missing");
    assert_eq!(refused.body["errors"][0]["field"], "place_proof");
    let result = json!({"act": "give_result", "words": "修好了", "why_no_photo": "夜间无法拍摄"});
    act(&api, &unit, number, 6, result.clone()).await.expect(200);

    let bad = json!({"act": "rate", "verdict": "not_solved", "score": 1, "reason": "还是不亮"});
    act(&api, &resident, number, 7, bad).await.expect(200);
    let redo = case(&api, &resident, number).await;
    assert_eq!(
        (&redo.body["stage"], &redo.body["rounds"]),
        (&json!("handling"), &json!(1))
    );
    let version = redo.body["version"].as_u64().unwrap();
    act(&api, &unit, number, version, result.clone())
        .await
        .problem(409, "refusal/somebody-else");
    act(&api, &cadre, number, version, result).await.expect(200);
    let good = json!({"act": "rate", "verdict": "solved", "score": 5});
    let closed = act(&api, &resident, number, version + 1, good).await.expect(200);
    assert_eq!(closed.header("etag"), format!("\"{}\"", closed.body["version"]));

    let done = case(&api, &resident, number).await;
    assert_eq!(
        (&done.body["stage"], &done.body["score"]),
        (&json!("closed"), &json!(5))
    );
    assert_eq!(done.body["holder"]["who"], "nobody");
    let timeline = done.body["timeline"].as_array().unwrap();
    let names: Vec<_> = timeline
        .iter()
        .map(|entry| entry["event"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        [
            "CaseSubmitted",
            "CaseAccepted",
            "CaseAssigned",
            "FollowUpRecorded",
            "MaterialsRequested",
            "MaterialsAnswered",
            "ResultGiven",
            "ResultRated",
            "CaseReopened",
            "ResultGiven",
            "ResultRated",
            "CaseClosed",
        ]
    );

    // The same matter once more: staff see how the two belong together, a resident of one learns nothing of the other.
    let refiled = api
        .post("/api/v1/appeals", &filing("新闻路口"))
        .send()
        .await
        .expect(201);
    let again = refiled.body["number"].as_str().unwrap();
    let secret = refiled.body["secret"].as_str().unwrap();
    assert_eq!(case(&api, &cadre, again).await.body["previous"], number);
    assert_eq!(
        case(&api, &Side::Resident(secret), again).await.body["previous"],
        json!(null)
    );
    let rows = |answer: &Answer| {
        let breaches = answer.body["run_once"]["breaches"].as_array().unwrap();
        breaches
            .iter()
            .filter(|breach| breach["row"] == "refiling")
            .count()
    };
    assert_eq!(rows(&case(&api, &cadre, number).await), 1);
    assert_eq!(rows(&case(&api, &resident, number).await), 0);
    let told = json!({"act": "withdraw", "reason": "算了"});
    act(&api, &resident, number, 12, told)
        .await
        .problem(409, "refusal/ended");
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_and_the_board_show_what_the_role_may_see() {
    let api = start().await;
    let clerk = api.sign_in("clerk").await;
    let mut numbers = Vec::new();
    for place in ["甲", "乙", "丙"] {
        let filed = api
            .post("/api/v1/appeals", &filing(place))
            .bearer(&clerk)
            .send()
            .await
            .expect(201);
        numbers.push(filed.body["number"].clone());
    }
    // Every case once, by pages of one.
    for list in [
        "/api/v1/cases?limit=1",
        "/api/v1/queue?limit=1&stage=submitted&kind=appeal&mine=unit",
    ] {
        let mut found = Vec::new();
        let mut address = list.to_owned();
        loop {
            let page = api.get(&address).bearer(&clerk).send().await.expect(200);
            found.extend(
                page.body["items"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|item| item["number"].clone()),
            );
            let Some(next) = page.body["next"].as_str() else {
                break;
            };
            address = format!("{list}&after={next}");
        }
        found.sort_by_key(Value::to_string);
        let mut expected = numbers.clone();
        expected.sort_by_key(Value::to_string);
        assert_eq!(found, expected, "{list}");
    }
    let mine = api
        .get("/api/v1/queue?mine=contact_district")
        .bearer(&api.sign_in("cadre").await)
        .send()
        .await;
    assert_eq!(mine.expect(200).body["count"], 3);
    let elsewhere = api.sign_in("elsewhere").await;
    assert_eq!(
        api.get("/api/v1/cases")
            .bearer(&elsewhere)
            .send()
            .await
            .expect(200)
            .body["items"],
        json!([])
    );

    let supervisor = api.sign_in("supervisor").await;
    let board = api
        .get("/api/v1/board?group_by=district&kind=appeal")
        .bearer(&supervisor)
        .send()
        .await
        .expect(200);
    assert_eq!(board.body["total"]["submitted"], 3);
    assert_eq!(
        board.body["total"]["run_once"],
        json!({"numerator": 0, "denominator": 0})
    );
    assert_eq!(board.body["groups"][0]["name"], "440304");
    let behind = "/api/v1/board/cases?figure=open&group_by=district&group=440304&limit=2";
    let behind = api.get(behind).bearer(&supervisor).send().await.expect(200);
    assert_eq!(
        (
            &behind.body["count"],
            behind.body["items"].as_array().unwrap().len()
        ),
        (&json!(3), 2)
    );
    let next = format!(
        "/api/v1/board/cases?figure=open&after={}",
        behind.body["next"].as_str().unwrap()
    );
    let rest = api.get(next).bearer(&supervisor).send().await.expect(200);
    assert_eq!(
        (rest.body["items"].as_array().unwrap().len(), &rest.body["next"]),
        (1, &Value::Null)
    );
    api.get("/api/v1/board")
        .bearer(&clerk)
        .send()
        .await
        .problem(403, "forbidden");
    let administrator = api.sign_in("administrator").await;
    api.get("/api/v1/queue")
        .bearer(&administrator)
        .send()
        .await
        .problem(403, "forbidden");
}

#[tokio::test(flavor = "multi_thread")]
async fn reference_data_is_what_forms_need() {
    let api = start().await;
    let cities = api.get("/api/v1/divisions").send().await.expect(200);
    assert_eq!(cities.body["items"][0]["code"], common::CITY);
    let inside = api
        .get(format!("/api/v1/divisions?parent={}", common::STREET))
        .send()
        .await
        .expect(200);
    assert_eq!(inside.body["items"][0]["code"], COMMUNITY);
    api.get("/api/v1/divisions?parent=0000")
        .send()
        .await
        .problem(422, "validation");
    api.get("/api/v1/divisions?parent=")
        .send()
        .await
        .problem(400, "bad-query");
    let categories = api.get("/api/v1/categories").send().await.expect(200);
    let materials = api.get("/api/v1/materials").send().await.expect(200);
    for answer in [&categories, &materials] {
        for item in answer.body["items"].as_array().unwrap() {
            assert!(!item.to_string().contains(onetrip_i18n::MISSING_MARK), "{item}");
        }
    }
    assert_eq!(categories.body["items"][0]["name_en"], "Street lights");
    api.get("/api/v1/units")
        .send()
        .await
        .problem(401, "unauthenticated");
    let clerk = api.sign_in("clerk").await;
    let units = api.get("/api/v1/units").bearer(&clerk).send().await.expect(200);
    assert_eq!(units.body["items"].as_array().unwrap().len(), 2);
    let cadres = api
        .get("/api/v1/contact-cadres")
        .bearer(&clerk)
        .send()
        .await
        .expect(200);
    assert_eq!(cadres.body["items"][0]["name"], "cadre");
}
