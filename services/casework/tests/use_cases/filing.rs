use crate::common::*;
use async_trait::async_trait;
use onetrip_casework::{CaseworkError, Fault, NewCase, Secret, Text};
use onetrip_event_log::AppendHook;
use onetrip_model::{
    By, CaseAct, CaseCommand, CaseFact, CaseKind, CaseNumber, Channel, Refusal, access::Actor, case::Verdict,
};
use onetrip_testkit::{CLERK, DESK, DISTRICT, HANDLER, SUPERVISOR, URBAN, rating, unit};
use sqlx::PgConnection;
use tokio::sync::{oneshot, watch};

/// What was written into a case by filings, oldest first.
async fn told(world: &World, number: &CaseNumber) -> Vec<String> {
    let view = world
        .case(&Actor::Service, number)
        .await
        .expect("the case is shown");
    let filings = view.happenings.iter().filter(|happening| {
        matches!(
            happening.fact,
            CaseFact::CaseSubmitted(_)
                | CaseFact::SupplementAdded {
                    from_filing: true,
                    ..
                }
        )
    });
    filings
        .map(|happening| match &happening.texts[0].1 {
            Text::Words(words) => words.clone(),
            Text::Erased => panic!("nothing was erased"),
        })
        .collect()
}

/// Two clients, one resident, one matter, at the same instant, two hundred times.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_matter_filed_twice_at_once_is_one_case_and_nothing_is_lost() {
    let world = world().await;
    let mut numbers = Vec::new();
    for round in 0..200 {
        let phone = format!("139{round:08}");
        let file = |client: u8| {
            let (world, phone) = (world.clone(), phone.clone());
            let new = NewCase {
                words: format!("第 {client} 次说"),
                ..street_light(&phone)
            };
            tokio::spawn(async move { world.file(new, &key(&format!("{phone} {client}"))).await })
        };
        let (one, other) = (file(1), file(2));
        let (one, other) = (one.await.unwrap().unwrap(), other.await.unwrap().unwrap());
        assert_eq!(one.number, other.number, "round {round}");
        assert_ne!(one.joined, other.joined, "round {round}");
        for submitted in [&one, &other] {
            assert_eq!(
                submitted.secret.is_none(),
                submitted.joined,
                "who only knows phone and matter gets no secret"
            );
        }
        numbers.push(one.number);
    }
    world.settle_all().await;
    for number in &numbers {
        let mut told = told(&world, number).await;
        told.sort();
        assert_eq!(told, ["第 1 次说", "第 2 次说"]);
    }
    numbers.sort();
    numbers.dedup();
    assert_eq!(numbers.len(), 200);
    assert_eq!(world.count("run_once_cases").await, 200);
}

#[tokio::test]
async fn a_second_filing_joins_however_it_is_written() {
    let world = world().await;
    let first = world
        .file(street_light("138 0013 8000"), &key("1"))
        .await
        .unwrap();
    let place_words = Some("莲花北村１２栋，楼下".to_owned());
    let again = NewCase {
        place_words,
        phone: Some("+8613800138000".to_owned()),
        ..street_light("")
    };
    let second = world.file(again, &key("2")).await.unwrap();
    assert_eq!((second.number, second.joined), (first.number, true));
}

/// Anybody can file under anybody's phone number and keep the secret.
#[tokio::test]
async fn who_filed_first_is_not_shown_what_a_second_filing_says() {
    let world = world().await;
    let first = world.file(street_light("13800138000"), &key("1")).await.unwrap();
    let again = NewCase {
        words: "他们威胁我".to_owned(),
        ..street_light("13800138000")
    };
    assert!(world.file(again, &key("2")).await.unwrap().joined);
    world.settle_all().await;
    let shown = async |actor: &Actor| {
        let view = world.case(actor, &first.number).await.unwrap();
        let newest = view.happenings.last().unwrap();
        assert_eq!(newest.fact.name(), "SupplementAdded");
        newest.texts.len()
    };
    assert_eq!(shown(&world.resident_of(&first).await).await, 0);
    assert_eq!(shown(&staff_actor(CLERK)).await, 1);
}

#[tokio::test]
async fn another_matter_another_resident_and_an_unnamed_one_are_cases_of_their_own() {
    let world = world().await;
    let first = world.file(street_light("13800138000"), &key("1")).await.unwrap();
    let elsewhere = NewCase {
        place_words: Some("13 栋".to_owned()),
        ..street_light("13800138000")
    };
    for (new, request) in [
        (elsewhere, "2"),
        (street_light("13800138001"), "3"),
        (unnamed(), "4"),
        (unnamed(), "5"),
    ] {
        let other = world.file(new, &key(request)).await.unwrap();
        assert_ne!(other.number, first.number);
        assert!(!other.joined);
    }
}

