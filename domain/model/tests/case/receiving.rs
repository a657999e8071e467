//! The first receiver stays responsible until another holder has taken over [BJ 12-14, XF 23].

use crate::acts::{give_back, offer, take};
use onetrip_model::{
    CaseAct, CaseFact, Private, Refusal, UnitCode,
    case::{CloseReason, Holder, NEXT_OWNER_CHARS_MAX, NextOwner},
    clocks::ClockKind,
};
use onetrip_testkit::*;

fn decline(next_owner: NextOwner) -> CaseAct {
    CaseAct::Decline {
        next_owner,
        reason: "属应急部门".to_owned(),
    }
}

fn decline_to(code: &str) -> CaseAct {
    decline(NextOwner::Unit(code.into()))
}

fn assign(code: &str) -> CaseAct {
    CaseAct::Assign {
        unit: code.into(),
        contact_cadre: Some(CADRE),
    }
}

fn holder(given: &Given) -> Option<UnitCode> {
    match given.filed().stage.holder() {
        Holder::Unit(unit) => Some(unit),
        _ => None,
    }
}

mod accepting {
    use super::*;

    #[test]
    fn the_receiver_accepts() {
        let case = filed().when(CaseAct::Accept).then_events(["CaseAccepted"]);
        assert_eq!(holder(&case), Some(unit(DESK)));
    }

    #[test]
    fn accepting_again_changes_nothing() {
        accepted(submission()).when(CaseAct::Accept).then_nothing();
    }

    #[test]
    fn what_was_offered_elsewhere_is_not_accepted_before_it_is_taken_over() {
        filed()
            .and([decline_to(SAFETY)])
            .when(CaseAct::Accept)
            .then_refused(Refusal::WrongStage);
    }

    #[test]
    fn what_is_handled_or_ended_is_not_accepted() {
        handled().when(CaseAct::Accept).then_refused(Refusal::WrongStage);
        resulted().when(CaseAct::Accept).then_refused(Refusal::WrongStage);
        closed().when(CaseAct::Accept).then_refused(Refusal::Ended);
    }
}

mod declining {
    use super::*;

    #[test]
    fn names_the_next_owner_and_the_reason_and_the_holder_stays() {
        let case = filed()
            .when(decline_to(SAFETY))
            .then_facts([CaseFact::CaseDeclined {
                next_owner: SAFETY.into(),
                reason: Private::of_case(CASE, "属应急部门".to_owned()),
            }]);
        assert_eq!(holder(&case), Some(unit(DESK)));
        assert_eq!(case.filed().stage.offered_to(), Some(&unit(SAFETY)));
        assert_eq!(case.filed().stage.name(), "declined");
    }

    #[test]
    fn the_named_owner_takes_over_and_then_accepts() {
        let case = filed()
            .and([decline_to(SAFETY)])
            .when(take(SAFETY))
            .then_events(["HandOverTaken"]);
        assert_eq!(holder(&case), Some(unit(SAFETY)));
        case.when(CaseAct::Accept).then_events(["CaseAccepted"]);
    }

    #[test]
    fn the_named_owner_may_give_it_back_with_a_reason() {
        let case = filed()
            .and([decline_to(SAFETY)])
            .when(give_back(SAFETY))
            .then_events(["HandOverReturned"]);
        assert_eq!(holder(&case), Some(unit(DESK)));
        case.when(CaseAct::Accept).then_events(["CaseAccepted"]);
    }

    #[test]
    fn the_receiver_takes_it_back_where_the_named_owner_never_answers() {
        let case = filed()
            .and([decline_to(SAFETY)])
            .later(days(3))
            .by(by_staff(CLERK))
            .when(give_back(SAFETY))
            .then_facts([CaseFact::HandOverReturned {
                unit: SAFETY.into(),
                reason: Private::of_case(CASE, "理由".to_owned()),
            }]);
        assert_eq!(holder(&case), Some(unit(DESK)));
        assert_eq!(case.filed().stage.name(), "submitted");
        case.when(take(SAFETY)).then_refused(Refusal::NotOffered);
    }

