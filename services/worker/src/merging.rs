//! The answers that go from a case to those that are handled with it.

use crate::setbacks::Setbacks;
use onetrip_casework::{Casework, CaseworkError};
use onetrip_read_models::{case_file, run_once};

/// Merged cases that are looked at in one go.
const PAGE: i64 = 500;

/// Tells the cases that are handled with another one what has become of it. The case itself takes it once, so telling it
/// twice, or on several workers at once, has one effect.
pub(crate) async fn tick(casework: &Casework) -> Result<(), CaseworkError> {
    let mut setbacks = Setbacks::default();
    let mut after = None;
    loop {
        let mut connection = casework.pool().acquire().await?;
        let waiting = run_once::open_merges(&mut connection, after, PAGE).await?;
        let mut leads: Vec<_> = waiting.iter().map(|merge| merge.lead).collect();
        leads.dedup();
        let leads = case_file::answered_or_ended(&mut connection, &leads).await?;
        drop(connection);
        let Some(last) = waiting.last() else {
            return Ok(());
        };
        after = Some(*last);
        for members in waiting.chunk_by(|one, next| one.lead == next.lead) {
            if leads.contains(&members[0].lead) {
                tell(casework, members, &mut setbacks).await?;
            }
        }
    }
}

async fn tell(
    casework: &Casework,
    members: &[run_once::Merge],
    setbacks: &mut Setbacks,
) -> Result<(), CaseworkError> {
    let lead = members[0].lead;
    let outcome = match casework.lead_outcome(lead).await {
        Ok(Some(outcome)) => outcome,
        Ok(None) => return Ok(()),
        Err(error) => {
            tracing::error!(case.id = %lead, %error, "what has become of a lead could not be read");
            return setbacks.take(error);
        }
    };
    for merge in members {
        // The others are told all the same.
        if let Err(error) = casework.tell_member(*merge, &outcome).await {
            tracing::error!(case.id = %merge.member, %error, "a merged case could not be told what has become of its lead");
            setbacks.take(error)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use onetrip_event_log::{MasterKey, NewStream, Vault, Why};
    use onetrip_model::{CaseAct, CaseFact, case::Stage};
    use onetrip_runner::Runner;
    use onetrip_testkit::{
        CADRE, Given, URBAN, accepted, after_photo, moments::monday_9am, rules, submission_of,
    };
    use std::sync::Arc;
    use uuid::Uuid;

    const MEMBERS: u32 = 5;

    fn handled(n: u32) -> Given {
        accepted(submission_of(n)).and([CaseAct::Assign {
            unit: URBAN.into(),
            contact_cadre: Some(CADRE),
        }])
    }

    fn merged(n: u32, lead: &Given) -> Given {
        handled(n).and([CaseAct::Merge {
            into: lead.filed().case,
            into_number: lead.filed().number.clone(),
            reason: "同一盏路灯".to_owned(),
        }])
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn however_many_workers_tell_it_each_member_is_told_once() {
        let database = onetrip_cluster::testing::test_database(&sqlx::migrate!("../../migrations")).await;
        let pool = database.pool;
        let vault = Vault::new(&MasterKey::from_hex(&"0e".repeat(32)).unwrap());
        let registry = prometheus::Registry::new();
        let casework = Casework::new(pool.clone(), vault, rules(), Arc::new(monday_9am), &registry)
            .await
            .unwrap();
        let answered = handled(1).and([CaseAct::GiveResult {
            words: "灯泡已更换".to_owned(),
            evidence: Vec::new(),
            place_proof: after_photo(),
            promise: None,
        }]);
        let withdrawn = handled(2).and([CaseAct::Withdraw {
            reason: "修好了".to_owned(),
        }]);
        let on_its_way = handled(3);
        let leads = [&answered, &withdrawn, &on_its_way];
        let members: Vec<Given> = (0..MEMBERS * 3)
            .map(|n| merged(10 + n, leads[n as usize % 3]))
            .collect();
        let streams: Vec<NewStream<_>> = leads
            .into_iter()
            .chain(&members)
            .map(|case| NewStream {
                aggregate_id: case.filed().case.to_string(),
                events: case.events.clone(),
            })
            .collect();
        let why = Why::request(Uuid::from_u128(1));
        casework.log().append_new(&streams, &why, None).await.unwrap();
        let runner = Runner::new(pool.clone(), onetrip_read_models::all());
        runner.prepare().await.unwrap();
        // Other tests share the server: what was written shows soon, not at once. It was written in one transaction.
        let id = answered.filed().case.to_string();
        let (_, newest) = casework
            .log()
            .newest(&id)
            .await
            .unwrap()
            .expect("it is in the log");
        runner.catch_up().await.unwrap();
        while !casework.settle(newest).await {
            runner.catch_up().await.unwrap();
        }
        let turn = || {
            let casework = casework.clone();
            tokio::spawn(async move { tick(&casework).await })
        };
        for done in futures::future::join_all([turn(), turn(), turn()]).await {
            done.unwrap().unwrap();
        }
        tick(&casework).await.unwrap();
        for (n, member) in members.iter().enumerate() {
            let id = member.filed().case.to_string();
            let (case, version) = casework.log().load(&id).await.unwrap();
            let stage = &case.filed().unwrap().stage;
            let newest = casework.log().event(&id, version).await.unwrap().unwrap().fact;
            let told = match n % 3 {
                0 => matches!(
                    (stage, newest),
                    (Stage::ResultGiven { .. }, CaseFact::ResultGiven { .. })
                ),
                1 => matches!(
                    (stage, newest),
                    (Stage::Handling { .. }, CaseFact::CaseUnmerged { .. })
                ),
                _ => matches!(
                    (stage, newest),
                    (Stage::Merged { .. }, CaseFact::CaseMerged { .. })
                ),
            };
            let new = version - member.events.len() as u64;
            assert!(
                told && new == u64::from(n % 3 < 2),
                "member {n}: {stage:?}, {new} new"
            );
        }
    }
}
