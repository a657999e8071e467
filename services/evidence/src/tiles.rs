//! The tree as it is kept: tiles of 256 hashes, level upon level. A full tile's root is a hash of the tile above it.

use crate::tree::{Frontier, Node, hash_full, hash_node, path_nodes};
use onetrip_event_log::{Cursor, chain::Hash};
use std::collections::{BTreeSet, HashMap};

pub(crate) const TILE: u64 = 256;
pub(crate) const TILE_BITS: u32 = 8;
const HASH_BYTES: usize = 32;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct TileId {
    pub level: i16,
    pub tile: i64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tile {
    pub id: TileId,
    pub hashes: Vec<Hash>,
    /// Where the event of the first leaf lies; only on level 0.
    pub first: Option<Cursor>,
}

pub(crate) fn pack(hashes: &[Hash]) -> Vec<u8> {
    hashes.concat()
}

/// None if these are not up to 256 hashes.
pub(crate) fn unpack(bytes: &[u8]) -> Option<Vec<Hash>> {
    let (hashes, rest) = bytes.as_chunks::<HASH_BYTES>();
    (rest.is_empty() && !hashes.is_empty() && hashes.len() <= TILE as usize).then(|| hashes.to_vec())
}

/// The newest tiles of a tree that is being written.
#[derive(Clone, Debug, Default)]
pub(crate) struct Edge {
    size: u64,
    /// By level; those not full yet.
    open: Vec<Vec<Hash>>,
    first: Option<Cursor>,
}

/// The open tiles of a tree of `size` leaves, from the top down.
pub(crate) fn open_tiles(size: u64) -> Vec<TileId> {
    let levels = (0..).take_while(|level| size >> (TILE_BITS * level) > 0);
    let mut ids: Vec<TileId> = levels
        .filter(|level| !(size >> (TILE_BITS * level)).is_multiple_of(TILE))
        .filter_map(|level| {
            Some(TileId {
                level: i16::try_from(level).ok()?,
                tile: i64::try_from(size >> (TILE_BITS * level) >> TILE_BITS).ok()?,
            })
        })
        .collect();
    ids.reverse();
    ids
}

/// How many hashes a tile has in a tree of `size` leaves.
pub(crate) fn hashes_in(id: TileId, size: u64) -> u64 {
    let on_level = size >> (TILE_BITS * u32::from(id.level.unsigned_abs()));
    on_level
        .saturating_sub(id.tile.unsigned_abs() << TILE_BITS)
        .min(TILE)
}

impl Edge {
    /// Goes on where `tiles`, those of [`open_tiles`], end; None if they are not there or have not as many hashes as
    /// they must.
    pub fn resume(size: u64, tiles: &HashMap<TileId, Tile>) -> Option<Edge> {
        let mut edge = Edge {
            size,
            ..Edge::default()
        };
        for id in open_tiles(size) {
            let tile = tiles.get(&id)?;
            if tile.hashes.len() as u64 != hashes_in(id, size) {
                return None;
            }
            let level = usize::from(id.level.unsigned_abs());
            if edge.open.len() <= level {
                edge.open.resize(level + 1, Vec::new());
            }
            edge.open[level].clone_from(&tile.hashes);
            if level == 0 {
                edge.first = tile.first;
            }
        }
        Some(edge)
    }

    pub fn size(&self) -> u64 {
        self.size
    }

    pub fn frontier(&self) -> Frontier {
        let mut frontier = Frontier::default();
        for (level, hashes) in self.open.iter().enumerate().rev() {
            for hash in hashes {
                frontier.push_full(TILE_BITS * level as u32, *hash);
            }
        }
        frontier
    }

    /// The tiles above the lowest level that are not full.
    pub fn open_upper(&self) -> Vec<Tile> {
        let upper = self.open.iter().enumerate().skip(1);
        upper
            .filter(|(_, hashes)| !hashes.is_empty())
            .filter_map(|(level, hashes)| self.tile(level, hashes.clone(), false))
            .collect()
    }

    /// Appends leaves, and hands out every tile that they change.
    pub fn push(&mut self, leaves: impl IntoIterator<Item = (Cursor, Hash)>) -> Vec<Tile> {
        let mut changed = Vec::new();
        let mut touched = BTreeSet::new();
        for (cursor, leaf) in leaves {
            self.first.get_or_insert(cursor);
            self.size += 1;
            let (mut level, mut hash) = (0, leaf);
            loop {
                if self.open.len() == level {
                    self.open.push(Vec::new());
                }
                self.open[level].push(hash);
                touched.insert(level);
                if self.open[level].len() < TILE as usize {
                    break;
                }
                let Some(full) = self.take(level) else { break };
                touched.remove(&level);
                let Some(root) = hash_full(full.hashes.clone()) else {
                    break;
                };
                changed.push(full);
                (level, hash) = (level + 1, root);
            }
        }
        for level in touched {
            changed.extend(self.tile(level, self.open[level].clone(), level == 0));
        }
        changed
    }

    /// The full tile of a level, which begins anew.
    fn take(&mut self, level: usize) -> Option<Tile> {
        let hashes = std::mem::take(&mut self.open[level]);
        // Its number is the one of its last hash, which is already counted.
        let tile = self.tile(level, hashes, level == 0);
        if level == 0 {
            self.first = None;
        }
        tile
    }

    fn tile(&self, level: usize, hashes: Vec<Hash>, with_place: bool) -> Option<Tile> {
        let last = (self.size >> (TILE_BITS as usize * level)).checked_sub(1)?;
        Some(Tile {
            id: TileId {
                level: i16::try_from(level).ok()?,
                tile: i64::try_from(last >> TILE_BITS).ok()?,
            },
            hashes,
            first: if with_place { self.first } else { None },
        })
    }
}

/// An inclusion path to be put together from tiles.
pub(crate) struct PathPlan(Vec<Vec<Node>>);

impl PathPlan {
    pub fn new(index: u64, size: u64) -> PathPlan {
        PathPlan(path_nodes(index, size))
    }

    /// The tiles it needs.
    pub fn tiles(&self) -> BTreeSet<TileId> {
        self.0.iter().flatten().filter_map(|node| home(*node)).collect()
    }

    /// None if a hash is missing.
    pub fn path(&self, tiles: &HashMap<TileId, Tile>) -> Option<Vec<Hash>> {
        let node_hash = |node: &Node| {
            let tile = tiles.get(&home(*node)?)?;
            let within = node.height % TILE_BITS;
            let start = usize::try_from((node.index << within) % TILE).ok()?;
            let hashes = tile.hashes.get(start..start + (1 << within))?;
            hash_full(hashes.to_vec())
        };
        self.0
            .iter()
            .map(|nodes| {
                let hashes: Option<Vec<Hash>> = nodes.iter().map(node_hash).collect();
                hashes?
                    .into_iter()
                    .rev()
                    .reduce(|right, left| hash_node(&left, &right))
            })
            .collect()
    }
}

/// The tile from whose hashes a full subtree is put together.
fn home(node: Node) -> Option<TileId> {
    let level = node.height / TILE_BITS;
    let first = node.index << (node.height % TILE_BITS);
    Some(TileId {
        level: i16::try_from(level).ok()?,
        tile: i64::try_from(first >> TILE_BITS).ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::{hash_leaf, is_included};

    fn leaf(n: u64) -> (Cursor, Hash) {
        let cursor = Cursor {
            transaction_id: n as i64,
            position: 1,
        };
        (cursor, hash_leaf(&n.to_be_bytes()))
    }

    /// Whatever the pieces in which leaves come, the tiles and the root are those of the tree; and paths for any size
    /// up to the present one come out of them.
    #[test]
    fn tiles_are_the_tree_whatever_the_pieces() {
        let mut tiles = HashMap::new();
        let mut whole = Frontier::default();
        let mut roots = vec![None];
        let mut size = 0;
        let sizes = [1, 3, 252, 255, 256, 257, 1, 600, 65_536, 40, 512, 70_000];
        for piece in sizes {
            let mut edge = Edge::resume(size, &tiles).unwrap();
            for tile in edge.push((size..size + piece).map(leaf)) {
                tiles.insert(tile.id, tile);
            }
            for n in size..size + piece {
                whole.push(leaf(n).1);
                roots.push(whole.root());
            }
            size += piece;
            assert_eq!(edge.size(), size);
            assert_eq!(edge.frontier(), whole);
        }
        for tile in tiles.values() {
            assert_eq!(
                tile.hashes.len() as u64,
                hashes_in(tile.id, size),
                "{:?}",
                tile.id
            );
            let first = (tile.id.level == 0).then(|| leaf(tile.id.tile as u64 * TILE).0);
            assert_eq!(tile.first, first);
            assert_eq!(unpack(&pack(&tile.hashes)).unwrap(), tile.hashes);
        }
        let expected: u64 = (0..3)
            .map(|level| (size >> (TILE_BITS * level)).div_ceil(TILE))
            .sum();
        assert_eq!(tiles.len() as u64, expected);
        for total in [1, 2, 255, 256, 257, 511, 65_536, 65_537, 66_000, size - 1, size] {
            for index in [0, 1, total / 3, total / 2, total - 1] {
                let plan = PathPlan::new(index, total);
                let path = plan.path(&tiles).unwrap_or_else(|| panic!("{index} in {total}"));
                let root = roots[total as usize].unwrap();
                if index < total {
                    assert!(
                        is_included(index, total, &leaf(index).1, &path, &root),
                        "{index} in {total}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_tile_that_has_lost_hashes_is_not_gone_on_with() {
        let mut edge = Edge::default();
        let mut tiles: HashMap<TileId, Tile> = edge
            .push((0..300).map(leaf))
            .into_iter()
            .map(|tile| (tile.id, tile))
            .collect();
        assert!(Edge::resume(300, &tiles).is_some());
        assert!(Edge::resume(301, &tiles).is_none());
        let id = TileId { level: 0, tile: 1 };
        tiles.get_mut(&id).unwrap().hashes.pop();
        assert!(Edge::resume(300, &tiles).is_none());
        tiles.remove(&id);
        assert!(Edge::resume(300, &tiles).is_none());
    }
}
