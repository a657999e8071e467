//! The second pass: every event against its hash, the event before it, and its leaf in the tiles.

use super::fault::{Fault, Place, What};
use crate::{tiles::TILE, tree::leaf_of};
use onetrip_event_log::{
    Cursor,
    audit::{AuditEvent, audit},
    chain::Hash,
};
use sqlx::PgConnection;
use std::ops::ControlFlow;

/// Events between two reports of progress.
const REPORT_EVERY: u64 = 1_024;

/// A stretch of the log.
#[derive(Clone, Copy)]
pub(super) struct Stretch {
    pub from: Cursor,
    /// Where it ends; None for the rest of the log.
    pub before: Option<Cursor>,
    /// Events read at most.
    pub limit: Option<i64>,
    /// Place of its first event in the log.
    pub index: u64,
}

/// What the tree has for a stretch.
pub(super) struct Expected<'a> {
    pub leaves: &'a [Hash],
    /// Where those of its tiles begin whose first leaf is in the stretch.
    pub places: &'a [Cursor],
    /// Events after the leaves are not sealed yet, rather than put in.
    pub is_last: bool,
    /// The place whose event and leaf the caller wants to know.
    pub mark: Option<u64>,
    /// The place of the newest sealed event.
    pub end: Option<u64>,
}

#[derive(Debug, Default)]
pub(super) struct Found {
    pub events: u64,
    pub last: Option<Cursor>,
    /// Where the event of [`Expected::mark`] lies, and its leaf.
    pub mark: Option<(Cursor, Hash)>,
    /// Where the event of [`Expected::end`] lies.
    pub end: Option<Cursor>,
    pub fault: Option<Fault>,
}

impl Found {
    /// Goes on with what was found in the stretch that follows.
    pub fn add(&mut self, next: &Found) {
        self.events += next.events;
        self.last = next.last.or(self.last);
        self.mark = next.mark.or(self.mark);
        self.end = next.end.or(self.end);
    }
}

pub(super) async fn check(
    connection: &mut PgConnection,
    stretch: Stretch,
    expected: &Expected<'_>,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<Found, sqlx::Error> {
    let mut matcher = Matcher {
        stretch,
        expected,
        at: 0,
        found: Found::default(),
        doubtful: None,
    };
    let mut told = 0;
    audit(connection, stretch.from, stretch.before, stretch.limit, |event| {
        let flow = matcher.event(&event);
        let seen = matcher.found.events;
        if seen - told == REPORT_EVERY {
            progress(REPORT_EVERY);
            told = seen;
        }
        flow
    })
    .await?;
    let found = matcher.end();
    progress(found.events - told);
    Ok(found)
}

struct Matcher<'a> {
    stretch: Stretch,
    expected: &'a Expected<'a>,
    /// Leaves that have been matched.
    at: usize,
    found: Found,
    /// An event that is not the one that was sealed here: the next one tells whether it was put in.
    doubtful: Option<Place>,
}

impl Matcher<'_> {
    fn index(&self) -> u64 {
        self.stretch.index + self.at as u64
    }

    fn fault(&mut self, what: What) -> ControlFlow<()> {
        let index = self.index();
        self.found.fault.get_or_insert(Fault { index, what });
        ControlFlow::Break(())
    }

    fn event(&mut self, event: &AuditEvent) -> ControlFlow<()> {
        let checked = event.check();
        let leaf = leaf_of(&event.stamp());
        let wanted = self.expected.leaves.get(self.at);
        if let Some(before) = self.doubtful.take() {
            return if wanted == Some(&leaf) {
                self.fault(What::EventInserted { event: before })
            } else {
                self.replaced(before)
            };
        }
        match wanted {
            Some(wanted) if *wanted != leaf => {
                if self.expected.leaves.get(self.at + 1) == Some(&leaf) {
                    return self.fault(What::EventMissing {
                        next: Some(Place::of(event)),
                    });
                }
                if checked.is_err() {
                    return self.fault(What::EventReplaced {
                        event: Place::of(event),
                        hash_fits: false,
                    });
                }
                self.doubtful = Some(Place::of(event));
                return ControlFlow::Continue(());
            }
            None if !self.expected.is_last => {
                return self.fault(What::EventInserted {
                    event: Place::of(event),
                });
            }
            _ => {}
        }
        if let Err(fault) = checked {
            return self.fault(What::EventChanged {
                event: Place::of(event),
                fault,
            });
        }
        let index = self.index();
        if wanted.is_some() && index.is_multiple_of(TILE) {
            let first = index / TILE - self.stretch.index.div_ceil(TILE);
            let place = usize::try_from(first)
                .ok()
                .and_then(|first| self.expected.places.get(first));
            if place != Some(&event.cursor) {
                return self.fault(What::TilePlace {
                    tile: (index / TILE).cast_signed(),
                    event: Place::of(event),
                });
            }
        }
        if self.expected.mark == Some(index) {
            self.found.mark = Some((event.cursor, leaf));
        }
        if self.expected.end == Some(index) {
            self.found.end = Some(event.cursor);
        }
        self.found.last = Some(event.cursor);
        self.found.events += 1;
        self.at += 1;
        ControlFlow::Continue(())
    }

    fn replaced(&mut self, event: Place) -> ControlFlow<()> {
        self.fault(What::EventReplaced {
            event,
            hash_fits: true,
        })
    }

    fn end(mut self) -> Found {
        if let Some(before) = self.doubtful.take() {
            let _ = self.replaced(before);
        }
        // A stretch of so many events at most ends before its leaves do when it has read them all.
        let read_all = self
            .stretch
            .limit
            .is_some_and(|limit| self.found.events >= limit.unsigned_abs());
        if self.at < self.expected.leaves.len() && !read_all {
            let _ = self.fault(What::EventMissing { next: None });
        }
        self.found
    }
}
