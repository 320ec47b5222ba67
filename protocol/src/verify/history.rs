//! `history`: the log extends what was last witnessed; months and revisions chain without gap or
//! fork; nothing was put into a month that was sealed.

use std::collections::BTreeMap;

use super::context::Context;
use crate::log::checkpoint::{Checkpoint, origin_of};
use crate::period::Month;
use crate::rollup::HeldRollup;
use crate::text::hex;

/// See the module.
///
/// # Errors
/// The first contradiction.
pub fn check(held: &HeldRollup, context: &Context<'_>) -> Result<String, String> {
    let rollup = &held.rollup;
    // First what was witnessed: in a rewritten log, single leaves contradict as well, and that says
    // less.
    log_extends(held, context)?;
    if let Some(fault) = context.log.fault("history") {
        return Err(fault.to_string());
    }
    let unit = context
        .registry
        .registry()
        .unit(&rollup.unit)
        .ok_or_else(|| format!("unit {} is not in the registry", rollup.unit))?;
    if let Some(other) = context.known.get(&(rollup.period, rollup.revision))
        && other.digest() != held.digest()
    {
        return Err(format!(
            "two different rollups for {} revision {}: {} and {}",
            rollup.period,
            rollup.revision,
            other.digest(),
            held.digest()
        ));
    }
    if rollup.revision > 1 {
        let before = context
            .known
            .get(&(rollup.period, rollup.revision - 1))
            .ok_or_else(|| format!("revision {} is missing", rollup.revision - 1))?;
        if rollup.supersedes != Some(before.digest()) {
            return Err(format!(
                "supersedes another revision {} than the one known here",
                rollup.revision - 1
            ));
        }
        follows(held, before)?;
    }
    match rollup.previous {
        None if rollup.period == unit.since => {}
        None => {
            return Err(format!(
                "names no previous rollup, but {} reports since {}",
                rollup.unit, unit.since
            ));
        }
        Some(_) if rollup.period <= unit.since => {
            return Err(format!(
                "names a previous rollup in its first month {}",
                unit.since
            ));
        }
        Some(previous) => {
            let before = rollup.period.prev().ok_or("there is no month before")?;
            let mut revisions = context
                .known
                .range((before, 0)..=(before, u32::MAX))
                .map(|(_, r)| r)
                .peekable();
            if revisions.peek().is_none() {
                return Err(format!(
                    "the rollup of {before} is missing: months are reported without gap"
                ));
            }
            let Some(named) = revisions.find(|r| r.digest() == previous) else {
                return Err(format!(
                    "its previous rollup is none of those known for {before}"
                ));
            };
            // Otherwise a unit could correct a month and build on the uncorrected one.
            if let Some(newer) = revisions.find(|r| r.rollup.log.size < rollup.log.size) {
                return Err(format!(
                    "its previous rollup is revision {} of {before}, which revision {} had replaced",
                    named.rollup.revision, newer.rollup.revision
                ));
            }
            follows(held, named)?;
        }
    }
    // Nor does a leaf stand in a month that no rollup reports: there it would count for nothing,
    // and what it takes back would be taken back unseen. Where an earlier month was opened again,
    // the one after the newest has begun already.
    let newest = context
        .known
        .keys()
        .map(|(month, _)| *month)
        .fold(rollup.period, Month::max);
    let months = unit.since..=newest.next().unwrap_or(newest);
    if let Some((index, month)) = context.log.first_outside(&months, rollup.log.size) {
        return Err(format!(
            "leaf {index} is of {month}, which is none of the months {} to {} that are reported",
            months.start(),
            months.end()
        ));
    }
    // A sealed month stays sealed: no leaf of an earlier month stands behind that month's last
    // rollup, where nothing would ever count it. What this rollup itself or a refused one claims of
    // its size does not matter here.
    let mut sealed: BTreeMap<Month, u64> = BTreeMap::new();
    for ((month, _), earlier) in context.known.range(..(rollup.period, 0)) {
        sealed.insert(*month, earlier.rollup.log.size);
    }
    if let Some((index, month)) = context.log.first_behind(&sealed, rollup.log.size) {
        return Err(format!(
            "leaf {index} was put into {month}, which was already sealed"
        ));
    }
    Ok(format!(
        "log of {} leaves, revision {}",
        rollup.log.size, rollup.revision
    ))
}

/// A rollup never goes back behind the one that it follows: neither in its log nor in the registry.
fn follows(held: &HeldRollup, before: &HeldRollup) -> Result<(), String> {
    let (now, then) = (&held.rollup, &before.rollup);
    if now.log.size < then.log.size {
        return Err(format!(
            "its log has {} leaves, fewer than the {} of {} revision {} before it",
            now.log.size, then.log.size, then.period, then.revision
        ));
    }
    if now.registry.version < then.registry.version {
        return Err(format!(
            "names registry version {} after version {}",
            now.registry.version, then.registry.version
        ));
    }
    Ok(())
}

fn log_extends(held: &HeldRollup, context: &Context<'_>) -> Result<(), String> {
    let rollup = &held.rollup;
    let log = &rollup.log;
    if context.log.len() < log.size {
        return Err(format!(
            "claims a log of {} leaves, of which {} were shown",
            log.size,
            context.log.len()
        ));
    }
    let root = context
        .log
        .root_at(log.size)
        .ok_or("no root of this size")?;
    if Some(root) != log.root_bytes() {
        return Err(format!(
            "the root over its {} leaves is {}, not {}",
            log.size,
            hex::encode(&root),
            log.root
        ));
    }
    if let Some((size, root)) = context.witnessed {
        if size > log.size {
            return Err(format!(
                "its log has {} leaves, but {size} were already witnessed",
                log.size
            ));
        }
        if context.log.root_at(size) != Some(root) {
            return Err(format!(
                "the first {size} leaves are not the ones that were witnessed: history was rewritten"
            ));
        }
    }
    for earlier in context
        .known
        .values()
        .filter(|k| k.rollup.log.size <= log.size)
    {
        if context.log.root_at(earlier.rollup.log.size) != earlier.rollup.log.root_bytes() {
            return Err(format!(
                "the log does not extend the one of its rollup for {}",
                earlier.rollup.period
            ));
        }
    }
    let checkpoint = context
        .checkpoint
        .ok_or("no checkpoint of this size came with it")?;
    let parsed = Checkpoint::parse(checkpoint.text()).map_err(|e| e.to_string())?;
    let expected =
        Checkpoint::new(&origin_of(&rollup.unit), log.size, root).map_err(|e| e.to_string())?;
    if parsed.text() != expected.text() {
        return Err("the checkpoint is of another unit, size or root".to_string());
    }
    Ok(())
}
