//! Nothing personal and no free text lies open in the database; deleting a key leaves the log readable and silent.

use crate::common::*;
use cqrs_es::EventStore;
use onetrip_event_log::{LogError, LogStore, Pool, VaultError};
use onetrip_model::{CaseAct, CaseFact, Subject, case::*};
use onetrip_testkit::{CADRE, SAFETY, URBAN, ask, photo, submission_of};

const CANARY: &str = "canary";

/// A command for every private field there is, each filled with a canary.
fn journey() -> Vec<CaseAct> {
    let say = |field: &str| format!("{CANARY} {field}");
    let mut new = submission_of(1);
    new.words = say("words");
    new.place_words = Some(say("place"));
    new.contact = Some(Contact {
        name: Some(say("name")),
        phone: say("phone"),
    });
    let described = MaterialAsk {
        kind: "other".to_owned(),
        words: Some(say("item")),
    };
    let result = |place_proof| CaseAct::GiveResult {
        words: say("result"),
        evidence: vec![photo(1)],
        place_proof,
        promise: None,
    };
    vec![
        CaseAct::SubmitAppeal(new),
        supplement(&say("supplement")),
        CaseAct::Decline {
            next_owner: NextOwner::Unit(SAFETY.into()),
            reason: say("decline"),
        },
        CaseAct::ReturnHandOver {
            unit: SAFETY.into(),
            reason: say("return"),
        },
        CaseAct::Accept,
        CaseAct::Assign {
            unit: URBAN.into(),
            contact_cadre: Some(CADRE),
        },
        CaseAct::OfferHandOver {
            to: SAFETY.into(),
            reason: say("offer"),
        },
        CaseAct::TakeOver { unit: SAFETY.into() },
        CaseAct::FollowUp(FollowUp {
            kind: FollowUpKind::Contact,
            reached: true,
            words: say("follow-up"),
        }),
        CaseAct::AskTrip {
            to_place: say("to place"),
            reason: say("trip"),
        },
        CaseAct::WaiveLimit {
            limit: RunOnceLimit::Trip,
            reason: say("waiver"),
        },
        CaseAct::RequestMaterials {
            items: vec![ask("lease"), described],
            held: Vec::new(),
        },
        CaseAct::AnswerRequest {
            handed_over: vec!["lease".to_owned()],
            words: say("answer"),
            attachments: Vec::new(),
        },
        result(Some(PlaceProof::WhyNot(say("why not")))),
        CaseAct::Rate(Rating {
            verdict: Verdict::NotSolved,
            score: 1,
            reason: Some(say("rating")),
        }),
        result(Some(PlaceProof::AfterPhoto(photo(2)))),
        CaseAct::Rate(Rating {
            verdict: Verdict::Partly,
            score: 3,
            reason: Some(say("partly")),
        }),
        CaseAct::Reopen {
            reason: say("reopening"),
        },
        CaseAct::Withdraw {
            reason: say("withdrawal"),
        },
    ]
}

/// A second case, declined to an owner outside, for the reply of its closing.
fn declined() -> [CaseAct; 2] {
    let outside = NextOwner::Outside("法院".to_owned());
    [
        CaseAct::SubmitAppeal(submission_of(2)),
        CaseAct::Decline {
            next_owner: outside,
            reason: format!("{CANARY} reply"),
        },
    ]
}

async fn lived_through() -> Log {
    let log = log().await;
    for act in journey() {
        let told = format!("{act:?}");
        run(&log, &submission_of(1).case.to_string(), act)
            .await
            .unwrap_or_else(|error| panic!("{told}: {error}"));
    }
    for act in declined() {
        run(&log, &submission_of(2).case.to_string(), act).await.unwrap();
    }
    log
}

/// Every row of every table, as text.
async fn everything(pool: &Pool) -> String {
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname IN ('public', 'keys')",
    )
    .fetch_all(pool)
    .await
    .unwrap();
    let mut text = String::new();
    for table in tables {
        let rows: Vec<String> = sqlx::query_scalar(&format!("SELECT t::text FROM {table} t"))
            .fetch_all(pool)
            .await
            .unwrap();
        text.push_str(&rows.concat());
    }
    text
}

#[tokio::test]
async fn no_word_of_a_resident_or_of_staff_lies_open_in_any_table() {
    let log = lived_through().await;
    let text = everything(log.pool()).await;
    assert!(text.contains("CaseWithdrawn"), "the events were scanned");
    assert!(!text.contains("\"open\""));
    assert!(!text.contains(CANARY));
    let hex: String = CANARY.bytes().map(|byte| format!("{byte:02x}")).collect();
    assert!(!text.contains(&hex), "nor in a column of bytes");
}

