//! The result, the verdict, reopening, and the ways a case ends. Nothing is closed without a reason and a reply.

use crate::acts::{not_solved, reopen, withdraw};
use onetrip_model::{
    CaseAct, CaseFact, Private, Refusal,
    case::{CloseReason, Holder, PlaceEvidence, PlaceProof, Redo, Stage, Verdict},
};
use onetrip_testkit::{moments::*, *};

fn result(place_proof: Option<PlaceProof>) -> CaseAct {
    CaseAct::GiveResult {
        words: "灯泡已更换".to_owned(),
        evidence: vec![photo(4)],
        place_proof,
        promise: None,
    }
}

fn rate(verdict: Verdict, score: u8, reason: Option<&str>) -> CaseAct {
    CaseAct::Rate(rating(verdict, score, reason))
}

/// 15 days after Monday, 2 March.
fn window_end() -> chrono::DateTime<chrono::Utc> {
    at("2026-03-17 23:59") + chrono::Duration::seconds(59)
}

fn placeless_handled() -> Given {
    accepted(placeless()).and([CaseAct::Assign {
        unit: SERVICES.into(),
        contact_cadre: None,
    }])
}

mod the_result {
    use super::*;

    #[test]
    fn is_a_written_answer_with_its_evidence_and_waits_for_the_verdict() {
        let case = handled()
            .when(result(after_photo()))
            .then_facts([CaseFact::ResultGiven {
                round: 1,
                words: Private::of_case(CASE, "灯泡已更换".to_owned()),
                evidence: vec![photo(4)],
                place_evidence: PlaceEvidence::AfterPhoto(photo(1)),
            }]);
        assert_eq!(case.filed().verdict_until(), Some(window_end()));
        assert_eq!(case.filed().stage.holder(), Holder::Resident);
    }

    #[test]
    fn of_a_matter_with_a_place_needs_an_after_photo_or_the_reason_why_not() {
        handled()
            .when(result(None))
            .then_refused(Refusal::PlaceProofMissing);
        let case = handled()
            .when(result(Some(PlaceProof::WhyNot("在室内".to_owned()))))
            .then_events(["ResultGiven"]);
        let CaseFact::ResultGiven { place_evidence, .. } = case.newest() else {
            panic!()
        };
        assert_eq!(
            place_evidence,
            &PlaceEvidence::WhyNot(Private::of_case(CASE, "在室内".to_owned()))
        );
        handled()
            .when(result(Some(PlaceProof::WhyNot(" ".to_owned()))))
            .then_refused(Refusal::Empty { field: "place_proof" });
    }

    #[test]
    fn of_a_matter_without_a_place_needs_neither() {
        let case = placeless_handled()
            .when(result(None))
            .then_events(["ResultGiven"]);
        let CaseFact::ResultGiven { place_evidence, .. } = case.newest() else {
            panic!()
        };
        assert_eq!(place_evidence, &PlaceEvidence::NotPlaceBound);
    }

    #[test]
    fn has_words() {
        let silent = CaseAct::GiveResult {
            words: "\t".to_owned(),
            evidence: Vec::new(),
            place_proof: after_photo(),
            promise: None,
        };
        handled()
            .when(silent)
            .then_refused(Refusal::Empty { field: "words" });
    }

    #[test]
    fn is_given_by_who_handles_the_case() {
        filed()
            .when(result(after_photo()))
            .then_refused(Refusal::WrongStage);
        accepted(submission())
            .when(result(after_photo()))
            .then_refused(Refusal::WrongStage);
        resulted()
            .when(result(after_photo()))
            .then_refused(Refusal::WrongStage);
        closed().when(result(after_photo())).then_refused(Refusal::Ended);
    }
}

mod the_rating {
    use super::*;

    #[test]
    fn closes_a_case_that_is_solved_or_partly_solved() {
        for verdict in [Verdict::Solved, Verdict::Partly] {
            let case = resulted().when(rate(verdict, 3, None)).then_facts([
                CaseFact::ResultRated {
                    round: 1,
                    verdict,
                    score: 3,
                    reason: None,
                },
                CaseFact::CaseClosed {
                    reason: CloseReason::Rated,
                    reply: None,
                },
            ]);
            assert!(case.filed().stage.has_ended());
        }
    }

