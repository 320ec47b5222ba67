//! Reading a unit's log: leaf by leaf, in order, keeping what the checks need and nothing else.
//!
//! For each leaf: (1) it is a signed note with a statement of this unit; (2) it is signed by the
//! node's key or by an operator's key that was valid at its index; (3) a void names an earlier
//! statement of this log that is counted, of no later month, and not yet void; (4) a clear row is recomputed from the
//! published fields, a sealed one is a canonical commitment. What contradicts is kept as the
//! *first finding* of the check that it belongs to; reading goes on, so that history stays whole.

mod recount;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::ops::RangeInclusive;
use std::sync::Arc;

use chrono::NaiveDate;

use crate::catalogue::{Catalogue, Subject};
use crate::commitment::Commitment;
use crate::compiled::CompiledCatalogue;
use crate::count::engine::History;
use crate::count::{Balance, Fact, Fields, Moves, Value, above_maximum, state};
use crate::digest::Digest;
use crate::ids::{EventId, UnitId};
use crate::log::tree::{self, Tree};
use crate::note::{Alg, Note, NoteError, VerifierKey, verify_batch};
use crate::period::Month;
use crate::person::{Role, is_operator_of};
use crate::registry::Unit;
use crate::statement::{Body, CORRECTED, OPERATOR_ENROLLED, Ref, Statement};
use crate::verdict::{Check, LeafFinding, LeafProblem as Problem};
use crate::verify::month::MonthSums;

/// Signatures checked together.
const BATCH: usize = 256;

/// Most clear statements about one subject. The history of a subject is counted anew for each of
/// them, so that without a bound a small log could keep everybody above busy for hours. The desk
/// stops at half of it, which leaves room for recounts.
pub const MAX_HISTORY: usize = 4096;

/// What a clear leaf added, and to whose history.
#[derive(Debug)]
struct ClearRow {
    subject: Subject,
    key: String,
    row: Vec<(usize, i64)>,
}

/// What is kept of a leaf so that it can be taken back. A log has many: everything here is small,
/// and what leaves share stands in [`LeafClass`].
#[derive(Debug)]
struct Leaf {
    id: Option<EventId>,
    /// Index of its [`LeafClass`]; none where it could not be read.
    class: Option<u32>,
    added: Added,
    voided: bool,
}

/// What a leaf added to its month.
#[derive(Debug)]
enum Added {
    /// Nothing: a void, an enrolment, a leaf that contradicts.
    Nothing,
    /// An encoded commitment, found canonical when the leaf was read.
    Sealed([u8; 32]),
    Clear(Box<ClearRow>),
}

/// What the leaves of one month and event type share.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct LeafClass {
    period: Month,
    event: String,
    /// The schema of its row; none for a leaf that added nothing.
    schema: Option<Digest>,
}

#[derive(Debug)]
struct Enrolment {
    key: VerifierKey,
    roles: BTreeSet<Role>,
    from: u64,
    until: Option<u64>,
}

#[derive(Debug, Default)]
struct ClearHistory {
    facts: Vec<Fact>,
    /// What was taken back, and in which month.
    voided: BTreeMap<u64, Month>,
    moves: BTreeMap<u64, (Month, Moves)>,
}

/// One unit's log as a verifier has read it.
#[derive(Debug)]
pub struct UnitLog {
    unit: UnitId,
    keys: Unit,
    ids: HashSet<EventId>,
    first_day: NaiveDate,
    catalogues: Vec<Arc<CompiledCatalogue>>,
    tree: Tree,
    leaves: Vec<Leaf>,
    classes: Vec<LeafClass>,
    class_index: BTreeMap<LeafClass, u32>,
    months: BTreeMap<Month, MonthSums>,
    operators: BTreeMap<String, Vec<Enrolment>>,
    clear: BTreeMap<(Subject, String), ClearHistory>,
    findings: BTreeMap<Check, LeafFinding>,
    /// What the last leaf took back because the next one replaces it.
    corrected: Option<Ref>,
    empty: MonthSums,
}

