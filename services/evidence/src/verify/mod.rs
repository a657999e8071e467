//! Checking the log: every event, its chain, the tree over it, its heads, and what others hold of them.
//!
//! A full check reads tiles and heads first (`tree.rs`), then every event against the tiles (`events.rs`), on several
//! connections side by side. If a stretch is not in order, what follows the last one that is gets read again in order,
//! without relying on where tiles say they begin. Memory does not grow with the log.

mod events;
mod fault;
mod outside;
mod state;
mod tree;

pub use fault::{Fault, Place, What};
pub use outside::{Outside, file_name};
pub use state::{StateFault, Trusted};

use crate::note::{VerifierKey, hash_note};
use crate::store::StoredHead;
use crate::tiles::TILE;
use crate::tree::Frontier;
use events::{Expected, Found, Stretch, check};
use onetrip_event_log::{
    Cursor,
    audit::{audit, count_after},
    chain::Hash,
};
use sqlx::{Connection, Executor, PgConnection};
use std::{
    ops::ControlFlow,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};
use tree::{Start, TreeCheck, TreePass, leaves};

/// Tiles of a stretch that one connection reads at once.
const CHUNK_TILES: u64 = 32;

/// What a check found.
#[derive(Clone, Debug)]
pub struct Report {
    /// Read and checked.
    pub events: u64,
    /// Leaves of the tree.
    pub sealed: u64,
    /// Checked.
    pub heads: u64,
    pub newest: Option<StoredHead>,
    /// The first is the first bad position. None: all is in order.
    pub faults: Vec<Fault>,
    /// To begin with the next time, when all is in order and there is a head.
    pub trusted: Option<Trusted>,
}

/// A check, and what it may take for true.
pub struct Verifier<'a> {
    pub key: &'a VerifierKey,
    pub outside: &'a [Outside],
    /// Called with the number of events checked since the last call.
    pub progress: Arc<dyn Fn(u64) + Send + Sync>,
}

/// Connections that see the log as it is at one instant: the first to lead, the others to help.
pub async fn connect(
    options: &sqlx::postgres::PgConnectOptions,
    count: usize,
) -> Result<(PgConnection, Vec<PgConnection>), sqlx::Error> {
    const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
    let mut lead = PgConnection::connect_with(options).await?;
    lead.execute(BEGIN).await?;
    let snapshot: String = sqlx::query_scalar("SELECT pg_export_snapshot()")
        .fetch_one(&mut lead)
        .await?;
    let mut helpers = Vec::new();
    for _ in 1..count {
        let mut helper = PgConnection::connect_with(options).await?;
        helper.execute(BEGIN).await?;
        // A name that the server has just made up.
        helper
            .execute(&*format!("SET TRANSACTION SNAPSHOT '{snapshot}'"))
            .await?;
        helpers.push(helper);
    }
    Ok((lead, helpers))
}

/// How many events a full check will read.
pub async fn count_events(connection: &mut PgConnection) -> Result<u64, sqlx::Error> {
    Ok(count_after(connection, Cursor::BEGINNING, i64::MAX)
        .await?
        .unsigned_abs())
}

/// The stretches of a full check, handed out one after the other.
struct Chunks {
    next: AtomicU64,
    /// The lowest that is not in order; those after it need no reading.
    bad: AtomicU64,
    begins: Vec<Cursor>,
    size: u64,
    mark: Option<u64>,
    progress: Arc<dyn Fn(u64) + Send + Sync>,
}

impl Chunks {
    fn count(&self) -> u64 {
        // The rest of the log is one even where nothing is sealed.
        (self.begins.len() as u64).max(1)
    }

    fn stretch(&self, chunk: u64) -> Stretch {
        let begin = |chunk: u64| {
            usize::try_from(chunk)
                .ok()
                .and_then(|chunk| self.begins.get(chunk))
                .copied()
        };
        Stretch {
            // What was put before the first event must be seen too.
            from: begin(chunk).filter(|_| chunk > 0).unwrap_or(Cursor::BEGINNING),
            before: begin(chunk + 1),
            limit: None,
            index: chunk * CHUNK_TILES * TILE,
        }
    }

