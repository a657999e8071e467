use crate::common::*;
use onetrip_event_log::LoggedEvent;
use onetrip_model::{
    CaseAct, CaseId,
    access::Scope,
    case::{FollowUp, FollowUpKind, Promise, Submission, Verdict},
    clocks::ClockKind,
};
use onetrip_read_models::{
    case_file::{self, CaseFile},
    queue::{self, QueueCursor, QueueEntry, QueueFilter},
};
use onetrip_testkit::{moments::*, *};

async fn file_of(world: &World, case: CaseId) -> CaseFile {
    case_file::by_id(&mut world.pool.acquire().await.unwrap(), case)
        .await
        .unwrap()
        .expect("there is a file")
}

async fn queue_of(world: &World, filter: &QueueFilter) -> Vec<QueueEntry> {
    let mut connection = world.pool.acquire().await.unwrap();
    queue::page(&mut connection, &Scope::Everything, filter, None, 1_000)
        .await
        .unwrap()
}

async fn whole_queue(world: &World) -> Vec<QueueEntry> {
    queue_of(world, &QueueFilter::default()).await
}

/// The file and what is due, after a journey.
async fn after(journey: Given) -> (CaseFile, Option<QueueEntry>) {
    let world = world().await;
    world.live(&journey).await;
    world.settle().await;
    (
        file_of(&world, journey.filed().case).await,
        whole_queue(&world).await.pop(),
    )
}

fn due(entry: &Option<QueueEntry>) -> (Option<&str>, Option<chrono::DateTime<chrono::Utc>>) {
    let entry = entry.as_ref().expect("it is in the queue");
    (entry.due_what.as_deref(), entry.due_at)
}

fn contacted() -> CaseAct {
    CaseAct::FollowUp(FollowUp {
        kind: FollowUpKind::Contact,
        reached: true,
        words: "已联系".to_owned(),
    })
}

fn request() -> CaseAct {
    CaseAct::RequestMaterials {
        items: vec![ask("lease")],
        held: Vec::new(),
    }
}

mod case_file_rows {
    use super::*;

    #[tokio::test]
    async fn a_filed_case_is_with_its_first_receiver() {
        let (file, _) = after(filed()).await;
        assert_eq!(file.version, 1);
        assert_eq!(
            (file.standing.stage.as_str(), file.standing.unit.as_deref()),
            ("submitted", Some(DESK))
        );
        assert_eq!(file.standing.number, submission().number.digits());
        assert_eq!(file.submitted_at, monday_9am());
        assert!(file.words.as_sealed().is_some() && file.contact.unwrap().as_sealed().is_some());
        assert_eq!(&file.filed, filed().filed());
    }

    #[tokio::test]
    async fn an_offer_is_shown_beside_the_holder() {
        let offer = CaseAct::OfferHandOver {
            to: SAFETY.into(),
            reason: "燃气".to_owned(),
        };
        let (file, entry) = after(handled().and([offer])).await;
        assert_eq!(
            (file.standing.unit.as_deref(), file.standing.offered_to.as_deref()),
            (Some(URBAN), Some(SAFETY))
        );
        assert_eq!(entry.unwrap().standing, file.standing);
    }

    #[tokio::test]
    async fn a_verdict_is_kept_and_a_reopening_takes_back_the_result() {
        let (file, entry) =
            after(resulted().and([CaseAct::Rate(rating(Verdict::NotSolved, 1, Some("仍然不亮")))])).await;
        assert_eq!(
            (file.outcome.verdict, file.outcome.score),
            (Some(Verdict::NotSolved), Some(1))
        );
        assert_eq!((file.outcome.resulted_at, file.outcome.closed_at), (None, None));
        assert!(entry.is_some(), "it is work again");
    }

    #[tokio::test]
    async fn the_second_not_solved_is_with_the_supervisor() {
        let again = || CaseAct::Rate(rating(Verdict::NotSolved, 1, Some("仍然不亮")));
        let give = CaseAct::GiveResult {
            words: "修好".to_owned(),
            evidence: Vec::new(),
            place_proof: after_photo(),
            promise: None,
        };
        let redone = resulted().and([again()]).by(by_staff(HANDLER));
        let (file, _) = after(redone.and([give, again()])).await;
        assert!(file.standing.with_supervisor);
    }

    #[tokio::test]
    async fn an_ended_case_keeps_its_unit_and_leaves_the_queue() {
        for journey in [
            closed(),
            handled().and([CaseAct::Withdraw {
                reason: "修好了".to_owned(),
            }]),
        ] {
            let (file, entry) = after(journey).await;
            assert_eq!(file.standing.unit.as_deref(), Some(URBAN));
            assert_eq!(file.outcome.closed_at, Some(monday_9am()));
            assert!(entry.is_none());
        }
    }

