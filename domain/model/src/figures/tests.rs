//! What a case contributes to, and when.

use super::*;
use chrono::{Duration, TimeZone};

fn day(n: i64) -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 3, 2, 1, 0, 0).unwrap() + Duration::days(n)
}

/// Filed on day 0, a result due on day 10, nothing done.
fn open_case() -> CaseFacts {
    CaseFacts {
        submitted_at: day(0),
        observed_until: None,
        contact_due_at: None,
        contacted_at: None,
        first_due_at: Some(day(10)),
        first_result_at: None,
        result_at: None,
        closed_at: None,
        withdrawn_at: None,
        asked_at: None,
        rated_at: None,
        reopened_at: None,
        first_ended_at: None,
        solved: None,
        score: None,
        breaches: 0,
    }
}

fn figures(case: &CaseFacts, now: DateTime<Utc>) -> Figures {
    let mut figures = Figures::default();
    for (_, contribution) in contributions(case, now) {
        figures.add(contribution);
    }
    figures
}

fn results(case: &CaseFacts, now: DateTime<Utc>) -> (u64, u64) {
    let figures = figures(case, now);
    (figures.result_due, figures.result_met)
}

mod a_limit {
    use super::*;

    #[test]
    fn counts_once_it_has_fallen() {
        assert_eq!(results(&open_case(), day(9)), (0, 0));
        assert_eq!(results(&open_case(), day(10)), (1, 0));
    }

    #[test]
    fn that_fell_after_an_open_import_was_last_watched_tells_nothing() {
        let watched = CaseFacts {
            observed_until: Some(day(7)),
            ..open_case()
        };
        assert_eq!(results(&watched, day(400)), (0, 0));
        let watched = CaseFacts {
            observed_until: Some(day(10)),
            ..open_case()
        };
        assert_eq!(results(&watched, day(400)), (1, 0));
    }

    #[test]
    fn of_an_import_that_had_its_result_counts_wherever_it_fell() {
        let done = CaseFacts {
            observed_until: Some(day(7)),
            first_result_at: Some(day(5)),
            result_at: Some(day(5)),
            closed_at: Some(day(5)),
            ..open_case()
        };
        assert_eq!(results(&done, day(9)), (0, 0), "not yet");
        assert_eq!(results(&done, day(400)), (1, 1));
    }
}

mod a_case_declined_to_an_owner_outside {
    use super::*;

    fn closed(at: DateTime<Utc>) -> CaseFacts {
        CaseFacts {
            closed_at: Some(at),
            ..open_case()
        }
    }

    #[test]
    fn was_answered_by_its_reply() {
        let figures = figures(&closed(day(2)), day(20));
        assert_eq!((figures.result_due, figures.result_met), (1, 1));
        assert_eq!((figures.closed_in_time, figures.closed_late), (1, 0));
    }

    #[test]
    fn is_late_where_the_reply_was() {
        let figures = figures(&closed(day(11)), day(20));
        assert_eq!((figures.result_due, figures.result_met), (1, 0));
        assert_eq!((figures.closed_in_time, figures.closed_late), (0, 1));
    }
}

#[test]
fn a_withdrawal_is_no_answer_and_leaves_nothing_due() {
    let withdrawn = |at| CaseFacts {
        withdrawn_at: Some(at),
        ..open_case()
    };
    assert_eq!(results(&withdrawn(day(2)), day(20)), (0, 0));
    assert_eq!(results(&withdrawn(day(11)), day(20)), (1, 0));
}

mod reopened {
    use super::*;

    fn shares(case: &CaseFacts) -> (u64, u64) {
        let figures = figures(case, day(40));
        (figures.reopened, figures.concluded)
    }

    #[test]
    fn is_out_of_what_came_to_a_first_end_also_while_it_is_being_redone() {
        let reopened = CaseFacts {
            first_result_at: Some(day(3)),
            reopened_at: Some(day(4)),
            first_ended_at: Some(day(4)),
            ..open_case()
        };
        assert_eq!(shares(&reopened), (1, 1));
        let closed_again = CaseFacts {
            closed_at: Some(day(30)),
            ..reopened
        };
        assert_eq!(shares(&closed_again), (1, 1));
        let closed = CaseFacts {
            reopened_at: None,
            ..closed_again
        };
        assert_eq!(shares(&closed), (0, 1));
        assert_eq!(shares(&open_case()), (0, 0));
    }

    #[test]
    fn counts_in_the_period_of_the_first_end_so_that_no_period_has_more_than_all() {
        let case = CaseFacts {
            first_ended_at: Some(day(4)),
            reopened_at: Some(day(35)),
            ..open_case()
        };
        let ends: Vec<_> = contributions(&case, day(40))
            .filter(|(_, contribution)| Figure::Reopened.counts(*contribution))
            .collect();
        assert_eq!(ends, [(day(4), Contribution::Concluded { reopened: true })]);
    }
}
