//! One row of the file as a case to be, or the reason why it cannot be one.

use crate::{
    mapping::{Columns, Mapping},
    words::{division_code, slug, unit_code},
};
use chrono::{DateTime, Utc};
use csv::ByteRecord;
use onetrip_model::{CaseKind, DivisionCode, Refusal, UnitCode};
use std::fmt;

/// Why a row is not imported. Its text is what the rejects file and the summary say, so it names no value of the row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reject {
    Fields {
        found: usize,
        expected: usize,
    },
    NotUtf8,
    /// A column that has to be filled in, by its key in the mapping.
    Empty(&'static str),
    NotATime(&'static str),
    NotANumber(&'static str),
    OutOfRange {
        key: &'static str,
        limit: i32,
    },
    /// One of latitude and longitude is there without the other.
    HalfAPoint,
    NoLetterOrDigit(&'static str),
    UnknownStatus,
    ClosedWithoutTime,
    OpenWithClosingTime,
    ClosedBeforeOpened,
    /// Later than the instant until which the export watched.
    AfterAsOf(&'static str),
    IdTwice,
    /// A rule of the service says no.
    Refused(Refusal),
}

impl fmt::Display for Reject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reject::Fields { found, expected } => write!(f, "row has {found} fields, {expected} expected"),
            Reject::NotUtf8 => f.write_str("row is not UTF-8"),
            Reject::Empty(key) => write!(f, "{key} is empty"),
            Reject::NotATime(key) => write!(f, "{key}: not a time"),
            Reject::NotANumber(key) => write!(f, "{key}: not a number"),
            Reject::OutOfRange { key, limit } => write!(f, "{key}: not between -{limit} and {limit}"),
            Reject::HalfAPoint => f.write_str("latitude and longitude: one without the other"),
            Reject::NoLetterOrDigit(key) => write!(f, "{key}: no letter or digit"),
            Reject::UnknownStatus => f.write_str("status: not one of the mapping"),
            Reject::ClosedWithoutTime => f.write_str("closed without a closing time"),
            Reject::OpenWithClosingTime => f.write_str("open with a closing time"),
            Reject::ClosedBeforeOpened => f.write_str("closed before opened"),
            Reject::AfterAsOf(key) => write!(f, "{key} after the as_of of the mapping"),
            Reject::IdTwice => f.write_str("id occurs before in this file"),
            Reject::Refused(refusal) => write!(f, "refused: {refusal}"),
        }
    }
}

/// A row in the words of the service.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Row {
    pub source_id: String,
    pub kind: CaseKind,
    pub category: String,
    pub words: String,
    pub place: Option<Named<DivisionCode>>,
    pub street: Option<String>,
    /// Latitude and longitude in degrees.
    pub point: Option<(f64, f64)>,
    pub unit: Named<UnitCode>,
    pub filed_by_unit: bool,
    pub opened_at: DateTime<Utc>,
    pub target_at: Option<DateTime<Utc>>,
    pub closing: Option<Closing>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Closing {
    pub at: DateTime<Utc>,
    pub outcome: String,
}

/// A code made from a value of the export, with that value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Named<C> {
    pub code: C,
    pub value: String,
}

/// Where in a row each column stands.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    fields: usize,
    id: usize,
    opened: usize,
    closed: usize,
    target: Option<usize>,
    words: Vec<usize>,
    category: Option<usize>,
    unit: usize,
    place: Option<usize>,
    street: Option<usize>,
    latitude: Option<usize>,
    longitude: Option<usize>,
    status: Option<usize>,
    outcome: Option<usize>,
    channel: Option<usize>,
    kind: Option<usize>,
}

/// A column of the mapping that the file does not have, or has twice.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{key}`: the file has {count} columns named `{column}`, one is needed")]
pub struct ColumnError {
    pub key: &'static str,
    pub column: String,
    pub count: usize,
}

