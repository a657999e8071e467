use onetrip_casework::{ActInput, Casework, CaseworkError};
use onetrip_event_log::RequestKey;
use onetrip_model::{CaseId, Channel, access::Actor};
use onetrip_read_models::queue::QueueFilter;
use uuid::Uuid;

/// Whose uploads the service's own acts use: none.
const OWNER: &str = "service";

/// Acts on cases whose time has come: silence on a request is recorded, an unrated result is closed. Each act is
/// decided by the case itself, so doing it twice, or on several workers at once, has one effect.
pub(crate) async fn tick(casework: &Casework) -> Result<(), CaseworkError> {
    for (stage, act) in [
        ("awaiting_resident", ActInput::RecordSilence {}),
        ("result_given", ActInput::CloseUnrated {}),
    ] {
        let filter = QueueFilter {
            stage: Some(stage.to_owned()),
            due_by: Some(casework.now()),
            ..QueueFilter::default()
        };
        let mut after = None;
        loop {
            let due = casework
                .queue(&Actor::Service, &filter, after, i64::MAX)
                .await?
                .page;
            for item in due.items {
                let (number, act) = (&item.number, act.clone());
                let request = request(item.entry.case, item.entry.version, &act);
                match casework
                    .act(
                        &Actor::Service,
                        number,
                        act,
                        Channel::Service,
                        OWNER,
                        None,
                        Some(&request),
                    )
                    .await
                {
                    Ok(_) | Err(CaseworkError::Refused(_)) => {}
                    // Nothing can be done for the others either.
                    Err(error @ CaseworkError::Unavailable(_)) => return Err(error),
                    // The clocks of the others run on.
                    Err(error) => {
                        tracing::error!(case.id = %item.entry.case, %error, "a case's clock could not act");
                    }
                }
            }
            match due.next {
                Some(next) => after = Some(next),
                None => break,
            }
        }
    }
    Ok(())
}

/// The id of a clock's act follows from the event that it answers, the newest one the queue had seen: whoever sends it
/// again, after a crash or beside another worker, sends the same one, and it is answered with what was done.
fn request(case: CaseId, version: u64, act: &ActInput) -> RequestKey {
    let name = format!("clock/{}/{version}", act.name());
    RequestKey {
        actor: "service:clock".to_owned(),
        key: Uuid::new_v5(&case.0, name.as_bytes()).to_string(),
        body_hash: [0; 32],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use onetrip_event_log::{MasterKey, NewStream, Vault, Why};
    use onetrip_model::CaseAct;
    use onetrip_runner::Runner;
    use onetrip_testkit::{
        CADRE, URBAN, accepted, after_photo, days, moments::monday_9am, rules, submission_of,
    };
    use std::sync::Arc;

    #[tokio::test]
    async fn a_case_whose_clock_cannot_act_does_not_stop_the_clocks_of_the_others() {
        let database = onetrip_cluster::testing::test_database(&sqlx::migrate!("../../migrations")).await;
        let pool = database.pool;
        let vault = Vault::new(&MasterKey::from_hex(&"0d".repeat(32)).unwrap());
        let later = monday_9am() + days(60);
        let registry = prometheus::Registry::new();
        let casework = Casework::new(pool.clone(), vault, rules(), Arc::new(move || later), &registry)
            .await
            .unwrap();
        let cases = [1, 2].map(|n| {
            accepted(submission_of(n)).and([
                CaseAct::Assign {
                    unit: URBAN.into(),
                    contact_cadre: Some(CADRE),
                },
                CaseAct::GiveResult {
                    words: "灯泡已更换".to_owned(),
                    evidence: Vec::new(),
                    place_proof: after_photo(),
                },
            ])
        });
        let streams = cases.each_ref().map(|case| NewStream {
            aggregate_id: case.filed().case.to_string(),
            events: case.events.clone(),
        });
        let why = Why::request(Uuid::from_u128(1));
        casework.log().append_new(&streams, &why, None).await.unwrap();
        let runner = Runner::new(pool.clone(), onetrip_read_models::all());
        runner.prepare().await.unwrap();
        // Other tests share the server: what was written shows soon, not at once.
        let everything = QueueFilter::default();
        while casework.queue_count(&Actor::Service, &everything).await.unwrap() < 2 {
            runner.catch_up().await.unwrap();
        }
        // The first in the queue is broken: nothing finds it by its number.
        let broken = sqlx::query("DELETE FROM run_once_cases WHERE case_id = $1")
            .bind(cases[0].filed().case.0)
            .execute(&pool)
            .await
            .unwrap();
        assert_eq!(broken.rows_affected(), 1);

        tick(&casework).await.unwrap();
        let ended = async |place: usize| {
            let id = cases[place].filed().case.to_string();
            let (case, _) = casework.log().load(&id).await.unwrap();
            case.filed().unwrap().stage.has_ended()
        };
        assert!(!ended(0).await);
        assert!(ended(1).await);
        // The queue has not seen it yet: the same act, under the same id, is done once.
        let version = async || {
            let id = cases[1].filed().case.to_string();
            casework.log().load(&id).await.unwrap().1
        };
        let before = version().await;
        tick(&casework).await.unwrap();
        assert_eq!(version().await, before);
        let key = request(cases[1].filed().case, before - 1, &ActInput::CloseUnrated {});
        assert!(casework.log().answered(&key).await.unwrap().is_some());
    }
}
