//! What the checks of one rollup may look at.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc};

use super::log::UnitLog;
use crate::digest::Digest;
use crate::note::Note;
use crate::registry::VerifiedRegistry;
use crate::rollup::{HeldRollup, Rollups};
use crate::verdict::Standing;

/// A rollup that another one names.
#[derive(Debug, Clone)]
pub struct NamedRollup {
    /// The rollup.
    pub held: Arc<HeldRollup>,
    /// What the reader found of it.
    pub standing: Standing,
}

/// What the checks of one rollup may look at.
pub struct Context<'a> {
    /// The registry version that the rollup names.
    pub registry: &'a VerifiedRegistry,
    /// The unit's log, read exactly up to the rollup's size.
    pub log: &'a UnitLog,
    /// The unit's other rollups that are known. [`super::check`] shows each check only those on the
    /// rollup's chain.
    pub known: &'a Rollups,
    /// Those of the known ones whose binding failed: nobody can show the stocks that they end with.
    pub unbound: &'a BTreeSet<Digest>,
    /// Finds a child's rollup by digest, with what the reader found of it.
    pub child: &'a dyn Fn(&Digest) -> Option<NamedRollup>,
    /// The checkpoint that came with it.
    pub checkpoint: Option<&'a Note>,
    /// Size and root that the reader last cosigned, if any.
    pub witnessed: Option<(u64, [u8; 32])>,
    /// When it arrived, by the reader's clock or the parent's receipt.
    pub received: Option<DateTime<Utc>>,
    /// The last day on which it is on time.
    pub due: Option<NaiveDate>,
}
