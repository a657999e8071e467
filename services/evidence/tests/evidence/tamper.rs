//! Ways to tamper with the log as a superuser.

use crate::common::*;
use onetrip_event_log::{
    Cursor,
    audit::audit,
    chain::{Hash, Link, NO_PREDECESSOR},
};
use onetrip_evidence::{Frontier, Head, NO_HEAD, Signer, hash_node, leaf_of};
use sqlx::{PgConnection, Row};
use std::ops::ControlFlow;

/// A row of the log as text: what anybody could read, so that whether two logs differ is not ours to judge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub columns: Vec<Option<String>>,
}

pub const COLUMNS: [&str; 11] = [
    "transaction_id",
    "position",
    "recorded_at",
    "aggregate_type",
    "aggregate_id",
    "sequence",
    "event_type",
    "event_version",
    "payload",
    "metadata",
    "hash",
];

impl Line {
    pub fn get(&self, column: &str) -> &str {
        let place = COLUMNS.iter().position(|name| *name == column).unwrap();
        self.columns[place].as_deref().unwrap_or_default()
    }
}

pub async fn lines(connection: &mut PgConnection) -> Vec<Line> {
    sqlx::query(
        "SELECT transaction_id::text, position::text, encode(timestamptz_send(recorded_at), 'hex'), aggregate_type,
                aggregate_id, sequence::text, event_type, event_version, payload::text, metadata::text,
                encode(hash, 'hex')
         FROM events ORDER BY events.transaction_id, events.position",
    )
    .fetch_all(connection)
    .await
    .unwrap()
    .into_iter()
    .map(|row| Line {
        columns: (0..COLUMNS.len()).map(|place| row.get(place)).collect(),
    })
    .collect()
}

/// Where two logs begin to differ.
pub fn first_difference(before: &[Line], after: &[Line]) -> Option<u64> {
    let same = before
        .iter()
        .zip(after)
        .take_while(|(before, after)| before == after)
        .count();
    (same < before.len().max(after.len())).then_some(same as u64)
}

type Tried = Result<(), sqlx::Error>;

async fn run(connection: &mut PgConnection, sql: &str) -> Tried {
    sqlx::query(sql).execute(connection).await.map(|_| ())
}

