use super::*;
use crate::{calendar::end_of_city_day, policy::Rules};

const POLICY: &str = include_str!("../../../../ops/policy/2026-1.toml");
const CALENDAR: &str = include_str!("../../../../ops/data/cn-calendar.csv");

fn rules() -> Rules {
    Rules::read(POLICY, CALENDAR).unwrap()
}

/// City time, as `2026-03-02 09:00`.
fn at(text: &str) -> DateTime<Utc> {
    format!("{}:00+08:00", text.replace(' ', "T")).parse().unwrap()
}

fn date(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn clock(term: Term, start: &str) -> Clock {
    Clock::new(ClockKind::Result, term, at(start))
}

fn pause(from: &str, to: &str) -> Pause {
    Pause::closed(PauseReason::MaterialsRequested, at(from), at(to))
}

#[track_caller]
fn due_on(clock: &Clock, day: &str) {
    assert_eq!(clock.deadline(&rules()).due_at, end_of_city_day(date(day)));
}

mod working_days {
    use super::*;

    /// Monday, 2 March 2026; without pauses due on Monday the 16th.
    fn ten() -> Clock {
        clock(Term::WorkingDays(10), "2026-03-02 09:00")
    }

    #[test]
    fn are_counted_from_the_day_after_the_start() {
        due_on(&ten(), "2026-03-16");
        due_on(&clock(Term::WorkingDays(10), "2026-03-02 23:59"), "2026-03-16");
        due_on(&clock(Term::WorkingDays(10), "2026-03-03 00:00"), "2026-03-17");
        due_on(&clock(Term::WorkingDays(10), "2026-03-01 00:00"), "2026-03-13");
    }

    #[test]
    fn lose_the_working_days_of_a_pause_but_not_the_one_on_which_it_begins() {
        // Friday to Tuesday: Monday and Tuesday.
        due_on(
            &ten().paused(pause("2026-03-06 17:00", "2026-03-10 09:00")),
            "2026-03-18",
        );
    }

    #[test]
    fn lose_nothing_to_a_pause_within_a_day() {
        due_on(
            &ten().paused(pause("2026-03-05 00:00", "2026-03-05 23:59")),
            "2026-03-16",
        );
    }

    #[test]
    fn lose_a_day_in_two_pauses_once() {
        let two = ten()
            .paused(pause("2026-03-04 09:00", "2026-03-06 09:00"))
            .paused(pause("2026-03-05 09:00", "2026-03-09 09:00"));
        due_on(&two, "2026-03-19");
        let proof = two.prove(&rules());
        assert_eq!(proof.pauses[0].days, 2, "the one that began first takes them");
        assert_eq!(proof.pauses[1].days, 1);
    }

    #[test]
    fn go_on_after_a_pause_that_began_on_the_last_day() {
        let late = ten().paused(pause("2026-03-16 17:00", "2026-03-18 09:00"));
        due_on(&late, "2026-03-19");
        let roll = late.prove(&rules()).roll.unwrap();
        assert_eq!((roll.from, roll.to), (date("2026-03-16"), date("2026-03-19")));
        assert_eq!(
            roll.over[0].counting,
            Counting::Paused(0),
            "the clock stood still at the end of that day"
        );
    }

    #[test]
    fn are_not_given_back_by_a_pause_after_the_deadline() {
        due_on(
            &ten().paused(pause("2026-03-17 09:00", "2026-03-20 09:00")),
            "2026-03-16",
        );
    }

    #[test]
    fn ignore_a_pause_that_ends_before_it_begins() {
        due_on(
            &ten().paused(pause("2026-03-10 09:00", "2026-03-04 09:00")),
            "2026-03-16",
        );
    }
}

mod calendar_days {
    use super::*;

    #[test]
    fn that_end_on_a_day_off_end_on_the_next_working_day_once() {
        // Sixty days from 2 March end on 1 May, Labour Day.
        let legal = clock(Term::Days(60), "2026-03-02 09:00");
        due_on(&legal, "2026-05-06");
        // Thirty more end on Sunday, 31 May: counted on from the sixtieth day, not from 6 May.
        due_on(&legal.clone().extended_by(30), "2026-06-01");
        // A pause of two days that once ended on a holiday is not rolled on its own.
        due_on(
            &legal.paused(pause("2026-04-02 09:00", "2026-04-04 09:00")),
            "2026-05-06",
        );
    }

    #[test]
    fn roll_past_a_pause_that_began_before_the_deadline() {
        // Ends on Saturday the 14th and rolls to Monday, which a pause from Sunday to Tuesday covers.
        let clock =
            clock(Term::Days(12), "2026-03-02 09:00").paused(pause("2026-03-15 12:00", "2026-03-17 12:00"));
        due_on(&clock, "2026-03-18");
    }

    #[test]
    fn end_on_a_worked_weekend() {
        // Saturday, 28 February is worked for Spring Festival.
        due_on(&clock(Term::Days(5), "2026-02-23 09:00"), "2026-02-28");
    }
}

mod hours {
    use super::*;

    #[test]
    fn run_round_the_clock_and_are_moved_by_the_time_of_the_pauses_each_instant_once() {
        let clock = clock(Term::Hours(24), "2026-02-16 22:00")
            .paused(pause("2026-02-17 01:00", "2026-02-17 03:00"))
            .paused(pause("2026-02-17 02:00", "2026-02-17 04:00"));
        assert_eq!(clock.deadline(&rules()).due_at, at("2026-02-18 01:00"));
        let shares: Vec<_> = clock
            .prove(&rules())
            .pauses
            .iter()
            .map(|pause| pause.seconds)
            .collect();
        assert_eq!(shares, [7_200, 3_600]);
    }

    #[test]
    fn count_a_pause_from_the_start_and_only_where_it_began_in_time() {
        let early =
            clock(Term::Hours(2), "2026-03-02 09:00").paused(pause("2026-03-02 08:00", "2026-03-02 10:00"));
        assert_eq!(early.deadline(&rules()).due_at, at("2026-03-02 12:00"));
        let late =
            clock(Term::Hours(2), "2026-03-02 09:00").paused(pause("2026-03-02 11:01", "2026-03-02 15:00"));
        assert_eq!(late.deadline(&rules()).due_at, at("2026-03-02 11:00"));
    }
}

#[test]
fn a_promise_stands_on_the_day_it_named() {
    let promise = Clock::new(
        ClockKind::Promise,
        Term::Date(date("2026-05-02")),
        at("2026-03-02 09:00"),
    )
    .paused(pause("2026-03-03 09:00", "2026-04-03 09:00"));
    due_on(&promise, "2026-05-02");
}

#[test]
fn another_systems_target_is_moved_by_pauses() {
    let source =
        clock(Term::Source, "2026-03-05 12:00").paused(pause("2026-03-02 09:00", "2026-03-03 09:00"));
    assert_eq!(source.deadline(&rules()).due_at, at("2026-03-06 12:00"));
}

#[test]
fn a_pause_that_lasts_suspends_the_deadline_if_it_began_in_time() {
    let open = |from| Pause::open(PauseReason::StatutoryHearing, at(from));
    let ten = clock(Term::WorkingDays(10), "2026-03-02 09:00");
    let suspended = ten.clone().paused(open("2026-03-16 17:00")).deadline(&rules());
    assert_eq!(suspended.suspended_since, Some(at("2026-03-16 17:00")));
    assert_eq!(
        suspended.due_at,
        end_of_city_day(date("2026-03-16")),
        "the earliest it can be"
    );
    let overdue = ten.paused(open("2026-03-17 00:00")).deadline(&rules());
    assert_eq!(overdue.suspended_since, None);
    let promise = clock(Term::Date(date("2026-03-16")), "2026-03-02 09:00").paused(open("2026-03-03 09:00"));
    assert_eq!(promise.deadline(&rules()).suspended_since, None);
}

#[test]
fn a_deadline_is_provisional_from_the_first_unpublished_year_it_hangs_on() {
    let proof = clock(Term::WorkingDays(10), "2026-12-24 09:00").prove(&rules());
    assert_eq!(proof.provisional_from, Some(2027));
    // Only the last of calendar days must be a working day: what lies between makes no difference.
    let sixty = clock(Term::Days(60), "2003-12-01 09:00").prove(&rules());
    assert_eq!(sixty.provisional_from, None);
    let before = clock(Term::WorkingDays(30), "2003-12-01 09:00").prove(&rules());
    assert_eq!(before.provisional_from, Some(2003));
}

#[test]
fn a_proof_tells_every_day_and_why() {
    let clock =
        clock(Term::WorkingDays(6), "2026-02-12 16:00").paused(pause("2026-02-24 10:00", "2026-02-26 10:00"));
    let proof = clock.prove(&rules());
    let told: Vec<_> = proof
        .days
        .iter()
        .map(|stretch| (stretch.from.to_string(), stretch.days(), stretch.counting.clone()))
        .collect();
    let spring_festival = || "Spring Festival".into();
    assert_eq!(
        told,
        [
            ("2026-02-13".to_owned(), 1, Counting::WorkingDay),
            (
                "2026-02-14".to_owned(),
                1,
                Counting::MakeUpWorkday(spring_festival())
            ),
            ("2026-02-15".to_owned(), 9, Counting::Holiday(spring_festival())),
            ("2026-02-24".to_owned(), 1, Counting::WorkingDay),
            ("2026-02-25".to_owned(), 2, Counting::Paused(0)),
            ("2026-02-27".to_owned(), 1, Counting::WorkingDay),
            (
                "2026-02-28".to_owned(),
                1,
                Counting::MakeUpWorkday(spring_festival())
            ),
            ("2026-03-01".to_owned(), 1, Counting::Weekend),
            ("2026-03-02".to_owned(), 1, Counting::WorkingDay),
        ]
    );
    assert_eq!(proof.first_counted(), Some(date("2026-02-13")));
    assert_eq!((proof.counted, proof.skipped()), (6, 12));
    assert_eq!(proof.make_up_workdays().count(), 2);
    assert_eq!(proof.pauses[0].days, 2);
    assert_eq!(proof.pauses[0].pause.owner, PauseOwner::Resident);
    assert_eq!(proof.policy_version, "2026-1");
    let text = serde_json::to_string(&proof).unwrap();
    assert_eq!(serde_json::from_str::<Proof>(&text).unwrap(), proof);
}
