//! Events of other versions: older ones are brought to today's shape by one registry, whoever reads; of newer ones nobody
//! pretends to know what they say.

use crate::common::*;
use cqrs_es::{
    EventStore,
    persist::{EventUpcaster, PersistedEventRepository, SemanticVersionEventUpcaster, SerializedEvent},
};
use onetrip_event_log::{Cursor, EventLog, Horizon, LogError, LogStore, NoInline, read_page};
use onetrip_model::{Case, CaseAct, CaseEvent};
use onetrip_testkit::{URBAN, given, submission_of};
use postgres_es::PostgresEventRepository;
use serde_json::{Value, json};

/// An assignment as a version that never was might have written it.
fn older(mut event: Value) -> Value {
    let unit = event["fact"]["CaseAssigned"]["unit"].take();
    event["fact"] = json!({ "CaseAssigned": { "office": unit } });
    event
}

fn upcasters() -> Vec<Box<dyn EventUpcaster>> {
    let rename = |mut payload: Value| {
        let unit = payload["fact"]["CaseAssigned"]["office"].take();
        payload["fact"] = json!({ "CaseAssigned": { "unit": unit, "contact_cadre": null } });
        payload
    };
    vec![Box::new(SemanticVersionEventUpcaster::new(
        "CaseAssigned",
        "1.0.0",
        Box::new(rename),
    ))]
}

/// Stored by stock, as whatever.
async fn store(log: &Log, case: &str, sequence: usize, kind: &str, version: &str, payload: Value) {
    let event = SerializedEvent::new(
        case.to_owned(),
        sequence,
        "case".to_owned(),
        kind.to_owned(),
        version.to_owned(),
        payload,
        json!({}),
    );
    PostgresEventRepository::new(pool_of_sqlx(log))
        .persist::<Case>(&[event], None)
        .await
        .unwrap();
}

#[tokio::test]
async fn an_older_event_is_the_same_to_loads_replays_and_projectors() {
    let plain = log().await;
    let log: Log = EventLog::new(plain.pool().clone(), vault(), NoInline, upcasters());
    let case = accepted(&log, 1).await;
    let assign = CaseAct::Assign {
        unit: URBAN.into(),
        contact_cadre: None,
    };
    let submit = CaseAct::SubmitAppeal(submission_of(1));
    let assigned = given([submit, CaseAct::Accept, assign]).events[2].clone();
    let payload = older(serde_json::to_value(&assigned).unwrap());
    assert!(serde_json::from_value::<CaseEvent>(payload.clone()).is_err());
    store(&log, &case, 3, "CaseAssigned", "0.9.0", payload).await;

    // In a process that remembers nothing of the case.
    let log: Log = EventLog::new(plain.pool().clone(), vault(), NoInline, upcasters());
    let (state, version) = log.load(&case).await.unwrap();
    assert_eq!(version, 3);
    assert_eq!(state.filed().unwrap().stage.unit(), &URBAN.into());
    let framework = LogStore(&log).load_events(&case).await.unwrap();
    assert_eq!(framework[2].payload, assigned);
    let page = read_page(
        &mut log.pool().acquire().await.unwrap(),
        "case",
        Cursor::default(),
        10,
        Horizon::Committed,
    )
    .await
    .unwrap();
    assert!(page[2].is_older(&upcasters()) && !page[1].is_older(&upcasters()));
    let read = page[2].read::<CaseEvent>("case", &upcasters()).unwrap();
    assert_eq!(*read, assigned);
    // And today's command goes on from there.
    assert_eq!(version_of(run(&log, &case, trip()).await), 4);
}

#[tokio::test]
async fn an_event_of_a_newer_version_keeps_its_case_from_being_decided_on_and_no_other() {
    let log = log().await;
    let case = file(&log, 1).await;
    let translated = json!({ "at": "2026-11-26T08:00:00Z", "by": "service", "channel": "service",
                             "fact": { "CaseTranslated": { "language": "en" } } });
    store(&log, &case, 2, "CaseTranslated", "1.0", translated).await;
    // In another process, which remembers nothing of the case.
    let fresh: Log = EventLog::new(log.pool().clone(), vault(), NoInline, Vec::new());
    assert!(matches!(fresh.load(&case).await, Err(LogError::Codec(_))));
    let refused = run(&fresh, &case, CaseAct::Accept).await;
    assert!(matches!(refused, Err(LogError::Codec(_))), "{refused:?}");
    assert_eq!(sequences(fresh.pool(), &case).await, [1, 2]);
    accepted(&fresh, 2).await;
}
