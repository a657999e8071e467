//! The ledger of a town is what an independent count of its events says. With so many cases as `ONETRIP_LEDGER_CASES` says.

use crate::common::*;
use onetrip_event_log::NewStream;
use onetrip_model::{CaseEvent, CaseId, PersonId, case::upcasters};
use onetrip_read_models::run_once;
use onetrip_runner::rebuild_locked;
use onetrip_testkit::{Accounts, CountedBreach, rules, town};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

#[tokio::test]
async fn the_ledger_of_a_town_is_what_its_events_add_up_to() {
    let world = world().await;
    let cases = std::env::var("ONETRIP_LEDGER_CASES");
    let cases = cases.map_or(1_000, |cases| cases.parse().expect("a number of cases"));
    for some in town(cases).iter().flat_map(|round| round.chunks(100)) {
        let streams: Vec<_> = some
            .iter()
            .map(|life| NewStream {
                aggregate_id: life.filed().case.to_string(),
                events: life.events.clone(),
            })
            .collect();
        world
            .log
            .append_new(&streams, &WHY, None)
            .await
            .expect("nothing in it breaks a rule");
    }
    let mut accounts = Accounts::default();
    let events = world.events().await;
    let upcasters = upcasters();
    for logged in &events {
        let event = logged.read::<CaseEvent>("case", &upcasters).expect("an event");
        let case = CaseId(logged.aggregate_id.parse().expect("a case's id"));
        accounts.count(case, logged.sequence, &event);
    }
    assert_eq!(accounts.cases.len() as u32, cases / 4 * 4);
    let rows: BTreeSet<_> = breaches(&accounts).map(|(_, breach)| breach.row).collect();
    assert_eq!(
        rows.into_iter().collect::<Vec<_>>(),
        ["hand_over", "held_paper", "material_request", "refiling", "trip"]
    );
    assert!(accounts.cases.values().any(|account| account.finally_reviewed));
    assert!(!accounts.held.is_empty());
    println!(
        "{} cases, {} events, {} breaches",
        accounts.cases.len(),
        events.len(),
        breaches(&accounts).count()
    );
    assert_same(&world, &accounts).await;
    rebuild_locked(&world.pool, &ledger(), &mut |_| {}).await.unwrap();
    assert_same(&world, &accounts).await;
}

fn breaches(accounts: &Accounts) -> impl Iterator<Item = (CaseId, &CountedBreach)> {
    accounts
        .cases
        .iter()
        .flat_map(|(case, account)| account.breaches.iter().map(|breach| (*case, breach)))
}

async fn assert_same(world: &World, accounts: &Accounts) {
    let mut connection = world.pool.acquire().await.unwrap();
    let policy = &rules().policy.run_once;
    for (case, account) in &accounts.cases {
        let count = |number: u32| i32::try_from(number).unwrap();
        let counted = run_once::Ledger {
            trips: count(account.trips),
            trips_max: count(policy.trips_max + account.trips_waived),
            material_requests: count(account.requests),
            material_requests_max: count(policy.material_requests_max + account.requests_waived),
            held_paper_waivers: count(account.held_papers_waived),
            breaches: i32::try_from(account.breaches.len()).unwrap(),
        };
        let kept = run_once::ledger(&mut connection, *case).await.unwrap();
        assert_eq!(kept, Some(counted), "{case}");
    }
    type Row = (
        Uuid,
        String,
        i64,
        String,
        chrono::DateTime<chrono::Utc>,
        Option<Uuid>,
    );
    let kept: BTreeSet<Row> =
        sqlx::query_as("SELECT case_id, row, sequence, unit, at, other_case FROM run_once_breaches")
            .fetch_all(&mut *connection)
            .await
            .unwrap()
            .into_iter()
            .collect();
    let counted: BTreeSet<Row> = breaches(accounts)
        .map(|(case, breach)| {
            let unit = breach.unit.as_str().to_owned();
            let later = breach.later_case.map(|case| case.0);
            (
                case.0,
                breach.row.to_owned(),
                breach.sequence,
                unit,
                breach.at,
                later,
            )
        })
        .collect();
    assert_eq!(kept, counted);

    type Paper = (Uuid, String, Uuid, chrono::DateTime<chrono::Utc>);
    let kept: BTreeSet<Paper> =
        sqlx::query_as("SELECT person_id, kind, case_id, held_at FROM run_once_held_papers")
            .fetch_all(&mut *connection)
            .await
            .unwrap()
            .into_iter()
            .collect();
    let held = accounts.held.iter();
    let counted: BTreeSet<Paper> = held
        .map(|((person, kind), (case, at))| (person.0, kind.clone(), case.0, *at))
        .collect();
    assert_eq!(kept, counted);

    type Matter = (Uuid, Uuid, String, bool, bool);
    let kept: BTreeSet<Matter> =
        sqlx::query_as("SELECT case_id, person_id, matter, open, concluded FROM run_once_matters")
            .fetch_all(&mut *connection)
            .await
            .unwrap()
            .into_iter()
            .collect();
    let counted: BTreeSet<Matter> = accounts
        .cases
        .iter()
        .map(|(case, account)| {
            let PersonId(person) = account.person;
            (
                case.0,
                person,
                account.matter.clone(),
                account.open,
                account.finally_reviewed,
            )
        })
        .collect();
    assert_eq!(kept, counted);

    let kept: Vec<(Uuid, Uuid, bool)> = sqlx::query_as("SELECT case_id, lead, open FROM run_once_merges")
        .fetch_all(&mut *connection)
        .await
        .unwrap();
    let kept: BTreeMap<CaseId, (CaseId, bool)> = kept
        .into_iter()
        .map(|(case, lead, waits)| (CaseId(case), (CaseId(lead), waits)))
        .collect();
    let cases = accounts.cases.iter();
    let counted: BTreeMap<CaseId, (CaseId, bool)> = cases
        .filter_map(|(case, account)| Some((*case, account.lead?)))
        .collect();
    assert_eq!(kept, counted);
}
