//! What the catalogues promise: the same keys and arguments in every locale, nothing missing, nothing unused.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use chrono::{NaiveDate, TimeDelta, TimeZone, Utc};

use super::{locale::UnknownLocale, *};

/// Families whose last part comes from data. Every member has to exist in both locales all the same; they
/// are only excused from being named by a template or by Rust.
const DYNAMIC_PREFIXES: &[&str] = &[
    "act-",
    "board-",
    "category-",
    "class-",
    "clock-",
    "decision-",
    "done-",
    "err-",
    "event-",
    "field-next-owner-",
    "figure-",
    "filter-",
    "follow-up-",
    "holiday-",
    "holder-",
    "kind-",
    "law-pause-",
    "ledger-",
    "list-",
    "mark-",
    "material-",
    "next-",
    "pause-",
    "problem-",
    "refusal-",
    "scope-",
    "score-",
    "status-",
    "tier-",
    "verdict-",
    "waive-",
    "what-",
];

/// Message keys of one locale, each with the arguments its text uses.
fn keys(locale: Locale) -> BTreeMap<String, BTreeSet<String>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("locales")
        .join(locale.tag());
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for entry in fs::read_dir(&folder).expect("locale folder") {
        let path = entry.expect("entry").path();
        let text = fs::read_to_string(&path).expect("catalogue");
        let mut current: Option<String> = None;
        for line in text.lines() {
            if line.starts_with(|c: char| c.is_ascii_lowercase()) {
                let (key, _) = line
                    .split_once('=')
                    .unwrap_or_else(|| panic!("{path:?}: odd line {line:?}"));
                let key = key.trim().to_owned();
                let before = found.insert(key.clone(), BTreeSet::new());
                assert!(before.is_none(), "{path:?}: {key} is there twice");
                current = Some(key);
            } else if !line.starts_with(' ') {
                current = None;
            }
            if let Some(key) = &current {
                let args = found.get_mut(key).expect("just inserted");
                for piece in line.split('$').skip(1) {
                    args.insert(
                        piece
                            .chars()
                            .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
                            .collect(),
                    );
                }
            }
        }
    }
    found
}

fn files_under(folder: &Path, out: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries {
        let path = entry.expect("entry").path();
        if path.is_dir() {
            files_under(&path, out);
        } else if path
            .extension()
            .is_some_and(|kind| kind == "rs" || kind == "html" || kind == "txt")
        {
            out.push(path);
        }
    }
}

/// Every quoted text in templates and Rust of all services, with the ones that a `t(…)` call takes marked.
fn quoted_texts() -> BTreeMap<String, bool> {
    let services = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("services folder");
    let mut files = Vec::new();
    for entry in fs::read_dir(services).expect("services folder") {
        let crate_folder = entry.expect("entry").path();
        files_under(&crate_folder.join("templates"), &mut files);
        files_under(&crate_folder.join("src"), &mut files);
    }
    files.retain(|path| !path.ends_with("i18n/src/tests.rs"));
    let mut found = BTreeMap::new();
    for path in files {
        let text = fs::read_to_string(&path).expect("source text");
        let mut rest = text.as_str();
        let mut before = String::new();
        while let Some(open) = rest.find('"') {
            before.push_str(&rest[..open]);
            let Some(close) = rest[open + 1..].find('"') else {
                break;
            };
            let quoted = &rest[open + 1..open + 1 + close];
            if is_key(quoted) {
                let called = is_translating_call(&before);
                *found.entry(quoted.to_owned()).or_insert(false) |= called;
                rest = &rest[open + close + 2..];
                before.clear();
            } else {
                // Not a key: it may be the gap between two texts, so go on right after the opening quote.
                before.push('"');
                rest = &rest[open + 1..];
            }
        }
    }
    found
}

fn is_key(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
}

/// Whether the text before a quoted key is the opening of `t(`, `t1(`, `t2(`, `t3(`, `t_args(` or `key(`,
/// perhaps with the locale as the first argument.
fn is_translating_call(before: &str) -> bool {
    let tail: String = before
        .chars()
        .rev()
        .take(48)
        .collect::<Vec<_>>()
        .into_iter()
        .rev()
        .collect();
    let Some(open) = tail.rfind('(') else { return false };
    let inside = tail[open + 1..].trim();
    let first_argument_is_locale = inside.ends_with(',') && inside.to_ascii_lowercase().contains("locale");
    if !(inside.is_empty() || first_argument_is_locale) {
        return false;
    }
    let name: String = tail[..open]
        .chars()
        .rev()
        .take_while(|c| c.is_alphanumeric() || *c == '_')
        .collect();
    let name: String = name.chars().rev().collect();
    matches!(name.as_str(), "t" | "t1" | "t2" | "t3" | "t_args" | "tr")
}

