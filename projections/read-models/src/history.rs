//! What has happened to cases, read from the log itself: no read model keeps a copy of it, nor of where it leads.

use crate::fold::{CASE, UPCASTERS};
use chrono::{DateTime, Utc};
use onetrip_event_log::{LoggedEvent, read_until};
use onetrip_model::{Case, CaseEvent, CaseFact, CaseId, case::CaseSubmitted};
use onetrip_runner::ProjectionError;
use sqlx::PgConnection;
use std::collections::HashMap;
use uuid::Uuid;

/// One event of a case; private parts sealed.
#[derive(Clone, Debug)]
pub struct TimelineEntry {
    pub sequence: u64,
    pub recorded_at: DateTime<Utc>,
    pub event: CaseEvent,
}

/// The events of a case from the first on.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// Oldest first.
    pub timeline: Vec<TimelineEntry>,
}

impl History {
    /// Where it has led.
    pub fn case(&self) -> Case {
        self.timeline
            .iter()
            .fold(Case::default(), |case, entry| case.evolve(&entry.event))
    }

    /// Whether it ends with the event of this sequence.
    pub(crate) fn reaches(&self, version: i64) -> bool {
        let last = self.timeline.last();
        last.is_some_and(|last| i64::try_from(last.sequence) == Ok(version))
    }

    /// How it began.
    pub fn submission(&self) -> Option<(&CaseEvent, &CaseSubmitted)> {
        let event = &self.timeline.first()?.event;
        match &event.fact {
            CaseFact::CaseSubmitted(submitted) => Some((event, submitted)),
            _ => None,
        }
    }
}

/// The histories of cases, each up to and with a version of its own.
pub async fn histories(
    connection: &mut PgConnection,
    wanted: &[(CaseId, u64)],
) -> Result<HashMap<CaseId, History>, sqlx::Error> {
    let wanted: Vec<(Uuid, i64)> = wanted
        .iter()
        .map(|(case, version)| (case.0, i64::try_from(*version).unwrap_or(i64::MAX)))
        .collect();
    let read = read(connection, &wanted).await.map_err(|error| match error {
        ProjectionError::Database(error) => error,
        error => sqlx::Error::Decode(Box::new(error)),
    })?;
    let histories = read.into_iter().map(|(case, history)| (CaseId(case), history));
    Ok(histories.collect())
}

/// The same for a read model, which parks the case whose history cannot be read.
pub(crate) async fn read(
    connection: &mut PgConnection,
    wanted: &[(Uuid, i64)],
) -> Result<HashMap<Uuid, History>, ProjectionError> {
    let mut histories: HashMap<Uuid, History> = HashMap::with_capacity(wanted.len());
    if wanted.is_empty() {
        return Ok(histories);
    }
    let wanted: Vec<(String, i64)> = wanted
        .iter()
        .map(|(case, until)| (case.to_string(), *until))
        .collect();
    for logged in read_until(connection, CASE, &wanted).await? {
        let (case, entry) = entry(&logged).map_err(|source| ProjectionError::Unreadable {
            aggregate_id: logged.aggregate_id.clone(),
            sequence: logged.sequence,
            source,
        })?;
        histories.entry(case).or_default().timeline.push(entry);
    }
    Ok(histories)
}

fn entry(logged: &LoggedEvent) -> Result<(Uuid, TimelineEntry), serde_json::Error> {
    let case = logged.aggregate_id.parse::<Uuid>();
    let case = case.map_err(serde::de::Error::custom)?;
    let entry = TimelineEntry {
        sequence: logged.sequence.unsigned_abs(),
        recorded_at: logged.recorded_at,
        event: logged.parse(CASE, &UPCASTERS)?,
    };
    Ok((case, entry))
}
