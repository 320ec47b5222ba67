//! Verifying evidence: from nothing but the file and a root key.
//!
//! 1. The registry chain is walked from version 1, which the given root key signed.
//! 2. Catalogues and plans carry the threshold of root signatures.
//! 3. Each unit's log is read from index 0; its rollups are taken in the order of their log sizes,
//!    and each is judged by those on its chain.
//! 4. [`crate::verify::check`] runs on each rollup, those of lower tiers first: what names a rollup that
//!    does not hold does not hold either.
//! 5. Each receipt is signed by the parent, is for exactly the rollup that is there, and its
//!    checkpoint carries the parent's cosignature.
//! 6. The plans of the units are judged from rollups that hold: of each month the last one that was
//!    asked for, by the catalogue that it names.
//!
//! Nothing in the file is left unchecked: every signature line is of a known key and holds, every
//! checkpoint has the log's root, no entry stands behind the last checkpoint, no receipt is without
//! its rollup.
//!
//! A unit's log says nothing of another's, so units are read one by one or on several threads. Of
//! each only its own log is held, and only while it is read: the memory that is needed grows with
//! the largest unit, not with their number.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::content::{Arrivals, Evidence, EvidenceSource, UnitEvidence};
use super::ended::Ended;
use super::error::FileError;
use crate::catalogue::Catalogue;
use crate::chain;
use crate::compiled::CompiledCatalogue;
use crate::digest::Digest;
use crate::ids::{Tier, UnitId};
use crate::log::checkpoint::{Checkpoint, origin_of};
use crate::note::{VerifierKey, every_line};
use crate::period::Month;
use crate::plan::{Judged, Plan, Reported, Reporting, Reports};
use crate::published;
use crate::receipt::Decision;
use crate::registry::{Registry, Unit, VerifiedRegistry};
use crate::rollup::{HeldRollup, Rollup, Rollups};
use crate::verdict::{AuthorshipFinding, Check, Outcome, Standing, Verdict};
use crate::verify::answer::{parents_of, read_receipt, witnesses};
use crate::verify::log::UnitLog;
use crate::verify::{self, Context, NamedRollup};

/// Leaves for which room is made before the first of them was seen: a checkpoint can tell any
/// number.
const ROOM: usize = 1 << 16;

/// Why evidence cannot be verified at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EvidenceError {
    /// Something that everything else rests on contradicts.
    #[error("{what}: {message} [evidence.{code}]")]
    Content {
        /// Where.
        what: String,
        /// Which kind of thing; the last word of the code.
        code: &'static str,
        /// What is wrong.
        message: String,
    },
    /// The file that it stands in is not as it must be.
    #[error(transparent)]
    File(#[from] FileError),
}

/// What everything was checked by. Compare it with what is known from elsewhere: no file tells what
/// it leaves out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trust {
    /// The newest registry version in the file.
    pub version: u64,
    /// Digest of its text.
    pub digest: Digest,
    /// How many root keys the reader knew.
    pub given: usize,
    /// How many must sign by version 1. A reader who knows fewer trusts those few alone.
    pub threshold: usize,
}

/// The result.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Report {
    /// By what.
    pub trust: Trust,
    /// Units, top first.
    pub units: Vec<UnitReport>,
    /// Judged targets.
    pub targets: Vec<Judged>,
    /// Targets that cannot be judged from what is recorded here.
    pub unjudged: Vec<String>,
    /// Statements read.
    pub leaves: u64,
    /// Last month reported by the top unit.
    pub until: Option<Month>,
}

/// One unit.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct UnitReport {
    /// Who.
    pub unit: UnitId,
    /// Its last name.
    pub name: String,
    /// Tier.
    pub tier: Tier,
    /// Its rollups in order.
    pub months: Vec<MonthReport>,
    /// What it leaves behind, where it has ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Ended>,
}

