//! A disclosure: chosen fields of one chosen event, with everything that shows that they are what
//! was recorded.
//!
//! Made by the holder of the record for an inspector; checked against a root key with no network:
//! 1. The registry chain follows from the root key.
//! 2. The statement is the unit's, and in the log whose checkpoint the unit's node key signed.
//! 3. Each shown field is part of the record that the statement names.
//! 4. If the row is shown, it is a legal one and the statement's commitment opens to it.

use serde::{Deserialize, Serialize};

use crate::catalogue::Catalogue;
use crate::commitment::{Generators, OpenScalar};
use crate::count::MoveKind;
use crate::ids::UnitId;
use crate::log::checkpoint::{Checkpoint, origin_of};
use crate::log::tree;
use crate::note::{Note, VerifierKey};
use crate::published;
use crate::record::Disclosed;
use crate::registry::VerifiedRegistry;
use crate::statement::Statement;
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

/// Checks a disclosure; gives the statement.
///
/// # Errors
/// The first thing that contradicts.
pub fn verify<R: AsRef<[VerifierKey]> + ?Sized>(
    d: &Disclosure,
    roots: &R,
) -> Result<Statement, String> {
    if d.format != FORMAT {
        return Err(format!("not a disclosure of the form {FORMAT}"));
    }
    let notes = d
        .registries
        .iter()
        .map(|t| Note::parse(t.as_bytes()))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|e| e.to_string())?;
    let chain = VerifiedRegistry::chain(&notes, roots).map_err(|e| e.to_string())?;
    let registry = chain.last().ok_or("no registry")?.registry();
    let unit = registry
        .unit(&d.unit)
        .ok_or("the unit is not in the registry")?;
    let checkpoint = Note::parse(d.checkpoint.as_bytes()).map_err(|e| e.to_string())?;
    let point = Checkpoint::parse(checkpoint.text()).map_err(|e| e.to_string())?;
    if point.origin() != origin_of(&d.unit) {
        return Err("the checkpoint is of another log".into());
    }
    checkpoint
        .verify(&unit.keys_over(point.size()))
        .map_err(|_| "the checkpoint is not signed by the unit's node key")?;
    let proof = d
        .proof
        .iter()
        .map(|h| hex::array(h))
        .collect::<Option<Vec<tree::Hash>>>()
        .ok_or("the proof is not hex")?;
    tree::verify_inclusion(
        &tree::leaf_hash(d.statement.as_bytes()),
        d.index,
        point.size(),
        &proof,
        &point.root(),
    )
    .map_err(|e| e.to_string())?;
    let note = Note::parse(d.statement.as_bytes()).map_err(|e| e.to_string())?;
    let statement = Statement::parse(note.text()).map_err(|e| e.to_string())?;
    if statement.unit != d.unit {
        return Err(format!("the statement is of unit {}", statement.unit));
    }
    if !d.fields.is_empty() {
        let record = statement
            .record
            .ok_or("the statement has no private record")?;
        for field in &d.fields {
            field.verify(&record).map_err(|e| e.to_string())?;
        }
    }
    if let Some(row) = &d.row {
        let note = Note::parse(d.catalogue.as_bytes()).map_err(|e| e.to_string())?;
        let catalogue: Catalogue =
            published::read_catalogue(&note, registry).map_err(|e| e.to_string())?;
        if catalogue.digest() != statement.catalogue {
            return Err("the catalogue is not the one that the statement names".into());
        }
        let generators = Generators::new(&catalogue);
        let schema = generators
            .schema(&statement.event)
            .ok_or("no schema for this event type")?;
        let named = row.columns.iter().map(|c| (c.clone(), 1)).collect();
        let columns = schema
            .from_named(&named)
            .map_err(|c| format!("unknown column {c}"))?;
        if columns.len() != row.columns.len() {
            return Err("a column is shown twice".into());
        }
        for block in schema
            .blocks()
            .iter()
            .filter(|b| b.kind != MoveKind::Amount)
        {
            let ones = columns
                .iter()
                .filter(|(c, _)| (block.start..block.start + block.width).contains(c))
                .count();
            if ones != 1 {
                return Err(format!(
                    "the row counts {ones} times for figure {}, not once",
                    block.figure
                ));
            }
        }
        let opened = generators
            .commit(&statement.event, &columns, &row.blinding.0)
            .map_err(|e| e.to_string())?;
        if statement.row != Some(opened) {
            return Err("the statement's commitment does not open to this row".into());
        }
    }
    Ok(statement)
}
