//! The statements of an append.

use crate::{
    inline::{Appending, InlineProjection},
    prepare::Prepared,
    read::Cursor,
    requests::RequestKey,
    vault::{NewKey, Vault},
};
use cqrs_es::Aggregate;
use sqlx::PgConnection;
use std::collections::HashMap;

/// What an append left behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Appended {
    /// Sequence of the newest event of the aggregate.
    pub version: u64,
    /// Where the newest event lies in the log: wait for a read model to have passed it to read one's own write.
    pub cursor: Cursor,
}

/// One command's share of a batch.
pub(crate) struct Share<'a, A: Aggregate> {
    pub prepared: &'a Prepared<A>,
    pub request: Option<&'a RequestKey>,
}

/// How a share fared. Nothing of the batch may be committed unless all are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Stored(Appended),
    /// Somebody else's events came first.
    Conflict,
    /// The request key is stored already.
    AlreadyAnswered,
    /// It is sealed under a key that is not, or no longer, the one of its subject.
    KeyLost,
    /// The person thought to be new was met by somebody else first.
    PersonKnown,
}

/// Writes a batch except for its hooks, in the order in which other batches write too.
pub(crate) async fn write_batch<A: Aggregate>(
    connection: &mut PgConnection,
    shares: &[Share<'_, A>],
    vault: &Vault,
    inline: &dyn InlineProjection<A>,
) -> Result<Vec<Verdict>, sqlx::Error> {
    let mut verdicts = insert(connection, shares, Clash::Skips).await?;
    let new_keys: Vec<&NewKey> = shares.iter().flat_map(|share| &share.prepared.new_keys).collect();
    let lost = vault.write_keys(connection, &new_keys).await?;
    let strangers = insert_persons(connection, shares).await?;
    for (share, verdict) in shares.iter().zip(&mut verdicts) {
        let prepared = share.prepared;
        if !matches!(verdict, Verdict::Stored(_)) {
            continue;
        }
        if prepared
            .person
            .is_some_and(|(person, _)| !strangers.contains(&person.0))
        {
            *verdict = Verdict::PersonKnown;
        } else if prepared.new_keys.iter().any(|key| lost.contains(&key.subject)) {
            *verdict = Verdict::KeyLost;
        }
    }
    if verdicts
        .iter()
        .all(|verdict| matches!(verdict, Verdict::Stored(_)))
    {
        inline.project(connection, &appending(shares)).await?;
    }
    Ok(verdicts)
}

/// Writes one event, alone in its statement, which is its own transaction. A clash is an error then: nothing of it may
/// stay. None if the event's predecessor is missing.
pub(crate) async fn write_alone<A: Aggregate>(
    connection: &mut PgConnection,
    share: Share<'_, A>,
) -> Result<Verdict, sqlx::Error> {
    let verdicts = insert(connection, &[share], Clash::Fails).await?;
    Ok(verdicts.first().copied().unwrap_or(Verdict::Conflict))
}

pub(crate) fn appending<'a, A: Aggregate>(shares: &'a [Share<'_, A>]) -> Vec<Appending<'a, A>> {
    let events = shares.iter().flat_map(|share| {
        let prepared = share.prepared;
        prepared
            .events
            .iter()
            .zip(&prepared.rows)
            .map(|(event, row)| Appending {
                aggregate_id: &prepared.aggregate_id,
                sequence: row.sequence.unsigned_abs(),
                event,
            })
    });
    events.collect()
}

/// What a row does that is there already.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Clash {
    /// It is left out, and the answer tells.
    Skips,
    Fails,
}

#[derive(Default)]
struct Columns<'a> {
    ids: Vec<&'a str>,
    /// The row before is this one's predecessor.
    follows: Vec<bool>,
    sequences: Vec<i64>,
    types: Vec<&'a str>,
    versions: Vec<&'a str>,
    payloads: Vec<&'a str>,
    metadata: Vec<&'a str>,
    hashes: Vec<&'a [u8]>,
}

/// Keys that must not have been erased.
#[derive(Default)]
struct Seals<'a> {
    ids: Vec<&'a str>,
    subjects: Vec<String>,
}

#[derive(Default)]
struct Answers<'a> {
    ids: Vec<&'a str>,
    versions: Vec<i64>,
    actors: Vec<&'a str>,
    keys: Vec<&'a str>,
    bodies: Vec<&'a [u8]>,
}

