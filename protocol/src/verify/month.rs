//! What the leaves of one month add up to.

use std::collections::BTreeMap;

use curve25519_dalek::ristretto::RistrettoPoint;

use crate::commitment;
use crate::digest::Digest;
use crate::period::Month;
use crate::row::{ExactSum, Sums};

/// What the leaves of one month add up to.
#[derive(Debug, Clone)]
pub struct MonthSums {
    /// Σ C, voided ones taken back.
    pub commitments: RistrettoPoint,
    /// Net number of sealed leaves by event type, those of an earlier schema by themselves
    /// ([`CompiledCatalogue::sum_name`](crate::compiled::CompiledCatalogue::sum_name)); a type that was ever counted in this month is
    /// there.
    pub sealed: BTreeMap<String, i64>,
    /// Net column sums of clear leaves by event type.
    pub clear: BTreeMap<String, ExactSum>,
    /// Number of clear leaves.
    pub clear_leaves: u64,
    /// Statements taken back in this month.
    pub voided: u64,
    /// Late entries by the month that they belong to.
    pub late: BTreeMap<Month, u64>,
    /// Index of the first leaf.
    pub first: Option<u64>,
    /// The catalogue that they were recorded by.
    pub catalogue: Option<Digest>,
}

impl MonthSums {
    /// The column sums of clear leaves; else the event type of the first one that is 2^53 or more
    /// in magnitude.
    ///
    /// # Errors
    /// The event type.
    pub fn clear_sums(&self) -> Result<Sums, &str> {
        let sums = self.clear.iter();
        sums.map(|(event, sum)| {
            let columns = sum.columns().map_err(|_| event.as_str())?;
            Ok((event.clone(), columns))
        })
        .collect()
    }
}

impl Default for MonthSums {
    fn default() -> Self {
        MonthSums {
            commitments: commitment::zero(),
            sealed: BTreeMap::new(),
            clear: BTreeMap::new(),
            clear_leaves: 0,
            voided: 0,
            late: BTreeMap::new(),
            first: None,
            catalogue: None,
        }
    }
}