impl UnitLog {
    /// An empty log of a unit of the registry.
    pub fn new(unit: &Unit, catalogues: Vec<Arc<CompiledCatalogue>>) -> UnitLog {
        UnitLog {
            unit: unit.id.clone(),
            keys: unit.clone(),
            ids: HashSet::new(),
            first_day: unit.since.first_day(),
            catalogues,
            tree: Tree::new(),
            leaves: Vec::new(),
            classes: Vec::new(),
            class_index: BTreeMap::new(),
            months: BTreeMap::new(),
            operators: BTreeMap::new(),
            clear: BTreeMap::new(),
            findings: BTreeMap::new(),
            corrected: None,
            empty: MonthSums::default(),
        }
    }

    /// Makes room for a log of this many leaves, so that it need not move while it grows.
    pub fn reserve(&mut self, leaves: usize) {
        let more = leaves.saturating_sub(self.leaves.len());
        self.leaves.reserve(more);
        self.ids.reserve(more);
        self.tree.reserve(leaves);
    }

    /// Learns of catalogues and keys that were published after the log was begun.
    pub fn update_registry(&mut self, unit: &Unit, catalogues: &[Arc<CompiledCatalogue>]) {
        self.catalogues = catalogues.to_vec();
        self.keys.clone_from(unit);
    }

    /// Number of leaves read.
    pub fn len(&self) -> u64 {
        self.tree.len()
    }
    /// Whether nothing was read.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// Root over the first `size` leaves.
    pub fn root_at(&self, size: u64) -> Option<[u8; 32]> {
        self.tree.root_at(size)
    }
    /// The tree, for proofs.
    pub fn tree(&self) -> &Tree {
        &self.tree
    }
    /// What contradicts first of what belongs to this check.
    pub fn finding(&self, check: Check) -> Option<&LeafFinding> {
        self.findings.get(&check)
    }
    /// What contradicts first of the leaves from this index on, of each check that nothing before
    /// them contradicts.
    pub fn finding_from(&self, index: u64) -> Option<&LeafFinding> {
        let mut first = self.findings.values();
        first.find(|finding| finding.index >= index)
    }
    /// What would contradict in this statement about a person's key if it were the next leaf.
    /// Whoever writes the log asks before it writes: no leaf can be taken out again.
    pub fn contradicts_next(&self, s: &Statement) -> Option<Problem> {
        self.person_key(s).err()
    }
    /// What a month's leaves add up to.
    pub fn month(&self, month: Month) -> &MonthSums {
        self.months.get(&month).unwrap_or(&self.empty)
    }
    /// Every catalogue that is known.
    pub fn catalogues(&self) -> &[Arc<CompiledCatalogue>] {
        &self.catalogues
    }
    /// The compiled catalogue of this digest.
    pub fn compiled(&self, digest: &Digest) -> Option<&CompiledCatalogue> {
        self.catalogues
            .iter()
            .find(|c| c.digest == *digest)
            .map(Arc::as_ref)
    }
    /// The catalogue of this digest.
    pub fn catalogue(&self, digest: &Digest) -> Option<&Catalogue> {
        self.compiled(digest).map(|c| &c.catalogue)
    }
    /// The node keys that may sign over this many leaves, by the registry that the log was last
    /// read with: the newest one known. The version that a rollup names is its author's choice, and
    /// may be from before a revocation.
    pub fn node_keys_over(&self, size: u64) -> Vec<VerifierKey> {
        self.of_nobody(self.keys.keys_over(size), size)
    }
    /// Those of the node's keys that no person was enrolled with when the log had this many leaves.
    /// One secret must not sign as the node and as a person. Whichever the registry and the unit
    /// named first, the past stays: what the node's key signed over a smaller log is not touched.
    pub fn of_nobody(&self, mut keys: Vec<VerifierKey>, size: u64) -> Vec<VerifierKey> {
        let enrolments = self.operators.values().flatten();
        let enrolled: Vec<_> = enrolments.filter(|e| e.from <= size).collect();
        keys.retain(|key| enrolled.iter().all(|e| e.key.public() != key.public()));
        keys
    }
    /// Every key that was ever enrolled in this log.
    pub fn enrolled(&self) -> impl Iterator<Item = &VerifierKey> {
        self.operators.values().flatten().map(|e| &e.key)
    }
    /// The key that `name` held in `role` when the log had this many leaves: enrolled by one of
    /// them and revoked by none.
    pub fn operator_over(&self, name: &str, role: Role, size: u64) -> Option<VerifierKey> {
        let held = self
            .operators
            .get(name)?
            .iter()
            .find(|e| e.from <= size && e.until.is_none_or(|u| size <= u))?;
        held.roles.contains(&role).then(|| held.key.clone())
    }