#[tokio::test]
async fn the_journey_fills_every_private_field_and_each_can_be_opened() {
    let log = lived_through().await;
    let mut connection = log.pool().acquire().await.unwrap();
    let subjects = [1, 2].into_iter().flat_map(|n| {
        [
            Subject::Case(submission_of(n).case),
            Subject::Person(submission_of(n).person),
        ]
    });
    let opener = log.vault().opener(&mut connection, subjects).await.unwrap();
    let mut opened = 0;
    for n in [1, 2] {
        for envelope in LogStore(&log)
            .load_events(&submission_of(n).case.to_string())
            .await
            .unwrap()
        {
            let json = serde_json::to_value(&envelope.payload).unwrap();
            let mut private = Vec::new();
            collect(&json, &mut private);
            for sealed in private {
                let sealed: onetrip_model::Private<serde_json::Value> =
                    serde_json::from_value(sealed).unwrap();
                let plain = opener.open(&sealed).unwrap().expect("the key is there");
                opened += plain.to_string().matches(CANARY).count();
            }
        }
    }
    // One for every `say` above, "not solved" being also the reason of the reopening, and the reply.
    assert_eq!(opened, 23);
}

fn collect(json: &serde_json::Value, found: &mut Vec<serde_json::Value>) {
    match json {
        serde_json::Value::Object(fields) if fields.contains_key("$private") => found.push(json.clone()),
        serde_json::Value::Object(fields) => fields.values().for_each(|field| collect(field, found)),
        serde_json::Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
        _ => {}
    }
}

#[tokio::test]
async fn text_that_looks_like_a_sealed_value_is_only_text() {
    let log = log().await;
    let case = file(&log, 1).await;
    let forged = r#"{"$private":{"of":"case:00000000-0000-0000-0000-000000000001","open":"x"}}"#;
    run(&log, &case, supplement(forged)).await.unwrap();
    let subject = Subject::Case(submission_of(1).case);
    let opener = log
        .vault()
        .opener(&mut log.pool().acquire().await.unwrap(), [subject])
        .await
        .unwrap();
    let events = LogStore(&log).load_events(&case).await.unwrap();
    let CaseFact::SupplementAdded { words, .. } = &events[1].payload.fact else {
        panic!()
    };
    assert_eq!(opener.open(words).unwrap().as_deref(), Some(forged));
}

async fn erase(pool: &Pool, subject: Subject) {
    sqlx::query("UPDATE keys.data_keys SET wrapped = NULL, erased_at = now() WHERE subject = $1")
        .bind(subject.to_string())
        .execute(pool)
        .await
        .unwrap();
}

#[tokio::test]
async fn an_erased_key_leaves_the_log_readable_and_shows_nothing() {
    let log = lived_through().await;
    let case = submission_of(1).case;
    let before = log.load(&case.to_string()).await.unwrap();
    erase(log.pool(), Subject::Case(case)).await;
    assert_eq!(log.load(&case.to_string()).await.unwrap(), before);

    let (case_key, person_key) = (Subject::Case(case), Subject::Person(submission_of(1).person));
    let mut connection = log.pool().acquire().await.unwrap();
    let opener = log
        .vault()
        .opener(&mut connection, [case_key, person_key])
        .await
        .unwrap();
    let events = LogStore(&log).load_events(&case.to_string()).await.unwrap();
    let CaseFact::CaseSubmitted(submitted) = &events[0].payload.fact else {
        panic!()
    };
    assert_eq!(opener.open(&submitted.words).unwrap(), None);
    let contact = opener.open(submitted.contact.as_ref().unwrap()).unwrap();
    assert!(contact.is_some(), "the key of the person is another one");
}

#[tokio::test]
async fn nothing_is_written_open_for_want_of_an_erased_key() {
    let log = log().await;
    let case = file(&log, 1).await;
    let subject = Subject::Case(submission_of(1).case);
    erase(log.pool(), subject).await;
    let done = run(&log, &case, supplement("还有")).await;
    assert!(
        matches!(done, Err(LogError::Vault(VaultError::Erased(erased))) if erased == subject),
        "{done:?}"
    );
    assert_eq!(sequences(log.pool(), &case).await, [1]);
    run(&log, &case, CaseAct::Accept)
        .await
        .expect("what has no words goes on");
}

#[tokio::test]
async fn another_master_key_opens_nothing() {
    let log = lived_through().await;
    let other =
        onetrip_event_log::Vault::new(&onetrip_event_log::MasterKey::from_hex(&"08".repeat(32)).unwrap());
    let subject = Subject::Case(submission_of(1).case);
    let opened = other
        .opener(&mut log.pool().acquire().await.unwrap(), [subject])
        .await;
    assert!(matches!(opened, Err(VaultError::DoesNotOpen)));
}

/// Two cases of one person at once: one of the two makes the person's key, the other takes it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_two_appends_need_at_once_is_made_once() {
    let log = log().await;
    let person = submission_of(1).person;
    for round in 0..20 {
        let file = |n: u32| {
            let (log, mut new) = (log.clone(), submission_of(n));
            new.person = person;
            tokio::spawn(
                async move { run(&log, &new.case.to_string(), CaseAct::SubmitAppeal(new.clone())).await },
            )
        };
        let (one, other) = (file(round * 2 + 1), file(round * 2 + 2));
        one.await.unwrap().unwrap();
        other.await.unwrap().unwrap();
    }
    let keys: i64 = sqlx::query_scalar("SELECT count(*) FROM keys.data_keys WHERE subject LIKE 'person:%'")
        .fetch_one(log.pool())
        .await
        .unwrap();
    assert_eq!(keys, 1);
}
