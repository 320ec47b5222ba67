//! Whether a month brought home what changed: of the subjects whose history is published, the
//! verifier counts anew what the month's end says of them.
//!
//! A leaf sees what was recorded for its month or an earlier one. So an early leaf of the next month
//! and a later leaf of this one can both count the same subject; a void or time alone can change
//! what counts. The unit records a recount at close; one that leaves it out keeps the surplus.

use super::{ClearHistory, UnitLog};
use crate::catalogue::Subject;
use crate::compiled::CompiledCatalogue;
use crate::count::engine::History;
use crate::count::{CountError, Moves};
use crate::period::Month;

impl UnitLog {
    /// The first subject of clear leaves for which a recount in this month would move something.
    ///
    /// # Errors
    /// Facts that the catalogue cannot count.
    pub fn recount_due(
        &self,
        period: Month,
        compiled: &CompiledCatalogue,
    ) -> Result<Option<(Subject, &str)>, CountError> {
        for ((subject, key), history) in &self.clear {
            if !self.due(*subject, history, period, compiled)?.is_empty() {
                return Ok(Some((*subject, key)));
            }
        }
        Ok(None)
    }

    fn due(
        &self,
        subject: Subject,
        history: &ClearHistory,
        period: Month,
        compiled: &CompiledCatalogue,
    ) -> Result<Moves, CountError> {
        let Some(event) = compiled.catalogue.recount(subject) else {
            return Ok(Moves::new());
        };
        let facts = history.facts_until(period);
        let balance = history.balance(period, compiled);
        let voided = history.voided_until(period);
        let view = History {
            facts: &facts,
            voided: &voided,
            balance: &balance,
        };
        // As the unit's own node asks it: time alone changes stocks only.
        let recorded = history.moves.values().any(|(month, _)| *month == period);
        let touched = recorded || !voided.is_empty();
        let (engine, first_day) = (&compiled.engine, self.first_day);
        engine.recount(event, view, period, first_day, touched)
    }
}
