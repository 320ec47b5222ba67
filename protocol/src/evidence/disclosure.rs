//! A disclosure: chosen fields of one chosen event, with everything that shows that they are what
//! was recorded.
//!
//! Made by the holder of the record for an inspector; checked against a root key with no network:
//! 1. The registry chain follows from the root key.
//! 2. The statement is the unit's, and in the log whose checkpoint the unit's node key signed.
//! 3. Each shown field is part of the record that the statement names.
//! 4. If the row is shown, it is a legal one and the statement's commitment opens to it.

use serde::{Deserialize, Serialize};

use crate::commitment::{CommitmentError, Generators, OpenScalar};
use crate::count::MoveKind;
use crate::ids::UnitId;
use crate::log::checkpoint::{Checkpoint, CheckpointError, origin_of};
use crate::log::tree::{self, ProofError};
use crate::note::{Note, NoteError, VerifierKey};
use crate::published::{self, PublishedError};
use crate::record::{Disclosed, RecordError};
use crate::registry::{Registry, RegistryError, Unit, VerifiedRegistry};
use crate::row::UnknownColumn;
use crate::statement::{Statement, StatementError};
use crate::text::hex;

/// Names the format.
pub const FORMAT: &str = "countersign-disclosure-v1";

/// The file, as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Disclosure {
    /// [`FORMAT`].
    pub format: String,
    /// Whose event.
    pub unit: UnitId,
    /// Log index.
    pub index: u64,
    /// The statement's note.
    pub statement: String,
    /// Inclusion proof, leaf to root, in hex.
    pub proof: Vec<String>,
    /// The signed checkpoint.
    pub checkpoint: String,
    /// Registry versions from 1.
    pub registries: Vec<String>,
    /// The signed catalogue that the statement names.
    pub catalogue: String,
    /// Shown fields.
    pub fields: Vec<Disclosed>,
    /// The row and its blinding, if shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub row: Option<ShownRow>,
}

/// The opened commitment of one event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShownRow {
    /// Names of the columns that are 1.
    pub columns: Vec<String>,
    /// r.
    pub blinding: OpenScalar,
}