#[tokio::test]
async fn a_case_goes_to_the_desk_of_its_street_and_to_its_contact_district() {
    let world = world().await;
    let submitted = world.file(street_light("13800138000"), &key("1")).await.unwrap();
    let (case, _) = world.log().load(&submitted.case.to_string()).await.unwrap();
    let filed = case.filed().unwrap();
    assert_eq!(filed.stage.unit(), &unit(DESK));
    assert_eq!(filed.contact_district, Some(DISTRICT.into()));
}

#[tokio::test]
async fn every_field_that_is_not_in_order_is_named_at_once() {
    let world = world().await;
    let new = NewCase {
        category: "love".to_owned(),
        words: " ".to_owned(),
        division: "4403".to_owned(),
        phone: Some("phone".to_owned()),
        photos: vec![uuid::Uuid::nil(); 5],
        ..street_light("")
    };
    let Err(CaseworkError::Invalid(faults)) = world.file(new, &key("1")).await else {
        panic!()
    };
    let named: Vec<_> = faults.iter().map(|fault| (fault.field, fault.fault)).collect();
    assert_eq!(
        named,
        [
            ("words", Fault::Missing),
            ("category", Fault::Unknown),
            ("division", Fault::Street),
            ("phone", Fault::Phone),
            ("photos", Fault::TooMany { max: 4 }),
        ]
    );
    assert_eq!(world.events().await.len(), 0);
}

#[tokio::test]
async fn only_clerks_and_cadres_file_for_a_resident() {
    let world = world().await;
    let file = async |actor: &Actor, request: &str| {
        world
            .submit(
                actor,
                CaseKind::Appeal,
                street_light("13800138000"),
                Channel::Counter,
                "staff",
                &key(request),
            )
            .await
    };
    assert!(matches!(
        file(&Actor::Visitor, "1").await,
        Err(CaseworkError::NotSignedIn)
    ));
    for id in [HANDLER, SUPERVISOR] {
        assert!(matches!(
            file(&staff_actor(id), "2").await,
            Err(CaseworkError::NotAllowed)
        ));
    }
    let submitted = file(&staff_actor(CLERK), "3").await.unwrap();
    world.settle_all().await;
    let view = world.case(&Actor::Service, &submitted.number).await.unwrap();
    assert!(matches!(&view.happenings[0].by, By::Staff { id, .. } if *id == CLERK));
}

mod number_and_secret {
    use super::*;

    #[tokio::test]
    async fn open_the_case_together() {
        let world = world().await;
        let submitted = world.file(street_light("13800138000"), &key("1")).await.unwrap();
        let shown = submitted.secret.as_ref().unwrap().to_string();
        let resident = world
            .resident(&submitted.number, &Secret::parse(&shown.to_lowercase()))
            .await
            .unwrap();
        assert!(matches!(resident, Actor::Resident { case, .. } if case == submitted.case));
    }

    #[tokio::test]
    async fn a_wrong_secret_looks_like_no_such_case() {
        let world = world().await;
        let submitted = world.file(street_light("13800138000"), &key("1")).await.unwrap();
        let other = world.file(street_light("13800138001"), &key("2")).await.unwrap();
        let unknown = world
            .resident(&CaseNumber::from_random(1), other.secret.as_ref().unwrap())
            .await;
        for wrong in [
            other.secret.clone().unwrap(),
            Secret::parse(""),
            Secret::parse("0"),
        ] {
            let answer = world.resident(&submitted.number, &wrong).await;
            assert_eq!(format!("{answer:?}"), format!("{unknown:?}"));
            assert!(matches!(answer, Err(CaseworkError::NotFound)));
        }
    }
}

mod after_closing {
    use super::*;

    #[tokio::test]
    async fn the_same_matter_again_is_linked_and_a_breach_of_the_unit_that_closed_it() {
        let world = world().await;
        let first = world.closed("13800138000").await;
        let second = world
            .file(street_light("13800138000"), &key("again"))
            .await
            .unwrap();
        assert!(!second.joined);
        world.settle_all().await;
        let view = world.case(&Actor::Service, &second.number).await.unwrap();
        assert_eq!(view.previous.as_ref(), Some(&first.number));
        let view = world.case(&Actor::Service, &first.number).await.unwrap();
        let [breach] = view.breaches.try_into().unwrap();
        assert_eq!(
            (breach.row.as_str(), breach.unit.as_deref()),
            ("refiling", Some(URBAN))
        );
        assert_eq!(breach.other_number.as_deref(), Some(second.number.digits()));
    }

