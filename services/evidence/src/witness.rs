//! Handing heads to who keeps them outside: each head to each witness, at least once, in order.

use crate::{
    error::EvidenceError,
    store::{self, StoredHead},
    verify::file_name,
};
use onetrip_event_log::Pool;
use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use uuid::Uuid;

/// Heads read at once.
const PAGE: i64 = 100;
/// A witness has this long to take a head.
const PATIENCE: Duration = Duration::from_secs(10);
/// Counted at most when asking how far a witness is behind.
const BACKLOG_MAX: i64 = 10_000;

/// Where heads go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Witness {
    /// A file a head.
    Folder(PathBuf),
    /// A POST a head.
    Http(String),
}

#[derive(Debug, thiserror::Error)]
pub enum DeliveryError {
    /// Somebody has been shown another log.
    #[error("it already holds another head for {0} events")]
    Conflict(u64),
    #[error("{0}")]
    File(#[from] io::Error),
    #[error("it answered {0}")]
    Status(u16),
    #[error("{0}")]
    Http(String),
    #[error(transparent)]
    Evidence(#[from] EvidenceError),
}

impl From<sqlx::Error> for DeliveryError {
    fn from(error: sqlx::Error) -> Self {
        DeliveryError::Evidence(error.into())
    }
}

impl Witness {
    /// For metrics, logs and the record of what was delivered: without what may be secret in an address.
    pub fn name(&self) -> String {
        match self {
            Witness::Folder(folder) => format!("folder {}", folder.display()),
            Witness::Http(url) => {
                let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
                let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
                let host = rest[..end].rsplit('@').next().unwrap_or_default();
                let path = rest[end..].split(['?', '#']).next().unwrap_or_default();
                format!("{scheme}://{host}{path}")
            }
        }
    }

    fn hand(&self, agent: &ureq::Agent, head: &StoredHead) -> Result<(), DeliveryError> {
        match self {
            Witness::Folder(folder) => hand_to_folder(folder, head),
            Witness::Http(url) => hand_to_endpoint(agent, url, head),
        }
    }
}

/// Delivers to one witness.
#[derive(Clone)]
pub struct Delivery {
    pool: Pool,
    witness: Arc<Witness>,
    agent: ureq::Agent,
}

impl Delivery {
    pub fn new(pool: impl Into<Pool>, witness: Witness) -> Delivery {
        let config = ureq::Agent::config_builder()
            .timeout_global(Some(PATIENCE))
            // An operator has named this address, and no other.
            .max_redirects(0)
            .http_status_as_error(false)
            .build();
        Delivery {
            pool: pool.into(),
            witness: Arc::new(witness),
            agent: ureq::Agent::new_with_config(config),
        }
    }

    pub fn name(&self) -> String {
        self.witness.name()
    }

    /// Hands over what the witness has not got yet; how many. Each head that it took is remembered, so that a failure
    /// costs one that is handed over again.
    pub async fn step(&self) -> Result<u64, DeliveryError> {
        let name = self.name();
        let mut count = 0;
        loop {
            // No transaction is open while a witness takes its time: it would hold back every reader of the log.
            let mut connection = self.pool.acquire().await?;
            let after = store::delivered(&mut connection, &name).await?;
            let heads = store::heads_after(&mut connection, after, PAGE).await?;
            drop(connection);
            if heads.is_empty() {
                return Ok(count);
            }
            for head in heads {
                let (witness, agent, size) = (Arc::clone(&self.witness), self.agent.clone(), head.size);
                tokio::task::spawn_blocking(move || witness.hand(&agent, &head))
                    .await
                    .map_err(|error| DeliveryError::Http(error.to_string()))??;
                store::set_delivered(&mut *self.pool.acquire().await?, &name, size).await?;
                count += 1;
            }
        }
    }

    /// Heads that the witness has not got; at most 10,000 are counted.
    pub async fn backlog(&self) -> Result<i64, sqlx::Error> {
        store::backlog(&mut *self.pool.acquire().await?, &self.name(), BACKLOG_MAX).await
    }
}

/// The file appears whole or not at all, and never in the place of another.
fn hand_to_folder(folder: &Path, head: &StoredHead) -> Result<(), DeliveryError> {
    let file = folder.join(file_name(head.size));
    // A name nobody has used: one left by a process that was killed may be the finished file by another name.
    let unfinished = folder.join(format!(".{}.{}", file_name(head.size), Uuid::now_v7()));
    let written = (|| {
        let mut temporary = fs::File::create_new(&unfinished)?;
        temporary.write_all(head.note.as_bytes())?;
        temporary.sync_all()?;
        fs::hard_link(&unfinished, &file)?;
        fs::File::open(folder)?.sync_all()
    })();
    let removed = fs::remove_file(&unfinished);
    match written {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            if fs::read_to_string(&file)? == head.note {
                Ok(())
            } else {
                Err(DeliveryError::Conflict(head.size))
            }
        }
        Err(error) => Err(error.into()),
        Ok(()) => Ok(removed?),
    }
}

fn hand_to_endpoint(agent: &ureq::Agent, url: &str, head: &StoredHead) -> Result<(), DeliveryError> {
    let answer = agent
        .post(url)
        .header("Content-Type", "text/plain; charset=utf-8")
        .send(&head.note)
        .map_err(|error| DeliveryError::Http(error.to_string()))?;
    match answer.status().as_u16() {
        200..300 => Ok(()),
        409 => Err(DeliveryError::Conflict(head.size)),
        status => Err(DeliveryError::Status(status)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_no_secrets() {
        let name = |url: &str| Witness::Http(url.to_owned()).name();
        assert_eq!(
            name("https://u:p@w.example:8443/heads?token=x"),
            "https://w.example:8443/heads"
        );
        assert_eq!(name("http://w.example#x"), "http://w.example");
    }

    #[test]
    fn a_file_is_never_overwritten() {
        let folder = std::env::temp_dir().join(format!("onetrip-witness-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let mut head = StoredHead {
            size: 7,
            note: "one\n".to_owned(),
            made_at: chrono::DateTime::UNIX_EPOCH,
        };
        hand_to_folder(&folder, &head).unwrap();
        hand_to_folder(&folder, &head).unwrap();
        head.note = "another\n".to_owned();
        assert!(matches!(
            hand_to_folder(&folder, &head),
            Err(DeliveryError::Conflict(7))
        ));
        let files: Vec<_> = fs::read_dir(&folder)
            .unwrap()
            .map(|file| file.unwrap().file_name())
            .collect();
        assert_eq!(files, ["00000000000000000007.head"]);
        assert_eq!(fs::read_to_string(folder.join(&files[0])).unwrap(), "one\n");
        fs::remove_dir_all(&folder).unwrap();
    }
}