/// One rollup.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct MonthReport {
    /// Month.
    pub period: Month,
    /// What the unit was called in it.
    #[serde(default)]
    pub name: String,
    /// Revision.
    pub revision: u32,
    /// Digest.
    pub rollup: Digest,
    /// The checks.
    pub verdicts: Vec<Verdict>,
    /// The parent's last word on it.
    pub decision: Option<Decision>,
    /// A later revision for which the parent did not ask, as far as the receipts here show: neither
    /// returned, rejected nor opened again was the one before. Or it rests on one, and the receipts
    /// here say so. No target is judged from it.
    #[serde(default)]
    pub unasked: bool,
    /// Another rollup of the unit follows the same one: it went on twice from there, as a unit does
    /// that works with an old copy of its data, or tells two readers different things. Each is
    /// judged by its own chain.
    #[serde(default)]
    pub forked: bool,
}

impl MonthReport {
    /// Whether its figures may be built upon.
    pub fn counts(&self) -> bool {
        !self.unasked && Standing::of(&self.verdicts) == Standing::Holds
    }
}

impl Report {
    /// Whether no check failed.
    pub fn holds(&self) -> bool {
        !self.failures().any(|_| true) && !self.units.is_empty()
    }
    /// Every failed check with its place.
    pub fn failures(&self) -> impl Iterator<Item = (&UnitReport, &MonthReport, &Verdict)> {
        self.units.iter().flat_map(|u| {
            u.months.iter().flat_map(move |m| {
                m.verdicts
                    .iter()
                    .filter(|v| v.failed())
                    .map(move |v| (u, m, v))
            })
        })
    }
}

fn error(
    what: impl Into<String>,
    code: &'static str,
    message: impl std::fmt::Display,
) -> EvidenceError {
    EvidenceError::Content {
        what: what.into(),
        code,
        message: message.to_string(),
    }
}

/// What counts of each unit and month.
#[derive(Default)]
struct Latest<'a>(BTreeMap<(&'a UnitId, Month), Reported<'a>>);

impl Reports for Latest<'_> {
    fn reported(&self, unit: &UnitId, month: Month) -> Option<Reported<'_>> {
        self.0.get(&(unit, month)).copied()
    }
}

/// Verifies evidence against the root keys that the reader knows, on this thread.
///
/// # Errors
/// What makes verification impossible: a registry that does not follow from the root key, an
/// unsigned catalogue, a rollup or a file that cannot be read. Everything else is a verdict in the
/// report.
pub fn verify<R: AsRef<[VerifierKey]> + ?Sized>(
    shown: &dyn EvidenceSource,
    roots: &R,
) -> Result<Report, EvidenceError> {
    verify_on(1, shown, roots)
}

/// Verifies evidence with the units spread over this many threads. The report is the same.
///
/// # Errors
/// See [`verify()`]. Of several things that make it impossible, the same one is named whatever the
/// number of threads.
pub fn verify_on<R: AsRef<[VerifierKey]> + ?Sized>(
    threads: usize,
    shown: &dyn EvidenceSource,
    roots: &R,
) -> Result<Report, EvidenceError> {
    let evidence = shown.notes();
    let chain = VerifiedRegistry::chain(&evidence.registries, roots)
        .map_err(|e| error("registry", "registry", e))?;
    let newest = chain
        .last()
        .ok_or_else(|| error("registry", "registry", "there is none"))?;
    let registry = newest.registry();
    let catalogues = catalogues(evidence, registry)?;
    let plans = evidence
        .plans
        .iter()
        .map(|n| published::read_plan(n, registry))
        .collect::<Result<Vec<Plan>, _>>()
        .map_err(|e| error("plan", "plan", e))?;
    lines(evidence, &chain, roots.as_ref())?;
    let arrivals = arrivals(evidence, registry)?;
    let mut held: BTreeMap<&UnitId, Rollups> = BTreeMap::new();
    for (id, unit) in &evidence.units {
        held.insert(id, rollups(id, unit)?);
    }
    let all = held.values().flat_map(|rollups| rollups.values());
    let by_digest = all.map(|h| (h.digest(), h.clone())).collect();
    let mut order: Vec<&UnitId> = evidence.units.keys().collect();
    order.sort_by_key(|id| registry.last_path(id));

    let published = Published {
        shown,
        newest,
        chain: &chain,
        catalogues: &catalogues,
        plans: &plans,
        arrivals,
        held: &held,
        by_digest: &by_digest,
    };
    let (units, leaves) = published.all_units(threads, &order)?;
    let until = units
        .first()
        .and_then(|u| u.months.iter().map(|m| m.period).max());
    let (targets, unjudged) = published.targets(&units, until);
    Ok(Report {
        trust: Trust {
            version: registry.version,
            digest: newest.digest(),
            given: roots.as_ref().len(),
            threshold: chain.first().map_or(1, |first| first.registry().threshold),
        },
        units,
        targets,
        unjudged,
        leaves,
        until,
    })
}