    #[tokio::test]
    async fn the_timeline_has_every_event_in_order() {
        let world = world().await;
        world.live(&closed()).await;
        world.settle().await;
        let file = file_of(&world, CASE).await;
        let names: Vec<_> = file
            .timeline
            .iter()
            .map(|entry| (entry.sequence, entry.event.fact.name()))
            .collect();
        let expected: Vec<_> = closed()
            .numbered()
            .map(|(sequence, event)| (sequence, event.fact.name()))
            .collect();
        assert_eq!(names, expected);
    }

    /// What is in the log and has not been folded yet belongs to the next version.
    #[tokio::test]
    async fn a_file_ends_at_the_version_of_its_row() {
        let world = world().await;
        let case = world.file(submission_of(1)).await.unwrap();
        world.settle().await;
        world.run(&case, CaseAct::Accept).await.unwrap();
        let id = submission_of(1).case;
        let file = file_of(&world, id).await;
        let mut connection = world.pool.acquire().await.unwrap();
        let list = case_file::list(&mut connection, &Scope::Everything, None, None, 10).await;
        drop(connection);
        for file in [file, list.unwrap().remove(0)] {
            assert_eq!((file.version, file.timeline.len()), (1, 1));
            assert_eq!(file.filed.accepted_at, None);
        }
        world.settle().await;
        assert_eq!(file_of(&world, id).await.timeline.len(), 2);
    }

    #[tokio::test]
    async fn a_case_is_found_by_number_and_by_the_id_of_its_own_system() {
        let world = world().await;
        world.live(&accepted(imported())).await;
        world.settle().await;
        let mut connection = world.pool.acquire().await.unwrap();
        let by_number = case_file::by_number(&mut connection, &imported().number)
            .await
            .unwrap()
            .unwrap();
        let by_source = case_file::by_source(&mut connection, &Scope::Everything, "101")
            .await
            .unwrap()
            .unwrap();
        assert_eq!((by_number.case, by_source.case), (CASE, CASE));
        let elsewhere = Scope::Area("440305".into());
        assert!(
            case_file::by_source(&mut connection, &elsewhere, "101")
                .await
                .unwrap()
                .is_none()
        );
    }

    #[tokio::test]
    async fn the_list_is_newest_first_and_its_pages_meet() {
        let world = world().await;
        for n in 1..=7 {
            // Three of them at the same instant.
            let at = monday_9am() + hours(i64::from(n / 3));
            world
                .live(&given([]).at(at).and([CaseAct::SubmitAppeal(submission_of(n))]))
                .await;
        }
        world.settle().await;
        let mut connection = world.pool.acquire().await.unwrap();
        let list = case_file::list(&mut connection, &Scope::Everything, None, None, 100)
            .await
            .unwrap();
        let all: Vec<_> = list.iter().map(|file| (file.submitted_at, file.case.0)).collect();
        assert_eq!(all.len(), 7);
        assert!(all.is_sorted_by(|a, b| a > b));
        let mut paged = Vec::new();
        while let Some(page) = Some(
            case_file::list(
                &mut connection,
                &Scope::Everything,
                Some("submitted"),
                paged.last().copied(),
                2,
            )
            .await
            .unwrap(),
        )
        .filter(|page| !page.is_empty())
        {
            paged.extend(page.iter().map(|file| (file.submitted_at, file.case.0)));
        }
        assert_eq!(paged, all);
    }
}

mod queue_rows {
    use super::*;

    #[tokio::test]
    async fn first_the_contact_is_due() {
        let (_, entry) = after(handled()).await;
        assert_eq!(due(&entry), (Some("contact"), Some(monday_9am() + hours(24))));
    }

    #[tokio::test]
    async fn then_the_result() {
        let (_, entry) = after(handled().and([contacted()])).await;
        assert_eq!(
            due(&entry),
            (Some("result"), handled().filed().due_at(ClockKind::Result))
        );
    }

    #[tokio::test]
    async fn the_result_first_where_it_is_due_before_the_contact() {
        let danger = Submission {
            category: "danger".to_owned(),
            ..submission()
        };
        let (_, entry) = after(accepted(danger)).await;
        assert_eq!(due(&entry), (Some("result"), Some(monday_9am() + hours(2))));
    }

    #[tokio::test]
    async fn while_waiting_for_the_resident_their_answer() {
        let journey = handled().and([contacted(), request()]);
        let (_, entry) = after(journey).await;
        assert_eq!(
            due(&entry),
            (
                Some("answer"),
                Some(at("2026-03-12 23:59") + chrono::Duration::seconds(59))
            )
        );
    }

