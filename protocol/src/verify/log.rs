//! Reading a unit's log: leaf by leaf, in order, keeping what the checks need and nothing else.
//!
//! For each leaf: (1) it is a signed note with a statement of this unit; (2) it is signed by the
//! node's key or by an operator's key that was valid at its index; (3) a void names an earlier
//! statement of this log that is counted and not yet void; (4) a clear row is recomputed from the
//! published fields, a sealed one is a canonical commitment. What contradicts is kept as the *first
//! fault* of the check that it belongs to; reading goes on, so that history stays whole.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::ops::RangeInclusive;
use std::sync::Arc;

use chrono::NaiveDate;

use super::month::MonthSums;
use crate::catalogue::{Catalogue, Subject};
use crate::commitment::Commitment;
use crate::compiled::CompiledCatalogue;
use crate::count::engine::History;
use crate::count::{Balance, Fact, Fields, Moves, Value, state};
use crate::digest::Digest;
use crate::ids::{EventId, UnitId};
use crate::log::tree::{self, Tree};
use crate::note::{Alg, Note, VerifierKey, verify_batch};
use crate::period::Month;
use crate::person::{Role, is_operator_of};
use crate::registry::Unit;
use crate::row;
use crate::statement::{OPERATOR_ENROLLED, OPERATOR_REVOKED, Statement};

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
/// and what leaves share stands in [`Sort`].
#[derive(Debug)]
struct Leaf {
    id: Option<EventId>,
    /// Place of its [`Sort`]; none where it could not be read.
    sort: Option<u32>,
    added: Added,
    voided: bool,
}

/// What a leaf added to its month.
#[derive(Debug)]
enum Added {
    /// Nothing: a void, an enrolment, a leaf at fault.
    Nothing,
    /// An encoded commitment, found canonical when the leaf was read.
    Sealed([u8; 32]),
    Clear(Box<ClearRow>),
}