    /// The key that `name` holds in `role` at this index.
    pub fn operator(&self, name: &str, role: Role, index: u64) -> Option<VerifierKey> {
        let held = self
            .operators
            .get(name)?
            .iter()
            .find(|e| e.from <= index && e.until.is_none_or(|u| index < u))?;
        held.roles.contains(&role).then(|| held.key.clone())
    }
    /// The first leaf below `size` that stands behind the end of its month: at or above the size
    /// given for the month.
    pub fn first_behind(&self, sealed: &BTreeMap<Month, u64>, size: u64) -> Option<(u64, Month)> {
        // Nothing below the end of every month can be behind one.
        let from = sealed.values().copied().min().unwrap_or(size);
        let leaves = self
            .leaves
            .iter()
            .enumerate()
            .map(|(i, leaf)| (i as u64, leaf));
        let range = leaves
            .skip(usize::try_from(from).unwrap_or(usize::MAX))
            .take_while(|(i, _)| *i < size);
        range
            .filter_map(|(i, leaf)| Some((i, self.class_of(leaf)?.period)))
            .find(|(i, month)| sealed.get(month).is_some_and(|end| i >= end))
    }

    /// The first leaf below `size` that counts in none of these months.
    pub fn first_outside(&self, months: &RangeInclusive<Month>, size: u64) -> Option<(u64, Month)> {
        // Few classes, many leaves: nearly always there is none to look for.
        if self.classes.iter().all(|c| months.contains(&c.period)) {
            return None;
        }
        let leaves = (0..size)
            .zip(&self.leaves)
            .filter_map(|(i, leaf)| Some((i, self.class_of(leaf)?.period)));
        leaves
            .into_iter()
            .find(|(_, month)| !months.contains(month))
    }

    /// Indexes of the leaves that count in a month, in order.
    pub fn of_month(&self, month: Month) -> impl Iterator<Item = u64> {
        (0..)
            .zip(&self.leaves)
            .filter(move |(_, leaf)| self.class_of(leaf).is_some_and(|c| c.period == month))
            .map(|(i, _)| i)
    }

    fn class_of(&self, leaf: &Leaf) -> Option<&LeafClass> {
        self.classes.get(usize::try_from(leaf.class?).ok()?)
    }

    /// The index of the class of a statement, new or known.
    fn intern(&mut self, s: &Statement, schema: Option<Digest>) -> u32 {
        // A file brings one type of event: mostly it is the class of the leaf before.
        let before = self.leaves.last().and_then(|leaf| leaf.class);
        let same = |class: &LeafClass| {
            (class.period, &class.event, class.schema) == (s.period, &s.event, schema)
        };
        if let Some(at) = before
            && self.classes.get(at as usize).is_some_and(same)
        {
            return at;
        }
        let class = LeafClass {
            period: s.period,
            event: s.event.clone(),
            schema,
        };
        if let Some(at) = self.class_index.get(&class) {
            return *at;
        }
        // One for each event type and month: far below 2^32.
        let at = u32::try_from(self.classes.len()).unwrap_or(u32::MAX);
        self.classes.push(class.clone());
        self.class_index.insert(class, at);
        at
    }

    /// Reads the next leaves: the bytes of the statements' notes, signature lines included.
    pub fn read<B: AsRef<[u8]>>(&mut self, entries: &[B], unit: &Unit) {
        self.keys.clone_from(unit);
        for chunk in entries.chunks(BATCH) {
            let start = self.len();
            let mut signed: Vec<(u64, Note, VerifierKey)> = Vec::with_capacity(chunk.len());
            for entry in chunk {
                let index = self.len();
                self.tree.push(tree::leaf_hash(entry.as_ref()));
                let leaf = match self.statement(index, entry.as_ref(), unit) {
                    Ok((note, key, statement)) => {
                        signed.push((index, note, key));
                        self.take(index, Ok(&statement))
                    }
                    Err(problem) => self.take(index, Err(problem)),
                };
                self.leaves.push(leaf);
            }
            let items: Vec<(&Note, &VerifierKey)> = signed.iter().map(|(_, n, k)| (n, k)).collect();
            if let Err(bad) = verify_batch(&items) {
                for n in bad {
                    let index = signed.get(n).map_or(start, |s| s.0);
                    self.record(index, Problem::Signature);
                }
            }
        }
    }

