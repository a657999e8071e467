//! 只跑一次: one trip or none, one complete request, nothing asked for that is held; what goes beyond is waived by a
//! supervisor with a reason, one at a time.

use onetrip_model::{
    CaseAct, CaseFact, CaseNumber, Private, Refusal,
    case::{HeldPaper, Holder, MaterialAsk, MaterialItem, RunOnceLimit},
    clocks::ClockKind,
};
use onetrip_testkit::{moments::monday_9am, *};

fn trip() -> CaseAct {
    CaseAct::AskTrip {
        to_place: "街道办事大厅".to_owned(),
        reason: "核对原件".to_owned(),
    }
}

fn request(kinds: &[&str]) -> CaseAct {
    CaseAct::RequestMaterials {
        items: kinds.iter().map(|kind| ask(kind)).collect(),
        held: Vec::new(),
    }
}

fn answer(kinds: &[&str]) -> CaseAct {
    let handed_over = kinds.iter().map(|kind| (*kind).to_owned()).collect();
    CaseAct::AnswerRequest {
        handed_over,
        words: "都在这里".to_owned(),
        attachments: Vec::new(),
    }
}

fn waive(limit: RunOnceLimit) -> CaseAct {
    CaseAct::WaiveLimit {
        limit,
        reason: "原件遗失".to_owned(),
    }
}

fn held() -> Vec<HeldPaper> {
    vec![HeldPaper {
        kind: "lease".to_owned(),
        held_in: CaseNumber::from_random(7),
    }]
}

fn waive_held(held: Vec<HeldPaper>) -> CaseAct {
    CaseAct::WaiveHeldPapers {
        held,
        reason: "原件遗失".to_owned(),
    }
}

fn reached(limit: RunOnceLimit) -> Refusal {
    Refusal::RunOnceLimitReached { limit }
}

fn waiting() -> Given {
    handled().and([request(&["lease", "identity"])])
}

mod trips {
    use super::*;

    #[test]
    fn one_may_be_asked_of_the_resident() {
        let case = handled().when(trip()).then_facts([CaseFact::TripAsked {
            to_place: Private::of_case(CASE, "街道办事大厅".to_owned()),
            reason: Private::of_case(CASE, "核对原件".to_owned()),
        }]);
        assert_eq!(case.filed().tally.trips, 1);
    }

    #[test]
    fn a_second_is_refused() {
        handled()
            .and([trip()])
            .when(trip())
            .then_refused(reached(RunOnceLimit::Trip));
        accepted(submission())
            .and([trip()])
            .when(trip())
            .then_refused(reached(RunOnceLimit::Trip));
    }

    #[test]
    fn each_waiver_allows_one_more() {
        let waived = handled()
            .and([trip()])
            .when(waive(RunOnceLimit::Trip))
            .then_events(["LimitWaived"]);
        let twice = waived.when(trip()).then_events(["TripAsked"]);
        twice.when(trip()).then_refused(reached(RunOnceLimit::Trip));
    }

    #[test]
    fn need_a_place_and_a_reason() {
        let nowhere = CaseAct::AskTrip {
            to_place: " ".to_owned(),
            reason: "核对原件".to_owned(),
        };
        handled()
            .when(nowhere)
            .then_refused(Refusal::Empty { field: "to_place" });
        let silent = CaseAct::AskTrip {
            to_place: "街道办事大厅".to_owned(),
            reason: String::new(),
        };
        handled()
            .when(silent)
            .then_refused(Refusal::Empty { field: "reason" });
    }

    #[test]
    fn are_asked_by_who_has_the_case() {
        filed().when(trip()).then_refused(Refusal::WrongStage);
        waiting().when(trip()).then_refused(Refusal::WrongStage);
        resulted().when(trip()).then_refused(Refusal::WrongStage);
        closed().when(trip()).then_refused(Refusal::Ended);
    }
}

mod requests_for_materials {
    use super::*;

    #[test]
    fn one_complete_request_hands_the_case_to_the_resident() {
        let case = handled()
            .when(request(&["lease", "identity"]))
            .then_events(["MaterialsRequested"]);
        assert_eq!(case.filed().stage.holder(), Holder::Resident);
        let CaseFact::MaterialsRequested { items } = case.newest() else {
            panic!()
        };
        let asked = |kind: &str| MaterialItem {
            kind: kind.to_owned(),
            words: None,
        };
        assert_eq!(items, &[asked("lease"), asked("identity")]);
        assert_eq!(
            case.filed().due_at(ClockKind::Materials),
            Some(at("2026-03-12 23:59") + chrono::Duration::seconds(59)),
            "ten days"
        );
    }

