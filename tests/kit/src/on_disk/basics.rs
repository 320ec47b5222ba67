//! What the tests of the node name beside what all tests name: people, tokens, days, catalogues.

use chrono::{DateTime, Utc};
use node::fault::Faults;
use protocol::catalogue::Catalogue;
use protocol::note::{Alg, SigningKey};
use protocol::person::Role;

use crate::{CATALOGUE, month};

const EXTRA: &str = include_str!("../../data/catalogue-extra.toml");

/// Name and roles of a unit's people; only the recorder's key is kept by the node.
pub const PEOPLE: [(&str, Role); 4] = [
    ("luru", Role::Recorder),
    ("tianbiao", Role::Preparer),
    ("tongji", Role::Reviewer),
    ("fuzeren", Role::Head),
];
/// Token roles by person.
pub const TOKENS: [(&str, &str); 6] = [
    ("luru", "recorder"),
    ("tianbiao", "recorder"),
    ("tongji", "reviewer"),
    ("fuzeren", "head"),
    ("jiancha", "inspector"),
    ("operator", "operator"),
];

/// Noon in China.
pub fn at(day: &str) -> DateTime<Utc> {
    format!("{day}T04:00:00Z").parse().unwrap()
}
/// When a month is usually closed: the third of the next one.
pub fn after(period: &str) -> DateTime<Utc> {
    at(&(month(period).last_day() + chrono::Days::new(3)).to_string())
}

pub fn catalogue() -> Catalogue {
    let small = CATALOGUE.replace(
        r#"set = { sex = "e.sex" }"#,
        r#"set = { sex = "e.sex", birth = "e.birth" }"#,
    );
    Catalogue::from_files(&[
        ("small.toml".into(), small),
        ("extra.toml".into(), EXTRA.into()),
    ])
    .unwrap()
}
/// The same with another version: another digest, and a field that the first does not have.
pub fn catalogue_two() -> Catalogue {
    let small = CATALOGUE
        .replace(
            r#"set = { sex = "e.sex" }"#,
            r#"set = { sex = "e.sex", birth = "e.birth" }"#,
        )
        .replace("version = 1", "version = 2");
    let extra = EXTRA.replace(
        r#"{ name = "hours","#,
        r#"{ name = "room", zh = "教室", en = "Room", kind = "text", optional = true },
  { name = "hours","#,
    );
    Catalogue::from_files(&[("small.toml".into(), small), ("extra.toml".into(), extra)]).unwrap()
}

/// The key of a unit (by its id), of one of its people (`unit/person`) or of the root.
pub fn key(name: &str, alg: Alg) -> SigningKey {
    crate::key(name, alg, 0)
}

/// A person's bearer token.
pub fn token(unit: &str, name: &str) -> String {
    format!("token of {unit}/{name}")
}

#[track_caller]
pub fn code_of<T: std::fmt::Debug>(result: Result<T, Faults>) -> String {
    result.unwrap_err().0[0].code.to_string()
}
