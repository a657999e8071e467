//! The hashes of RFC 9162, section 2.1, over leaves made of events (ops/docs/EVIDENCE.md, sections 2 and 3).

use onetrip_event_log::{
    audit::{Kind, Stamp},
    chain::Hash,
};
use sha2::{Digest, Sha256};

/// Tells a leaf from every other use of SHA-256, and the version of its form.
const LEAF_DOMAIN: &[u8] = b"onetrip/leaf/1";

/// No tree is higher: sizes are kept in 63 bits.
pub(crate) const HEIGHT_MAX: usize = 63;

pub fn leaf_of(stamp: &Stamp) -> Hash {
    let kind = match stamp.kind {
        Kind::Plain => 0,
        Kind::Chained => 1,
    };
    let mut data = [0; LEAF_DOMAIN.len() + 1 + 8 + 8 + 8 + 32];
    let mut rest = &mut data[..];
    for part in [
        LEAF_DOMAIN,
        &[kind],
        &stamp.cursor.transaction_id.to_be_bytes(),
        &stamp.cursor.position.to_be_bytes(),
        &stamp.recorded_at.to_be_bytes(),
        &stamp.event_hash,
    ] {
        let (here, after) = rest.split_at_mut(part.len());
        here.copy_from_slice(part);
        rest = after;
    }
    hash_leaf(&data)
}

pub fn hash_leaf(data: &[u8]) -> Hash {
    Sha256::new_with_prefix([0]).chain_update(data).finalize().into()
}

pub fn hash_node(left: &Hash, right: &Hash) -> Hash {
    let mut data = [1; 65];
    data[1..33].copy_from_slice(left);
    data[33..].copy_from_slice(right);
    Sha256::digest(data).into()
}

/// The root over subtrees of one size, whose number is a power of two.
pub(crate) fn hash_full(mut hashes: Vec<Hash>) -> Option<Hash> {
    while hashes.len() > 1 {
        hashes = hashes
            .chunks(2)
            .map(|pair| match pair {
                [left, right] => hash_node(left, right),
                _ => pair[0],
            })
            .collect();
    }
    hashes.pop()
}

/// The right edge of a tree: the roots of its full subtrees, the largest first. All that is needed to go on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    /// With their heights, which fall.
    roots: Vec<(u32, Hash)>,
}

impl Frontier {
    pub fn size(&self) -> u64 {
        self.size
    }

    pub fn push(&mut self, leaf: Hash) {
        self.push_full(0, leaf);
    }

    /// Appends a full subtree of `2^height` leaves. What is there must be of that height or higher, as it is when
    /// a tree is put together from its largest parts down.
    pub(crate) fn push_full(&mut self, height: u32, root: Hash) {
        self.size += 1 << height;
        let mut new = (height, root);
        while let Some((_, left)) = self.roots.pop_if(|last| last.0 == new.0) {
            new = (new.0 + 1, hash_node(&left, &new.1));
        }
        self.roots.push(new);
    }

    /// None of an empty tree.
    pub fn root(&self) -> Option<Hash> {
        self.roots
            .iter()
            .rev()
            .map(|(_, root)| *root)
            .reduce(|right, left| hash_node(&left, &right))
    }

    pub fn roots(&self) -> impl Iterator<Item = &Hash> {
        self.roots.iter().map(|(_, root)| root)
    }

    /// Back from [`Frontier::roots`]; None if they are not as many as a tree of that size has.
    pub fn from_roots(size: u64, roots: &[Hash]) -> Option<Frontier> {
        let heights: Vec<u32> = (0..=HEIGHT_MAX as u32)
            .rev()
            .filter(|height| size >> height & 1 == 1)
            .collect();
        (heights.len() == roots.len()).then(|| Frontier {
            size,
            roots: heights.into_iter().zip(roots.iter().copied()).collect(),
        })
    }
}

/// Whether `path` leads from `leaf` at `index` to `root` in a tree of `size` leaves (RFC 9162, section 2.1.3.2).
pub fn is_included(index: u64, size: u64, leaf: &Hash, path: &[Hash], root: &Hash) -> bool {
    if index >= size {
        return false;
    }
    let (mut place, mut last, mut hash) = (index, size - 1, *leaf);
    for beside in path {
        if last == 0 {
            return false;
        }
        if place & 1 == 1 || place == last {
            hash = hash_node(beside, &hash);
            while place & 1 == 0 && place != 0 {
                place >>= 1;
                last >>= 1;
            }
        } else {
            hash = hash_node(&hash, beside);
        }
        place >>= 1;
        last >>= 1;
    }
    last == 0 && hash == *root
}

/// A full subtree: leaves `index << height` up to `(index + 1) << height`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Node {
    pub height: u32,
    pub index: u64,
}

/// The full subtrees that an inclusion path is made of: for each hash of the path, from the leaf up, those whose hashes
/// are put together from the right.
pub(crate) fn path_nodes(index: u64, size: u64) -> Vec<Vec<Node>> {
    let mut path = Vec::new();
    let (mut start, mut end) = (0, size);
    while end - start > 1 {
        let half = start + split(end - start);
        if index < half {
            path.push(full_subtrees(half, end));
            end = half;
        } else {
            path.push(full_subtrees(start, half));
            start = half;
        }
    }
    path.reverse();
    path
}

/// The largest power of two below `leaves`, which must be more than one.
fn split(leaves: u64) -> u64 {
    1 << (leaves - 1).ilog2()
}

