//! What every test names: units, months, keys, the small catalogue and its plan.

use protocol::catalogue::{Catalogue, CodeItem};
use protocol::count::Value;
use protocol::digest::Digest;
use protocol::ids::{Tier, UnitId, id_check_digit};
use protocol::note::{Alg, Note, SigningKey};
use protocol::period::Month;
use protocol::registry::{Placement, Registry, Unit};

pub const CATALOGUE: &str = include_str!("../data/catalogue.toml");
pub const PLAN: &str = include_str!("../data/plan.toml");
pub const JAN: &str = "2026-01";
pub const FEB: &str = "2026-02";
pub const MAR: &str = "2026-03";

pub const PROVINCE: &str = "14";
pub const CITY: &str = "1403";
pub const A: &str = "140321";
pub const B: &str = "140311";

/// The units of both worlds, the one in memory and the one on disk, in the order of
/// their ids: id, tier, parent.
pub const UNITS: [(&str, Tier, Option<&str>); 4] = [
    (PROVINCE, Tier::Province, None),
    (CITY, Tier::City, Some(PROVINCE)),
    (B, Tier::County, Some(CITY)),
    (A, Tier::County, Some(CITY)),
];

pub fn month(text: &str) -> Month {
    text.parse().unwrap()
}

pub fn unit(text: &str) -> UnitId {
    text.parse().unwrap()
}

pub fn text(value: &str) -> Value {
    Value::Text(value.to_string())
}

/// Adds `sign` times a row to an opening's sum of `width` columns.
pub fn add_row(sum: &mut Vec<i64>, width: usize, row: &[(usize, i64)], sign: i64) {
    if sum.len() < width {
        sum.resize(width, 0);
    }
    for &(column, weight) in row {
        let weight = weight.checked_mul(sign).unwrap();
        sum[column] = sum[column].checked_add(weight).unwrap();
    }
}

pub fn catalogue() -> Catalogue {
    Catalogue::from_files(&[("catalogue.toml".into(), CATALOGUE.into())]).unwrap()
}

/// A code of a dimension, which is its own name.
pub fn code(name: &str) -> CodeItem {
    CodeItem {
        code: name.into(),
        zh: name.into(),
        en: name.into(),
    }
}

/// One seed byte tells the key, the name the rest: no two names share a key.
pub fn key(name: &str, alg: Alg, seed: u8) -> SigningKey {
    let mut bytes = *Digest::of(name.as_bytes()).as_bytes();
    bytes[0] = seed;
    SigningKey::from_seed(name, alg, bytes).unwrap()
}

/// Two different keys of one name and key id. Its 32 bits are the first of a hash, so that some
/// hundred thousand keys of a name have such a pair among them; these were found by counting up.
pub fn one_key_id(name: &str) -> [SigningKey; 2] {
    let (alg, numbers) = match name {
        "140311" => (Alg::Ed25519, [122_542, 156_096]),
        "140311/sun" => (Alg::Ed25519, [19_227, 153_219]),
        "140311/witness" => (Alg::CosignatureV1, [105_880, 144_185]),
        "root-c" => (Alg::Ed25519, [134_286, 141_168]),
        _ => panic!("no pair is known for {name}"),
    };
    numbers.map(|n| {
        let seed = *Digest::of(format!("{name} {n}").as_bytes()).as_bytes();
        SigningKey::from_seed(name, alg, seed).unwrap()
    })
}

pub fn node_key(unit: &str) -> SigningKey {
    key(unit, Alg::Ed25519, 0)
}

pub fn person_key(unit: &str, person: &str) -> SigningKey {
    key(&format!("{unit}/{person}"), Alg::Ed25519, 1)
}

pub fn witness_key(unit: &str) -> SigningKey {
    key(&format!("{unit}/witness"), Alg::CosignatureV1, 2)
}

/// An ID number that no one has: 999999 is no area. Of a man for odd `n`.
pub fn id_born(birth: &str, n: u32) -> String {
    let first = format!("999999{birth}{n:03}");
    format!("{first}{}", id_check_digit(&first).unwrap())
}

pub fn id_no(n: u32) -> String {
    id_born("19900101", n)
}

/// The first version of a registry of all [`UNITS`]; every one of the roots has to sign.
pub fn registry(since: Month, roots: &[&SigningKey]) -> Registry {
    let units = UNITS.into_iter().map(|(id, tier, parent)| {
        let placement = Placement {
            name: format!("Unit {id}"),
            parent: parent.map(unit),
            area: None,
        };
        let (key, witness) = (node_key(id).vkey(), witness_key(id).vkey());
        Unit::new(unit(id), tier, since, placement, key, witness)
    });
    Registry {
        version: 1,
        previous: None,
        from: None,
        roots: roots.iter().map(|root| root.vkey()).collect(),
        threshold: roots.len() as _,
        units: units.collect(),
    }
}

/// A unit of this version, to be changed.
pub fn known<'r>(r: &'r mut Registry, id: &str) -> &'r mut Unit {
    r.units.iter_mut().find(|u| u.id.as_str() == id).unwrap()
}

/// From this month on a unit reports there, under the name that it had.
pub fn place(r: &mut Registry, id: &str, from: &str, parent: &str) {
    let mut placement = known(r, id).last_placement();
    placement.parent = Some(unit(parent));
    known(r, id).place(month(from), placement);
}

pub fn sign_registry(registry: &Registry, roots: &[&SigningKey]) -> Note {
    Note::sign(&registry.to_text().unwrap(), roots).unwrap()
}
