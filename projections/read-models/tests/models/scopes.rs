//! The SQL of a scope includes exactly the cases that `Scope::includes` does.

use crate::common::*;
use onetrip_model::figures::Figure;
use onetrip_model::{
    CaseId,
    access::{Scope, scope},
};
use onetrip_read_models::{
    case_file,
    queue::{self, QueueFilter},
    resolution::{self, BoardFilter, Paging},
};
use onetrip_testkit::*;
use std::collections::BTreeSet;

fn scopes() -> Vec<Scope> {
    let mut scopes = vec![Scope::Nothing, Scope::Everything];
    for area in [
        "4403",
        "440304",
        "440304008",
        "440304008003",
        "440305",
        "44030",
        "9",
        "%",
        "_40304",
    ] {
        scopes.push(Scope::Area(area.into()));
        for unit in [None, Some(URBAN)] {
            scopes.push(Scope::AreaAndUnit {
                area: area.into(),
                unit: unit.map(Into::into),
            });
        }
    }
    for unit in [DESK, URBAN, SAFETY, SERVICES, "nobody"] {
        scopes.push(Scope::Unit(unit.into()));
    }
    for staff in [CADRE, CLERK] {
        for districts in [vec![], vec![DISTRICT], vec!["elsewhere", DISTRICT]] {
            for unit in [None, Some(SAFETY)] {
                let districts = districts.iter().map(|district| (*district).into()).collect();
                scopes.push(Scope::Contact {
                    staff,
                    districts,
                    unit: unit.map(Into::into),
                });
            }
        }
    }
    for id in [CLERK, CADRE, HANDLER, SAFETY_HANDLER, SUPERVISOR, ADMINISTRATOR] {
        scopes.push(scope(&onetrip_model::access::Actor::Staff(staff(id))));
    }
    scopes
}

#[tokio::test]
async fn lists_counts_and_figures_are_cut_to_the_scope() {
    let world = world().await;
    let journeys = journeys(80);
    for name in onetrip_model::case::Stage::NAMES {
        let found = journeys
            .iter()
            .any(|journey| journey.filed().stage.name() == name);
        assert!(found, "no journey ends as {name}");
    }
    for journey in &journeys {
        world.live(journey).await;
    }
    world.settle().await;
    let mut connection = world.pool.acquire().await.unwrap();
    for scope in scopes() {
        let seen = |open_only: bool| -> BTreeSet<CaseId> {
            journeys
                .iter()
                .map(|journey| journey.filed())
                .filter(|filed| scope.includes(&filed.relation()) && (!open_only || filed.is_work()))
                .map(|filed| filed.case)
                .collect()
        };
        let listed = case_file::list(&mut connection, &scope, None, None, 1_000)
            .await
            .unwrap();
        assert_eq!(
            listed.iter().map(|file| file.case).collect::<BTreeSet<_>>(),
            seen(false),
            "{scope:?}"
        );

        let filter = QueueFilter::default();
        let queued = queue::page(&mut connection, &scope, &filter, None, 1_000)
            .await
            .unwrap();
        assert_eq!(
            queued.iter().map(|entry| entry.case).collect::<BTreeSet<_>>(),
            seen(true),
            "{scope:?}"
        );
        assert_eq!(
            queue::count(&mut connection, &scope, &filter).await.unwrap(),
            seen(true).len() as u64
        );

        let now = onetrip_testkit::at("2026-09-01 09:00");
        let filter = BoardFilter::default();
        let (total, _) = resolution::board(&mut connection, &scope, &filter, &[], now)
            .await
            .unwrap();
        assert_eq!(total.submitted, seen(false).len() as u64, "{scope:?}");
        let paging = Paging {
            skip: 0,
            limit: 1_000,
        };
        let (count, rows) = resolution::cases(
            &mut connection,
            &scope,
            &filter,
            Figure::Submitted,
            None,
            now,
            paging,
        )
        .await
        .unwrap();
        assert_eq!(
            (count, rows.len()),
            (total.submitted, seen(false).len()),
            "{scope:?}"
        );
    }
}
