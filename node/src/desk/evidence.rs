//! Evidence as it stood at one moment, taken out a bundle at a time while the node works on.
//!
//! A province's month has a million statements, a gigabyte. They lie in the journal, which only
//! grows: so the notes are taken at once, with the number of statements that they cover, and the
//! statements follow when somebody has room for them.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use protocol::chain;
use protocol::digest::Digest;
use protocol::evidence::file::FileError;
use protocol::evidence::{Arrivals, Evidence, EvidenceSource, UnitEvidence};
use protocol::ids::UnitId;
use protocol::log::tile::MAX_BUNDLE_ENTRIES;
use protocol::note::Note;
use protocol::period::Month;
use protocol::rollup::{HeldRollup, Rollups};

use crate::books::children::Child;
use crate::books::{Books, OwnRollup};
use crate::clock::stamp;
use crate::fault::{Faults, internal};

/// Everything that proves the figures of a unit and of those below it, as far as it is known here:
/// without the statements, which stay in the journal.
#[derive(Debug)]
pub struct Snapshot {
    notes: Evidence,
    /// Statements of each unit that its rollups cover.
    sizes: BTreeMap<UnitId, u64>,
}

impl Snapshot {
    /// The evidence as it stands.
    ///
    /// # Errors
    /// A node without a registry.
    pub fn of(books: &Books) -> Result<Snapshot, Faults> {
        let mut notes = Evidence {
            registries: books.registries().iter().map(|(_, n)| n.clone()).collect(),
            catalogues: books.catalogues().iter().map(|(_, n)| n.clone()).collect(),
            plans: books.plans().iter().map(|(_, n)| n.clone()).collect(),
            ..Evidence::default()
        };
        // The file orders them by digest; the content must be in the order in which a reader finds
        // it.
        notes.catalogues.sort_by_key(|n| n.digest().to_string());
        notes.plans.sort_by_key(|n| n.digest().to_string());
        let mut sizes = BTreeMap::new();
        let log = books.log().ok_or_else(super::month::no_registry)?;
        let signed = signed(books);
        let last = signed.last().map_or(0, |own| own.held().rollup.log.size);
        sizes.insert(books.unit().clone(), last.min(log.len()));
        notes
            .units
            .insert(books.unit().clone(), own(books, &signed));
        let mut arrivals = Arrivals {
            by: books.unit().clone(),
            received: BTreeMap::new(),
        };
        for (id, child) in books.children() {
            let complete = complete(child);
            let arrived = complete
                .iter()
                .filter_map(|held| child.arrived().get_key_value(&held.digest()));
            let times = arrived.map(|(digest, at)| (*digest, stamp(*at)));
            arrivals.received.extend(times);
            if let Some(last) = complete.last() {
                sizes.insert(id.clone(), last.rollup.log.size);
                notes.units.insert(id.clone(), below(child, &complete));
            }
        }
        keep_latest(&mut arrivals.received);
        if !arrivals.received.is_empty() {
            if let Some(fault) = books.listed_key().fault() {
                return Err(fault.into());
            }
            let text = arrivals.to_text().map_err(internal)?;
            notes.arrivals = Some(Note::sign(&text, &[&books.keys().node]).map_err(internal)?);
        }
        Ok(Snapshot { notes, sizes })
    }

    /// All but the statements.
    pub fn notes(&self) -> &Evidence {
        &self.notes
    }

    /// A unit's statements from 256 · `n` on, at most 256; none behind the last.
    ///
    /// # Errors
    /// A damaged disk.
    pub fn bundle(
        &self,
        books: &Books,
        unit: &UnitId,
        n: usize,
    ) -> Result<Option<Vec<Vec<u8>>>, Faults> {
        let size = self.sizes.get(unit).copied().unwrap_or(0);
        let first = (n as u64).saturating_mul(MAX_BUNDLE_ENTRIES as u64);
        let indexes = first..size.min(first.saturating_add(MAX_BUNDLE_ENTRIES as u64));
        if indexes.is_empty() {
            return Ok(None);
        }
        let wanted = indexes.end - indexes.start;
        let entries = if unit == books.unit() {
            indexes
                .map(|index| books.statement_bytes(index))
                .collect::<Result<Vec<_>, _>>()
                .map_err(internal)?
        } else {
            books.child_entries(unit, indexes).map_err(internal)?
        };
        if entries.len() as u64 == wanted {
            Ok(Some(entries))
        } else {
            Err(internal(format!("statements of {unit} are missing")))
        }
    }
}

/// Most arrivals in one note, which has at most 1 MiB. Older ones are told by the parents'
/// receipts.
const MAX_ARRIVALS: usize = 8_000;

fn keep_latest(received: &mut BTreeMap<Digest, String>) {
    let Some(surplus) = received.len().checked_sub(MAX_ARRIVALS).filter(|n| *n > 0) else {
        return;
    };
    // Times are written in one way, in UTC: their texts compare as they do.
    let mut times: Vec<(String, Digest)> = received
        .iter()
        .map(|(digest, at)| (at.clone(), *digest))
        .collect();
    times.sort_unstable();
    for (_, digest) in times.into_iter().take(surplus) {
        received.remove(&digest);
    }
}

