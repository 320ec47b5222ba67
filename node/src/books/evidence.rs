//! What was kept of others, read back from the journal: statements of units below, and both sides
//! of a contradiction.

use std::ops::Range;

use protocol::ids::UnitId;
use protocol::log::checkpoint::Checkpoint;
use protocol::log::delivery::Delivery;
use protocol::note::Note;
use protocol::receipt::Receipt;
use protocol::rollup::HeldRollup;
use protocol::verify::log::UnitLog;

use super::children::{Chunk, Delivered, delivered};
use super::contradictions::{Contradiction, ContradictionHead, KeptContradiction, Side};
use super::core::Books;
use super::entry::headed;
use super::error::BooksError;
use super::state::Derived;

/// So many statements of a log are read at a time.
const READ_STATEMENTS: u64 = 4096;

impl Books {
    /// Statements of a unit below from the journal: those of these log indexes that came.
    ///
    /// # Errors
    /// A damaged disk.
    pub fn child_entries(
        &self,
        unit: &UnitId,
        indexes: Range<u64>,
    ) -> Result<Vec<Vec<u8>>, BooksError> {
        let chunks = self
            .child(unit)
            .map(|c| c.chunks.as_slice())
            .unwrap_or_default();
        let from = chunks
            .partition_point(|chunk| chunk.first <= indexes.start)
            .saturating_sub(1);
        let mut found = Vec::new();
        for Chunk { first, seq, .. } in chunks[from..]
            .iter()
            .take_while(|chunk| chunk.first < indexes.end)
        {
            let stored = self.at(*seq)?;
            let Delivered { entries, .. } = delivered(&stored).map_err(|e| e.at(*seq))?;
            found.extend(
                (*first..)
                    .zip(entries)
                    .filter(|(index, _)| indexes.contains(index))
                    .map(|(_, entry)| entry),
            );
        }
        Ok(found)
    }

    /// Reads the log of a unit below for checks up to this size, as far as it has come. Some
    /// statements at a time: a month of them need not be in memory at once.
    ///
    /// # Errors
    /// A damaged disk.
    pub fn read_child_log(&mut self, unit: &UnitId, size: u64) -> Result<(), BooksError> {
        while let Some(child) = self.child(unit) {
            let begin = child.log().len();
            let end = size.min(child.held()).min(begin + READ_STATEMENTS);
            if begin >= end {
                break;
            }
            let entries = self.child_entries(unit, begin..end)?;
            if entries.is_empty() {
                break;
            }
            let unit = unit.clone();
            self.remember(Derived::LogRead { unit, entries });
        }
        Ok(())
    }

    /// A unit's log read anew up to this size, where more of it was read already; none otherwise.
    ///
    /// # Errors
    /// A damaged disk.
    pub fn shorter_log(&self, unit: &UnitId, size: u64) -> Result<Option<UnitLog>, BooksError> {
        let child = self.child(unit).filter(|child| size < child.log().len());
        let Some(child) = child else {
            return Ok(None);
        };
        let mut log = UnitLog::new(child.unit(), child.log().catalogues().to_vec());
        while log.len() < size {
            let end = size.min(log.len() + READ_STATEMENTS);
            let entries = self.child_entries(unit, log.len()..end)?;
            if entries.is_empty() {
                break;
            }
            log.read(&entries, child.unit());
        }
        Ok(Some(log))
    }

    /// One statement of a unit below, with the delivery that it came in.
    pub(super) fn child_entry(
        &self,
        unit: &UnitId,
        index: u64,
    ) -> Result<Option<Side>, BooksError> {
        let chunks = self
            .child(unit)
            .map(|c| c.chunks.as_slice())
            .unwrap_or_default();
        let behind = chunks.partition_point(|chunk| chunk.first <= index);
        let Some(Chunk { first, seq, .. }) = behind.checked_sub(1).map(|n| chunks[n]) else {
            return Ok(None);
        };
        let stored = self.at(seq)?;
        let Delivered {
            entries,
            from,
            body,
            ..
        } = delivered(&stored).map_err(|e| e.at(seq))?;
        Ok(usize::try_from(index - first)
            .ok()
            .and_then(|n| entries.into_iter().nth(n))
            .map(|entry| Side::statement(entry, from, body.to_vec())))
    }

    /// The two sides of a contradiction: what was known, as far as it still stands for itself, and
    /// what came second. Of two statements for one index each comes with its delivery.
    ///
    /// # Errors
    /// A damaged disk.
    pub fn both_sides(
        &self,
        found: &KeptContradiction,
    ) -> Result<(Option<Side>, Side), BooksError> {
        let bad = |message: &str| BooksError::Entry {
            seq: found.seq,
            message: message.to_string(),
        };
        let stored = self.at(found.seq)?;
        let (head, body): (ContradictionHead, _) =
            headed(&stored.public).ok_or_else(|| bad("no heading"))?;
        if let (Contradiction::Statement { index }, Some(from)) = (&head.what, head.from) {
            let index = *index;
            let entries = Delivery::reopen(body).map_err(|e| bad(&e.to_string()))?;
            let at = index
                .checked_sub(from)
                .and_then(|n| usize::try_from(n).ok());
            let second = at
                .and_then(|n| entries.into_iter().nth(n))
                .ok_or_else(|| bad("no such statement in the delivery"))?;
            return Ok((
                self.child_entry(&found.unit, index)?,
                Side::statement(second, from, body.to_vec()),
            ));
        }
        let note = Note::parse(body).map_err(|e| bad(&e.to_string()))?;
        let child = self.child(&found.unit);
        let first = if let Ok(held) = HeldRollup::new(note.clone()) {
            let key = (held.rollup.period, held.rollup.revision);
            child
                .and_then(|c| c.known.get(&key))
                .map(|h| h.note.clone())
        } else if let Ok(point) = Checkpoint::parse(note.text()) {
            child
                .and_then(|c| c.checkpoints.get(&point.size()))
                .cloned()
        } else if let Ok(receipt) = Receipt::parse(note.text()) {
            self.rollups()
                .get(&(receipt.period, receipt.revision))
                .map(|r| r.held.note.clone())
        } else {
            None
        };
        Ok((first.map(|note| Side::note(&note)), Side::note(&note)))
    }
}
