//! Brings a file's cases into the log, a batch a transaction.

use crate::{
    error::ImportError,
    history::Histories,
    mapping::{Mapping, Names},
    reader::{self, Batch, Item, Job, Place},
    words::Ids,
};
use async_trait::async_trait;
use onetrip_casework::Casework;
use onetrip_event_log::{AppendHook, LogError, NewStream, Pool, Why};
use onetrip_model::Case;
use sqlx::PgConnection;
use std::{
    collections::{BTreeMap, HashSet},
    path::{Path, PathBuf},
    sync::Arc,
};
use tokio::sync::mpsc;

/// Batches read ahead while one is being written.
const BATCHES_AHEAD: usize = 2;
/// Rounds of "these cases came in meanwhile" before giving up: another import of the same system is running.
const TRIES_MAX: u32 = 16;
/// Numbers drawn for one case before giving up.
const SALTS_MAX: u32 = 16;
/// The unique constraint of case numbers.
const NUMBER_TAKEN: &str = "case_number_taken";
/// The kind of office that the units of other systems have.
const OFFICE: &str = "department";

/// How far an import has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Rows from the beginning of the file, those of earlier runs included.
    pub rows: u64,
    /// Of the file as it lies on disk.
    pub bytes_read: u64,
    pub bytes_total: u64,
}

/// What an import came to. `rows_read` is the sum of all the others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Rows of the whole file, without its head.
    pub rows_read: u64,
    /// Reason → rows of the whole file.
    pub rejected: BTreeMap<String, u64>,
    /// Cases that this run brought into the log.
    pub cases_added: u64,
    /// Good rows whose cases were in the log before this run.
    pub already_there: u64,
}

impl Summary {
    pub fn rejected_rows(&self) -> u64 {
        self.rejected.values().sum()
    }
}

/// Imports a file. May be stopped at any moment, also by dropping the future, and run again: it goes on after the last
/// batch that was committed, and a file that has been imported adds nothing.
///
/// `rejects` is written anew by every run and complete when this returns. The read models follow by their own runner;
/// see [`crate::catch_up`].
pub async fn import(
    casework: &Casework,
    mapping: &Mapping,
    file: &Path,
    rejects: &Path,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<Summary, ImportError> {
    let path = file.to_owned();
    let (file_digest, bytes_total) = blocking(move || reader::digest(&path)).await?;
    let pool = casework.pool();
    refuse_nested(pool, mapping.system()).await?;
    let ids = Ids::of(mapping.system());
    let histories = Histories {
        mapping: Arc::new(mapping.clone()),
        rules: Arc::clone(casework.rules()),
        ids,
    };
    let run = ids.run(&file_digest);
    let mut writer = Importer {
        casework,
        histories: histories.clone(),
        file_digest: file_digest.to_vec(),
        why: Why {
            correlation_id: run,
            causation_id: run,
        },
        introduced: HashSet::new(),
        summary: Summary::default(),
    };
    let committed_rows = writer.committed_rows().await?;
    let partial = partial(rejects);
    let job = Job {
        file: file.to_owned(),
        rejects: partial.clone(),
        histories,
        committed_rows,
    };
    let (send, mut receive) = mpsc::channel(BATCHES_AHEAD);
    let reading = tokio::task::spawn_blocking(move || reader::read(&job, &send));
    while let Some(batch) = receive.recv().await {
        let (rows, bytes_read) = (batch.end.rows, batch.bytes_read);
        writer.write(batch).await?;
        progress(Progress {
            rows,
            bytes_read,
            bytes_total,
        });
    }
    let totals = reading
        .await
        .map_err(|error| ImportError::Stopped(error.to_string()))??;
    writer.finish(totals.end).await?;
    // Only now does a complete file take the place of an earlier one.
    tokio::fs::rename(&partial, rejects)
        .await
        .map_err(|source| ImportError::File {
            path: rejects.to_owned(),
            source,
        })?;
    casework.directory().reload(pool).await?;
    Ok(Summary {
        rows_read: totals.end.rows,
        rejected: totals.rejected,
        ..writer.summary
    })
}

fn partial(rejects: &Path) -> PathBuf {
    let mut name = rejects.as_os_str().to_owned();
    name.push(".partial");
    PathBuf::from(name)
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ImportError> + Send + 'static,
) -> Result<T, ImportError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| ImportError::Stopped(error.to_string()))?
}

