//! The figures of the board, and the lists behind them.

use crate::common::*;
use chrono::{DateTime, Utc};
use onetrip_model::{
    CaseAct,
    access::Scope,
    case::{FollowUp, FollowUpKind, Verdict},
    figures::{Figure, Figures},
};
use onetrip_read_models::resolution::{BoardFilter, CaseRef, Grouping, Paging, board, cases};
use onetrip_testkit::{moments::monday_9am, *};

const GROUPINGS: [Grouping; 5] = [
    Grouping::Unit,
    Grouping::District,
    Grouping::Kind,
    Grouping::Category,
    Grouping::Month,
];

fn number_of(figure: Figure, figures: &Figures) -> u64 {
    match figure {
        Figure::Submitted => figures.submitted,
        Figure::Open => figures.open,
        Figure::OpenOverdue => figures.open_overdue,
        Figure::ContactDue => figures.contact_due,
        Figure::ContactMet => figures.contact_met,
        Figure::ContactMissed => figures.contact_due - figures.contact_met,
        Figure::ResultDue => figures.result_due,
        Figure::ResultMet => figures.result_met,
        Figure::ResultMissed => figures.result_due - figures.result_met,
        Figure::Closed => figures.closed,
        Figure::ClosedRunOnce => figures.closed_run_once,
        Figure::ClosedWithBreach => figures.closed - figures.closed_run_once,
        Figure::Concluded => figures.concluded,
        Figure::Reopened => figures.reopened,
        Figure::Asked => figures.asked,
        Figure::Rated => figures.rated,
        Figure::Satisfied => figures.satisfied,
        Figure::Dissatisfied => figures.rated - figures.satisfied,
        Figure::Solved => figures.solved,
        Figure::NotSolved => figures.not_solved,
    }
}

async fn figures_of(journeys: &[Given], now: DateTime<Utc>) -> Figures {
    let world = world().await;
    for journey in journeys {
        world.live(journey).await;
    }
    world.settle().await;
    let mut connection = world.pool.acquire().await.unwrap();
    board(
        &mut connection,
        &Scope::Everything,
        &BoardFilter::default(),
        &[],
        now,
    )
    .await
    .unwrap()
    .0
}

fn contacted_after(count: i64) -> Given {
    let contact = CaseAct::FollowUp(FollowUp {
        kind: FollowUpKind::Contact,
        reached: true,
        words: "已联系".to_owned(),
    });
    handled().later(hours(count)).and([contact])
}

#[tokio::test]
async fn a_contact_counts_once_its_limit_has_fallen_and_only_in_time() {
    let before = figures_of(&[handled()], monday_9am() + hours(23)).await;
    assert_eq!((before.contact_due, before.contact_met), (0, 0), "not yet due");
    let missed = figures_of(&[contacted_after(25)], monday_9am() + hours(48)).await;
    assert_eq!((missed.contact_due, missed.contact_met), (1, 0));
    let met = figures_of(&[contacted_after(24)], monday_9am() + hours(48)).await;
    assert_eq!((met.contact_due, met.contact_met), (1, 1));
}

#[tokio::test]
async fn open_overdue_cases_count_against_the_unit() {
    let figures = figures_of(&[handled()], monday_9am() + days(30)).await;
    assert_eq!((figures.result_due, figures.result_met), (1, 0));
    assert_eq!((figures.open, figures.open_overdue), (1, 1));
}

fn request() -> CaseAct {
    CaseAct::RequestMaterials {
        items: vec![ask("lease")],
        held: Vec::new(),
    }
}

#[tokio::test]
async fn a_case_that_waits_for_the_resident_is_not_overdue() {
    let waiting = handled().and([request()]);
    let figures = figures_of(std::slice::from_ref(&waiting), monday_9am() + days(30)).await;
    assert_eq!(
        (figures.open, figures.open_overdue, figures.result_due),
        (1, 0, 0)
    );
    let silent = waiting.later(days(30)).and([CaseAct::RecordSilence]);
    let before = figures_of(std::slice::from_ref(&silent), monday_9am() + days(31)).await;
    assert_eq!(
        (before.open_overdue, before.result_due),
        (0, 0),
        "moved by the pause"
    );
    let after = figures_of(&[silent], monday_9am() + days(60)).await;
    assert_eq!((after.open_overdue, after.result_due), (1, 1));
}