#[test]
fn both_locales_have_the_same_keys_and_arguments() {
    let source = keys(Locale::ZhCn);
    let other = keys(Locale::En);
    let missing: Vec<_> = source.keys().filter(|key| !other.contains_key(*key)).collect();
    let surplus: Vec<_> = other.keys().filter(|key| !source.contains_key(*key)).collect();
    assert!(
        missing.is_empty() && surplus.is_empty(),
        "en lacks {missing:?}\nzh-CN lacks {surplus:?}"
    );
    for (key, args) in &source {
        // A plural selector may be needed in one language only, so the number itself has to be in both.
        assert_eq!(args, &other[key], "{key} uses other arguments in en");
    }
}

#[test]
fn every_key_resolves_in_every_locale() {
    for locale in Locale::ALL {
        for (key, args) in keys(locale) {
            let args: Vec<(&'static str, Arg)> = args
                .into_iter()
                .map(|name| (&*name.leak(), Arg::Number(1)))
                .collect();
            let text = t_args(locale, &key, &args);
            assert!(
                !text.contains(MISSING_MARK) && !text.contains("{$"),
                "{locale}: {key} gives {text:?}"
            );
        }
    }
}

#[test]
fn every_used_key_exists() {
    let known = keys(Locale::ZhCn);
    let missing: Vec<_> = quoted_texts()
        .into_iter()
        .filter(|(key, called)| *called && !known.contains_key(key))
        .collect();
    assert!(missing.is_empty(), "used but in no catalogue: {missing:?}");
}

#[test]
fn every_key_is_used() {
    let used = quoted_texts();
    let unused: Vec<_> = keys(Locale::ZhCn)
        .into_keys()
        .filter(|key| !used.contains_key(key))
        .filter(|key| !DYNAMIC_PREFIXES.iter().any(|prefix| key.starts_with(prefix)))
        .collect();
    assert!(
        unused.is_empty(),
        "in the catalogues but used nowhere: {unused:?}"
    );
}

#[test]
fn accept_language_is_negotiated() {
    for (header, expected) in [
        ("", Locale::ZhCn),
        ("fr", Locale::ZhCn),
        ("en", Locale::En),
        ("en-GB,en;q=0.9,zh;q=0.8", Locale::En),
        ("zh-TW,zh;q=0.9,en;q=0.8", Locale::ZhCn),
        ("fr, en;q=0.3, zh-Hans;q=0.7", Locale::ZhCn),
        ("en;q=0, de", Locale::ZhCn),
        ("en;q=x,zh;q=0.1", Locale::ZhCn),
    ] {
        assert_eq!(Locale::negotiate(header), expected, "{header:?}");
    }
}

#[test]
fn tags_parse_back() {
    for locale in Locale::ALL {
        assert_eq!(locale.tag().parse(), Ok(locale));
    }
    assert_eq!("ZH-cn".parse(), Ok(Locale::ZhCn));
    assert_eq!("zh".parse::<Locale>(), Err(UnknownLocale));
}

#[test]
fn a_missing_key_is_marked() {
    assert_eq!(t(Locale::En, "no-such-key"), "⟦no-such-key⟧");
    assert!(!has(Locale::En, "no-such-key"));
}

#[test]
fn dates_are_in_city_time() {
    let at = Utc
        .with_ymd_and_hms(2026, 11, 23, 16, 5, 0)
        .single()
        .expect("instant");
    assert_eq!(date_time(Locale::ZhCn, at), "11月24日 00:05");
    assert_eq!(date_time(Locale::En, at), "24 Nov, 00:05");
    let day = NaiveDate::from_ymd_opt(2026, 11, 24).expect("day");
    assert_eq!(date_long(Locale::ZhCn, day), "2026年11月24日（周二）");
    assert_eq!(date_long(Locale::En, day), "Tuesday 24 November 2026");
}

#[test]
fn time_left_takes_the_two_largest_units() {
    let now = Utc
        .with_ymd_and_hms(2026, 11, 23, 0, 0, 0)
        .single()
        .expect("instant");
    let left = |minutes| time_left(Locale::ZhCn, now, now + TimeDelta::minutes(minutes));
    assert_eq!(left(3 * 24 * 60 + 4 * 60 + 9), "还剩 3 天 4 小时");
    assert_eq!(left(61), "还剩 1 小时 1 分钟");
    assert_eq!(left(-48 * 60), "已超期 2 天");
    assert_eq!(
        time_left(Locale::En, now, now + TimeDelta::hours(25)),
        "1 day 1 h left"
    );
}

#[test]
fn numbers_are_grouped_and_shares_are_cut() {
    assert_eq!(integer(0), "0");
    assert_eq!(integer(999), "999");
    assert_eq!(integer(1_234_567), "1,234,567");
    assert_eq!(per_cent(9996, 10000), "99.9%");
    assert_eq!(per_cent(1, 1), "100.0%");
    assert_eq!(per_cent(0, 0), "–");
}