/// Why a disclosure does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DisclosureError {
    /// Of another format.
    #[error("not a disclosure of the form {FORMAT}")]
    Format,
    /// A note in it cannot be read.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// The registry chain does not follow from the root keys.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// No registry in it.
    #[error("no registry")]
    NoRegistry,
    /// A unit that does not exist.
    #[error("the unit is not in the registry")]
    UnknownUnit,
    /// The checkpoint cannot be read.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The checkpoint of another unit.
    #[error("the checkpoint is of another log")]
    OtherLog,
    /// The checkpoint is not signed as it must be.
    #[error("the checkpoint is not signed by the unit's node key")]
    CheckpointKey,
    /// The proof cannot be read.
    #[error("the proof is not hex")]
    ProofText,
    /// The statement is not in the log.
    #[error(transparent)]
    Inclusion(#[from] ProofError),
    /// The statement cannot be read.
    #[error(transparent)]
    Statement(#[from] StatementError),
    /// The statement of another unit.
    #[error("the statement is of unit {0}")]
    OtherUnit(UnitId),
    /// Fields of an event that has no record.
    #[error("the statement has no private record")]
    NoRecord,
    /// A field that is not part of the record.
    #[error(transparent)]
    Field(#[from] RecordError),
    /// The catalogue is not signed, or cannot be read.
    #[error(transparent)]
    Catalogue(#[from] PublishedError),
    /// Another catalogue than the statement's.
    #[error("the catalogue is not the one that the statement names")]
    OtherCatalogue,
    /// The catalogue has no such type.
    #[error("no schema for this event type")]
    NoSchema,
    /// The schema has no such column.
    #[error(transparent)]
    Column(#[from] UnknownColumn),
    /// One column twice.
    #[error("a column is shown twice")]
    ColumnTwice,
    /// A block without exactly one column.
    #[error("the row counts {ones} times for figure {figure}, not once")]
    Block {
        /// How many of its columns are shown.
        ones: usize,
        /// The block's figure.
        figure: String,
    },
    /// The row cannot be committed to.
    #[error(transparent)]
    Commitment(#[from] CommitmentError),
    /// The commitment is of another row.
    #[error("the statement's commitment does not open to this row")]
    Opening,
}

/// Checks a disclosure (SPEC section 10); gives the statement.
///
/// # Errors
/// The first thing that contradicts.
pub fn verify<R: AsRef<[VerifierKey]> + ?Sized>(
    d: &Disclosure,
    roots: &R,
) -> Result<Statement, DisclosureError> {
    if d.format != FORMAT {
        return Err(DisclosureError::Format);
    }
    let notes = d
        .registries
        .iter()
        .map(|t| Note::parse(t.as_bytes()))
        .collect::<Result<Vec<_>, _>>()?;
    let chain = VerifiedRegistry::chain(&notes, roots)?;
    let newest = chain.last().ok_or(DisclosureError::NoRegistry)?;
    let registry = newest.registry();
    let unit = registry.unit(&d.unit).ok_or(DisclosureError::UnknownUnit)?;
    statement_in_log(d, unit)?;
    let note = Note::parse(d.statement.as_bytes())?;
    let statement = Statement::parse(note.text())?;
    if statement.unit != d.unit {
        return Err(DisclosureError::OtherUnit(statement.unit));
    }
    if !d.fields.is_empty() {
        let record = statement.record().ok_or(DisclosureError::NoRecord)?;
        for field in &d.fields {
            field.verify(&record)?;
        }
    }
    if let Some(row) = &d.row {
        row_opens(d, row, &statement, registry)?;
    }
    Ok(statement)
}

/// The statement is in the unit's log, whose checkpoint the unit's node key signed.
fn statement_in_log(d: &Disclosure, unit: &Unit) -> Result<(), DisclosureError> {
    let checkpoint = Note::parse(d.checkpoint.as_bytes())?;
    let point = Checkpoint::parse(checkpoint.text())?;
    if point.origin() != origin_of(&d.unit) {
        return Err(DisclosureError::OtherLog);
    }
    checkpoint
        .verify(&unit.keys_over(point.size()))
        .map_err(|_| DisclosureError::CheckpointKey)?;
    let proof = d
        .proof
        .iter()
        .map(|h| hex::array(h))
        .collect::<Option<Vec<tree::Hash>>>()
        .ok_or(DisclosureError::ProofText)?;
    let leaf = tree::leaf_hash(d.statement.as_bytes());
    tree::verify_inclusion(&leaf, d.index, point.size(), &proof, &point.root())?;
    Ok(())
}

/// The shown row is a legal one, and the statement's commitment opens to it.
fn row_opens(
    d: &Disclosure,
    row: &ShownRow,
    statement: &Statement,
    registry: &Registry,
) -> Result<(), DisclosureError> {
    let note = Note::parse(d.catalogue.as_bytes())?;
    let catalogue = published::read_catalogue(&note, registry)?;
    if catalogue.digest() != statement.catalogue {
        return Err(DisclosureError::OtherCatalogue);
    }
    let generators = Generators::new(&catalogue);
    let schema = generators
        .schema(&statement.event)
        .ok_or(DisclosureError::NoSchema)?;
    let named = row.columns.iter().map(|c| (c.clone(), 1)).collect();
    let columns = schema.from_named(&named)?;
    if columns.len() != row.columns.len() {
        return Err(DisclosureError::ColumnTwice);
    }
    let blocks = schema.blocks().iter();
    for block in blocks.filter(|b| b.kind != MoveKind::Amount) {
        let of_block = block.start..block.start + block.width;
        let ones = columns.iter().filter(|(c, _)| of_block.contains(c)).count();
        if ones != 1 {
            return Err(DisclosureError::Block {
                ones,
                figure: block.figure.clone(),
            });
        }
    }
    let opened = generators.commit(&statement.event, &columns, &row.blinding.0)?;
    if statement.row() != Some(&opened) {
        return Err(DisclosureError::Opening);
    }
    Ok(())
}
