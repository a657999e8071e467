//! The clocks of cases, run by a worker whose own clock the tests set.

use chrono::{DateTime, Utc};
use onetrip_casework::{Casework, Clock};
use onetrip_event_log::{MasterKey, NewStream, Vault, Why};
use onetrip_model::{
    CaseAct, CaseId,
    access::Actor,
    calendar::Calendar,
    case::{Filed, Stage},
    clocks::ClockKind,
    policy::Rules,
};
use onetrip_read_models::queue::QueueFilter;
use onetrip_runner::Runner;
use onetrip_testkit::*;
use onetrip_worker::Clocks;
use std::sync::{Arc, Mutex};
use uuid::Uuid;

struct World {
    casework: Casework,
    runner: Runner,
    clocks: Clocks,
    now: Arc<Mutex<DateTime<Utc>>>,
}

/// With these cases in its queue, under these rules, at this time.
async fn world(cases: &[Given], rules: Arc<Rules>, now: DateTime<Utc>) -> World {
    let database = onetrip_cluster::testing::test_database(&sqlx::migrate!("../../migrations")).await;
    let pool = database.pool;
    let vault = Vault::new(&MasterKey::from_hex(&"0d".repeat(32)).unwrap());
    let now = Arc::new(Mutex::new(now));
    let told = Arc::clone(&now);
    let clock: Clock = Arc::new(move || *told.lock().unwrap());
    let registry = prometheus::Registry::new();
    let casework = Casework::new(pool.clone(), vault, rules, clock.clone(), &registry)
        .await
        .unwrap();
    let streams: Vec<NewStream<_>> = cases
        .iter()
        .map(|case| NewStream {
            aggregate_id: case.filed().case.to_string(),
            events: case.events.clone(),
        })
        .collect();
    let why = Why::request(Uuid::from_u128(1));
    casework.log().append_new(&streams, &why, None).await.unwrap();
    let runner = Runner::new(pool, onetrip_read_models::all());
    runner.prepare().await.unwrap();
    let clocks = Clocks::new(casework.clone(), &registry).unwrap();
    let world = World {
        clocks: clocks.held_against(clock),
        casework,
        runner,
        now,
    };
    // Other tests share the server: what was written shows soon, not at once; ended cases with the open ones.
    let everything = QueueFilter::default();
    let open = cases.iter().filter(|case| !case.filed().stage.has_ended());
    let open = open.count() as u64;
    while world
        .casework
        .queue_count(&Actor::Service, &everything)
        .await
        .unwrap()
        < open
    {
        world.runner.catch_up().await.unwrap();
    }
    world
}

impl World {
    fn set(&self, now: DateTime<Utc>) {
        *self.now.lock().unwrap() = now;
    }

    /// Against a clock that shows this.
    fn held_against(&self, reference: DateTime<Utc>) -> Clocks {
        self.clocks.clone().held_against(Arc::new(move || reference))
    }

    async fn case(&self, case: CaseId) -> (Filed, u64) {
        let (state, version) = self.casework.log().load(&case.to_string()).await.unwrap();
        (state.filed().unwrap().clone(), version)
    }

    /// Until the queue has this version of the case.
    async fn follow(&self, case: CaseId) {
        let (_, version) = self.case(case).await;
        loop {
            self.runner.catch_up().await.unwrap();
            let page = self
                .casework
                .queue(&Actor::Service, &QueueFilter::default(), None, 100)
                .await
                .unwrap();
            if page
                .page
                .items
                .iter()
                .any(|item| item.entry.case == case && item.entry.version == version)
            {
                return;
            }
        }
    }
}

fn raised(filed: &Filed, clock: ClockKind) -> Vec<u16> {
    let raised = &filed.clocks.get(clock).unwrap().raised;
    raised.iter().map(|raised| raised.percent).collect()
}

fn with_result(case: Given) -> Given {
    case.and([
        CaseAct::Assign {
            unit: URBAN.into(),
            contact_cadre: Some(CADRE),
        },
        CaseAct::GiveResult {
            words: "灯泡已更换".to_owned(),
            evidence: Vec::new(),
            place_proof: after_photo(),
            promise: None,
        },
    ])
}

#[tokio::test]
async fn a_case_whose_clock_cannot_act_does_not_stop_the_clocks_of_the_others() {
    let cases = [1, 2].map(|n| with_result(accepted(submission_of(n))));
    let world = world(&cases, rules(), moments::monday_9am() + days(60)).await;
    // The first in the queue is broken: nothing in the log has its id.
    let broken = sqlx::query("UPDATE queue_entries SET case_id = $1 WHERE case_id = $2")
        .bind(Uuid::from_u128(1))
        .bind(cases[0].filed().case.0)
        .execute(world.casework.pool())
        .await
        .unwrap();
    assert_eq!(broken.rows_affected(), 1);

    world.clocks.tick().await.unwrap();
    let id = cases[1].filed().case;
    let (filed, before) = world.case(id).await;
    assert!(filed.stage.has_ended());
    // The queue has not seen it yet: the same is asked for again, and done once.
    world.clocks.tick().await.unwrap();
    assert_eq!(world.case(id).await.1, before);
}

#[tokio::test]
async fn workers_that_run_the_same_clocks_at_once_raise_each_step_once() {
    let case = accepted(submission_of(1));
    let id = case.filed().case;
    let world = world(&[case], rules(), moments::monday_9am() + hours(40)).await;
    let turns = (0..4).map(|_| world.clocks.tick());
    for turn in futures::future::join_all(turns).await {
        turn.unwrap();
    }
    let (filed, version) = world.case(id).await;
    // Of the first contact's 24 hours, 40 have passed.
    assert_eq!(raised(&filed, ClockKind::Contact), [50, 80, 95, 100, 150]);
    assert_eq!(version, 2 + 5);
}