    /// Takes a leaf that this process signed itself a moment ago or keeps in its own journal:
    /// everything but the signature is checked again.
    pub fn read_own(&mut self, note: &Note, statement: &Statement, unit: &Unit) {
        if self.keys != *unit {
            self.keys.clone_from(unit);
        }
        let index = self.len();
        self.tree.push(tree::leaf_hash(note.as_bytes()));
        let signer = self.signer(index, note, statement, unit);
        let leaf = self.take(index, signer.map(|_| statement));
        self.leaves.push(leaf);
    }

    /// Counts a statement, or records why it cannot be one.
    fn take(&mut self, index: u64, statement: Result<&Statement, Problem>) -> Leaf {
        let mut leaf = Leaf {
            id: None,
            class: None,
            added: Added::Nothing,
            voided: false,
        };
        let corrected = self.corrected.take();
        let s = match statement {
            Ok(s) => s,
            Err(problem) => {
                self.record(index, problem);
                return leaf;
            }
        };
        leaf.id = Some(s.id);
        if !self.ids.insert(s.id) {
            self.record(index, Problem::IdUsed);
        }
        let mut schema = None;
        let replaces = self.replaces(s, corrected.as_ref());
        match replaces.and_then(|()| self.apply(index, s)) {
            Ok(Some((added, digest))) => {
                leaf.added = added;
                schema = Some(digest);
            }
            Ok(None) if s.event == CORRECTED => self.corrected = s.voids().cloned(),
            Ok(None) => {}
            Err(problem) => self.record(index, problem),
        }
        leaf.class = Some(self.intern(s, schema));
        leaf
    }

    /// Remembers what contradicts if it is the first one of its check.
    fn record(&mut self, index: u64, problem: Problem) {
        self.findings
            .entry(problem.check())
            .or_insert(LeafFinding { index, problem });
    }

    /// Parses a leaf and finds the key that must have signed it.
    fn statement(
        &self,
        index: u64,
        entry: &[u8],
        unit: &Unit,
    ) -> Result<(Note, VerifierKey, Statement), Problem> {
        let note = Note::parse(entry).map_err(|e| Problem::Unreadable(e.to_string()))?;
        let statement =
            Statement::parse(note.text()).map_err(|e| Problem::Unreadable(e.to_string()))?;
        let key = self.signer(index, &note, &statement, unit)?;
        Ok((note, key, statement))
    }

    /// SPEC 4, reading a log, step 1: the key that must have signed a statement at this index.
    fn signer(
        &self,
        index: u64,
        note: &Note,
        statement: &Statement,
        unit: &Unit,
    ) -> Result<VerifierKey, Problem> {
        if statement.unit != self.unit {
            return Err(Problem::OtherUnit(statement.unit.clone()));
        }
        let [line] = note.signatures() else {
            return Err(Problem::NotOneLine);
        };
        let by_node = line.name() == self.unit.as_str();
        let mut held = if by_node {
            self.of_nobody(unit.keys_at(index), index)
        } else {
            let key = self.operator(line.name(), Role::Recorder, index);
            key.into_iter().collect()
        };
        held.retain(|key| key.id() == line.key_id());
        let key = held
            .into_iter()
            .next()
            .ok_or_else(|| Problem::NoKey(line.name().to_string()))?;
        if statement.is_operator() && !by_node {
            return Err(Problem::EnrolledByOthers);
        }
        Ok(key)
    }

    /// SPEC 4, reading a log, step 3: what a statement replaces is what the leaf before it took back
    /// for it. Otherwise a unit could call anything a correction.
    fn replaces(&self, s: &Statement, corrected: Option<&Ref>) -> Result<(), Problem> {
        let Some(replaced) = &s.replaces else {
            return Ok(());
        };
        let target = usize::try_from(replaced.index).ok();
        let leaf = target.and_then(|n| self.leaves.get(n));
        let class = leaf.and_then(|leaf| self.class_of(leaf));
        let same_type = class.is_some_and(|class| class.event == s.event);
        if corrected != Some(replaced) || !same_type {
            return Err(Problem::ReplacesOther);
        }
        Ok(())
    }

