//! The recount at close: what voids and time alone changed is brought home by system events.

use chrono::{DateTime, Utc};
use protocol::count::{Fields, Value};
use protocol::verify::log::UnitLog;

use super::Recording;
use crate::books::Books;
use crate::books::payload::Payload;
use crate::desk::month::UnitMonth;
use crate::fault::{Faults, internal};
use crate::pseudonym::Pseudonym;

/// More system events about one subject than any catalogue can ask for at one close.
const MAX_ROUNDS: usize = 64;

/// Recounts every subject of the open month and records what changed.
pub(in crate::desk) fn recount(
    books: &mut Books,
    month: &UnitMonth,
    now: DateTime<Utc>,
) -> Result<(), Faults> {
    let mut recording = Recording::in_month(books, month.clone(), None, now)?;
    for subject in books.view().subjects().map_err(internal)? {
        recording.recount(subject)?;
    }
    // A key that has signed its last statement may still seal the month, if nothing is added.
    let adds = recording.next > books.log().map_or(0, UnitLog::len);
    if let Some(fault) = books.node_key().fault().filter(|_| adds) {
        return Err(fault.into());
    }
    let entries = recording.finish()?;
    Ok(books.commit(entries)?)
}

impl Recording<'_> {
    /// Brings one subject's stocks and distinct counts home; as many system events as it takes.
    fn recount(&mut self, of: Pseudonym) -> Result<(), Faults> {
        let counting = self.month.counting.clone();
        let Some(event) = counting.catalogue.recount(of.kind()) else {
            return Ok(());
        };
        let (period, first_day) = (self.month.period, self.month.unit.since.first_day());
        for _ in 0..MAX_ROUNDS {
            let subject = self.subject(of)?;
            let moves = counting
                .engine
                .recount(event, subject.view(), period, first_day, subject.touched)
                .map_err(internal)?;
            let Some(key) = subject.key.clone().filter(|_| !moves.is_empty()) else {
                return Ok(());
            };
            let fields = if event.key.is_empty() {
                Fields::new()
            } else {
                Fields::from([(event.key.clone(), Value::Text(key.clone()))])
            };
            let payload = Payload {
                event: event.name.clone(),
                on: period.last_day(),
                record: None,
                fields,
                moves,
                subject: Some(key),
            };
            self.write(event, payload, None, None, Some(of), None)?;
        }
        Err(internal("a recount does not settle"))
    }
}
