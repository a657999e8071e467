use crate::seed::seed;
use chrono::{DateTime, Utc};
use onetrip_casework::{ActInput, Acted, Casework, CaseworkError, NewCase, Submitted};
use onetrip_event_log::{
    Cursor, Horizon, LogError, LoggedEvent, MasterKey, NewStream, Outcome, Pool, RequestKey, Vault, Why,
    read_page,
};
use onetrip_model::{
    By, CaseAct, CaseCommand, CaseId, CaseKind, CaseNumber, Channel, Refusal, StaffId, access::Actor,
};
use onetrip_read_models::{NAMES, all};
use onetrip_runner::{Runner, wait_for};
use onetrip_testkit::{
    CADRE, COMMUNITY, Given, URBAN, accepted, moments::monday_9am, rules, staff, submission_of,
};
use prometheus::Registry;
use std::{
    ops::Deref,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};
use uuid::Uuid;

pub const WHY: Why = Why {
    correlation_id: Uuid::from_u128(1),
    causation_id: Uuid::from_u128(2),
};
pub const VISITOR: &str = "visitor:1";

/// Other tests share the server and its horizon: what was written shows soon, not at once.
const PATIENCE: Duration = Duration::from_secs(30);

/// The service without its doors, with a clock that tests set.
#[derive(Clone)]
pub struct World {
    casework: Casework,
    pub runner: Runner,
    clock: Arc<Mutex<DateTime<Utc>>>,
    pub metrics: Registry,
}

impl Deref for World {
    type Target = Casework;

    fn deref(&self) -> &Casework {
        &self.casework
    }
}

pub async fn world() -> World {
    let pool = onetrip_cluster::testing::test_database(&sqlx::migrate!("../../migrations"))
        .await
        .pool;
    seed(&pool).await.expect("reference data");
    let vault = Vault::new(&MasterKey::from_hex(&"07".repeat(32)).expect("64 digits"));
    let clock = Arc::new(Mutex::new(monday_9am()));
    let metrics = Registry::new();
    let now = Arc::clone(&clock);
    let casework = Casework::new(
        pool.clone(),
        vault,
        rules(),
        Arc::new(move || *now.lock().unwrap()),
        &metrics,
    )
    .await
    .expect("the service starts")
    .with_patience(Duration::from_secs(30));
    let runner = Runner::new(pool, all());
    runner.prepare().await.expect("checkpoints are made");
    World {
        casework,
        runner,
        clock,
        metrics,
    }
}

pub fn staff_actor(id: StaffId) -> Actor {
    Actor::Staff(staff(id))
}

pub fn key(key: &str) -> RequestKey {
    RequestKey {
        actor: VISITOR.to_owned(),
        key: key.to_owned(),
        body_hash: [1; 32],
    }
}

/// About a street light, from a resident with this phone.
pub fn street_light(phone: &str) -> NewCase {
    NewCase {
        category: "street_lights".to_owned(),
        words: "路灯不亮三天了".to_owned(),
        division: COMMUNITY.to_owned(),
        place_words: Some("莲花北村 12 栋楼下".to_owned()),
        name: Some("林秀英".to_owned()),
        phone: Some(phone.to_owned()),
        new_fact: None,
        photos: Vec::new(),
        with: None,
    }
}

pub fn unnamed() -> NewCase {
    NewCase {
        name: None,
        phone: None,
        ..street_light("")
    }
}

pub fn trip() -> ActInput {
    ActInput::AskTrip {
        to_place: "街道办事大厅".to_owned(),
        reason: "核对原件".to_owned(),
    }
}

pub fn assign() -> ActInput {
    ActInput::Assign {
        unit: URBAN.to_owned(),
        contact_cadre: None,
    }
}

pub fn result() -> ActInput {
    ActInput::GiveResult {
        words: "灯泡已更换".to_owned(),
        photos: Vec::new(),
        after_photo: None,
        why_no_photo: Some("夜间施工".to_owned()),
        promise: None,
    }
}

pub fn solved() -> ActInput {
    ActInput::Rate {
        verdict: onetrip_model::case::Verdict::Solved,
        score: 5,
        reason: None,
    }
}

impl World {
    pub fn casework(&self) -> Casework {
        self.casework.clone()
    }

    pub fn set(&self, now: DateTime<Utc>) {
        *self.clock.lock().unwrap() = now;
    }

    pub async fn file(&self, new: NewCase, request: &RequestKey) -> Result<Submitted, CaseworkError> {
        self.submit(
            &Actor::Visitor,
            CaseKind::Appeal,
            new,
            Channel::Portal,
            VISITOR,
            request,
        )
        .await
    }