    #[tokio::test]
    async fn what_a_reply_promised_is_work_until_it_is_kept() {
        let promise = || {
            handled().and([
                contacted(),
                CaseAct::GiveResult {
                    words: "下周再来看".to_owned(),
                    evidence: Vec::new(),
                    place_proof: after_photo(),
                    promise: Some(Promise {
                        words: "再来看".to_owned(),
                        by: "2026-04-04".parse().unwrap(),
                    }),
                },
                CaseAct::Rate(rating(Verdict::Solved, 5, None)),
            ])
        };
        let (file, entry) = after(promise()).await;
        assert_eq!(file.standing.stage, "closed");
        assert_eq!(
            due(&entry),
            (Some("promise"), promise().filed().due_at(ClockKind::Promise))
        );
        let keep = CaseAct::KeepPromise {
            words: "看过了".to_owned(),
            evidence: Vec::new(),
        };
        assert!(after(promise().and([keep])).await.1.is_none());
    }

    #[tokio::test]
    async fn a_bad_rating_is_work_until_it_has_an_owner() {
        let bad = || resulted().and([CaseAct::Rate(rating(Verdict::Partly, 1, Some("慢")))]);
        let (file, entry) = after(bad()).await;
        assert_eq!(file.standing.stage, "closed");
        assert_eq!(due(&entry).0, Some("rating_owner"));
        assert!(after(bad().and([CaseAct::OwnRating])).await.1.is_none());
    }

    #[tokio::test]
    async fn after_the_result_the_verdict() {
        let (_, entry) = after(resulted()).await;
        assert_eq!(
            due(&entry),
            (
                Some("verdict"),
                Some(at("2026-03-17 23:59") + chrono::Duration::seconds(59))
            )
        );
    }

    #[tokio::test]
    async fn an_import_without_a_target_has_nothing_due_and_comes_last() {
        let world = world().await;
        world
            .live(&accepted(Submission {
                case: submission_of(1).case,
                number: submission_of(1).number,
                ..imported()
            }))
            .await;
        world.live(&accepted(submission_of(2))).await;
        world.settle().await;
        let queue = whole_queue(&world).await;
        let due: Vec<_> = queue
            .iter()
            .map(|entry| (entry.case, entry.due_at.is_some()))
            .collect();
        assert_eq!(
            due,
            [(submission_of(2).case, true), (submission_of(1).case, false)]
        );
    }

    #[tokio::test]
    async fn the_order_is_by_time_left_and_pages_meet() {
        let world = world().await;
        for journey in journeys(40) {
            world.live(&journey).await;
        }
        world.settle().await;
        let never = chrono::DateTime::<chrono::Utc>::MAX_UTC;
        let all: Vec<_> = whole_queue(&world)
            .await
            .iter()
            .map(|entry| (entry.due_at.unwrap_or(never), entry.case.0))
            .collect();
        assert!(all.is_sorted() && all.len() > 5);

        let mut connection = world.pool.acquire().await.unwrap();
        let (mut paged, mut after): (Vec<_>, Option<QueueCursor>) = (Vec::new(), None);
        loop {
            let page = queue::page(
                &mut connection,
                &Scope::Everything,
                &QueueFilter::default(),
                after,
                3,
            )
            .await
            .unwrap();
            let Some(last) = page.last() else { break };
            after = Some(last.cursor());
            paged.extend(
                page.iter()
                    .map(|entry| (entry.due_at.unwrap_or(never), entry.case.0)),
            );
        }
        assert_eq!(paged, all);
    }

    #[tokio::test]
    async fn the_count_agrees_with_the_list_for_every_filter() {
        let world = world().await;
        for journey in journeys(40) {
            world.live(&journey).await;
        }
        world.settle().await;
        let open = whole_queue(&world).await;
        let due_by = open[open.len() / 2].due_at;
        for filter in [
            QueueFilter::default(),
            QueueFilter {
                stage: Some("handling".to_owned()),
                ..QueueFilter::default()
            },
            QueueFilter {
                kind: Some("suggestion".to_owned()),
                ..QueueFilter::default()
            },
            QueueFilter {
                due_by,
                ..QueueFilter::default()
            },
            QueueFilter {
                escalated: true,
                ..QueueFilter::default()
            },
            QueueFilter {
                mine: Some(queue::Mine::Unit(URBAN.to_owned())),
                ..QueueFilter::default()
            },
            QueueFilter {
                mine: Some(queue::Mine::districts(&staff(CADRE))),
                ..QueueFilter::default()
            },
        ] {
            let listed = queue_of(&world, &filter).await;
            let mut connection = world.pool.acquire().await.unwrap();
            let count = queue::count(&mut connection, &Scope::Everything, &filter)
                .await
                .unwrap();
            assert_eq!(count, listed.len() as u64, "{filter:?}");
            for entry in listed {
                assert!(
                    filter
                        .stage
                        .as_ref()
                        .is_none_or(|stage| *stage == entry.standing.stage)
                );
                assert!(
                    filter
                        .due_by
                        .is_none_or(|by| entry.due_at.is_some_and(|due| due <= by))
                );
                assert!(!filter.escalated || entry.escalated_to.is_some());
            }
        }
    }
}