/// The catalogues, signed by the root keys and compiled.
fn catalogues(
    evidence: &Evidence,
    registry: &Registry,
) -> Result<Vec<Arc<CompiledCatalogue>>, EvidenceError> {
    let mut catalogues = Vec::new();
    for note in &evidence.catalogues {
        let catalogue = published::read_catalogue(note, registry)
            .map_err(|e| error("catalogue", "catalogue", e))?;
        let compiled =
            CompiledCatalogue::new(catalogue).map_err(|e| error("catalogue", "catalogue", e))?;
        catalogues.push(Arc::new(compiled));
    }
    Ok(catalogues)
}

/// Runs `work` on each item, on several threads, and gives what was made in the order of the items,
/// up to the first error. Items are begun in their order and nothing is begun after an error, so
/// the first error is the one that a single thread meets.
fn in_order<I: Sync, T: Send, E: Send>(
    threads: usize,
    items: &[I],
    work: impl Fn(&I) -> Result<T, E> + Sync,
) -> Vec<Result<T, E>> {
    let next = AtomicUsize::new(0);
    let (send, done) = mpsc::channel();
    let run = |send: mpsc::Sender<(usize, Result<T, E>)>| {
        while let n = next.fetch_add(1, Ordering::SeqCst)
            && let Some(item) = items.get(n)
        {
            let result = work(item);
            if result.is_err() {
                next.store(items.len(), Ordering::SeqCst);
            }
            // The receiver outlives the threads.
            let _ = send.send((n, result));
        }
    };
    let others = threads.min(items.len()).saturating_sub(1);
    thread::scope(|scope| {
        for _ in 0..others {
            let (run, send) = (&run, send.clone());
            scope.spawn(move || run(send));
        }
        run(send);
    });
    let mut all: Vec<(usize, Result<T, E>)> = done.into_iter().collect();
    all.sort_by_key(|(n, _)| *n);
    all.into_iter().map(|(_, result)| result).collect()
}

/// A unit's rollups, each what its path says.
fn rollups(id: &UnitId, unit: &UnitEvidence) -> Result<Rollups, EvidenceError> {
    let mut rollups = Rollups::new();
    for ((month, revision), note) in &unit.rollups {
        let place = || format!("{id} {month}.{revision}");
        let rollup = HeldRollup::new(note.clone()).map_err(|e| error(place(), "rollup", e))?;
        if (
            &rollup.rollup.unit,
            rollup.rollup.period,
            rollup.rollup.revision,
        ) != (id, *month, *revision)
        {
            return Err(error(
                place(),
                "rollup",
                "is of another unit, month or revision than its path says",
            ));
        }
        rollups.insert((*month, *revision), Arc::new(rollup));
    }
    Ok(rollups)
}

/// What is known before the first log is read.
struct Published<'a> {
    shown: &'a dyn EvidenceSource,
    newest: &'a VerifiedRegistry,
    chain: &'a [VerifiedRegistry],
    catalogues: &'a [Arc<CompiledCatalogue>],
    plans: &'a [Plan],
    arrivals: ArrivalTimes,
    held: &'a BTreeMap<&'a UnitId, Rollups>,
    by_digest: &'a BTreeMap<Digest, Arc<HeldRollup>>,
}

