//! One rollup before a verifier.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use protocol::chain;
use protocol::digest::Digest;
use protocol::ids::UnitId;
use protocol::log::checkpoint::{Checkpoint, origin_of};
use protocol::note::{Note, SigningKey};
use protocol::registry::VerifiedRegistry;
use protocol::rollup::Rollup;
use protocol::rollup::{HeldRollup, Rollups};
use protocol::statement::Statement;
use protocol::text::hex;
use protocol::verdict::{Outcome, Standing, Verdict};
use protocol::verify::log::UnitLog;
use protocol::verify::{self, Context, NamedRollup};

use crate::{Desk, World, tree_of, unit};

/// One rollup before a verifier, with everything around it. Tests change one thing and look at the
/// verdict.
pub struct Case<'w> {
    pub world: &'w World,
    pub id: UnitId,
    pub rollup: Rollup,
    pub held: Option<Arc<HeldRollup>>,
    pub entries: Vec<Vec<u8>>,
    pub known: Rollups,
    pub children: BTreeMap<Digest, Arc<HeldRollup>>,
    /// What the reader found of those that do not hold.
    pub standings: BTreeMap<Digest, Standing>,
    /// Known rollups whose binding failed.
    pub unbound: BTreeSet<Digest>,
    pub checkpoint: Option<Note>,
    pub witnessed: Option<(u64, [u8; 32])>,
    pub received: Option<&'static str>,
    /// What the rollup names.
    pub registry: VerifiedRegistry,
    /// What the reader knows as newest.
    pub newest: VerifiedRegistry,
}

impl<'w> Case<'w> {
    pub fn of(world: &'w World, id: &str, period: &str) -> Case<'w> {
        let desk = world.desk(id);
        let held = world.held(id, period);
        let children = world
            .units
            .values()
            .flat_map(|d| d.held.values())
            .map(|h| (h.digest(), h.clone()))
            .collect();
        let size = held.rollup.log.size;
        let known = chain::before(&held.rollup, &desk.held);
        Case {
            world,
            id: unit(id),
            rollup: held.rollup.clone(),
            held: None,
            entries: desk.entries[..size as usize].to_vec(),
            witnessed: chain::newest(&known, |_| true)
                .map(|h| (h.rollup.log.size, h.rollup.log.root_bytes().unwrap())),
            known,
            children,
            standings: BTreeMap::new(),
            unbound: BTreeSet::new(),
            checkpoint: Some(desk.checkpoints[&size].clone()),
            received: Some("2026-02-01T00:00:00Z"),
            registry: world.registry.clone(),
            newest: world.registry.clone(),
        }
    }

    pub fn desk(&self) -> &'w Desk {
        self.world.desk(self.id.as_str())
    }

    /// The unit signed this one before: it is known, and the rollup follows it.
    pub fn follow(&mut self, held: Arc<HeldRollup>) {
        self.rollup.after = Some(held.named());
        self.known.insert(held.key(), held);
    }

    pub fn figure(&mut self, id: &str) -> &mut protocol::figure::Figure {
        self.rollup.figures.iter_mut().find(|f| f.id == id).unwrap()
    }

    /// The unit signs whatever its log is now: the root, the size and the checkpoint follow the
    /// entries.
    pub fn reseal(&mut self) {
        let tree = tree_of(&self.entries);
        self.rollup.log.size = tree.len();
        self.rollup.log.root = hex::encode(&tree.root());
        self.checkpoint = Some(
            Checkpoint::new(&origin_of(&self.id), tree.len(), tree.root())
                .unwrap()
                .sign(&self.desk().node)
                .unwrap(),
        );
    }

    /// Appends a statement and reseals.
    pub fn append(&mut self, statement: &Statement, signer: &SigningKey) {
        self.entries.push(
            Note::sign(&statement.to_text().unwrap(), &[signer])
                .unwrap()
                .as_bytes()
                .to_vec(),
        );
        self.reseal();
    }

    pub fn verdicts(&self) -> Vec<Verdict> {
        let held = self
            .held
            .clone()
            .unwrap_or_else(|| self.desk().sign(&self.rollup));
        let unit = self.newest.registry().unit(&self.id).unwrap();
        let mut log = UnitLog::new(unit, self.world.catalogues());
        log.read(&self.entries, unit);
        let child = |d: &Digest| {
            let standing = self.standings.get(d).copied();
            Some(NamedRollup {
                held: self.children.get(d)?.clone(),
                standing: standing.unwrap_or(Standing::Holds),
            })
        };
        verify::check(
            &held,
            &Context {
                registry: &self.registry,
                log: &log,
                known: &self.known,
                unbound: &self.unbound,
                child: &child,
                checkpoint: self.checkpoint.as_ref(),
                witnessed: self.witnessed,
                received: self.received.map(|t| t.parse().unwrap()),
                due: Some("2026-02-05".parse().unwrap()),
            },
        )
    }

    #[track_caller]
    pub fn holds(&self) {
        for v in self.verdicts() {
            assert_eq!(v.outcome, Outcome::Holds, "{v:?}");
        }
    }

    /// This check fails, and says this.
    #[track_caller]
    pub fn fails(&self, check: &str, part: &str) {
        let verdicts = self.verdicts();
        let v = verdicts.iter().find(|v| v.check.as_str() == check).unwrap();
        assert!(
            v.failed() && v.detail.contains(part),
            "{check} should fail with {part:?}; got {verdicts:#?}"
        );
    }

    /// This check fails and says this, and every other one holds.
    #[track_caller]
    pub fn fails_alone(&self, check: &str, part: &str) {
        self.fails(check, part);
        let others: Vec<_> = self
            .verdicts()
            .into_iter()
            .filter(|v| v.check.as_str() != check && v.failed())
            .collect();
        assert!(
            others.is_empty(),
            "only {check} should fail; got {others:#?}"
        );
    }
}