    #[test]
    fn a_second_is_refused_while_waiting_and_afterwards() {
        waiting()
            .when(request(&["lease"]))
            .then_refused(reached(RunOnceLimit::MaterialRequest));
        waiting()
            .and([answer(&["lease"])])
            .when(request(&["wage_record"]))
            .then_refused(reached(RunOnceLimit::MaterialRequest));
    }

    #[test]
    fn each_waiver_allows_one_more() {
        let waived = waiting().and([answer(&["lease"]), waive(RunOnceLimit::MaterialRequest)]);
        let twice = waived
            .when(request(&["wage_record"]))
            .then_events(["MaterialsRequested"]);
        twice
            .and([answer(&[])])
            .when(request(&["lease"]))
            .then_refused(reached(RunOnceLimit::MaterialRequest));
    }

    #[test]
    fn come_within_five_working_days_of_acceptance() {
        let until = working_days(monday_9am(), 5);
        handled()
            .at(until)
            .when(request(&["lease"]))
            .then_events(["MaterialsRequested"]);
        handled()
            .at(until + chrono::Duration::seconds(1))
            .when(request(&["lease"]))
            .then_refused(Refusal::RequestTooLate { until });
    }

    #[test]
    fn a_late_one_can_be_waived() {
        let late = handled().later(days(30));
        late.and([waive(RunOnceLimit::MaterialRequest)])
            .when(request(&["lease"]))
            .then_events(["MaterialsRequested"]);
    }

    #[test]
    fn ask_for_something_and_for_known_papers() {
        handled()
            .when(request(&[]))
            .then_refused(Refusal::Empty { field: "items" });
        handled()
            .when(request(&["lease", "horoscope"]))
            .then_refused(Refusal::Unknown { field: "items" });
        handled()
            .when(request(&["other"]))
            .then_refused(Refusal::Empty { field: "items" });
        let described = MaterialAsk {
            kind: "other".to_owned(),
            words: Some("楼道照片".to_owned()),
        };
        let act = CaseAct::RequestMaterials {
            items: vec![described],
            held: Vec::new(),
        };
        handled().when(act).then_events(["MaterialsRequested"]);
    }

    #[test]
    fn are_made_by_who_handles_the_case() {
        filed()
            .when(request(&["lease"]))
            .then_refused(Refusal::WrongStage);
        accepted(submission())
            .when(request(&["lease"]))
            .then_refused(Refusal::WrongStage);
        closed().when(request(&["lease"])).then_refused(Refusal::Ended);
    }
}

/// Pages say beforehand what would be refused, by the same rule.
mod told_beforehand {
    use super::*;

    #[test]
    fn a_trip() {
        let rules = rules();
        assert_eq!(handled().filed().trip_refused(&rules), None);
        let asked = handled().and([trip()]);
        assert_eq!(
            asked.filed().trip_refused(&rules),
            Some(reached(RunOnceLimit::Trip))
        );
        let waived = asked.and([waive(RunOnceLimit::Trip)]);
        assert_eq!(waived.filed().trip_refused(&rules), None);
    }

    #[test]
    fn a_request_for_materials() {
        let (rules, until) = (rules(), working_days(monday_9am(), 5));
        let late = until + chrono::Duration::seconds(1);
        let filed = handled();
        let filed = filed.filed();
        assert_eq!(filed.request_until(&rules), Some(until));
        assert_eq!(filed.request_refused(&rules, until), None);
        assert_eq!(
            filed.request_refused(&rules, late),
            Some(Refusal::RequestTooLate { until })
        );
        let answered = waiting().and([answer(&["lease"])]);
        assert_eq!(
            answered.filed().request_refused(&rules, monday_9am()),
            Some(reached(RunOnceLimit::MaterialRequest))
        );
        let waived = answered.and([waive(RunOnceLimit::MaterialRequest)]);
        assert_eq!(waived.filed().request_refused(&rules, late), None);
    }
}

mod held_papers {
    use super::*;

    #[test]
    fn are_never_asked_for_again_and_the_refusal_says_where_they_are() {
        let act = CaseAct::RequestMaterials {
            items: vec![ask("identity"), ask("lease")],
            held: held(),
        };
        handled().when(act).then_refused(Refusal::AlreadyHeld {
            kind: "lease".to_owned(),
            held_in: CaseNumber::from_random(7),
        });
    }

    #[test]
    fn can_be_asked_for_once_a_supervisor_waived_it() {
        let act = CaseAct::RequestMaterials {
            items: vec![ask("lease")],
            held: held(),
        };
        handled()
            .and([waive_held(held())])
            .when(act)
            .then_events(["MaterialsRequested"]);
    }

