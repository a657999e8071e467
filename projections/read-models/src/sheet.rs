//! Rows on their way into a table, column by column: typed arrays for an insert or an update of many rows in one
//! statement, or PostgreSQL's binary form for COPY.

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, Postgres, postgres::PgArguments, query::Query};
use std::fmt::Write as _;
use uuid::Uuid;

/// Rows of one table. Each is written by the same calls in the same order, which name its columns.
#[derive(Default)]
pub(crate) struct Sheet {
    columns: Vec<(&'static str, Cells)>,
    /// The column written next.
    next: usize,
}

enum Cells {
    Uuid(Vec<Option<Uuid>>),
    Long(Vec<i64>),
    Short(Vec<Option<i16>>),
    Bool(Vec<bool>),
    Text(Vec<Option<String>>),
    Instant(Vec<Option<DateTime<Utc>>>),
    /// As an instant, but `infinity` where there is none.
    Due(Vec<Option<DateTime<Utc>>>),
}

impl Cells {
    /// The type in which a column travels.
    fn array(&self) -> &'static str {
        match self {
            Cells::Uuid(_) => "uuid[]",
            Cells::Long(_) => "bigint[]",
            Cells::Short(_) => "smallint[]",
            Cells::Bool(_) => "boolean[]",
            Cells::Text(_) => "text[]",
            Cells::Instant(_) | Cells::Due(_) => "timestamptz[]",
        }
    }

    fn len(&self) -> usize {
        match self {
            Cells::Uuid(values) => values.len(),
            Cells::Long(values) => values.len(),
            Cells::Short(values) => values.len(),
            Cells::Bool(values) => values.len(),
            Cells::Text(values) => values.len(),
            Cells::Instant(values) | Cells::Due(values) => values.len(),
        }
    }

    fn bind<'q>(&'q self, query: Query<'q, Postgres, PgArguments>) -> Query<'q, Postgres, PgArguments> {
        match self {
            Cells::Uuid(values) => query.bind(values),
            Cells::Long(values) => query.bind(values),
            Cells::Short(values) => query.bind(values),
            Cells::Bool(values) => query.bind(values),
            Cells::Text(values) => query.bind(values),
            Cells::Instant(values) | Cells::Due(values) => query.bind(values),
        }
    }

    /// A value in the binary form of COPY: its length and itself.
    fn write(&self, row: usize, out: &mut Vec<u8>) {
        let null = |out: &mut Vec<u8>| out.extend((-1_i32).to_be_bytes());
        let value = |out: &mut Vec<u8>, bytes: &[u8]| {
            out.extend(i32::try_from(bytes.len()).unwrap_or(i32::MAX).to_be_bytes());
            out.extend(bytes);
        };
        match self {
            Cells::Uuid(values) => match &values[row] {
                Some(id) => value(out, id.as_bytes()),
                None => null(out),
            },
            Cells::Long(values) => value(out, &values[row].to_be_bytes()),
            Cells::Short(values) => match values[row] {
                Some(number) => value(out, &number.to_be_bytes()),
                None => null(out),
            },
            Cells::Bool(values) => value(out, &[u8::from(values[row])]),
            Cells::Text(values) => match &values[row] {
                Some(text) => value(out, text.as_bytes()),
                None => null(out),
            },
            Cells::Instant(values) => match values[row] {
                Some(at) => value(out, &micros(at).to_be_bytes()),
                None => null(out),
            },
            Cells::Due(values) => value(out, &values[row].map_or(i64::MAX, micros).to_be_bytes()),
        }
    }
}

/// Microseconds since the beginning of 2000, as PostgreSQL counts.
fn micros(at: DateTime<Utc>) -> i64 {
    const UNIX_2000_MICROS: i64 = 946_684_800_000_000;
    at.timestamp_micros() - UNIX_2000_MICROS
}

macro_rules! cell {
    ($name:ident, $kind:ident, $value:ty) => {
        pub fn $name(&mut self, column: &'static str, value: $value) -> &mut Self {
            if let Cells::$kind(values) = self.cells(column, || Cells::$kind(Vec::new())) {
                values.push(value);
            }
            self
        }
    };
}

