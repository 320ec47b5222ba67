//! The recount at close: what voids and time alone changed is brought home by system events.

use chrono::{DateTime, Utc};
use protocol::count::{Fields, Value};

use super::{Recording, Recounted};
use crate::books::Books;
use crate::books::payload::Payload;
use crate::desk::month::UnitMonth;
use crate::fault::{Faults, internal};
use crate::pseudonym::Pseudonym;

/// More system events about one subject than any catalogue can ask for at one close.
const MAX_ROUNDS: usize = 64;

/// What a recount of a month would find; nobody signs it, and nothing is written.
pub(in crate::desk) fn recount_dry(
    books: &Books,
    month: &UnitMonth,
    now: DateTime<Utc>,
) -> Result<Vec<Recounted>, Faults> {
    let mut recording = Recording::unwritten(books, month.clone(), None, now)?;
    recording.recount_all()?;
    Ok(recording.recounted)
}

/// Recounts every subject of a month. What changed is in the recording, and not written yet.
pub(in crate::desk) fn recount<'a>(
    books: &'a Books,
    month: &UnitMonth,
    now: DateTime<Utc>,
) -> Result<Recording<'a>, Faults> {
    let mut recording = Recording::in_month(books, month.clone(), None, now)?;
    recording.recount_all()?;
    // A key that has signed its last statement may still seal the month, if nothing is added.
    let adds = !recording.recounted.is_empty();
    if let Some(fault) = books.node_key().fault().filter(|_| adds) {
        return Err(fault.into());
    }
    Ok(recording)
}

impl Recording<'_> {
    /// What a recount found so far.
    pub(in crate::desk) fn recounted(&self) -> &[Recounted] {
        &self.recounted
    }

    fn recount_all(&mut self) -> Result<(), Faults> {
        for subject in self.books.view().subjects().map_err(internal)? {
            self.recount(subject)?;
        }
        Ok(())
    }

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
            self.recounted.push(Recounted {
                event: event.name.clone(),
                moves: moves.clone(),
            });
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
