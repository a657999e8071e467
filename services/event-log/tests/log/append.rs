use crate::common::*;
use async_trait::async_trait;
use cqrs_es::{AggregateError, EventStore};
use onetrip_event_log::{Appending, EventLog, InlineProjection, LogError, LogStore, NewStream, Outcome};
use onetrip_model::{Case, CaseAct, CaseFact, Private, Refusal};
use onetrip_testkit::{filed, given, submission_of};
use sqlx::PgConnection;
use std::collections::{BTreeSet, HashMap};

#[tokio::test]
async fn what_was_appended_is_loaded() {
    let log = log().await;
    let case = accepted(&log, 1).await;
    let (loaded, version) = log.load(&case).await.unwrap();
    assert_eq!(version, 2);
    let expected = given([CaseAct::SubmitAppeal(submission_of(1)), CaseAct::Accept]).case;
    assert_eq!(loaded, expected);
}

#[tokio::test]
async fn a_case_that_was_never_filed_is_version_0() {
    let log = log().await;
    assert_eq!(log.load("nothing").await.unwrap(), (Case::Unfiled, 0));
    assert!(matches!(
        run(&log, "nothing", CaseAct::Accept).await,
        Err(LogError::Refused(Refusal::NoSuchCase))
    ));
}

#[tokio::test]
async fn a_fulfilled_wish_writes_nothing() {
    let log = log().await;
    let case = accepted(&log, 1).await;
    assert_eq!(
        run(&log, &case, CaseAct::Accept).await.unwrap(),
        Outcome::Unchanged { version: 2 }
    );
    assert_eq!(sequences(log.pool(), &case).await, [1, 2]);
}

#[tokio::test]
async fn positions_and_transactions_go_up_with_each_append() {
    let log = log().await;
    let case = file(&log, 1).await;
    let mut last = None;
    for words in ["一", "二", "三"] {
        let Outcome::Appended(appended) = run(&log, &case, supplement(words)).await.unwrap() else {
            panic!()
        };
        assert!(Some(appended.cursor) > last);
        last = Some(appended.cursor);
    }
}

#[tokio::test]
async fn why_it_happened_stands_beside_the_event() {
    let log = log().await;
    let case = file(&log, 1).await;
    let metadata: HashMap<String, String> = LogStore(&log)
        .load_events(&case)
        .await
        .unwrap()
        .remove(0)
        .metadata;
    assert_eq!(metadata["correlation_id"], WHY.correlation_id.to_string());
    assert_eq!(metadata["causation_id"], WHY.causation_id.to_string());
}

mod versions {
    use super::*;

    #[tokio::test]
    async fn a_stale_expectation_is_told_the_newest_and_writes_nothing() {
        let log = log().await;
        let case = accepted(&log, 1).await;
        let done = log
            .execute(&case, command(supplement("晚了")), Some(1), &WHY, None, None)
            .await;
        assert!(
            matches!(
                done,
                Err(LogError::Stale {
                    expected: 1,
                    actual: 2
                })
            ),
            "{done:?}"
        );
        assert_eq!(sequences(log.pool(), &case).await, [1, 2]);
    }

    #[tokio::test]
    async fn of_two_decisions_on_one_version_one_is_stored() {
        let log = log().await;
        let case = file(&log, 1).await;
        let on_1 = || log.execute(&case, command(CaseAct::Accept), Some(1), &WHY, None, None);
        let (one, other) = tokio::join!(on_1(), on_1());
        let stored = [&one, &other].iter().filter(|done| done.is_ok()).count();
        let stale = [&one, &other]
            .iter()
            .filter(|done| matches!(done, Err(LogError::Stale { .. })))
            .count();
        assert_eq!((stored, stale), (1, 1), "{one:?} {other:?}");
        assert_eq!(sequences(log.pool(), &case).await, [1, 2]);
    }

