//! What a unit was caught at: both documents, with what proves them.

use protocol::ids::UnitId;
use protocol::text::b64;
use serde::{Deserialize, Serialize};

use crate::books::Books;
use crate::books::contradictions::{KeptContradiction, Side};
use crate::fault::{Faults, internal};

/// Two documents that cannot both be true, kept as evidence. What is a statement may be any bytes
/// that the unit put into its log; then the delivery is exact, and the text as good as it can be.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Contradicted {
    /// Who signed both. This unit itself, where its parent answered for another rollup than this
    /// node has.
    pub unit: UnitId,
    /// What contradicts.
    pub what: String,
    /// What was known: a signed note.
    pub first: Option<String>,
    /// Where it is a statement: the delivery that proves its index.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_delivery: Option<DeliveryBytes>,
    /// What came second: a signed note.
    pub second: String,
    /// Where it is a statement: the delivery that proves the same index.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub second_delivery: Option<DeliveryBytes>,
}

/// A delivery as it came: a unit's statements, its signed checkpoint, and the proof that they stand
/// in its log (SPEC, section 4).
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DeliveryBytes {
    /// Index of the first statement.
    pub from: u64,
    /// The bytes, in base 64.
    pub bytes: String,
}

/// Every contradiction with both of its sides.
///
/// # Errors
/// A damaged disk.
pub fn contradictions(books: &Books) -> Result<Vec<Contradicted>, Faults> {
    books
        .contradictions()
        .iter()
        .map(|found| both_sides(books, found))
        .collect()
}

fn both_sides(books: &Books, found: &KeptContradiction) -> Result<Contradicted, Faults> {
    let (first, second) = books.both_sides(found).map_err(internal)?;
    Ok(Contradicted {
        unit: found.unit.clone(),
        what: found.what.to_string(),
        first_delivery: first.as_ref().and_then(delivery),
        first: first.map(|side| text(&side.note)),
        second_delivery: delivery(&second),
        second: text(&second.note),
    })
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn delivery(side: &Side) -> Option<DeliveryBytes> {
    side.delivery.as_ref().map(|(from, bytes)| DeliveryBytes {
        from: *from,
        bytes: b64::encode(bytes),
    })
}