fn this(line: &Line) -> String {
    format!(
        "transaction_id = '{}' AND position = {}",
        line.get("transaction_id"),
        line.get("position")
    )
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// One bit of one column.
pub async fn flip(connection: &mut PgConnection, random: &mut Random, lines: &[Line]) -> Tried {
    let line = random.pick(lines);
    let place = random.below(COLUMNS.len());
    let (column, value) = (COLUMNS[place], line.columns[place].clone());
    let bit = random.next();
    let new = match column {
        "transaction_id" => {
            let id: u64 = line.get(column).parse().unwrap();
            format!("'{}'", id ^ 1 << (bit % 64))
        }
        "position" | "sequence" => {
            let number: i64 = line.get(column).parse().unwrap();
            format!("({})", number ^ 1 << (bit % 63))
        }
        "recorded_at" => format!(
            "timestamptz '2000-01-01 00:00:00Z' + ({} * interval '1 microsecond')",
            i64::from_str_radix(line.get(column), 16).unwrap() ^ 1 << (bit % 56)
        ),
        "hash" => match value {
            None => return Err(sqlx::Error::RowNotFound),
            Some(hash) => format!(
                "set_bit('\\x{hash}'::bytea, {}, 1 - get_bit('\\x{hash}'::bytea, {0}))",
                bit % 256
            ),
        },
        _ => {
            let mut bytes = value.unwrap_or_default().into_bytes();
            if bytes.is_empty() {
                return Err(sqlx::Error::RowNotFound);
            }
            let byte = random.below(bytes.len());
            bytes[byte] ^= 1 << (bit % 8);
            // What is no text is no value of a text column: PostgreSQL would refuse it.
            quoted(&String::from_utf8(bytes).map_err(|_| sqlx::Error::RowNotFound)?)
        }
    };
    run(
        connection,
        &format!("UPDATE events SET {column} = {new} WHERE {}", this(line)),
    )
    .await
}

/// Two rows change places, whole or in some columns.
pub async fn swap(connection: &mut PgConnection, random: &mut Random, lines: &[Line]) -> Tried {
    let (a, b) = (random.pick(lines), random.pick(lines));
    let exchange = async |connection: &mut PgConnection, columns: &[&str]| {
        let list = columns.join(", ");
        run(
            connection,
            &format!(
                "CREATE TEMP TABLE pair ON COMMIT DROP AS SELECT * FROM events WHERE ({}) OR ({})",
                this(a),
                this(b)
            ),
        )
        .await?;
        run(
            connection,
            &format!("DELETE FROM events WHERE ({}) OR ({})", this(a), this(b)),
        )
        .await?;
        let others: Vec<&str> = COLUMNS
            .into_iter()
            .filter(|name| !columns.contains(name))
            .collect();
        let others = others.join(", ");
        let other = |name: &str| {
            columns
                .iter()
                .map(|column| format!("{name}.{column}"))
                .collect::<Vec<_>>()
                .join(", ")
        };
        let own = others
            .split(", ")
            .map(|column| format!("one.{column}"))
            .collect::<Vec<_>>()
            .join(", ");
        run(
            connection,
            &format!(
                "INSERT INTO events ({others}, {list}) SELECT {own}, {} FROM pair AS one, pair AS two
                 WHERE (one.transaction_id, one.position) <> (two.transaction_id, two.position)",
                other("two")
            ),
        )
        .await
    };
    match random.below(5) {
        0 => exchange(connection, &["transaction_id", "position"]).await,
        1 => exchange(connection, &["payload"]).await,
        2 => {
            exchange(
                connection,
                &["payload", "metadata", "event_type", "event_version", "hash"],
            )
            .await
        }
        3 => exchange(connection, &["aggregate_type", "aggregate_id", "sequence"]).await,
        _ => exchange(connection, &["hash"]).await,
    }
}

/// A new event between those that are there.
pub async fn insert(connection: &mut PgConnection, random: &mut Random, lines: &[Line]) -> Tried {
    let (model, place) = (random.pick(lines), random.pick(lines));
    let (id, sequence) = match random.below(2) {
        0 => ("gen_random_uuid()::text".to_owned(), "1".to_owned()),
        _ => (
            "aggregate_id".to_owned(),
            format!("sequence + {}", 1 + random.below(9)),
        ),
    };
    let position = match random.below(3) {
        0 => format!("-{}", 1 + random.next() % (1 << 40)),
        1 => format!("{} + 1 + {}", place.get("position"), random.below(20)),
        _ => format!("{} + {}", place.get("position"), 1_u64 << 40),
    };
    run(
        connection,
        &format!(
            "INSERT INTO events (aggregate_type, aggregate_id, sequence, event_type, event_version, payload, metadata,
                                 hash, recorded_at, transaction_id, position)
             SELECT aggregate_type, {id}, {sequence}, event_type, event_version, payload, metadata, hash, recorded_at,
                    '{}', {position}
             FROM events WHERE {}",
            place.get("transaction_id"),
            this(model)
        ),
    )
    .await?;
    // Half of them with a hash that fits: a chain that anybody can compute.
    if random.below(2) == 0 {
        rechain_all(connection).await
    } else {
        Ok(())
    }
}

pub async fn delete(connection: &mut PgConnection, random: &mut Random, lines: &[Line]) -> Tried {
    let line = random.pick(lines);
    let sql = match random.below(3) {
        0 => format!("DELETE FROM events WHERE {}", this(line)),
        // A whole case, and a case from one event on.
        1 => format!(
            "DELETE FROM events WHERE aggregate_id = {}",
            quoted(line.get("aggregate_id"))
        ),
        _ => format!(
            "DELETE FROM events WHERE aggregate_id = {} AND sequence >= {}",
            quoted(line.get("aggregate_id")),
            line.get("sequence")
        ),
    };
    run(connection, &sql).await
}

pub async fn forget_hash(connection: &mut PgConnection, random: &mut Random, lines: &[Line]) -> Tried {
    let line = random.pick(lines);
    let new = *random.pick(&["NULL", "''", "substring(hash FROM 1 FOR 31)", "hash || '\\x00'"]);
    run(
        connection,
        &format!("UPDATE events SET hash = {new} WHERE {}", this(line)),
    )
    .await
}

/// An event is changed, and all hashes from there on are made anew.
pub async fn change_and_rechain(connection: &mut PgConnection, random: &mut Random, lines: &[Line]) -> Tried {
    let line = random.pick(lines);
    let change = *random.pick(&[
        "payload = '{\"at\":\"2020-01-01T00:00:00Z\"}'",
        "metadata = '{}'",
        "event_type = event_type || 'd'",
        "event_version = '9.9'",
    ]);
    run(
        connection,
        &format!("UPDATE events SET {change} WHERE {}", this(line)),
    )
    .await?;
    rechain_all(connection).await
}

