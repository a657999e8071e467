//! Every event as it is stored today. A changed event gets a new version and an upcaster, and its file here stays.

use cqrs_es::{DomainEvent, persist::SerializedEvent};
use onetrip_model::{CaseEvent, CaseFact, case::upcasters};
use std::{collections::BTreeSet, fs, path::PathBuf};

/// Every variant by name, as serde knows them: a new one is asked for its sample without being entered anywhere.
fn names() -> Vec<String> {
    let unknown =
        serde_json::from_str::<CaseFact>(r#"{"NoSuchFact": {}}"#).expect_err("there is no such fact");
    let told = unknown.to_string();
    let (_, names) = told
        .split_once("expected one of ")
        .expect("serde names what it knows");
    names.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// `CaseSubmitted-1.0.json`, or `CaseSubmitted-1.0-imported.json`: type, version, which one.
pub fn samples() -> Vec<(String, String, String)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/samples");
    let mut samples: Vec<_> = fs::read_dir(folder)
        .expect("tests/samples")
        .map(|entry| {
            let path = entry.expect("a file").path();
            let name = path
                .file_stem()
                .and_then(|name| name.to_str())
                .expect("a name")
                .to_owned();
            let mut parts = name.splitn(3, '-');
            let (kind, version) = (parts.next().expect("a type"), parts.next().expect("a version"));
            (
                kind.to_owned(),
                version.to_owned(),
                fs::read_to_string(&path).expect("readable"),
            )
        })
        .collect();
    samples.sort();
    samples
}

pub fn load(kind: &str, version: &str, json: &str) -> CaseEvent {
    let payload = serde_json::from_str(json).expect("JSON");
    let stored = SerializedEvent::new(
        "id".to_owned(),
        1,
        "case".to_owned(),
        kind.to_owned(),
        version.to_owned(),
        payload,
        serde_json::json!({}),
    );
    let upcast = upcasters().iter().fold(stored, |event, upcaster| {
        if upcaster.can_upcast(&event.event_type, &event.event_version) {
            upcaster.upcast(event)
        } else {
            event
        }
    });
    serde_json::from_value(upcast.payload).unwrap_or_else(|error| panic!("{kind} {version}: {error}"))
}

#[test]
fn every_stored_event_loads_as_what_it_was() {
    for (kind, version, json) in samples() {
        let event = load(&kind, &version, &json);
        assert_eq!(event.fact.name(), kind);
    }
}

#[test]
fn every_event_of_today_has_a_sample_of_its_version() {
    let stored: BTreeSet<(String, String)> = samples()
        .into_iter()
        .map(|(kind, version, _)| (kind, version))
        .collect();
    let names = names();
    assert!(names.contains(&"CaseClosed".to_owned()), "{names:?}");
    for name in names {
        let sample = samples()
            .into_iter()
            .find(|(kind, _, _)| *kind == name)
            .unwrap_or_else(|| panic!("no sample of {name}"));
        let event = load(&sample.0, &sample.1, &sample.2);
        assert!(
            stored.contains(&(name.clone(), event.event_version())),
            "{name} has no sample of its newest version"
        );
    }
}

#[test]
fn what_is_written_today_is_what_is_stored() {
    for (kind, version, json) in samples() {
        let event = load(&kind, &version, &json);
        if event.event_version() == version {
            let stored: serde_json::Value = serde_json::from_str(&json).expect("JSON");
            assert_eq!(
                serde_json::to_value(&event).expect("events serialize"),
                stored,
                "{kind}: the shape has changed"
            );
        }
    }
}

#[test]
fn no_sample_holds_an_open_private_value() {
    for (kind, _, json) in samples() {
        assert!(!json.contains("\"open\""), "{kind}");
    }
}
