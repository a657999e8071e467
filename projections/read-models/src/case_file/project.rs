use crate::{fold::CaseRow, sheet::Sheet};
use onetrip_model::{
    CaseEvent,
    case::{CaseSubmitted, Filed},
};
use sqlx::postgres::PgRow;

/// A file's row is where the case stands and what it is found by; the rest is in its history.
pub(crate) struct FileFold;

impl CaseRow for FileFold {
    const NAME: &'static str = super::NAME;
    const VERSION: i32 = 6;
    const TABLE: &'static str = "case_files";
    const COLUMNS: &'static str = "";

    fn begin(_submitted: &CaseSubmitted) -> Self {
        FileFold
    }

    fn fold(&mut self, _event: &CaseEvent, _filed: &Filed) {}

    fn read(_row: &PgRow, _from: usize) -> Result<Self, sqlx::Error> {
        Ok(FileFold)
    }

    fn write_first(sheet: &mut Sheet, _event: &CaseEvent, submitted: &CaseSubmitted) {
        let source = submitted.source.as_ref();
        sheet
            .text("source_system", source.map(|source| source.system.clone()))
            .text("source_id", source.map(|source| source.id.clone()));
    }

    fn write(&self, _sheet: &mut Sheet) {}
}