    /// Sixteen writers on one case: what was acknowledged is there once, and the sequence has no gap.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn every_acknowledged_write_of_sixteen_is_there_exactly_once() {
        let log = log().await;
        let case = file(&log, 1).await;
        let writers: Vec<_> = (0..16)
            .map(|writer| {
                let (log, case) = (log.clone(), case.clone());
                tokio::spawn(async move {
                    let mut acknowledged = Vec::new();
                    for round in 0..5 {
                        let words = format!("writer {writer} round {round}");
                        match run(&log, &case, supplement(&words)).await {
                            Ok(Outcome::Appended(appended)) => acknowledged.push((appended.version, words)),
                            Err(LogError::Contended) => {}
                            other => panic!("{other:?}"),
                        }
                    }
                    acknowledged
                })
            })
            .collect();
        let mut acknowledged = Vec::new();
        for writer in writers {
            acknowledged.extend(writer.await.unwrap());
        }
        acknowledged.sort();

        let subject = onetrip_model::Subject::Case(submission_of(1).case);
        let opener = log
            .vault()
            .opener(&mut log.pool().acquire().await.unwrap(), [subject])
            .await
            .unwrap();
        let stored: Vec<(u64, String)> = LogStore(&log)
            .load_events(&case)
            .await
            .unwrap()
            .into_iter()
            .filter_map(|envelope| match envelope.payload.fact {
                CaseFact::SupplementAdded { words, .. } => Some((
                    envelope.sequence as u64,
                    opener.open(&words).unwrap().expect("the key is there"),
                )),
                _ => None,
            })
            .collect();
        assert_eq!(stored, acknowledged);
        let expected: Vec<i64> = (1..=i64::try_from(stored.len()).unwrap() + 1).collect();
        assert_eq!(sequences(log.pool(), &case).await, expected);
        assert!(stored.len() > 16 * 2, "most get through: {}", stored.len());
    }

    #[tokio::test]
    async fn no_gap_can_be_written() {
        let log = log().await;
        let case = file(&log, 1).await;
        for wrong in [0, 2, 7] {
            let mut context = LogStore(&log).load_aggregate(&case).await.unwrap();
            context.version = wrong;
            let events = filed().when(CaseAct::Accept).outcome().unwrap().to_vec();
            let done = LogStore(&log).commit(events, context, HashMap::new()).await;
            assert!(
                matches!(done, Err(AggregateError::AggregateConflict)),
                "after version {wrong}"
            );
        }
        assert_eq!(sequences(log.pool(), &case).await, [1]);
    }
}

mod one_transaction {
    use super::*;

    /// Counts supplements in a table that allows two.
    struct TwoSupplements;

    #[async_trait]
    impl InlineProjection<Case> for TwoSupplements {
        async fn project(
            &self,
            connection: &mut PgConnection,
            events: &[Appending<'_, Case>],
        ) -> Result<(), sqlx::Error> {
            for appending in events {
                if matches!(appending.event.fact, CaseFact::SupplementAdded { .. }) {
                    sqlx::query("UPDATE supplements SET written = written + 1")
                        .execute(&mut *connection)
                        .await?;
                }
            }
            Ok(())
        }

        async fn explain(
            &self,
            _: &mut PgConnection,
            constraint: &str,
            _: &[Appending<'_, Case>],
        ) -> Result<Option<Refusal>, sqlx::Error> {
            Ok((constraint == "at_most_two").then_some(Refusal::Ended))
        }
    }

    async fn refusing_log() -> Log {
        let pool = database().await;
        let table = "CREATE TABLE supplements (written integer NOT NULL, other integer UNIQUE,
                         CONSTRAINT at_most_two CHECK (written <= 2))";
        sqlx::query(table).execute(&pool).await.unwrap();
        sqlx::query("INSERT INTO supplements VALUES (0, 1)")
            .execute(&pool)
            .await
            .unwrap();
        EventLog::new(pool, vault(), TwoSupplements, Vec::new())
    }

    async fn written(log: &Log) -> i32 {
        sqlx::query_scalar("SELECT written FROM supplements")
            .fetch_one(log.pool())
            .await
            .unwrap()
    }