    #[test]
    fn to_the_holder_itself_is_refused() {
        filed().when(decline_to(DESK)).then_refused(Refusal::SameHolder);
    }

    #[test]
    fn without_a_reason_is_refused() {
        let silent = CaseAct::Decline {
            next_owner: NextOwner::Unit(SAFETY.into()),
            reason: " ".to_owned(),
        };
        filed()
            .when(silent)
            .then_refused(Refusal::Empty { field: "reason" });
    }

    #[test]
    fn to_an_owner_outside_closes_with_that_owner_and_a_reply() {
        let court = "深圳市中级人民法院";
        let case = filed()
            .when(decline(NextOwner::Outside(court.to_owned())))
            .then_facts([CaseFact::CaseClosed {
                reason: CloseReason::Outside {
                    next_owner: court.to_owned(),
                },
                reply: Some(Private::of_case(CASE, "属应急部门".to_owned())),
            }]);
        assert_eq!(case.filed().stage.holder(), Holder::Nobody);
    }

    #[test]
    fn to_an_owner_outside_takes_the_name_of_an_office_and_no_more() {
        let name = |chars| decline(NextOwner::Outside("法".repeat(chars)));
        filed()
            .when(name(NEXT_OWNER_CHARS_MAX))
            .then_events(["CaseClosed"]);
        filed()
            .when(name(NEXT_OWNER_CHARS_MAX + 1))
            .then_refused(Refusal::TooLong {
                field: "next_owner",
                max: 100,
            });
    }

    #[test]
    fn to_nobody_in_particular_is_refused() {
        let nobody = decline(NextOwner::Outside("  ".to_owned()));
        filed()
            .when(nobody)
            .then_refused(Refusal::Empty { field: "next_owner" });
    }

    #[test]
    fn is_over_once_the_case_was_accepted() {
        accepted(submission())
            .when(decline_to(SAFETY))
            .then_refused(Refusal::WrongStage);
        handled()
            .when(decline_to(SAFETY))
            .then_refused(Refusal::WrongStage);
        closed().when(decline_to(SAFETY)).then_refused(Refusal::Ended);
    }
}

mod assigning {
    use super::*;

    #[test]
    fn brings_a_handling_unit_and_the_contact_cadre() {
        let case = accepted(submission())
            .when(assign(URBAN))
            .then_facts([CaseFact::CaseAssigned {
                unit: URBAN.into(),
                contact_cadre: Some(CADRE),
            }]);
        assert_eq!(holder(&case), Some(unit(URBAN)));
        assert_eq!(case.filed().contact_cadre, Some(CADRE));
    }

    #[test]
    fn the_same_again_changes_nothing() {
        handled().when(assign(URBAN)).then_nothing();
        handled()
            .when(CaseAct::Assign {
                unit: URBAN.into(),
                contact_cadre: None,
            })
            .then_nothing();
    }

    #[test]
    fn moves_a_case_that_is_handled_and_not_offered() {
        handled().when(assign(SAFETY)).then_events(["CaseAssigned"]);
        handled()
            .when(CaseAct::Assign {
                unit: URBAN.into(),
                contact_cadre: Some(CLERK),
            })
            .then_events(["CaseAssigned"]);
        let offered = handled().and([CaseAct::OfferHandOver {
            to: SAFETY.into(),
            reason: "不归我们".to_owned(),
        }]);
        offered.when(assign(SAFETY)).then_refused(Refusal::WrongStage);
    }

    #[test]
    fn comes_after_acceptance() {
        filed().when(assign(URBAN)).then_refused(Refusal::WrongStage);
        closed().when(assign(URBAN)).then_refused(Refusal::Ended);
    }
}

mod handing_over {
    use super::*;

