//! What one import recorded, as one thing that can be taken back.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};

use super::Recording;
use super::void::{VoidReason, not_in_unsent_report};
use crate::books::Books;
use crate::fault::{FaultCode, Faults, internal};

/// The log indexes of what one import recorded, `first-last`: they follow one another, as it is
/// written at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Batch {
    first: u64,
    last: u64,
}

impl Batch {
    /// Of these indexes; nothing of none.
    pub(super) fn of(indexes: impl Iterator<Item = u64>) -> Option<Batch> {
        indexes.fold(None, |batch, index| {
            let Batch { first, last } = batch.unwrap_or(Batch {
                first: index,
                last: index,
            });
            Some(Batch {
                first: first.min(index),
                last: last.max(index),
            })
        })
    }
}

impl fmt::Display for Batch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.first, self.last)
    }
}

impl FromStr for Batch {
    type Err = Faults;

    fn from_str(text: &str) -> Result<Batch, Faults> {
        let (first, last) = text.split_once('-').ok_or_else(no_batch)?;
        let number = |text: &str| text.parse::<u64>().map_err(|_| no_batch());
        let (first, last) = (number(first)?, number(last)?);
        if first > last {
            return Err(no_batch());
        }
        Ok(Batch { first, last })
    }
}

fn no_batch() -> Faults {
    Faults::one(
        FaultCode::VoidBatch,
        "没有这一批。批号由导入命令在最后给出，如 812-830。",
        "there is no such batch: an import tells its number at its end, such as 812-830",
    )
}

/// Takes all events of a batch back (E70), but for those that were taken back already: all of them
/// or none. Gives their indexes.
///
/// # Errors
/// A range that is no batch; why one of its events cannot be taken back; events outside of it that
/// rest on it.
pub fn void_batch(
    books: &mut Books,
    operator: &str,
    batch: Batch,
    reason: &str,
    now: DateTime<Utc>,
) -> Result<Vec<u64>, Faults> {
    let indexes = of_one_import(books, batch)?;
    let mut recording = Recording::begin(books, Some(operator), now)?;
    let mut taken = Vec::new();
    // The last ones first: nothing of the batch rests on what is taken then.
    for index in indexes.iter().rev() {
        not_in_unsent_report(books, *index)?;
        taken.push(recording.void(*index, VoidReason::Void, reason)?);
    }
    let mut resting = BTreeSet::new();
    for one in &taken {
        resting.extend(recording.resting(one)?);
    }
    if !resting.is_empty() {
        return Err(recording.rests(batch.first, &resting));
    }
    let entries = recording.finish()?;
    books.commit(entries)?;
    Ok(indexes)
}

/// The indexes of a batch that still count. All were recorded at one moment, which their ids carry.
fn of_one_import(books: &Books, batch: Batch) -> Result<Vec<u64>, Faults> {
    let size = books.log().map_or(0, |log| log.len());
    if batch.last >= size {
        return Err(no_batch());
    }
    let mut moment: Option<String> = None;
    let mut indexes = Vec::new();
    for index in batch.first..=batch.last {
        let (statement, _) = books.statement(index).map_err(|_| no_batch())?;
        let id = statement.id.to_string();
        let own = id.get(..MOMENT).unwrap_or_default();
        let recorded = statement.voids().is_none() && !statement.is_operator();
        if !recorded || *moment.get_or_insert_with(|| own.to_string()) != own {
            return Err(no_batch());
        }
        if books.view().voided_by(index).map_err(internal)?.is_none() {
            indexes.push(index);
        }
    }
    if indexes.is_empty() {
        return Err(Faults::one(
            FaultCode::VoidTwice,
            "这一批已经全部作废，不需要再次作废。",
            "all of the batch was taken back already",
        ));
    }
    Ok(indexes)
}

/// How many signs of an event's id tell its millisecond.
const MOMENT: usize = 13;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_written_as_its_first_and_last_index() {
        let batch = Batch::of([7, 5, 6].into_iter()).unwrap();
        assert_eq!(batch.to_string(), "5-7");
        assert_eq!("5-7".parse::<Batch>().unwrap(), batch);
        assert!(Batch::of(std::iter::empty()).is_none());
        for wrong in ["", "5", "7-5", "a-b", "-5"] {
            assert_eq!(wrong.parse::<Batch>().unwrap_err().0[0].code, "void.batch");
        }
    }
}
