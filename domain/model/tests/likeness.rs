//! What is suggested as the same matter, under the city's own policy.

use chrono::{DateTime, TimeDelta};
use onetrip_model::{
    CaseKind,
    likeness::{Matter, Pairs, closest, metres, score},
    policy::{Policy, PolicyFaults},
};
use onetrip_testkit::rules;
use proptest::prelude::*;
use std::sync::LazyLock;

static POLICY: LazyLock<Policy> = LazyLock::new(|| rules().policy.clone());

fn matter(category: &str, place: &str, words: &str) -> Matter {
    Matter {
        kind: CaseKind::Appeal,
        category: category.to_owned(),
        point: None,
        place_words: Pairs::of(place),
        words: Pairs::of(words),
        filed_at: DateTime::UNIX_EPOCH,
    }
}

fn lamp(place: &str, words: &str) -> Matter {
    matter("street_lights", place, words)
}

fn suggested(one: &Matter, other: &Matter) -> bool {
    !closest(&POLICY, one, [((), other)]).is_empty()
}

#[test]
fn chinese_told_in_other_words_is_suggested() {
    let one = lamp(
        "莲花北村 12 栋楼下",
        "莲花北村12栋楼下的路灯不亮，已经三天了，请尽快修理",
    );
    let other = lamp(
        "莲花北村１２栋门口",
        "莲花北村12栋门口路灯三天不亮了，晚上看不见，请修理",
    );
    assert!(suggested(&one, &other));
    let elsewhere = lamp("彩田路人行天桥", "天桥上的路灯一直在闪，影响休息");
    assert!(!suggested(&one, &elsewhere));
}

#[test]
fn english_told_in_other_words_is_suggested() {
    let one = lamp(
        "Corner of Hongli Road",
        "The street light at the corner has been dark for a week.",
    );
    let other = lamp(
        "Hongli Road, corner",
        "Street light dark at the corner since last week",
    );
    assert!(suggested(&one, &other));
    let elsewhere = lamp("Footbridge over Caitian Road", "A lamp keeps flickering at night");
    assert!(!suggested(&one, &elsewhere));
}

#[test]
fn points_far_apart_are_never_one_matter_however_alike_the_words() {
    let mut one = lamp("Washington St", "Street light outage");
    let mut other = one.clone();
    one.point = Some((42.3500, -71.0600));
    other.point = Some((42.3501, -71.0600));
    assert!(score(&POLICY, &one, &other).is_some());
    other.point = Some((42.3600, -71.0600));
    assert_eq!(score(&POLICY, &one, &other), None);
}

#[test]
fn a_category_of_the_same_office_counts_less_and_another_office_not_at_all() {
    let one = lamp("莲花北村", "路灯倒在路上");
    let same = score(&POLICY, &one, &one).unwrap();
    let kin = score(&POLICY, &one, &matter("roads", "莲花北村", "路灯倒在路上")).unwrap();
    assert!(kin < same, "{kin} {same}");
    assert_eq!(
        score(&POLICY, &one, &matter("danger", "莲花北村", "路灯倒在路上")),
        None
    );
    let proposal = Matter {
        kind: CaseKind::Suggestion,
        ..one.clone()
    };
    assert_eq!(score(&POLICY, &one, &proposal), None);
}

#[test]
fn an_older_case_is_less_likely_the_same() {
    let one = lamp("莲花北村", "路灯不亮三天了");
    let scores = [0, 1, 10, 100].map(|days| {
        let older = Matter {
            filed_at: one.filed_at - TimeDelta::days(days),
            ..one.clone()
        };
        score(&POLICY, &one, &older).unwrap()
    });
    assert!(scores.is_sorted_by(|newer, older| newer > older), "{scores:?}");
}

#[test]
fn a_place_that_is_not_told_is_not_taken_for_the_same() {
    assert!(!suggested(&lamp("", "路灯不亮"), &lamp("", "路灯不亮")));
}

#[test]
fn a_matter_without_a_place_is_told_by_its_words() {
    let words = "我在科技园某电子厂上班，工厂拖欠三个月工资，老板不接电话";
    let one = matter("wages", "甲小区", words);
    let other = matter(
        "wages",
        "乙小区",
        "科技园某电子厂拖欠三个月工资，老板不接电话，联系不上",
    );
    assert!(suggested(&one, &other));
    assert!(!suggested(
        &one,
        &matter("wages", "甲小区", "包工头没有给我们结算去年的工钱")
    ));
}

#[test]
fn metres_are_those_of_the_globe() {
    let north = metres((22.5, 114.0), (22.509, 114.0));
    assert!((999.0..1_002.0).contains(&north), "{north}");
    let east = metres((60.0, 10.0), (60.0, 10.018));
    assert!((999.0..1_003.0).contains(&east), "{east}");
}

#[test]
fn what_complaints_are_about_and_what_has_no_place_cannot_be_shared() {
    for id in ["noise", "school"] {
        let mut policy = POLICY.clone();
        for category in &mut policy.categories {
            category.shared |= category.id == id;
        }
        let PolicyFaults(faults) = policy.check().expect_err("it cannot be shared");
        let keys: Vec<&str> = faults.iter().map(|fault| fault.key.as_str()).collect();
        assert_eq!(keys, [format!("category.{id}.shared")]);
    }
}

fn any_matter() -> impl Strategy<Value = Matter> {
    let category = prop::sample::select(vec!["street_lights", "roads", "wages", "danger", "unknown"]);
    let point = prop::option::of((22.5..22.502_f64, 114.0..114.002_f64));
    (
        category,
        point,
        "[路灯不亮a-c ]{0,12}",
        "[路灯不亮a-c ]{0,30}",
        0..100_i64,
    )
        .prop_map(|(category, point, place, words, days)| Matter {
            point,
            filed_at: DateTime::UNIX_EPOCH + TimeDelta::days(days),
            ..matter(category, &place, &words)
        })
}

proptest! {
    #[test]
    fn a_score_is_bounded_and_the_same_both_ways(one in any_matter(), other in any_matter()) {
        let there = score(&POLICY, &one, &other);
        let back = score(&POLICY, &other, &one);
        prop_assert_eq!(there.is_some(), back.is_some());
        if let (Some(there), Some(back)) = (there, back) {
            prop_assert!((0.0..=1.0).contains(&there), "{}", there);
            prop_assert!((there - back).abs() < 1e-12, "{} {}", there, back);
        }
    }

    #[test]
    fn never_more_than_five_and_best_first(
        one in any_matter(),
        others in prop::collection::vec(any_matter(), 0..40),
    ) {
        let shown = closest(&POLICY, &one, others.iter().map(|other| ((), other)));
        prop_assert!(shown.len() <= 5);
        prop_assert!(shown.is_sorted_by(|better, worse| better.1 >= worse.1));
        let least = f64::from(POLICY.duplicates.score_min_percent) / 100.0;
        prop_assert!(shown.iter().all(|(_, score)| *score >= least));
    }
}
