//! Which of the units below are this unit's own to decide on.

use std::collections::BTreeSet;

use node::queries::{months::OwnMonth, status::Status};
use protocol::ids::UnitId;
use protocol::note::Note;
use protocol::rollup::Rollup;

use crate::api::Client;

/// The units that this one decides on. The node lists every unit below; its own reports name the
/// direct ones, and so does the list of those that are missing.
pub fn direct_children(client: &Client, status: &Status, months: &[OwnMonth]) -> BTreeSet<UnitId> {
    let mut units: BTreeSet<UnitId> = status
        .children_missing
        .iter()
        .filter_map(|u| u.parse().ok())
        .collect();
    let last = months.iter().map(|m| m.period).max();
    // Without a report that can be read there is just less to go by.
    let note = last
        .and_then(|m| client.rollup(m).ok())
        .and_then(|bytes| Note::parse(&bytes).ok());
    if let Some(rollup) = note.and_then(|n| Rollup::parse(n.text()).ok()) {
        units.extend(
            rollup
                .children
                .into_iter()
                .map(|c| c.unit)
                .chain(rollup.missing.into_iter().map(|m| m.unit)),
        );
    }
    units
}