    /// Counts a statement: what it added, and by which schema; nothing for a void or an enrolment.
    fn apply(&mut self, index: u64, s: &Statement) -> Result<Option<(Added, Digest)>, Problem> {
        if s.is_operator() {
            return self.enrol(index, s).map(|()| None);
        }
        let compiled = self.catalogue_of_month(index, s)?;
        if let Body::Void { target, .. } = &s.body {
            return self.void(s, target, &compiled).map(|()| None);
        }
        let unknown = || Problem::UnknownEvent(s.event.clone());
        let event = compiled.catalogue.event(&s.event).ok_or_else(unknown)?;
        let schema = compiled.generators.schema(&s.event).ok_or_else(unknown)?;
        if !event.system && !event.levels.contains(&self.keys.tier) {
            return Err(Problem::OtherTier {
                event: s.event.clone(),
                tier: self.keys.tier,
            });
        }
        let added = match &s.body {
            Body::Clear { fields, counts } if event.is_clear() => {
                self.count_clear(index, s, fields, counts, &compiled)?
            }
            Body::Sealed { row, .. } if !event.is_clear() => self.count_sealed(s, row),
            _ => return Err(Problem::WrongForm(s.event.clone())),
        };
        Ok(Some((added, *schema.digest())))
    }

    /// SPEC 4, reading a log, steps 3 and 4: the catalogue is known and the same for all leaves of
    /// the month; `late` is before the month.
    fn catalogue_of_month(
        &mut self,
        index: u64,
        s: &Statement,
    ) -> Result<Arc<CompiledCatalogue>, Problem> {
        let compiled = self
            .catalogues
            .iter()
            .find(|c| c.digest == s.catalogue)
            .cloned()
            .ok_or(Problem::UnknownCatalogue(s.catalogue))?;
        let month = self.months.entry(s.period).or_default();
        month.first.get_or_insert(index);
        if month.catalogue.is_some_and(|c| c != s.catalogue) {
            return Err(Problem::OtherCatalogue);
        }
        month.catalogue = Some(s.catalogue);
        if let Some(late) = s.late {
            if late >= s.period {
                return Err(Problem::NotLate {
                    late,
                    month: s.period,
                });
            }
            *month.late.entry(late).or_default() += 1;
        }
        Ok(compiled)
    }

    /// SPEC 4, reading a log, step 6: a sealed leaf adds its commitment.
    fn count_sealed(&mut self, s: &Statement, row: &Commitment) -> Added {
        let month = self.months.entry(s.period).or_default();
        month.commitments += row.point();
        match month.sealed.get_mut(&s.event) {
            Some(net) => *net += 1,
            None => {
                month.sealed.insert(s.event.clone(), 1);
            }
        }
        Added::Sealed(*row.as_bytes())
    }

    /// SPEC 4, reading a log, step 6: a clear leaf adds the row that follows from its fields, which
    /// must be the one that it publishes.
    fn count_clear(
        &mut self,
        index: u64,
        s: &Statement,
        clear: &Fields,
        counts: &BTreeMap<String, i64>,
        compiled: &CompiledCatalogue,
    ) -> Result<Added, Problem> {
        let unknown = || Problem::UnknownEvent(s.event.clone());
        let schema = compiled.generators.schema(&s.event).ok_or_else(unknown)?;
        let event = compiled.catalogue.event(&s.event).ok_or_else(unknown)?;
        if let Some(field) = above_maximum(event, clear) {
            return Err(Problem::AboveMaximum(field.name.clone()));
        }
        let (subject, key, moves) = self.recompute(index, s, clear, compiled)?;
        let row = schema
            .row(&moves, false)
            .map_err(|e| Problem::Counting(e.to_string()))?;
        if schema.named(&row) != *counts {
            return Err(Problem::Counts(s.event.clone()));
        }
        let month = self.months.entry(s.period).or_default();
        let sums = month.clear.entry(s.event.clone()).or_default();
        sums.add(schema.columns(), &row, 1);
        month.clear_leaves += 1;
        Ok(Added::Clear(Box::new(ClearRow { subject, key, row })))
    }