#[tokio::test]
async fn everything_delivered_twice_changes_nothing() {
    let world = world().await;
    for journey in journeys(30) {
        world.live(&journey).await;
    }
    world.settle().await;
    let before = world.digests().await;
    let events = world.events().await;
    for size in [events.len(), 7, 1] {
        for projection in onetrip_read_models::all() {
            let mut transaction = world.pool.begin().await.unwrap();
            for page in events.chunks(size) {
                projection.apply(&mut transaction, page).await.unwrap();
            }
            transaction.commit().await.unwrap();
        }
        assert_eq!(world.digests().await, before, "in pages of {size}");
    }
}

/// A world whose rows are to be folded anew, the digests of what they were, and the events to fold.
async fn emptied() -> (World, Vec<(&'static str, String)>, Vec<LoggedEvent>) {
    let world = world().await;
    for journey in journeys(25) {
        world.live(&journey).await;
    }
    world.settle().await;
    let (expected, events) = (world.digests().await, world.events().await);
    sqlx::query("TRUNCATE case_files, queue_entries, resolution_cases")
        .execute(&world.pool)
        .await
        .unwrap();
    (world, expected, events)
}

#[tokio::test]
async fn the_size_of_the_pages_makes_no_difference() {
    let (one, expected, events) = emptied().await;
    for projection in onetrip_read_models::all() {
        let mut connection = one.pool.acquire().await.unwrap();
        for page in events.chunks(3) {
            // Each page once more right away, as after a crash before the checkpoint was moved.
            projection.apply(&mut connection, page).await.unwrap();
            projection.apply(&mut connection, page).await.unwrap();
        }
    }
    assert_eq!(one.digests().await, expected);
}

/// What a read model remembers of the cases it has folded spares it work and changes nothing.
#[tokio::test]
async fn a_read_model_that_remembers_nothing_or_too_much_goes_on_from_its_rows() {
    let (one, expected, events) = emptied().await;
    let lasting = onetrip_read_models::all();
    let forgetful = onetrip_read_models::all_remembering(0);
    for (n, page) in events.chunks(3).enumerate() {
        for (lasting, forgetful) in lasting.iter().zip(&forgetful) {
            let mut transaction = one.pool.begin().await.unwrap();
            // Remembered, but never committed.
            lasting.apply(&mut transaction, page).await.unwrap();
            transaction.rollback().await.unwrap();
            let next = if n % 2 == 0 { forgetful } else { lasting };
            next.apply(&mut one.pool.acquire().await.unwrap(), page)
                .await
                .unwrap();
        }
    }
    assert_eq!(one.digests().await, expected);
}

#[tokio::test]
async fn an_event_of_a_case_that_was_never_filed_is_left_out() {
    let world = world().await;
    world.live(&accepted(submission_of(1))).await;
    let odd: Vec<_> = world
        .events()
        .await
        .into_iter()
        .filter(|event| event.sequence > 1)
        .collect();
    let mut connection = world.pool.acquire().await.unwrap();
    for projection in onetrip_read_models::all() {
        projection.apply(&mut connection, &odd).await.unwrap();
    }
    drop(connection);
    assert!(whole_queue(&world).await.is_empty());
}

#[tokio::test]
async fn the_rows_hold_no_open_word() {
    let world = world().await;
    let mut said = submission_of(1);
    said.words = "canary words".to_owned();
    said.place_words = Some("canary place".to_owned());
    said.contact = Some(onetrip_model::case::Contact {
        name: Some("canary name".to_owned()),
        phone: "canary".to_owned(),
    });
    let trip = CaseAct::AskTrip {
        to_place: "canary to".to_owned(),
        reason: "canary why".to_owned(),
    };
    world.live(&accepted(said).and([trip])).await;
    world.settle().await;
    for table in TABLES {
        let text: Option<String> =
            sqlx::query_scalar(&format!("SELECT string_agg(t::text, '') FROM {table} t"))
                .fetch_one(&world.pool)
                .await
                .unwrap();
        assert!(!text.unwrap_or_default().contains("canary"), "{table}");
    }
}
