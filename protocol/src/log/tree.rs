//! The Merkle tree of RFC 6962 section 2.1 (the same as RFC 9162 section 2.1 with SHA-256).
//!
//! leaf = SHA-256(0x00 ‖ data), node = SHA-256(0x01 ‖ left ‖ right), empty tree = SHA-256(""). A
//! tree of n leaves splits at the largest power of two below n. The two prefixes keep a node from
//! being taken for a leaf.
//!
//! An inclusion proof shows that a leaf is in a tree; a consistency proof shows that a tree only
//! grew. Verifiers refuse a proof of the wrong length before they hash anything.
//!
//! [`Tree`] keeps all hashes of complete subtrees in memory: about 64 bytes a leaf.

use sha2::{Digest as _, Sha256};

/// A hash of the tree.
pub type Hash = [u8; 32];

/// Why a proof shows nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// The index is not below the size.
    #[error("leaf {index} cannot be in a tree of {size} leaves: index or size is wrong")]
    Index {
        /// The leaf's index.
        index: u64,
        /// The tree's size.
        size: u64,
    },
    /// The new tree is smaller than the old one.
    #[error(
        "the tree shrank from {old} to {new} leaves: a log only grows, so this is not its continuation"
    )]
    Shrunk {
        /// The old size.
        old: u64,
        /// The new size.
        new: u64,
    },
    /// The proof has a wrong number of hashes.
    #[error(
        "the proof has {found} hashes, these sizes need {expected}: it was made for other sizes, ask for a new one"
    )]
    Length {
        /// How many it must have.
        expected: usize,
        /// How many it has.
        found: usize,
    },
    /// The root does not follow.
    #[error(
        "the leaf is not in the tree with this root: leaf, index, size, proof or root is wrong"
    )]
    Inclusion,
    /// The old root does not follow from the proof.
    #[error(
        "the proof does not lead to the old root: the history was changed, or the proof is for another tree"
    )]
    OldRoot,
    /// The new root does not follow from the proof.
    #[error(
        "the proof does not lead to the new root: the history was changed, or the proof is for another tree"
    )]
    NewRoot,
    /// A tree of this size has one root, and this is another.
    #[error(
        "two different roots for one tree of {size} leaves: the log tells two histories, keep both as evidence"
    )]
    Fork {
        /// The size of both.
        size: u64,
    },
    /// Size 0 with a root that is not the empty tree's.
    #[error("a tree of 0 leaves must have the root of the empty tree")]
    Empty,
}

impl ProofError {
    /// The error's stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Index { .. } => "proof.index",
            Self::Shrunk { .. } => "proof.shrunk",
            Self::Length { .. } => "proof.length",
            Self::Inclusion => "proof.inclusion",
            Self::OldRoot => "proof.old_root",
            Self::NewRoot => "proof.new_root",
            Self::Fork { .. } => "proof.fork",
            Self::Empty => "proof.empty",
        }
    }
}

/// The root of a tree without leaves.
pub fn empty_root() -> Hash {
    Sha256::digest([]).into()
}

/// The hash of a leaf.
pub fn leaf_hash(data: &[u8]) -> Hash {
    Sha256::new()
        .chain_update([0])
        .chain_update(data)
        .finalize()
        .into()
}

/// The hash of an inner node.
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    Sha256::new()
        .chain_update([1])
        .chain_update(left)
        .chain_update(right)
        .finalize()
        .into()
}

/// The largest power of two below `n`; `n` is at least 2.
fn split(n: u64) -> u64 {
    1 << (n - 1).ilog2()
}

/// The root over leaf hashes, straight from the definition.
pub fn root_of(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => empty_root(),
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(split(leaves.len() as u64) as usize);
            node_hash(&root_of(left), &root_of(right))
        }
    }
}

/// An append-only tree in memory.
#[derive(Debug, Clone, Default)]
pub struct Tree {
    /// `levels[h][i]` is the hash over the leaves `i·2^h` to `(i+1)·2^h`, all of which exist.
    levels: Vec<Vec<Hash>>,
}