    /// Recomputes a clear row from the published fields and everything published before.
    fn recompute(
        &mut self,
        index: u64,
        s: &Statement,
        clear: &Fields,
        compiled: &CompiledCatalogue,
    ) -> Result<(Subject, String, Moves), Problem> {
        let event = compiled
            .catalogue
            .event(&s.event)
            .ok_or_else(|| Problem::UnknownEvent(s.event.clone()))?;
        let on = clear
            .get("occurred_on")
            .and_then(Value::as_str)
            .and_then(|d| d.parse::<NaiveDate>().ok())
            .ok_or(Problem::NoDay)?;
        self.day_of_month(s, on)?;
        let fact = Fact {
            index,
            event: s.event.clone(),
            on,
            fields: clear.clone(),
        };
        let key = state::subject_key(event, clear).unwrap_or_default();
        let has_key = event.subject != Subject::Unit && !event.effect.baseline;
        let history = self.clear.entry((event.subject, key.clone())).or_default();
        if history.facts.len().max(history.moves.len()) >= MAX_HISTORY {
            return Err(Problem::TooManyAboutOne(MAX_HISTORY));
        }
        let facts = history.facts_until(s.period);
        let balance = history.balance(s.period, compiled);
        let voided = history.voided_until(s.period);
        let view = History {
            facts: if has_key { &facts } else { &[] },
            voided: &voided,
            balance: &balance,
        };
        let engine = &compiled.engine;
        let moves = if event.system {
            engine.recount(event, view, s.period, self.first_day, true)
        } else {
            engine.contribute(event, view, &fact, s.period, self.first_day)
        };
        let moves = moves.map_err(|e| Problem::Counting(e.to_string()))?;
        if has_key {
            if !event.system {
                history.facts.push(fact);
            }
            history.moves.insert(index, (s.period, moves.clone()));
        }
        Ok((event.subject, key, moves))
    }

    /// SPEC 4, reading a log, step 6: the day of a clear leaf is not after its month, and `late` is
    /// the month of a day before it. Days before the unit's first month are opening entries.
    fn day_of_month(&self, s: &Statement, on: NaiveDate) -> Result<(), Problem> {
        if on > s.period.last_day() {
            return Err(Problem::AfterMonth(s.period));
        }
        let is_late = on >= self.first_day && on < s.period.first_day();
        let month = if is_late { Month::of(on) } else { None };
        if s.late != month {
            return Err(Problem::LateMonth);
        }
        Ok(())
    }

    /// SPEC 4, reading a log, step 5: takes a statement back, exactly minus what it added, once.
    fn void(
        &mut self,
        s: &Statement,
        target: &Ref,
        compiled: &CompiledCatalogue,
    ) -> Result<(), Problem> {
        let index = target.index;
        let n = usize::try_from(index).map_err(|_| Problem::NoLeaf)?;
        let leaf = self.leaves.get(n).ok_or(Problem::NotBefore)?;
        if leaf.id != Some(target.id) {
            return Err(Problem::OtherId {
                id: target.id,
                target: index,
            });
        }
        if leaf.voided {
            return Err(Problem::VoidedTwice(index));
        }
        let class = self.class_of(leaf).ok_or(Problem::VoidOfNothing(index))?;
        let digest = class.schema.ok_or(Problem::NotCounted(index))?;
        // Otherwise an earlier month would count less by what no month before it ever counted.
        if s.period < class.period {
            return Err(Problem::VoidBefore {
                target: index,
                counted: class.period,
                month: s.period,
            });
        }
        // A row is taken back by the schema that it was counted by, which may be an earlier one.
        let mut schemas = self.catalogues.iter();
        let schema = schemas.find_map(|c| {
            let schema = c.generators.schema(&class.event);
            schema.filter(|schema| *schema.digest() == digest)
        });
        let schema = schema.ok_or(Problem::NotCounted(index))?;
        let (name, columns) = (compiled.sum_name(schema), schema.columns());
        let month = self.months.entry(s.period).or_default();
        match &leaf.added {
            Added::Sealed(encoded) => {
                let commitment = Commitment::from_bytes(encoded)
                    .map_err(|e| Problem::Unreadable(e.to_string()))?;
                month.commitments -= commitment.point();
                *month.sealed.entry(name).or_default() -= 1;
            }
            Added::Clear(clear) => {
                let sums = month.clear.entry(name).or_default();
                sums.add(columns, &clear.row, -1);
                if let Some(history) = self.clear.get_mut(&(clear.subject, clear.key.clone())) {
                    history.voided.insert(index, s.period);
                }
            }
            Added::Nothing => return Err(Problem::NotCounted(index)),
        }
        month.voided += 1;
        if let Some(leaf) = self.leaves.get_mut(n) {
            leaf.voided = true;
        }
        Ok(())
    }

