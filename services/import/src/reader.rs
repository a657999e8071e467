//! Reads the file on a thread of its own, a batch ahead of the database, and writes the rejects.
//!
//! Every run reads from the first row: what an earlier run has committed is judged again but not handed on, so that
//! the rejects file and the counts are those of the whole file however often the import was stopped.

use crate::{
    error::ImportError,
    history::Histories,
    mapping::Mapping,
    row::{Layout, Reject, Row},
};
use csv::{ByteRecord, Reader, ReaderBuilder, Writer, WriterBuilder};
use flate2::read::MultiGzDecoder;
use onetrip_event_log::NewStream;
use onetrip_model::Case;
use sha2::{Digest, Sha256};
use std::{
    collections::{BTreeMap, HashSet},
    fs::File,
    io::{self, BufReader, Read},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};
use tokio::sync::mpsc::Sender;
use uuid::Uuid;

/// Rows of one transaction.
pub(crate) const BATCH_ROWS: usize = 500;

/// What the reading thread is to do.
pub(crate) struct Job {
    pub file: PathBuf,
    pub rejects: PathBuf,
    pub histories: Histories,
    /// Rows that an earlier run has committed.
    pub committed_rows: u64,
}

/// A row that became a case.
pub(crate) struct Item {
    pub row: Row,
    pub stream: NewStream<Case>,
    pub at: Place,
}

/// How far into the file: rows from its beginning, and how many of them became cases.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Place {
    pub rows: u64,
    pub accepted: u64,
}

pub(crate) struct Batch {
    pub items: Vec<Item>,
    /// Good rows that an earlier run has committed.
    pub committed: u64,
    pub end: Place,
    /// Bytes of the file, compressed as they are, read so far.
    pub bytes_read: u64,
}

/// What the whole file came to.
#[derive(Default)]
pub(crate) struct Totals {
    pub end: Place,
    pub rejected: BTreeMap<String, u64>,
}

/// SHA-256 of a file, and its length in bytes.
pub(crate) fn digest(path: &Path) -> Result<([u8; 32], u64), ImportError> {
    let fail = |source| ImportError::File {
        path: path.to_owned(),
        source,
    };
    let mut hasher = Sha256::new();
    let mut file = File::open(path).map_err(fail)?;
    let mut buffer = vec![0; 1 << 16];
    let mut bytes = 0;
    loop {
        match file.read(&mut buffer).map_err(fail)? {
            0 => return Ok((hasher.finalize().into(), bytes)),
            count => {
                hasher.update(&buffer[..count]);
                bytes += count as u64;
            }
        }
    }
}

/// The rows of a file, plain or compressed; `bytes_read` counts those of the file as it lies on disk.
pub(crate) fn open(
    path: &Path,
    mapping: &Mapping,
    bytes_read: Arc<AtomicU64>,
) -> Result<Reader<Box<dyn Read>>, ImportError> {
    let file = File::open(path).map_err(|source| ImportError::File {
        path: path.to_owned(),
        source,
    })?;
    let file = Counting {
        inner: file,
        bytes: bytes_read,
    };
    let is_gzip = path
        .extension()
        .is_some_and(|ending| ending.eq_ignore_ascii_case("gz"));
    let plain: Box<dyn Read> = if is_gzip {
        Box::new(MultiGzDecoder::new(BufReader::new(file)))
    } else {
        Box::new(file)
    };
    Ok(ReaderBuilder::new()
        .flexible(true)
        .delimiter(mapping.delimiter())
        .from_reader(plain))
}