    #[test]
    fn are_waived_only_where_some_are_held() {
        handled()
            .when(waive_held(held()))
            .then_facts([CaseFact::LimitWaived {
                limit: RunOnceLimit::HeldPaper,
                reason: Private::of_case(CASE, "原件遗失".to_owned()),
            }]);
        for act in [waive_held(Vec::new()), waive(RunOnceLimit::HeldPaper)] {
            handled().when(act).then_refused(Refusal::NothingToWaive);
        }
    }

    #[test]
    fn described_in_words_are_never_the_same_paper() {
        let held = vec![HeldPaper {
            kind: "other".to_owned(),
            held_in: CaseNumber::from_random(7),
        }];
        let items = vec![MaterialAsk {
            kind: "other".to_owned(),
            words: Some("楼道照片".to_owned()),
        }];
        handled()
            .when(CaseAct::RequestMaterials { items, held })
            .then_events(["MaterialsRequested"]);
    }
}

mod answering {
    use super::*;

    #[test]
    fn brings_the_case_back_to_the_unit_that_asked() {
        let case = waiting()
            .when(answer(&["lease", "identity"]))
            .then_events(["MaterialsAnswered"]);
        assert_eq!(case.filed().stage.holder(), Holder::Unit(unit(URBAN)));
    }

    #[test]
    fn hands_over_only_what_was_asked_for() {
        waiting()
            .when(answer(&["wage_record"]))
            .then_refused(Refusal::Unknown { field: "handed_over" });
    }

    #[test]
    fn says_or_brings_something() {
        let nothing = CaseAct::AnswerRequest {
            handed_over: Vec::new(),
            words: " ".to_owned(),
            attachments: Vec::new(),
        };
        waiting()
            .when(nothing)
            .then_refused(Refusal::Empty { field: "words" });
        let photo = CaseAct::AnswerRequest {
            handed_over: Vec::new(),
            words: String::new(),
            attachments: vec![photo(1)],
        };
        waiting().when(photo).then_events(["MaterialsAnswered"]);
    }

    #[test]
    fn needs_a_request() {
        handled().when(answer(&[])).then_refused(Refusal::WrongStage);
        closed().when(answer(&[])).then_refused(Refusal::Ended);
    }
}

mod silence {
    use super::*;

    #[test]
    fn is_recorded_after_the_ten_days_and_the_case_goes_back_to_the_holder() {
        let until = at("2026-03-12 23:59") + chrono::Duration::seconds(59);
        waiting()
            .at(until)
            .when(CaseAct::RecordSilence)
            .then_refused(Refusal::StillWaiting { until });
        let case = waiting()
            .at(until)
            .later(hours(1))
            .when(CaseAct::RecordSilence)
            .then_events(["SilenceRecorded"]);
        assert_eq!(case.filed().stage.holder(), Holder::Unit(unit(URBAN)));
        assert!(!case.filed().stage.has_ended(), "never closed for it");
    }

    #[test]
    fn a_late_answer_counts_until_the_silence_is_recorded() {
        waiting()
            .later(days(20))
            .when(answer(&["lease"]))
            .then_events(["MaterialsAnswered"]);
    }

    #[test]
    fn is_recorded_once() {
        let silent = waiting().later(days(20)).and([CaseAct::RecordSilence]);
        silent
            .when(CaseAct::RecordSilence)
            .then_refused(Refusal::WrongStage);
    }
}

mod waivers {
    use super::*;

    #[test]
    fn say_which_limit_and_why() {
        handled()
            .and([trip()])
            .when(waive(RunOnceLimit::Trip))
            .then_facts([CaseFact::LimitWaived {
                limit: RunOnceLimit::Trip,
                reason: Private::of_case(CASE, "原件遗失".to_owned()),
            }]);
        let silent = CaseAct::WaiveLimit {
            limit: RunOnceLimit::Trip,
            reason: String::new(),
        };
        handled()
            .and([trip()])
            .when(silent)
            .then_refused(Refusal::Empty { field: "reason" });
    }

    #[test]
    fn are_not_given_ahead_of_need_nor_twice() {
        for limit in [RunOnceLimit::Trip, RunOnceLimit::MaterialRequest] {
            handled().when(waive(limit)).then_refused(Refusal::NothingToWaive);
        }
        let waived = handled().and([trip(), waive(RunOnceLimit::Trip)]);
        waived
            .when(waive(RunOnceLimit::Trip))
            .then_refused(Refusal::NothingToWaive);
        let waived = handled().and([waive_held(held())]);
        waived
            .when(waive_held(held()))
            .then_refused(Refusal::NothingToWaive);
    }

    #[test]
    fn end_with_the_case() {
        closed().when(waive_held(held())).then_refused(Refusal::Ended);
    }
}
