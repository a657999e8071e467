//! Where a case stands, folded once for every read model that has a row a case.

use chrono::{DateTime, Utc};
use cqrs_es::{Aggregate, persist::EventUpcaster};
use onetrip_event_log::LoggedEvent;
use onetrip_model::{
    Case, CaseEvent, CaseFact,
    case::{CaseSubmitted, Filed},
};
use onetrip_runner::ProjectionError;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;
use sqlx::PgConnection;
use std::{collections::HashMap, sync::LazyLock};
use uuid::Uuid;

/// The columns with which every read model's row starts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Standing {
    pub number: String,
    pub kind: String,
    pub category: String,
    pub division: String,
    pub contact_district: Option<String>,
    pub contact_cadre: Option<Uuid>,
    /// The unit that answers for it now; the last one, once it has ended.
    pub unit: Option<String>,
    pub offered_to: Option<String>,
    pub stage: String,
    pub with_supervisor: bool,
}

impl Standing {
    fn of(filed: &Filed, last_unit: Option<String>) -> Standing {
        let relation = filed.relation();
        Standing {
            number: filed.number.digits().to_owned(),
            kind: filed.kind.as_str().to_owned(),
            category: filed.category.clone(),
            division: relation.division.0,
            contact_district: relation.contact_district.map(|district| district.0),
            contact_cadre: relation.contact_cadre.map(|cadre| cadre.0),
            unit: relation.unit.map(|unit| unit.0).or(last_unit),
            offered_to: relation.offered_to.map(|unit| unit.0),
            stage: filed.stage.name().to_owned(),
            with_supervisor: relation.with_supervisor,
        }
    }
}

/// What a read model adds to the standing.
pub(crate) trait CaseRow: Clone + Serialize + DeserializeOwned + Send + Sync {
    const TABLE: &'static str;

    fn begin(event: &CaseEvent, submitted: &CaseSubmitted) -> Self;

    /// `filed` is the case after the event. Also called for the submission itself.
    fn fold(&mut self, event: &CaseEvent, filed: &Filed);
}

/// A row as it lies in its table.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Stored<R> {
    pub case_id: Uuid,
    pub version: i64,
    pub state: Case,
    #[serde(flatten)]
    pub standing: Standing,
    pub submitted_at: DateTime<Utc>,
    #[serde(flatten)]
    pub row: R,
}

/// A logged event, read as what it says.
pub(crate) struct CaseRecord {
    pub case_id: Uuid,
    pub sequence: i64,
    pub recorded_at: DateTime<Utc>,
    pub event: CaseEvent,
}

static UPCASTERS: LazyLock<Vec<Box<dyn EventUpcaster>>> = LazyLock::new(onetrip_model::case::upcasters);

pub(crate) fn read_events(page: &[LoggedEvent]) -> Result<Vec<CaseRecord>, ProjectionError> {
    page.iter()
        .map(|logged| {
            let unreadable = |source| ProjectionError::Unreadable {
                aggregate_id: logged.aggregate_id.clone(),
                sequence: logged.sequence,
                source,
            };
            let id = Value::String(logged.aggregate_id.clone());
            Ok(CaseRecord {
                case_id: serde_json::from_value(id).map_err(unreadable)?,
                sequence: logged.sequence,
                recorded_at: logged.recorded_at,
                event: logged.read(Case::TYPE, &UPCASTERS).map_err(unreadable)?,
            })
        })
        .collect()
}

/// Folds a page into the rows of `R` and writes the changed ones. Events that a row has seen change nothing.
pub(crate) async fn apply_rows<R: CaseRow>(
    connection: &mut PgConnection,
    records: &[CaseRecord],
) -> Result<(), ProjectionError> {
    let mut ids: Vec<Uuid> = records.iter().map(|record| record.case_id).collect();
    ids.sort_unstable();
    ids.dedup();
    let mut rows: HashMap<Uuid, Stored<R>> = load::<R>(connection, &ids).await?;
    let mut changed: Vec<Uuid> = Vec::new();
    for record in records {
        if fold_one(&mut rows, record) {
            changed.push(record.case_id);
        }
    }
    changed.sort_unstable();
    changed.dedup();
    let changed: Vec<&Stored<R>> = changed.iter().filter_map(|id| rows.get(id)).collect();
    upsert(connection, R::TABLE, &changed).await
}

