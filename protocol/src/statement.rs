//! The public half of an event: one leaf of the log, `countersign/statement/v1`.
//!
//! A statement tells kind, month and author. An event without personal data (`pi = "P0"`) carries
//! its fields in `clear` and its row in `counts`; every other event carries a commitment to its row
//! and the root of its private record, and nothing else of it. A void carries its day and reason in
//! `clear`, and neither row nor record: it contributes exactly minus the statement that it names.
//!
//! | field | meaning |
//! |---|---|
//! | `id` | UUIDv7 |
//! | `type` | event type of the catalogue, or `operator.enrolled` / `operator.revoked` |
//! | `unit` | the unit whose log this is |
//! | `period` | the month that it is counted in |
//! | `recorded` | UTC, `YYYY-MM-DDTHH:MM:SSZ`: the claim of the node's clock; order is told by the log alone |
//! | `catalogue` | digest of the catalogue that the row follows |
//! | `clear` | fields of a clear event, or of a void |
//! | `counts` | row of a clear event |
//! | `row`, `record` | commitment and record root of a sealed event |
//! | `voids` | statement taken back: id and log index |
//! | `replaces` | statement that this one corrects: taken back by the `record.corrected` just before |
//! | `late` | the sealed month that the event's day belongs to (补录) |

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::commitment::Commitment;
use crate::count::Fields;
use crate::digest::Digest;
use crate::ids::{EventId, UnitId};
use crate::note;
use crate::period::Month;
use crate::text::time::is_time;
use crate::text::{self, hex, read_text, unique};

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

/// What a statement says beside kind, month and author: one of three forms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// An event without personal data, or an enrolment: published.
    Clear {
        /// Its fields.
        fields: Fields,
        /// Its row: column → weight.
        counts: BTreeMap<String, i64>,
    },
    /// An event with personal data.
    Sealed {
        /// Commitment to its row.
        row: Commitment,
        /// Root of its private record.
        record: RecordRoot,
    },
    /// Takes an earlier statement back.
    Void {
        /// The statement taken back.
        target: Ref,
        /// Reason and day.
        fields: Fields,
    },
}

/// One entry of a unit's log. `Statement<()>` is one whose body is still to be made: a commitment
/// needs the statement's id first.
///
/// A void has one of the two types of voids, and nothing else has: [`Statement::parse`] and
/// [`Statement::to_text`] refuse what breaks this, so that no such text is ever read or signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement<B = Body> {
    /// UUIDv7.
    pub id: EventId,
    /// Event type.
    pub event: String,
    /// Whose log.
    pub unit: UnitId,
    /// The month that it counts in.
    pub period: Month,
    /// When the node wrote it, UTC.
    pub recorded: String,
    /// By which catalogue.
    pub catalogue: Digest,
    /// Clear, sealed or a void.
    pub body: B,
    /// Corrected.
    pub replaces: Option<Ref>,
    /// The sealed month that it belongs to.
    pub late: Option<Month>,
}

/// A statement as its JSON has it: the body's members stand beside the others.
#[derive(Serialize, Deserialize)]
#[serde(rename = "Statement", deny_unknown_fields)]
struct Wire {
    id: EventId,
    #[serde(rename = "type")]
    event: String,
    unit: UnitId,
    period: Month,
    recorded: String,
    catalogue: Digest,
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "unique::some"
    )]
    clear: Option<Fields>,
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "unique::some"
    )]
    counts: Option<BTreeMap<String, i64>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    row: Option<Commitment>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    record: Option<RecordRoot>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    voids: Option<Ref>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    replaces: Option<Ref>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    late: Option<Month>,
}

impl From<Statement> for Wire {
    fn from(s: Statement) -> Wire {
        let (clear, counts, row, record, voids) = match s.body {
            Body::Clear { fields, counts } => (Some(fields), Some(counts), None, None, None),
            Body::Sealed { row, record } => (None, None, Some(row), Some(record), None),
            Body::Void { target, fields } => (Some(fields), None, None, None, Some(target)),
        };
        Wire {
            id: s.id,
            event: s.event,
            unit: s.unit,
            period: s.period,
            recorded: s.recorded,
            catalogue: s.catalogue,
            clear,
            counts,
            row,
            record,
            voids,
            replaces: s.replaces,
            late: s.late,
        }
    }
}

impl Serialize for Statement {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        Wire::from(self.clone()).serialize(s)
    }
}

impl TryFrom<Wire> for Statement {
    type Error = StatementError;