impl Published<'_> {
    /// Reads all units, those of lower tiers first, as what stands above rests on them; gives them
    /// top first, with the number of leaves.
    fn all_units(
        &self,
        threads: usize,
        order: &[&UnitId],
    ) -> Result<(Vec<UnitReport>, u64), EvidenceError> {
        let registry = self.newest.registry();
        let tier = |id: &UnitId| registry.unit(id).map(|u| u.tier);
        let tiers: BTreeSet<Option<Tier>> = order.iter().map(|id| tier(id)).collect();
        let (mut by_unit, mut leaves) = (BTreeMap::new(), 0);
        let mut found: BTreeMap<Digest, Standing> = BTreeMap::new();
        for of in tiers {
            let ids: Vec<&UnitId> = order.iter().copied().filter(|id| tier(id) == of).collect();
            for done in in_order(threads, &ids, |id| self.unit(id, &found)) {
                let (unit, read) = done?;
                leaves += read;
                by_unit.insert(unit.unit.clone(), unit);
            }
            let months = by_unit.values().flat_map(|u: &UnitReport| &u.months);
            found = months
                .map(|m| (m.rollup, Standing::of(&m.verdicts)))
                .collect();
        }
        let units = order.iter().filter_map(|id| by_unit.remove(*id));
        Ok((units.collect(), leaves))
    }

    /// The catalogue that a rollup names.
    fn catalogue_of(&self, rollup: &Rollup) -> Option<&Catalogue> {
        let mut all = self.catalogues.iter();
        let named = all.find(|c| c.digest == rollup.catalogue)?;
        Some(&named.catalogue)
    }

    /// What may be built upon: of each unit and month the last rollup that counts.
    fn latest(&self, units: &[UnitReport]) -> Latest<'_> {
        let mut latest = Latest::default();
        let months = units.iter().flat_map(|u| &u.months);
        for month in months.filter(|m| m.counts()) {
            let Some(held) = self.by_digest.get(&month.rollup) else {
                continue;
            };
            if let Some(catalogue) = self.catalogue_of(&held.rollup) {
                let figures = held.rollup.figures.as_slice();
                let reported = Reported { figures, catalogue };
                latest.0.insert((&held.rollup.unit, month.period), reported);
            }
        }
        latest
    }

    /// The targets of the plans of units that are here, and those that cannot be judged.
    fn targets(&self, units: &[UnitReport], until: Option<Month>) -> (Vec<Judged>, Vec<String>) {
        let (mut targets, mut unjudged) = (Vec::new(), Vec::new());
        let Some(until) = until else {
            return (targets, unjudged);
        };
        let latest = self.latest(units);
        let is_here = |plan: &&Plan| {
            let unit = plan.plan.area_code.parse::<UnitId>();
            unit.is_ok_and(|unit| self.held.contains_key(&unit))
        };
        let registry = self.newest.registry();
        for plan in self.plans.iter().filter(is_here) {
            for target in &plan.target {
                match plan.judge(target, registry, &latest, until) {
                    Some(judged) => targets.push(judged),
                    None => unjudged.push(target.id.clone()),
                }
            }
        }
        (targets, unjudged)
    }

    /// Reads a unit's log and checks its rollups; gives the number of leaves as well.
    fn unit(
        &self,
        id: &UnitId,
        found: &BTreeMap<Digest, Standing>,
    ) -> Result<(UnitReport, u64), EvidenceError> {
        let registry = self.newest.registry();
        let unit = registry
            .unit(id)
            .ok_or_else(|| error(id.to_string(), "unit", "is not in the registry"))?;
        let part = self
            .shown
            .notes()
            .units
            .get(id)
            .ok_or_else(|| error(id.to_string(), "unit", "is not in the evidence"))?;
        let mut log = UnitLog::new(unit, self.catalogues.to_vec());
        let last = part.checkpoints.keys().next_back().copied().unwrap_or(0);
        log.reserve(usize::try_from(last).unwrap_or(ROOM).min(ROOM));
        let mut entries = Entries {
            shown: self.shown,
            unit: id,
            bundles: 0,
            rest: Cow::Borrowed(&[]),
            used: 0,
        };
        let mut unbound = BTreeSet::new();
        // Revisions that nobody asked for, as the receipts here say, and what follows them.
        let mut made_unasked = BTreeSet::new();
        let mut months = Vec::new();
        let known = self
            .held
            .get(id)
            .ok_or_else(|| error(id.to_string(), "unit", "is not in the evidence"))?;
        for h in chain::in_order(known) {
            entries.read_to(h.rollup.log.size, &mut log, unit)?;
            let mut month = self.month(h, part, unit, (&log, &unbound), found);
            let after = h.rollup.after.as_ref();
            let rests_on_unasked = after.is_some_and(|after| made_unasked.contains(&after.rollup));
            month.unasked |= rests_on_unasked;
            if rests_on_unasked || self.was_made_unasked(h, part) {
                made_unasked.insert(month.rollup);
            }
            let binding = month.verdicts.iter().find(|v| v.check == Check::Binding);
            if binding.is_some_and(Verdict::failed) {
                unbound.insert(month.rollup);
            }
            months.push(month);
        }
        entries.read_to(u64::MAX, &mut log, unit)?;
        rest(id, part, &log, unit, registry)?;
        let ended = Ended::of(unit, self.last_report(unit, &months));
        Ok((
            UnitReport {
                unit: id.clone(),
                name: unit.name().to_string(),
                tier: unit.tier,
                months,
                ended,
            },
            log.len(),
        ))
    }

    /// The report of a unit's last month that may be built upon, with its catalogue.
    fn last_report(&self, unit: &Unit, months: &[MonthReport]) -> Option<(&Rollup, &Catalogue)> {
        let until = unit.until()?;
        let of_last = |m: &&MonthReport| m.period == until && m.counts();
        let last = months.iter().rev().find(of_last)?;
        let held = self.by_digest.get(&last.rollup)?;
        Some((&held.rollup, self.catalogue_of(&held.rollup)?))
    }

    /// Checks one rollup of a unit, whose log was read up to its size.
    fn month(
        &self,
        held: &Arc<HeldRollup>,
        part: &UnitEvidence,
        unit: &Unit,
        (log, unbound): (&UnitLog, &BTreeSet<Digest>),
        found: &BTreeMap<Digest, Standing>,
    ) -> MonthReport {
        let registry = self.newest.registry();
        let (r, none) = (&held.rollup, Rollups::new());
        let known = self.held.get(&r.unit).unwrap_or(&none);
        let version = self.version(r);
        let parents = parents_of(r, registry, Some(version.registry()));
        let receipts = receipts(part, held, &parents, registry);
        let child = |digest: &Digest| {
            let (held, standing) = (self.by_digest.get(digest)?, found.get(digest)?);
            Some(NamedRollup {
                held: held.clone(),
                standing: *standing,
            })
        };
        let due = Reporting::of(self.plans, registry, &unit.id, r.period).due(r.tier, r.period);
        let context = Context {
            registry: version,
            log,
            known,
            unbound,
            child: &child,
            checkpoint: part.checkpoints.get(&r.log.size),
            witnessed: None,
            received: self.arrival(held).or(receipts.received),
            due: Some(due),
        };
        let mut verdicts = verify::check(held, &context);
        let lines = || unknown_lines(held, part, log, unit, registry).err();
        if let Some(finding) = receipts.finding.or_else(lines) {
            fail_authorship(&mut verdicts, finding);
        }
        MonthReport {
            period: r.period,
            name: unit.placement(r.period).name,
            revision: r.revision,
            rollup: held.digest(),
            verdicts,
            decision: receipts.last,
            unasked: !self.was_asked_for(held, part),
            forked: known
                .values()
                .any(|other| other.digest() != held.digest() && other.rollup.after == r.after),
        }
    }

    /// The version that a rollup names.
    fn version(&self, rollup: &Rollup) -> &VerifiedRegistry {
        let named = |c: &&VerifiedRegistry| c.registry().version == rollup.registry.version;
        self.chain.iter().find(named).unwrap_or(self.newest)
    }

    /// Whether the unit's parent in the month asked for this revision. The top unit has no parent:
    /// it alone says when it revises.
    fn was_asked_for(&self, held: &HeldRollup, part: &UnitEvidence) -> bool {
        let r = &held.rollup;
        let named = self.version(r).registry();
        let parents = parents_of(r, self.newest.registry(), Some(named));
        let answer = || self.answer_before(held, part);
        r.revision == 1 || parents.is_empty() || answer().is_some_and(Decision::asks_for_revision)
    }

    /// Whether the receipts here say that nobody asked for it, and are not only silent.
    fn was_made_unasked(&self, held: &HeldRollup, part: &UnitEvidence) -> bool {
        let answer = || self.answer_before(held, part);
        held.rollup.revision > 1 && answer().is_some_and(|last| !last.asks_for_revision())
    }

    /// The last answer to the revision that this one supersedes.
    fn answer_before(&self, held: &HeldRollup, part: &UnitEvidence) -> Option<Decision> {
        let r = &held.rollup;
        let newest = self.newest.registry();
        let parents = parents_of(r, newest, Some(self.version(r).registry()));
        let before = self
            .held
            .get(&r.unit)?
            .get(&(r.period, r.revision.checked_sub(1)?))?;
        let is_superseded = r.supersedes == Some(before.digest());
        is_superseded.then(|| receipts(part, before, &parents, newest).last)?
    }

    /// When the maker of the evidence received a rollup: its word counts for what came from below,
    /// not for its own punctuality.
    fn arrival(&self, held: &HeldRollup) -> Option<DateTime<Utc>> {
        let (by, times) = &self.arrivals;
        let (id, month) = (&held.rollup.unit, held.rollup.period);
        let path = self.newest.registry().path(id, month);
        let from_below = by.as_ref().is_some_and(|by| by != id && path.contains(by));
        times.get(&held.digest()).copied().filter(|_| from_below)
    }
}

