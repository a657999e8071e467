//! Where a case stands, folded in one way for every read model that has a row a case.

use crate::{history, sheet::Sheet};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use cqrs_es::{Aggregate, persist::EventUpcaster};
use onetrip_event_log::LoggedEvent;
use onetrip_model::{
    Case, CaseEvent, CaseFact, UnitCode,
    case::{CaseSubmitted, Filed},
};
use onetrip_runner::{Projection, ProjectionError};
use quick_cache::{
    DefaultHashBuilder, OptionsBuilder, UnitWeighter,
    sync::{Cache, DefaultLifecycle},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use sqlx::{PgConnection, Row, postgres::PgRow};
use std::{
    collections::HashMap,
    marker::PhantomData,
    sync::{Arc, LazyLock},
};
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
    /// Units that do it together with that one, with spaces between.
    pub joint_units: Option<String>,
    pub stage: String,
    pub with_supervisor: bool,
}

impl Standing {
    fn of(filed: &Filed) -> Standing {
        let relation = filed.relation();
        Standing {
            number: filed.number.digits().to_owned(),
            kind: filed.kind.as_str().to_owned(),
            category: filed.category.clone(),
            division: relation.division.0,
            contact_district: relation.contact_district.map(|district| district.0),
            contact_cadre: relation.contact_cadre.map(|cadre| cadre.0),
            unit: relation.unit.map(|unit| unit.0),
            offered_to: relation.offered_to.map(|unit| unit.0),
            joint_units: joint_units(&relation.joint_units),
            stage: filed.stage.name().to_owned(),
            with_supervisor: relation.with_supervisor,
        }
    }
}

fn joint_units(units: &[UnitCode]) -> Option<String> {
    let codes: Vec<&str> = units.iter().map(UnitCode::as_str).collect();
    (!codes.is_empty()).then(|| codes.join(" "))
}

/// What a read model adds to the standing, as far as folding goes on with it.
pub(crate) trait CaseRow: Sized + Send + Sync + 'static {
    /// Of the read model.
    const NAME: &'static str;

    /// Counted up when the shape or the fold changes.
    const VERSION: i32;

    const TABLE: &'static str;

    const TABLES: &'static [&'static str] = &[Self::TABLE];

    /// The columns of [`CaseRow::read`], as SQL.
    const COLUMNS: &'static str;

    fn begin(submitted: &CaseSubmitted) -> Self;

    /// `filed` is the case after the event. Also called for the submission itself.
    fn fold(&mut self, event: &CaseEvent, filed: &Filed);

    /// From a row that has [`CaseRow::COLUMNS`] from column `from` on.
    fn read(row: &PgRow, from: usize) -> Result<Self, sqlx::Error>;

    /// What is written once, when the case is filed.
    fn write_first(sheet: &mut Sheet, event: &CaseEvent, submitted: &CaseSubmitted);

    fn write(&self, sheet: &mut Sheet);
}

/// A row as it lies in its table, for who shows it.
#[derive(Debug, Deserialize)]
pub(crate) struct Stored<R> {
    pub case_id: Uuid,
    pub version: i64,
    #[serde(flatten)]
    pub standing: Standing,
    pub submitted_at: DateTime<Utc>,
    #[serde(flatten)]
    pub row: R,
}

impl<R: DeserializeOwned> Stored<R> {
    /// From `row_to_json(t)::text`.
    pub fn from_json(row: &str) -> Result<Stored<R>, sqlx::Error> {
        serde_json::from_str(row).map_err(|error| sqlx::Error::Decode(Box::new(error)))
    }
}

/// A read model that has a row of `R` a case.
pub(crate) struct CaseRows<R> {
    recent: Recent,
    rows: PhantomData<R>,
}

impl<R> CaseRows<R> {
    /// That remembers at most so many cases.
    pub fn remembering(cases: usize) -> Self {
        CaseRows {
            recent: Recent::of(cases),
            rows: PhantomData,
        }
    }
}

#[async_trait]
impl<R: CaseRow> Projection for CaseRows<R> {
    fn name(&self) -> &'static str {
        R::NAME
    }

    fn version(&self) -> i32 {
        R::VERSION
    }

    fn aggregate_type(&self) -> &'static str {
        CASE
    }

    fn tables(&self) -> &'static [&'static str] {
        R::TABLES
    }

    async fn apply(
        &self,
        connection: &mut PgConnection,
        page: &[LoggedEvent],
    ) -> Result<(), ProjectionError> {
        apply_rows::<R>(connection, &self.recent, &read_events(page)?).await
    }

    /// Takes the JSON of the page apart before its turn comes; what cannot be read is found out then.
    fn warm(&self, page: &[LoggedEvent]) {
        for logged in page {
            let _ = logged.read::<CaseEvent>(CASE, &UPCASTERS);
        }
    }

    fn fills(&self) -> bool {
        true
    }

    async fn fill(
        &self,
        connection: &mut PgConnection,
        histories: &[LoggedEvent],
    ) -> Result<(), ProjectionError> {
        fill_rows::<R>(connection, &read_events(histories)?).await
    }
}

