//! An export's rows in the words of the service, without a database: for measuring on them.

use crate::{
    error::ImportError,
    mapping::Mapping,
    reader,
    row::{ColumnError, Layout, Row},
};
use chrono::{DateTime, Utc};
use csv::ByteRecord;
use onetrip_model::{CaseKind, DivisionCode};
use std::{
    path::Path,
    sync::{Arc, atomic::AtomicU64},
};

/// A row that an import would take.
#[derive(Clone, Debug, PartialEq)]
pub struct Glance {
    /// The other system's own case number.
    pub source_id: String,
    pub kind: CaseKind,
    pub category: String,
    /// Of the neighbourhood, or of the whole city where none is told.
    pub division: DivisionCode,
    pub street: Option<String>,
    /// Latitude and longitude in degrees, WGS 84.
    pub point: Option<(f64, f64)>,
    pub words: String,
    /// By the unit itself, not by a resident.
    pub filed_by_unit: bool,
    pub opened_at: DateTime<Utc>,
    /// None while open.
    pub closed_at: Option<DateTime<Utc>>,
    /// The other system's own outcome; None while open.
    pub outcome: Option<String>,
    /// What the row has in the column asked for.
    pub extra: String,
}

/// Every good row of a file in the order of the file, each with the value of the column named `extra`; rows that an
/// import would reject by themselves are left out. Fails where the file cannot be read or has no such column.
pub fn glance(mapping: &Mapping, file: &Path, extra: &str) -> Result<Vec<Glance>, ImportError> {
    let mut reader = reader::open(file, mapping, Arc::new(AtomicU64::new(0)))?;
    let fault = |source| ImportError::Csv {
        path: file.to_owned(),
        source,
    };
    let no_column = |source| ImportError::Column {
        path: file.to_owned(),
        source,
    };
    let header = reader.byte_headers().map_err(fault)?.clone();
    let layout = Layout::of(mapping.columns(), &header).map_err(no_column)?;
    let place = header.iter().position(|name| name == extra.as_bytes());
    let place = place.ok_or_else(|| {
        no_column(ColumnError {
            key: "extra",
            column: extra.to_owned(),
            count: 0,
        })
    })?;
    let mut rows = Vec::new();
    let mut record = ByteRecord::new();
    while reader.read_byte_record(&mut record).map_err(fault)? {
        if let Ok(row) = layout.read(mapping, &record) {
            let extra = String::from_utf8_lossy(record.get(place).unwrap_or_default());
            rows.push(Glance::of(mapping, row, extra.trim().to_owned()));
        }
    }
    Ok(rows)
}

impl Glance {
    fn of(mapping: &Mapping, row: Row, extra: String) -> Glance {
        let (closed_at, outcome) = row.closing.map(|closing| (closing.at, closing.outcome)).unzip();
        Glance {
            source_id: row.source_id,
            kind: row.kind,
            category: row.category,
            division: row
                .place
                .map_or_else(|| DivisionCode::from(mapping.system()), |place| place.code),
            street: row.street,
            point: row.point,
            words: row.words,
            filed_by_unit: row.filed_by_unit,
            opened_at: row.opened_at,
            closed_at,
            outcome,
            extra,
        }
    }
}
