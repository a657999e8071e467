//! The statements of an append: one for a whole batch, or several in a transaction where that can't be or where somebody
//! is in the way.

use crate::{
    inline::{Appending, InlineProjection},
    persons::{insert_persons, insert_persons_beside},
    prepare::Prepared,
    read::Cursor,
    requests::RequestKey,
    statement::{JsonText, Statement},
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

impl Appended {
    fn at(sequence: i64, transaction_id: i64, position: i64) -> Appended {
        Appended {
            version: sequence.unsigned_abs(),
            cursor: Cursor {
                transaction_id,
                position,
            },
        }
    }
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
    let mut verdicts = insert(connection, shares).await?;
    let lost = vault.write_keys(connection, new_keys(shares)).await?;
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

/// Writes a batch in one statement, which is its own transaction: all of it, or nothing. None if it needs more than
/// that. Any refusal of the server is an error here, and says little about whose fault it is: [`write_batch`] tells.
pub(crate) async fn write_whole<A: Aggregate>(
    connection: &mut PgConnection,
    shares: &[Share<'_, A>],
    inline: &dyn InlineProjection<A>,
) -> Result<Option<Vec<Appended>>, sqlx::Error> {
    let mut statement = Statement::default();
    if !inline.beside(&appending(shares), &mut statement) {
        return Ok(None);
    }
    Vault::write_keys_beside(new_keys(shares), &mut statement);
    insert_persons_beside(shares, &mut statement);
    let columns = Columns::of(shares);
    let asked = !columns.answers.ids.is_empty();
    columns.insert_events(A::TYPE, &mut statement);
    if asked {
        columns.insert_answers("", &mut statement);
    }
    let rows = statement.bind(i64::try_from(columns.ids.len()).unwrap_or(i64::MAX));
    // Divides by zero, and so stores nothing, unless every event is stored: one of them may lack its predecessor.
    let whole = format!("1 / (SELECT (count(*) = {rows})::int FROM appended)");
    let (sql, arguments) = statement.end(&format!(
        "SELECT {whole}, aggregate_id, sequence, pg_current_xact_id()::text::bigint, position
         FROM (VALUES (1)) AS at_least_one LEFT JOIN appended ON true"
    ))?;
    let stored: Vec<(i32, String, i64, i64, i64)> =
        sqlx::query_as_with(&sql, arguments).fetch_all(connection).await?;
    let mut newest: HashMap<&str, Appended> = HashMap::with_capacity(shares.len());
    for (_, id, sequence, transaction_id, position) in &stored {
        let appended = Appended::at(*sequence, *transaction_id, *position);
        let entry = newest.entry(id).or_insert(appended);
        if appended.version > entry.version {
            *entry = appended;
        }
    }
    let found = shares
        .iter()
        .map(|share| newest.get(&*share.prepared.aggregate_id).copied());
    found
        .collect::<Option<Vec<Appended>>>()
        .map(Some)
        .ok_or(sqlx::Error::RowNotFound)
}

fn new_keys<'a, A: Aggregate>(shares: &'a [Share<'_, A>]) -> Vec<&'a NewKey> {
    shares.iter().flat_map(|share| &share.prepared.new_keys).collect()
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

/// A batch as columns.
#[derive(Default)]
struct Columns<'a> {
    ids: Vec<&'a str>,
    /// The row before is this one's predecessor.
    follows: Vec<bool>,
    sequences: Vec<i64>,
    types: Vec<&'a str>,
    versions: Vec<&'a str>,
    payloads: Vec<JsonText<'a>>,
    metadata: Vec<JsonText<'a>>,
    hashes: Vec<&'a [u8]>,
    /// Keys that must not have been erased, and whose they are.
    sealed_ids: Vec<&'a str>,
    sealed_for: Vec<String>,
    answers: Answers<'a>,
}

#[derive(Default)]
struct Answers<'a> {
    ids: Vec<&'a str>,
    versions: Vec<i64>,
    actors: Vec<&'a str>,
    keys: Vec<&'a str>,
    bodies: Vec<&'a [u8]>,
}

impl<'a> Columns<'a> {
    fn of<A: Aggregate>(shares: &'a [Share<'_, A>]) -> Columns<'a> {
        let mut columns = Columns::default();
        for share in shares {
            let prepared = share.prepared;
            for (place, row) in prepared.rows.iter().enumerate() {
                columns.ids.push(&prepared.aggregate_id);
                columns.follows.push(place > 0);
                columns.sequences.push(row.sequence);
                columns.types.push(&row.event_type);
                columns.versions.push(&row.event_version);
                columns.payloads.push(JsonText(&row.payload));
                columns.metadata.push(JsonText(&prepared.metadata));
                columns.hashes.push(&row.hash);
            }
            for subject in &prepared.sealed_for {
                columns.sealed_ids.push(&prepared.aggregate_id);
                columns.sealed_for.push(subject.to_string());
            }
            if let (Some(request), Some(last)) = (share.request, prepared.rows.last()) {
                columns.answers.ids.push(&prepared.aggregate_id);
                columns.answers.versions.push(last.sequence);
                columns.answers.actors.push(&request.actor);
                columns.answers.keys.push(&request.key);
                columns.answers.bodies.push(&request.body_hash);
            }
        }
        columns
    }

    /// An event without its predecessor is left out, so that no gap is written, and so is one sealed under a key that has
    /// been erased.
    fn events(&self, aggregate_type: &'a str, left_out: &str, statement: &mut Statement) -> String {
        let kind = statement.bind(aggregate_type);
        let columns = [
            statement.bind(&self.ids),
            statement.bind(&self.follows),
            statement.bind(&self.sequences),
            statement.bind(&self.types),
            statement.bind(&self.versions),
            statement.bind(&self.payloads),
            statement.bind(&self.metadata),
            statement.bind(&self.hashes),
        ];
        format!(
            "INSERT INTO events (aggregate_type, aggregate_id, sequence, event_type, event_version, payload, metadata,
                                 hash)
             SELECT {kind}, id, new.sequence, type, version, payload, metadata, hash
             FROM unnest({}) WITH ORDINALITY
                  AS new (id, follows, sequence, type, version, payload, metadata, hash, place)
             WHERE (follows
                    OR new.sequence = 1
                    OR EXISTS (SELECT FROM events
                               WHERE aggregate_type = {kind} AND aggregate_id = id
                                 AND events.sequence = new.sequence - 1))
               AND {left_out}
             ORDER BY place",
            columns.join(", ")
        )
    }

    /// All of them, if none is sealed under an erased key; one that is there already is an error.
    fn insert_events(&self, aggregate_type: &'a str, statement: &mut Statement) {
        let sealed_for = statement.bind(&self.sealed_for);
        let erased = format!(
            "NOT EXISTS (SELECT FROM unnest({sealed_for}) AS sealed (subject) JOIN keys.data_keys USING (subject)
                         WHERE wrapped IS NULL)"
        );
        let sql = self.events(aggregate_type, &erased, statement);
        statement.part(
            "appended",
            &format!("{sql} RETURNING aggregate_id, sequence, position"),
        );
    }

    /// Those that can be stored: those sealed under an erased key are in `erased`, and one that is there already is left
    /// out.
    fn insert_events_without_clashes(&self, aggregate_type: &'a str, statement: &mut Statement) {
        let (ids, subjects) = (statement.bind(&self.sealed_ids), statement.bind(&self.sealed_for));
        statement.part(
            "erased",
            &format!(
                "SELECT DISTINCT id
                 FROM unnest({ids}, {subjects}) AS sealed (id, subject) JOIN keys.data_keys USING (subject)
                 WHERE wrapped IS NULL"
            ),
        );
        let sql = self.events(aggregate_type, "id NOT IN (SELECT id FROM erased)", statement);
        let clash = "ON CONFLICT ON CONSTRAINT events_pkey DO NOTHING";
        statement.part(
            "appended",
            &format!("{sql} {clash} RETURNING aggregate_id, sequence, position"),
        );
    }

    /// The answers to the requests whose events are stored.
    fn insert_answers(&self, clash: &str, statement: &mut Statement) {
        let answers = &self.answers;
        let columns = [
            statement.bind(&answers.ids),
            statement.bind(&answers.versions),
            statement.bind(&answers.actors),
            statement.bind(&answers.keys),
            statement.bind(&answers.bodies),
        ];
        statement.part(
            "answered",
            &format!(
                "INSERT INTO requests (actor, key, body_hash, aggregate_id, version, position)
                 SELECT actor, key, body, appended.aggregate_id, appended.sequence, appended.position
                 FROM unnest({}) AS asked (id, version, actor, key, body)
                      JOIN appended ON appended.aggregate_id = asked.id AND appended.sequence = asked.version
                 {clash} RETURNING aggregate_id",
                columns.join(", ")
            ),
        );
    }
}