/// A unit's entries, read in order, one bundle in memory.
struct Entries<'a> {
    shown: &'a dyn EvidenceSource,
    unit: &'a UnitId,
    /// Bundles that were asked for.
    bundles: usize,
    rest: Cow<'a, [Vec<u8>]>,
    /// Entries of the last bundle that were read.
    used: usize,
}

impl Entries<'_> {
    /// Reads on until the log has `size` leaves or there are no more.
    fn read_to(&mut self, size: u64, log: &mut UnitLog, unit: &Unit) -> Result<(), EvidenceError> {
        while log.len() < size {
            if self.used == self.rest.len() {
                let Some(bundle) = self.shown.bundle(self.unit, self.bundles)? else {
                    break;
                };
                (self.rest, self.used, self.bundles) = (bundle, 0, self.bundles + 1);
            }
            let wanted = usize::try_from(size - log.len()).unwrap_or(usize::MAX);
            let upto = self.rest.len().min(self.used.saturating_add(wanted));
            log.read(&self.rest[self.used..upto], unit);
            self.used = upto;
        }
        Ok(())
    }
}

/// Fails `authorship`, unless it has failed already.
fn fail_authorship(verdicts: &mut [Verdict], finding: AuthorshipFinding) {
    let authorship = verdicts
        .iter_mut()
        .find(|v| v.check == Check::Authorship && !v.failed());
    if let Some(verdict) = authorship {
        *verdict = Verdict::found(Outcome::Fails, finding);
    }
}

