use crate::fold::{CaseRecord, CaseRow};
use chrono::{DateTime, Utc};
use onetrip_model::{
    AttachmentRef, CaseEvent, CaseFact, Channel, Private,
    case::{CaseSubmitted, Contact, Filed, PlaceDetail},
    clocks::Deadline,
};
use onetrip_runner::ProjectionError;
use serde::{Deserialize, Serialize};
use sqlx::{PgConnection, types::Json};
use uuid::Uuid;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct FileRow {
    pub contact: Option<Private<Contact>>,
    pub place_detail: Option<Private<PlaceDetail>>,
    pub words: Private<String>,
    pub attachments: Vec<AttachmentRef>,
    pub channel: Channel,
    pub source_system: Option<String>,
    pub source_id: Option<String>,
    pub previous_case: Option<Uuid>,
    pub contact_due: Option<Deadline>,
    pub legal_due: Option<Deadline>,
    pub resulted_at: Option<DateTime<Utc>>,
    pub closed_at: Option<DateTime<Utc>>,
    pub verdict: Option<String>,
    pub score: Option<i16>,
}

impl CaseRow for FileRow {
    const TABLE: &'static str = "case_files";

    fn begin(event: &CaseEvent, submitted: &CaseSubmitted) -> Self {
        FileRow {
            contact: submitted.contact.clone(),
            place_detail: submitted.place.detail.clone(),
            words: submitted.words.clone(),
            attachments: submitted.attachments.clone(),
            channel: event.channel,
            source_system: submitted.source.as_ref().map(|source| source.system.clone()),
            source_id: submitted.source.as_ref().map(|source| source.id.clone()),
            previous_case: submitted.previous.map(|case| case.0),
            contact_due: submitted.contact_due.clone(),
            legal_due: None,
            resulted_at: None,
            closed_at: None,
            verdict: None,
            score: None,
        }
    }

    fn fold(&mut self, event: &CaseEvent, _filed: &Filed) {
        match &event.fact {
            CaseFact::CaseAccepted { legal_due } => self.legal_due.clone_from(legal_due),
            CaseFact::ResultGiven { .. } => self.resulted_at = Some(event.at),
            CaseFact::ResultRated { verdict, score, .. } => {
                self.verdict = Some(verdict.as_str().to_owned());
                self.score = Some(i16::from(*score));
            }
            CaseFact::CaseReopened { .. } => {
                self.resulted_at = None;
                self.closed_at = None;
            }
            CaseFact::CaseClosed { .. } | CaseFact::CaseWithdrawn { .. } => self.closed_at = Some(event.at),
            _ => {}
        }
    }
}

pub(super) async fn write_timeline(
    connection: &mut PgConnection,
    records: &[CaseRecord],
) -> Result<(), ProjectionError> {
    let ids: Vec<Uuid> = records.iter().map(|record| record.case_id).collect();
    let sequences: Vec<i64> = records.iter().map(|record| record.sequence).collect();
    let ats: Vec<DateTime<Utc>> = records.iter().map(|record| record.event.at).collect();
    let recorded: Vec<DateTime<Utc>> = records.iter().map(|record| record.recorded_at).collect();
    let events: Vec<Json<&CaseEvent>> = records.iter().map(|record| Json(&record.event)).collect();
    sqlx::query(
        "INSERT INTO case_timeline (case_id, sequence, at, recorded_at, event)
         SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::timestamptz[], $4::timestamptz[], $5::jsonb[])
         ON CONFLICT DO NOTHING",
    )
    .bind(&ids)
    .bind(&sequences)
    .bind(&ats)
    .bind(&recorded)
    .bind(&events)
    .execute(connection)
    .await?;
    Ok(())
}
