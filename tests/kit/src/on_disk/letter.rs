//! What travels, handed over without a transport.

use chrono::{DateTime, Utc};
use node::books::Books;
use node::intake::Intake;
use node::review;
use protocol::log::checkpoint::{Checkpoint, origin_of};
use protocol::log::delivery::Delivery;
use protocol::log::tree::{Tree, leaf_hash};
use protocol::note::SigningKey;

use crate::unit;

/// What a unit sends up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Letter {
    Entries(u64, Vec<u8>),
    Checkpoint(Vec<u8>),
    Rollup(Vec<u8>),
}

/// A whole log under a checkpoint by this key.
pub fn forged(by: &SigningKey, id: &str, entries: &[Vec<u8>]) -> Letter {
    let tree: Tree = entries.iter().map(|e| leaf_hash(e)).collect();
    let checkpoint = Checkpoint::new(&origin_of(&unit(id)), tree.len(), tree.root())
        .unwrap()
        .sign(by)
        .unwrap();
    let slices: Vec<&[u8]> = entries.iter().map(Vec::as_slice).collect();
    Letter::Entries(0, Delivery::write(0, &slices, &checkpoint, &tree).unwrap())
}

/// Hands one message over.
pub fn take(books: &mut Books, from: &str, letter: &Letter, now: DateTime<Utc>) -> Intake {
    let from = unit(from);
    match letter {
        Letter::Entries(first, body) => review::take_entries(books, &from, *first, body),
        Letter::Checkpoint(body) => review::take_checkpoint(books, &from, body, now),
        Letter::Rollup(body) => review::take_rollup(books, &from, body, now),
    }
    .unwrap()
}