    #[test]
    fn is_one_to_five() {
        for score in [0, 6, 255] {
            resulted()
                .when(rate(Verdict::Solved, score, None))
                .then_refused(Refusal::ScoreOutOfRange);
        }
        for score in 1..=5 {
            resulted()
                .when(rate(Verdict::Solved, score, None))
                .then_events(["ResultRated", "CaseClosed"]);
        }
    }

    #[test]
    fn not_solved_needs_a_reason() {
        for reason in [None, Some(" ")] {
            resulted()
                .when(rate(Verdict::NotSolved, 1, reason))
                .then_refused(Refusal::ReasonMissing);
        }
    }

    #[test]
    fn is_kept_and_never_overwritten() {
        closed()
            .when(rate(Verdict::NotSolved, 1, Some("反悔")))
            .then_refused(Refusal::AlreadyRated);
        closed()
            .when(rate(Verdict::Solved, 5, None))
            .then_refused(Refusal::AlreadyRated);
        let redone = resulted()
            .and([not_solved()])
            .by(by_staff(HANDLER))
            .and([result(after_photo()), rate(Verdict::Solved, 4, None)]);
        let ratings: Vec<(u32, u8)> = redone
            .events
            .iter()
            .filter_map(|event| match event.fact {
                CaseFact::ResultRated { round, score, .. } => Some((round, score)),
                _ => None,
            })
            .collect();
        assert_eq!(ratings, [(1, 1), (2, 4)]);
    }

    #[test]
    fn ends_with_the_window() {
        resulted()
            .at(window_end())
            .when(rate(Verdict::Solved, 5, None))
            .then_events(["ResultRated", "CaseClosed"]);
        resulted()
            .at(window_end())
            .later(hours(1))
            .when(rate(Verdict::Solved, 5, None))
            .then_refused(Refusal::WindowEnded {
                ended_at: window_end(),
            });
    }

    #[test]
    fn needs_a_result() {
        handled()
            .when(rate(Verdict::Solved, 5, None))
            .then_refused(Refusal::WrongStage);
    }
}

mod reopening {
    use super::*;

    #[test]
    fn the_first_not_solved_is_redone_by_somebody_else() {
        let case = resulted()
            .when(not_solved())
            .then_events(["ResultRated", "CaseReopened"]);
        let CaseFact::CaseReopened { redo, .. } = case.newest() else {
            panic!()
        };
        assert_eq!(*redo, Redo::SomebodyElse);
        assert_eq!(case.filed().stage.holder(), Holder::Unit(unit(URBAN)));
        case.clone()
            .when(result(after_photo()))
            .then_refused(Refusal::SomebodyElse);
        case.by(by_staff(HANDLER))
            .when(result(after_photo()))
            .then_events(["ResultGiven"]);
    }

    #[test]
    fn the_second_goes_to_the_supervisor_who_assigns_it() {
        let case = resulted()
            .and([not_solved()])
            .by(by_staff(HANDLER))
            .and([result(after_photo())])
            .when(not_solved())
            .then_events(["ResultRated", "CaseReopened"]);
        let CaseFact::CaseReopened { redo, .. } = case.newest() else {
            panic!()
        };
        assert_eq!(*redo, Redo::Supervisor);
        assert!(case.filed().with_supervisor);
        case.clone()
            .when(CaseAct::Accept)
            .then_refused(Refusal::WrongStage);
        let assigned = case
            .when(CaseAct::Assign {
                unit: SAFETY.into(),
                contact_cadre: None,
            })
            .then_events(["CaseAssigned"]);
        assert!(!assigned.filed().with_supervisor);
    }

    #[test]
    fn a_closed_case_reopens_within_the_window_of_its_result_notice() {
        let case = closed()
            .at(window_end())
            .when(reopen())
            .then_events(["CaseReopened"]);
        assert_eq!(case.filed().stage.name(), "handling");
        let late = closed().at(window_end()).later(hours(1));
        late.when(reopen()).then_refused(Refusal::WindowEnded {
            ended_at: window_end(),
        });
    }

    #[test]
    fn the_window_counts_from_the_notice_and_not_from_the_rating() {
        let rated_late = resulted()
            .at(at("2026-03-16 09:00"))
            .and([rate(Verdict::Solved, 5, None)]);
        rated_late
            .at(at("2026-03-18 09:00"))
            .when(reopen())
            .then_refused(Refusal::WindowEnded {
                ended_at: window_end(),
            });
    }

    #[test]
    fn needs_a_reason_and_a_closed_case() {
        closed()
            .when(CaseAct::Reopen {
                reason: String::new(),
            })
            .then_refused(Refusal::Empty { field: "reason" });
        handled().when(reopen()).then_refused(Refusal::WrongStage);
        resulted().when(reopen()).then_refused(Refusal::WrongStage);
    }

