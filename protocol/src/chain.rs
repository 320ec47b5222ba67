//! The chain of a unit's rollups: each names the one that its unit signed before it, whatever its
//! month.
//!
//! A rollup is judged by its own chain alone. What else a unit signed says nothing of it: a later
//! revision could otherwise cover what a report leaves out, or spoil one that was accepted, and two
//! readers who know different rollups would judge the same one differently.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::period::Month;
use crate::rollup::{HeldRollup, Rollup, RollupRef, Rollups};

/// The known rollups before this one on its chain, back to the first, or to one that is not known.
pub fn before(rollup: &Rollup, known: &Rollups) -> Rollups {
    let mut chain = Rollups::new();
    let mut next = find(rollup.after.as_ref(), known);
    while let Some(held) = next {
        // One digest is behind another: a chain never comes back to where it was.
        chain.insert(held.key(), held.clone());
        next = find(held.rollup.after.as_ref(), known);
    }
    chain
}

/// Whether a rollup is this one or on its chain.
pub fn leads_to(end: &HeldRollup, rollup: &HeldRollup, known: &Rollups) -> bool {
    let key = rollup.key();
    end.key() == key || before(&end.rollup, known).contains_key(&key)
}

/// The rollup that this one names where the chain breaks, or none if it goes back to a first one.
/// `chain`: what [`before`] gave.
pub fn missing<'a>(rollup: &'a Rollup, chain: &'a Rollups) -> Option<&'a RollupRef> {
    let mut named = rollup.after.as_ref();
    while let Some(after) = named {
        let Some(held) = find(Some(after), chain) else {
            return Some(after);
        };
        named = held.rollup.after.as_ref();
    }
    None
}

/// The end of the longest chain that goes back to a first rollup, of those that may be an end: what
/// the next one follows.
pub fn newest(known: &Rollups, may_end: impl Fn(&HeldRollup) -> bool) -> Option<&Arc<HeldRollup>> {
    let lengths = lengths(known);
    let ends = known.values().filter(|held| may_end(held));
    ends.filter(|held| missing(&held.rollup, known).is_none())
        .max_by_key(|held| lengths.get(&held.key()))
}

/// All of them, each behind what it follows as far as the sizes of the logs allow.
pub fn in_order(known: &Rollups) -> Vec<&Arc<HeldRollup>> {
    let lengths = lengths(known);
    let mut all: Vec<_> = known.values().collect();
    all.sort_by_key(|held| (held.rollup.log.size, lengths.get(&held.key()), held.key()));
    all
}

fn find<'a>(named: Option<&RollupRef>, known: &'a Rollups) -> Option<&'a Arc<HeldRollup>> {
    let named = named?;
    let held = known.get(&(named.period, named.revision))?;
    (held.digest() == named.rollup).then_some(held)
}

/// How many known rollups each one's chain has. Each is looked at once: a unit may have signed a
/// hundred revisions of every month.
fn lengths(known: &Rollups) -> BTreeMap<(Month, u32), usize> {
    let mut lengths = BTreeMap::new();
    for held in known.values() {
        let mut open = vec![held];
        while let Some(last) = open.last() {
            let after = find(last.rollup.after.as_ref(), known);
            let length = match after.map(|after| (after, lengths.get(&after.key()))) {
                None => 1,
                Some((_, Some(before))) => before + 1,
                Some((after, None)) => {
                    open.push(after);
                    continue;
                }
            };
            lengths.insert(last.key(), length);
            open.pop();
        }
    }
    lengths
}
