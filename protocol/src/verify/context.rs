//! What the checks of one rollup may look at.

use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc};

use super::log::UnitLog;
use crate::digest::Digest;
use crate::note::Note;
use crate::registry::VerifiedRegistry;
use crate::rollup::{HeldRollup, Rollups};

/// What the checks of one rollup may look at.
pub struct Context<'a> {
    /// The registry version that the rollup names.
    pub registry: &'a VerifiedRegistry,
    /// The unit's log, read exactly up to the rollup's size.
    pub log: &'a UnitLog,
    /// The unit's other rollups that are known.
    pub known: &'a Rollups,
    /// Finds a child's rollup by digest.
    pub child: &'a dyn Fn(&Digest) -> Option<Arc<HeldRollup>>,
    /// The checkpoint that came with it.
    pub checkpoint: Option<&'a Note>,
    /// Size and root that the reader last cosigned, if any.
    pub witnessed: Option<(u64, [u8; 32])>,
    /// When it arrived, by the reader's clock or the parent's receipt.
    pub received: Option<DateTime<Utc>>,
    /// The last day on which it is on time.
    pub due: Option<NaiveDate>,
}
