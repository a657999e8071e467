//! The engine against deadlines counted by an independent implementation: see `fixtures/deadlines/generate.py`.

use chrono::{DateTime, NaiveDate, Utc};
use onetrip_model::{
    calendar::Calendar,
    clocks::{Clock, ClockKind, Pause, PauseReason, Proof, Stretch, Term},
    policy::Rules,
};
use std::collections::BTreeMap;

const FIXTURE: &str = include_str!("fixtures/deadlines/deadlines.csv");
const CALENDARS: [(&str, &str); 3] = [
    (
        "cn-2019-1",
        include_str!("../../../ops/data/cn-calendar-2019-1.csv"),
    ),
    (
        "cn-2020-1",
        include_str!("../../../ops/data/cn-calendar-2020-1.csv"),
    ),
    ("cn-2026", include_str!("../../../ops/data/cn-calendar.csv")),
];

fn rules() -> BTreeMap<&'static str, Rules> {
    let policy = &onetrip_testkit::rules().policy;
    CALENDARS
        .into_iter()
        .map(|(version, csv)| {
            let rules = Rules {
                policy: policy.clone(),
                calendar: Calendar::from_csv(version, csv).unwrap(),
            };
            (version, rules)
        })
        .collect()
}

fn instant(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn pauses(text: &str) -> Vec<Pause> {
    text.split(';')
        .filter(|pause| !pause.is_empty())
        .map(|pause| {
            let (from, to) = pause.split_once('/').unwrap();
            Pause::closed(PauseReason::MaterialsRequested, instant(from), instant(to))
        })
        .collect()
}

/// What the row says, and the clock it says it of.
struct Row<'a> {
    calendar: &'a str,
    clock: Clock,
    /// Days counted, days skipped, the day the deadline rolled from, its instant, and whether it is provisional.
    expected: (Option<u32>, Option<u32>, Option<NaiveDate>, DateTime<Utc>, bool),
}

fn read(line: &str) -> Row<'_> {
    let fields: Vec<&str> = line.split(',').collect();
    let [
        calendar,
        unit,
        count,
        extended,
        started_at,
        stood_still,
        counted,
        skipped,
        rolled_from,
        due_at,
        provisional,
    ] = fields[..]
    else {
        panic!("{line} has other columns");
    };
    let count = count.parse().unwrap();
    let term = match unit {
        "hours" => Term::Hours(count),
        "days" => Term::Days(count),
        "working_days" => Term::WorkingDays(count),
        other => panic!("{other} is no unit"),
    };
    let clock = Clock {
        kind: ClockKind::Result,
        term,
        started_at: instant(started_at),
        extended: extended.parse().unwrap(),
        pauses: pauses(stood_still),
    };
    Row {
        calendar,
        clock,
        expected: (
            counted.parse().ok(),
            skipped.parse().ok(),
            rolled_from.parse().ok(),
            instant(due_at),
            provisional == "1",
        ),
    }
}

fn told(proof: &Proof) -> (Option<u32>, Option<u32>, Option<NaiveDate>, DateTime<Utc>, bool) {
    let in_days = !proof.days.is_empty();
    (
        in_days.then_some(proof.counted),
        in_days.then(|| proof.skipped()),
        proof.roll.as_ref().map(|roll| roll.from),
        proof.due_at,
        proof.provisional_from.is_some(),
    )
}

#[test]
fn the_engine_agrees_with_an_independent_count() {
    let rules = rules();
    let rows: Vec<Row> = FIXTURE.lines().skip(1).map(read).collect();
    assert!(rows.len() >= 2_500, "{} rows", rows.len());
    let differences: Vec<String> = rows
        .iter()
        .filter_map(|row| {
            let rules = &rules[row.calendar];
            let found = told(&row.clock.prove(rules));
            let expected = row.expected;
            (found != expected).then(|| {
                format!(
                    "{}, {:?}: {found:?} instead of {expected:?}",
                    row.calendar, row.clock
                )
            })
        })
        .collect();
    assert!(
        differences.is_empty(),
        "{} differences of {}; the first: {}",
        differences.len(),
        rows.len(),
        differences[0]
    );
}

