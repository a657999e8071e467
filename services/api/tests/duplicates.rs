//! Possible duplicates, by the API.

mod common;

use common::{COMMUNITY, filing, start};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn who_is_about_to_report_the_same_is_told_no_number_and_no_words() {
    let api = start().await;
    // Who has lists waits until they show it.
    let clerk = api.sign_in("clerk").await;
    let filed = api
        .post("/api/v1/appeals", &filing("莲花路 1 号"))
        .bearer(&clerk)
        .send()
        .await
        .expect(201);
    let number = filed.body["number"].as_str().unwrap();
    let draft = json!({
        "kind": "appeal", "category": "street_lights", "words": "路灯坏了一周，没人修", "division": COMMUNITY,
        "place_words": "莲花路1号",
    });
    let answer = api
        .post("/api/v1/possible-duplicates", &draft)
        .send()
        .await
        .expect(200);
    let items = answer.body["items"].as_array().unwrap();
    let members: Vec<&String> = items[0].as_object().unwrap().keys().collect();
    assert_eq!(
        members,
        ["category", "division", "filed_on", "progress", "ticket"]
    );
    assert_eq!(items.len(), 1);

    let path = format!("/api/v1/cases/{number}/possible-duplicates");
    api.get(&path).send().await.problem(401, "unauthenticated");
    let resident = api
        .get(&path)
        .with("x-onetrip-secret", filed.body["secret"].as_str().unwrap());
    resident.send().await.problem(401, "unauthenticated");
    let of_case = api.get(&path).bearer(&clerk).send().await.expect(200);
    assert_eq!(of_case.body["items"], json!([]), "it is no duplicate of itself");
    let elsewhere = api.sign_in("elsewhere").await;
    api.get(&path)
        .bearer(&elsewhere)
        .send()
        .await
        .problem(404, "not-found");
}
