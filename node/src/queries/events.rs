//! The events of a month, and one event.

use protocol::count::Fields;
use protocol::period::Month;
use protocol::record::Record;
use protocol::verify::log::UnitLog;
use serde::{Deserialize, Serialize};

use crate::books::Books;
use crate::desk::record::no_event;
use crate::fault::{Faults, internal};

/// One event in a list: public facts only, unless private ones were asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed {
    /// Log index.
    pub index: u64,
    /// Event id.
    pub id: String,
    /// Event type.
    pub event: String,
    /// Month.
    pub period: Month,
    /// When it was recorded.
    pub recorded: String,
    /// Sealed month that it belongs to.
    pub late: Option<Month>,
    /// Index of the statement that took it back.
    pub voided_by: Option<u64>,
    /// Fields of a clear event, or of a sealed one where private fields were asked for.
    pub fields: Fields,
}

/// Lists the events of a month. `private` shows the fields of sealed events too: for the unit's own
/// people only.
///
/// # Errors
/// A damaged disk.
pub fn list(books: &Books, month: Month, private: bool) -> Result<Vec<Listed>, Faults> {
    let mut all = Vec::new();
    let Some(log) = books.log() else {
        return Ok(all);
    };
    for index in log.of_month(month) {
        all.push(listed(books, index, private)?);
    }
    Ok(all)
}

/// One event, wherever it stands in the log; `private` as for [`list`].
///
/// # Errors
/// An index that names no event of the log, or a damaged disk.
pub fn event(books: &Books, index: u64, private: bool) -> Result<Listed, Faults> {
    let leaves = books.log().map_or(0, UnitLog::len);
    if index >= leaves {
        return Err(no_event());
    }
    listed(books, index, private)
}

fn listed(books: &Books, index: u64, private: bool) -> Result<Listed, Faults> {
    let (s, payload) = books.statement(index).map_err(internal)?;
    let fields = match (s.fields(), payload, private) {
        (Some(clear), _, _) => clear.clone(),
        (None, Some(p), true) => p.record.as_ref().map(Record::fields).unwrap_or_default(),
        _ => Fields::new(),
    };
    Ok(Listed {
        index,
        id: s.id.to_string(),
        event: s.event.clone(),
        period: s.period,
        recorded: s.recorded.clone(),
        late: s.late,
        voided_by: books.view().voided_by(index).map_err(internal)?,
        fields,
    })
}