    #[test]
    fn an_offer_leaves_the_holder_where_it_is() {
        let case = handled().when(offer(SAFETY)).then_events(["HandOverOffered"]);
        assert_eq!(holder(&case), Some(unit(URBAN)));
        assert_eq!(case.filed().stage.offered_to(), Some(&unit(SAFETY)));
    }

    #[test]
    fn taking_over_moves_it() {
        let case = handled()
            .and([offer(SAFETY)])
            .when(take(SAFETY))
            .then_events(["HandOverTaken"]);
        assert_eq!(holder(&case), Some(unit(SAFETY)));
        case.when(take(SAFETY)).then_nothing();
    }

    #[test]
    fn nobody_takes_what_was_not_offered_to_them() {
        handled().when(take(SAFETY)).then_refused(Refusal::NotOffered);
        handled()
            .and([offer(SAFETY)])
            .when(take(SERVICES))
            .then_refused(Refusal::NotOffered);
        handled()
            .when(give_back(SAFETY))
            .then_refused(Refusal::NotOffered);
        closed().when(take(SAFETY)).then_refused(Refusal::Ended);
    }

    #[test]
    fn giving_back_leaves_it_with_the_holder_and_needs_a_reason() {
        let offered = handled().and([offer(SAFETY)]);
        let case = offered
            .clone()
            .when(give_back(SAFETY))
            .then_events(["HandOverReturned"]);
        assert_eq!(holder(&case), Some(unit(URBAN)));
        assert_eq!(case.filed().stage.offered_to(), None);
        let silent = CaseAct::ReturnHandOver {
            unit: SAFETY.into(),
            reason: String::new(),
        };
        offered
            .when(silent)
            .then_refused(Refusal::Empty { field: "reason" });
    }

    #[test]
    fn the_holder_or_the_supervisor_takes_an_offer_back_and_work_goes_on() {
        let result = CaseAct::GiveResult {
            words: "修好了".to_owned(),
            evidence: Vec::new(),
            place_proof: after_photo(),
            promise: None,
        };
        for taker in [HANDLER, SUPERVISOR] {
            let case = handled()
                .and([offer(SAFETY)])
                .by(by_staff(taker))
                .when(give_back(SAFETY))
                .then_events(["HandOverReturned"]);
            assert_eq!(holder(&case), Some(unit(URBAN)));
            case.clone()
                .when(give_back(SAFETY))
                .then_refused(Refusal::NotOffered);
            case.clone().when(take(SAFETY)).then_refused(Refusal::NotOffered);
            case.clone()
                .when(offer(SERVICES))
                .then_events(["HandOverOffered"]);
            case.when(result.clone()).then_events(["ResultGiven"]);
        }
        closed().when(give_back(SAFETY)).then_refused(Refusal::Ended);
    }

    #[test]
    fn offering_the_same_again_changes_nothing() {
        handled().and([offer(SAFETY)]).when(offer(SAFETY)).then_nothing();
    }

    #[test]
    fn one_offer_at_a_time_and_none_to_the_holder() {
        handled()
            .and([offer(SAFETY)])
            .when(offer(SERVICES))
            .then_refused(Refusal::WrongStage);
        handled().when(offer(URBAN)).then_refused(Refusal::SameHolder);
    }

    #[test]
    fn an_offered_case_gets_no_result_until_it_is_clear_who_answers() {
        let result = CaseAct::GiveResult {
            words: "修好了".to_owned(),
            evidence: Vec::new(),
            place_proof: after_photo(),
            promise: None,
        };
        handled()
            .and([offer(SAFETY)])
            .when(result)
            .then_refused(Refusal::WrongStage);
    }

    #[test]
    fn is_no_pause() {
        let due = |case: &Given| case.filed().due_at(ClockKind::Result);
        let case = handled().and([offer(SAFETY)]).later(days(2)).and([take(SAFETY)]);
        assert_eq!(due(&case), due(&handled()));
    }
}
