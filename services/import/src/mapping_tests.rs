use super::*;

const BOSTON: &str = include_str!("../../../ops/import/boston311.toml");

/// The error of the Boston mapping with one piece of its text replaced.
fn error(from: &str, to: &str) -> String {
    assert!(BOSTON.contains(from), "{from}");
    Mapping::from_toml(&BOSTON.replacen(from, to, 1))
        .unwrap_err()
        .to_string()
}

#[test]
fn the_boston_mapping_is_in_order() {
    let mapping = Mapping::from_toml(BOSTON).unwrap();
    assert_eq!(mapping.system(), "boston311");
    assert_eq!(mapping.as_of().to_rfc3339(), "2016-01-13T03:22:40+00:00");
    assert_eq!(mapping.is_closed("Closed"), Some(true));
    assert_eq!(mapping.is_closed("Open"), Some(false));
    assert_eq!(mapping.is_closed("open"), None);
    assert_eq!(mapping.category_of("Street Lights"), "street_lights");
    assert_eq!(mapping.category_of("Billing"), "other");
    assert_eq!(mapping.category_of(""), "other");
    assert_eq!(mapping.kind_of("Street Lights"), CaseKind::Appeal);
    assert_eq!(
        mapping.kind_of("Participatory Budgeting Idea Collection"),
        CaseKind::Suggestion
    );
    assert_eq!(mapping.outcome_words("resolved"), "Resolved.");
    assert_eq!(mapping.outcome_words("lost"), "lost");
    assert_eq!(mapping.unit_names("PWDx").en, "Public Works Department");
    assert_eq!(mapping.unit_names("HS_D").en, "HS_D");
    assert!(mapping.is_filed_by_unit("City Worker App"));
    assert!(!mapping.is_filed_by_unit("Constituent Call"));
}

#[test]
fn categories_may_be_kept_as_they_are() {
    let kept = BOSTON.replace("[category.values]", "keep_unlisted = true\n\n[category.values]");
    let mapping = Mapping::from_toml(&kept).unwrap();
    assert_eq!(mapping.category_of("Billing"), "Billing");
    assert_eq!(mapping.category_of(""), "other");
}

#[test]
fn unknown_and_missing_keys_are_named() {
    assert!(error("channel = \"source\"", "chanel = \"source\"").contains("chanel"));
    assert!(error("id = \"case_id\"\n", "").contains("missing field `id`"));
    assert!(error("[city]", "[town]").contains("town"));
    assert!(error("zone = \"America/New_York\"", "zone = 5").contains("zone"));
}

#[test]
fn faulty_values_are_named_by_their_key() {
    let cases = [
        (
            "system = \"boston311\"",
            "system = \"4403\"",
            "`system` is `4403`",
        ),
        ("system = \"boston311\"", "system = \"Boston 311\"", "`system`"),
        (
            "as_of = \"2016-01-12T22:22:40\"",
            "as_of = \"2016-01-12\"",
            "`as_of` is `2016-01-12`",
        ),
        ("zh = \"波士顿\"", "zh = \" \"", "`city.zh` is empty"),
        ("\"America/New_York\"", "\"Boston\"", "`time.zone` is `Boston`"),
        ("%H:%M:%S", "", "`time.format`"),
        (
            "words = [\"title\", \"type\"]",
            "words = []",
            "`columns.words` names no column",
        ),
        ("id = \"case_id\"", "id = \"\"", "`columns.id` is empty"),
        (
            "longitude = \"longitude\"\n",
            "",
            "`columns.latitude` needs `columns.longitude`",
        ),
        ("status = \"status\"\n", "", "`status` needs `columns.status`"),
        ("kind = \"reason\"\n", "", "`kind.values` needs `columns.kind`"),
        ("open = [\"Open\"]", "open = []", "`status.open` lists no value"),
        (
            "open = [\"Open\"]",
            "open = [\"Closed\"]",
            "`status.open` lists `Closed`",
        ),
        (
            "default = \"appeal\"",
            "default = \"complaint\"",
            "`kind.default` is `complaint`",
        ),
        (
            "= \"suggestion\"",
            "= \"idea\"",
            "`kind.values.\"Participatory Budgeting Idea Collection\"` is `idea`",
        ),
        (
            "resolved = \"Resolved.\"",
            "resolved = \"\"",
            "`outcome.words.\"resolved\"` is empty",
        ),
        (
            "\"Trees\" = \"greenery\"",
            "\"Trees\" = \"\"",
            "`category.values.\"Trees\"` is empty",
        ),
        ("[city]", "delimiter = \"，\"\n[city]", "`delimiter`"),
    ];
    for (from, to, expected) in cases {
        let error = error(from, to);
        assert!(
            error.starts_with("mapping: ") && error.contains(expected),
            "{expected}: {error}"
        );
    }
}
