//! How one city's export is to be read, as data: `ops/import/<system>.toml`, described in `ops/docs/IMPORT.md`.

use crate::{time::LocalTimes, words::slug};
use chrono::{DateTime, Utc};
use onetrip_model::CaseKind;
use serde::Deserialize;
use std::collections::BTreeMap;

/// The description of an export. [`Mapping::from_toml`] is the only way to make one, so it has always been checked.
#[derive(Clone, Debug)]
pub struct Mapping {
    raw: Raw,
    times: LocalTimes,
    as_of: DateTime<Utc>,
    kind: KindRule,
}

/// What is wrong with a mapping; names the key at fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MappingError {
    /// Not TOML, a key that is missing or unknown, or a value of another type. The message names line and key.
    #[error("the mapping cannot be read: {0}")]
    Toml(String),
    #[error("mapping: `{key}` {problem}")]
    Key { key: String, problem: String },
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    system: String,
    /// Until when the export watched the cases: a local time of `time.zone`, or RFC 3339.
    as_of: String,
    /// What stands between two fields.
    #[serde(default = "comma")]
    delimiter: char,
    city: Names,
    time: Time,
    columns: Columns,
    status: Option<Status>,
    #[serde(default)]
    words: Words,
    outcome: Outcome,
    category: Category,
    kind: Kind,
    unit: Unit,
    #[serde(default)]
    place: Place,
    #[serde(default)]
    filed_by: FiledBy,
}

fn comma() -> char {
    ','
}

/// A name in the two languages of the service.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Names {
    pub zh: String,
    pub en: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Time {
    zone: String,
    format: String,
}

/// The columns by their names in the first row of the file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Columns {
    pub id: String,
    pub opened: String,
    pub closed: String,
    pub target: Option<String>,
    /// The first of these that is not empty is what the resident wrote.
    pub words: Vec<String>,
    pub category: Option<String>,
    pub unit: String,
    /// The neighbourhood: becomes a division inside the city.
    pub place: Option<String>,
    pub street: Option<String>,
    pub latitude: Option<String>,
    pub longitude: Option<String>,
    pub status: Option<String>,
    pub outcome: Option<String>,
    pub channel: Option<String>,
    pub kind: Option<String>,
}

