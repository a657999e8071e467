//! The sealer: takes what lies behind the horizon into the tree, and signs a head over it.

use crate::{
    error::EvidenceError,
    note::{Head, NO_HEAD, NoteFault, Signer, hash_note},
    store::{self, State, StoredHead},
    tiles::{Edge, open_tiles},
    tree::leaf_of,
};
use chrono::{DateTime, SubsecRound, Utc};
use onetrip_event_log::{Pool, audit::stamps_after};
use sqlx::PgConnection;
use std::{sync::Arc, time::Duration};

/// Leaves of one transaction: while it writes them, readers of the log wait at its horizon.
const LEAVES_MAX: i64 = 4_096;

/// Seals the log. Cheap to clone; several at once do no harm.
#[derive(Clone)]
pub struct Sealer {
    pool: Pool,
    signer: Arc<Signer>,
    head_every: Duration,
}

/// What a turn of the sealer did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sealed {
    pub leaves: u64,
    pub head: Option<StoredHead>,
    /// There may be more to seal at once.
    pub more: bool,
}

impl Sealer {
    /// A head is made at most every `head_every`, and only when there is something new.
    pub fn new(pool: impl Into<Pool>, signer: Arc<Signer>, head_every: Duration) -> Sealer {
        Sealer {
            pool: pool.into(),
            signer,
            head_every,
        }
    }

    pub fn signer(&self) -> &Arc<Signer> {
        &self.signer
    }

    /// One turn: up to 4,096 leaves and, if it is time for one, a head, in one transaction.
    pub async fn step(&self, now: DateTime<Utc>) -> Result<Sealed, EvidenceError> {
        let mut connection = self.pool.acquire().await?;
        // All of this is read outside of the transaction that writes: it is checked there that nobody else was faster.
        let before = store::state_there(&mut connection).await?;
        let newest = store::newest_head(&mut connection).await?;
        // A head from the future, made while the clock was wrong, is not waited for.
        let due = newest
            .as_ref()
            .is_none_or(|head| now < head.made_at || now - head.made_at >= as_delta(self.head_every));
        let stamps = stamps_after(&mut connection, before.last, LEAVES_MAX).await?;
        let covered = newest.as_ref().map_or(0, |head| head.size);
        if stamps.is_empty() && (!due || covered >= before.size) {
            return Ok(Sealed::default());
        }
        let tiles = store::tiles(&mut connection, open_tiles(before.size)).await?;
        let Some(mut edge) = Edge::resume(before.size, &tiles) else {
            // Either another sealer has written in between, or they are damaged.
            if store::state_there(&mut connection).await? != before {
                return Ok(Sealed {
                    more: true,
                    ..Sealed::default()
                });
            }
            return Err(EvidenceError::Broken(
                "its newest tiles do not have its size".to_owned(),
            ));
        };
        drop(connection);
        let changed = edge.push(stamps.iter().map(|stamp| (stamp.cursor, leaf_of(stamp))));
        let after = State {
            size: edge.size(),
            last: stamps.last().map_or(before.last, |stamp| stamp.cursor),
        };
        let more = stamps.len() as i64 == LEAVES_MAX;
        // The one after what is still to be sealed covers that too; but there is always one, and never a late one.
        let late = newest
            .as_ref()
            .is_none_or(|head| now - head.made_at >= as_delta(self.head_every) * 2);
        let head = match edge.frontier().root() {
            Some(root) if due && (!more || late) && after.size > covered => {
                Some(self.head(after.size, root, newest.as_ref(), now)?)
            }
            _ => None,
        };

        let mut transaction = self.pool.begin().await?;
        if !store::advance(&mut transaction, before, after).await?
            || !self.is_newest(&mut transaction, covered).await?
        {
            transaction.rollback().await?;
            return Ok(Sealed {
                more: true,
                ..Sealed::default()
            });
        }
        if !changed.is_empty() {
            store::write_tiles(&mut transaction, &changed).await?;
        }
        if let Some(head) = &head {
            store::write_head(&mut transaction, head).await?;
        }
        transaction.commit().await?;
        Ok(Sealed {
            leaves: stamps.len() as u64,
            more,
            head,
        })
    }

    /// Seals everything that can be sealed now; the newest head it made.
    pub async fn catch_up(&self, now: impl Fn() -> DateTime<Utc>) -> Result<Sealed, EvidenceError> {
        let mut all = Sealed::default();
        loop {
            let step = self.step(now()).await?;
            all.leaves += step.leaves;
            all.head = step.head.or(all.head);
            if !step.more {
                return Ok(all);
            }
        }
    }

    /// Nobody else has made a head since: asked with the state's row held.
    async fn is_newest(&self, connection: &mut PgConnection, covered: u64) -> Result<bool, sqlx::Error> {
        let newest = store::newest_head(connection).await?;
        Ok(newest.map_or(0, |head| head.size) == covered)
    }

    fn head(
        &self,
        size: u64,
        root: [u8; 32],
        newest: Option<&StoredHead>,
        now: DateTime<Utc>,
    ) -> Result<StoredHead, EvidenceError> {
        let verifier = self.signer.verifier();
        let (previous, not_before) = match newest {
            None => (NO_HEAD, DateTime::UNIX_EPOCH),
            Some(stored) => match verifier.open(&stored.note) {
                Ok(head) => (hash_note(&stored.note), head.time),
                Err(NoteFault::OtherKey) => {
                    let signed = stored.note.lines().next().unwrap_or_default().to_owned();
                    return Err(if signed == verifier.origin() {
                        EvidenceError::Broken("its newest head is signed by another key".to_owned())
                    } else {
                        EvidenceError::OtherOrigin {
                            signed,
                            set: verifier.origin().to_owned(),
                        }
                    });
                }
                Err(fault) => return Err(EvidenceError::Broken(format!("its newest head: {fault}"))),
            },
        };
        // A clock that was set back makes no head that is older than the one before.
        let time = now.trunc_subsecs(0).max(not_before);
        let note = self.signer.sign(&Head {
            size,
            root,
            previous,
            time,
        });
        Ok(StoredHead {
            size,
            note,
            made_at: time,
        })
    }
}

fn as_delta(duration: Duration) -> chrono::TimeDelta {
    chrono::TimeDelta::from_std(duration).unwrap_or(chrono::TimeDelta::MAX)
}