async fn rechain_all(connection: &mut PgConnection) -> Tried {
    let rows = sqlx::query(
        "SELECT aggregate_type, aggregate_id, sequence, event_type, event_version, payload::text AS payload,
                metadata::text AS metadata, hash
         FROM events ORDER BY aggregate_type, aggregate_id, sequence",
    )
    .fetch_all(&mut *connection)
    .await?;
    let mut head: ((String, String), Hash) = Default::default();
    for row in rows {
        let (kind, id, sequence): (String, String, i64) = (
            row.get("aggregate_type"),
            row.get("aggregate_id"),
            row.get("sequence"),
        );
        if head.0 != (kind.clone(), id.clone()) {
            head = ((kind.clone(), id.clone()), NO_PREDECESSOR);
        }
        let stored: Option<Vec<u8>> = row.get("hash");
        if stored.is_none() {
            head.1 = NO_PREDECESSOR;
            continue;
        }
        let link = Link {
            aggregate_type: &kind,
            aggregate_id: &id,
            sequence,
            event_type: row.get("event_type"),
            event_version: row.get("event_version"),
            payload: row.get("payload"),
            metadata: row.get("metadata"),
        };
        head.1 = link.hash(&head.1);
        if stored.as_deref() != Some(&head.1[..]) {
            sqlx::query("UPDATE events SET hash = $4 WHERE aggregate_type = $1 AND aggregate_id = $2 AND sequence = $3")
                .bind(&kind)
                .bind(&id)
                .bind(sequence)
                .bind(&head.1[..])
                .execute(&mut *connection)
                .await?;
        }
    }
    Ok(())
}

/// The tiles and the state made anew, so that they fit the events; the root of every size.
pub async fn reseal(connection: &mut PgConnection) -> Result<Vec<Option<Hash>>, sqlx::Error> {
    let mut leaves: Vec<(Cursor, Hash)> = Vec::new();
    audit(connection, Cursor::BEGINNING, None, None, |event| {
        leaves.push((event.cursor, leaf_of(&event.stamp())));
        ControlFlow::Continue(())
    })
    .await?;
    run(connection, "TRUNCATE tree_tiles").await?;
    let mut roots = Vec::new();
    for (number, tile) in leaves.chunks(256).enumerate() {
        let hashes: Vec<u8> = tile.iter().flat_map(|(_, leaf)| *leaf).collect();
        write_tile(connection, 0, number, hashes, Some(tile[0].0)).await?;
        if tile.len() == 256 {
            let mut level: Vec<Hash> = tile.iter().map(|(_, leaf)| *leaf).collect();
            while level.len() > 1 {
                level = level
                    .chunks(2)
                    .map(|pair| hash_node(&pair[0], &pair[1]))
                    .collect();
            }
            roots.extend(level[0]);
        }
    }
    if !roots.is_empty() {
        write_tile(connection, 1, 0, roots, None).await?;
    }
    let last = leaves.last().map_or(Cursor::BEGINNING, |leaf| leaf.0);
    run(
        connection,
        &format!(
            "UPDATE tree_state SET size = {}, transaction_id = '{}', position = {}",
            leaves.len(),
            last.transaction_id,
            last.position
        ),
    )
    .await?;
    let mut frontier = Frontier::default();
    let mut by_size = vec![None];
    for (_, leaf) in leaves {
        frontier.push(leaf);
        by_size.push(frontier.root());
    }
    Ok(by_size)
}

async fn write_tile(
    connection: &mut PgConnection,
    level: i16,
    number: usize,
    hashes: Vec<u8>,
    first: Option<Cursor>,
) -> Tried {
    sqlx::query("INSERT INTO tree_tiles VALUES ($1, $2, $3, $4::text::xid8, $5)")
        .bind(level)
        .bind(number as i64)
        .bind(hashes)
        .bind(first.map(|first| first.transaction_id.to_string()))
        .bind(first.map(|first| first.position))
        .execute(connection)
        .await
        .map(|_| ())
}

