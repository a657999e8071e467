//! From a wish to a case: what is written down, what is refused, what is the same matter.

use onetrip_model::{
    CaseAct, CaseFact, CaseKind, Private, Refusal,
    case::{Holder, PlaceDetail, SUPPLEMENTS_MAX, Submission, WORDS_CHARS_MAX, matter_text},
    clocks::ClockKind,
    policy::AppealClass,
};
use onetrip_testkit::*;

fn submitted(given: &Given) -> &onetrip_model::case::CaseSubmitted {
    match given.newest() {
        CaseFact::CaseSubmitted(submitted) => submitted,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_first_receiver_holds_a_filed_case() {
    let case = given([])
        .when(CaseAct::SubmitAppeal(submission()))
        .then_events(["CaseSubmitted"]);
    assert_eq!(case.filed().stage.holder(), Holder::Unit(unit(DESK)));
    assert_eq!(case.filed().stage.name(), "submitted");
}

#[test]
fn each_kind_of_case_is_filed_by_its_own_command() {
    for (act, kind, class) in [
        (
            CaseAct::SubmitAppeal(submission()),
            CaseKind::Appeal,
            Some(AppealClass::Help),
        ),
        (
            CaseAct::SubmitSuggestion(submission()),
            CaseKind::Suggestion,
            None,
        ),
        (
            CaseAct::RequestHearing(submission()),
            CaseKind::HearingRequest,
            None,
        ),
    ] {
        let case = given([]).when(act).then_events(["CaseSubmitted"]);
        assert_eq!((case.filed().kind, case.filed().class), (kind, class));
    }
}

#[test]
fn personal_data_goes_under_the_residents_key_and_words_under_the_cases() {
    let case = filed();
    let submitted = submitted(&case);
    assert_eq!(
        submitted.contact,
        submission()
            .contact
            .map(|contact| Private::of_person(RESIDENT, contact))
    );
    assert_eq!(
        submitted.words,
        Private::of_case(CASE, "路灯不亮三天了".to_owned())
    );
    let detail = PlaceDetail {
        words: submission().place_words,
        point: submission().point,
    };
    assert_eq!(submitted.place.detail, Some(Private::of_case(CASE, detail)));
}

#[test]
fn a_resident_may_stay_unnamed() {
    let case = given([CaseAct::SubmitAppeal(Submission {
        contact: None,
        ..submission()
    })]);
    assert_eq!(submitted(&case).contact, None);
    assert_eq!(
        case.filed().due_at(ClockKind::Contact),
        None,
        "nobody can be called, so no contact is due"
    );
}

#[test]
fn a_case_is_filed_once() {
    for act in [
        CaseAct::SubmitAppeal(submission()),
        CaseAct::SubmitSuggestion(submission()),
        CaseAct::RequestHearing(submission()),
    ] {
        filed().when(act).then_refused(Refusal::AlreadyFiled);
    }
}

#[test]
fn nothing_can_be_done_to_a_case_that_was_never_filed() {
    for number in 0..32 * 4 {
        given([]).when(act_of(number)).then_refused(Refusal::NoSuchCase);
    }
}

#[test]
fn a_case_says_something_of_a_known_category_and_not_endlessly() {
    let file = |change: fn(&mut Submission)| {
        let mut submission = submission();
        change(&mut submission);
        given([]).when(CaseAct::SubmitAppeal(submission))
    };
    file(|new| new.words = " \n　".to_owned()).then_refused(Refusal::Empty { field: "words" });
    file(|new| new.words = "长".repeat(WORDS_CHARS_MAX)).then_events(["CaseSubmitted"]);
    file(|new| new.words = "长".repeat(WORDS_CHARS_MAX + 1)).then_refused(Refusal::TooLong {
        field: "words",
        max: WORDS_CHARS_MAX,
    });
    file(|new| new.place_words = Some("长".repeat(WORDS_CHARS_MAX + 1))).then_refused(Refusal::TooLong {
        field: "place_words",
        max: WORDS_CHARS_MAX,
    });
    file(|new| new.category = "love".to_owned()).then_refused(Refusal::Unknown { field: "category" });
}

#[test]
fn an_imported_case_keeps_its_category_and_the_target_of_its_own_system() {
    let target_at = at("2026-03-09 12:00");
    let mut new = imported();
    new.source = new.source.map(|source| onetrip_model::case::Source {
        target_at: Some(target_at),
        ..source
    });
    let case = given([])
        .when(CaseAct::SubmitAppeal(new))
        .then_events(["CaseSubmitted"]);
    assert_eq!(case.filed().category, "Pothole");
    let clocks = case.filed().clocks.all();
    let due = clocks
        .iter()
        .map(|clock| (clock.kind, clock.deadline.due_at, clock.deadline.rules.as_str()));
    assert_eq!(
        Vec::from_iter(due),
        [(ClockKind::Result, target_at, "boston-311")],
        "no other clock is ours"
    );
}

#[test]
fn a_suggestion_is_never_bound_to_a_place() {
    let case = given([CaseAct::SubmitSuggestion(submission())]);
    assert!(!case.filed().place_bound);
    assert!(filed().filed().place_bound);
}

#[test]
fn a_resident_adds_to_an_open_case_and_not_to_an_ended_one() {
    let more = || CaseAct::AddSupplement {
        words: "还是不亮".to_owned(),
        attachments: vec![photo(3)],
        from_filing: false,
    };
    for case in [filed(), accepted(submission()), handled(), resulted()] {
        case.when(more()).then_facts([CaseFact::SupplementAdded {
            words: Private::of_case(CASE, "还是不亮".to_owned()),
            attachments: vec![photo(3)],
            from_filing: false,
        }]);
    }
    closed().when(more()).then_refused(Refusal::Ended);
    filed()
        .and([CaseAct::Withdraw {
            reason: "修好了".to_owned(),
        }])
        .when(more())
        .then_refused(Refusal::Ended);
}

#[test]
fn so_much_can_be_added_and_no_more() {
    let more = || CaseAct::AddSupplement {
        words: "还是不亮".to_owned(),
        attachments: Vec::new(),
        from_filing: false,
    };
    let full = filed().and((0..SUPPLEMENTS_MAX).map(|_| more()));
    full.when(more()).then_refused(Refusal::SupplementsFull);
}

mod the_same_matter {
    use super::*;

    fn text(place: Option<&str>, words: &str) -> String {
        matter_text(CaseKind::Appeal, "street_lights", &COMMUNITY.into(), place, words)
    }

    #[test]
    fn whatever_the_spacing_width_and_letter_case() {
        let told = text(Some("莲花北村12栋B座"), "");
        for other in [
            "莲花北村 12 栋 b 座",
            "莲花北村１２栋Ｂ座",
            " 莲花北村，12栋（B座）\n",
            "莲花北村12栋b座。",
        ] {
            assert_eq!(text(Some(other), ""), told, "{other}");
        }
    }

    #[test]
    fn at_the_same_place_however_it_is_told() {
        assert_eq!(text(Some("12栋"), "路灯不亮"), text(Some("12栋"), "灯坏了"));
        assert_ne!(text(Some("12栋"), "路灯不亮"), text(Some("13栋"), "路灯不亮"));
    }

    #[test]
    fn by_its_words_where_no_place_is_told() {
        assert_eq!(text(None, "路灯 不亮！"), text(Some(" ，"), "路灯不亮"));
        assert_ne!(text(None, "路灯不亮"), text(None, "路灯太亮"));
    }

    #[test]
    fn only_of_the_same_kind_category_and_division() {
        let told = text(Some("12栋"), "路灯不亮");
        let place = Some("12栋");
        assert_ne!(
            told,
            matter_text(
                CaseKind::Suggestion,
                "street_lights",
                &COMMUNITY.into(),
                place,
                ""
            )
        );
        assert_ne!(
            told,
            matter_text(CaseKind::Appeal, "roads", &COMMUNITY.into(), place, "")
        );
        assert_ne!(
            told,
            matter_text(CaseKind::Appeal, "street_lights", &STREET.into(), place, "")
        );
    }
}
