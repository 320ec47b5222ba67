//! The public half of an event: one leaf of the log, `countersign/statement/v1`.
//!
//! A statement tells kind, month and author. An event without personal data (`pi = "P0"`) carries
//! its fields in `clear` and its row in `counts`; every other event carries a commitment to its row
//! and the root of its private record, and nothing else of it. A void carries neither: it
//! contributes exactly minus the statement that it names.
//!
//! | field | meaning |
//! |---|---|
//! | `id` | UUIDv7 |
//! | `type` | event type of the catalogue, or `operator.enrolled` / `operator.revoked` |
//! | `unit` | the unit whose log this is |
//! | `period` | the month that it is counted in |
//! | `recorded` | UTC, `YYYY-MM-DDTHH:MM:SSZ`: the claim of the node's clock; order is told by the log alone |
//! | `catalogue` | digest of the catalogue that the row follows |
//! | `clear`, `counts` | fields and row of a clear event |
//! | `row`, `record` | commitment and record root of a sealed event |
//! | `voids` | statement taken back: id and log index |
//! | `replaces` | statement that this one corrects (taken back by a `record.corrected` just before) |
//! | `late` | the sealed month that the event's day belongs to (补报) |

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::commitment::Commitment;
use crate::count::Fields;
use crate::digest::Digest;
use crate::ids::{EventId, UnitId};
use crate::note;
use crate::period::Month;
use crate::text::{hex, read_text, unique};

/// The kind of the signed document.
pub const KIND: &str = "statement";
/// Enrols an operator's key; signed by the node.
pub const OPERATOR_ENROLLED: &str = "operator.enrolled";
/// Revokes an operator's key; signed by the node.
pub const OPERATOR_REVOKED: &str = "operator.revoked";
/// Takes a statement back (E70).
pub const VOIDED: &str = "record.voided";
/// Takes a statement back because the next one replaces it (E69).
pub const CORRECTED: &str = "record.corrected";

/// Names another statement of the same log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ref {
    /// Its id.
    pub id: EventId,
    /// Its log index.
    pub index: u64,
}

/// A record root: 64 lowercase hex digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordRoot(pub [u8; 32]);

impl Serialize for RecordRoot {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&hex::encode(&self.0))
    }
}
impl<'de> Deserialize<'de> for RecordRoot {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        read_text(d, |text| {
            hex::array(text)
                .map(RecordRoot)
                .ok_or("a record root is 64 lowercase hex digits")
        })
    }
}

/// One entry of a unit's log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Statement {
    /// UUIDv7.
    pub id: EventId,
    /// Event type.
    #[serde(rename = "type")]
    pub event: String,
    /// Whose log.
    pub unit: UnitId,
    /// The month that it counts in.
    pub period: Month,
    /// When the node wrote it, UTC.
    pub recorded: String,
    /// By which catalogue.
    pub catalogue: Digest,
    /// Fields of a clear event.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "unique::some"
    )]
    pub clear: Option<Fields>,
    /// Row of a clear event: column → weight.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "unique::some"
    )]
    pub counts: Option<BTreeMap<String, i64>>,
    /// Commitment to the row of a sealed event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub row: Option<Commitment>,
    /// Root of the private record of a sealed event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<RecordRoot>,
    /// Taken back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub voids: Option<Ref>,
    /// Corrected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<Ref>,
    /// The sealed month that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub late: Option<Month>,
}

/// Why a statement is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StatementError {
    /// The envelope is wrong.
    #[error("not a statement note: {0} [statement.note]")]
    Note(String),
    /// The JSON is wrong.
    #[error("not a statement: {0} [statement.json]")]
    Json(String),
    /// Fields that do not go together.
    #[error(
        "a statement is clear (clear and counts), sealed (row and record) or a void (voids alone); this one is {0} [statement.shape]"
    )]
    Shape(&'static str),
}

impl Statement {
    /// The note text to be signed.
    ///
    /// # Errors
    /// Where the fields do not go together.
    pub fn to_text(&self) -> Result<String, StatementError> {
        self.check()?;
        let json = serde_json::to_string(self).map_err(|e| StatementError::Json(e.to_string()))?;
        note::document(KIND, &json).map_err(|e| StatementError::Note(e.to_string()))
    }

    /// Reads a note's text. Verify the signature first: see [`crate::verify::log`].
    ///
    /// # Errors
    /// Another kind, unknown or missing fields, fields that do not go together.
    pub fn parse(text: &str) -> Result<Statement, StatementError> {
        let json =
            note::read_document(text, KIND).map_err(|e| StatementError::Note(e.to_string()))?;
        let statement: Statement =
            serde_json::from_str(json).map_err(|e| StatementError::Json(e.to_string()))?;
        statement.check()?;
        Ok(statement)
    }

    /// Whether it says something of the log itself and is never counted.
    pub fn is_operator(&self) -> bool {
        self.event == OPERATOR_ENROLLED || self.event == OPERATOR_REVOKED
    }

    fn check(&self) -> Result<(), StatementError> {
        let clear = (self.clear.is_some(), self.counts.is_some());
        let sealed = (self.row.is_some(), self.record.is_some());
        let is_void = self.event == VOIDED || self.event == CORRECTED;
        match (clear, sealed, self.voids.is_some()) {
            ((true, true), (false, false), false) | ((false, false), (true, true), false)
                if !is_void =>
            {
                Ok(())
            }
            ((true, false), (false, false), true) if is_void => Ok(()),
            (_, _, true) if !is_void => Err(StatementError::Shape("voiding, but of another type")),
            (_, _, false) if is_void => Err(StatementError::Shape("a void that names nothing")),
            _ => Err(StatementError::Shape("neither")),
        }
    }
}