/// Heads for some sizes, signed by whoever, in the place of all that are there.
pub async fn sign_anew(
    connection: &mut PgConnection,
    roots: &[Option<Hash>],
    sizes: &[u64],
    signer: &Signer,
) -> Tried {
    run(connection, "DELETE FROM tree_heads").await?;
    let mut previous = NO_HEAD;
    for (size, time) in sizes.iter().zip(1..) {
        let Some(root) = roots.get(*size as usize).copied().flatten() else {
            continue;
        };
        let time = onetrip_testkit::moments::monday_9am() + chrono::TimeDelta::seconds(10 * time);
        let head = Head {
            size: *size,
            root,
            previous,
            time,
        };
        let note = signer.sign(&head);
        previous = onetrip_evidence::hash_note(&note);
        sqlx::query("INSERT INTO tree_heads VALUES ($1, $2, $3)")
            .bind(*size as i64)
            .bind(note)
            .bind(time)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

/// The log as it was when it had `size` events, tiles and heads included: an old backup.
pub async fn cut(connection: &mut PgConnection, size: usize, lines: &[Line]) -> Tried {
    let first = &lines[size];
    run(
        connection,
        &format!(
            "DELETE FROM events WHERE (transaction_id, position) >= ('{}'::xid8, {})",
            first.get("transaction_id"),
            first.get("position")
        ),
    )
    .await?;
    run(connection, &format!("DELETE FROM tree_heads WHERE size > {size}")).await?;
    reseal(connection).await.map(|_| ())
}

/// The tree itself.
pub async fn tree(connection: &mut PgConnection, random: &mut Random) -> Tried {
    let tiles: i64 = sqlx::query_scalar("SELECT count(*) FROM tree_tiles WHERE level = 0")
        .fetch_one(&mut *connection)
        .await?;
    let tile = random.below(tiles as usize);
    let level = random.below(2);
    let this = if level == 0 {
        format!("level = 0 AND tile = {tile}")
    } else {
        "level = 1".to_owned()
    };
    let bit = random.next() % (8 * 32 * if level == 0 { 40 } else { tiles as u64 - 1 });
    let sql = match random.below(9) {
        0..3 => format!(
            "UPDATE tree_tiles SET hashes = set_bit(hashes, {bit}, 1 - get_bit(hashes, {bit})) WHERE {this}"
        ),
        3 => format!("DELETE FROM tree_tiles WHERE {this}"),
        4 => format!(
            "UPDATE tree_tiles SET hashes = substring(hashes FROM 1 FOR length(hashes) - 32) WHERE {this}"
        ),
        5 => format!("UPDATE tree_tiles SET hashes = hashes || decode(repeat('00', 32), 'hex') WHERE {this}"),
        6 => format!(
            "UPDATE tree_tiles SET first_position = first_position + {} WHERE level = 0 AND tile = {tile}",
            random.pick(&[-300, -1, 1, 2, 300])
        ),
        7 => format!(
            "UPDATE tree_state SET size = size + {}",
            random.pick(&[-1, 1, 256])
        ),
        _ => format!(
            "UPDATE tree_state SET position = position + {}",
            random.pick(&[-1, 1])
        ),
    };
    run(connection, &sql).await
}

/// Signed heads: `sizes` are theirs.
pub async fn heads(connection: &mut PgConnection, random: &mut Random, sizes: &[u64]) -> Tried {
    let size = *random.pick(sizes);
    let other = *random.pick(sizes);
    let sql = match random.below(7) {
        0 => format!("DELETE FROM tree_heads WHERE size = {size}"),
        1 => format!("DELETE FROM tree_heads WHERE size >= {size}"),
        2 => format!("UPDATE tree_heads SET size = size + 1 WHERE size = {size}"),
        3 => format!("UPDATE tree_heads SET made_at = made_at - interval '1 second' WHERE size = {size}"),
        4 if other == size => return Err(sqlx::Error::RowNotFound),
        4 => format!(
            "UPDATE tree_heads SET note = (SELECT note FROM tree_heads WHERE size = {other}) WHERE size = {size}"
        ),
        5 => {
            let (roots, mallory) = (reseal(connection).await?, Signer::from_seed(&[9; 32], ORIGIN));
            return sign_anew(connection, &roots, sizes, &mallory.unwrap()).await;
        }
        _ => {
            let note: String = sqlx::query_scalar("SELECT note FROM tree_heads WHERE size = $1")
                .bind(size as i64)
                .fetch_one(&mut *connection)
                .await?;
            let mut note = note.into_bytes();
            let byte = random.below(note.len());
            note[byte] ^= 1 << random.below(8);
            let note = String::from_utf8(note).map_err(|_| sqlx::Error::RowNotFound)?;
            format!(
                "UPDATE tree_heads SET note = {} WHERE size = {size}",
                quoted(&note)
            )
        }
    };
    run(connection, &sql).await
}
