//! A named bad rating gets an owner within a working day.

use crate::acts::*;
use onetrip_model::{
    CaseAct, CaseFact, Refusal,
    case::{Submission, Verdict},
    clocks::ClockKind,
};
use onetrip_testkit::{moments::*, *};

fn owner_due(given: &Given) -> Option<chrono::DateTime<chrono::Utc>> {
    let clock = given.filed().clocks.running(ClockKind::RatingOwner);
    clock.map(|clock| clock.deadline.due_at)
}

fn badly_rated() -> Given {
    resulted()
        .at(friday_5pm())
        .and([reached(), rate(Verdict::Partly, 2)])
}

#[test]
fn worse_than_three_of_five_or_not_solved_is_bad() {
    for (verdict, score, due) in [
        (Verdict::Partly, 2, Some(end_of("2026-03-09"))),
        (Verdict::NotSolved, 5, Some(end_of("2026-03-09"))),
        (Verdict::Partly, 3, None),
        (Verdict::Solved, 5, None),
    ] {
        let case = resulted().at(friday_5pm()).and([rate(verdict, score)]);
        assert_eq!(owner_due(&case), due, "{verdict:?} {score}");
    }
}

#[test]
fn nobody_can_be_called_back_who_is_unnamed() {
    let unnamed = Submission {
        contact: None,
        ..submission()
    };
    let case = accepted(unnamed).and([assign(URBAN), result(), rate(Verdict::Partly, 1)]);
    assert_eq!(owner_due(&case), None);
}

#[test]
fn somebody_takes_it_on_and_once() {
    let case = badly_rated()
        .when(CaseAct::OwnRating)
        .then_facts([CaseFact::RatingOwned {}]);
    assert_eq!(owner_due(&case), None);
    case.when(CaseAct::OwnRating).then_nothing();
    closed().when(CaseAct::OwnRating).then_refused(Refusal::Ended);
    resulted()
        .when(CaseAct::OwnRating)
        .then_refused(Refusal::WrongStage);
}

#[test]
fn the_supervisors_assignment_or_the_next_result_owns_it_too() {
    let again = resulted().and([not_solved()]).by(by_staff(HANDLER));
    assert!(owner_due(&again).is_some());
    let redone = again.and([result()]);
    assert_eq!(owner_due(&redone), None);
    let with_supervisor = redone.and([not_solved()]).by(by_staff(SUPERVISOR));
    assert!(owner_due(&with_supervisor).is_some());
    assert_eq!(owner_due(&with_supervisor.and([assign(SAFETY)])), None);
}

#[test]
fn it_is_pressed_for_after_closing_when_nobody_does() {
    let case = badly_rated()
        .at(end_of("2026-03-09"))
        .and([RUN_CLOCKS])
        .later(second());
    case.when(RUN_CLOCKS).then_facts([CaseFact::LimitBreached {
        clock: ClockKind::RatingOwner,
    }]);
}
