//! Disclosure: chosen fields of one event, with what proves them.

use protocol::commitment::OpenScalar;
use protocol::evidence::disclosure::{self, Disclosure, ShownRow};
use protocol::note::Note;
use protocol::statement::Statement;
use protocol::text::hex;

use crate::books::Books;
use crate::books::payload::Payload;
use crate::fault::{FaultCode, Faults, internal};

/// Shows chosen fields of one event, and its row if asked for, with everything that proves them.
///
/// # Errors
/// An event that does not exist, is in clear, was erased, or is not under a signed checkpoint yet.
pub fn disclose(
    books: &Books,
    index: u64,
    names: &[String],
    row: bool,
) -> Result<Disclosure, Faults> {
    let (s, payload) = books.statement(index).map_err(|_| unknown())?;
    let log = books.log().ok_or_else(super::month::no_registry)?;
    let (size, checkpoint) = books
        .checkpoints()
        .range(index + 1..)
        .next_back()
        .ok_or_else(|| {
            Faults::one(
                FaultCode::DiscloseUnsealed,
                "该事件所在月份尚未结账,还没有签名的日志检查点",
                "no signed checkpoint covers this event yet: close its month first",
            )
        })?;
    let proof = log
        .tree()
        .inclusion_proof(index, *size)
        .ok_or_else(unknown)?;
    let mut fields = Vec::new();
    let mut shown = None;
    if s.record().is_some() {
        let payload = payload.ok_or_else(|| {
            Faults::one(
                FaultCode::DiscloseErased,
                "该事件的私有记录已删除",
                "the private record of this event was erased",
            )
        })?;
        let record = payload.record.as_ref().ok_or_else(unknown)?;
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        fields = record
            .disclose(&names)
            .map_err(|e| Faults::one(FaultCode::DiscloseField, "没有这个字段", e.to_string()))?;
        if row {
            shown = Some(shown_row(books, &s, &payload)?);
        }
    }
    let text = |n: &Note| String::from_utf8_lossy(n.as_bytes()).into_owned();
    let catalogue = books
        .catalogues()
        .iter()
        .find(|(c, _)| c.digest == s.catalogue)
        .map(|(_, n)| text(n))
        .unwrap_or_default();
    Ok(Disclosure {
        format: disclosure::FORMAT.to_string(),
        unit: books.unit().clone(),
        index,
        statement: String::from_utf8(books.statement_bytes(index).map_err(internal)?)
            .map_err(internal)?,
        proof: proof.iter().map(|h| hex::encode(h)).collect(),
        checkpoint: text(checkpoint),
        registries: books.registries().iter().map(|(_, n)| text(n)).collect(),
        catalogue,
        fields,
        row: shown,
    })
}

fn unknown() -> Faults {
    Faults::one(
        FaultCode::DiscloseUnknown,
        "没有这个事件",
        "there is no such event",
    )
}

/// The event's row, with what opens its commitment.
fn shown_row(books: &Books, statement: &Statement, payload: &Payload) -> Result<ShownRow, Faults> {
    let counting = books.counting_of(statement).ok_or_else(unknown)?;
    let generators = &counting.generators;
    let schema = generators.schema(&statement.event).ok_or_else(unknown)?;
    let columns = schema.row(&payload.moves, true).map_err(internal)?;
    let key = books
        .period_key(statement.period)
        .ok_or_else(|| internal("no secret of the month"))?;
    Ok(ShownRow {
        columns: schema.named(&columns).into_keys().collect(),
        blinding: OpenScalar(key.blinding(&statement.id.to_string())),
    })
}