/// Events and request keys in one statement that leaves out what can't be stored, and how each share fared.
async fn insert<A: Aggregate>(
    connection: &mut PgConnection,
    shares: &[Share<'_, A>],
) -> Result<Vec<Verdict>, sqlx::Error> {
    let columns = Columns::of(shares);
    let mut statement = Statement::default();
    columns.insert_events_without_clashes(A::TYPE, &mut statement);
    columns.insert_answers(
        "ON CONFLICT ON CONSTRAINT requests_pkey DO NOTHING",
        &mut statement,
    );
    // Those sealed under an erased key come back with sequence 0.
    let (sql, arguments) = statement.end(
        "SELECT aggregate_id, sequence, pg_current_xact_id()::text::bigint, position,
                aggregate_id IN (SELECT aggregate_id FROM answered)
         FROM appended
         UNION ALL SELECT id, 0, 0, 0, false FROM erased",
    )?;
    let stored: Vec<(String, i64, i64, i64, bool)> =
        sqlx::query_as_with(&sql, arguments).fetch_all(connection).await?;
    let mut found: HashMap<&str, (usize, Appended, bool)> = HashMap::with_capacity(shares.len());
    for (id, sequence, transaction_id, position, answered) in &stored {
        let appended = Appended::at(*sequence, *transaction_id, *position);
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
