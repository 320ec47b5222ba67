//! The desk: what a unit's people do. Record and import, correct and void, close, sign, submit.
//!
//! Each function computes journal entries from the books and commits them; no function here keeps a
//! state of its own. Reading order: [`input`] (files to drafts), [`record`] (drafts to statements),
//! `press` (statements to signed entries), [`close`] (a month to a rollup), [`sign`] (signatures
//! and the outbox), [`audit`] (looking back), [`extract`] (evidence).

pub mod audit;
pub mod close;
pub mod extract;
pub mod input;
mod press;
pub mod record;
pub mod sign;

use std::sync::Arc;

use protocol::compiled::CompiledCatalogue;
use protocol::period::Month;
use zeroize::Zeroizing;

use crate::books::Books;
use crate::fault::{Faults, internal};
use crate::random::Random;

/// Random bytes.
///
/// # Errors
/// There are none to be had: nothing can be signed or sealed then.
pub fn random<const N: usize>(books: &Books) -> Result<[u8; N], Faults> {
    let mut bytes = [0; N];
    books.random.fill(&mut bytes).map_err(internal)?;
    Ok(bytes)
}

/// Random bytes drawn ahead, for whoever needs many small pieces: asking the operating system for
/// each salt takes longer than hashing it. What is left over is wiped.
struct Drawn {
    from: Arc<dyn Random>,
    bytes: Zeroizing<Vec<u8>>,
    used: usize,
}

impl Drawn {
    fn new(from: Arc<dyn Random>) -> Drawn {
        Drawn {
            from,
            bytes: Zeroizing::new(vec![0; 4096]),
            used: 4096,
        }
    }

    /// The next bytes, which are not given out again.
    fn next<const N: usize>(&mut self) -> Result<[u8; N], Faults> {
        if self.bytes.len() - self.used < N {
            self.from.fill(&mut self.bytes).map_err(internal)?;
            self.used = 0;
        }
        let mut next = [0; N];
        next.swap_with_slice(&mut self.bytes[self.used..self.used + N]);
        self.used += N;
        Ok(next)
    }
}

/// The month that events are recorded in: the one after the last closed one, or the last closed one
/// itself while the parent asks for a new revision of it.
///
/// # Errors
/// A node without a registry.
pub fn open_month(books: &Books) -> Result<Month, Faults> {
    let me = books.me().ok_or_else(no_registry)?;
    match books.rollups.iter().next_back() {
        None => Ok(me.since),
        Some(((last, _), own))
            if own
                .decision()
                .is_some_and(protocol::receipt::Decision::asks_for_revision) =>
        {
            Ok(*last)
        }
        Some(((last, _), _)) => last.next().ok_or_else(|| internal("the calendar ends")),
    }
}

/// The catalogue of the open month: the one that its first statement was recorded by, else the one
/// that the accepted children counted by (their figures could not be added otherwise), else the
/// newest.
///
/// # Errors
/// A node without a registry or a catalogue.
pub fn counting(books: &Books) -> Result<Arc<CompiledCatalogue>, Faults> {
    counting_of(books, open_month(books)?)
}

fn counting_of(books: &Books, month: Month) -> Result<Arc<CompiledCatalogue>, Faults> {
    let log = books.log.as_ref().ok_or_else(no_registry)?;
    let children = || {
        books
            .children
            .values()
            .filter(|c| c.unit.parent.as_ref() == Some(books.unit()))
    };
    let theirs = || {
        children()
            .find_map(|c| c.accepted(month))
            .map(|h| h.rollup.catalogue)
    };
    let found = match log.month(month).catalogue.or_else(theirs) {
        Some(digest) => books
            .catalogues()
            .iter()
            .map(|(c, _)| c)
            .find(|c| c.digest == digest),
        None => books.counting(),
    };
    found.cloned().ok_or_else(|| {
        Faults::one(
            "node.catalogue",
            "节点还没有指标目录",
            "the node has no catalogue yet",
        )
    })
}

fn no_registry() -> Faults {
    Faults::one(
        "node.registry",
        "节点还没有登记册;请先放入 published 目录",
        "the node has no registry yet; put it into the published directory",
    )
}
