//! "Not ours" comes within its limit; a third hop goes to the supervisor by itself [BJ 12-14, XF 23].

use crate::acts::*;
use onetrip_model::{
    CaseAct, CaseFact, Private, Refusal,
    case::{Holder, Stage},
    clocks::ClockKind,
};
use onetrip_testkit::{moments::*, *};

mod the_objection {
    use super::*;

    fn too_late(city_date: &str) -> Refusal {
        Refusal::ObjectionTooLate {
            until: end_of(city_date),
        }
    }

    #[test]
    fn is_said_within_five_working_days_of_receipt() {
        let last = filed().at(end_of("2026-03-09"));
        last.clone()
            .when(decline_to(SAFETY))
            .then_events(["CaseDeclined"]);
        last.later(second())
            .when(decline_to(SAFETY))
            .then_refused(too_late("2026-03-09"));
    }

    #[test]
    fn is_said_within_five_working_days_of_assignment() {
        let assigned = accepted(submission()).at(friday_5pm()).and([assign(URBAN)]);
        let last = assigned.at(end_of("2026-03-13"));
        last.clone().when(offer(SAFETY)).then_events(["HandOverOffered"]);
        last.later(second())
            .when(offer(SAFETY))
            .then_refused(too_late("2026-03-13"));
    }

    #[test]
    fn has_a_limit_of_its_own_for_the_next_holder() {
        let taken = handled()
            .at(friday_5pm())
            .and([offer(SAFETY)])
            .at(at("2026-03-10 09:00"))
            .and([take(SAFETY)]);
        let last = taken.at(end_of("2026-03-17"));
        last.clone()
            .when(offer(SERVICES))
            .then_events(["HandOverOffered"]);
        last.later(second())
            .when(offer(SERVICES))
            .then_refused(too_late("2026-03-17"));
    }

    #[test]
    fn gets_no_new_limit_by_an_offer_that_came_back() {
        let returned = filed().and([decline_to(SAFETY)]).at(at("2026-03-10 09:00"));
        returned
            .and([give_back(SAFETY)])
            .when(decline_to(SERVICES))
            .then_refused(too_late("2026-03-09"));
    }

    #[test]
    fn raises_nothing_when_its_limit_passes() {
        let contacted = filed().and([reached()]);
        let objection = contacted.filed().clocks.running(ClockKind::Objection);
        assert_eq!(objection.map(|clock| clock.steps.as_slice()), Some([].as_slice()));
    }
}

mod the_third_hop {
    use super::*;

    /// Handed on twice, with the second taker.
    fn twice() -> Given {
        handled().and([offer(SAFETY), take(SAFETY), offer(SERVICES), take(SERVICES)])
    }

    #[test]
    fn goes_to_the_supervisor_and_the_holder_stays() {
        let case = twice()
            .when(offer(URBAN))
            .then_facts([CaseFact::HandOverReferred {
                to: URBAN.into(),
                reason: Private::of_case(CASE, "理由".to_owned()),
            }]);
        assert!(case.filed().with_supervisor);
        assert_eq!(case.filed().stage.holder(), Holder::Unit(unit(SERVICES)));
        assert_eq!(case.filed().stage.offered_to(), None);
    }

    #[test]
    fn goes_there_also_from_a_case_that_nobody_has_accepted() {
        let passed_on = [
            decline_to(SAFETY),
            take(SAFETY),
            decline_to(SERVICES),
            take(SERVICES),
        ];
        let case = filed()
            .and(passed_on)
            .when(decline_to(URBAN))
            .then_events(["HandOverReferred"]);
        assert_eq!(case.filed().stage.name(), "submitted");
        for act in [CaseAct::Accept, decline_to(SAFETY), merge()] {
            case.clone().when(act).then_refused(Refusal::WrongStage);
        }
        let assigned = case
            .by(by_staff(SUPERVISOR))
            .when(assign(URBAN))
            .then_events(["CaseAccepted", "CaseAssigned"]);
        assert!(!assigned.filed().with_supervisor);
        assert!(assigned.filed().clocks.running(ClockKind::Legal).is_some());
    }

    #[test]
    fn counts_those_before_and_after_acceptance_alike() {
        let accepted = filed().and([decline_to(SAFETY), take(SAFETY), CaseAct::Accept, assign(URBAN)]);
        accepted
            .and([offer(SERVICES), take(SERVICES)])
            .when(offer(SAFETY))
            .then_events(["HandOverReferred"]);
    }

    #[test]
    fn is_not_one_that_came_back() {
        let returned = [
            offer(SAFETY),
            give_back(SAFETY),
            offer(SERVICES),
            give_back(SERVICES),
        ];
        handled()
            .and(returned)
            .when(offer(SAFETY))
            .then_events(["HandOverOffered"]);
    }

    #[test]
    fn is_decided_by_the_supervisor_whose_word_may_be_objected_to_the_same_way() {
        let assigned = twice()
            .and([offer(URBAN)])
            .by(by_staff(SUPERVISOR))
            .and([assign(SAFETY)]);
        assert_eq!(
            assigned.filed().stage,
            Stage::Handling {
                unit: SAFETY.into(),
                offered: None
            }
        );
        assigned.when(offer(URBAN)).then_events(["HandOverReferred"]);
    }
}
