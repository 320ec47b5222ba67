//! The log: which statements there are, and in which order. An append-only Merkle tree whose head
//! is signed.
//!
//! | file | holds | source |
//! |---|---|---|
//! | `tree` | hashes, roots, inclusion and consistency proofs | RFC 6962 section 2.1, RFC 9162 section 2.1 (SHA-256) |
//! | `tile` | how hashes and entries are cut into files | C2SP `tlog-tiles` |
//! | `delivery` | a run of entries on its way, with the proof of its place | this project |
//! | `checkpoint` | the signed head and its cosignatures | C2SP `tlog-checkpoint`, `tlog-cosignature` |

pub mod checkpoint;
pub mod delivery;
pub mod tile;
pub mod tree;

pub use checkpoint::{
    Checkpoint, CheckpointError, add_cosignature, cosign, origin_of, verify_cosignature,
};
pub use delivery::{Claimed, Delivery, DeliveryError};
pub use tile::{
    TileError, TilePath, decode_bundle, encode_bundle, entries_path, parse_path, tile_path,
};
pub use tree::{
    Hash, ProofError, Tree, empty_root, leaf_hash, node_hash, root_of, verify_consistency,
    verify_inclusion,
};
