//! What an evidence file contains, wherever it lies.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::error::FileError;
use crate::digest::Digest;
use crate::ids::UnitId;
use crate::note::{self, Note};
use crate::period::Month;
use crate::text::{self, time::is_time, unique};

/// The kind of the signed list of arrivals.
pub const ARRIVALS_KIND: &str = "arrivals";

/// What an evidence file contains.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Evidence {
    /// Registry versions from 1.
    pub registries: Vec<Note>,
    /// Catalogues that the rollups name.
    pub catalogues: Vec<Note>,
    /// Plan packs.
    pub plans: Vec<Note>,
    /// When the maker of the file received the rollups, signed by it.
    pub arrivals: Option<Note>,
    /// One part a unit.
    pub units: BTreeMap<UnitId, UnitEvidence>,
}

/// Evidence of which the entries need not be in memory.
pub trait EvidenceSource: Sync {
    /// Everything but the entries; those of these notes, if any, are not looked at.
    fn notes(&self) -> &Evidence;
    /// A unit's entries from 256 · `n` on: 256 of them, or fewer at the end, none behind it.
    ///
    /// # Errors
    /// They cannot be read, or are not as they must be.
    fn bundle(&self, unit: &UnitId, n: usize) -> Result<Option<Cow<'_, [Vec<u8>]>>, FileError>;
}

/// The same with all entries in memory.
///
/// # Errors
/// See [`EvidenceSource::bundle`].
pub fn whole(shown: &dyn EvidenceSource) -> Result<Evidence, FileError> {
    let mut evidence = shown.notes().clone();
    for (id, unit) in &mut evidence.units {
        unit.entries.clear();
        for n in 0.. {
            let Some(entries) = shown.bundle(id, n)? else {
                break;
            };
            unit.entries.extend(entries.into_owned());
        }
    }
    Ok(evidence)
}

/// One unit's part.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UnitEvidence {
    /// The log's entries from index 0: bytes of the statements' notes.
    pub entries: Vec<Vec<u8>>,
    /// Checkpoints by size, with cosignatures.
    pub checkpoints: BTreeMap<u64, Note>,
    /// Rollups by month and revision.
    pub rollups: BTreeMap<(Month, u32), Note>,
    /// Receipts of the parent by month, revision and order.
    pub receipts: BTreeMap<(Month, u32, u32), Note>,
}

/// When rollups arrived at the maker of an evidence file: `countersign/arrivals/v1`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Arrivals {
    /// Who says so.
    pub by: UnitId,
    /// Digest of the rollup → UTC time of its first arrival.
    #[serde(deserialize_with = "unique::map")]
    pub received: BTreeMap<Digest, String>,
}

impl Arrivals {
    /// The note text to be signed.
    ///
    /// # Errors
    /// What [`note::document`] finds.
    pub fn to_text(&self) -> Result<String, note::NoteError> {
        // Proof: strings and a map with digests as keys always serialise.
        let json = serde_json::to_string(self).expect("arrivals serialise");
        note::document(ARRIVALS_KIND, &json)
    }

    /// Reads a note's text.
    ///
    /// # Errors
    /// Another kind or unknown fields.
    pub fn parse(text: &str) -> Result<Arrivals, ArrivalsError> {
        let json = note::read_document(text, ARRIVALS_KIND)?;
        let arrivals: Arrivals =
            text::from_json(json).map_err(|e| ArrivalsError::Json(e.to_string()))?;
        if arrivals.received.values().any(|time| !is_time(time)) {
            return Err(ArrivalsError::Time);
        }
        Ok(arrivals)
    }
}

/// Why a list of arrivals is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ArrivalsError {
    /// The envelope is wrong.
    #[error(transparent)]
    Note(#[from] note::NoteError),
    /// The JSON is wrong.
    #[error("{0}")]
    Json(String),
    /// A time that is not of the one form.
    #[error("what stands as time of arrival is not a time of the form YYYY-MM-DDTHH:MM:SSZ")]
    Time,
}
