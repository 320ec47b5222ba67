//! `history`: the log extends what was last witnessed; months and revisions chain without gap or
//! fork; nothing was put into a month that was sealed.

use std::collections::BTreeMap;

use super::context::Context;
use crate::chain;
use crate::log::checkpoint::{Checkpoint, origin_of};
use crate::period::Month;
use crate::registry::Unit;
use crate::rollup::{HeldRollup, Rollup};
use crate::text::hex;
use crate::verdict::{Check, HistoryFinding as Finding};

/// Checks how the log, the months and the revisions follow each other (SPEC 8.3).
///
/// # Errors
/// The first contradiction.
pub fn check(held: &HeldRollup, context: &Context<'_>) -> Result<Finding, Finding> {
    let rollup = &held.rollup;
    // First what was witnessed: in a rewritten log, single leaves contradict as well, and that says
    // less.
    log_extends(rollup, context)?;
    leaves_in_order(context)?;
    let unit = context
        .registry
        .registry()
        .unit(&rollup.unit)
        .ok_or_else(|| Finding::UnknownUnit(rollup.unit.clone()))?;
    unbroken_chain(held, context)?;
    revision_chain(rollup, context, unit)?;
    previous_month(rollup, context, unit)?;
    never_back(rollup, context)?;
    months_reported(rollup, context, unit)?;
    sealed_months(rollup, context)?;
    Ok(Finding::Holds {
        leaves: rollup.log.size,
        revision: rollup.revision,
    })
}

/// SPEC 8.3, step 1: the leaves give the root; what was witnessed and the logs of the rollups on the chain
/// are on the way to it; the checkpoint is of exactly this log.
fn log_extends(rollup: &Rollup, context: &Context<'_>) -> Result<(), Finding> {
    let root = log_root(rollup, context)?;
    extends_witnessed(rollup, context)?;
    let size = rollup.log.size;
    let earlier = context.known.values().map(|known| &known.rollup);
    for earlier in earlier.filter(|known| known.log.size <= size) {
        if context.log.root_at(earlier.log.size) != earlier.log.root_bytes() {
            return Err(Finding::NotExtended(earlier.period));
        }
    }
    let checkpoint = context.checkpoint.ok_or(Finding::NoCheckpoint)?;
    let unreadable = |e: crate::log::CheckpointError| Finding::UnreadableCheckpoint(e.to_string());
    let parsed = Checkpoint::parse(checkpoint.text()).map_err(unreadable)?;
    let expected = Checkpoint::new(&origin_of(&rollup.unit), size, root).map_err(unreadable)?;
    if parsed.text() != expected.text() {
        return Err(Finding::OtherCheckpoint);
    }
    Ok(())
}

/// The root over the leaves, which must be the one that the rollup names.
fn log_root(rollup: &Rollup, context: &Context<'_>) -> Result<[u8; 32], Finding> {
    let log = &rollup.log;
    if context.log.len() < log.size {
        return Err(Finding::LeavesMissing {
            claimed: log.size,
            there: context.log.len(),
        });
    }
    let root = context.log.root_at(log.size).ok_or(Finding::NoRoot)?;
    if Some(root) != log.root_bytes() {
        return Err(Finding::OtherRoot {
            size: log.size,
            computed: hex::encode(&root),
            claimed: log.root.clone(),
        });
    }
    Ok(root)
}

/// The log that the reader last cosigned is on the way to this one.
fn extends_witnessed(rollup: &Rollup, context: &Context<'_>) -> Result<(), Finding> {
    let Some((witnessed, root)) = context.witnessed else {
        return Ok(());
    };
    if witnessed > rollup.log.size {
        return Err(Finding::Shortened {
            size: rollup.log.size,
            witnessed,
        });
    }
    if context.log.root_at(witnessed) != Some(root) {
        return Err(Finding::Rewritten(witnessed));
    }
    Ok(())
}

/// SPEC 8.3, step 2: no leaf contradicts history.
fn leaves_in_order(context: &Context<'_>) -> Result<(), Finding> {
    match context.log.finding(Check::History) {
        Some(finding) => Err(Finding::Leaf(finding.clone())),
        None => Ok(()),
    }
}

/// SPEC 8.3, step 3: the chain goes back to a first rollup, and has none of this month and revision.
fn unbroken_chain(held: &HeldRollup, context: &Context<'_>) -> Result<(), Finding> {
    if let Some(missing) = chain::missing(&held.rollup, context.known) {
        return Err(Finding::ChainBroken {
            period: missing.period,
            revision: missing.revision,
            rollup: missing.rollup,
        });
    }
    let (period, revision) = (held.rollup.period, held.rollup.revision);
    match context.known.get(&(period, revision)) {
        Some(known) => Err(Finding::TwoRollups {
            period,
            revision,
            known: known.digest(),
            this: held.digest(),
        }),
        None => Ok(()),
    }
}