impl Tree {
    /// A tree without leaves.
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes room for a tree of this many leaves.
    pub fn reserve(&mut self, leaves: usize) {
        let mut height = 0;
        while leaves >> height > 0 {
            if self.levels.len() == height {
                self.levels.push(Vec::new());
            }
            let level = &mut self.levels[height];
            level.reserve((leaves >> height).saturating_sub(level.len()));
            height += 1;
        }
    }

    /// Appends a leaf, given by its hash. See [`leaf_hash`].
    pub fn push(&mut self, leaf: Hash) {
        let mut hash = leaf;
        for height in 0.. {
            if self.levels.len() == height {
                self.levels.push(Vec::new());
            }
            let level = &mut self.levels[height];
            level.push(hash);
            match level.as_slice() {
                [.., left, right] if level.len().is_multiple_of(2) => hash = node_hash(left, right),
                _ => return,
            }
        }
    }

    /// How many leaves there are.
    pub fn len(&self) -> u64 {
        self.levels.first().map_or(0, Vec::len) as u64
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The root over all leaves.
    pub fn root(&self) -> Hash {
        self.range(0, self.len())
    }

    /// The root that the tree had when it had `size` leaves; `None` if it has never been so large.
    pub fn root_at(&self, size: u64) -> Option<Hash> {
        (size <= self.len()).then(|| self.range(0, size))
    }

    /// The hash of a leaf.
    pub fn leaf(&self, index: u64) -> Option<Hash> {
        self.subtree(0, index)
    }

    /// The hash over the leaves `index·2^height` to `(index+1)·2^height`; `None` unless all of them
    /// exist.
    pub fn subtree(&self, height: u32, index: u64) -> Option<Hash> {
        self.levels
            .get(height as usize)?
            .get(usize::try_from(index).ok()?)
            .copied()
    }

    /// The proof that leaf `index` is in the tree of `size` leaves: siblings from the leaf up to
    /// the root. `None` unless `index < size <= len`.
    pub fn inclusion_proof(&self, index: u64, size: u64) -> Option<Vec<Hash>> {
        if index >= size || size > self.len() {
            return None;
        }
        let (mut from, mut to, mut proof) = (0, size, Vec::new());
        while to - from > 1 {
            let middle = from + split(to - from);
            if index < middle {
                proof.push(self.range(middle, to));
                to = middle;
            } else {
                proof.push(self.range(from, middle));
                from = middle;
            }
        }
        proof.reverse();
        Some(proof)
    }

    /// The proof that the tree of `new` leaves begins with the tree of `old` leaves. Empty if the
    /// sizes are equal or `old` is 0. `None` unless `old <= new <= len`.
    pub fn consistency_proof(&self, old: u64, new: u64) -> Option<Vec<Hash>> {
        if old > new || new > self.len() {
            return None;
        }
        if old == 0 || old == new {
            return Some(Vec::new());
        }
        // From the top of the new tree down to the subtree that ends where the old tree ends.
        let (mut from, mut to, mut proof) = (0, new, Vec::new());
        while to != old {
            let middle = from + split(to - from);
            if old <= middle {
                proof.push(self.range(middle, to));
                to = middle;
            } else {
                proof.push(self.range(from, middle));
                from = middle;
            }
        }
        // If that subtree is the whole old tree, the verifier has its root.
        if from > 0 {
            proof.push(self.range(from, to));
        }
        proof.reverse();
        Some(proof)
    }

    /// What [`root_of_range`] needs beside the leaves `first..end` to find the root that the tree
    /// had when it had `size` leaves. `None` unless `first < end <= size <= len`.
    pub fn range_proof(&self, first: u64, end: u64, size: u64) -> Option<Vec<Hash>> {
        if first >= end || end > size || size > self.len() {
            return None;
        }
        Some(
            outside(size, first, end)
                .into_iter()
                .map(|(from, to)| self.range(from, to))
                .collect(),
        )
    }

    /// The hash over leaves `from..to`, which is a subtree of some tree and within this one: made
    /// of stored hashes only.
    fn range(&self, from: u64, to: u64) -> Hash {
        let n = to - from;
        if n == 0 {
            return empty_root();
        }
        if n.is_power_of_two()
            && let Some(hash) = self.subtree(n.ilog2(), from / n)
        {
            return hash;
        }
        let middle = from + split(n);
        node_hash(&self.range(from, middle), &self.range(middle, to))
    }
}

impl FromIterator<Hash> for Tree {
    fn from_iter<I: IntoIterator<Item = Hash>>(leaves: I) -> Self {
        let mut tree = Self::new();
        leaves.into_iter().for_each(|leaf| tree.push(leaf));
        tree
    }
}

/// The subtrees of a tree of `size` leaves that hold none of the leaves `first..end`, from left to
/// right: as large as they can be, so at most two on each level.
fn outside(size: u64, first: u64, end: u64) -> Vec<(u64, u64)> {
    fn cut(from: u64, to: u64, first: u64, end: u64, parts: &mut Vec<(u64, u64)>) {
        if to <= first || end <= from {
            parts.push((from, to));
        } else if from < first || end < to {
            let middle = from + split(to - from);
            cut(from, middle, first, end, parts);
            cut(middle, to, first, end, parts);
        }
    }
    let mut parts = Vec::new();
    cut(0, size, first, end, &mut parts);
    parts
}

/// The root of the tree of `size` leaves in which these leaf hashes stand from index `first` on,
/// where `proof` holds the other subtrees from left to right: an inclusion proof for many leaves at
/// once. A checkpoint of this size with this root shows that all of them stand exactly there.
///
/// # Errors
/// No leaf, or leaves that cannot stand in such a tree; a proof of the wrong length.
pub fn root_of_range(
    first: u64,
    leaves: &[Hash],
    size: u64,
    proof: &[Hash],
) -> Result<Hash, ProofError> {
    let end = first
        .checked_add(leaves.len() as u64)
        .filter(|end| first < *end && *end <= size);
    let end = end.ok_or(ProofError::Index {
        index: first.saturating_add(leaves.len() as u64),
        size,
    })?;
    let parts = outside(size, first, end);
    if parts.len() != proof.len() {
        return Err(ProofError::Length {
            expected: parts.len(),
            found: proof.len(),
        });
    }
    fn root(
        from: u64,
        to: u64,
        first: u64,
        leaves: &[Hash],
        proof: &mut std::slice::Iter<'_, Hash>,
    ) -> Hash {
        let end = first + leaves.len() as u64;
        if to <= first || end <= from {
            // As many as there are parts: counted above.
            proof.next().copied().unwrap_or_default()
        } else if first <= from && to <= end {
            root_of(&leaves[(from - first) as usize..(to - first) as usize])
        } else {
            let middle = from + split(to - from);
            let left = root(from, middle, first, leaves, proof);
            node_hash(&left, &root(middle, to, first, leaves, proof))
        }
    }
    Ok(root(0, size, first, leaves, &mut proof.iter()))
}

/// The number of hashes in the inclusion proof of `index` in a tree of `size`: those below the
/// point where the path leaves the tree's right edge, and those on the edge.
fn proof_shape(index: u64, size: u64) -> (usize, usize) {
    let inner = (u64::BITS - (index ^ (size - 1)).leading_zeros()) as usize;
    let border = index.checked_shr(inner as u32).unwrap_or(0).count_ones() as usize;
    (inner, border)
}

fn check_length(expected: usize, proof: &[Hash]) -> Result<(), ProofError> {
    match proof.len() {
        found if found == expected => Ok(()),
        found => Err(ProofError::Length { expected, found }),
    }
}

/// Climbs below the edge: bit `i` of `index` tells on which side sibling `i` stands.
fn climb(start: Hash, inner: &[Hash], index: u64) -> Hash {
    inner
        .iter()
        .enumerate()
        .fold(start, |hash, (level, sibling)| {
            if index >> level & 1 == 0 {
                node_hash(&hash, sibling)
            } else {
                node_hash(sibling, &hash)
            }
        })
}

/// Climbs along the right edge: all siblings stand left.
fn climb_edge(start: Hash, border: &[Hash]) -> Hash {
    border
        .iter()
        .fold(start, |hash, sibling| node_hash(sibling, &hash))
}

/// Checks that the leaf with this hash stands at `index` in the tree of `size` leaves with this
/// root.
pub fn verify_inclusion(
    leaf_hash: &Hash,
    index: u64,
    size: u64,
    proof: &[Hash],
    root: &Hash,
) -> Result<(), ProofError> {
    if index >= size {
        return Err(ProofError::Index { index, size });
    }
    let (inner, border) = proof_shape(index, size);
    check_length(inner + border, proof)?;
    let (below, edge) = proof.split_at(inner);
    if climb_edge(climb(*leaf_hash, below, index), edge) == *root {
        Ok(())
    } else {
        Err(ProofError::Inclusion)
    }
}

/// Checks that the tree (`new_size`, `new_root`) begins with the tree (`old_size`, `old_root`).
///
/// Equal sizes need equal roots and an empty proof. Size 0 needs the root of the empty tree and an
/// empty proof: every tree continues it.
pub fn verify_consistency(
    old_size: u64,
    old_root: &Hash,
    new_size: u64,
    new_root: &Hash,
    proof: &[Hash],
) -> Result<(), ProofError> {
    if old_size > new_size {
        return Err(ProofError::Shrunk {
            old: old_size,
            new: new_size,
        });
    }
    let empty = empty_root();
    if (old_size == 0 && *old_root != empty) || (new_size == 0 && *new_root != empty) {
        return Err(ProofError::Empty);
    }
    if old_size == new_size {
        check_length(0, proof)?;
        return if old_root == new_root {
            Ok(())
        } else {
            Err(ProofError::Fork { size: old_size })
        };
    }
    if old_size == 0 {
        return check_length(0, proof);
    }
    // The largest complete subtree at the old tree's end has height `shift`. The proof begins with
    // its hash, unless it is the whole old tree; the rest is the end of an inclusion proof for the
    // old tree's last leaf.
    let (inner, border) = proof_shape(old_size - 1, new_size);
    let shift = old_size.trailing_zeros() as usize;
    // old_size < new_size, so the paths of the leaves old_size-1 and new_size-1 part above height
    // `shift`: no underflow.
    let inner = inner - shift;
    let (start, rest) = if old_size.is_power_of_two() {
        check_length(inner + border, proof)?;
        (old_root, proof)
    } else {
        check_length(1 + inner + border, proof)?;
        (&proof[0], &proof[1..])
    };
    let (below, edge) = rest.split_at(inner);
    let index = (old_size - 1) >> shift;
    // In the old tree, siblings to the right did not exist yet.
    let old = below
        .iter()
        .enumerate()
        .filter(|(level, _)| index >> level & 1 == 1);
    let old = old.fold(*start, |hash, (_, sibling)| node_hash(sibling, &hash));
    if climb_edge(old, edge) != *old_root {
        return Err(ProofError::OldRoot);
    }
    if climb_edge(climb(*start, below, index), edge) != *new_root {
        return Err(ProofError::NewRoot);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::hex;
    use proptest::prelude::*;

    /// The leaves of the Certificate Transparency test-suite and the roots of their first 1 to 8.
    const LEAVES: [&str; 8] = [
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    ];
    const ROOTS: [&str; 8] = [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];

    fn standard() -> Vec<Hash> {
        LEAVES
            .iter()
            .map(|data| leaf_hash(&hex::decode(data).unwrap()))
            .collect()
    }

    fn hash(text: &str) -> Hash {
        hex::decode(text).unwrap().try_into().unwrap()
    }

    fn numbered(n: u64) -> Tree {
        (0..n).map(|i| leaf_hash(&i.to_be_bytes())).collect()
    }

    #[test]
    fn known_roots() {
        let leaves = standard();
        let tree: Tree = leaves.iter().copied().collect();
        assert_eq!(
            hex::encode(&empty_root()),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
        assert_eq!(
            (Tree::new().root(), tree.root_at(0)),
            (empty_root(), Some(empty_root()))
        );
        for (i, root) in ROOTS.iter().enumerate() {
            assert_eq!(root_of(&leaves[..=i]), hash(root));
            assert_eq!(tree.root_at(i as u64 + 1), Some(hash(root)));
        }
        assert_eq!((tree.len(), tree.root_at(9), tree.leaf(8)), (8, None, None));
    }

    #[test]
    fn known_proofs() {
        let tree: Tree = standard().into_iter().collect();
        let inclusion = |index, size| {
            tree.inclusion_proof(index, size)
                .unwrap()
                .iter()
                .map(|h| hex::encode(h))
                .collect::<Vec<_>>()
        };
        assert_eq!(
            inclusion(0, 8),
            [
                "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
            ]
        );
        assert_eq!(
            inclusion(2, 3),
            ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"]
        );
        let consistency = tree.consistency_proof(2, 5).unwrap();
        assert_eq!(
            consistency
                .iter()
                .map(|h| hex::encode(h))
                .collect::<Vec<_>>(),
            [
                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            ]
        );
        assert_eq!(tree.consistency_proof(6, 8).unwrap().len(), 3);
    }

    #[test]
    fn every_proof_of_small_trees_holds_and_no_altered_one() {
        let tree = numbered(33);
        for size in 0..=33u64 {
            let root = tree.root_at(size).unwrap();
            for index in 0..size {
                let leaf = tree.leaf(index).unwrap();
                let proof = tree.inclusion_proof(index, size).unwrap();
                assert_eq!(
                    verify_inclusion(&leaf, index, size, &proof, &root),
                    Ok(()),
                    "{index} in {size}"
                );
                refuse_altered(&proof, |proof| {
                    verify_inclusion(&leaf, index, size, proof, &root)
                });
                for other in (0..size).filter(|other| *other != index) {
                    assert!(
                        verify_inclusion(&leaf, other, size, &proof, &root).is_err(),
                        "{index} as {other} in {size}"
                    );
                }
                assert_eq!(
                    verify_inclusion(&leaf, size, size, &proof, &root),
                    Err(ProofError::Index { index: size, size })
                );
            }
            for old in 0..=size {
                let old_root = tree.root_at(old).unwrap();
                let proof = tree.consistency_proof(old, size).unwrap();
                let verify =
                    |proof: &[Hash]| verify_consistency(old, &old_root, size, &root, proof);
                assert_eq!(verify(&proof), Ok(()), "{old} to {size}");
                refuse_altered(&proof, verify);
                let wrong = leaf_hash(b"wrong");
                assert!(
                    verify_consistency(old, &wrong, size, &root, &proof).is_err(),
                    "{old} to {size}"
                );
                if old > 0 {
                    assert!(
                        verify_consistency(old, &old_root, size, &wrong, &proof).is_err(),
                        "{old} to {size}"
                    );
                }
                if old < size {
                    assert_eq!(
                        verify_consistency(size, &root, old, &old_root, &proof),
                        Err(ProofError::Shrunk {
                            old: size,
                            new: old
                        })
                    );
                }
            }
        }
    }

    /// Flips a bit of each hash, drops the last, adds one.
    fn refuse_altered(proof: &[Hash], verify: impl Fn(&[Hash]) -> Result<(), ProofError>) {
        for at in 0..proof.len() {
            let mut altered = proof.to_vec();
            altered[at][at % 32] ^= 1;
            assert!(verify(&altered).is_err());
        }
        let longer = [proof, &[empty_root()]].concat();
        let expected = proof.len();
        assert_eq!(
            verify(&longer),
            Err(ProofError::Length {
                expected,
                found: expected + 1
            })
        );
        if let Some((_, shorter)) = proof.split_last() {
            assert_eq!(
                verify(shorter),
                Err(ProofError::Length {
                    expected,
                    found: expected - 1
                })
            );
        }
    }

    #[test]
    fn hostile_sizes_do_not_panic() {
        let hash = leaf_hash(b"x");
        let many = vec![hash; 200];
        for size in [0, 1, 2, 3, 1 << 62, 1 << 63, u64::MAX - 1, u64::MAX] {
            for other in [0, 1, 2, 3, 1 << 62, 1 << 63, u64::MAX - 1, u64::MAX] {
                for length in [0, 1, 2, 63, 64, 65, 128, 200] {
                    let _ = verify_inclusion(&hash, other, size, &many[..length], &hash);
                    let _ = verify_consistency(other, &hash, size, &hash, &many[..length]);
                }
            }
        }
        let tree = numbered(3);
        for n in [4, u64::MAX] {
            assert_eq!(
                (tree.root_at(n), tree.leaf(n), tree.inclusion_proof(0, n)),
                (None, None, None)
            );
            assert_eq!(
                (tree.consistency_proof(0, n), tree.consistency_proof(n, n)),
                (None, None)
            );
        }
        assert_eq!(
            (tree.inclusion_proof(3, 3), tree.consistency_proof(3, 2)),
            (None, None)
        );
        assert_eq!(Tree::new().inclusion_proof(0, 0), None);
    }

    #[test]
    fn a_node_is_not_a_leaf() {
        let (a, b) = (leaf_hash(b"a"), leaf_hash(b"b"));
        let node = node_hash(&a, &b);
        assert_ne!(leaf_hash(&[a, b].concat()), node);
        // The root of a tree of 2, shown as the only leaf of a tree of 1: the size tells them
        // apart, so sizes are signed.
        assert_eq!(
            verify_inclusion(&node, 0, 2, &[], &node),
            Err(ProofError::Length {
                expected: 1,
                found: 0
            })
        );
    }

    #[test]
    fn forks_and_empty_trees() {
        let (tree, other) = (
            numbered(5),
            standard().into_iter().take(5).collect::<Tree>(),
        );
        assert_eq!(
            verify_consistency(5, &tree.root(), 5, &other.root(), &[]),
            Err(ProofError::Fork { size: 5 })
        );
        assert_eq!(
            verify_consistency(0, &tree.root(), 5, &tree.root(), &[]),
            Err(ProofError::Empty)
        );
        assert_eq!(
            verify_consistency(0, &tree.root(), 0, &tree.root(), &[]),
            Err(ProofError::Empty)
        );
        assert_eq!(
            verify_consistency(0, &empty_root(), 5, &tree.root(), &[]),
            Ok(())
        );
        let proof = tree.consistency_proof(3, 5).unwrap();
        assert_eq!(
            verify_consistency(3, &other.root_at(3).unwrap(), 5, &tree.root(), &proof),
            Err(ProofError::OldRoot)
        );
        assert_eq!(
            verify_consistency(3, &tree.root_at(3).unwrap(), 5, &other.root(), &proof),
            Err(ProofError::NewRoot)
        );
    }

    proptest! {
        #[test]
        fn the_stored_tree_is_the_defined_tree(n in 0u64..600, at in 0u64..600) {
            let tree = numbered(n);
            let leaves: Vec<Hash> = (0..n).map(|i| tree.leaf(i).unwrap()).collect();
            prop_assert_eq!(tree.root(), root_of(&leaves));
            // Room for more or for less than what comes is no part of the tree.
            let mut roomy = Tree::new();
            roomy.reserve(at as usize);
            prop_assert_eq!((roomy.len(), roomy.root()), (0, empty_root()));
            leaves.iter().for_each(|leaf| roomy.push(*leaf));
            prop_assert_eq!((roomy.len(), roomy.root_at(n / 2)), (n, tree.root_at(n / 2)));
            let old = at.min(n);
            prop_assert_eq!(tree.root_at(old), Some(root_of(&leaves[..old as usize])));
            let proof = tree.consistency_proof(old, n).unwrap();
            prop_assert_eq!(verify_consistency(old, &tree.root_at(old).unwrap(), n, &tree.root(), &proof), Ok(()));
            if old < n {
                let end = (old + 1 + at / 3).min(n);
                let proof = tree.range_proof(old, end, n).unwrap();
                let part = &leaves[old as usize..end as usize];
                prop_assert_eq!(root_of_range(old, part, n, &proof), Ok(tree.root()));
                prop_assert!(proof.len() <= 2 * 10);
                // Any other place, number or content has another root, or none. (The size is what
                // the checkpoint says: subtrees outside are taken as they are given.)
                for first in [old + 1, old.wrapping_sub(1)] {
                    prop_assert_ne!(root_of_range(first, part, n, &proof), Ok(tree.root()));
                }
                prop_assert_ne!(root_of_range(old, &part[1..], n, &proof), Ok(tree.root()));
                for place in 0..proof.len() {
                    let mut other = proof.clone();
                    other[place][0] ^= 1;
                    prop_assert_ne!(root_of_range(old, part, n, &other), Ok(tree.root()));
                    other.remove(place);
                    prop_assert_eq!(root_of_range(old, part, n, &other).unwrap_err().code(), "proof.length");
                }
                let proof = tree.inclusion_proof(old, n).unwrap();
                prop_assert_eq!(verify_inclusion(&leaves[old as usize], old, n, &proof, &tree.root()), Ok(()));
            }
        }
    }
}
