use crate::read::Cursor;
use sqlx::PgConnection;

/// What makes a retry recognizable: who sent it, their key, and a digest of what they sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestKey {
    pub actor: String,
    /// At most 255 characters.
    pub key: String,
    /// SHA-256 of the request.
    pub body_hash: [u8; 32],
}

/// What a request with this key was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredAnswer {
    pub aggregate_id: String,
    pub version: u64,
    pub cursor: Cursor,
}

/// The stored answer, and whether it was for the same body.
pub(crate) async fn find(
    connection: &mut PgConnection,
    key: &RequestKey,
) -> Result<Option<(StoredAnswer, bool)>, sqlx::Error> {
    let row: Option<(String, i64, i64, i64, Vec<u8>)> = sqlx::query_as(
        "SELECT aggregate_id, version, transaction_id::text::bigint, position, body_hash
         FROM requests WHERE actor = $1 AND key = $2",
    )
    .bind(&key.actor)
    .bind(&key.key)
    .fetch_optional(connection)
    .await?;
    Ok(
        row.map(|(aggregate_id, version, transaction_id, position, body_hash)| {
            let cursor = Cursor {
                transaction_id,
                position,
            };
            let same_body = body_hash == key.body_hash;
            (
                StoredAnswer {
                    aggregate_id,
                    version: version.unsigned_abs(),
                    cursor,
                },
                same_body,
            )
        }),
    )
}