    /// SPEC 4, reading a log, step 2: enrols or revokes the key of a person.
    fn enrol(&mut self, index: u64, s: &Statement) -> Result<(), Problem> {
        let (key, roles) = self.person_key(s)?;
        let held = self.operators.entry(key.name().to_string()).or_default();
        match roles {
            Some(roles) => held.push(Enrolment {
                key,
                roles,
                from: index + 1,
                until: None,
            }),
            None => {
                let mut standing = held.iter_mut().filter(|e| e.until.is_none());
                if let Some(e) = standing.find(|e| e.key == key) {
                    e.until = Some(index);
                }
            }
        }
        Ok(())
    }

    /// The key that a statement enrols, with its roles, or revokes, without any.
    fn person_key(&self, s: &Statement) -> Result<(VerifierKey, Option<BTreeSet<Role>>), Problem> {
        let text = |name: &str| {
            let fields = s.fields();
            let value = fields.and_then(|fields| fields.get(name));
            value.and_then(Value::as_str).unwrap_or_default()
        };
        let key: VerifierKey = text("vkey")
            .parse()
            .map_err(|e: NoteError| Problem::EnrolmentKey(e.to_string()))?;
        let name = key.name().to_string();
        if !is_operator_of(&name, &self.unit) {
            return Err(Problem::NotOfThisUnit(name));
        }
        if key.alg() != Alg::Ed25519 {
            return Err(Problem::NotForSigning(name));
        }
        let shared = |k: &VerifierKey| k.public() == key.public() && k.name() != name;
        if self.enrolled().any(shared) {
            return Err(Problem::SharedKey(name));
        }
        let alike = |k: &VerifierKey| *k != key && k.name() == name && k.id() == key.id();
        if self.enrolled().any(alike) {
            return Err(Problem::KeyId(name));
        }
        let held = self.operators.get(&name).into_iter().flatten();
        let mut standing = held.filter(|e| e.until.is_none());
        if s.event != OPERATOR_ENROLLED {
            let is_held = standing.any(|e| e.key == key);
            return is_held.then_some((key, None)).ok_or(Problem::NotHeld(name));
        }
        if standing.next().is_some() {
            return Err(Problem::EnrolledAlready(name));
        }
        let roles: Option<BTreeSet<Role>> = text("roles").split(',').map(Role::parse).collect();
        let roles = roles
            .filter(|r| !r.is_empty())
            .ok_or(Problem::UnknownRoles)?;
        Ok((key, Some(roles)))
    }
}

impl ClearHistory {
    /// The facts as they stood in a month. A month that was opened again is counted as it stood:
    /// what was recorded in later months is not there yet.
    fn facts_until(&self, period: Month) -> Cow<'_, [Fact]> {
        let recorded = |fact: &Fact| {
            let moves = self.moves.get(&fact.index);
            moves.is_some_and(|(month, _)| *month <= period)
        };
        if self.facts.iter().all(recorded) {
            return Cow::Borrowed(&self.facts);
        }
        let kept = self.facts.iter().filter(|fact| recorded(fact));
        Cow::Owned(kept.cloned().collect())
    }

    /// What was taken back in a month or before. A void of a later month takes nothing from a
    /// month that is opened again: that month's own recount would have to bring it home twice.
    fn voided_until(&self, period: Month) -> BTreeSet<u64> {
        let voided = self.voided.iter().filter(|(_, month)| **month <= period);
        voided.map(|(index, _)| *index).collect()
    }

    /// What the log says of the subject in a month: the moves that still bind then.
    fn balance(&self, period: Month, compiled: &CompiledCatalogue) -> Balance {
        let mut balance = Balance::default();
        let stands = |index: &u64| self.voided.get(index).is_none_or(|month| *month > period);
        let recorded = self.moves.iter().filter(|(index, _)| stands(index));
        let recorded = recorded.map(|(_, moves)| moves);
        for (month, moves) in recorded.filter(|(month, _)| *month <= period) {
            let binds = |figure: &str| compiled.engine.still_binds(figure, *month, period);
            let bound: Moves = moves.iter().filter(|m| binds(&m.figure)).cloned().collect();
            balance.add(&bound, 1);
        }
        balance
    }
}
