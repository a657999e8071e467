//! The first pass: tiles against heads, in the order of leaves. No event is read.

use super::{
    fault::{Fault, What},
    outside::Outside,
};
use crate::{
    note::{NO_HEAD, VerifierKey, hash_note},
    store::{self, State, StoredHead},
    tiles::{Edge, TILE, TILE_BITS, Tile, TileId, hashes_in},
    tree::Frontier,
};
use chrono::{DateTime, Utc};
use onetrip_event_log::{Cursor, chain::Hash};
use sqlx::PgConnection;
use std::collections::VecDeque;

const TILES_PAGE: u64 = 256;
const HEADS_PAGE: i64 = 1_000;

/// What a check of the tree begins with: nothing, or a head that is trusted.
pub(super) struct Start {
    pub frontier: Frontier,
    pub previous: Hash,
    pub not_before: DateTime<Utc>,
}

impl Default for Start {
    fn default() -> Self {
        Start {
            frontier: Frontier::default(),
            previous: NO_HEAD,
            not_before: DateTime::UNIX_EPOCH,
        }
    }
}

/// What the tree looks like.
pub(super) struct TreePass {
    /// As it should be, but for the place of the newest event, which is as it is kept.
    pub state: State,
    /// How much is sealed, as it is kept.
    pub kept_size: u64,
    /// Leaves that the tiles have.
    pub leaves: u64,
    /// The newest head that fits, and the tree under it.
    pub newest: Option<(StoredHead, Frontier)>,
    pub heads: u64,
    /// Where every so many tiles begin, from the tile of the start on; the first stands for the start itself.
    pub chunks: Vec<Cursor>,
    pub faults: Vec<Fault>,
}

pub(super) struct TreeCheck<'a> {
    pub key: &'a VerifierKey,
    pub outside: &'a [Outside],
    pub chunk_tiles: u64,
}

struct Walk<'a> {
    check: &'a TreeCheck<'a>,
    frontier: Frontier,
    /// Size of the newest head or outside head that fits: from there on anything may be wrong.
    good: u64,
    previous: Hash,
    not_before: DateTime<Utc>,
    heads: VecDeque<StoredHead>,
    heads_read: u64,
    heads_end: bool,
    outside: VecDeque<(u64, usize)>,
    newest: Option<(StoredHead, Frontier)>,
    count: u64,
    faults: Vec<Fault>,
}

impl TreeCheck<'_> {
    pub async fn run(&self, connection: &mut PgConnection, start: Start) -> Result<TreePass, sqlx::Error> {
        let state = store::state(connection).await?;
        let from = start.frontier.size();
        let mut outside: Vec<(u64, usize)> = (0..)
            .zip(self.outside)
            .flat_map(|(whose, outside)| outside.sizes().iter().map(move |size| (*size, whose)))
            .filter(|(size, _)| *size > from)
            .collect();
        outside.sort_unstable();
        let mut walk = Walk {
            check: self,
            good: from,
            heads_read: from,
            frontier: start.frontier,
            previous: start.previous,
            not_before: start.not_before,
            heads: VecDeque::new(),
            heads_end: false,
            outside: outside.into(),
            newest: None,
            count: 0,
            faults: Vec::new(),
        };
        if from == 0 {
            for outside in self.outside {
                let strange = outside.strange().iter();
                walk.faults
                    .extend(strange.cloned().map(|what| Fault { index: 0, what }));
            }
        }
        let mut chunks = Vec::new();
        let mut upper = Upper::new(from);
        let mut next = from / TILE;
        let mut skip = usize::try_from(from % TILE).unwrap_or_default();
        let mut partial = false;
        'tiles: loop {
            let page = store::leaf_tiles(connection, next, TILES_PAGE).await?;
            if page.is_empty() {
                break;
            }
            for tile in page {
                let shape = partial
                    || tile.id.tile.cast_unsigned() != next
                    || tile.hashes.len() < skip
                    || tile.first.is_none();
                if shape {
                    let end = walk.frontier.size();
                    let tile = (end / TILE).cast_signed();
                    walk.fault(end, What::TileShape { level: 0, tile });
                    break 'tiles;
                }
                if (next - from / TILE).is_multiple_of(self.chunk_tiles) {
                    chunks.extend(tile.first);
                }
                partial = (tile.hashes.len() as u64) < TILE;
                for leaf in &tile.hashes[skip..] {
                    walk.frontier.push(*leaf);
                    walk.at_size(connection).await?;
                }
                skip = 0;
                next += 1;
                if from == 0 {
                    upper.full(connection, &tile, &mut walk).await?;
                }
            }
        }
        let leaves = walk.frontier.size();
        if from == 0 {
            upper.end(connection, leaves, &mut walk).await?;
        }
        walk.end(connection).await?;
        let kept_size = state.map_or(0, |state| state.size);
        let state = match state {
            Some(state) if state.size == leaves => state,
            other => {
                walk.fault(leaves, What::State);
                State {
                    size: leaves,
                    last: other.map_or(Cursor::BEGINNING, |state| state.last),
                }
            }
        };
        Ok(TreePass {
            state,
            kept_size,
            leaves,
            newest: walk.newest,
            heads: walk.count,
            chunks,
            faults: walk.faults,
        })
    }
}

