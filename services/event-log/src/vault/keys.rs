//! Where data keys come from: the process's memory, the database, or made anew and written with the append.

use super::{
    Vault, VaultError,
    cipher::{DataKey, KEY_BYTES, open, seal},
    private::seal_event,
};
use crate::{pool::Pool, statement::Statement};
use onetrip_model::{HoldsPrivate, Subject};
use quick_cache::sync::Cache;
use sqlx::PgConnection;
use std::{
    collections::{BTreeSet, HashMap, HashSet},
    time::{Duration, Instant},
};
use zeroize::Zeroize;

/// Data keys kept in memory for sealing.
const REMEMBERED: usize = 16_384;
/// How long an erased one may stay in a process's memory. It seals nothing any more: each append looks.
const REMEMBERED_FOR: Duration = Duration::from_secs(60);

/// A data key that is not in the database yet.
#[derive(Clone)]
pub(crate) struct NewKey {
    pub subject: Subject,
    wrapped: Vec<u8>,
    key: DataKey,
}

/// The keys of some subjects; those made anew have to be written in the transaction of what was sealed under them.
#[derive(Default)]
pub(crate) struct Keyring {
    keys: HashMap<Subject, DataKey>,
    pub new: Vec<NewKey>,
    /// Subjects whose key is in the database, or was when this process last looked.
    pub known: Vec<Subject>,
}

impl Keyring {
    /// Seals every open private value of `event`.
    pub fn seal(&self, event: &mut impl HoldsPrivate) -> Result<(), VaultError> {
        seal_event(event, &self.keys)
    }
}

/// Keys this process has lately seen in the database.
pub(super) struct Remembered {
    keys: Cache<Subject, (DataKey, Instant)>,
}

impl Remembered {
    pub fn new() -> Remembered {
        Remembered {
            keys: Cache::new(REMEMBERED),
        }
    }

    fn get(&self, subject: &Subject) -> Option<DataKey> {
        let (key, seen) = self.keys.get(subject)?;
        (seen.elapsed() < REMEMBERED_FOR).then_some(key)
    }

    fn insert(&self, subject: Subject, key: DataKey) {
        self.keys.insert(subject, (key, Instant::now()));
    }
}

impl Vault {
    /// The keys of `subjects`. Those in `first_seen` are known to the caller to have none yet and are not looked for;
    /// if one has a key all the same, [`Vault::write_keys`] tells.
    pub(crate) async fn keyring(
        &self,
        pool: &Pool,
        subjects: &BTreeSet<Subject>,
        first_seen: &[Subject],
    ) -> Result<Keyring, VaultError> {
        let mut ring = Keyring::default();
        let mut unknown = BTreeSet::new();
        for subject in subjects {
            if first_seen.contains(subject) {
                self.make(&mut ring, *subject)?;
            } else if let Some(key) = self.remembered.get(subject) {
                ring.keys.insert(*subject, key);
                ring.known.push(*subject);
            } else {
                unknown.insert(*subject);
            }
        }
        if unknown.is_empty() {
            return Ok(ring);
        }
        let mut connection = pool.acquire().await?;
        let mut found = self.find(&mut connection, &unknown).await?;
        connection.release();
        for subject in unknown {
            match found.remove(&subject) {
                Some(Some(key)) => {
                    self.remembered.insert(subject, key.clone());
                    ring.keys.insert(subject, key);
                    ring.known.push(subject);
                }
                Some(None) => return Err(VaultError::Erased(subject)),
                None => self.make(&mut ring, subject)?,
            }
        }
        Ok(ring)
    }

    fn make(&self, ring: &mut Keyring, subject: Subject) -> Result<(), VaultError> {
        let key = DataKey::random()?;
        let wrapped = seal(&self.keys.wrapping, subject.to_string().as_bytes(), &key.0)?;
        ring.keys.insert(subject, key.clone());
        ring.new.push(NewKey {
            subject,
            wrapped,
            key,
        });
        Ok(())
    }