#[test]
fn a_proof_adds_up_and_says_what_the_deadline_says() {
    let rules = rules();
    for row in FIXTURE.lines().skip(1).map(read) {
        let rules = &rules[row.calendar];
        let (proof, deadline) = (row.clock.prove(rules), row.clock.deadline(rules));
        assert_eq!(proof.due_at, deadline.due_at);
        assert_eq!(proof.provisional_from.is_some(), deadline.provisional);
        let (Some(first), Some(last)) = (proof.days.first(), proof.days.last()) else {
            continue;
        };
        assert_eq!(
            first.from,
            proof.started_on.succ_opt().unwrap(),
            "{:?}",
            row.clock
        );
        for pair in proof.days.windows(2) {
            assert_eq!(
                pair[0].to.succ_opt(),
                Some(pair[1].from),
                "no day is left out or told twice"
            );
        }
        let span = (last.to - proof.started_on).num_days();
        assert_eq!(
            i64::from(proof.counted + proof.skipped()),
            span,
            "{:?}",
            row.clock
        );
        let taken: u32 = proof.pauses.iter().map(|pause| pause.days).sum();
        let paused =
            |stretch: &&Stretch| matches!(stretch.counting, onetrip_model::clocks::Counting::Paused(_));
        assert_eq!(
            taken,
            proof.days.iter().filter(paused).map(Stretch::days).sum::<u32>()
        );
    }
}

mod properties {
    use super::*;
    use chrono::Duration;
    use proptest::prelude::*;

    fn start() -> impl Strategy<Value = DateTime<Utc>> {
        // 2018 to 2026, to the second.
        (1_514_736_000_i64..1_798_732_800).prop_map(|second| DateTime::from_timestamp(second, 0).unwrap())
    }

    fn term() -> impl Strategy<Value = Term> {
        prop_oneof![
            (1_u32..200).prop_map(Term::Hours),
            (1_u32..60).prop_map(Term::WorkingDays),
            (1_u32..120).prop_map(Term::Days),
        ]
    }

    /// Pauses by seconds after the start, and how long.
    fn spans() -> impl Strategy<Value = Vec<(i64, i64)>> {
        prop::collection::vec((-100_000_i64..6_000_000, 0_i64..1_500_000), 0..5)
    }

    fn paused(term: Term, start: DateTime<Utc>, spans: &[(i64, i64)]) -> Clock {
        let clock = Clock::new(ClockKind::Result, term, start);
        spans.iter().fold(clock, |clock, (after, length)| {
            let from = start + Duration::seconds(*after);
            let to = from + Duration::seconds(*length);
            clock.paused(Pause::closed(PauseReason::ExpertTime, from, to))
        })
    }

    fn due(clock: &Clock) -> DateTime<Utc> {
        clock.deadline(&onetrip_testkit::rules()).due_at
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn more_term_is_never_due_earlier(start in start(), term in term(), spans in spans(), more in 0_u32..40) {
            let clock = paused(term, start, &spans);
            prop_assert!(due(&clock) <= due(&clock.clone().extended_by(more)));
        }

        #[test]
        fn another_pause_is_never_due_earlier(start in start(), term in term(), spans in spans()) {
            let all = paused(term, start, &spans);
            if let Some((_, fewer)) = spans.split_last() {
                prop_assert!(due(&paused(term, start, fewer)) <= due(&all));
            }
        }

        #[test]
        fn the_order_in_which_pauses_are_told_makes_no_difference(
            start in start(), term in term(), spans in spans(),
        ) {
            let mut turned = spans.clone();
            turned.reverse();
            prop_assert_eq!(due(&paused(term, start, &spans)), due(&paused(term, start, &turned)));
        }

        #[test]
        fn a_pause_that_begins_after_the_deadline_suspends_nothing(
            start in start(), term in term(), late in 1_i64..10_000_000,
        ) {
            let clock = paused(term, start, &[]);
            let open = Pause::open(PauseReason::ExpertTime, due(&clock) + Duration::seconds(late));
            let deadline = clock.paused(open).deadline(&onetrip_testkit::rules());
            prop_assert_eq!(deadline.suspended_since, None);
        }
    }
}
