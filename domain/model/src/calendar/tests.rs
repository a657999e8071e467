use super::*;

const CSV: &str = include_str!("../../../../ops/data/cn-calendar.csv");

fn calendar() -> Calendar {
    Calendar::from_csv("test", CSV).unwrap()
}

fn date(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

#[test]
fn make_up_weekends_are_worked_and_holidays_are_not() {
    let calendar = calendar();
    let spring_festival = || Arc::from("Spring Festival");
    for (day, is) in [
        ("2026-02-14", Day::MakeUpWorkday(spring_festival())),
        ("2026-02-17", Day::Holiday(spring_festival())),
        ("2026-11-22", Day::Weekend),
        ("2026-11-23", Day::Weekday),
    ] {
        assert_eq!(calendar.day(date(day)), is, "{day}");
        assert_eq!(calendar.is_working_day(date(day)), is.is_worked(), "{day}");
    }
}

#[test]
fn the_first_day_is_not_counted() {
    // Friday 2026-02-13: the next two working days are the make-up Saturday and, after the holiday, 02-24.
    assert_eq!(
        calendar().add_working_days(date("2026-02-13"), 2),
        date("2026-02-24")
    );
}

#[test]
fn a_period_ending_on_a_day_off_ends_on_the_next_working_day() {
    assert_eq!(calendar().add_days(date("2026-02-10"), 7), date("2026-02-24"));
}

#[test]
fn an_unpublished_year_is_known_as_such() {
    assert!(calendar().is_published(date("2026-12-31")));
    assert!(!calendar().is_published(date("2027-01-04")));
    assert_eq!(calendar().published_years().count(), 23, "2004 to 2026");
}

#[test]
fn a_year_touched_only_by_its_neighbours_new_year_is_not_published() {
    let csv = "date,kind,holiday\n2018-12-31,holiday,New Year's Day\n2019-10-01,holiday,National Day\n";
    let calendar = Calendar::from_csv("x", csv).unwrap();
    assert!(!calendar.is_published(date("2018-12-31")));
    assert!(calendar.is_published(date("2019-01-02")));
}

#[test]
fn faults_name_their_line_and_what_to_write() {
    for (csv, fault) in [
        (
            "date,kind,holiday\n2026-01-01,feast,New Year\n",
            "calendar line 2: `feast` is no kind of day; write `holiday` or `make-up workday`",
        ),
        (
            "date,kind,holiday\n1 May,holiday,Labour Day\n",
            "calendar line 2: `1 May` is not a date like 2026-01-01",
        ),
        (
            "date,kind,holiday\n2026-05-01,holiday\n",
            "calendar line 2: the third field must name the holiday",
        ),
        (
            "2026-05-01,holiday,Labour Day\n",
            "calendar line 1: the first line must be `date,kind,holiday`",
        ),
    ] {
        assert_eq!(Calendar::from_csv("x", csv).unwrap_err().to_string(), fault);
    }
    let twice = format!("{CSV}2026-01-01,holiday,New Year's Day\n");
    assert!(
        Calendar::from_csv("x", &twice)
            .unwrap_err()
            .to_string()
            .contains("2026-01-01 is listed twice")
    );
}

#[test]
fn text_and_stored_form_say_the_same() {
    let calendar = calendar();
    assert_eq!(Calendar::from_csv("test", &calendar.to_csv()).unwrap(), calendar);
    let stored = serde_json::to_string(&calendar).unwrap();
    assert_eq!(serde_json::from_str::<Calendar>(&stored).unwrap(), calendar);
}

#[test]
fn a_late_notice_changes_the_days_it_names() {
    let csv = CSV.replace(
        "2026-10-10,make-up workday,National Day\n",
        "2026-10-08,holiday,National Day\n",
    );
    let after = Calendar::from_csv("later", &csv).unwrap();
    let changed: Vec<_> = calendar()
        .changed_days(&after)
        .into_iter()
        .map(|day| (day.date, day.before.is_worked(), day.after.is_worked()))
        .collect();
    assert_eq!(
        changed,
        [
            (date("2026-10-08"), true, false),
            (date("2026-10-10"), true, false)
        ]
    );
    assert!(!calendar().says_the_same(&after));
    assert!(calendar().says_the_same(&Calendar::from_csv("other", CSV).unwrap()));
}

#[test]
fn a_city_day_begins_and_ends_in_shanghai() {
    let day = date("2026-11-23");
    assert_eq!(start_of_city_day(day).to_rfc3339(), "2026-11-22T16:00:00+00:00");
    assert_eq!(end_of_city_day(day).to_rfc3339(), "2026-11-23T15:59:59+00:00");
}
