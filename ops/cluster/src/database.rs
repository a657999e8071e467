//! Databases inside a running server.

use sqlx::{Connection, PgConnection};

use crate::error::ClusterError;

/// Creates database `name` on the server behind `admin_url` unless it is there.
pub(crate) async fn ensure(admin_url: &str, name: &str) -> Result<(), ClusterError> {
    // PostgreSQL cuts longer names short without a word.
    if name.is_empty() || name.len() > 63 || name.chars().any(char::is_control) {
        return Err(ClusterError::BadDatabaseName {
            name: name.to_owned(),
        });
    }
    let doing = format!("creating the database {name}");
    let mut admin = connect(admin_url).await?;
    let exists: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)")
        .bind(name)
        .fetch_one(&mut admin)
        .await
        .map_err(ClusterError::database(&doing))?;
    if !exists {
        let created = sqlx::query(&format!("CREATE DATABASE {}", quoted(name)))
            .execute(&mut admin)
            .await;
        match created {
            Ok(_) => {}
            Err(error) if is_already_there(&error) => {}
            Err(error) => return Err(ClusterError::database(doing)(error)),
        }
    }
    // The work is done; a clumsy goodbye does not undo it.
    let _ = admin.close().await;
    Ok(())
}

pub(crate) async fn connect(url: &str) -> Result<PgConnection, ClusterError> {
    PgConnection::connect(url)
        .await
        .map_err(ClusterError::database("connecting to the database server"))
}

/// An identifier as SQL spells it.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// `duplicate_database`, or the unique violation that two simultaneous attempts end in.
pub(crate) fn is_already_there(error: &sqlx::Error) -> bool {
    has_code(error, &["42P04", "23505"])
}

pub(crate) fn has_code(error: &sqlx::Error, codes: &[&str]) -> bool {
    error
        .as_database_error()
        .and_then(|error| error.code())
        .is_some_and(|code| codes.contains(&code.as_ref()))
}