/// The unit's reports that are signed by all three, as are those before on their chains. Another one
/// is no report yet: a reader would say of it that authorship fails, and of the next one that its
/// chain breaks.
fn signed(books: &Books) -> Vec<&OwnRollup> {
    let known = books.own_rollups();
    let is_signed = |key: &(Month, u32)| books.rollups().get(key).filter(|own| own.is_signed());
    let with_chain = chain_of(&known, |held| is_signed(&held.key()).is_some());
    let keys = with_chain.iter().map(|held| held.key());
    keys.filter_map(|key| is_signed(&key)).collect()
}

/// Those for which this is true, as it is for all before them on their chains; in the order of their
/// logs.
fn chain_of(known: &Rollups, is_there: impl Fn(&HeldRollup) -> bool) -> Vec<&Arc<HeldRollup>> {
    let mut shown = BTreeSet::new();
    let mut all = chain::in_order(known);
    all.retain(|held| {
        let after = held.rollup.after.as_ref();
        let keep = is_there(held) && after.is_none_or(|after| shown.contains(&after.rollup));
        keep && shown.insert(held.digest())
    });
    all
}

fn own(books: &Books, signed: &[&OwnRollup]) -> UnitEvidence {
    let mut part = UnitEvidence::default();
    for own in signed {
        let (month, revision) = own.held().key();
        let size = own.held().rollup.log.size;
        part.rollups
            .insert((month, revision), own.held().note.clone());
        if let Some(note) = books.checkpoint(size) {
            part.checkpoints.insert(size, note.clone());
        }
        let mut last = "";
        for (n, (receipt, note)) in (1..).zip(own.receipts()) {
            // Two parents, of before and after a move, may have decided in one second; or the clock
            // of one is behind. A reader takes receipts in the order of their times only.
            if last < receipt.decided.as_str() {
                last = &receipt.decided;
                part.receipts.insert((month, revision, n), note.clone());
            }
        }
    }
    part
}

/// A child's rollups that are here whole, in the order of their logs: with the statements and the
/// checkpoint, and with those before on their chains. A reader can make nothing of another one,
/// and of statements that no checkpoint covers it says that the file cannot be verified at all.
fn complete(child: &Child) -> Vec<&Arc<HeldRollup>> {
    chain_of(child.known(), |held| {
        let size = held.rollup.log.size;
        size <= child.held() && child.checkpoints().contains_key(&size)
    })
}

fn below(child: &Child, complete: &[&Arc<HeldRollup>]) -> UnitEvidence {
    let mut part = UnitEvidence::default();
    for held in complete {
        let key = held.key();
        part.rollups.insert(key, held.note.clone());
        if let Some(note) = child.checkpoints().get(&held.rollup.log.size) {
            part.checkpoints.insert(held.rollup.log.size, note.clone());
        }
        for (n, (_, note)) in (1..).zip(child.given().get(&held.digest()).into_iter().flatten()) {
            part.receipts.insert((key.0, key.1, n), note.clone());
        }
    }
    part
}

/// Evidence that is read straight from books at hand, as an offline command or a test holds them.
#[derive(Debug)]
pub struct LocalEvidence<'a> {
    books: &'a Books,
    snapshot: Snapshot,
}

impl LocalEvidence<'_> {
    /// The evidence as it stands.
    ///
    /// # Errors
    /// See [`Snapshot::of`].
    pub fn new(books: &Books) -> Result<LocalEvidence<'_>, Faults> {
        Ok(LocalEvidence {
            books,
            snapshot: Snapshot::of(books)?,
        })
    }
}

impl EvidenceSource for LocalEvidence<'_> {
    fn notes(&self) -> &Evidence {
        self.snapshot.notes()
    }
    fn bundle(&self, unit: &UnitId, n: usize) -> Result<Option<Cow<'_, [Vec<u8>]>>, FileError> {
        let entries = self
            .snapshot
            .bundle(self.books, unit, n)
            .map_err(|e| FileError::Source(e.to_string()))?;
        Ok(entries.map(Cow::Owned))
    }
}

/// The whole evidence in memory.
///
/// # Errors
/// See [`Snapshot::of`], and a damaged disk.
pub fn evidence(books: &Books) -> Result<Evidence, Faults> {
    protocol::evidence::whole(&LocalEvidence::new(books)?).map_err(internal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrivals_fit_into_their_note() {
        let mut received: BTreeMap<Digest, String> = (0..20_000u32)
            .map(|n| {
                (
                    Digest::of(&n.to_be_bytes()),
                    format!("2026-01-01T00:00:00.{n:06}Z"),
                )
            })
            .collect();
        keep_latest(&mut received);
        assert_eq!(received.len(), MAX_ARRIVALS);
        assert!(
            received
                .values()
                .all(|at| at.as_str() >= "2026-01-01T00:00:00.012000Z")
        );
        let text = Arrivals {
            by: "14".parse().unwrap(),
            received,
        }
        .to_text()
        .unwrap();
        let key =
            protocol::note::SigningKey::from_seed("14", protocol::note::Alg::Ed25519, [1; 32])
                .unwrap();
        assert!(Note::parse(Note::sign(&text, &[&key]).unwrap().as_bytes()).is_ok());
    }
}