/// Events and request keys in one statement. An event without its predecessor is left out, so that no gap is written, and
/// so is one sealed under an erased key; those come back with sequence 0.
/// Payloads are bound as text, so that the stored form is exactly the one that was hashed.
macro_rules! insert_sql {
    ($on_event:literal, $on_request:literal) => {
        concat!(
            "WITH erased AS (
                 SELECT DISTINCT id
                 FROM unnest($15::text[], $16::text[]) AS sealed (id, subject) JOIN keys.data_keys USING (subject)
                 WHERE wrapped IS NULL
             ), appended AS (
                 INSERT INTO events (aggregate_type, aggregate_id, sequence, event_type, event_version, payload,
                                     metadata, hash)
                 SELECT $1, id, new.sequence, type, version, payload::json, metadata::json, hash
                 FROM unnest($2::text[], $3::boolean[], $4::bigint[], $5::text[], $6::text[], $7::text[], $8::text[],
                             $9::bytea[])
                      WITH ORDINALITY
                      AS new (id, follows, sequence, type, version, payload, metadata, hash, place)
                 WHERE (follows
                        OR new.sequence = 1
                        OR EXISTS (SELECT FROM events
                                   WHERE aggregate_type = $1 AND aggregate_id = id
                                     AND events.sequence = new.sequence - 1))
                   AND id NOT IN (SELECT id FROM erased)
                 ORDER BY place ",
            $on_event,
            "    RETURNING aggregate_id, sequence, transaction_id::text::bigint AS transaction, position
             ), answered AS (
                 INSERT INTO requests (actor, key, body_hash, aggregate_id, version, position)
                 SELECT actor, key, body, appended.aggregate_id, appended.sequence, appended.position
                 FROM unnest($10::text[], $11::bigint[], $12::text[], $13::text[], $14::bytea[])
                      AS asked (id, version, actor, key, body)
                      JOIN appended ON appended.aggregate_id = asked.id AND appended.sequence = asked.version ",
            $on_request,
            "    RETURNING aggregate_id
             )
             SELECT aggregate_id, sequence, transaction, position, aggregate_id IN (SELECT aggregate_id FROM answered)
             FROM appended
             UNION ALL SELECT id, 0, 0, 0, false FROM erased"
        )
    };
}
const INSERT: &str = insert_sql!("", "");
const INSERT_WITHOUT_CLASHES: &str = insert_sql!(
    "ON CONFLICT ON CONSTRAINT events_pkey DO NOTHING ",
    "ON CONFLICT ON CONSTRAINT requests_pkey DO NOTHING "
);

async fn insert<A: Aggregate>(
    connection: &mut PgConnection,
    shares: &[Share<'_, A>],
    clash: Clash,
) -> Result<Vec<Verdict>, sqlx::Error> {
    let mut columns = Columns::default();
    let mut answers = Answers::default();
    let mut seals = Seals::default();
    for share in shares {
        let prepared = share.prepared;
        for (place, row) in prepared.rows.iter().enumerate() {
            columns.ids.push(&prepared.aggregate_id);
            columns.follows.push(place > 0);
            columns.sequences.push(row.sequence);
            columns.types.push(&row.event_type);
            columns.versions.push(&row.event_version);
            columns.payloads.push(&row.payload);
            columns.metadata.push(&prepared.metadata);
            columns.hashes.push(&row.hash);
        }
        for subject in &prepared.sealed_for {
            seals.ids.push(&prepared.aggregate_id);
            seals.subjects.push(subject.to_string());
        }
        if let (Some(request), Some(last)) = (share.request, prepared.rows.last()) {
            answers.ids.push(&prepared.aggregate_id);
            answers.versions.push(last.sequence);
            answers.actors.push(&request.actor);
            answers.keys.push(&request.key);
            answers.bodies.push(&request.body_hash);
        }
    }
    let sql = match clash {
        Clash::Skips => INSERT_WITHOUT_CLASHES,
        Clash::Fails => INSERT,
    };
    let stored: Vec<(String, i64, i64, i64, bool)> = sqlx::query_as(sql)
        .bind(A::TYPE)
        .bind(&columns.ids)
        .bind(&columns.follows)
        .bind(&columns.sequences)
        .bind(&columns.types)
        .bind(&columns.versions)
        .bind(&columns.payloads)
        .bind(&columns.metadata)
        .bind(&columns.hashes)
        .bind(&answers.ids)
        .bind(&answers.versions)
        .bind(&answers.actors)
        .bind(&answers.keys)
        .bind(&answers.bodies)
        .bind(&seals.ids)
        .bind(&seals.subjects)
        .fetch_all(connection)
        .await?;
    let mut found: HashMap<&str, (usize, Appended, bool)> = HashMap::with_capacity(shares.len());
    for (id, sequence, transaction_id, position, answered) in &stored {
        let appended = Appended {
            version: sequence.unsigned_abs(),
            cursor: Cursor {
                transaction_id: *transaction_id,
                position: *position,
            },
        };
        let entry = found.entry(id).or_insert((0, appended, *answered));
        entry.0 += 1;
        if appended.version > entry.1.version {
            entry.1 = appended;
        }
    }
    let verdicts = shares
        .iter()
        .map(|share| match found.get(&*share.prepared.aggregate_id) {
            Some((_, appended, _)) if appended.version == 0 => Verdict::KeyLost,
            Some((rows, _, _)) if *rows < share.prepared.rows.len() => Verdict::Conflict,
            Some((_, _, false)) if share.request.is_some() => Verdict::AlreadyAnswered,
            Some((_, appended, _)) => Verdict::Stored(*appended),
            None => Verdict::Conflict,
        });
    Ok(verdicts.collect())
}

/// Remembers who is behind a way to be reached; the persons that were not known yet.
async fn insert_persons<A: Aggregate>(
    connection: &mut PgConnection,
    shares: &[Share<'_, A>],
) -> Result<Vec<uuid::Uuid>, sqlx::Error> {
    let mut persons: Vec<_> = shares.iter().filter_map(|share| share.prepared.person).collect();
    if persons.is_empty() {
        return Ok(Vec::new());
    }
    persons.sort_by_key(|(_, digest)| *digest);
    let digests: Vec<&[u8]> = persons.iter().map(|(_, digest)| &digest[..]).collect();
    let ids: Vec<_> = persons.iter().map(|(person, _)| person.0).collect();
    sqlx::query_scalar(
        "INSERT INTO keys.persons (contact_digest, person_id) SELECT * FROM unnest($1::bytea[], $2::uuid[])
         ON CONFLICT DO NOTHING RETURNING person_id",
    )
    .bind(&digests)
    .bind(&ids)
    .fetch_all(connection)
    .await
}