impl Layout {
    pub fn of(columns: &Columns, header: &ByteRecord) -> Result<Layout, ColumnError> {
        let find = |key: &'static str, column: &str| {
            let mut places = header
                .iter()
                .enumerate()
                .filter(|(_, name)| *name == column.as_bytes());
            match (places.next(), places.count()) {
                (Some((place, _)), 0) => Ok(place),
                (first, more) => {
                    let count = more + usize::from(first.is_some());
                    Err(ColumnError {
                        key,
                        column: column.to_owned(),
                        count,
                    })
                }
            }
        };
        let maybe =
            |key, column: &Option<String>| column.as_deref().map(|column| find(key, column)).transpose();
        Ok(Layout {
            fields: header.len(),
            id: find("columns.id", &columns.id)?,
            opened: find("columns.opened", &columns.opened)?,
            closed: find("columns.closed", &columns.closed)?,
            target: maybe("columns.target", &columns.target)?,
            words: columns
                .words
                .iter()
                .map(|column| find("columns.words", column))
                .collect::<Result<_, _>>()?,
            category: maybe("columns.category", &columns.category)?,
            unit: find("columns.unit", &columns.unit)?,
            place: maybe("columns.place", &columns.place)?,
            street: maybe("columns.street", &columns.street)?,
            latitude: maybe("columns.latitude", &columns.latitude)?,
            longitude: maybe("columns.longitude", &columns.longitude)?,
            status: maybe("columns.status", &columns.status)?,
            outcome: maybe("columns.outcome", &columns.outcome)?,
            channel: maybe("columns.channel", &columns.channel)?,
            kind: maybe("columns.kind", &columns.kind)?,
        })
    }

    /// Where the id stands.
    pub fn id(&self) -> usize {
        self.id
    }

    /// Reads a row by the mapping. The first thing found wrong is the reason.
    pub fn read(&self, mapping: &Mapping, record: &ByteRecord) -> Result<Row, Reject> {
        if record.len() != self.fields {
            return Err(Reject::Fields {
                found: record.len(),
                expected: self.fields,
            });
        }
        let fields = record
            .iter()
            .map(std::str::from_utf8)
            .collect::<Result<Vec<_>, _>>();
        let fields = Fields(fields.map_err(|_| Reject::NotUtf8)?);
        let source_id = fields.filled("id", self.id)?;
        let time = |key, place| fields.time(mapping, key, place);
        let opened_at = time("opened", Some(self.opened))?.ok_or(Reject::Empty("opened"))?;
        let closed_at = time("closed", Some(self.closed))?;
        let target_at = time("target", self.target)?;
        let closed_at = match self.status.map(|place| mapping.is_closed(fields.at(place))) {
            Some(None) => return Err(Reject::UnknownStatus),
            Some(Some(true)) if closed_at.is_none() => return Err(Reject::ClosedWithoutTime),
            Some(Some(false)) if closed_at.is_some() => return Err(Reject::OpenWithClosingTime),
            _ => closed_at,
        };
        if closed_at.is_some_and(|closed_at| closed_at < opened_at) {
            return Err(Reject::ClosedBeforeOpened);
        }
        if opened_at > mapping.as_of() {
            return Err(Reject::AfterAsOf("opened"));
        }
        if closed_at.is_some_and(|closed_at| closed_at > mapping.as_of()) {
            return Err(Reject::AfterAsOf("closed"));
        }
        let unit = match (fields.at(self.unit), mapping.default_unit()) {
            ("", None) => return Err(Reject::Empty("unit")),
            ("", Some(default)) => default,
            (value, _) => value,
        };
        let words = self
            .words
            .iter()
            .map(|place| fields.at(*place))
            .find(|words| !words.is_empty());
        let outcome = fields
            .maybe(self.outcome)
            .unwrap_or_else(|| mapping.default_outcome());
        let system = mapping.system();
        Ok(Row {
            source_id: source_id.to_owned(),
            kind: mapping.kind_of(fields.maybe(self.kind).unwrap_or_default()),
            category: mapping
                .category_of(fields.maybe(self.category).unwrap_or_default())
                .to_owned(),
            words: words
                .or(mapping.default_words())
                .ok_or(Reject::Empty("words"))?
                .to_owned(),
            place: fields
                .maybe(self.place)
                .map(|value| named("place", value, |slug| division_code(system, slug)))
                .transpose()?,
            street: fields.maybe(self.street).map(str::to_owned),
            point: fields.point(self.latitude, self.longitude)?,
            unit: named("unit", unit, |slug| unit_code(system, slug))?,
            filed_by_unit: mapping.is_filed_by_unit(fields.maybe(self.channel).unwrap_or_default()),
            opened_at,
            target_at,
            closing: closed_at.map(|at| Closing {
                at,
                outcome: outcome.to_owned(),
            }),
        })
    }
}

fn named<C>(key: &'static str, value: &str, code: impl Fn(&str) -> C) -> Result<Named<C>, Reject> {
    match slug(value) {
        slug if slug.is_empty() => Err(Reject::NoLetterOrDigit(key)),
        slug => Ok(Named {
            code: code(&slug),
            value: value.to_owned(),
        }),
    }
}

/// The fields of a row, as text without white space around it.
struct Fields<'a>(Vec<&'a str>);

impl<'a> Fields<'a> {
    fn at(&self, place: usize) -> &'a str {
        self.0.get(place).copied().unwrap_or_default().trim()
    }

    /// None where there is no such column or it is empty.
    fn maybe(&self, place: Option<usize>) -> Option<&'a str> {
        place.map(|place| self.at(place)).filter(|text| !text.is_empty())
    }

    fn filled(&self, key: &'static str, place: usize) -> Result<&'a str, Reject> {
        self.maybe(Some(place)).ok_or(Reject::Empty(key))
    }

    fn time(
        &self,
        mapping: &Mapping,
        key: &'static str,
        place: Option<usize>,
    ) -> Result<Option<DateTime<Utc>>, Reject> {
        let Some(text) = self.maybe(place) else {
            return Ok(None);
        };
        mapping.times().parse(text).map(Some).ok_or(Reject::NotATime(key))
    }

    fn degrees(&self, key: &'static str, place: Option<usize>, limit: i32) -> Result<Option<f64>, Reject> {
        let Some(text) = self.maybe(place) else {
            return Ok(None);
        };
        let degrees: f64 = text.parse().map_err(|_| Reject::NotANumber(key))?;
        if !degrees.is_finite() || degrees.abs() > f64::from(limit) {
            return Err(Reject::OutOfRange { key, limit });
        }
        Ok(Some(degrees))
    }

    fn point(&self, latitude: Option<usize>, longitude: Option<usize>) -> Result<Option<(f64, f64)>, Reject> {
        match (
            self.degrees("latitude", latitude, 90)?,
            self.degrees("longitude", longitude, 180)?,
        ) {
            (Some(latitude), Some(longitude)) => Ok(Some((latitude, longitude))),
            (None, None) => Ok(None),
            _ => Err(Reject::HalfAPoint),
        }
    }
}

#[cfg(test)]
#[path = "row_tests.rs"]
mod tests;