#[tokio::test]
async fn a_request_does_not_hide_a_limit_that_had_fallen() {
    let waive = CaseAct::WaiveLimit {
        limit: onetrip_model::case::RunOnceLimit::MaterialRequest,
        reason: "遗漏".to_owned(),
    };
    let late = handled().later(days(20)).and([waive, request()]);
    let figures = figures_of(&[late], monday_9am() + days(21)).await;
    assert_eq!((figures.open_overdue, figures.result_due), (1, 1));
}

#[tokio::test]
async fn a_withdrawn_matter_is_due_no_more() {
    let withdrawn = handled().later(hours(1)).and([CaseAct::Withdraw {
        reason: "修好了".to_owned(),
    }]);
    let figures = figures_of(&[withdrawn], monday_9am() + days(30)).await;
    assert_eq!(
        (
            figures.submitted,
            figures.contact_due,
            figures.result_due,
            figures.open
        ),
        (1, 0, 0, 0)
    );
}

#[tokio::test]
async fn what_was_declined_to_an_owner_outside_in_time_was_in_time() {
    let outside = filed().later(hours(5)).and([CaseAct::Decline {
        next_owner: onetrip_model::case::NextOwner::Outside("法院".to_owned()),
        reason: "涉诉".to_owned(),
    }]);
    let figures = figures_of(&[outside], monday_9am() + days(30)).await;
    assert_eq!((figures.result_due, figures.result_met), (1, 1));
    assert_eq!((figures.closed_in_time, figures.closed_late), (1, 0));
}

#[tokio::test]
async fn the_first_results_clock_is_not_restarted_by_a_reopening() {
    let give = || CaseAct::GiveResult {
        words: "修好".to_owned(),
        evidence: Vec::new(),
        place_proof: after_photo(),
        promise: None,
    };
    let late = handled()
        .later(days(30))
        .and([
            give(),
            CaseAct::Rate(rating(Verdict::NotSolved, 1, Some("仍然不亮"))),
        ])
        .by(by_staff(HANDLER))
        .and([give(), CaseAct::Rate(rating(Verdict::Solved, 4, None))]);
    let figures = figures_of(&[late], monday_9am() + days(60)).await;
    assert_eq!(
        (figures.result_due, figures.result_met, figures.closed_late),
        (1, 0, 1)
    );
    assert_eq!((figures.reopened, figures.solved, figures.satisfied), (1, 1, 1));
}

#[tokio::test]
async fn a_second_result_is_asked_about_anew() {
    let give = || CaseAct::GiveResult {
        words: "修好".to_owned(),
        evidence: Vec::new(),
        place_proof: after_photo(),
        promise: None,
    };
    let redone = resulted()
        .later(days(1))
        .and([CaseAct::Rate(rating(Verdict::NotSolved, 1, Some("仍然不亮")))])
        .by(by_staff(HANDLER))
        .and([give()]);
    let figures = figures_of(std::slice::from_ref(&redone), monday_9am() + days(2)).await;
    assert_eq!((figures.asked, figures.rated, figures.not_solved), (1, 0, 0));
    assert_eq!((figures.closed, figures.concluded, figures.reopened), (0, 1, 1));
    let rated = redone.and([CaseAct::Rate(rating(Verdict::Solved, 4, None))]);
    let figures = figures_of(&[rated], monday_9am() + days(2)).await;
    assert_eq!((figures.asked, figures.rated, figures.solved), (1, 1, 1));
    assert_eq!((figures.closed, figures.concluded, figures.reopened), (1, 1, 1));
}

