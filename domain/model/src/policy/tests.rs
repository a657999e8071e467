use super::*;

const POLICY: &str = include_str!("../../../../ops/policy/2026-1.toml");

fn policy() -> Policy {
    Policy::read(POLICY).unwrap()
}

fn faults(change: impl FnOnce(&mut Policy)) -> Vec<String> {
    let mut policy = policy();
    change(&mut policy);
    let PolicyFaults(faults) = policy.check().unwrap_err();
    faults.into_iter().map(|fault| fault.key).collect()
}

#[test]
fn a_limit_is_at_least_one_and_no_slip_of_the_pen() {
    assert_eq!(faults(|policy| policy.receipt.days = 0), ["receipt.days"]);
    assert_eq!(faults(|policy| policy.legal.days = 60_000), ["legal.days"]);
    assert_eq!(
        faults(|policy| policy.categories[0].hours = Some(0)),
        ["category.street_lights.hours"]
    );
}

#[test]
fn all_faults_are_told_at_once_with_what_to_write() {
    let mut policy = policy();
    policy.version = "our newest".to_owned();
    policy.categories[1].office = "roads".to_owned();
    let told = policy.check().unwrap_err().to_string();
    let lines: Vec<_> = told.lines().collect();
    assert_eq!(lines.len(), 2, "{told}");
    assert!(lines[0].starts_with("version: `our newest` is no name"), "{told}");
    assert_eq!(
        lines[1],
        "category.roads.office: there is no office `roads`; write one of routing.offices \
         (urban, safety, community, services) or add it there"
    );
}

#[test]
fn warnings_ascend_within_the_limit() {
    for warnings in [vec![80, 50], vec![50, 50], vec![0], vec![100]] {
        let found = faults(|policy| policy.supervision.warnings_percent.clone_from(&warnings));
        assert_eq!(found, ["supervision.warnings_percent"], "{warnings:?}");
    }
}

#[test]
fn escalations_ascend_beyond_the_limit_and_never_above_the_city() {
    for escalations in [vec![200, 150], vec![100], vec![110, 120, 130, 140]] {
        let found = faults(|policy| policy.supervision.escalations_percent.clone_from(&escalations));
        assert_eq!(found, ["supervision.escalations_percent"], "{escalations:?}");
    }
}

#[test]
fn nothing_is_listed_twice_and_no_list_is_empty() {
    let twice = |policy: &mut Policy| policy.categories.push(policy.categories[0].clone());
    assert_eq!(faults(twice), ["category"]);
    assert_eq!(faults(|policy| policy.materials.clear()), ["material"]);
}

#[test]
fn a_misspelt_key_is_named_with_its_line() {
    let text = POLICY.replace("hours_max", "hour_max");
    let told = Policy::read(&text).unwrap_err().to_string();
    assert!(told.contains("hour_max") && told.contains("line"), "{told}");
}

#[test]
fn a_misspelt_table_is_named() {
    let text = POLICY.replace("[objection]", "[objections]");
    let told = Policy::read(&text).unwrap_err().to_string();
    assert!(told.contains("objections"), "{told}");
}

#[test]
fn differences_are_told_by_key_whatever_the_order() {
    let before = policy();
    let mut after = before.clone();
    after.contact.hours_max = 12;
    after.categories.reverse();
    after.categories.retain(|category| category.id != "noise");
    let told: Vec<_> = differences(&before, &after)
        .into_iter()
        .map(|difference| (difference.key, difference.before, difference.after))
        .collect();
    let gone = |key: &str, before: &str| (key.to_owned(), Some(before.to_owned()), None);
    assert_eq!(
        told,
        [
            gone("category.noise.class", "\"complaint\""),
            gone("category.noise.office", "\"urban\""),
            gone("category.noise.place_bound", "true"),
            (
                "contact.hours_max".to_owned(),
                Some("24".to_owned()),
                Some("12".to_owned())
            ),
        ]
    );
    assert_eq!(differences(&before, &before), []);
}
