//! A whole report: whose, which month and revision, and its figures.

use serde::{Deserialize, Serialize};

use super::figures::{ReadableFigure, figures};
use crate::catalogue::Catalogue;
use crate::digest::Digest;
use crate::ids::{Tier, UnitId};
use crate::period::Month;
use crate::registry::Registry;
use crate::rollup::HeldRollup;

/// A report as people read it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadableReport {
    /// Whose.
    pub unit: UnitId,
    /// The unit's name in this month; its id where the registry does not know it.
    pub name: String,
    /// Its tier.
    pub tier: Tier,
    /// Month.
    pub period: Month,
    /// Revision, counted from 1.
    pub revision: u32,
    /// Digest of the signed text.
    pub digest: Digest,
    /// Digest of the catalogue that it was counted by.
    pub catalogue: Digest,
    /// Its figures, in the catalogue's order.
    pub figures: Vec<ReadableFigure>,
}

impl ReadableReport {
    /// A report by its catalogue and the registry in force.
    pub fn of(
        held: &HeldRollup,
        catalogue: &Catalogue,
        registry: Option<&Registry>,
    ) -> ReadableReport {
        let rollup = &held.rollup;
        let unit = registry.and_then(|registry| registry.unit(&rollup.unit));
        let name = unit.map(|unit| unit.placement(rollup.period).name);
        ReadableReport {
            unit: rollup.unit.clone(),
            name: name.unwrap_or_else(|| rollup.unit.to_string()),
            tier: rollup.tier,
            period: rollup.period,
            revision: rollup.revision,
            digest: held.digest(),
            catalogue: rollup.catalogue,
            figures: figures(&rollup.figures, catalogue),
        }
    }

    /// The figure of this id, or of this name in either language.
    pub fn figure(&self, name: &str) -> Option<&ReadableFigure> {
        let by_id = self.figures.iter().find(|f| f.id == name);
        by_id.or_else(|| {
            let called = |f: &&ReadableFigure| f.name.zh == name || f.name.en == name;
            self.figures.iter().find(called)
        })
    }
}
