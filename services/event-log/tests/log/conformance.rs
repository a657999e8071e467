//! The stock repository of postgres-es and our log read each other's rows.

use crate::common::*;
use cqrs_es::{
    CqrsFramework, EventStore,
    persist::{PersistedEventRepository, PersistedEventStore},
};
use onetrip_event_log::{Cursor, Horizon, LogStore, read_page};
use onetrip_model::{Case, CaseAct};
use onetrip_testkit::{CADRE, URBAN};
use postgres_es::PostgresEventRepository;

#[tokio::test]
async fn the_stock_repository_reads_what_our_log_wrote() {
    let log = log().await;
    let case = accepted(&log, 1).await;
    let stock = PostgresEventRepository::new(pool_of_sqlx(&log));
    let events = stock.get_events::<Case>(&case).await.unwrap();
    let found: Vec<_> = events
        .iter()
        .map(|event| {
            (
                event.sequence,
                event.event_type.as_str(),
                event.event_version.as_str(),
            )
        })
        .collect();
    assert_eq!(found, [(1, "CaseSubmitted", "2.0"), (2, "CaseAccepted", "2.0")]);
    let ours: Vec<_> = LogStore(&log).load_events(&case).await.unwrap();
    for (stock, ours) in events.iter().zip(ours) {
        assert_eq!(stock.payload, serde_json::to_value(ours.payload).unwrap());
    }

    let store = PersistedEventStore::<_, Case>::new_event_store(stock);
    let mut context = store.load_aggregate(&case).await.unwrap();
    let loaded = cqrs_es::AggregateContext::aggregate(&mut context).clone();
    assert_eq!(loaded, log.load(&case).await.unwrap().0);
}

#[tokio::test]
async fn our_log_reads_and_continues_what_the_stock_framework_wrote() {
    let log = log().await;
    let case = file(&log, 1).await;
    let stock =
        PersistedEventStore::<_, Case>::new_event_store(PostgresEventRepository::new(pool_of_sqlx(&log)));
    let framework = CqrsFramework::new(stock, Vec::new(), ());
    framework.execute(&case, command(CaseAct::Accept)).await.unwrap();
    assert_eq!(log.load(&case).await.unwrap().1, 2);

    let assign = CaseAct::Assign {
        unit: URBAN.into(),
        contact_cadre: Some(CADRE),
    };
    assert_eq!(version_of(run(&log, &case, assign).await), 3);
    framework.execute(&case, command(trip())).await.unwrap();
    assert_eq!(sequences(log.pool(), &case).await, [1, 2, 3, 4]);
}

#[tokio::test]
async fn rows_of_a_stock_writer_have_a_place_in_the_reading_order() {
    let log = log().await;
    let case = file(&log, 1).await;
    let stock =
        PersistedEventStore::<_, Case>::new_event_store(PostgresEventRepository::new(pool_of_sqlx(&log)));
    CqrsFramework::new(stock, Vec::new(), ())
        .execute(&case, command(CaseAct::Accept))
        .await
        .unwrap();
    let mut connection = log.pool().acquire().await.unwrap();
    let page = read_page(&mut connection, "case", Cursor::default(), 10, Horizon::Committed)
        .await
        .unwrap();
    let types: Vec<_> = page.iter().map(|event| event.event_type.as_str()).collect();
    assert_eq!(types, ["CaseSubmitted", "CaseAccepted"]);
    assert!(page[0].cursor < page[1].cursor);
}

#[tokio::test]
async fn the_framework_drives_our_log_as_its_store() {
    let log = log().await;
    let case = file(&log, 1).await;
    let mut context = LogStore(&log).load_aggregate(&case).await.unwrap();
    let sink = cqrs_es::event_sink::EventSink::<Case>::default();
    cqrs_es::Aggregate::handle(&mut context.aggregate, command(CaseAct::Accept), &(), &sink)
        .await
        .unwrap();
    let committed = LogStore(&log)
        .commit(sink.collect().await, context, Default::default())
        .await
        .unwrap();
    assert_eq!(
        committed
            .iter()
            .map(|envelope| envelope.sequence)
            .collect::<Vec<_>>(),
        [2]
    );
    assert_eq!(sequences(log.pool(), &case).await, [1, 2]);
}