/// The lines of what the root keys sign.
fn lines(
    evidence: &Evidence,
    chain: &[VerifiedRegistry],
    roots: &[VerifierKey],
) -> Result<(), EvidenceError> {
    let mut keys = roots.iter().cloned().collect::<BTreeSet<_>>();
    for (note, version) in evidence.registries.iter().zip(chain) {
        keys.extend(version.registry().roots.iter().cloned());
        let keys: Vec<_> = keys.iter().cloned().collect();
        every_line(note, &keys).map_err(|e| {
            error(
                format!("registry {}", version.registry().version),
                "signature",
                e,
            )
        })?;
    }
    let keys: Vec<_> = keys.into_iter().collect();
    for (what, notes) in [
        ("catalogue", &evidence.catalogues),
        ("plan", &evidence.plans),
    ] {
        notes
            .iter()
            .try_for_each(|n| every_line(n, &keys))
            .map_err(|e| error(what, "signature", e))?;
    }
    Ok(())
}

/// The lines of a rollup and of its checkpoint beyond those that `authorship` asks for.
fn unknown_lines(
    held: &HeldRollup,
    part: &UnitEvidence,
    log: &UnitLog,
    unit: &Unit,
    registry: &Registry,
) -> Result<(), AuthorshipFinding> {
    let node = unit.vkeys();
    let people = log.enrolled().cloned();
    let signers: Vec<VerifierKey> = node.iter().cloned().chain(people).collect();
    every_line(&held.note, &signers).map_err(|e| AuthorshipFinding::RollupLine(e.to_string()))?;
    let Some(checkpoint) = part.checkpoints.get(&held.rollup.log.size) else {
        return Ok(());
    };
    every_line(checkpoint, &[node, witnesses(&unit.id, registry)].concat())
        .map_err(|e| AuthorshipFinding::CheckpointLine(e.to_string()))
}