async fn refuse_nested(pool: &Pool, system: &str) -> Result<(), ImportError> {
    let other: Option<String> = sqlx::query_scalar(
        "SELECT code FROM divisions
         WHERE level = 'city' AND code <> $1 AND (starts_with(code, $1) OR starts_with($1, code)) LIMIT 1",
    )
    .bind(system)
    .fetch_optional(pool)
    .await?;
    match other {
        Some(other) => Err(ImportError::SystemInsideAnother {
            system: system.to_owned(),
            other,
        }),
        None => Ok(()),
    }
}

struct Importer<'a> {
    casework: &'a Casework,
    histories: Histories,
    file_digest: Vec<u8>,
    why: Why,
    /// Codes of divisions and units that this run has seen committed.
    introduced: HashSet<String>,
    summary: Summary,
}

impl Importer<'_> {
    fn system(&self) -> &str {
        self.histories.mapping.system()
    }

    /// Rows of this very file that are committed.
    async fn committed_rows(&self) -> Result<u64, ImportError> {
        let rows: Option<i64> =
            sqlx::query_scalar("SELECT rows_read FROM imports WHERE system = $1 AND file_digest = $2")
                .bind(self.system())
                .bind(&self.file_digest)
                .fetch_optional(self.casework.pool())
                .await?;
        Ok(rows.map_or(0, i64::unsigned_abs))
    }

    /// Writes what of a batch is not in the log yet.
    async fn write(&mut self, batch: Batch) -> Result<(), ImportError> {
        self.summary.already_there += batch.committed;
        let mut items = batch.items;
        for _ in 0..TRIES_MAX {
            let before = items.len();
            items = self.unknown(items).await?;
            self.summary.already_there += (before - items.len()) as u64;
            if items.is_empty() {
                return self.pass(batch.end).await;
            }
            match self.append(&mut items, batch.end).await {
                // Another run of the same file wrote some of them first: leave those out.
                Err(ImportError::Log(LogError::Contended)) => {}
                result => return result,
            }
        }
        Err(LogError::Contended.into())
    }

    async fn unknown(&self, items: Vec<Item>) -> Result<Vec<Item>, ImportError> {
        if items.is_empty() {
            return Ok(items);
        }
        let ids: Vec<String> = items
            .iter()
            .map(|item| item.stream.aggregate_id.clone())
            .collect();
        let known: HashSet<String> = self.casework.log().known(&ids).await?.into_iter().collect();
        Ok(items
            .into_iter()
            .filter(|item| !known.contains(&item.stream.aggregate_id))
            .collect())
    }

    /// Appends the cases in order; `items` keeps those that are still to come. Where a number is taken, halves find
    /// the case it is, which draws another.
    async fn append(&mut self, items: &mut Vec<Item>, end: Place) -> Result<(), ImportError> {
        let mut salt = 0;
        let mut count = items.len();
        while !items.is_empty() {
            count = count.min(items.len());
            let is_last = count == items.len();
            let at = if is_last { end } else { items[count - 1].at };
            let hook = self.hook(&items[..count], at);
            let (streams, rows) = split(items.drain(..count));
            let appended = self
                .casework
                .log()
                .append_new(&streams, &self.why, Some(&hook))
                .await;
            match appended {
                Ok(()) => {
                    self.summary.cases_added += count as u64;
                    self.introduced.extend(hook.into_codes());
                    salt = 0;
                    count = items.len();
                }
                Err(error) => {
                    items.splice(..0, join(streams, rows));
                    match error {
                        LogError::Taken { constraint } if constraint == NUMBER_TAKEN && salt < SALTS_MAX => {
                            if count > 1 {
                                count /= 2;
                            } else if let Some(item) = items.first_mut() {
                                salt += 1;
                                // What was decided once is decided again; only the number is another.
                                item.stream = self
                                    .histories
                                    .of(&item.row, salt)
                                    .map_err(|refusal| ImportError::Log(LogError::Refused(refusal)))?;
                            }
                        }
                        error => return Err(error.into()),
                    }
                }
            }
        }
        Ok(())
    }

    /// Moves on over rows that bring no new case.
    async fn pass(&self, end: Place) -> Result<(), ImportError> {
        let mut transaction = self.casework.pool().begin().await?;
        self.hook(&[], end).run(&mut transaction).await?;
        Ok(transaction.commit().await?)
    }

    async fn finish(&self, end: Place) -> Result<(), ImportError> {
        self.pass(end).await?;
        sqlx::query(
            "UPDATE imports SET finished_at = now()
             WHERE system = $1 AND file_digest = $2 AND finished_at IS NULL AND rows_read = $3",
        )
        .bind(self.system())
        .bind(&self.file_digest)
        .bind(signed(end.rows))
        .execute(self.casework.pool())
        .await?;
        Ok(())
    }

    fn hook(&self, items: &[Item], at: Place) -> Checkpoint {
        let mapping = &self.histories.mapping;
        let mut checkpoint = Checkpoint {
            system: self.system().to_owned(),
            file_digest: self.file_digest.clone(),
            at,
            city: mapping.city().clone(),
            divisions: Entries::default(),
            units: Entries::default(),
        };
        for item in items {
            if let Some(place) = &item.row.place
                && !self.introduced.contains(place.code.as_str())
            {
                checkpoint
                    .divisions
                    .add(place.code.as_str(), || mapping.place_names(&place.value));
            }
            let unit = &item.row.unit;
            if !self.introduced.contains(unit.code.as_str()) {
                checkpoint
                    .units
                    .add(unit.code.as_str(), || mapping.unit_names(&unit.value));
            }
        }
        checkpoint
    }
}

