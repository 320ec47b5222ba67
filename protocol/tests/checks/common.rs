//! The world that is checked, and what every file here names.

pub use curve25519_dalek::Scalar;
pub use kit::*;
pub use proptest::prelude::*;
pub use protocol::catalogue::Catalogue;
pub use protocol::commitment::{Commitment, Generators, OpenScalar, integer, zero};
pub use protocol::count::Value;
pub use protocol::digest::Digest;
pub use protocol::evidence::disclosure::{self, Disclosure, FORMAT, ShownRow};
pub use protocol::evidence::{file, report};
pub use protocol::ids::Tier;
pub use protocol::log::checkpoint::add_cosignature;
pub use protocol::note::{Alg, Note, SigningKey};
pub use protocol::period::Month;
pub use protocol::receipt::{Decision, Receipt};
pub use protocol::registry::{
    Registry, RegistryError, Revocation, Unit, UnitKey, VerifiedRegistry,
};
pub use protocol::rollup::HeldRollup;
pub use protocol::rollup::{ChildRef, Missing, Rollup};
pub use protocol::statement::{Body, Statement};
pub use protocol::verdict::{Check, Outcome, Verdict};
pub use protocol::verify::log::{MAX_HISTORY, UnitLog};
pub use std::sync::{Arc, LazyLock};

pub static WORLD: LazyLock<World> = LazyLock::new(World::honest);

pub fn case(id: &str, period: &str) -> Case<'static> {
    Case::of(&WORLD, id, period)
}

/// A case in another world of its own, with January closed by county A alone after `change`.
pub fn january(change: impl FnOnce(&mut Desk)) -> World {
    let mut w = World::empty();
    let registry = w.registry.clone();
    let a = w.units.get_mut(&unit(A)).unwrap();
    change(a);
    a.close(JAN, 1, &registry, &[], vec![]);
    w
}

pub fn registered(desk: &mut Desk, n: u32) -> u64 {
    desk.sealed(
        JAN,
        "person.registered",
        &[
            ("id_no", text(&id_no(n))),
            ("occurred_on", text("2026-01-03")),
        ],
    )
}

pub fn hired(desk: &mut Desk, n: u32) -> u64 {
    let fields = [
        ("id_no", text(&id_no(n))),
        ("employer", text("厂")),
        ("wage", Value::Int(5)),
        ("occurred_on", text("2026-01-04")),
    ];
    desk.sealed(JAN, "employment.started", &fields)
}

/// A desk whose only use is to make statements with fresh ids.
pub fn spare_desk() -> Desk {
    let mut w = World::empty();
    let mut d = w.units.remove(&unit(A)).unwrap();
    for _ in 0..100 {
        d.blank("x", JAN);
    }
    d
}

pub fn verified(
    evidence: &protocol::evidence::Evidence,
) -> Result<report::Report, report::EvidenceError> {
    report::verify(evidence, &WORLD.roots[0].vkey())
}

pub fn disclosed() -> Disclosure {
    let desk = WORLD.desk(A);
    let index = 7;
    let (record, columns, blinding) = &desk.records[&index];
    let size = desk.size();
    let proof = tree_of(&desk.entries).inclusion_proof(index, size).unwrap();
    let plain = |n: &Note| String::from_utf8(n.as_bytes().to_vec()).unwrap();
    Disclosure {
        format: FORMAT.into(),
        unit: unit(A),
        index,
        statement: String::from_utf8(desk.entries[index as usize].clone()).unwrap(),
        proof: proof
            .iter()
            .map(|h| protocol::text::hex::encode(h))
            .collect(),
        checkpoint: plain(&desk.checkpoint(size)),
        registries: WORLD.registries.iter().map(plain).collect(),
        catalogue: plain(&WORLD.evidence().catalogues[0]),
        fields: record.disclose(&["employer", "wage"]).unwrap(),
        row: Some(ShownRow {
            columns: columns.clone(),
            blinding: OpenScalar(*blinding),
        }),
    }
}

pub fn small() -> Vec<u8> {
    file::write(&small_evidence()).unwrap()
}