    #[tokio::test]
    async fn a_refusal_of_the_inline_projection_leaves_no_event_no_key_no_row() {
        let log = refusing_log().await;
        let case = file(&log, 1).await;
        for words in ["一", "二"] {
            run(&log, &case, supplement(words)).await.unwrap();
        }
        let key = key("a", "k", 1);
        let hook = ImportRow {
            system: "x",
            fails: false,
        };
        let third = command(supplement("三"));
        let done = log
            .execute(&case, third, None, &WHY, Some(&key), Some(&hook))
            .await;
        assert!(matches!(done, Err(LogError::Refused(Refusal::Ended))), "{done:?}");
        assert_eq!(sequences(log.pool(), &case).await, [1, 2, 3]);
        assert_eq!(written(&log).await, 2);
        assert_eq!(
            (
                count(log.pool(), "requests").await,
                count(log.pool(), "imports").await
            ),
            (0, 0)
        );
        assert_eq!(log.answered(&key).await.unwrap(), None);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn the_inline_projection_refuses_whatever_races() {
        let log = refusing_log().await;
        let cases = [
            file(&log, 1).await,
            file(&log, 2).await,
            file(&log, 3).await,
            file(&log, 4).await,
        ];
        let tries: Vec<_> = cases
            .iter()
            .flat_map(|case| [case, case])
            .map(|case| {
                let (log, case) = (log.clone(), case.clone());
                tokio::spawn(async move { run(&log, &case, supplement("同时")).await.is_ok() })
            })
            .collect();
        let mut stored = 0;
        for one in tries {
            stored += i32::from(one.await.unwrap());
        }
        assert_eq!((stored, written(&log).await), (2, 2));
        assert_eq!(count(log.pool(), "events").await, 4 + 2);
    }

    #[tokio::test]
    async fn rows_of_the_hook_come_with_the_events() {
        let log = log().await;
        let case = file(&log, 1).await;
        run_with_hook(
            &log,
            &case,
            CaseAct::Accept,
            &ImportRow {
                system: "x",
                fails: false,
            },
        )
        .await
        .unwrap();
        assert_eq!(count(log.pool(), "imports").await, 1);
    }

    #[tokio::test]
    async fn a_failing_hook_leaves_nothing() {
        let log = log().await;
        let case = file(&log, 1).await;
        let hook = ImportRow {
            system: "x",
            fails: true,
        };
        let key = key("a", "k", 1);
        let done = log
            .execute(
                &case,
                command(supplement("一")),
                None,
                &WHY,
                Some(&key),
                Some(&hook),
            )
            .await;
        assert!(
            matches!(done, Err(LogError::Database(sqlx::Error::WorkerCrashed))),
            "{done:?}"
        );
        assert_eq!(sequences(log.pool(), &case).await, [1]);
        assert_eq!(
            (
                count(log.pool(), "imports").await,
                count(log.pool(), "requests").await
            ),
            (0, 0)
        );
    }

    #[tokio::test]
    async fn a_unique_value_that_the_projection_cannot_explain_is_taken() {
        struct Twice;
        #[async_trait]
        impl InlineProjection<Case> for Twice {
            async fn project(
                &self,
                connection: &mut PgConnection,
                _: &[Appending<'_, Case>],
            ) -> Result<(), sqlx::Error> {
                sqlx::query("INSERT INTO imports (system, file_digest) VALUES ('x', '')")
                    .execute(connection)
                    .await?;
                Ok(())
            }

            async fn explain(
                &self,
                _: &mut PgConnection,
                _: &str,
                _: &[Appending<'_, Case>],
            ) -> Result<Option<Refusal>, sqlx::Error> {
                Ok(None)
            }
        }
        let log = EventLog::new(database().await, vault(), Twice, Vec::new());
        let case = file(&log, 1).await;
        let done = run(&log, &case, CaseAct::Accept).await;
        assert!(
            matches!(&done, Err(LogError::Taken { constraint }) if constraint == "imports_pkey"),
            "{done:?}"
        );
    }
}

mod imports {
    use super::*;

    fn stream(n: u32) -> NewStream<Case> {
        let events = given([CaseAct::SubmitAppeal(submission_of(n)), CaseAct::Accept]).events;
        NewStream {
            aggregate_id: submission_of(n).case.to_string(),
            events,
        }
    }

    #[tokio::test]
    async fn whole_streams_are_appended_together() {
        let log = log().await;
        let streams: Vec<_> = (1..=50).map(stream).collect();
        let hook = ImportRow {
            system: "x",
            fails: false,
        };
        log.append_new(&streams, &WHY, Some(&hook)).await.unwrap();
        for stream in &streams {
            assert_eq!(sequences(log.pool(), &stream.aggregate_id).await, [1, 2]);
        }
        let transactions: i64 = sqlx::query_scalar("SELECT count(DISTINCT transaction_id) FROM events")
            .fetch_one(log.pool())
            .await
            .unwrap();
        assert_eq!((transactions, count(log.pool(), "imports").await), (1, 1));
    }

    #[tokio::test]
    async fn one_known_stream_stops_them_all_and_can_be_told_beforehand() {
        let log = log().await;
        log.append_new(&[stream(7)], &WHY, None).await.unwrap();
        let done = log
            .append_new(&[stream(6), stream(7), stream(8)], &WHY, None)
            .await;
        assert!(matches!(done, Err(LogError::Contended)), "{done:?}");
        assert_eq!(count(log.pool(), "events").await, 2);
        let ids: Vec<String> = [6, 7, 8].into_iter().map(|n| stream(n).aggregate_id).collect();
        let known: BTreeSet<String> = log.known(&ids).await.unwrap().into_iter().collect();
        assert_eq!(known, BTreeSet::from([stream(7).aggregate_id]));
    }

    #[tokio::test]
    async fn private_parts_of_an_import_are_sealed_too() {
        let log = log().await;
        log.append_new(&[stream(1)], &WHY, None).await.unwrap();
        let events = LogStore(&log).load_events(&stream(1).aggregate_id).await.unwrap();
        let CaseFact::CaseSubmitted(submitted) = &events[0].payload.fact else {
            panic!()
        };
        assert_eq!(submitted.words.as_open(), None);
        assert!(Private::as_sealed(&submitted.words).is_some());
    }
}

mod cut_off {
    use super::*;
    use std::{
        future::{Future, poll_fn},
        pin::pin,
        task::Poll,
    };

    /// Polls `future` at most `polls` times, and drops it where it then is.
    async fn cut_off<F: Future>(future: F, polls: usize) {
        let mut future = pin!(future);
        let mut left = polls;
        poll_fn(|context| match left {
            0 => Poll::Ready(()),
            _ => {
                left -= 1;
                future.as_mut().poll(context).map(|_| ())
            }
        })
        .await
    }

    /// A client that hangs up while its append begins, goes on or ends: the connection it used is as good as new.
    #[tokio::test]
    async fn an_append_cut_off_at_any_point_leaves_no_transaction_open() {
        let log = log().await;
        let case = file(&log, 1).await;
        for round in 0..10 {
            for polls in 0..12 {
                cut_off(run(&log, &case, supplement("断了")), polls).await;
                // With every connection in hand, each has been given back by whoever had it.
                let mut connections = Vec::new();
                for _ in 0..log.pool().connections_max() {
                    connections.push(log.pool().acquire().await.unwrap());
                }
                let open: i64 = sqlx::query_scalar(
                    "SELECT count(*) FROM pg_stat_activity
                     WHERE datname = current_database() AND state LIKE 'idle in transaction%'",
                )
                .fetch_one(&mut *connections[0])
                .await
                .unwrap();
                assert_eq!(open, 0, "after {polls} polls in round {round}");
            }
        }
    }
}