/// Reads the whole file and hands its cases on. Ends early, without an error, when nobody takes them any more.
pub(crate) fn read(job: &Job, batches: &Sender<Batch>) -> Result<Totals, ImportError> {
    let bytes_read = Arc::new(AtomicU64::new(0));
    let mapping = &job.histories.mapping;
    let mut reader = open(&job.file, mapping, Arc::clone(&bytes_read))?;
    let csv_fault = |source| ImportError::Csv {
        path: job.file.clone(),
        source,
    };
    let header = reader.byte_headers().map_err(csv_fault)?.clone();
    let layout = Layout::of(mapping.columns(), &header).map_err(|source| ImportError::Column {
        path: job.file.clone(),
        source,
    })?;
    let mut rejects = Rejects::create(&job.rejects, &header)?;
    let mut judge = Judge {
        job,
        layout,
        seen: HashSet::new(),
    };
    let mut totals = Totals::default();
    let mut batch = Batch {
        items: Vec::new(),
        committed: 0,
        end: Place::default(),
        bytes_read: 0,
    };
    let mut record = ByteRecord::new();
    loop {
        let more = reader.read_byte_record(&mut record).map_err(csv_fault)?;
        let rows_in_batch = totals.end.rows - batch.end.rows;
        if rows_in_batch > 0 && (!more || rows_in_batch >= BATCH_ROWS as u64) {
            let next = Batch {
                items: Vec::new(),
                committed: 0,
                end: totals.end,
                bytes_read: 0,
            };
            let full = std::mem::replace(&mut batch, next);
            let full = Batch {
                end: totals.end,
                bytes_read: bytes_read.load(Ordering::Relaxed),
                ..full
            };
            if batches.blocking_send(full).is_err() {
                return Ok(totals);
            }
        }
        if !more {
            rejects.finish()?;
            return Ok(totals);
        }
        totals.end.rows += 1;
        match judge.row(&record) {
            Ok((row, stream)) => {
                totals.end.accepted += 1;
                if totals.end.rows <= job.committed_rows {
                    batch.committed += 1;
                } else {
                    batch.items.push(Item {
                        row,
                        stream,
                        at: totals.end,
                    });
                }
            }
            Err(reject) => {
                let id = record.get(judge.layout.id()).unwrap_or_default();
                rejects.write(
                    record.position().map_or(0, csv::Position::line),
                    id,
                    &reject,
                    &record,
                )?;
                *totals.rejected.entry(reject.to_string()).or_default() += 1;
            }
        }
    }
}

/// Says of each row whether it becomes a case.
struct Judge<'a> {
    job: &'a Job,
    layout: Layout,
    /// The cases of the rows so far: 16 bytes a row, the only thing that grows with the file.
    seen: HashSet<Uuid>,
}

impl Judge<'_> {
    fn row(&mut self, record: &ByteRecord) -> Result<(Row, NewStream<Case>), Reject> {
        let histories = &self.job.histories;
        let row = self.layout.read(&histories.mapping, record)?;
        let case = histories.ids.case(&row.source_id).0;
        if self.seen.contains(&case) {
            return Err(Reject::IdTwice);
        }
        let stream = histories.of(&row, 0).map_err(Reject::Refused)?;
        self.seen.insert(case);
        Ok((row, stream))
    }
}

/// The rejects file: `line, id, reason` and the original fields as they were.
struct Rejects {
    path: PathBuf,
    writer: Writer<File>,
}

impl Rejects {
    fn create(path: &Path, header: &ByteRecord) -> Result<Rejects, ImportError> {
        let fail = |source| ImportError::File {
            path: path.to_owned(),
            source,
        };
        // A file of its own: a reader whose run has been given up may still hold the one before.
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(fail(error)),
            _ => {}
        }
        let file = File::create(path).map_err(fail)?;
        let mut rejects = Rejects {
            path: path.to_owned(),
            writer: WriterBuilder::new().flexible(true).from_writer(file),
        };
        rejects.record([b"line".as_slice(), b"id", b"reason"].into_iter().chain(header))?;
        Ok(rejects)
    }

    fn write(
        &mut self,
        line: u64,
        id: &[u8],
        reject: &Reject,
        record: &ByteRecord,
    ) -> Result<(), ImportError> {
        let (line, reason) = (line.to_string(), reject.to_string());
        self.record([line.as_bytes(), id, reason.as_bytes()].into_iter().chain(record))
    }

    fn record<'a>(&mut self, fields: impl Iterator<Item = &'a [u8]>) -> Result<(), ImportError> {
        self.writer
            .write_record(fields)
            .map_err(|source| ImportError::Csv {
                path: self.path.clone(),
                source,
            })
    }

    fn finish(mut self) -> Result<(), ImportError> {
        self.writer.flush().map_err(|source| ImportError::File {
            path: self.path.clone(),
            source,
        })
    }
}

struct Counting {
    inner: File,
    bytes: Arc<AtomicU64>,
}

impl Read for Counting {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.bytes.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}