/// What the leaves of one month and event type share.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Sort {
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
    voided: BTreeSet<u64>,
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
    sorts: Vec<Sort>,
    places: BTreeMap<Sort, u32>,
    months: BTreeMap<Month, MonthSums>,
    operators: BTreeMap<String, Vec<Enrolment>>,
    clear: BTreeMap<(Subject, String), ClearHistory>,
    faults: BTreeMap<&'static str, String>,
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
            sorts: Vec::new(),
            places: BTreeMap::new(),
            months: BTreeMap::new(),
            operators: BTreeMap::new(),
            clear: BTreeMap::new(),
            faults: BTreeMap::new(),
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
    pub fn know(&mut self, unit: &Unit, catalogues: &[Arc<CompiledCatalogue>]) {
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
    /// The first fault that belongs to this check.
    pub fn fault(&self, check: &str) -> Option<&str> {
        self.faults.get(check).map(String::as_str)
    }
    /// What a month's leaves add up to.
    pub fn month(&self, month: Month) -> &MonthSums {
        self.months.get(&month).unwrap_or(&self.empty)
    }
    /// The compiled catalogue of this digest.
    pub fn counting(&self, digest: &Digest) -> Option<&CompiledCatalogue> {
        self.catalogues
            .iter()
            .find(|c| c.digest == *digest)
            .map(Arc::as_ref)
    }
    /// The catalogue of this digest.
    pub fn catalogue(&self, digest: &Digest) -> Option<&Catalogue> {
        self.counting(digest).map(|c| &c.catalogue)
    }
    /// The node keys that may sign over this many leaves, by the registry that the log was last
    /// read with: the newest one known. The version that a rollup names is its author's choice, and
    /// may be from before a revocation.
    pub fn node_keys_over(&self, size: u64) -> Vec<VerifierKey> {
        self.keys.keys_over(size)
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
            .filter_map(|(i, leaf)| Some((i, self.sort(leaf)?.period)))
            .find(|(i, month)| sealed.get(month).is_some_and(|end| i >= end))
    }

    /// The first leaf below `size` that counts in none of these months.
    pub fn first_outside(&self, months: &RangeInclusive<Month>, size: u64) -> Option<(u64, Month)> {
        // Few sorts, many leaves: nearly always there is none to look for.
        if self.sorts.iter().all(|s| months.contains(&s.period)) {
            return None;
        }
        let leaves = (0..size)
            .zip(&self.leaves)
            .filter_map(|(i, leaf)| Some((i, self.sort(leaf)?.period)));
        leaves
            .into_iter()
            .find(|(_, month)| !months.contains(month))
    }

    /// Indexes of the leaves that count in a month, in order.
    pub fn of_month(&self, month: Month) -> impl Iterator<Item = u64> {
        (0..)
            .zip(&self.leaves)
            .filter(move |(_, leaf)| self.sort(leaf).is_some_and(|s| s.period == month))
            .map(|(i, _)| i)
    }

    fn sort(&self, leaf: &Leaf) -> Option<&Sort> {
        self.sorts.get(usize::try_from(leaf.sort?).ok()?)
    }

    /// The place of a sort, new or known.
    fn place(&mut self, sort: Sort) -> u32 {
        if let Some(place) = self.places.get(&sort) {
            return *place;
        }
        // One for each event type and month: far below 2^32.
        let place = u32::try_from(self.sorts.len()).unwrap_or(u32::MAX);
        self.sorts.push(sort.clone());
        self.places.insert(sort, place);
        place
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
                    Err(message) => self.take(index, Err(message)),
                };
                self.leaves.push(leaf);
            }
            let items: Vec<(&Note, &VerifierKey)> = signed.iter().map(|(_, n, k)| (n, k)).collect();
            if let Err(bad) = verify_batch(&items) {
                for n in bad {
                    let index = signed.get(n).map_or(start, |s| s.0);
                    self.keep("authorship", index, "its signature is wrong");
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

    /// Counts a statement, or keeps why it cannot be one.
    fn take(&mut self, index: u64, statement: Result<&Statement, String>) -> Leaf {
        let mut leaf = Leaf {
            id: None,
            sort: None,
            added: Added::Nothing,
            voided: false,
        };
        let s = match statement {
            Ok(s) => s,
            Err(message) => {
                self.keep("authorship", index, &message);
                return leaf;
            }
        };
        leaf.id = Some(s.id);
        if !self.ids.insert(s.id) {
            self.keep("history", index, "its id was used before");
        }
        let schema = match self.apply(index, s) {
            Ok((added, schema)) => {
                leaf.added = added;
                schema
            }
            Err((check, message)) => {
                self.keep(check, index, &message);
                None
            }
        };
        // A file brings one type of event: mostly it is the sort of the leaf before.
        let before = self.leaves.last().and_then(|l| l.sort);
        let same =
            |sort: &Sort| (sort.period, &sort.event, sort.schema) == (s.period, &s.event, schema);
        leaf.sort = match before.filter(|at| self.sorts.get(*at as usize).is_some_and(same)) {
            Some(at) => Some(at),
            None => Some(self.place(Sort {
                period: s.period,
                event: s.event.clone(),
                schema,
            })),
        };
        leaf
    }

    fn keep(&mut self, check: &'static str, index: u64, message: &str) {
        self.faults
            .entry(check)
            .or_insert_with(|| format!("leaf {index}: {message}"));
    }

    /// Parses a leaf and finds the key that must have signed it.
    fn statement(
        &self,
        index: u64,
        entry: &[u8],
        unit: &Unit,
    ) -> Result<(Note, VerifierKey, Statement), String> {
        let note = Note::parse(entry).map_err(|e| e.to_string())?;
        let statement = Statement::parse(note.text()).map_err(|e| e.to_string())?;
        let key = self.signer(index, &note, &statement, unit)?;
        Ok((note, key, statement))
    }

    /// The key that must have signed a statement at this index.
    fn signer(
        &self,
        index: u64,
        note: &Note,
        statement: &Statement,
        unit: &Unit,
    ) -> Result<VerifierKey, String> {
        if statement.unit != self.unit {
            return Err(format!("a statement of unit {}", statement.unit));
        }
        let [line] = note.signatures() else {
            return Err("a statement has exactly one signature".to_string());
        };
        let key = if line.name() == self.unit.as_str() {
            unit.keys_at(index)
                .into_iter()
                .find(|k| k.id() == line.key_id())
        } else {
            self.operator(line.name(), Role::Recorder, index)
                .filter(|k| k.id() == line.key_id())
        };
        let key = key.ok_or_else(|| {
            format!(
                "signed by {}, which holds no key for it at this index",
                line.name()
            )
        })?;
        if statement.is_operator() && line.name() != self.unit.as_str() {
            return Err("people are enrolled by the node's key".to_string());
        }
        Ok(key)
    }

    /// Counts a statement: what it added, and by which schema.
    fn apply(
        &mut self,
        index: u64,
        s: &Statement,
    ) -> Result<(Added, Option<Digest>), (&'static str, String)> {
        if s.is_operator() {
            return self
                .enrol(index, s)
                .map(|()| (Added::Nothing, None))
                .map_err(|m| ("authorship", m));
        }
        let binding = |m: String| ("binding", m);
        let counting = self
            .catalogues
            .iter()
            .find(|c| c.digest == s.catalogue)
            .cloned()
            .ok_or_else(|| binding("recorded by a catalogue that is not known here".to_string()))?;
        let month = self.months.entry(s.period).or_default();
        month.first.get_or_insert(index);
        if month.catalogue.is_some_and(|c| c != s.catalogue) {
            return Err(binding(
                "recorded by another catalogue than the leaves of its month before".to_string(),
            ));
        }
        month.catalogue = Some(s.catalogue);
        if let Some(late) = s.late {
            if late >= s.period {
                return Err((
                    "history",
                    format!(
                        "is called late for {late}, which is not before its month {}",
                        s.period
                    ),
                ));
            }
            *month.late.entry(late).or_default() += 1;
        }
        if let Some(target) = &s.voids {
            return self
                .void(s, &target.id, target.index, &counting)
                .map(|()| (Added::Nothing, None))
                .map_err(|m| ("history", m));
        }
        let event = counting
            .catalogue
            .event(&s.event)
            .ok_or_else(|| binding(format!("unknown event type {:?}", s.event)))?;
        let schema = counting
            .generators
            .schema(&s.event)
            .ok_or_else(|| binding(format!("no schema for {:?}", s.event)))?;
        match (&s.clear, &s.counts, &s.row) {
            (Some(clear), Some(counts), None) if event.is_clear() => {
                let (subject, key, moves) = self
                    .recompute(index, s, clear, &counting)
                    .map_err(binding)?;
                let row = schema
                    .row(&moves, false)
                    .map_err(|e| binding(e.to_string()))?;
                if schema.named(&row) != *counts {
                    return Err(binding(format!(
                        "{}: its counts do not follow from its fields",
                        s.event
                    )));
                }
                let month = self.months.entry(s.period).or_default();
                row::accumulate(
                    month.clear.entry(s.event.clone()).or_default(),
                    schema.columns(),
                    &row,
                    1,
                );
                month.clear_leaves += 1;
                Ok((
                    Added::Clear(Box::new(ClearRow { subject, key, row })),
                    Some(*schema.digest()),
                ))
            }
            (None, None, Some(row)) if !event.is_clear() => {
                let month = self.months.entry(s.period).or_default();
                month.commitments += row.point();
                match month.sealed.get_mut(&s.event) {
                    Some(net) => *net += 1,
                    None => {
                        month.sealed.insert(s.event.clone(), 1);
                    }
                }
                Ok((Added::Sealed(*row.as_bytes()), Some(*schema.digest())))
            }
            _ => Err(binding(format!(
                "{}: published in clear although it is sealed, or the reverse",
                s.event
            ))),
        }
    }

    /// Recomputes a clear row from the published fields and everything published before.
    fn recompute(
        &mut self,
        index: u64,
        s: &Statement,
        clear: &Fields,
        counting: &CompiledCatalogue,
    ) -> Result<(Subject, String, Moves), String> {
        let event = counting
            .catalogue
            .event(&s.event)
            .ok_or("unknown event type")?;
        let on = clear
            .get("occurred_on")
            .and_then(Value::as_str)
            .and_then(|d| d.parse::<NaiveDate>().ok())
            .ok_or("no day of occurrence")?;
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
            return Err(format!(
                "more than {MAX_HISTORY} statements about one subject"
            ));
        }
        let mut balance = Balance::default();
        // A month that was opened again is counted as it stood: what was recorded in later months
        // is not there yet.
        let known = |index: &u64| {
            history
                .moves
                .get(index)
                .is_some_and(|(month, _)| *month <= s.period)
        };
        let mut facts = Cow::Borrowed(&history.facts[..]);
        if !history.facts.iter().all(|f| known(&f.index)) {
            facts.to_mut().retain(|f| known(&f.index));
        }
        for (month, moves) in history
            .moves
            .values()
            .filter(|(month, _)| *month <= s.period)
        {
            let bound: Moves = moves
                .iter()
                .filter(|m| counting.engine.still_binds(&m.figure, *month, s.period))
                .cloned()
                .collect();
            balance.add(&bound, 1);
        }
        let none = BTreeSet::new();
        let view = if has_key {
            History {
                facts: &facts,
                voided: &history.voided,
                balance: &balance,
            }
        } else {
            History {
                facts: &[],
                voided: &none,
                balance: &balance,
            }
        };
        let moves = if event.system {
            counting
                .engine
                .recount(event, view, s.period, self.first_day, true)
                .map_err(|e| e.to_string())?
        } else {
            counting
                .engine
                .contribute(event, view, &fact, s.period, self.first_day)
                .map_err(|e| e.to_string())?
        };
        if has_key {
            if !event.system {
                history.facts.push(fact);
            }
            history.moves.insert(index, (s.period, moves.clone()));
        }
        Ok((event.subject, key, moves))
    }

    /// Takes a statement back: exactly minus what it added, once.
    fn void(
        &mut self,
        s: &Statement,
        id: &EventId,
        target: u64,
        counting: &CompiledCatalogue,
    ) -> Result<(), String> {
        let n = usize::try_from(target).map_err(|_| "names no leaf".to_string())?;
        let leaf = self
            .leaves
            .get(n)
            .ok_or("takes back a statement that is not in the log before it")?;
        if leaf.id.as_ref() != Some(id) {
            return Err(format!("takes back {id}, which is not leaf {target}"));
        }
        if leaf.voided {
            return Err(format!("takes back leaf {target} a second time"));
        }
        let sort = self
            .sort(leaf)
            .ok_or_else(|| format!("takes back leaf {target}, which is no statement"))?;
        let schema = counting.generators.schema(&sort.event);
        if sort.schema.is_some() && sort.schema.as_ref() != schema.map(row::Schema::digest) {
            return Err(format!(
                "takes back leaf {target}, whose row has another schema in this month's catalogue"
            ));
        }
        let event = sort.event.clone();
        match &leaf.added {
            Added::Sealed(encoded) => {
                let commitment = Commitment::from_bytes(encoded).map_err(|e| e.to_string())?;
                let month = self.months.entry(s.period).or_default();
                month.commitments -= commitment.point();
                *month.sealed.entry(event).or_default() -= 1;
            }
            Added::Clear(clear) => {
                let month = self.months.entry(s.period).or_default();
                row::accumulate(
                    month.clear.entry(event).or_default(),
                    schema.map_or(0, row::Schema::columns),
                    &clear.row,
                    -1,
                );
                if let Some(history) = self.clear.get_mut(&(clear.subject, clear.key.clone())) {
                    history.voided.insert(target);
                    history.moves.remove(&target);
                }
            }
            Added::Nothing => {
                return Err(format!(
                    "takes back leaf {target}, which is itself a void or an enrolment"
                ));
            }
        }
        if let Some(leaf) = self.leaves.get_mut(n) {
            leaf.voided = true;
        }
        self.months.entry(s.period).or_default().voided += 1;
        Ok(())
    }

    fn enrol(&mut self, index: u64, s: &Statement) -> Result<(), String> {
        let text = |name: &str| {
            s.clear
                .as_ref()
                .and_then(|c| c.get(name))
                .and_then(Value::as_str)
                .unwrap_or_default()
        };
        let key: VerifierKey = text("vkey")
            .parse()
            .map_err(|e| format!("enrolment: {e}"))?;
        let name = key.name().to_string();
        if !is_operator_of(&name, &self.unit) {
            return Err(format!(
                "enrols {name}, which is not a name of this unit's people"
            ));
        }
        if key.alg() != Alg::Ed25519 {
            return Err(format!("the key of {name} is not for signing"));
        }
        let shared = |k: &VerifierKey| k.public() == key.public() && k.name() != name;
        if self.enrolled().any(shared) || self.keys.keys.iter().any(|k| shared(&k.vkey)) {
            return Err(format!(
                "the key of {name} is already held under another name"
            ));
        }
        let held = self.operators.entry(name.clone()).or_default();
        match s.event.as_str() {
            OPERATOR_ENROLLED => {
                if held.iter().any(|e| e.until.is_none()) {
                    return Err(format!(
                        "{name} is enrolled already; revoke the old key first"
                    ));
                }
                let roles: Option<BTreeSet<Role>> =
                    text("roles").split(',').map(Role::parse).collect();
                let roles = roles
                    .filter(|r| !r.is_empty())
                    .ok_or("enrolment with unknown roles")?;
                held.push(Enrolment {
                    key,
                    roles,
                    from: index + 1,
                    until: None,
                });
            }
            OPERATOR_REVOKED => match held.iter_mut().find(|e| e.key == key && e.until.is_none()) {
                Some(e) => e.until = Some(index),
                None => return Err(format!("revokes a key that {name} does not hold")),
            },
            _ => {}
        }
        Ok(())
    }
}