#[tokio::test]
async fn of_two_clocks_the_earlier_one_says_what_is_due() {
    let case = with_result(accepted(submission_of(1)));
    let id = case.filed().case;
    let until = case.filed().verdict_until().unwrap();
    let world = world(&[case], rules(), until + hours(2)).await;

    world.held_against(until - hours(22)).tick().await.unwrap();
    let (filed, _) = world.case(id).await;
    assert!(
        matches!(filed.stage, Stage::ResultGiven { .. }),
        "{:?}",
        filed.stage
    );
    assert!(!raised(&filed, ClockKind::Contact).is_empty());

    world.held_against(until + hours(2)).tick().await.unwrap();
    assert!(world.case(id).await.0.stage.has_ended());
}

#[tokio::test]
async fn a_computer_that_is_ahead_of_the_database_ends_no_window() {
    let filed = given([])
        .at(Utc::now() - days(1))
        .and([CaseAct::SubmitAppeal(submission_of(1)), CaseAct::Accept]);
    let case = with_result(filed);
    let id = case.filed().case;
    let world = world(&[case], rules(), Utc::now() + days(60)).await;
    let metrics = prometheus::Registry::new();
    let clocks = Clocks::new(world.casework.clone(), &metrics).unwrap();
    clocks.tick().await.unwrap();
    let (filed, _) = world.case(id).await;
    assert!(!filed.stage.has_ended());
    // A day has passed by the database.
    assert!(raised(&filed, ClockKind::Contact).contains(&95));
    let skew = metrics
        .gather()
        .into_iter()
        .find(|family| family.name() == "onetrip_clock_skew_seconds");
    let seconds = skew.unwrap().get_metric()[0].get_gauge().get_value();
    assert!((seconds - 60.0 * 86_400.0).abs() < 3_600.0, "{seconds}");
}

#[tokio::test]
async fn what_a_fast_clock_raised_is_withdrawn_and_raised_in_its_time() {
    let case = accepted(submission_of(1));
    let id = case.filed().case;
    let now = moments::monday_9am() + hours(1);
    let world = world(&[case], rules(), now + days(1)).await;
    world.clocks.tick().await.unwrap();
    assert_eq!(
        raised(&world.case(id).await.0, ClockKind::Contact),
        [50, 80, 95, 100]
    );
    world.follow(id).await;

    world.set(now);
    world.clocks.tick().await.unwrap();
    assert!(raised(&world.case(id).await.0, ClockKind::Contact).is_empty());
    world.follow(id).await;

    world.set(moments::monday_9am() + hours(12));
    world.clocks.tick().await.unwrap();
    let (filed, version) = world.case(id).await;
    assert_eq!(raised(&filed, ClockKind::Contact), [50]);
    world.clocks.tick().await.unwrap();
    assert_eq!(world.case(id).await.1, version);
}

#[tokio::test]
async fn a_new_calendar_moves_open_deadlines_once_and_leaves_what_is_decided() {
    // Both were to have a result by Monday, the 16th, which becomes a day off.
    let open = accepted(submission_of(1));
    let decided = with_result(accepted(submission_of(2)));
    let (id, other) = (open.filed().case, decided.filed().case);
    let before = rules();
    let csv = format!(
        "{}2026-03-16,holiday,A late notice\n",
        include_str!("../../../ops/data/cn-calendar.csv")
    );
    let notice = Rules {
        calendar: Calendar::from_csv("cn-2026-2", &csv).unwrap(),
        ..(*before).clone()
    };
    let world = world(&[open, decided], Arc::new(notice), moments::tuesday_9am()).await;
    let decided_version = world.case(other).await.1;

    world.clocks.recompute().await.unwrap();
    let (filed, version) = world.case(id).await;
    let deadline = &filed.clocks.get(ClockKind::Result).unwrap().deadline;
    assert_eq!(
        deadline.due_at,
        at("2026-03-17 23:59") + chrono::Duration::seconds(59)
    );
    assert!(deadline.rules.ends_with("cn-2026-2"));
    let after = world.case(other).await.0;
    let result = |filed: &Filed| filed.clocks.get(ClockKind::Result).unwrap().deadline.due_at;
    assert_eq!(result(&after), working_days(moments::monday_9am(), 10));

    world.clocks.recompute().await.unwrap();
    assert_eq!(world.case(id).await.1, version);
    assert!(world.case(other).await.1 <= decided_version + 1);
}

/// Until when a resident may ask for a review is a deadline too, and runs when the case has ended.
#[tokio::test]
async fn a_new_calendar_moves_the_window_of_an_ended_case() {
    let (open, ended) = (accepted(submission_of(1)), closed());
    let id = ended.filed().case;
    let window = |filed: &Filed| filed.due_at(ClockKind::AskReview).unwrap();
    let last_day = onetrip_model::calendar::city_date(window(ended.filed()));
    let csv = format!(
        "{}{last_day},holiday,A late notice\n",
        include_str!("../../../ops/data/cn-calendar.csv")
    );
    let notice = Rules {
        calendar: Calendar::from_csv("cn-2026-2", &csv).unwrap(),
        ..(*rules()).clone()
    };
    let before = window(ended.filed());
    let world = world(&[open, ended], Arc::new(notice), moments::tuesday_9am()).await;
    world.clocks.recompute().await.unwrap();
    let after = window(&world.case(id).await.0);
    assert!(after > before, "{after}");
}
