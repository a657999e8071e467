//! Every page with every sample in each locale: it renders, no key is missing, and the bones are right.

use std::collections::BTreeSet;

use onetrip_http_kit::Prefs;
use onetrip_i18n::{Locale, MISSING_MARK};
use onetrip_portal::{assets, views::samples};

fn every_page(mut check: impl FnMut(&str, Prefs, &str)) {
    for locale in Locale::ALL {
        for elder in [false, true] {
            let prefs = Prefs { locale, elder };
            for page in samples::all(prefs) {
                let html = page
                    .html
                    .unwrap_or_else(|error| panic!("{} in {locale}: {error}", page.name));
                check(page.name, prefs, &html);
            }
        }
    }
}

/// The values of an attribute, in order.
fn values<'a>(html: &'a str, attribute: &str) -> Vec<&'a str> {
    let opening = format!(" {attribute}=\"");
    html.split(opening.as_str())
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .collect()
}

#[test]
fn no_key_is_missing() {
    every_page(|name, prefs, html| {
        if let Some(at) = html.find(MISSING_MARK) {
            let shown: String = html[at..].chars().take(60).collect();
            panic!("{name} in {}: {shown}", prefs.locale);
        }
        assert!(
            !html.contains("{$") && !html.contains("{ $"),
            "{name}: an argument is missing"
        );
    });
}

#[test]
fn language_title_and_landmarks_are_there() {
    every_page(|name, prefs, html| {
        assert!(
            html.contains(&format!("<html lang=\"{}\"", prefs.locale)),
            "{name}"
        );
        assert_eq!(html.contains("class=\"elder\""), prefs.elder, "{name}");
        assert_eq!(
            html.matches("<h1").count(),
            1,
            "{name}: one heading of the first rank"
        );
        assert_eq!(html.matches("<main").count(), 1, "{name}");
        assert!(html.contains("class=\"skip\""), "{name}");
    });
}

#[test]
fn ids_are_unique_and_references_lead_somewhere() {
    every_page(|name, _, html| {
        let mut ids = BTreeSet::new();
        for id in values(html, "id") {
            assert!(ids.insert(id), "{name}: id {id} is there twice");
        }
        for label in values(html, "for") {
            assert!(ids.contains(label), "{name}: label for {label}");
        }
        let described = values(html, "aria-describedby")
            .into_iter()
            .chain(values(html, "aria-labelledby"));
        for id in described.flat_map(str::split_whitespace) {
            assert!(ids.contains(id), "{name}: no {id}");
        }
        for target in values(html, "href")
            .into_iter()
            .filter_map(|href| href.strip_prefix('#'))
        {
            assert!(ids.contains(target), "{name}: link to #{target}");
        }
    });
}

#[test]
fn every_post_carries_the_token() {
    every_page(|name, _, html| {
        for form in html.split("<form").skip(1) {
            let form = form.split("</form>").next().unwrap_or_default();
            assert_eq!(
                form.contains("method=\"post\""),
                form.contains("name=\"csrf\""),
                "{name}: a form without its token, or a token in an address"
            );
        }
    });
}

#[test]
fn errors_are_in_the_title_the_summary_and_beside_the_field() {
    every_page(|name, _, html| {
        assert_eq!(
            name.ends_with("-error") || name == "lookup" || name == "where-hearing",
            html.contains("id=\"errors\""),
            "{name}"
        );
        for target in html
            .split("<li><a href=\"#")
            .skip(1)
            .filter_map(|rest| rest.split('"').next())
        {
            assert!(
                html.contains(&format!("id=\"{target}-error\"")),
                "{name}: {target} has no message beside it"
            );
        }
    });
}

#[test]
fn pages_fit_the_policy() {
    every_page(|name, _, html| {
        assert!(
            !html.contains(" style=\"") && !html.contains("<style"),
            "{name}: inline style"
        );
        assert!(
            !html.contains("http://") || html.contains("http://www.w3.org/2000/svg"),
            "{name}: foreign address"
        );
        for script in html.split("<script").skip(1) {
            assert!(
                script.trim_start().starts_with("src=\"/static/"),
                "{name}: inline script"
            );
        }
        assert!(!html.contains(" onclick"), "{name}");
    });
}

#[test]
fn every_static_file_asked_for_exists() {
    let known: BTreeSet<String> = assets::all().map(|(name, _)| format!("/static/{name}")).collect();
    every_page(|name, _, html| {
        for address in values(html, "href").into_iter().chain(values(html, "src")) {
            if address.starts_with("/static/") {
                assert!(known.contains(address), "{name}: {address}");
            }
        }
    });
}

#[test]
fn the_script_stays_small() {
    let script = assets::all()
        .find(|(name, _)| name.ends_with(".js"))
        .expect("the script")
        .1
        .len();
    assert!(script < 4096, "{script} bytes");
}