impl Sheet {
    cell!(uuid, Uuid, Option<Uuid>);
    cell!(long, Long, i64);
    cell!(short, Short, Option<i16>);
    cell!(bool, Bool, bool);
    cell!(text, Text, Option<String>);
    cell!(instant, Instant, Option<DateTime<Utc>>);
    cell!(due, Due, Option<DateTime<Utc>>);

    fn cells(&mut self, column: &'static str, empty: impl FnOnce() -> Cells) -> &mut Cells {
        if self.next == self.columns.len() {
            self.columns.push((column, empty()));
        }
        let place = self.next;
        self.next += 1;
        debug_assert_eq!(self.columns[place].0, column, "rows are written in one order");
        &mut self.columns[place].1
    }

    pub fn end_row(&mut self) {
        debug_assert_eq!(self.next, self.columns.len(), "rows have the same columns");
        self.next = 0;
    }

    pub fn rows(&self) -> usize {
        self.columns.first().map_or(0, |(_, cells)| cells.len())
    }

    fn names(&self) -> String {
        let names: Vec<&str> = self.columns.iter().map(|(name, _)| *name).collect();
        names.join(", ")
    }

    /// `SELECT` of all columns as the table has them, from arrays.
    fn select(&self) -> String {
        let (mut values, mut arrays) = (String::new(), String::new());
        for (place, (name, cells)) in self.columns.iter().enumerate() {
            let comma = if place == 0 { "" } else { ", " };
            let _ = match cells {
                Cells::Due(_) => write!(values, "{comma}coalesce({name}, 'infinity') AS {name}"),
                _ => write!(values, "{comma}{name}"),
            };
            let _ = write!(arrays, "{comma}${}::{}", place + 1, cells.array());
        }
        format!("SELECT {values} FROM unnest({arrays}) AS new ({})", self.names())
    }

    async fn execute(&self, connection: &mut PgConnection, sql: &str) -> Result<(), sqlx::Error> {
        let query = self
            .columns
            .iter()
            .fold(sqlx::query(sql), |query, (_, cells)| cells.bind(query));
        query.execute(connection).await.map(drop)
    }

    /// Inserts the rows; one that is there is an error.
    pub async fn insert(&self, connection: &mut PgConnection, table: &str) -> Result<(), sqlx::Error> {
        if self.rows() == 0 {
            return Ok(());
        }
        let sql = format!("INSERT INTO {table} ({}) {}", self.names(), self.select());
        self.execute(connection, &sql).await
    }

    /// Writes the columns of rows that are there, found by the first column.
    pub async fn update(&self, connection: &mut PgConnection, table: &str) -> Result<(), sqlx::Error> {
        let Some(((key, _), others)) = self.columns.split_first().filter(|_| self.rows() > 0) else {
            return Ok(());
        };
        let names: Vec<&str> = others.iter().map(|(name, _)| *name).collect();
        let values: Vec<String> = names.iter().map(|name| format!("new.{name}")).collect();
        let sql = format!(
            "UPDATE {table} AS old SET ({}) = ROW ({}) FROM ({}) AS new WHERE old.{key} = new.{key}",
            names.join(", "),
            values.join(", "),
            self.select()
        );
        self.execute(connection, &sql).await
    }

    /// Appends the rows to a table that has none of them.
    pub async fn copy(&self, connection: &mut PgConnection, table: &str) -> Result<(), sqlx::Error> {
        if self.rows() == 0 {
            return Ok(());
        }
        let sql = format!("COPY {table} ({}) FROM STDIN (FORMAT binary)", self.names());
        let mut copy = connection.copy_in_raw(&sql).await?;
        copy.send(self.binary()).await?;
        copy.finish().await.map(drop)
    }

    fn binary(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.rows() * 1_024);
        // Signature, flags, length of a header extension.
        out.extend(b"PGCOPY\n\xff\r\n\0");
        out.extend([0; 8]);
        let columns = i16::try_from(self.columns.len()).unwrap_or(i16::MAX);
        for row in 0..self.rows() {
            out.extend(columns.to_be_bytes());
            for (_, cells) in &self.columns {
                cells.write(row, &mut out);
            }
        }
        out.extend((-1_i16).to_be_bytes());
        out
    }
}