/// What no rollup asks for: entries behind the last one, checkpoints of other sizes, stray
/// receipts.
fn rest(
    id: &UnitId,
    part: &UnitEvidence,
    log: &UnitLog,
    unit: &Unit,
    registry: &Registry,
) -> Result<(), EvidenceError> {
    let fail = |code, message: String| error(id.to_string(), code, message);
    if part.checkpoints.keys().next_back().copied().unwrap_or(0) < log.len() {
        return Err(fail(
            "entries",
            "has entries behind its last checkpoint".into(),
        ));
    }
    let node = unit.vkeys();
    let keys = [node, witnesses(id, registry)].concat();
    let asked: BTreeSet<u64> = part
        .rollups
        .values()
        .filter_map(|n| Rollup::parse(n.text()).ok())
        .map(|r| r.log.size)
        .collect();
    for (size, note) in part
        .checkpoints
        .iter()
        .filter(|(size, _)| !asked.contains(size))
    {
        let place = |e: String| fail("checkpoint", format!("checkpoint {size}: {e}"));
        every_line(note, &keys).map_err(|e| place(e.to_string()))?;
        let root = log
            .root_at(*size)
            .ok_or_else(|| place("is of a larger log than the one that is here".into()))?;
        let expected =
            Checkpoint::new(&origin_of(id), *size, root).map_err(|e| place(e.to_string()))?;
        if note.text() != expected.text() || note.verify(&unit.keys_over(*size)).is_err() {
            return Err(place("is not the unit's checkpoint of this log".into()));
        }
    }
    if let Some((month, revision, _)) = part
        .receipts
        .keys()
        .find(|(m, r, _)| !part.rollups.contains_key(&(*m, *r)))
    {
        return Err(fail(
            "receipt",
            format!("has a receipt for {month}.{revision}, but not the rollup"),
        ));
    }
    Ok(())
}

type ArrivalTimes = (Option<UnitId>, BTreeMap<Digest, DateTime<Utc>>);

fn arrivals(evidence: &Evidence, registry: &Registry) -> Result<ArrivalTimes, EvidenceError> {
    let Some(note) = &evidence.arrivals else {
        return Ok(ArrivalTimes::default());
    };
    let arrivals = Arrivals::parse(note.text()).map_err(|e| error("arrivals", "arrivals", e))?;
    let unit = registry
        .unit(&arrivals.by)
        .ok_or_else(|| error("arrivals", "arrivals", "by an unknown unit"))?;
    let keys = unit.vkeys();
    every_line(note, &keys).map_err(|e| error("arrivals", "arrivals", e))?;
    let times = arrivals.received.iter().map(|(d, t)| {
        Ok((
            *d,
            t.parse()
                .map_err(|_| error("arrivals", "arrivals", format!("{t:?} is not a time")))?,
        ))
    });
    Ok((
        Some(arrivals.by),
        times.collect::<Result<_, EvidenceError>>()?,
    ))
}

#[derive(Default)]
struct Receipts {
    last: Option<Decision>,
    received: Option<DateTime<Utc>>,
    finding: Option<AuthorshipFinding>,
}

/// The parent's receipts for exactly this rollup.
fn receipts(
    part: &UnitEvidence,
    held: &HeldRollup,
    parents: &[&Unit],
    newest: &Registry,
) -> Receipts {
    let mut all = Receipts::default();
    let mut last = None;
    let r = &held.rollup;
    let of_revision = (r.period, r.revision, 0)..=(r.period, r.revision, u32::MAX);
    for (n, (_, note)) in part.receipts.range(of_revision).enumerate() {
        match read_receipt(note, held, parents, newest) {
            Ok(receipt) => {
                // The number in the path is nobody's word; the time inside is signed. Of two with one
                // time, whoever hands the file on could say which was last.
                let decided: Option<DateTime<Utc>> = receipt.decided.parse().ok();
                if decided.is_none() || decided <= last {
                    all.finding = Some(AuthorshipFinding::ReceiptOrder);
                }
                last = decided;
                all.last = Some(receipt.decision);
                // When it came is what the first receipt says: where that one does not hold, a
                // later one does not take its place.
                if n == 0 {
                    all.received = receipt.received.parse().ok();
                }
            }
            Err(e) => all.finding = Some(AuthorshipFinding::Receipt(e.to_string())),
        }
    }
    all
}