    #[tokio::test]
    async fn of_the_residents_own_withdrawal_it_is_a_new_case_without_a_breach() {
        let world = world().await;
        let first = world.handled("13800138000").await;
        let resident = world.resident_of(&first).await;
        let withdraw = onetrip_casework::ActInput::Withdraw {
            reason: "修好了".to_owned(),
        };
        world.do_act(&resident, &first.number, withdraw).await.unwrap();
        let second = world
            .file(street_light("13800138000"), &key("again"))
            .await
            .unwrap();
        assert_ne!(second.number, first.number);
        assert_eq!(world.count("run_once_breaches").await, 0);
    }

    struct Held(
        std::sync::Mutex<Option<oneshot::Sender<()>>>,
        watch::Receiver<bool>,
    );

    #[async_trait]
    impl AppendHook for Held {
        async fn run(&self, _: &mut PgConnection) -> Result<(), sqlx::Error> {
            if let Some(began) = self.0.lock().unwrap().take() {
                let _ = began.send(());
            }
            let _ = self.1.clone().wait_for(|released| *released).await;
            Ok(())
        }
    }

    /// The closing is under way when the same matter is filed again: the filing waits for it, and is then after it.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_filing_that_met_the_closing_is_linked_too() {
        let world = world().await;
        let first = world.handled("13800138000").await;
        world
            .do_act(&staff_actor(HANDLER), &first.number, result())
            .await
            .unwrap();
        let resident = world.resident_of(&first).await;
        let (began, has_begun) = oneshot::channel();
        let (release, released) = watch::channel(false);
        let closing = tokio::spawn({
            let world = world.clone();
            async move {
                let act = CaseAct::Rate(rating(Verdict::Solved, 5, None));
                let by = resident.by().unwrap();
                let command = CaseCommand {
                    at: world.now(),
                    by,
                    channel: Channel::Portal,
                    rules: world.rules().clone(),
                    act,
                };
                let hook = Held(std::sync::Mutex::new(Some(began)), released);
                world
                    .log()
                    .execute(&first.case.to_string(), command, None, &WHY, None, Some(&hook))
                    .await
            }
        });
        has_begun.await.unwrap();
        let filing = tokio::spawn({
            let world = world.clone();
            async move { world.file(street_light("13800138000"), &key("again")).await }
        });
        world.until_somebody_waits().await;
        release.send(true).unwrap();
        closing.await.unwrap().unwrap();
        let second = filing.await.unwrap().unwrap();
        assert_ne!(second.number, first.number);
        assert_eq!(
            world.count("run_once_breaches WHERE row = 'refiling'").await,
            1,
            "neither joined nor linked"
        );
        world.settle_all().await;
        let view = world.case(&Actor::Service, &second.number).await.unwrap();
        assert_eq!(view.previous, Some(first.number));
    }

    #[tokio::test]
    async fn a_case_does_not_reopen_beside_its_successor() {
        let world = world().await;
        let first = world.closed("13800138000").await;
        let second = world
            .file(street_light("13800138000"), &key("again"))
            .await
            .unwrap();
        let resident = world.resident_of(&first).await;
        let reopen = onetrip_casework::ActInput::Reopen {
            reason: "又坏了".to_owned(),
        };
        let done = world.do_act(&resident, &first.number, reopen).await;
        assert!(
            matches!(&done, Err(CaseworkError::Refused(Refusal::SameMatterOpen { case })) if *case == second.case),
            "{done:?}"
        );
    }
}

#[tokio::test]
async fn what_was_typed_is_kept_sealed_until_it_is_dropped() {
    let world = world().await;
    let owner = world.owner_of_visitor("cookie");
    world
        .keep_draft(&owner, CaseKind::Appeal, "canary 路灯")
        .await
        .unwrap();
    assert_eq!(
        world.draft(&owner, CaseKind::Appeal).await.unwrap().as_deref(),
        Some("canary 路灯")
    );
    assert_eq!(world.draft(&owner, CaseKind::Suggestion).await.unwrap(), None);
    assert_eq!(
        world
            .draft(&world.owner_of_visitor("other"), CaseKind::Appeal)
            .await
            .unwrap(),
        None
    );
    let rows: String = sqlx::query_scalar("SELECT string_agg(t::text, '') FROM drafts t")
        .fetch_one(world.pool())
        .await
        .unwrap();
    assert!(
        !rows.contains("cookie") && !rows.contains("63616e617279"),
        "neither the cookie nor the words"
    );
    world.drop_draft(&owner, CaseKind::Appeal).await.unwrap();
    assert_eq!(world.draft(&owner, CaseKind::Appeal).await.unwrap(), None);
}