impl Walk<'_> {
    fn fault(&mut self, index: u64, what: What) {
        self.faults.push(Fault { index, what });
    }

    /// Looks whether a head was made for the tree as it is now.
    async fn at_size(&mut self, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        let size = self.frontier.size();
        let mut fits = true;
        while let Some(head) = self.next_head(connection, size).await? {
            fits &= self.head(head);
        }
        while let Some((_, whose)) = self.outside.pop_front_if(|(outside, _)| *outside <= size) {
            fits &= self.outside(connection, size, whose).await?;
        }
        if fits && (self.newest.as_ref().is_some_and(|(head, _)| head.size == size)) {
            self.good = size;
        }
        Ok(())
    }

    /// The next head that is kept, if it is for no more than `size` leaves.
    async fn next_head(
        &mut self,
        connection: &mut PgConnection,
        size: u64,
    ) -> Result<Option<StoredHead>, sqlx::Error> {
        if self.heads.is_empty() && !self.heads_end {
            self.heads = store::heads_after(connection, self.heads_read, HEADS_PAGE)
                .await?
                .into();
            match self.heads.back() {
                Some(last) => self.heads_read = last.size,
                None => self.heads_end = true,
            }
        }
        Ok(self.heads.pop_front_if(|head| head.size <= size))
    }

    /// Whether a head fits the tree as it is now. The chain goes on with it in any case, so that one bad head is one
    /// fault.
    fn head(&mut self, stored: StoredHead) -> bool {
        let (size, index) = (stored.size, self.good);
        self.count += 1;
        let opened = self.check.key.open(&stored.note);
        let previous = std::mem::replace(&mut self.previous, hash_note(&stored.note));
        let head = match opened {
            Ok(head) => head,
            Err(fault) => {
                self.fault(index, What::Head { size, fault });
                return false;
            }
        };
        let not_before = self.not_before;
        self.not_before = head.time.max(not_before);
        let what = if head.size != size || head.time != stored.made_at {
            What::HeadRow { size }
        } else if head.previous != previous {
            What::HeadChain { size }
        } else if head.time < not_before {
            What::HeadTime { size }
        } else if Some(head.root) != self.frontier.root() {
            What::HeadRoot { size }
        } else {
            self.newest = Some((stored, self.frontier.clone()));
            return true;
        };
        self.fault(index, what);
        false
    }

    async fn outside(
        &mut self,
        connection: &mut PgConnection,
        size: u64,
        whose: usize,
    ) -> Result<bool, sqlx::Error> {
        let index = self.good;
        let outside = &self.check.outside[whose];
        let (note, head) = match outside.head(self.check.key, size) {
            Ok(read) => read,
            Err(what) => {
                self.fault(index, what);
                return Ok(true);
            }
        };
        let whose = outside.name().to_owned();
        if Some(head.root) != self.frontier.root() {
            self.fault(index, What::OutsideRoot { size, whose });
            return Ok(false);
        }
        let kept = store::head_at(connection, size).await?;
        if kept.is_none_or(|kept| kept.note != note) {
            self.fault(index, What::OutsideMissing { size, whose });
        }
        Ok(true)
    }

    /// What was signed for more than there is.
    async fn end(&mut self, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        let size = self.frontier.size();
        if size > 0 && self.count == 0 && self.good == 0 {
            self.fault(0, What::NoHead);
        }
        if let Some(head) = self.next_head(connection, u64::MAX).await? {
            let whose = "a head in the database".to_owned();
            self.fault(
                size,
                What::Cut {
                    size: head.size,
                    whose,
                },
            );
        }
        // The largest of each witness is enough.
        let mut told = Vec::new();
        while let Some((outside, whose)) = self.outside.pop_back() {
            if told.contains(&whose) {
                continue;
            }
            told.push(whose);
            let name = self.check.outside[whose].name().to_owned();
            let what = match self.check.outside[whose].head(self.check.key, outside) {
                Ok(_) => What::Cut {
                    size: outside,
                    whose: name,
                },
                Err(what) => what,
            };
            self.fault(size, what);
        }
        Ok(())
    }
}