    fn try_from(w: Wire) -> Result<Statement, StatementError> {
        let is_void = is_void(&w.event);
        let body = match (w.clear, w.counts, w.row, w.record, w.voids) {
            (Some(fields), Some(counts), None, None, None) if !is_void => {
                Body::Clear { fields, counts }
            }
            (None, None, Some(row), Some(record), None) if !is_void => Body::Sealed { row, record },
            (Some(fields), None, None, None, Some(target)) if is_void => {
                Body::Void { target, fields }
            }
            (.., Some(_)) if !is_void => return Err(StatementError::VOID_OF_OTHER_TYPE),
            (.., None) if is_void => return Err(StatementError::VOID_OF_NOTHING),
            _ => return Err(StatementError::Shape("neither")),
        };
        let statement = Statement {
            id: w.id,
            event: w.event,
            unit: w.unit,
            period: w.period,
            recorded: w.recorded,
            catalogue: w.catalogue,
            body,
            replaces: w.replaces,
            late: w.late,
        };
        statement.well_formed()?;
        Ok(statement)
    }
}

/// Whether this is a type of voids.
fn is_void(event: &str) -> bool {
    event == VOIDED || event == CORRECTED
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
        "a statement is clear (clear and counts), sealed (row and record) or a void (voids \
         alone); this one is {0} [statement.shape]"
    )]
    Shape(&'static str),
    /// `recorded` is no time.
    #[error(
        "not a statement: `recorded` is a time, written YYYY-MM-DDTHH:MM:SSZ [statement.recorded]"
    )]
    Recorded,
}

impl StatementError {
    const VOID_OF_OTHER_TYPE: StatementError =
        StatementError::Shape("voiding, but of another type");
    const ENROLMENT_THAT_COUNTS: StatementError =
        StatementError::Shape("an enrolment or revocation that is not clear, or counts something");
    const ENROLMENT_THAT_SAYS_MORE: StatementError =
        StatementError::Shape("an enrolment or revocation that says more than a key and its roles");
    const VOID_OF_NOTHING: StatementError = StatementError::Shape("a void that names nothing");
}

impl Statement<()> {
    /// A statement without its body, that corrects nothing and is not late.
    pub fn new(
        id: EventId,
        event: &str,
        unit: UnitId,
        period: Month,
        recorded: String,
        catalogue: Digest,
    ) -> Statement<()> {
        Statement {
            id,
            event: event.to_string(),
            unit,
            period,
            recorded,
            catalogue,
            body: (),
            replaces: None,
            late: None,
        }
    }

    /// The statement with this body.
    pub fn with(self, body: Body) -> Statement {
        Statement {
            id: self.id,
            event: self.event,
            unit: self.unit,
            period: self.period,
            recorded: self.recorded,
            catalogue: self.catalogue,
            body,
            replaces: self.replaces,
            late: self.late,
        }
    }
}

impl Statement {
    /// The note text to be signed.
    ///
    /// # Errors
    /// A void of another type, or the type of a void on something else.
    pub fn to_text(&self) -> Result<String, StatementError> {
        match (self.voids().is_some(), is_void(&self.event)) {
            (true, false) => return Err(StatementError::VOID_OF_OTHER_TYPE),
            (false, true) => return Err(StatementError::VOID_OF_NOTHING),
            _ => self.well_formed()?,
        }
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
        let wire: Wire = text::from_json(json).map_err(|e| StatementError::Json(e.to_string()))?;
        Statement::try_from(wire)
    }

    /// What must be true of every statement, whoever wrote it.
    fn well_formed(&self) -> Result<(), StatementError> {
        if !is_time(&self.recorded) {
            return Err(StatementError::Recorded);
        }
        if !self.is_operator() {
            return Ok(());
        }
        let Body::Clear { fields, counts } = &self.body else {
            return Err(StatementError::ENROLMENT_THAT_COUNTS);
        };
        if !counts.is_empty() {
            return Err(StatementError::ENROLMENT_THAT_COUNTS);
        }
        // It is never counted, so nothing else would look at what stands there.
        let enrols = self.event == OPERATOR_ENROLLED;
        let known = |name: &String| name == "vkey" || (enrols && name == "roles");
        let corrects = self.replaces.is_some() || self.late.is_some();
        if corrects || !fields.keys().all(known) {
            return Err(StatementError::ENROLMENT_THAT_SAYS_MORE);
        }
        Ok(())
    }

    /// Whether it says something of the log itself and is never counted.
    pub fn is_operator(&self) -> bool {
        self.event == OPERATOR_ENROLLED || self.event == OPERATOR_REVOKED
    }

    /// What it publishes: the fields of a clear event, or reason and day of a void.
    pub fn fields(&self) -> Option<&Fields> {
        match &self.body {
            Body::Clear { fields, .. } | Body::Void { fields, .. } => Some(fields),
            Body::Sealed { .. } => None,
        }
    }

    /// The commitment to the row of a sealed event.
    pub fn row(&self) -> Option<&Commitment> {
        match &self.body {
            Body::Sealed { row, .. } => Some(row),
            _ => None,
        }
    }

    /// The root of a sealed event's private record.
    pub fn record(&self) -> Option<RecordRoot> {
        match &self.body {
            Body::Sealed { record, .. } => Some(*record),
            _ => None,
        }
    }

    /// The statement that a void takes back.
    pub fn voids(&self) -> Option<&Ref> {
        match &self.body {
            Body::Void { target, .. } => Some(target),
            _ => None,
        }
    }
}
