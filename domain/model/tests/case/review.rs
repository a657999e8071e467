//! Review and final review [XF 35, 36]: asked for within their windows, decided by somebody else, and then no more.

use crate::acts::*;
use onetrip_model::{
    CaseAct, CaseFact, Private, Refusal,
    case::{CloseReason, Holder, ReviewDecision, ReviewLevel, Verdict},
    clocks::ClockKind,
};
use onetrip_testkit::{moments::*, *};

/// Under review, and somebody who may decide it.
fn reviewed() -> Given {
    resulted().and([ask_review()]).by(by_staff(SAFETY_HANDLER))
}

/// Decided once, and somebody who may decide the next.
fn decided(decision: ReviewDecision) -> Given {
    reviewed().and([decide_review(decision)]).by(by_staff(CLERK))
}

fn finally_decided(decision: ReviewDecision) -> Given {
    decided(ReviewDecision::Upheld).and([ask_review(), decide_review(decision)])
}

/// Thirty days after Monday, 2 March.
fn window_end() -> chrono::DateTime<chrono::Utc> {
    end_of("2026-04-01")
}

mod asking {
    use super::*;

    #[test]
    fn puts_the_case_before_the_tier_above_and_sets_its_limit() {
        let case = resulted().when(ask_review()).then_facts([CaseFact::ReviewAsked {
            level: ReviewLevel::Review,
            reason: Private::of_case(CASE, "理由".to_owned()),
        }]);
        assert_eq!(case.filed().stage.holder(), Holder::Reviewer);
        assert_eq!(case.filed().due_at(ClockKind::Review), Some(window_end()));
        assert_eq!(
            case.filed().clocks.running(ClockKind::Rating),
            None,
            "the verdict is asked of somebody else now"
        );
        case.when(ask_review()).then_nothing();
    }

    #[test]
    fn is_possible_for_thirty_days_after_the_result_open_or_closed() {
        let closed_on_friday = resulted().at(friday_5pm()).and([rate(Verdict::Partly, 3)]);
        for case in [resulted(), closed_on_friday] {
            let last = case.at(window_end());
            last.clone().when(ask_review()).then_events(["ReviewAsked"]);
            last.later(second())
                .when(ask_review())
                .then_refused(Refusal::WindowEnded {
                    ended_at: window_end(),
                });
        }
    }

    #[test]
    fn needs_a_result_of_an_appeal_and_a_reason() {
        handled().when(ask_review()).then_refused(Refusal::WrongStage);
        resulted()
            .and([withdraw()])
            .when(ask_review())
            .then_refused(Refusal::Ended);
        let suggestion = given([
            CaseAct::SubmitSuggestion(submission()),
            CaseAct::Accept,
            assign(URBAN),
            result(),
        ]);
        suggestion.when(ask_review()).then_refused(Refusal::WrongStage);
        let silent = CaseAct::AskReview {
            reason: " ".to_owned(),
        };
        resulted()
            .when(silent)
            .then_refused(Refusal::Empty { field: "reason" });
    }

    #[test]
    fn ends_with_a_withdrawal_and_nobody_is_pressed_any_more() {
        let withdrawn = reviewed().and([reached(), withdraw()]).later(days(100));
        withdrawn.when(RUN_CLOCKS).then_nothing();
    }
}

mod deciding {
    use super::*;

    #[test]
    fn upholds_or_changes_the_result_and_closes_on_its_own_words() {
        for decision in [ReviewDecision::Upheld, ReviewDecision::Changed] {
            let case = reviewed().when(decide_review(decision)).then_facts([
                CaseFact::ReviewDecided {
                    level: ReviewLevel::Review,
                    decision,
                    words: Private::of_case(CASE, "经复查".to_owned()),
                },
                CaseFact::CaseClosed {
                    reason: CloseReason::Reviewed,
                    reply: None,
                },
            ]);
            case.clone().when(reopen()).then_refused(Refusal::Ended);
            case.when(rate(Verdict::Solved, 5)).then_refused(Refusal::Ended);
        }
    }

    #[test]
    fn sends_it_back_to_be_done_again_by_somebody_else() {
        let case = reviewed()
            .at(tuesday_9am())
            .when(decide_review(ReviewDecision::SentBack))
            .then_events(["ReviewDecided"]);
        assert_eq!(case.filed().stage.holder(), Holder::Unit(unit(URBAN)));
        assert_eq!(
            case.filed().due_at(ClockKind::Redo),
            Some(working_days(tuesday_9am(), 10))
        );
        case.clone()
            .by(by_staff(CADRE))
            .when(result())
            .then_refused(Refusal::SomebodyElse);
        case.by(by_staff(HANDLER))
            .when(result())
            .then_events(["ResultGiven"]);
    }

    #[test]
    fn is_for_somebody_else_than_who_gave_the_result() {
        reviewed()
            .by(by_staff(CADRE))
            .when(decide_review(ReviewDecision::Upheld))
            .then_refused(Refusal::SomebodyElse);
    }

    #[test]
    fn needs_words_and_a_review() {
        let silent = CaseAct::DecideReview {
            decision: ReviewDecision::Upheld,
            words: String::new(),
        };
        reviewed()
            .when(silent)
            .then_refused(Refusal::Empty { field: "words" });
        resulted()
            .when(decide_review(ReviewDecision::Upheld))
            .then_refused(Refusal::WrongStage);
        decided(ReviewDecision::Upheld)
            .when(decide_review(ReviewDecision::Changed))
            .then_refused(Refusal::Ended);
    }
}

mod the_final_review {
    use super::*;

    #[test]
    fn may_be_asked_for_within_thirty_days_of_the_decision() {
        let decided = reviewed()
            .at(tuesday_9am())
            .and([decide_review(ReviewDecision::Upheld)]);
        let last = decided.at(end_of("2026-04-02"));
        let case = last.clone().when(ask_review()).then_events(["ReviewAsked"]);
        assert_eq!(case.filed().under_review(), Some(ReviewLevel::FinalReview));
        assert_eq!(
            case.filed().due_at(ClockKind::FinalReview),
            Some(end_of("2026-05-06")),
            "thirty days end on Saturday, 2 May, in the Labour Day holiday"
        );
        last.later(second())
            .when(ask_review())
            .then_refused(Refusal::WindowEnded {
                ended_at: end_of("2026-04-02"),
            });
    }

    #[test]
    fn is_decided_by_somebody_else_than_the_review() {
        decided(ReviewDecision::Upheld)
            .and([ask_review()])
            .by(by_staff(SAFETY_HANDLER))
            .when(decide_review(ReviewDecision::Upheld))
            .then_refused(Refusal::SomebodyElse);
    }

    #[test]
    fn is_the_last_look_whatever_it_decides() {
        for decision in [ReviewDecision::Upheld, ReviewDecision::Changed] {
            finally_decided(decision)
                .when(ask_review())
                .then_refused(Refusal::FinallyReviewed);
        }
        let redone = finally_decided(ReviewDecision::SentBack)
            .by(by_staff(HANDLER))
            .and([result()]);
        redone.when(ask_review()).then_refused(Refusal::FinallyReviewed);
    }

    #[test]
    fn is_also_the_next_look_at_what_a_review_sent_back() {
        let redone = decided(ReviewDecision::SentBack)
            .by(by_staff(HANDLER))
            .at(at("2026-04-20 09:00"))
            .and([result()]);
        let case = redone
            .at(end_of("2026-05-20"))
            .when(ask_review())
            .then_events(["ReviewAsked"]);
        assert_eq!(case.filed().under_review(), Some(ReviewLevel::FinalReview));
    }
}
