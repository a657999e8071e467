//! One statement put together from parts, each with values of its own.

use sqlx::{
    Arguments, Encode, PgConnection, Postgres, Type, encode::IsNull, error::BoxDynError, postgres::*,
};

/// Parts of a `WITH` that each write rows: all of them happen, or none.
///
/// They see the same rows: none sees what another one writes, and no two may write the same row.
#[derive(Default)]
pub struct Statement {
    parts: String,
    arguments: PgArguments,
    unbound: Option<BoxDynError>,
}

impl Statement {
    /// Takes a value; its placeholder. The text of a statement has to be the same for the same parts, whatever their
    /// values are, so that the server plans it once.
    pub fn bind<'q, T>(&mut self, value: T) -> String
    where
        T: 'q + Encode<'q, Postgres> + Type<Postgres>,
    {
        if let Err(error) = self.arguments.add(value) {
            self.unbound = Some(error);
        }
        format!("${}", self.arguments.len())
    }

    /// Adds a part under a name of its own.
    pub fn part(&mut self, name: &str, sql: &str) {
        let begin = if self.parts.is_empty() { "WITH " } else { ", " };
        self.parts.extend([begin, name, " AS (", sql, ")"]);
    }

    /// Does all its parts, if it has any, and nothing else.
    pub async fn execute(self, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        if self.parts.is_empty() {
            return Ok(());
        }
        let (sql, arguments) = self.end("SELECT")?;
        sqlx::query_with(&sql, arguments).execute(connection).await?;
        Ok(())
    }

    /// The statement that ends with `select`. Fails if a value could not be bound.
    pub(crate) fn end(self, select: &str) -> Result<(String, PgArguments), sqlx::Error> {
        match self.unbound {
            Some(error) => Err(sqlx::Error::Encode(error)),
            None => Ok((self.parts + " " + select, self.arguments)),
        }
    }
}

/// Text bound as `json`: sqlx binds JSON of its own as `jsonb`, which stores another text than was hashed, and a cast
/// from text would copy it twice.
#[derive(Clone, Copy)]
pub(crate) struct JsonText<'a>(pub &'a str);

/// PostgreSQL's built-in types never change their numbers.
const JSON: sqlx::postgres::types::Oid = sqlx::postgres::types::Oid(114);
const JSON_ARRAY: sqlx::postgres::types::Oid = sqlx::postgres::types::Oid(199);

impl Type<Postgres> for JsonText<'_> {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(JSON)
    }
}

impl PgHasArrayType for JsonText<'_> {
    fn array_type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(JSON_ARRAY)
    }
}

impl Encode<'_, Postgres> for JsonText<'_> {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        buffer.extend_from_slice(self.0.as_bytes());
        Ok(IsNull::No)
    }
}
