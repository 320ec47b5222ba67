//! The walls of the house, held by reading the sources: no two modules import each other, directly
//! or around, and what one room may not name, it does not name. `node/ARCHITECTURE.md` says why.
//!
//! Reading order: [`source`] (what a file imports), [`graph`] (circles), [`rules`] (the walls).

mod graph;
mod rules;
mod source;

use std::path::{Path, PathBuf};

use source::Sources;

/// The crates whose sources are read: the folder of each, from the workspace's root.
const CRATES: [&str; 5] = ["protocol", "node", "admin", "tests/kit", "tests/demo"];

fn root() -> PathBuf {
    let here = std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it");
    Path::new(&here).join("..")
}

fn sources(folder: &str) -> Sources {
    let sources = Sources::read(&root().join(folder).join("src"));
    assert!(sources.len() > 1, "{folder}/src holds no sources to read");
    sources
}

#[test]
fn no_two_modules_import_each_other() {
    let mut circles = Vec::new();
    for folder in CRATES {
        let found = graph::circles(&sources(folder).imports());
        circles.extend(found.into_iter().map(|c| format!("{folder}: {c}")));
    }
    assert!(
        circles.is_empty(),
        "modules in a circle:\n{}",
        circles.join("\n")
    );
}

#[test]
fn no_room_names_what_its_wall_forbids() {
    let mut broken = Vec::new();
    for folder in CRATES {
        broken.extend(rules::broken(folder, &sources(folder)));
    }
    assert!(broken.is_empty(), "walls broken:\n{}", broken.join("\n"));
}

#[test]
fn a_circle_of_two_is_seen() {
    let sources = Sources::of(&[
        ("lib.rs", "mod a; mod b;"),
        ("a.rs", "use crate::b::B; pub struct A(B);"),
        (
            "b.rs",
            "pub struct B; fn f() { json!({ \"a\": super::a::make() }); }",
        ),
    ]);
    assert_eq!(graph::circles(&sources.imports()), ["a -> b -> a"]);
}

#[test]
fn a_circle_around_a_third_is_seen() {
    let sources = Sources::of(&[
        ("lib.rs", "mod a; mod b; mod c;"),
        ("a.rs", "use super::b::{self, B};"),
        ("b.rs", "type T = crate::c::C;"),
        ("c.rs", "use crate::{a::A, b as other};"),
    ]);
    assert_eq!(graph::circles(&sources.imports()).len(), 1);
}

#[test]
fn a_parent_that_uses_its_child_and_is_used_by_it_is_a_circle() {
    let sources = Sources::of(&[
        ("lib.rs", "mod shop;"),
        (
            "shop/mod.rs",
            "mod till; pub struct Shop { till: till::Till }",
        ),
        ("shop/till.rs", "use super::Shop; pub struct Till;"),
    ]);
    assert_eq!(
        graph::circles(&sources.imports()),
        ["shop -> shop::till -> shop"]
    );
}

#[test]
fn a_parent_that_only_passes_names_on_is_no_circle() {
    let sources = Sources::of(&[
        ("lib.rs", "mod shop;"),
        (
            "shop/mod.rs",
            "mod till; mod goods; pub use till::Till; pub use goods::Goods;",
        ),
        ("shop/till.rs", "use super::Goods; pub struct Till(Goods);"),
        ("shop/goods.rs", "pub struct Goods;"),
    ]);
    assert_eq!(graph::circles(&sources.imports()), Vec::<String>::new());
}

#[test]
fn who_may_use_an_item_is_not_an_import() {
    let sources = Sources::of(&[
        ("lib.rs", "mod shop;"),
        ("shop/mod.rs", "mod till; fn f() { till::open() }"),
        (
            "shop/till.rs",
            "pub(super) fn open() {} pub(crate) struct Till;",
        ),
    ]);
    assert_eq!(graph::circles(&sources.imports()), Vec::<String>::new());
}

#[test]
fn what_stands_in_tests_or_in_words_is_not_an_import() {
    let sources = Sources::of(&[
        ("lib.rs", "mod a; mod b;"),
        ("a.rs", "use crate::b::B; // crate::a"),
        (
            "b.rs",
            "//! Of [`crate::a`].\n pub struct B; #[cfg(test)] mod tests { use crate::a::A; }",
        ),
    ]);
    assert_eq!(graph::circles(&sources.imports()), Vec::<String>::new());
}

#[test]
fn a_broken_wall_is_seen() {
    let seen = |folder: &str, file: &str, text: &str| {
        let sources = Sources::of(&[("lib.rs", "mod a;"), (file, text)]);
        rules::broken(folder, &sources).len()
    };
    assert_eq!(seen("node", "desk/sign.rs", "use async_nats::Client;"), 1);
    assert_eq!(seen("node", "link/nats.rs", "use async_nats::Client;"), 0);
    assert_eq!(
        seen("node", "exchange/csv.rs", "use crate::books::Books;"),
        1
    );
    assert_eq!(seen("node", "desk/sign.rs", "use crate::books::Books;"), 0);
    assert_eq!(
        seen(
            "node",
            "desk/sign.rs",
            "#[derive(utoipa::ToSchema)] struct A;"
        ),
        1
    );
    assert_eq!(
        seen(
            "node",
            "web/sign.rs",
            "#[derive(utoipa::ToSchema)] struct A;"
        ),
        0
    );
    assert_eq!(
        seen("protocol", "note.rs", "fn f() { chrono::Utc::now(); }"),
        1
    );
    assert_eq!(
        seen(
            "protocol",
            "note.rs",
            "use chrono::Utc; fn f() { Utc::now(); }"
        ),
        1
    );
    assert_eq!(
        seen("protocol", "note.rs", "use std::{fs::File, sync::Arc};"),
        1
    );
    assert_eq!(
        seen("protocol", "note.rs", "use std::sync::Arc; struct Utc;"),
        0
    );
}
