//! Who is behind a way to be reached: a person for each keyed digest of a contact.

use crate::{
    connection::Exclusive,
    error::LogError,
    execute::{EventLog, Logged},
    statement::Statement,
    write::Share,
};
use cqrs_es::Aggregate;
use onetrip_model::PersonId;
use sqlx::PgConnection;
use std::collections::HashMap;
use uuid::Uuid;

/// [`crate::Vault::digest`] of a contact.
pub(crate) type ContactDigest = [u8; 32];

impl<A: Logged> EventLog<A> {
    /// The person who was met under this digest of a contact; None for somebody new. Looked up together with what others
    /// ask.
    pub async fn person_behind(&self, digest: ContactDigest) -> Result<Option<PersonId>, LogError<A::Error>> {
        let log = self.clone();
        let answer = move |digests: Vec<ContactDigest>| {
            let log = log.clone();
            async move { log.persons_behind(&digests).await }
        };
        self.persons().ask(digest, answer).await
    }

    async fn persons_behind(&self, digests: &[ContactDigest]) -> Result<Vec<Option<PersonId>>, sqlx::Error> {
        let wanted: Vec<&[u8]> = digests.iter().map(|digest| &digest[..]).collect();
        let mut connection = Exclusive::acquire(self.own_pool()).await?;
        let found: Vec<(Vec<u8>, Uuid)> = sqlx::query_as(
            "SELECT contact_digest, person_id FROM keys.persons WHERE contact_digest = ANY($1)",
        )
        .bind(&wanted)
        .fetch_all(&mut *connection)
        .await?;
        connection.release();
        let found: HashMap<Vec<u8>, Uuid> = found.into_iter().collect();
        let persons = digests
            .iter()
            .map(|digest| found.get(&digest[..]).copied().map(PersonId));
        Ok(persons.collect())
    }
}

/// The persons of a batch, in one order everywhere, so that two batches wait for each other and don't lock up.
fn persons_of<'a, A: Aggregate>(shares: &'a [Share<'_, A>]) -> (Vec<&'a [u8]>, Vec<Uuid>) {
    let persons = shares.iter().filter_map(|share| share.prepared.person.as_ref());
    let mut persons: Vec<_> = persons.collect();
    persons.sort_by_key(|(_, digest)| digest);
    persons
        .into_iter()
        .map(|(person, digest)| (&digest[..], person.0))
        .unzip()
}

/// Remembers the persons of a batch in the statement of its append; one that is known by now is an error.
pub(crate) fn insert_persons_beside<A: Aggregate>(shares: &[Share<'_, A>], statement: &mut Statement) {
    let (digests, ids) = persons_of(shares);
    if ids.is_empty() {
        return;
    }
    let columns = [statement.bind(digests), statement.bind(ids)].join(", ");
    statement.part(
        "persons",
        &format!("INSERT INTO keys.persons (contact_digest, person_id) SELECT * FROM unnest({columns})"),
    );
}

/// Remembers the persons of a batch; those that were not known yet.
pub(crate) async fn insert_persons<A: Aggregate>(
    connection: &mut PgConnection,
    shares: &[Share<'_, A>],
) -> Result<Vec<Uuid>, sqlx::Error> {
    let (digests, ids) = persons_of(shares);
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    sqlx::query_scalar(
        "INSERT INTO keys.persons (contact_digest, person_id) SELECT * FROM unnest($1::bytea[], $2::uuid[])
         ON CONFLICT DO NOTHING RETURNING person_id",
    )
    .bind(&digests)
    .bind(&ids)
    .fetch_all(connection)
    .await
}