#[tokio::test]
async fn a_case_with_a_breach_was_not_run_once() {
    let trip = || CaseAct::AskTrip {
        to_place: "街道".to_owned(),
        reason: "核对".to_owned(),
    };
    let waive = CaseAct::WaiveLimit {
        limit: onetrip_model::case::RunOnceLimit::Trip,
        reason: "遗失".to_owned(),
    };
    let twice = handled().and([
        trip(),
        waive,
        trip(),
        CaseAct::GiveResult {
            words: "修好".to_owned(),
            evidence: Vec::new(),
            place_proof: after_photo(),
            promise: None,
        },
        CaseAct::Rate(rating(Verdict::Solved, 4, None)),
    ]);
    let figures = figures_of(&[twice], monday_9am() + days(1)).await;
    assert_eq!((figures.closed, figures.closed_run_once), (1, 0));
}

#[tokio::test]
async fn every_number_has_a_list_of_as_many_cases() {
    let world = world().await;
    for journey in journeys(80) {
        world.live(&journey).await;
    }
    world.settle().await;
    let mut connection = world.pool.acquire().await.unwrap();
    let now = onetrip_testkit::at("2026-04-20 09:00");
    let spring = BoardFilter {
        from: Some(monday_9am()),
        to: Some(monday_9am() + days(14)),
        ..BoardFilter::default()
    };
    let filters = [
        BoardFilter::default(),
        spring,
        BoardFilter {
            area: Some("440304".to_owned()),
            ..BoardFilter::default()
        },
        BoardFilter {
            unit: Some(URBAN.to_owned()),
            ..BoardFilter::default()
        },
    ];
    let mut opened = 0;
    for filter in &filters {
        let (total, groups) = board(&mut connection, &Scope::Everything, filter, &GROUPINGS, now)
            .await
            .unwrap();
        for figure in Figure::ALL {
            let all = Paging {
                skip: 0,
                limit: 1_000,
            };
            let (count, list) = cases(
                &mut connection,
                &Scope::Everything,
                filter,
                figure,
                None,
                now,
                all,
            )
            .await
            .unwrap();
            assert_eq!(
                (count, list.len() as u64),
                (number_of(figure, &total), count),
                "{figure:?} {filter:?}"
            );
            assert!(list.is_sorted_by(|a: &CaseRef, b| a.submitted_at >= b.submitted_at));
            opened += count;
            for (grouping, groups) in GROUPINGS.iter().zip(&groups) {
                let mut sum = 0;
                for (name, figures) in groups {
                    let group = Some((*grouping, name.as_str()));
                    let (count, _) = cases(
                        &mut connection,
                        &Scope::Everything,
                        filter,
                        figure,
                        group,
                        now,
                        all,
                    )
                    .await
                    .unwrap();
                    assert_eq!(
                        count,
                        number_of(figure, figures),
                        "{figure:?} of {grouping:?} {name}"
                    );
                    sum += count;
                }
                assert_eq!(
                    sum,
                    number_of(figure, &total),
                    "the groups of {grouping:?} add up to {figure:?}"
                );
            }
        }
    }
    assert!(opened > 200, "there was something to count");
}

#[tokio::test]
async fn a_list_comes_in_parts_that_meet() {
    let world = world().await;
    for journey in journeys(30) {
        world.live(&journey).await;
    }
    world.settle().await;
    let mut connection = world.pool.acquire().await.unwrap();
    let (filter, now) = (BoardFilter::default(), onetrip_testkit::at("2026-04-20 09:00"));
    let mut part = async |skip, limit| {
        let paging = Paging { skip, limit };
        cases(
            &mut connection,
            &Scope::Everything,
            &filter,
            Figure::Submitted,
            None,
            now,
            paging,
        )
        .await
        .unwrap()
    };
    let (count, whole) = part(0, 1_000).await;
    let (first_count, mut parts) = part(0, 13).await;
    parts.extend(part(13, 1_000).await.1);
    assert_eq!((count, first_count), (30, 30));
    assert_eq!(parts, whole);
}