    /// Takes chunks until there are none left.
    async fn work(&self, connection: &mut PgConnection) -> Result<Vec<(u64, Found)>, sqlx::Error> {
        let mut done = Vec::new();
        loop {
            let chunk = self.next.fetch_add(1, Ordering::Relaxed);
            if chunk >= self.count() || chunk > self.bad.load(Ordering::Relaxed) {
                return Ok(done);
            }
            let (leaves, places) = leaves(connection, chunk * CHUNK_TILES, CHUNK_TILES, self.size).await?;
            let expected = Expected {
                leaves: &leaves,
                places: &places,
                is_last: chunk + 1 == self.count(),
                mark: self.mark,
                end: self.size.checked_sub(1),
            };
            let found = check(connection, self.stretch(chunk), &expected, &*self.progress).await?;
            if found.fault.is_some() {
                self.bad.fetch_min(chunk, Ordering::Relaxed);
            }
            done.push((chunk, found));
        }
    }
}

impl Verifier<'_> {
    /// Checks everything. `helpers` see the same log as `lead`; without any, `lead` does all of it.
    pub async fn full(
        &self,
        lead: &mut PgConnection,
        helpers: Vec<PgConnection>,
    ) -> Result<Report, sqlx::Error> {
        let check_tree = TreeCheck {
            key: self.key,
            outside: self.outside,
            chunk_tiles: CHUNK_TILES,
        };
        let tree = check_tree.run(lead, Start::default()).await?;
        let chunks = Arc::new(Chunks {
            next: AtomicU64::new(0),
            bad: AtomicU64::new(u64::MAX),
            begins: tree.chunks.clone(),
            size: tree.leaves,
            mark: tree.newest.as_ref().map(|(head, _)| head.size - 1),
            progress: Arc::clone(&self.progress),
        });
        let mut running = tokio::task::JoinSet::new();
        for mut helper in helpers {
            let chunks = Arc::clone(&chunks);
            running.spawn(async move { chunks.work(&mut helper).await });
        }
        let mut done = chunks.work(lead).await?;
        while let Some(helped) = running.join_next().await {
            done.extend(helped.unwrap_or(Err(sqlx::Error::WorkerCrashed))?);
        }
        done.sort_unstable_by_key(|(chunk, _)| *chunk);
        let good: Vec<Found> = done
            .into_iter()
            .map_while(|(_, found)| found.fault.is_none().then_some(found))
            .collect();
        let mut all = Found::default();
        good.iter().for_each(|found| all.add(found));
        if (good.len() as u64) < chunks.count() {
            self.in_order(lead, &tree, &mut all).await?;
        }
        Ok(self.report(tree, all))
    }

    /// Reads on from the last event that is in order. It was the tiles that said where stretches begin; now they don't.
    async fn in_order(
        &self,
        lead: &mut PgConnection,
        tree: &TreePass,
        all: &mut Found,
    ) -> Result<(), sqlx::Error> {
        let mark = tree.newest.as_ref().map(|(head, _)| head.size - 1);
        loop {
            let from = all.events / TILE;
            let (leaves, places) = leaves(lead, from, CHUNK_TILES * 4, tree.leaves).await?;
            let skip = usize::try_from(all.events % TILE).unwrap_or_default();
            let leaves = leaves.get(skip..).unwrap_or_default();
            let is_last = all.events + leaves.len() as u64 >= tree.leaves || leaves.is_empty();
            let expected = Expected {
                leaves,
                places: if skip == 0 {
                    &places
                } else {
                    places.get(1..).unwrap_or_default()
                },
                is_last,
                mark,
                end: tree.leaves.checked_sub(1),
            };
            let stretch = Stretch {
                from: all.last.map_or(Cursor::BEGINNING, Cursor::next),
                before: None,
                limit: (!is_last).then_some(leaves.len() as i64),
                index: all.events,
            };
            let found = check(lead, stretch, &expected, &*self.progress).await?;
            all.add(&found);
            if found.fault.is_some() || is_last {
                all.fault = found.fault;
                return Ok(());
            }
        }
    }

    /// Checks what is new since `trusted`, which was kept where nobody with the database can reach it: that nothing of
    /// it was taken back, that what is signed now continues it, and every event since.
    pub async fn since(&self, lead: &mut PgConnection, trusted: &Trusted) -> Result<Report, sqlx::Error> {
        let size = trusted.size();
        let check_tree = TreeCheck {
            key: self.key,
            outside: self.outside,
            chunk_tiles: CHUNK_TILES,
        };
        let mut tree = check_tree.run(lead, trusted.start()).await?;
        let mut all = Found {
            events: size,
            last: Some(trusted.cursor),
            ..Found::default()
        };
        let whose = || "the state file".to_owned();
        let kept = crate::store::head_at(lead, size).await?;
        let is_kept = kept.is_some_and(|kept| kept.note == trusted.note());
        let last = self.last_trusted(lead, trusted).await?;
        let is_whole = is_kept && last.is_none() && tree.kept_size >= size;
        if !is_whole {
            // Only now is it worth reading more than what is new.
            let events = count_events(lead).await?;
            let index = events.min(tree.kept_size);
            if index < size {
                let what = What::Cut { size, whose: whose() };
                tree.faults.push(Fault { index, what });
            }
        }
        if !is_kept {
            tree.faults.push(Fault {
                index: size - 1,
                what: What::OutsideMissing { size, whose: whose() },
            });
        }
        if let Some(what) = last {
            all.fault = Some(Fault {
                index: size - 1,
                what,
            });
        } else {
            self.in_order(lead, &tree, &mut all).await?;
        }
        all.events -= size;
        if tree.leaves == size {
            all.end = Some(trusted.cursor);
        }
        let mut report = self.report(tree, all);
        if report.newest.is_none() && report.faults.is_empty() {
            // Nothing has been signed since.
            report.newest = Some(trusted.head());
            report.trusted = Some(trusted.clone());
        }
        Ok(report)
    }

    /// What is wrong with the newest event that was there the last time.
    async fn last_trusted(
        &self,
        lead: &mut PgConnection,
        trusted: &Trusted,
    ) -> Result<Option<What>, sqlx::Error> {
        let mut found = None;
        let place = trusted.cursor;
        audit(lead, place, Some(place.next()), Some(1), |event| {
            found = Some(event);
            ControlFlow::Break(())
        })
        .await?;
        let Some(event) = found else {
            return Ok(Some(What::EventMissing { next: None }));
        };
        let checked = event.check();
        let place = Place::of(&event);
        if crate::tree::leaf_of(&event.stamp()) != trusted.leaf {
            let hash_fits = checked.is_ok();
            return Ok(Some(What::EventReplaced {
                event: place,
                hash_fits,
            }));
        }
        Ok(checked
            .err()
            .map(|fault| What::EventChanged { event: place, fault }))
    }

    fn report(&self, tree: TreePass, events: Found) -> Report {
        let mut faults = tree.faults;
        // Where the newest sealed event lies is known once all of them are read.
        if events.fault.is_none() && events.end.unwrap_or(Cursor::BEGINNING) != tree.state.last {
            faults.push(Fault {
                index: tree.leaves,
                what: What::State,
            });
        }
        faults.extend(events.fault);
        // An event that is named says more than a stretch of the tree that begins there.
        let vague = |what: &What| {
            !matches!(
                what,
                What::EventChanged { .. }
                    | What::EventReplaced { .. }
                    | What::EventMissing { .. }
                    | What::EventInserted { .. }
            )
        };
        faults.sort_by_key(|fault| (fault.index, vague(&fault.what)));
        let trusted = match (&tree.newest, events.mark) {
            (Some((head, frontier)), Some((cursor, leaf))) if faults.is_empty() => {
                Some(trust(head, frontier, cursor, leaf))
            }
            _ => None,
        };
        Report {
            events: events.events,
            sealed: tree.leaves,
            heads: tree.heads,
            newest: tree.newest.map(|(head, _)| head),
            faults,
            trusted,
        }
    }
}

fn trust(head: &StoredHead, frontier: &Frontier, cursor: Cursor, leaf: Hash) -> Trusted {
    Trusted {
        head: head.clone(),
        frontier: frontier.clone(),
        previous: hash_note(&head.note),
        cursor,
        leaf,
    }
}
