//! The only pauses: one request for materials, a statutory hearing or expert time, the wait for the verdict.

use crate::acts::*;
use onetrip_model::{
    CaseAct, CaseFact, Private, Refusal,
    case::{Holder, LawPause, ReviewDecision, ReviewLevel},
    clocks::ClockKind,
};
use onetrip_testkit::{moments::*, *};

/// The running clocks that stand still.
fn standing_still(given: &Given) -> Vec<ClockKind> {
    let clocks = &given.filed().clocks;
    let still = |kind: &ClockKind| clocks.running(*kind).is_some() && clocks.is_paused(*kind);
    ClockKind::ALL.into_iter().filter(still).collect()
}

fn due_at(given: &Given, kind: ClockKind) -> Option<chrono::DateTime<chrono::Utc>> {
    given.filed().due_at(kind)
}

/// Handled again, after the first result was "not solved".
fn redone() -> Given {
    resulted().and([not_solved()]).by(by_staff(HANDLER))
}

#[test]
fn each_holds_up_what_waits_for_it_and_nothing_else() {
    for (case, still) in [
        (handled(), vec![]),
        (handled().and([offer(SAFETY)]), vec![]),
        (
            handled().and([request()]),
            vec![ClockKind::Result, ClockKind::Legal],
        ),
        (
            handled().and([begin(LawPause::Hearing)]),
            vec![ClockKind::Result, ClockKind::Legal],
        ),
        (
            redone().and([begin(LawPause::Expert)]),
            vec![ClockKind::Redo, ClockKind::Legal],
        ),
        (resulted(), vec![ClockKind::Legal]),
        (
            resulted().and([ask_review(), begin(LawPause::Hearing)]),
            vec![ClockKind::Legal, ClockKind::Review],
        ),
    ] {
        assert_eq!(standing_still(&case), still, "{}", case.filed().stage.name());
    }
}

mod of_the_law {
    use super::*;

    #[test]
    fn is_told_in_writing_and_has_the_case_meanwhile() {
        let case = handled()
            .when(begin(LawPause::Hearing))
            .then_facts([CaseFact::LawPauseBegun {
                kind: LawPause::Hearing,
                notice: Private::of_case(CASE, "定于下周听证".to_owned()),
            }]);
        assert_eq!(case.filed().stage.holder(), Holder::Law);
        assert_eq!(case.filed().stage.unit(), &unit(URBAN));
        let silent = CaseAct::BeginLawPause {
            kind: LawPause::Hearing,
            notice: " ".to_owned(),
        };
        handled()
            .when(silent)
            .then_refused(Refusal::Empty { field: "notice" });
    }

    #[test]
    fn moves_deadlines_in_working_days_and_in_days_each_by_its_own_unit() {
        // From Friday, 6 March to Monday, 16 March: six working days, ten days.
        let case = handled()
            .at(friday_5pm())
            .and([begin(LawPause::Expert)])
            .at(at("2026-03-16 17:00"))
            .when(CaseAct::EndLawPause)
            .then_events(["LawPauseEnded"]);
        assert_eq!(case.filed().stage.name(), "handling");
        assert_eq!(due_at(&case, ClockKind::Result), Some(end_of("2026-03-24")));
        // The sixty days would have ended on 1 May, a holiday.
        assert_eq!(due_at(&case, ClockKind::Legal), Some(end_of("2026-05-11")));
        assert_eq!(
            due_at(&case, ClockKind::Contact),
            due_at(&handled(), ClockKind::Contact)
        );
    }

    #[test]
    fn is_one_at_a_time_and_lets_nothing_be_decided() {
        let case = handled().and([begin(LawPause::Hearing)]);
        case.clone().when(begin(LawPause::Hearing)).then_nothing();
        for act in [
            begin(LawPause::Expert),
            result(),
            request(),
            offer(SAFETY),
            merge(),
        ] {
            case.clone().when(act).then_refused(Refusal::WrongStage);
        }
    }

    #[test]
    fn begins_where_the_case_is_handled_or_reviewed() {
        for case in [filed(), handled().and([offer(SAFETY)]), resulted()] {
            case.when(begin(LawPause::Hearing))
                .then_refused(Refusal::WrongStage);
        }
        closed()
            .when(begin(LawPause::Hearing))
            .then_refused(Refusal::Ended);
        handled()
            .when(CaseAct::EndLawPause)
            .then_refused(Refusal::WrongStage);
    }

    #[test]
    fn is_left_out_of_the_time_of_a_final_review() {
        let reviewed = resulted()
            .and([ask_review()])
            .by(by_staff(SAFETY_HANDLER))
            .and([decide_review(ReviewDecision::Upheld)])
            .and([ask_review()]);
        assert_eq!(
            due_at(&reviewed, ClockKind::FinalReview),
            Some(end_of("2026-04-01"))
        );
        let heard = reviewed
            .at(at("2026-03-09 10:00"))
            .and([begin(LawPause::Hearing)])
            .at(at("2026-03-23 10:00"))
            .and([CaseAct::EndLawPause]);
        assert_eq!(heard.filed().under_review(), Some(ReviewLevel::FinalReview));
        assert_eq!(
            due_at(&heard, ClockKind::FinalReview),
            Some(end_of("2026-04-15")),
            "fourteen days later"
        );
    }
}

mod for_materials {
    use super::*;

    #[test]
    fn ends_by_itself_when_the_resident_stayed_silent_and_never_closes_the_case() {
        let waiting = handled().and([reached(), request()]);
        let last = waiting.at(end_of("2026-03-12"));
        last.clone().when(RUN_CLOCKS).then_nothing();
        let case = last
            .later(second())
            .when(RUN_CLOCKS)
            .then_events(["SilenceRecorded"]);
        assert_eq!(case.filed().stage.holder(), Holder::Unit(unit(URBAN)));
    }

    #[test]
    fn holds_up_what_would_be_raised() {
        // Nobody was asked for anything: half of the result's time is over on 9 March.
        let noon = at("2026-03-10 12:00");
        let working = handled().and([reached()]).at(noon);
        working.when(RUN_CLOCKS).then_events(["WarningRaised"]);
        let waiting = handled().and([reached(), request()]).at(noon);
        waiting.when(RUN_CLOCKS).then_nothing();
    }
}
