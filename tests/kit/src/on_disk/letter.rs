//! What travels, handed over without a transport.

use std::collections::BTreeMap;
use std::ops::Range;

use chrono::{DateTime, Utc};
use node::books::Books;
use node::intake::Intake;
use node::review;
use protocol::ids::EventId;
use protocol::log::checkpoint::{Checkpoint, origin_of};
use protocol::log::delivery::Delivery;
use protocol::log::tree::{Tree, leaf_hash};
use protocol::note::{Alg, Note, SigningKey};
use protocol::statement::{Body, Statement};

use super::basics::{catalogue, key};
use crate::{FEB, month, text, unit};

/// What a unit sends up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Letter {
    Entries(u64, Vec<u8>),
    Checkpoint(Vec<u8>),
    Rollup(Vec<u8>),
}

/// A whole log under a checkpoint by this key.
pub fn forged(by: &SigningKey, id: &str, entries: &[Vec<u8>]) -> Letter {
    forged_part(by, id, entries, 0..entries.len())
}

/// A part of a log under a checkpoint of the whole by this key.
pub fn forged_part(by: &SigningKey, id: &str, entries: &[Vec<u8>], part: Range<usize>) -> Letter {
    let tree: Tree = entries.iter().map(|e| leaf_hash(e)).collect();
    let checkpoint = Checkpoint::new(&origin_of(&unit(id)), tree.len(), tree.root())
        .unwrap()
        .sign(by)
        .unwrap();
    let first = part.start as u64;
    let slices: Vec<&[u8]> = entries[part].iter().map(Vec::as_slice).collect();
    Letter::Entries(
        first,
        Delivery::write(first, &slices, &checkpoint, &tree).unwrap(),
    )
}

/// The bytes of a statement that this unit's node signed, of no event that is known: text of this
/// length in it, and its number.
pub fn junk_statement(id: &str, number: u64, length: usize) -> Vec<u8> {
    let statement = Statement::new(
        EventId::from_parts(number, [7; 10]),
        "junk",
        unit(id),
        month(FEB),
        "2026-02-20T04:00:00Z".into(),
        catalogue().digest(),
    );
    let fields = [("text".to_string(), text(&"a".repeat(length)))];
    let statement = statement.with(Body::Clear {
        fields: fields.into(),
        counts: BTreeMap::new(),
    });
    let note = Note::sign(&statement.to_text().unwrap(), &[&key(id, Alg::Ed25519)]).unwrap();
    note.as_bytes().to_vec()
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