/// Whether the event changed its row.
fn fold_one<R: CaseRow>(rows: &mut HashMap<Uuid, Stored<R>>, record: &CaseRecord) -> bool {
    let event = &record.event;
    match (rows.get_mut(&record.case_id), &event.fact) {
        (Some(stored), _) if record.sequence <= stored.version => false,
        (Some(stored), _) => {
            let last_unit = stored.standing.unit.take();
            stored.version = record.sequence;
            stored.state = std::mem::take(&mut stored.state).evolve(event);
            if let Case::Filed(filed) = &stored.state {
                stored.standing = Standing::of(filed, last_unit);
                stored.row.fold(event, filed);
            }
            true
        }
        (None, CaseFact::CaseSubmitted(submitted)) => {
            let state = Case::default().evolve(event);
            let Case::Filed(filed) = &state else { return false };
            let mut row = R::begin(event, submitted);
            row.fold(event, filed);
            let standing = Standing::of(filed, None);
            let stored = Stored {
                case_id: record.case_id,
                version: record.sequence,
                standing,
                submitted_at: event.at,
                row,
                state,
            };
            rows.insert(record.case_id, stored);
            true
        }
        (None, _) => {
            tracing::warn!(case.id = %record.case_id, "an event of a case without a submission was left out");
            false
        }
    }
}

async fn load<R: CaseRow>(
    connection: &mut PgConnection,
    ids: &[Uuid],
) -> Result<HashMap<Uuid, Stored<R>>, ProjectionError> {
    let sql = format!(
        "SELECT to_jsonb(t) FROM {} t JOIN unnest($1::uuid[]) AS wanted (id) ON case_id = id",
        R::TABLE
    );
    let rows: Vec<Value> = sqlx::query_scalar(&sql).bind(ids).fetch_all(connection).await?;
    rows.into_iter()
        .map(|row| {
            let stored: Stored<R> = serde_json::from_value(row)?;
            Ok((stored.case_id, stored))
        })
        .collect()
}

async fn upsert<T: Serialize>(
    connection: &mut PgConnection,
    table: &str,
    rows: &[&T],
) -> Result<(), ProjectionError> {
    let Some(first) = rows.first() else { return Ok(()) };
    let Value::Object(fields) = serde_json::to_value(first)? else {
        return Ok(());
    };
    let columns = fields.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
    let sql = format!(
        "INSERT INTO {table} ({columns})
         SELECT {columns} FROM jsonb_populate_recordset(NULL::{table}, $1)
         ON CONFLICT (case_id) DO UPDATE SET ({columns}) = (SELECT {excluded})",
        excluded = fields
            .keys()
            .map(|column| format!("excluded.{column}"))
            .collect::<Vec<_>>()
            .join(", "),
    );
    sqlx::query(&sql)
        .bind(sqlx::types::Json(rows))
        .execute(connection)
        .await?;
    Ok(())
}

/// A due instant as the tables keep it: `infinity` where nothing is due, so that an order by it is total.
pub(crate) mod due {
    use chrono::{DateTime, Utc};
    use serde::{Deserialize, Deserializer, Serializer};

    const NEVER: &str = "infinity";

    pub fn serialize<S: Serializer>(due: &Option<DateTime<Utc>>, serializer: S) -> Result<S::Ok, S::Error> {
        match due {
            Some(at) => serializer.collect_str(&at.to_rfc3339()),
            None => serializer.serialize_str(NEVER),
        }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<DateTime<Utc>>, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text == NEVER {
            return Ok(None);
        }
        text.parse().map(Some).map_err(serde::de::Error::custom)
    }
}