type Kept = (crate::row::Row, Place);

/// The log takes streams in a row of their own.
fn split(items: impl Iterator<Item = Item>) -> (Vec<NewStream<Case>>, Vec<Kept>) {
    items.map(|Item { row, stream, at }| (stream, (row, at))).unzip()
}

fn join(streams: Vec<NewStream<Case>>, rows: Vec<Kept>) -> impl Iterator<Item = Item> {
    streams
        .into_iter()
        .zip(rows)
        .map(|(stream, (row, at))| Item { row, stream, at })
}

/// New divisions or units, by code.
#[derive(Default)]
struct Entries {
    codes: Vec<String>,
    zh: Vec<String>,
    en: Vec<String>,
}

impl Entries {
    fn add(&mut self, code: &str, names: impl FnOnce() -> Names) {
        // A city has a few dozen of them: looking through beats hashing.
        if !self.codes.iter().any(|known| known == code) {
            let Names { zh, en } = names();
            self.codes.push(code.to_owned());
            self.zh.push(zh);
            self.en.push(en);
        }
    }
}

/// What is written in the transaction of a batch: the divisions and units it is the first to name, and how far it is.
struct Checkpoint {
    system: String,
    file_digest: Vec<u8>,
    at: Place,
    city: Names,
    divisions: Entries,
    units: Entries,
}

impl Checkpoint {
    fn into_codes(self) -> impl Iterator<Item = String> {
        self.divisions.codes.into_iter().chain(self.units.codes)
    }
}

#[async_trait]
impl AppendHook for Checkpoint {
    async fn run(&self, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        if !self.divisions.codes.is_empty() || !self.units.codes.is_empty() {
            sqlx::query(
                "INSERT INTO divisions (code, level, name, name_en) VALUES ($1, 'city', $2, $3)
                 ON CONFLICT DO NOTHING",
            )
            .bind(&self.system)
            .bind(&self.city.zh)
            .bind(&self.city.en)
            .execute(&mut *connection)
            .await?;
            sqlx::query(
                "INSERT INTO divisions (code, level, name, name_en, parent_code)
                 SELECT code, 'district', zh, en, $1 FROM unnest($2::text[], $3::text[], $4::text[]) AS new (code, zh, en)
                 ON CONFLICT DO NOTHING",
            )
            .bind(&self.system)
            .bind(&self.divisions.codes)
            .bind(&self.divisions.zh)
            .bind(&self.divisions.en)
            .execute(&mut *connection)
            .await?;
            sqlx::query(
                "INSERT INTO units (code, name, name_en, division, office)
                 SELECT code, zh, en, $1, $5 FROM unnest($2::text[], $3::text[], $4::text[]) AS new (code, zh, en)
                 ON CONFLICT DO NOTHING",
            )
            .bind(&self.system)
            .bind(&self.units.codes)
            .bind(&self.units.zh)
            .bind(&self.units.en)
            .bind(OFFICE)
            .execute(&mut *connection)
            .await?;
        }
        // Never moved back: two runs of one file may overtake each other.
        sqlx::query(
            "INSERT INTO imports (system, file_digest, rows_read, accepted, rejected) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (system, file_digest) DO UPDATE
             SET rows_read = excluded.rows_read, accepted = excluded.accepted, rejected = excluded.rejected
             WHERE imports.rows_read < excluded.rows_read",
        )
        .bind(&self.system)
        .bind(&self.file_digest)
        .bind(signed(self.at.rows))
        .bind(signed(self.at.accepted))
        .bind(signed(self.at.rows - self.at.accepted))
        .execute(connection)
        .await?;
        Ok(())
    }
}

fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