/// A row under the fold.
struct Folding<'a, R> {
    version: i64,
    /// The case at that version.
    case: Case,
    row: R,
    /// The submission, of a row that is not in the table yet.
    first: Option<(&'a CaseEvent, &'a CaseSubmitted)>,
    is_changed: bool,
}

/// The cases that a read model has folded last, each with the version it is at, so that going on with one need not read its
/// history. No row keeps the folded case, and nothing here has to be right: a row whose version is another one has its case
/// folded from the log.
struct Recent(Cache<Uuid, (i64, Case)>);

impl Recent {
    fn of(cases: usize) -> Recent {
        let options = OptionsBuilder::new()
            .estimated_items_capacity(cases)
            .weight_capacity(cases.try_into().unwrap_or(u64::MAX))
            // The oldest goes first: who is taken out and put back never counts as asked for again.
            .hot_allocation(0.0)
            .build();
        let cache = options.map(|options| {
            let (hashing, lifecycle) = (DefaultHashBuilder::default(), DefaultLifecycle::default());
            Cache::with_options(options, UnitWeighter, hashing, lifecycle)
        });
        // Every option is given.
        Recent(cache.unwrap_or_else(|_| Cache::new(cases)))
    }

    /// Takes out the case, if it is known at this version.
    fn take(&self, id: Uuid, version: i64) -> Option<Case> {
        let (_, (known, case)) = self.0.remove(&id)?;
        (known == version).then_some(case)
    }

    fn keep(&self, id: Uuid, version: i64, case: Case) {
        self.0.insert(id, (version, case));
    }
}

/// A logged event, read as what it says.
pub(crate) struct CaseRecord {
    pub case_id: Uuid,
    pub sequence: i64,
    pub event: Arc<CaseEvent>,
}

/// The aggregate that all read models follow.
pub(crate) const CASE: &str = Case::TYPE;

pub(crate) static UPCASTERS: LazyLock<Vec<Box<dyn EventUpcaster>>> =
    LazyLock::new(onetrip_model::case::upcasters);

pub(crate) fn read_events(page: &[LoggedEvent]) -> Result<Vec<CaseRecord>, ProjectionError> {
    page.iter()
        .map(|logged| {
            let unreadable = |source| ProjectionError::Unreadable {
                aggregate_id: logged.aggregate_id.clone(),
                sequence: logged.sequence,
                source,
            };
            let case_id = logged.aggregate_id.parse();
            Ok(CaseRecord {
                case_id: case_id.map_err(|error| unreadable(serde::de::Error::custom(error)))?,
                sequence: logged.sequence,
                event: logged.read(CASE, &UPCASTERS).map_err(unreadable)?,
            })
        })
        .collect()
}

/// Folds a page into the rows of `R` and writes the changed ones. Events that a row has seen change nothing.
async fn apply_rows<R: CaseRow>(
    connection: &mut PgConnection,
    recent: &Recent,
    records: &[CaseRecord],
) -> Result<(), ProjectionError> {
    let mut ids: Vec<Uuid> = records.iter().map(|record| record.case_id).collect();
    ids.sort_unstable();
    ids.dedup();
    let mut rows: HashMap<Uuid, Folding<'_, R>> = load::<R>(connection, recent, &ids).await?;
    for record in records {
        fold_one(&mut rows, record);
    }
    let (mut new, mut old) = (Sheet::default(), Sheet::default());
    // In the order of their keys, so that neighbours are written together.
    for id in &ids {
        let Some(row) = rows.get(id).filter(|row| row.is_changed) else {
            continue;
        };
        let sheet = if row.first.is_some() { &mut new } else { &mut old };
        row.write(*id, sheet);
    }
    new.insert(connection, R::TABLE).await?;
    old.update(connection, R::TABLE).await?;
    for (id, row) in rows {
        recent.keep(id, row.version, row.case);
    }
    Ok(())
}

/// Appends the rows of whole histories to an empty table.
async fn fill_rows<R: CaseRow>(
    connection: &mut PgConnection,
    records: &[CaseRecord],
) -> Result<(), ProjectionError> {
    let mut sheet = Sheet::default();
    for history in records.chunk_by(|one, other| one.case_id == other.case_id) {
        let mut rows: HashMap<Uuid, Folding<'_, R>> = HashMap::new();
        for record in history {
            fold_one(&mut rows, record);
        }
        for (id, row) in &rows {
            row.write(*id, &mut sheet);
        }
    }
    sheet.copy(connection, R::TABLE).await?;
    Ok(())
}