    #[test]
    fn is_not_for_what_was_withdrawn_or_belongs_elsewhere() {
        filed()
            .and([withdraw()])
            .when(reopen())
            .then_refused(Refusal::Ended);
        let next_owner = onetrip_model::case::NextOwner::Outside("法院".to_owned());
        let outside = CaseAct::Decline {
            next_owner,
            reason: "涉诉".to_owned(),
        };
        filed().and([outside]).when(reopen()).then_refused(Refusal::Ended);
    }

    #[test]
    fn the_redo_is_another_round() {
        let case = resulted()
            .and([not_solved()])
            .by(by_staff(HANDLER))
            .when(result(after_photo()))
            .then_events(["ResultGiven"]);
        let CaseFact::ResultGiven { round, .. } = case.newest() else {
            panic!()
        };
        assert_eq!(*round, 2);
    }
}

mod ending {
    use super::*;

    #[test]
    fn without_a_verdict_comes_after_the_window() {
        resulted()
            .at(window_end())
            .when(CaseAct::CloseUnrated)
            .then_refused(Refusal::WindowOpen { until: window_end() });
        let case = resulted()
            .at(window_end())
            .later(hours(1))
            .when(CaseAct::CloseUnrated)
            .then_facts([CaseFact::CaseClosed {
                reason: CloseReason::Unrated,
                reply: None,
            }]);
        case.when(CaseAct::CloseUnrated).then_nothing();
    }

    #[test]
    fn never_comes_before_a_result() {
        for case in [filed(), accepted(submission()), handled()] {
            let case = case.later(days(400));
            case.clone()
                .when(CaseAct::CloseUnrated)
                .then_refused(Refusal::WrongStage);
            case.when(CaseAct::CloseFromSource {
                outcome: "done".to_owned(),
            })
            .then_refused(Refusal::WrongStage);
        }
    }

    #[test]
    fn by_withdrawal_is_the_residents_and_needs_a_reason() {
        for case in [filed(), accepted(submission()), handled(), resulted()] {
            let case = case.when(withdraw()).then_events(["CaseWithdrawn"]);
            assert_eq!(case.filed().stage.holder(), Holder::Nobody);
            case.when(withdraw()).then_nothing();
        }
        filed()
            .when(CaseAct::Withdraw {
                reason: " ".to_owned(),
            })
            .then_refused(Refusal::Empty { field: "reason" });
        closed().when(withdraw()).then_refused(Refusal::Ended);
    }

    #[test]
    fn a_withdrawn_case_is_still_that_of_the_unit_that_had_it() {
        let case = handled().and([withdraw()]);
        assert_eq!(
            case.filed().relation().unit,
            Some(unit(URBAN)),
            "or its lists and its page disagree about who sees it"
        );
    }

    #[test]
    fn an_imported_case_ends_as_its_own_system_says() {
        let assign = CaseAct::Assign {
            unit: URBAN.into(),
            contact_cadre: None,
        };
        let give = CaseAct::GiveResult {
            words: "fixed".to_owned(),
            evidence: Vec::new(),
            place_proof: None,
            promise: None,
        };
        let case = accepted(imported()).and([assign, give]);
        let case = case
            .when(CaseAct::CloseFromSource {
                outcome: "closed".to_owned(),
            })
            .then_events(["CaseClosed"]);
        let Stage::Closed { reason, .. } = &case.filed().stage else {
            panic!()
        };
        assert_eq!(
            reason,
            &CloseReason::Source {
                outcome: "closed".to_owned()
            }
        );
    }
}

#[test]
fn words_are_kept_without_the_space_around_them_and_not_endless() {
    let long = "长".repeat(onetrip_model::case::WORDS_CHARS_MAX + 1);
    let act = CaseAct::GiveResult {
        words: long,
        evidence: Vec::new(),
        place_proof: after_photo(),
        promise: None,
    };
    handled().when(act).then_refused(Refusal::TooLong {
        field: "words",
        max: onetrip_model::case::WORDS_CHARS_MAX,
    });
    let case = handled().at(monday_9am()).when(CaseAct::Withdraw {
        reason: " 修好了 \n".to_owned(),
    });
    case.then_facts([CaseFact::CaseWithdrawn {
        reason: Private::of_case(CASE, "修好了".to_owned()),
    }]);
}