/// What leaves `start` up to `end` of a tree consist of, where `start` is a multiple of the largest part.
fn full_subtrees(start: u64, end: u64) -> Vec<Node> {
    let mut nodes = Vec::new();
    let mut at = start;
    while at < end {
        let height = (end - at).ilog2();
        nodes.push(Node {
            height,
            index: at >> height,
        });
        at += 1 << height;
    }
    nodes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vectors::{Vectors, hex};
    use proptest::prelude::*;

    /// Straight from the definition.
    fn naive_root(leaves: &[Hash]) -> Hash {
        match leaves {
            [leaf] => *leaf,
            _ => {
                let (left, right) = leaves.split_at(split(leaves.len() as u64) as usize);
                hash_node(&naive_root(left), &naive_root(right))
            }
        }
    }

    fn naive_path(index: usize, leaves: &[Hash]) -> Vec<Hash> {
        if leaves.len() == 1 {
            return Vec::new();
        }
        let half = split(leaves.len() as u64) as usize;
        let (left, right) = leaves.split_at(half);
        let (mut path, beside) = if index < half {
            (naive_path(index, left), naive_root(right))
        } else {
            (naive_path(index - half, right), naive_root(left))
        };
        path.push(beside);
        path
    }

    fn leaves(count: u64) -> Vec<Hash> {
        (0..count).map(|n| hash_leaf(&n.to_be_bytes())).collect()
    }

    fn made_of(nodes: &[Node], leaves: &[Hash]) -> Hash {
        nodes
            .iter()
            .rev()
            .map(|node| {
                let start = (node.index << node.height) as usize;
                hash_full(leaves[start..start + (1 << node.height)].to_vec()).unwrap()
            })
            .reduce(|right, left| hash_node(&left, &right))
            .unwrap()
    }

    #[test]
    fn the_published_trees_come_out() {
        let vectors = Vectors::read();
        let tree = &vectors.0["tree"];
        let leaves: Vec<Hash> = tree["leaf_data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|data| hash_leaf(&hex(data)))
            .collect();
        for (leaf, wanted) in leaves.iter().zip(tree["leaf_hashes"].as_array().unwrap()) {
            assert_eq!(leaf[..], hex(wanted));
        }
        let mut frontier = Frontier::default();
        for (size, leaf) in (1..).zip(&leaves) {
            frontier.push(*leaf);
            assert_eq!(frontier.root().unwrap()[..], hex(&tree["roots_by_size"][size]));
        }
        for case in tree["paths"].as_array().unwrap() {
            let (index, size) = (case["index"].as_u64().unwrap(), case["size"].as_u64().unwrap());
            let path: Vec<Hash> = case["path"]
                .as_array()
                .unwrap()
                .iter()
                .map(|hash| hex(hash).try_into().unwrap())
                .collect();
            let leaf = leaves[index as usize];
            let root = hex(&tree["roots_by_size"][size as usize]).try_into().unwrap();
            assert!(is_included(index, size, &leaf, &path, &root), "{index} in {size}");
        }
    }

    proptest! {
        #[test]
        fn roots_and_paths_are_those_of_the_definition(size in 1_u64..700, at in 0_u64..700) {
            let (leaves, index) = (leaves(size), at % size);
            let mut frontier = Frontier::default();
            leaves.iter().for_each(|leaf| frontier.push(*leaf));
            let root = naive_root(&leaves);
            prop_assert_eq!(frontier.root(), Some(root));
            let roots: Vec<Hash> = frontier.roots().copied().collect();
            prop_assert_eq!(Frontier::from_roots(size, &roots), Some(frontier));
            let path: Vec<Hash> = path_nodes(index, size).iter().map(|nodes| made_of(nodes, &leaves)).collect();
            prop_assert_eq!(&path, &naive_path(index as usize, &leaves));
            prop_assert!(is_included(index, size, &leaves[index as usize], &path, &root));
        }

        #[test]
        fn no_other_path_index_size_or_leaf_is_accepted(
            size in 1_u64..300, at in 0_u64..300, bit in 0_usize..256, place in 0_usize..9, other in 0_u64..600,
        ) {
            let (leaves, index) = (leaves(size), at % size);
            let (leaf, root) = (leaves[index as usize], naive_root(&leaves));
            let path = naive_path(index as usize, &leaves);
            let flip = |hash: &Hash| { let mut hash = *hash; hash[bit / 8] ^= 1 << (bit % 8); hash };
            prop_assert!(!is_included(index, size, &flip(&leaf), &path, &root));
            prop_assert!(!is_included(index, size, &leaf, &path, &flip(&root)));
            if other != index {
                prop_assert!(!is_included(other, size, &leaf, &path, &root));
            }
            let mut longer = path.clone();
            longer.push(root);
            prop_assert!(!is_included(index, size, &leaf, &longer, &root));
            if !path.is_empty() {
                let mut changed = path.clone();
                let place = place % path.len();
                changed[place] = flip(&changed[place]);
                prop_assert!(!is_included(index, size, &leaf, &changed, &root));
                changed.remove(place);
                prop_assert!(!is_included(index, size, &leaf, &changed, &root));
            }
        }
    }

    #[test]
    fn a_frontier_has_as_many_roots_as_its_size_says() {
        assert_eq!(Frontier::from_roots(3, &leaves(1)), None);
        assert_eq!(Frontier::from_roots(4, &leaves(2)), None);
        assert_eq!(Frontier::from_roots(0, &[]), Some(Frontier::default()));
        assert_eq!(Frontier::default().root(), None);
    }
}
