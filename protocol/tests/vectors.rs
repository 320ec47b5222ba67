//! The formats change only with a version: the committed vectors are reproduced byte for byte, and
//! what must be refused is refused by the check that the manifest names.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::LazyLock;

use kit::{refuse, vectors};

static BOOK: LazyLock<refuse::Book> = LazyLock::new(refuse::book);

fn folder() -> PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/vectors")
}

const CHANGED: &str =
    "a format changed without a version, or run `cargo run -p protocol --example vectors`";

#[test]
fn committed_vectors_are_reproduced() {
    for (name, bytes) in vectors::files() {
        let committed = std::fs::read(folder().join(name)).unwrap();
        assert!(committed == bytes, "{name} differs: {CHANGED}");
    }
}

#[test]
fn committed_refusals_are_reproduced() {
    let folder = folder().join("refuse");
    let mut names = BTreeSet::from(["README.md".to_string()]);
    for (name, bytes) in BOOK.files() {
        let committed = std::fs::read(folder.join(&name)).unwrap_or_default();
        assert!(committed == bytes, "refuse/{name} differs: {CHANGED}");
        names.insert(name);
    }
    let there: BTreeSet<String> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|f| f.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(
        there.difference(&names).collect::<Vec<_>>(),
        Vec::<&String>::new(),
        "files that no case makes"
    );
}

#[test]
fn refusals_name_the_check() {
    let mut wrong = Vec::new();
    for (entry, bytes) in &BOOK.refused {
        let said = refuse::outcome(&entry.file, bytes, &entry.root.parse().unwrap());
        let failed: BTreeSet<&str> = said.iter().map(|(check, _)| check.as_str()).collect();
        let expected: BTreeSet<&str> = entry.also.iter().copied().chain([entry.expect]).collect();
        let named = said
            .iter()
            .any(|(check, detail)| check == entry.expect && detail.contains(&entry.detail));
        if failed != expected || !named {
            wrong.push(format!(
                "{}: expected {expected:?} with {:?}; got {said:#?}",
                entry.file, entry.detail
            ));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        BOOK.refused.len(),
        wrong.join("\n")
    );
}

/// What is refused is refused for what was done to it: the same files without it hold.
#[test]
fn controls_hold() {
    for (control, bytes) in &BOOK.controls {
        let said = refuse::outcome(&control.file, bytes, &control.root.parse().unwrap());
        assert!(said.is_empty(), "{}: {said:#?}", control.file);
    }
}