/// Which values of `columns.status` mean what. Without the column, a row is closed if it has a closing time.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Status {
    closed: Vec<String>,
    open: Vec<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Words {
    /// Stands for words that are missing; without it such a row is rejected.
    default: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Outcome {
    /// The outcome of a closed row that names none.
    default: String,
    /// Outcome in the file → the words of the result; an outcome that is not listed is its own words.
    #[serde(default)]
    words: BTreeMap<String, String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Category {
    /// For an empty value, and for one that is not listed unless `keep_unlisted`.
    default: String,
    #[serde(default)]
    keep_unlisted: bool,
    #[serde(default)]
    values: BTreeMap<String, String>,
    /// Why there is no after-photo, for matters that the policy says have a place.
    no_photo: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kind {
    /// For every row whose value of `columns.kind` is not listed.
    default: String,
    #[serde(default)]
    values: BTreeMap<String, String>,
}

#[derive(Clone, Debug)]
struct KindRule {
    default: CaseKind,
    values: BTreeMap<String, CaseKind>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Unit {
    /// Stands for an empty value; without it such a row is rejected.
    default: Option<String>,
    #[serde(default)]
    names: BTreeMap<String, Names>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Place {
    #[serde(default)]
    names: BTreeMap<String, Names>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct FiledBy {
    /// Values of `columns.channel` that mean the unit filed the case itself.
    #[serde(default)]
    unit: Vec<String>,
}

impl Mapping {
    /// Reads and checks a mapping.
    pub fn from_toml(text: &str) -> Result<Mapping, MappingError> {
        let raw: Raw =
            toml::from_str(text).map_err(|error| MappingError::Toml(error.to_string().trim().to_owned()))?;
        raw.check()?;
        let times = LocalTimes::new(&raw.time.zone, &raw.time.format)?;
        let as_of = times.parse_iso(&raw.as_of).ok_or_else(|| {
            fault(
                "as_of",
                format!("is `{}`, not a time like 2016-01-12T22:22:40", raw.as_of),
            )
        })?;
        let kind = raw.kind.rule()?;
        Ok(Mapping {
            raw,
            times,
            as_of,
            kind,
        })
    }

    /// The id of the system the export comes from; also the code of its top division.
    pub fn system(&self) -> &str {
        &self.raw.system
    }

    pub fn city(&self) -> &Names {
        &self.raw.city
    }

    pub fn columns(&self) -> &Columns {
        &self.raw.columns
    }

    /// Until when the export watched the cases.
    pub fn as_of(&self) -> DateTime<Utc> {
        self.as_of
    }

    /// What stands between two fields: one byte, as the check has made sure.
    pub(crate) fn delimiter(&self) -> u8 {
        u8::try_from(self.raw.delimiter).unwrap_or(b',')
    }

    pub(crate) fn times(&self) -> &LocalTimes {
        &self.times
    }

    /// Whether a row of this status is closed; None where the value is not listed.
    pub(crate) fn is_closed(&self, status: &str) -> Option<bool> {
        let rule = self.raw.status.as_ref()?;
        let listed = |values: &[String]| values.iter().any(|value| value == status);
        if listed(&rule.closed) {
            Some(true)
        } else {
            listed(&rule.open).then_some(false)
        }
    }

    pub(crate) fn default_words(&self) -> Option<&str> {
        self.raw.words.default.as_deref()
    }

    pub(crate) fn kind_of(&self, value: &str) -> CaseKind {
        self.kind.values.get(value).copied().unwrap_or(self.kind.default)
    }

    pub(crate) fn category_of<'a>(&'a self, value: &'a str) -> &'a str {
        let rule = &self.raw.category;
        match rule.values.get(value) {
            Some(category) => category,
            None if rule.keep_unlisted && !value.is_empty() => value,
            None => &rule.default,
        }
    }

    pub(crate) fn no_photo(&self) -> &str {
        &self.raw.category.no_photo
    }

    pub(crate) fn default_outcome(&self) -> &str {
        &self.raw.outcome.default
    }

    pub(crate) fn outcome_words<'a>(&'a self, outcome: &'a str) -> &'a str {
        self.raw
            .outcome
            .words
            .get(outcome)
            .map_or(outcome, String::as_str)
    }

    pub(crate) fn default_unit(&self) -> Option<&str> {
        self.raw.unit.default.as_deref()
    }

    pub(crate) fn unit_names(&self, value: &str) -> Names {
        named(&self.raw.unit.names, value)
    }

    pub(crate) fn place_names(&self, value: &str) -> Names {
        named(&self.raw.place.names, value)
    }

    pub(crate) fn is_filed_by_unit(&self, channel: &str) -> bool {
        self.raw.filed_by.unit.iter().any(|value| value == channel)
    }
}

/// The listed names, else the value itself in both languages.
fn named(names: &BTreeMap<String, Names>, value: &str) -> Names {
    names.get(value).cloned().unwrap_or_else(|| Names {
        zh: value.to_owned(),
        en: value.to_owned(),
    })
}

pub(crate) fn fault(key: &str, problem: impl Into<String>) -> MappingError {
    MappingError::Key {
        key: key.to_owned(),
        problem: problem.into(),
    }
}

impl Raw {
    fn check(&self) -> Result<(), MappingError> {
        let system = &self.system;
        // A code of its own, that no national code starts with and that is its own slug.
        if slug(system) != *system
            || !system.starts_with(|first: char| first.is_ascii_lowercase())
            || !system.is_ascii()
        {
            let problem = format!("is `{system}`: small letters, digits and single dashes, a letter first");
            return Err(fault("system", problem));
        }
        if !self.delimiter.is_ascii()
            || self.delimiter == '"'
            || self.delimiter == '\n'
            || self.delimiter == '\r'
        {
            return Err(fault(
                "delimiter",
                format!("is {:?}, not one like , or ; or \\t", self.delimiter),
            ));
        }
        self.columns.check()?;
        let filled = [
            ("city.zh", &self.city.zh),
            ("city.en", &self.city.en),
            ("outcome.default", &self.outcome.default),
            ("category.default", &self.category.default),
            ("category.no_photo", &self.category.no_photo),
        ];
        let optional = [
            ("words.default", &self.words.default),
            ("unit.default", &self.unit.default),
        ];
        let optional = optional
            .into_iter()
            .filter_map(|(key, value)| Some((key, value.as_ref()?)));
        if let Some((key, _)) = filled
            .into_iter()
            .chain(optional)
            .find(|(_, value)| value.trim().is_empty())
        {
            return Err(fault(key, "is empty"));
        }
        let lists = [
            ("outcome.words", &self.outcome.words),
            ("category.values", &self.category.values),
        ];
        for (key, list) in lists {
            if let Some((value, _)) = list.iter().find(|(_, meaning)| meaning.trim().is_empty()) {
                return Err(fault(&format!("{key}.\"{value}\""), "is empty"));
            }
        }
        let columns = &self.columns;
        let needs = [
            (
                "status",
                "columns.status",
                self.status.is_some(),
                columns.status.is_some(),
            ),
            (
                "kind.values",
                "columns.kind",
                !self.kind.values.is_empty(),
                columns.kind.is_some(),
            ),
            (
                "outcome.words",
                "columns.outcome",
                !self.outcome.words.is_empty(),
                columns.outcome.is_some(),
            ),
            (
                "category.values",
                "columns.category",
                !self.category.values.is_empty(),
                columns.category.is_some(),
            ),
            (
                "place.names",
                "columns.place",
                !self.place.names.is_empty(),
                columns.place.is_some(),
            ),
            (
                "filed_by.unit",
                "columns.channel",
                !self.filed_by.unit.is_empty(),
                columns.channel.is_some(),
            ),
            (
                "columns.longitude",
                "columns.latitude",
                columns.longitude.is_some(),
                columns.latitude.is_some(),
            ),
            (
                "columns.latitude",
                "columns.longitude",
                columns.latitude.is_some(),
                columns.longitude.is_some(),
            ),
            (
                "columns.status",
                "status",
                columns.status.is_some(),
                self.status.is_some(),
            ),
        ];
        if let Some((key, needed, ..)) = needs.into_iter().find(|(.., is, has)| *is && !has) {
            return Err(fault(key, format!("needs `{needed}`")));
        }
        self.status.as_ref().map_or(Ok(()), Status::check)
    }
}

impl Columns {
    /// Every column named, with its key.
    pub(crate) fn named(&self) -> Vec<(&'static str, &str)> {
        let optional = [
            ("columns.target", &self.target),
            ("columns.category", &self.category),
            ("columns.place", &self.place),
            ("columns.street", &self.street),
            ("columns.latitude", &self.latitude),
            ("columns.longitude", &self.longitude),
            ("columns.status", &self.status),
            ("columns.outcome", &self.outcome),
            ("columns.channel", &self.channel),
            ("columns.kind", &self.kind),
        ];
        let needed = [
            ("columns.id", self.id.as_str()),
            ("columns.opened", &self.opened),
            ("columns.closed", &self.closed),
            ("columns.unit", &self.unit),
        ];
        let words = self.words.iter().map(|name| ("columns.words", name.as_str()));
        let optional = optional
            .into_iter()
            .filter_map(|(key, name)| Some((key, name.as_deref()?)));
        needed.into_iter().chain(words).chain(optional).collect()
    }

    fn check(&self) -> Result<(), MappingError> {
        if self.words.is_empty() {
            return Err(fault("columns.words", "names no column"));
        }
        match self.named().into_iter().find(|(_, name)| name.trim().is_empty()) {
            Some((key, _)) => Err(fault(key, "is empty")),
            None => Ok(()),
        }
    }
}

impl Status {
    fn check(&self) -> Result<(), MappingError> {
        for (key, values) in [("status.closed", &self.closed), ("status.open", &self.open)] {
            if values.is_empty() {
                return Err(fault(key, "lists no value"));
            }
        }
        match self.closed.iter().find(|value| self.open.contains(value)) {
            Some(value) => Err(fault(
                "status.open",
                format!("lists `{value}`, which status.closed lists too"),
            )),
            None => Ok(()),
        }
    }
}

impl Kind {
    fn rule(&self) -> Result<KindRule, MappingError> {
        let read = |key: String, name: &str| {
            let problem = || format!("is `{name}`, not one of appeal, suggestion, hearing_request");
            CaseKind::parse(name).ok_or_else(|| fault(&key, problem()))
        };
        let values = self
            .values
            .iter()
            .map(|(value, name)| Ok((value.clone(), read(format!("kind.values.\"{value}\""), name)?)));
        Ok(KindRule {
            default: read("kind.default".to_owned(), &self.default)?,
            values: values.collect::<Result<_, _>>()?,
        })
    }
}

#[cfg(test)]
#[path = "mapping_tests.rs"]
mod tests;