fn fold_one<'a, R: CaseRow>(rows: &mut HashMap<Uuid, Folding<'a, R>>, record: &'a CaseRecord) {
    let event = &*record.event;
    match (rows.get_mut(&record.case_id), &event.fact) {
        (Some(row), _) if record.sequence <= row.version => {}
        (Some(row), _) => {
            row.version = record.sequence;
            row.is_changed = true;
            row.case = std::mem::take(&mut row.case).evolve(event);
            if let Case::Filed(filed) = &row.case {
                row.row.fold(event, filed);
            }
        }
        (None, CaseFact::CaseSubmitted(submitted)) => {
            let case = Case::default().evolve(event);
            let Case::Filed(filed) = &case else { return };
            let mut row = R::begin(submitted);
            row.fold(event, filed);
            let row = Folding {
                version: record.sequence,
                row,
                first: Some((event, submitted)),
                is_changed: true,
                case,
            };
            rows.insert(record.case_id, row);
        }
        (None, _) => {
            tracing::warn!(case.id = %record.case_id, "an event of a case without a submission was left out");
        }
    }
}

impl<R: CaseRow> Folding<'_, R> {
    fn write(&self, case: Uuid, sheet: &mut Sheet) {
        let Case::Filed(filed) = &self.case else {
            return;
        };
        let standing = Standing::of(filed);
        sheet
            .uuid("case_id", Some(case))
            .long("version", self.version)
            .uuid("contact_cadre", standing.contact_cadre)
            .text("unit", standing.unit)
            .text("offered_to", standing.offered_to)
            .text("joint_units", standing.joint_units)
            .text("stage", Some(standing.stage))
            .bool("with_supervisor", standing.with_supervisor);
        self.row.write(sheet);
        if let Some((event, submitted)) = self.first {
            sheet
                .text("number", Some(standing.number))
                .text("kind", Some(standing.kind))
                .text("category", Some(standing.category))
                .text("division", Some(standing.division))
                .text("contact_district", standing.contact_district)
                .instant("submitted_at", Some(event.at));
            R::write_first(sheet, event, submitted);
        }
        sheet.end_row();
    }
}

async fn load<'a, R: CaseRow>(
    connection: &mut PgConnection,
    recent: &Recent,
    ids: &[Uuid],
) -> Result<HashMap<Uuid, Folding<'a, R>>, ProjectionError> {
    const FROM: usize = 2;
    let comma = if R::COLUMNS.is_empty() { "" } else { ", " };
    let sql = format!(
        "SELECT case_id, version{comma}{} FROM {} JOIN unnest($1::uuid[]) AS wanted (id) ON case_id = id",
        R::COLUMNS,
        R::TABLE
    );
    let rows = sqlx::query(&sql).bind(ids).fetch_all(&mut *connection).await?;
    let (mut known, mut unknown) = (HashMap::with_capacity(ids.len()), Vec::new());
    for row in &rows {
        let (id, version): (Uuid, i64) = (row.try_get(0)?, row.try_get(1)?);
        let case = recent.take(id, version).unwrap_or_else(|| {
            unknown.push((id, version));
            Case::default()
        });
        let folding = Folding {
            version,
            case,
            row: R::read(row, FROM)?,
            first: None,
            is_changed: false,
        };
        known.insert(id, folding);
    }
    let histories = history::read(connection, &unknown).await?;
    for (id, version) in unknown {
        let history = histories
            .get(&id)
            .filter(|history| history.reaches(version))
            .ok_or_else(|| ProjectionError::Unreadable {
                aggregate_id: id.to_string(),
                sequence: version,
                source: serde::de::Error::custom("the log has less of the case than its row"),
            })?;
        if let Some(row) = known.get_mut(&id) {
            row.case = history.case();
        }
    }
    Ok(known)
}

/// A due instant as the tables keep it: `infinity` where nothing is due, so that an order by it is total.
pub(crate) mod due {
    use chrono::{DateTime, Utc};
    use serde::{Deserialize, Deserializer};

    const NEVER: &str = "infinity";

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

#[cfg(test)]
mod tests {
    use super::*;

    /// As the fold does it: taken out, changed, put back.
    #[test]
    fn the_cases_folded_last_are_known_however_many_came_before() {
        const CASES: u128 = 512;
        let recent = Recent::of(CASES as usize);
        let go_on = |case: u128, version: i64| {
            let id = Uuid::from_u128(case);
            let known = recent.take(id, version - 1).is_some();
            recent.keep(id, version, Case::default());
            known
        };
        // Each case has a second event when a quarter as many others have had theirs.
        let (behind, mut known) = (CASES / 4, 0);
        for case in 0..8 * CASES {
            go_on(case, 1);
            known += u32::from(case >= behind && go_on(case - behind, 2));
        }
        let asked = u32::try_from(8 * CASES - behind).expect("few");
        assert!(known > asked * 9 / 10, "{known} of {asked}");
        assert!(!go_on(8 * CASES - 1, 7), "of another version");
    }
}