/// SPEC 8.3, step 4: the first revision of a month follows none of this or a later month; a later
/// one supersedes the last revision on its chain, which is the one before it.
fn revision_chain(rollup: &Rollup, context: &Context<'_>, unit: &Unit) -> Result<(), Finding> {
    if rollup.revision == 1 {
        let newest = context.known.last_key_value();
        let newest = newest.map(|((month, _), _)| *month);
        return match newest.filter(|m| *m >= rollup.period || rollup.period <= unit.since) {
            Some(month) => Err(Finding::BeginsLate(month)),
            None => Ok(()),
        };
    }
    let revision = rollup.revision - 1;
    let mut revisions = context.known.range(rollup.period.revisions());
    let last = revisions.next_back().map(|(_, held)| held);
    match last {
        Some(last) if last.rollup.revision > revision => {
            Err(Finding::RevisionBehind(last.rollup.revision))
        }
        Some(last) if last.rollup.revision == revision => {
            match rollup.supersedes == Some(last.digest()) {
                true => Ok(()),
                false => Err(Finding::OtherRevision(revision)),
            }
        }
        _ => Err(Finding::RevisionMissing(revision)),
    }
}

/// SPEC 8.3, step 5: the first month names no previous rollup, every other one the last revision of
/// the month before on its chain. Otherwise a unit could correct a month and build on the
/// uncorrected one.
fn previous_month(rollup: &Rollup, context: &Context<'_>, unit: &Unit) -> Result<(), Finding> {
    let previous = match rollup.previous {
        None if rollup.period == unit.since => return Ok(()),
        None => {
            return Err(Finding::NoPrevious {
                unit: rollup.unit.clone(),
                since: unit.since,
            });
        }
        Some(_) if rollup.period <= unit.since => {
            return Err(Finding::PreviousInFirstMonth(unit.since));
        }
        Some(previous) => previous,
    };
    let month = rollup.period.prev().ok_or(Finding::NoMonthBefore)?;
    let revisions = || context.known.range(month.revisions());
    let Some((_, last)) = revisions().next_back() else {
        return Err(Finding::MonthMissing(month));
    };
    let named = revisions().find(|(_, known)| known.digest() == previous);
    match named {
        Some((_, named)) if named.digest() == last.digest() => Ok(()),
        Some((_, named)) => Err(Finding::ReplacedPrevious {
            month,
            named: named.rollup.revision,
            newer: last.rollup.revision,
        }),
        None => Err(Finding::OtherPrevious(month)),
    }
}

/// SPEC 8.3, step 6: neither its log nor its registry is older than that of a rollup on its chain.
fn never_back(now: &Rollup, context: &Context<'_>) -> Result<(), Finding> {
    for then in context.known.values().map(|held| &held.rollup) {
        if now.log.size < then.log.size {
            return Err(Finding::FewerLeaves {
                now: now.log.size,
                then: then.log.size,
                period: then.period,
                revision: then.revision,
            });
        }
        if now.registry.version < then.registry.version {
            return Err(Finding::OlderRegistry {
                now: now.registry.version,
                then: then.registry.version,
            });
        }
    }
    Ok(())
}

/// How many months behind the newest on a rollup's chain may have begun. One begins when the one before is
/// closed, and what is closed may still wait for its signatures when an earlier month is made anew.
pub const BEGUN: usize = 3;

/// SPEC 8.3, step 7: no leaf stands in a month that no rollup reports. There it would count for
/// nothing, and a void there would take back without being seen.
fn months_reported(rollup: &Rollup, context: &Context<'_>, unit: &Unit) -> Result<(), Finding> {
    let known = context.known.keys().map(|(month, _)| *month);
    let newest = known.fold(rollup.period, Month::max);
    let last = (0..BEGUN).try_fold(newest, |month, _| month.next());
    let last = last.unwrap_or(newest);
    // After its last month there is none to report.
    let months = unit.since..=unit.until().map_or(last, |until| until.min(last));
    match context.log.first_outside(&months, rollup.log.size) {
        Some((index, month)) => Err(Finding::MonthNotReported {
            index,
            month,
            first: *months.start(),
            last: *months.end(),
        }),
        None => Ok(()),
    }
}

/// SPEC 8.3, step 8: a sealed month stays sealed. No leaf of an earlier month stands behind that
/// month's last rollup on the chain, where nothing would ever count it.
fn sealed_months(rollup: &Rollup, context: &Context<'_>) -> Result<(), Finding> {
    let mut sealed: BTreeMap<Month, u64> = BTreeMap::new();
    for ((month, _), earlier) in context.known.range(..(rollup.period, 0)) {
        sealed.insert(*month, earlier.rollup.log.size);
    }
    match context.log.first_behind(&sealed, rollup.log.size) {
        Some((index, month)) => Err(Finding::MonthSealed { index, month }),
        None => Ok(()),
    }
}
