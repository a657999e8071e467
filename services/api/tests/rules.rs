//! What holds for every caller: who they are, safe retries, no lost updates, one form of error.

mod common;

use axum::http::Method;
use common::{Answer, TestApi, URBAN, filing, png, start, start_patient};
use serde_json::{Value, json};
use std::time::Duration;

const VISITOR: &str = "visitor-0123456789abcdefghij";

async fn file(api: &TestApi, place: &str) -> (String, String) {
    let filed = api
        .post("/api/v1/appeals", &filing(place))
        .send()
        .await
        .expect(201);
    (
        filed.body["number"].as_str().unwrap().to_owned(),
        filed.body["secret"].as_str().unwrap().to_owned(),
    )
}

fn fields(answer: &Answer) -> Vec<&str> {
    answer.body["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| error["field"].as_str().unwrap())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_begin_and_end() {
    let api = start().await;
    let token = api.sign_in("clerk").await;
    let me = api.get("/api/v1/me").bearer(&token).send().await.expect(200);
    assert_eq!(
        (&me.body["role"], &me.body["unit"]["name_en"]),
        (&json!("clerk"), &json!("Lianhua desk"))
    );
    api.call(Method::DELETE, "/api/v1/sessions/current")
        .bearer(&token)
        .send()
        .await
        .expect(204);
    let ended = api
        .get("/api/v1/me")
        .bearer(&token)
        .send()
        .await
        .problem(401, "unauthenticated");
    assert!(ended.header("www-authenticate").starts_with("Bearer"));
    // A wrong token is an error also where none is needed.
    api.post("/api/v1/appeals", &filing("丁"))
        .bearer("wrong")
        .send()
        .await
        .problem(401, "unauthenticated");

    let wrong = json!({"sign_in": "nobody", "password": "wrong"});
    for _ in 0..5 {
        api.post("/api/v1/sessions", &wrong)
            .send()
            .await
            .problem(401, "unauthenticated");
    }
    let waits = api
        .post("/api/v1/sessions", &wrong)
        .send()
        .await
        .problem(429, "too-many");
    assert_eq!(waits.header("retry-after"), "300");
    let empty = api
        .post("/api/v1/sessions", &json!({"sign_in": "", "password": ""}))
        .send()
        .await;
    assert_eq!(fields(&empty.problem(422, "validation")), ["sign_in", "password"]);
    let hidden = json!({"sign_in": "a\u{0}", "password": "b"});
    api.post("/api/v1/sessions", &hidden)
        .send()
        .await
        .problem(400, "bad-json");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_is_answered_with_the_same_bytes() {
    let api = start().await;
    let send = |key: &'static str, body: Value| {
        api.post("/api/v1/appeals", &body)
            .with("idempotency-key", key)
            .with("x-onetrip-visitor", VISITOR)
            .send()
    };
    let first = send("one", filing("戊")).await.expect(201);
    let number = first.body["number"].as_str().unwrap();
    // However far the case has come by then.
    let clerk = api.sign_in("clerk").await;
    let acts = format!("/api/v1/cases/{number}/acts");
    let accept = || {
        let call = api
            .post(&acts, &json!({"act": "accept"}))
            .bearer(&clerk)
            .with("if-match", "\"1\"");
        call.with("idempotency-key", "two").send()
    };
    let accepted = accept().await.expect(200);
    let again = send("one", filing("戊")).await.expect(201);
    assert_eq!(again.bytes, first.bytes);
    assert_eq!(
        (again.header("location"), again.header("etag")),
        (first.header("location"), "\"1\"")
    );
    assert_eq!(accept().await.expect(200).bytes, accepted.bytes);

    send("one", filing("己"))
        .await
        .problem(422, "idempotency-key-reused");
    let other_path = api
        .post("/api/v1/suggestions", &filing("戊"))
        .with("idempotency-key", "one");
    other_path
        .with("x-onetrip-visitor", VISITOR)
        .send()
        .await
        .problem(422, "idempotency-key-reused");
    // Somebody else's key of the same name is another key.
    let other = api
        .post("/api/v1/appeals", &filing("庚"))
        .with("idempotency-key", "one")
        .with("x-onetrip-visitor", "somebody-else-s-visitor-token")
        .send()
        .await
        .expect(201);
    assert_ne!(other.body["number"], first.body["number"]);

    // Without a token of one's own the key has to be one that nobody else draws.
    let guessable = api
        .post("/api/v1/appeals", &filing("庚"))
        .with("idempotency-key", "one")
        .send()
        .await;
    guessable.problem(400, "idempotency-key-malformed");

    let missing = api
        .post("/api/v1/appeals", &filing("辛"))
        .with("idempotency-key", "")
        .send()
        .await;
    missing.problem(400, "idempotency-key-missing");
    let long = "k".repeat(256);
    let long = api
        .post("/api/v1/appeals", &filing("辛"))
        .with("idempotency-key", &long)
        .send()
        .await;
    long.problem(400, "idempotency-key-malformed");
    let odd = api
        .post("/api/v1/appeals", &filing("辛"))
        .with("idempotency-key", "a\tb")
        .send()
        .await;
    odd.problem(400, "idempotency-key-malformed");
    let fits = "k".repeat(255);
    api.post("/api/v1/appeals", &filing("辛"))
        .with("idempotency-key", &fits)
        .send()
        .await
        .expect(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_sends_of_one_key_make_one_case() {
    let api = std::sync::Arc::new(start().await);
    let mut sends = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let api = api.clone();
        sends.spawn(async move {
            let call = api
                .post("/api/v1/appeals", &filing("壬"))
                .with("idempotency-key", "once-and-never-again-0001");
            call.send().await.expect(201).bytes
        });
    }
    let answers = sends.join_all().await;
    assert!(answers.iter().all(|bytes| *bytes == answers[0]));
    let mut connection = api.database.pool.acquire().await.unwrap();
    assert_eq!(onetrip_event_log::count(&mut connection).await.unwrap(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_matter_joins_the_open_case() {
    let api = start().await;
    let first = api
        .post("/api/v1/appeals", &filing("癸"))
        .send()
        .await
        .expect(201);
    let second = api
        .post("/api/v1/appeals", &filing("癸"))
        .send()
        .await
        .expect(201);
    assert_eq!(
        (&second.body["joined"], &second.body["version"]),
        (&json!(true), &json!(2))
    );
    assert_eq!(second.body["number"], first.body["number"]);
    // Whoever knows a phone number and a matter must not come to a secret.
    assert_eq!(
        (&second.body["secret"], &second.body["next"]["result_due"]),
        (&Value::Null, &Value::Null)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_submission_says_what_happens_next_before_any_read_model_knows_of_it() {
    let api = start().await;
    // Whoever follows the log waits for this transaction.
    let mut held = api.database.pool.begin().await.unwrap();
    sqlx::query("SELECT pg_current_xact_id()")
        .execute(&mut *held)
        .await
        .unwrap();
    let filed = api
        .post("/api/v1/appeals", &filing("寅"))
        .send()
        .await
        .expect(201);
    let folded: i64 = sqlx::query_scalar("SELECT count(*) FROM case_files")
        .fetch_one(&api.database.pool)
        .await
        .unwrap();
    assert_eq!(folded, 0);
    assert_eq!(filed.body["next"]["first_receiver"]["code"], common::DESK);
    assert!(filed.body["next"]["result_due"].is_object(), "{}", filed.body);
    held.rollback().await.unwrap();
    let number = filed.body["number"].as_str().unwrap();
    api.get(format!("/api/v1/cases/{number}"))
        .with("x-onetrip-secret", filed.body["secret"].as_str().unwrap())
        .send()
        .await
        .expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_says_which_version_it_was_decided_on() {
    let api = start().await;
    let (number, _) = file(&api, "子").await;
    let clerk = api.sign_in("clerk").await;
    let acts = format!("/api/v1/cases/{number}/acts");
    let accept = |tag: &'static str| {
        api.post(&acts, &json!({"act": "accept"}))
            .bearer(&clerk)
            .with("if-match", tag)
            .send()
    };
    accept("").await.problem(428, "version-needed");
    accept("*").await.problem(428, "version-needed");
    for odd in [
        "1",
        "\"1\", \"2\"",
        "\"x\"",
        "\"\"",
        "\"-1\"",
        "\"9999999999999999999\"",
    ] {
        accept(odd).await.problem(400, "version-malformed");
    }
    let stale = accept("\"7\"").await.problem(412, "conflict");
    assert_eq!(
        (&stale.body["newest_version"], stale.header("etag")),
        (&json!(1), "\"1\"")
    );
    // A proxy that compresses weakens the tag.
    accept("W/\"1\"").await.expect(200);
    let stale = accept("\"1\"").await.problem(412, "conflict");
    assert_eq!(stale.body["newest_version"], 2);
    let no_key = api
        .post(&acts, &json!({"act": "accept"}))
        .bearer(&clerk)
        .with("if-match", "\"2\"");
    no_key
        .with("idempotency-key", "")
        .send()
        .await
        .problem(400, "idempotency-key-missing");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_case_is_one_that_is_not_there() {
    let api = start().await;
    let (number, secret) = file(&api, "丑").await;
    let (_, other_secret) = file(&api, "寅").await;
    let path = format!("/api/v1/cases/{number}");
    let elsewhere = api.sign_in("elsewhere").await;
    let unit = api.sign_in("unit").await;
    let supervisor = api.sign_in("supervisor-elsewhere").await;
    let none = "/api/v1/cases/0000-0000-0001";
    let strip = |answer: Answer| {
        let mut body = answer.problem(404, "not-found").body;
        body.as_object_mut().unwrap().remove("request_id");
        body
    };
    let unknown = strip(api.get(none).with("x-onetrip-secret", &secret).send().await);
    assert_eq!(
        strip(
            api.get(&path)
                .with("x-onetrip-secret", &other_secret)
                .send()
                .await
        ),
        unknown
    );
    assert_eq!(
        strip(
            api.get(&path)
                .with("x-onetrip-secret", "")
                .with("x-onetrip-secret", "x")
                .send()
                .await
        ),
        unknown
    );
    for token in [&elsewhere, &unit, &supervisor] {
        assert_eq!(strip(api.get(&path).bearer(token).send().await), unknown);
        let act = api
            .post(format!("{path}/acts"), &json!({"act": "accept"}))
            .bearer(token);
        assert_eq!(strip(act.with("if-match", "\"1\"").send().await), unknown);
        let photo = format!("{path}/photos/00000000-0000-0000-0000-000000000001");
        assert_eq!(strip(api.get(photo).bearer(token).send().await), unknown);
    }
    for malformed in [
        "/api/v1/cases/12",
        "/api/v1/cases/8271-5590-3316",
        "/api/v1/cases/%00",
        "/api/v1/cases/%ff",
    ] {
        api.get(malformed)
            .bearer(&elsewhere)
            .send()
            .await
            .problem(404, "not-found");
    }
    // The secret as people type it.
    let typed = secret.to_lowercase().replace('-', " ");
    api.get(&path)
        .with("x-onetrip-secret", &typed)
        .send()
        .await
        .expect(200);
    // A resident does what is theirs, and nothing else.
    let accept = api
        .post(format!("{path}/acts"), &json!({"act": "accept"}))
        .with("x-onetrip-secret", &secret);
    accept
        .with("if-match", "\"1\"")
        .send()
        .await
        .problem(403, "forbidden");
}

#[tokio::test(flavor = "multi_thread")]
async fn fields_are_named_in_the_callers_language() {
    let api = start().await;
    let bad =
        json!({"category": "", "words": " ", "division": "4403", "phone": "12", "name": "长".repeat(51)});
    let send = |language: &'static str| {
        api.post("/api/v1/appeals", &bad)
            .with("accept-language", language)
            .send()
    };
    let chinese = send("zh-CN").await.problem(422, "validation");
    let english = send("en-GB,en;q=0.9").await.problem(422, "validation");
    for answer in [&chinese, &english] {
        assert_eq!(fields(answer), ["words", "category", "division", "name", "phone"]);
    }
    assert_eq!(english.body["title"], "Some fields need changing");
    assert_eq!(
        english.body["errors"][4]["message"],
        "Check the phone number, for example 138 0013 8000 or 0755-8888 8888"
    );
    assert_eq!(english.header("content-language"), "en");
    assert_ne!(chinese.body["errors"], english.body["errors"]);
    for answer in [&chinese, &english] {
        assert!(
            !answer.body.to_string().contains(onetrip_i18n::MISSING_MARK),
            "{}",
            answer.body
        );
    }

    let mut surplus = filing("卯");
    surplus["colour"] = json!("red");
    assert_eq!(
        fields(
            &api.post("/api/v1/appeals", &surplus)
                .send()
                .await
                .problem(422, "validation")
        ),
        ["colour"]
    );
    let missing = api
        .post("/api/v1/appeals", &json!({"category": "noise"}))
        .send()
        .await
        .problem(422, "validation");
    assert_eq!(fields(&missing), ["words"]);
    let mut unknown = filing("辰");
    unknown["photos"] = json!(["00000000-0000-0000-0000-000000000001"]);
    assert_eq!(
        fields(
            &api.post("/api/v1/appeals", &unknown)
                .send()
                .await
                .problem(422, "validation")
        ),
        ["photos"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn every_error_has_one_form() {
    let api = start().await;
    let body = filing("巳");
    let text = api
        .post("/api/v1/appeals", &body)
        .with("content-type", "text/plain")
        .send()
        .await;
    text.problem(415, "unsupported-media-type");
    let broken = api
        .post("/api/v1/appeals", &body)
        .bytes(b"{\"category\": ".to_vec())
        .send()
        .await;
    broken.problem(400, "bad-json");
    let large = api
        .post("/api/v1/appeals", &body)
        .bytes(vec![b' '; onetrip_api::JSON_BYTES_MAX + 1])
        .send()
        .await;
    large.problem(413, "too-large");
    let token = api.sign_in("supervisor").await;
    for query in [
        "stage=none",
        "limit=0",
        "limit=101",
        "limit=x",
        "after=!",
        "colour=red",
        "limit=1&limit=2",
    ] {
        api.get(format!("/api/v1/cases?{query}"))
            .bearer(&token)
            .send()
            .await
            .problem(400, "bad-query");
    }
    // Cursors of another list, and one that the database could not hold.
    for after in [
        "WzFd",
        "WyIrMjYyMTQyLTAxLTAxVDAwOjAwOjAwWiIsIjAwMDAwMDAwLTAwMDAtMDAwMC0wMDAwLTAwMDAwMDAwMDAwMSJd",
    ] {
        api.get(format!("/api/v1/cases?after={after}"))
            .bearer(&token)
            .send()
            .await
            .problem(400, "bad-query");
    }
    for query in ["area=%00", "unit=", "from=yesterday", "group_by=person"] {
        api.get(format!("/api/v1/board?{query}"))
            .bearer(&token)
            .send()
            .await
            .problem(400, "bad-query");
    }
    api.get("/api/v1/board/cases?figure=open&group=x")
        .bearer(&token)
        .send()
        .await
        .problem(400, "bad-query");
}

#[tokio::test(flavor = "multi_thread")]
async fn uploads_belong_to_who_handed_them_in() {
    let api = start().await;
    let upload = |media_type: &str, bytes: Vec<u8>| {
        let call = api
            .call(Method::POST, "/api/v1/uploads")
            .with("content-type", media_type)
            .bytes(bytes);
        call.with("x-onetrip-visitor", VISITOR)
    };
    let taken = upload("application/octet-stream", png()).send().await.expect(201);
    let path = taken.header("location").to_owned();
    api.get(&path)
        .with("x-onetrip-visitor", VISITOR)
        .send()
        .await
        .expect(200);
    api.get(&path)
        .with("x-onetrip-visitor", "another-0123456789abcdefghij")
        .send()
        .await
        .problem(404, "not-found");
    api.get(&path).send().await.problem(401, "unauthenticated");
    api.get(&path)
        .with("x-onetrip-visitor", "short")
        .send()
        .await
        .problem(400, "visitor-malformed");
    upload("image/png", png())
        .with("x-onetrip-visitor", "")
        .send()
        .await
        .problem(401, "unauthenticated");
    upload("image/gif", png())
        .send()
        .await
        .problem(415, "unsupported-media-type");
    assert_eq!(
        fields(
            &upload("image/png", b"<svg/>".to_vec())
                .send()
                .await
                .problem(422, "validation")
        ),
        ["body"]
    );
    upload("image/png", vec![0; 12 * 1024 * 1024 + 1])
        .send()
        .await
        .problem(413, "too-large");
    let discard = || {
        api.call(Method::DELETE, &path)
            .with("x-onetrip-visitor", VISITOR)
            .send()
    };
    discard().await.expect(204);
    discard().await.expect(204);
    api.get(&path)
        .with("x-onetrip-visitor", VISITOR)
        .send()
        .await
        .problem(404, "not-found");
}

/// A photo named twice, or one that is somebody else's, is a fault of the field and not of the server.
#[tokio::test(flavor = "multi_thread")]
async fn a_photo_is_used_once() {
    let api = start().await;
    let (number, _) = file(&api, "午").await;
    let clerk = api.sign_in("clerk").await;
    let unit = api.sign_in("unit").await;
    let acts = format!("/api/v1/cases/{number}/acts");
    for (version, body) in [
        (1, json!({"act": "accept"})),
        (2, json!({"act": "assign", "unit": URBAN})),
    ] {
        let call = api
            .post(&acts, &body)
            .bearer(&clerk)
            .with("if-match", &format!("\"{version}\""));
        call.send().await.expect(200);
    }
    let upload = api
        .call(Method::POST, "/api/v1/uploads")
        .with("content-type", "image/png")
        .bytes(png());
    let photo = upload.bearer(&unit).send().await.expect(201).body["id"].clone();
    let give = |photos: Value, after: Value| {
        let body = json!({"act": "give_result", "words": "好了", "photos": photos, "after_photo": after});
        api.post(&acts, &body)
            .bearer(&unit)
            .with("if-match", "\"3\"")
            .send()
    };
    let twice = give(json!([photo]), photo.clone())
        .await
        .problem(422, "validation");
    assert_eq!(fields(&twice), ["photos"]);
    let foreign = give(json!(["00000000-0000-0000-0000-000000000001"]), Value::Null)
        .await
        .problem(422, "validation");
    assert_eq!(fields(&foreign), ["photos"]);
    give(json!([]), photo.clone()).await.expect(200);
}

#[tokio::test]
async fn an_answer_that_takes_too_long_is_a_problem_to_try_again_after() {
    let api = start_patient(Duration::from_millis(50)).await;
    // Whose token it is cannot be looked up meanwhile.
    let mut held = api.database.pool.begin().await.unwrap();
    sqlx::query("LOCK TABLE sessions")
        .execute(&mut *held)
        .await
        .unwrap();
    let answer = api.get("/api/v1/me").bearer("somebody").send().await;
    let answer = answer.problem(503, "unavailable");
    assert_eq!(answer.header("retry-after"), "2");
}