/// The tiles above the lowest level, worked out from below and compared with what is kept.
struct Upper {
    edge: Edge,
    count: u64,
    is_on: bool,
}

impl Upper {
    fn new(from: u64) -> Upper {
        Upper {
            edge: Edge::default(),
            count: 0,
            is_on: from == 0,
        }
    }

    async fn full(
        &mut self,
        connection: &mut PgConnection,
        tile: &Tile,
        walk: &mut Walk<'_>,
    ) -> Result<(), sqlx::Error> {
        if !self.is_on {
            return Ok(());
        }
        self.count += 1;
        let first = tile.first.unwrap_or_default();
        let made = self.edge.push(tile.hashes.iter().map(|hash| (first, *hash)));
        // Those above that are not full yet come again, and are compared at the end.
        let full: Vec<Tile> = made
            .into_iter()
            .filter(|tile| tile.id.level > 0 && tile.hashes.len() as u64 == TILE)
            .collect();
        self.compare(connection, full, walk).await
    }

    async fn end(
        &mut self,
        connection: &mut PgConnection,
        leaves: u64,
        walk: &mut Walk<'_>,
    ) -> Result<(), sqlx::Error> {
        let open = self.edge.open_upper();
        self.compare(connection, open, walk).await?;
        let expected: u64 = (0..)
            .map(|level| leaves.checked_shr(TILE_BITS * level).unwrap_or_default())
            .take_while(|hashes| *hashes > 0)
            .map(|hashes| hashes.div_ceil(TILE))
            .sum();
        let count = store::count_tiles(connection).await? - expected.cast_signed();
        if count != 0 {
            walk.fault(leaves, What::TilesLeftOver { count });
        }
        Ok(())
    }

    async fn compare(
        &mut self,
        connection: &mut PgConnection,
        made: Vec<Tile>,
        walk: &mut Walk<'_>,
    ) -> Result<(), sqlx::Error> {
        if made.is_empty() {
            return Ok(());
        }
        let kept = store::tiles(connection, made.iter().map(|tile| tile.id)).await?;
        for tile in made {
            let TileId { level, tile: number } = tile.id;
            let shift = TILE_BITS * (u32::from(level.unsigned_abs()) + 1);
            let begins = number.cast_unsigned() << shift;
            match kept.get(&tile.id) {
                Some(kept) if kept.hashes == tile.hashes && kept.first.is_none() => {}
                Some(kept) if kept.hashes.len() == tile.hashes.len() => {
                    let differs = kept
                        .hashes
                        .iter()
                        .zip(&tile.hashes)
                        .position(|(kept, made)| kept != made);
                    let within = differs.unwrap_or_default() as u64;
                    let index = begins + (within << (shift - TILE_BITS));
                    walk.fault(index, What::TileHashes { level, tile: number });
                }
                _ => walk.fault(begins, What::TileShape { level, tile: number }),
            }
        }
        Ok(())
    }
}

/// The leaves of some tiles, for the second pass.
pub(super) async fn leaves(
    connection: &mut PgConnection,
    from: u64,
    tiles: u64,
    size: u64,
) -> Result<(Vec<Hash>, Vec<Cursor>), sqlx::Error> {
    let found = store::leaf_tiles(connection, from, tiles).await?;
    let mut leaves = Vec::with_capacity(found.len() * TILE as usize);
    let mut places = Vec::with_capacity(found.len());
    for (tile, number) in found.iter().zip(from..) {
        // What the first pass has found is enough to know; this pass goes as far as the tiles do.
        if tile.id.tile.cast_unsigned() != number || (tile.hashes.len() as u64) < hashes_in(tile.id, size) {
            break;
        }
        leaves.extend(&tile.hashes);
        places.extend(tile.first);
    }
    Ok((leaves, places))
}