    pub async fn do_act(
        &self,
        actor: &Actor,
        number: &CaseNumber,
        input: ActInput,
    ) -> Result<Acted, CaseworkError> {
        self.act(actor, number, input, Channel::Staff, VISITOR, None, None)
            .await
    }

    /// The resident of a case that was just filed.
    pub async fn resident_of(&self, submitted: &Submitted) -> Actor {
        let secret = submitted
            .secret
            .as_ref()
            .expect("who files a case gets its secret");
        self.resident(&submitted.number, secret)
            .await
            .expect("number and secret fit")
    }

    /// Does an act past the question who may.
    pub async fn run(&self, case: CaseId, by: By, act: CaseAct) -> Result<Outcome, LogError<Refusal>> {
        let command = CaseCommand {
            at: self.now(),
            by,
            channel: Channel::Staff,
            rules: rules(),
            act,
        };
        self.log()
            .execute(&case.to_string(), command, None, &WHY, None, None)
            .await
    }

    /// Files, accepts, assigns.
    pub async fn handled(&self, phone: &str) -> Submitted {
        let submitted = self
            .file(street_light(phone), &key(phone))
            .await
            .expect("a case is filed");
        for (actor, input) in [
            (staff_actor(onetrip_testkit::CLERK), ActInput::Accept {}),
            (staff_actor(CADRE), assign()),
        ] {
            self.do_act(&actor, &submitted.number, input)
                .await
                .expect("it is accepted and assigned");
        }
        submitted
    }

    pub async fn closed(&self, phone: &str) -> Submitted {
        let submitted = self.handled(phone).await;
        self.do_act(
            &staff_actor(onetrip_testkit::HANDLER),
            &submitted.number,
            result(),
        )
        .await
        .expect("a result");
        let resident = self.resident_of(&submitted).await;
        self.do_act(&resident, &submitted.number, solved())
            .await
            .expect("a verdict");
        submitted
    }

    /// Appends journeys as they are, in one transaction.
    pub async fn live(&self, journeys: &[Given]) {
        let streams: Vec<_> = journeys
            .iter()
            .map(|journey| NewStream {
                aggregate_id: journey.filed().case.to_string(),
                events: journey.events.clone(),
            })
            .collect();
        self.log()
            .append_new(&streams, &WHY, None)
            .await
            .expect("journeys are appended");
    }

    /// `count` cases in the hands of the urban office, made without going through the use cases; their numbers.
    pub async fn many_handled(&self, count: u32) -> Vec<CaseNumber> {
        let assign = || onetrip_model::CaseAct::Assign {
            unit: URBAN.into(),
            contact_cadre: Some(CADRE),
        };
        let journeys: Vec<_> = (1..=count)
            .map(|n| accepted(submission_of(n)).and([assign()]))
            .collect();
        self.live(&journeys).await;
        journeys
            .iter()
            .map(|journey| journey.filed().number.clone())
            .collect()
    }

    /// Until every read model has passed the end of the log.
    pub async fn settle_all(&self) {
        let end = self
            .events()
            .await
            .last()
            .map(|event| event.cursor)
            .unwrap_or_default();
        let start = Instant::now();
        loop {
            self.runner.catch_up().await.expect("pages are folded");
            if wait_for(self.pool(), &NAMES, end, Duration::ZERO)
                .await
                .expect("checkpoints are read")
            {
                return;
            }
            assert!(start.elapsed() < PATIENCE, "the read models got stuck");
        }
    }

    pub async fn events(&self) -> Vec<LoggedEvent> {
        let mut connection = self.pool().acquire().await.expect("a connection");
        read_page(
            &mut connection,
            "case",
            Cursor::default(),
            100_000,
            Horizon::Committed,
        )
        .await
        .expect("the log is read")
    }

    pub async fn count_events(&self, event_type: &str) -> usize {
        self.events()
            .await
            .iter()
            .filter(|event| event.event_type == event_type)
            .count()
    }

    /// Rows of a table, or of a table with a condition.
    pub async fn count(&self, what: &str) -> i64 {
        count(self.pool(), what).await
    }

    /// Until somebody in this database waits for a lock.
    pub async fn until_somebody_waits(&self) {
        let start = Instant::now();
        let waiting = "pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
        while self.count(waiting).await == 0 {
            assert!(start.elapsed() < PATIENCE, "nobody waits");
        }
    }
}

pub async fn count(pool: &Pool, what: &str) -> i64 {
    sqlx::query_scalar(&format!("SELECT count(*) FROM {what}"))
        .fetch_one(pool)
        .await
        .expect("rows are counted")
}