    /// Writes new keys; the subjects whose key somebody else wrote first, so that what was sealed under ours would
    /// never open again.
    pub(crate) async fn write_keys(
        &self,
        connection: &mut PgConnection,
        mut keys: Vec<&NewKey>,
    ) -> Result<HashSet<Subject>, sqlx::Error> {
        if keys.is_empty() {
            return Ok(HashSet::new());
        }
        let (names, wrapped) = columns(&mut keys);
        let written: HashSet<Vec<u8>> = sqlx::query_scalar(
            "INSERT INTO keys.data_keys (subject, wrapped) SELECT * FROM unnest($1::text[], $2::bytea[])
             ON CONFLICT (subject) DO NOTHING RETURNING wrapped",
        )
        .bind(&names)
        .bind(&wrapped)
        .fetch_all(connection)
        .await?
        .into_iter()
        .collect();
        let lost = keys.iter().filter(|key| !written.contains(&key.wrapped));
        Ok(lost.map(|key| key.subject).collect())
    }

    /// Writes new keys in the statement of their append; one that somebody else wrote first is an error.
    pub(crate) fn write_keys_beside(mut keys: Vec<&NewKey>, statement: &mut Statement) {
        if keys.is_empty() {
            return;
        }
        let (names, wrapped) = columns(&mut keys);
        let columns = [statement.bind(names), statement.bind(wrapped)].join(", ");
        statement.part(
            "keys",
            &format!("INSERT INTO keys.data_keys (subject, wrapped) SELECT * FROM unnest({columns})"),
        );
    }

    /// Keeps keys whose transaction has been committed.
    pub(crate) fn remember<'a>(&self, keys: impl IntoIterator<Item = &'a NewKey>) {
        for new in keys {
            self.remembered.insert(new.subject, new.key.clone());
        }
    }

    /// Looks these up again next time.
    pub(crate) fn forget(&self, subjects: &[Subject]) {
        for subject in subjects {
            self.remembered.keys.remove(subject);
        }
    }

    /// Keeps the key that was read beside the events of its subject.
    pub(crate) fn remember_wrapped(&self, subject: Subject, wrapped: &[u8]) -> Result<(), VaultError> {
        let key = self.unwrap_key(subject, wrapped)?;
        self.remembered.insert(subject, key);
        Ok(())
    }

    /// The key of one subject, made if there is none.
    pub(super) async fn key_of(
        &self,
        connection: &mut PgConnection,
        subject: Subject,
    ) -> Result<DataKey, VaultError> {
        let wanted = BTreeSet::from([subject]);
        let mut found = self.find(connection, &wanted).await?;
        if found.is_empty() {
            let mut ring = Keyring::default();
            self.make(&mut ring, subject)?;
            self.write_keys(connection, ring.new.iter().collect()).await?;
            found = self.find(connection, &wanted).await?;
        }
        found
            .remove(&subject)
            .flatten()
            .ok_or(VaultError::Erased(subject))
    }

    /// Known subjects; None for the erased.
    pub(super) async fn find(
        &self,
        connection: &mut PgConnection,
        subjects: &BTreeSet<Subject>,
    ) -> Result<HashMap<Subject, Option<DataKey>>, VaultError> {
        let names: Vec<String> = subjects.iter().map(Subject::to_string).collect();
        let rows: Vec<(String, Option<Vec<u8>>)> =
            sqlx::query_as("SELECT subject, wrapped FROM keys.data_keys WHERE subject = ANY($1)")
                .bind(&names)
                .fetch_all(connection)
                .await?;
        let mut keys = HashMap::with_capacity(rows.len());
        for (name, wrapped) in rows {
            let subject: Subject = name.parse().map_err(|_| VaultError::DoesNotOpen)?;
            let key = wrapped
                .map(|wrapped| self.unwrap_key(subject, &wrapped))
                .transpose()?;
            keys.insert(subject, key);
        }
        Ok(keys)
    }

    fn unwrap_key(&self, subject: Subject, wrapped: &[u8]) -> Result<DataKey, VaultError> {
        let mut plain = open(&self.keys.wrapping, subject.to_string().as_bytes(), wrapped)?;
        let key = <[u8; KEY_BYTES]>::try_from(plain.as_slice()).map_err(|_| VaultError::DoesNotOpen);
        plain.zeroize();
        Ok(DataKey(key?))
    }
}

/// Names and wrapped keys, in one order everywhere, so that two appends that make the same keys wait for each other and
/// don't lock up.
fn columns<'a>(keys: &mut [&'a NewKey]) -> (Vec<String>, Vec<&'a [u8]>) {
    keys.sort_by_key(|key| key.subject);
    keys.iter()
        .map(|key| (key.subject.to_string(), &*key.wrapped))
        .unzip()
}
