//! The ledgers of all units, from one seed.

use std::collections::{BTreeMap, BTreeSet};

use protocol::ids::{Tier, UnitId};

use super::model::{Ledger, LedgerOptions, LedgerUnit, UnitLedger};
use super::random::Random;
use super::sheet::Pages;
use super::traits::Traits;
use super::{county, offices};

/// The seed of the demonstration.
pub const DEFAULT_SEED: u64 = 2023;

/// Generates the ledgers of all units.
pub fn generate(options: &LedgerOptions) -> Ledger {
    let mut units: Vec<&LedgerUnit> = options.units.iter().collect();
    units.sort_by(|a, b| a.id.cmp(&b.id));
    units.dedup_by(|a, b| a.id == b.id);
    let mut siblings: BTreeMap<Option<&UnitId>, usize> = BTreeMap::new();
    let mut numbers = BTreeSet::new();
    let mut ledger = Ledger {
        units: Vec::new(),
        corrections: Vec::new(),
    };
    for unit in units {
        let mut random = Random::new(options.seed, unit.id.as_str());
        let mut pages = Pages::new(options.year);
        let mut planned = Vec::new();
        match unit.tier {
            Tier::County => {
                let place = siblings.entry(unit.parent.as_ref()).or_default();
                let traits = Traits::of_place(*place);
                *place += 1;
                offices::county(&unit.id, traits, &mut random, &mut pages);
                planned = county::year(
                    &unit.id,
                    traits,
                    options.year,
                    &mut random,
                    &mut numbers,
                    &mut pages,
                );
            }
            Tier::City => offices::city(&unit.id, &mut random, &mut pages),
            Tier::Province => offices::province(&unit.id, &mut random, &mut pages),
        }
        let written = UnitLedger {
            unit: unit.id.clone(),
            months: pages.finish(),
        };
        ledger
            .corrections
            .extend(planned.into_iter().filter_map(|p| p.place(&written)));
        ledger.units.push(written);
    }
    ledger
        .corrections
        .sort_by(|a, b| (a.month, &a.unit, &a.target).cmp(&(b.month, &b.unit, &b.target)));
    ledger
}
