use crate::{
    fold::{CaseRecord, CaseRow, json},
    sheet::Sheet,
};
use chrono::{DateTime, Utc};
use onetrip_model::{
    CaseEvent, CaseFact,
    case::{CaseSubmitted, Filed, ReviewDecision},
};
use sqlx::{Row, postgres::PgRow};

/// What stays to be folded of a file; the rest is written once.
pub(super) struct FileFold {
    resulted_at: Option<DateTime<Utc>>,
    closed_at: Option<DateTime<Utc>>,
    verdict: Option<String>,
    score: Option<i16>,
}

impl CaseRow for FileFold {
    const TABLE: &'static str = "case_files";
    const COLUMNS: &'static str = "resulted_at, closed_at, verdict, score";

    fn begin(_event: &CaseEvent, _submitted: &CaseSubmitted) -> Self {
        FileFold {
            resulted_at: None,
            closed_at: None,
            verdict: None,
            score: None,
        }
    }

    fn fold(&mut self, event: &CaseEvent, _filed: &Filed) {
        match &event.fact {
            CaseFact::ResultGiven { .. } => self.resulted_at = Some(event.at),
            CaseFact::ResultRated { verdict, score, .. } => {
                self.verdict = Some(verdict.as_str().to_owned());
                self.score = Some(i16::from(*score));
            }
            CaseFact::CaseReopened { .. }
            | CaseFact::ReviewDecided {
                decision: ReviewDecision::SentBack,
                ..
            } => {
                self.resulted_at = None;
                self.closed_at = None;
            }
            CaseFact::ReviewAsked { .. } => self.closed_at = None,
            CaseFact::CaseClosed { .. } | CaseFact::CaseWithdrawn { .. } => self.closed_at = Some(event.at),
            _ => {}
        }
    }

    fn read(row: &PgRow, from: usize) -> Result<Self, sqlx::Error> {
        Ok(FileFold {
            resulted_at: row.try_get(from)?,
            closed_at: row.try_get(from + 1)?,
            verdict: row.try_get(from + 2)?,
            score: row.try_get(from + 3)?,
        })
    }

    fn write_first(
        sheet: &mut Sheet,
        event: &CaseEvent,
        submitted: &CaseSubmitted,
    ) -> Result<(), serde_json::Error> {
        let source = submitted.source.as_ref();
        sheet
            .json("contact", json(submitted.contact.as_ref())?)
            .json("place_detail", json(submitted.place.detail.as_ref())?)
            .json("words", json(Some(&submitted.words))?)
            .json("attachments", json(Some(&submitted.attachments))?)
            .text(
                "channel",
                serde_json::to_value(event.channel)?.as_str().map(str::to_owned),
            )
            .text("source_system", source.map(|source| source.system.clone()))
            .text("source_id", source.map(|source| source.id.clone()))
            .uuid("previous_case", submitted.previous.map(|case| case.0));
        Ok(())
    }

    fn write(&self, sheet: &mut Sheet) -> Result<(), serde_json::Error> {
        sheet
            .instant("resulted_at", self.resulted_at)
            .instant("closed_at", self.closed_at)
            .text("verdict", self.verdict.clone())
            .short("score", self.score);
        Ok(())
    }
}

/// A line of the timeline for each event.
pub(super) fn timeline(records: &[CaseRecord<'_>]) -> Result<Sheet, serde_json::Error> {
    let mut sheet = Sheet::default();
    for record in records {
        sheet
            .uuid("case_id", Some(record.case_id))
            .long("sequence", record.sequence)
            .instant("at", Some(record.event.at))
            .instant("recorded_at", Some(record.recorded_at))
            .json("event", Some(record.json()?))
            .end_row();
    }
    Ok(sheet)
}
