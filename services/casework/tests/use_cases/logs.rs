//! Nothing that was said, and no secret, comes into a log line, a metric or an error.

use crate::common::*;
use onetrip_casework::{ActInput, MaterialInput, NewCase, NewStaff};
use onetrip_model::{
    Channel,
    access::Role,
    case::{FollowUpKind, RunOnceLimit, Verdict},
};
use onetrip_testkit::{CADRE, CLERK, HANDLER, SAFETY, SAFETY_HANDLER, STREET, SUPERVISOR, at};
use std::{
    io::Write,
    sync::{Arc, Mutex},
};
use tracing_subscriber::fmt::MakeWriter;

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Lines {
    type Writer = Lines;

    fn make_writer(&self) -> Lines {
        self.clone()
    }
}

fn canary(what: &str) -> String {
    format!("canary {what}")
}

#[tokio::test]
async fn words_names_phones_passwords_and_secrets_stay_out_of_the_logs() {
    let lines = Lines::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(lines.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    tracing::info!("the subscriber listens");

    let world = world().await;
    let new = NewCase {
        words: canary("words"),
        place_words: Some(canary("place")),
        name: Some(canary("name")),
        phone: Some("13987654321".to_owned()),
        photos: vec![world.take_photo(VISITOR, crate::photos::jpeg()).await.unwrap().id],
        ..street_light("")
    };
    let submitted = world.file(new.clone(), &key("1")).await.unwrap();
    world
        .file(
            NewCase {
                photos: Vec::new(),
                ..new
            },
            &key("2"),
        )
        .await
        .unwrap();
    let resident = world.resident_of(&submitted).await;
    let number = &submitted.number;
    let reason = || canary("reason");
    let journey = [
        (staff_actor(CLERK), ActInput::Accept {}),
        (staff_actor(CADRE), assign()),
        (
            staff_actor(HANDLER),
            ActInput::OfferHandOver {
                to: SAFETY.to_owned(),
                reason: reason(),
            },
        ),
        (
            staff_actor(SAFETY_HANDLER),
            ActInput::ReturnHandOver { reason: reason() },
        ),
        (
            staff_actor(CADRE),
            ActInput::FollowUp {
                kind: FollowUpKind::Contact,
                reached: true,
                words: canary("talk"),
            },
        ),
        (
            staff_actor(HANDLER),
            ActInput::AskTrip {
                to_place: canary("to"),
                reason: reason(),
            },
        ),
        (
            staff_actor(SUPERVISOR),
            ActInput::WaiveLimit {
                limit: RunOnceLimit::Trip,
                reason: reason(),
            },
        ),
        (
            staff_actor(HANDLER),
            ActInput::RequestMaterials {
                items: vec![MaterialInput {
                    kind: "other".to_owned(),
                    words: Some(canary("item")),
                }],
            },
        ),
        (
            resident.clone(),
            ActInput::AnswerRequest {
                handed_over: Vec::new(),
                words: canary("answer"),
                photos: Vec::new(),
            },
        ),
        (
            staff_actor(HANDLER),
            ActInput::GiveResult {
                words: canary("result"),
                photos: Vec::new(),
                after_photo: None,
                why_no_photo: Some(canary("why")),
                promise: None,
            },
        ),
        (
            resident.clone(),
            ActInput::Rate {
                verdict: Verdict::NotSolved,
                score: 1,
                reason: Some(reason()),
            },
        ),
    ];
    let mut errors = String::new();
    for (actor, act) in journey {
        world.do_act(&actor, number, act.clone()).await.unwrap();
        // Again, which mostly is refused, and by somebody who may not.
        for actor in [actor, staff_actor(SAFETY_HANDLER)] {
            if let Err(error) = world.do_act(&actor, number, act.clone()).await {
                errors.push_str(&format!("{error} {error:?}"));
            }
        }
    }
    world.settle_all().await;
    world.case(&resident, number).await.unwrap();
    world
        .do_act(&resident, number, ActInput::Withdraw { reason: reason() })
        .await
        .unwrap();
    world.set(at("2026-03-20 09:00"));
    world.settle_all().await;

    let account = NewStaff {
        id: onetrip_model::StaffId(uuid::Uuid::from_u128(77)),
        sign_in: "wang".to_owned(),
        name: "王伟".to_owned(),
        name_en: "Wang Wei".to_owned(),
        role: Role::Clerk,
        area: STREET.into(),
        unit: None,
        password: canary("password"),
    };
    world.put_staff(account).await.unwrap();
    let token = world.sign_in("wang", &canary("password")).await.unwrap();
    world.session(&token).await.unwrap().unwrap();
    let _ = world.sign_in(&canary("nobody"), &canary("wrong")).await;
    let owner = world.owner_of_visitor(&canary("cookie"));
    world
        .keep_draft(&owner, onetrip_model::CaseKind::Appeal, &canary("draft"))
        .await
        .unwrap();
    let too_long = NewCase {
        words: canary("long").repeat(1_000),
        ..street_light("13987654321")
    };
    let refused = world
        .submit(
            &resident,
            onetrip_model::CaseKind::Appeal,
            too_long,
            Channel::Portal,
            VISITOR,
            &key("3"),
        )
        .await;
    errors.push_str(&format!("{refused:?}"));

    let logged = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    assert!(logged.contains("the subscriber listens"));
    let metrics = prometheus::TextEncoder::new()
        .encode_to_string(&world.metrics.gather())
        .unwrap();
    assert!(metrics.contains("onetrip_commands_total"));
    let secret = submitted.secret.as_ref().unwrap().to_string();
    for hidden in [
        "canary",
        "13987654321",
        secret.as_str(),
        &secret.replace('-', ""),
        token.as_str(),
    ] {
        for (place, text) in [("log", &logged), ("metrics", &metrics), ("errors", &errors)] {
            if let Some(found) = text.find(hidden) {
                let from = text.floor_char_boundary(found.saturating_sub(200));
                panic!(
                    "{hidden} in the {place}: {}",
                    &text[from..text.ceil_char_boundary(found + 100)]
                );
            }
        }
    }
}
