//! Every instant of a case's life belongs to exactly one holder, and the pieces add up to the whole.

use crate::acts::*;
use chrono::Duration;
use onetrip_model::{
    By, CaseAct,
    case::{Holder, LawPause, ReviewDecision, Verdict},
};
use onetrip_testkit::{moments::*, *};

/// One more act each hour.
fn hourly(given: Given, acts: impl IntoIterator<Item = CaseAct>) -> Given {
    acts.into_iter()
        .fold(given, |given, act| given.later(hours(1)).and([act]))
}

/// Who has had it for how many hours, until now.
fn held(given: &Given) -> Vec<(Holder, i64)> {
    let stretches = given.filed().holding.until(given.now);
    stretches
        .map(|stretch| (stretch.holder.clone(), stretch.lasts().num_hours()))
        .collect()
}

fn with(code: &str) -> Holder {
    Holder::Unit(unit(code))
}

#[test]
fn an_offer_leaves_the_time_with_the_holder_until_it_is_taken() {
    let case = hourly(
        filed(),
        [
            decline_to(SAFETY),
            take(SAFETY),
            CaseAct::Accept,
            assign(URBAN),
            offer(SERVICES),
            give_back(SERVICES),
        ],
    );
    assert_eq!(
        held(&case.later(hours(1))),
        [(with(DESK), 2), (with(SAFETY), 2), (with(URBAN), 3)]
    );
}

#[test]
fn the_resident_and_the_law_have_it_while_it_waits_for_them() {
    let case = hourly(
        handled(),
        [
            request(),
            answer(),
            begin(LawPause::Expert),
            CaseAct::EndLawPause,
            result(),
            rate(Verdict::Solved, 5),
        ],
    );
    assert_eq!(
        held(&case.later(hours(5))),
        [
            (with(DESK), 0),
            (with(URBAN), 1),
            (Holder::Resident, 1),
            (with(URBAN), 1),
            (Holder::Law, 1),
            (with(URBAN), 1),
            (Holder::Resident, 1),
            (Holder::Nobody, 5),
        ]
    );
}

#[test]
fn reopening_and_review_go_on_where_it_ended() {
    let reopened = hourly(closed(), [reopen()]);
    assert_eq!(
        held(&reopened)[2..],
        [(Holder::Resident, 0), (Holder::Nobody, 1), (with(URBAN), 0)]
    );
    let reviewed = hourly(
        closed().by(by_staff(SAFETY_HANDLER)),
        [ask_review(), decide_review(ReviewDecision::SentBack)],
    );
    assert_eq!(
        held(&reviewed)[2..],
        [
            (Holder::Resident, 0),
            (Holder::Nobody, 1),
            (Holder::Reviewer, 1),
            (with(URBAN), 0)
        ]
    );
}

#[test]
fn a_merged_case_is_with_who_has_the_other_until_it_is_answered_or_comes_back() {
    let case = hourly(handled(), [merge(), unmerge(), merge()]);
    let answered = hourly(case.by(By::Service), [result()]);
    assert_eq!(
        held(&answered)[1..],
        [
            (with(URBAN), 1),
            (Holder::Lead(LEAD), 1),
            (with(URBAN), 1),
            (Holder::Lead(LEAD), 1),
            (Holder::Resident, 0)
        ]
    );
}

#[test]
fn a_clock_that_went_back_makes_no_piece_longer_than_the_whole() {
    let back = handled()
        .later(hours(3))
        .and([result()])
        .at(monday_9am() + hours(2))
        .and([not_solved()])
        .at(monday_9am() + hours(4));
    let stretches = back.filed().holding.until(back.now);
    let sum: Duration = stretches.map(|stretch| stretch.lasts()).sum();
    assert_eq!(sum, hours(4));
}
