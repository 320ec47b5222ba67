//! Codes of faults: the table has each that can be given and no other, and the runbooks have the
//! table.
#![allow(clippy::unwrap_used)]

mod languages;
mod runbook;
mod sources;

use std::collections::BTreeSet;

use node::fault::FaultCode;
use runbook::{Language, with_table};

/// The codes that the crate `protocol` gives as texts.
fn of_protocol() -> BTreeSet<String> {
    let verdicts = protocol::verdict::Code::ALL.iter().map(|c| c.as_str());
    let verdicts: BTreeSet<&str> = verdicts.collect();
    let mut codes = sources::literal(&sources::read("protocol/src"));
    codes.retain(|code| !verdicts.contains(code.as_str()));
    let catalogue = sources::read("protocol/src/authoring");
    for call in [".error(", "CatalogueError::new("] {
        let words = sources::arguments(&catalogue, call, 1);
        codes.extend(words.iter().map(|word| format!("catalogue.{word}")));
    }
    // These two are given by a variable that runs over both.
    codes.extend(["catalogue.num", "catalogue.den"].map(str::to_string));
    codes.extend(protocol::succession::CODES.map(str::to_string));
    let evidence = sources::read("protocol/src/evidence/report.rs");
    for (call, place) in [(" error(", 1), ("(error(", 1), ("fail(", 0)] {
        let words = sources::arguments(&evidence, call, place);
        codes.extend(words.iter().map(|word| format!("evidence.{word}")));
    }
    codes
}

#[test]
fn the_table_has_every_code_of_protocol() {
    let codes = of_protocol();
    assert!(codes.len() > 100, "{codes:?}");
    for code in codes {
        assert!(code.parse::<FaultCode>().is_ok(), "{code}");
    }
}

/// Programs give codes of the enum; a text in brackets would be one that nobody can look up.
#[test]
fn no_program_gives_a_code_as_a_text() {
    for folder in ["node/src", "admin/src", "tests/demo/src"] {
        let codes = sources::literal(&sources::read(folder));
        assert_eq!(codes, BTreeSet::new(), "{folder}");
    }
}

#[test]
fn every_code_of_the_table_can_be_given() {
    let programs = ["node/src", "admin/src", "tests/demo/src"].map(sources::read);
    let programs = programs.concat();
    let words: BTreeSet<&str> = programs
        .split(|c: char| !c.is_ascii_alphanumeric() && c != ':')
        .filter_map(|word| word.strip_prefix("FaultCode::"))
        .collect();
    let of_protocol = of_protocol();
    for code in FaultCode::ALL {
        let named = words.contains(format!("{code:?}").as_str());
        assert!(named || of_protocol.contains(code.as_str()), "{code}");
    }
}

#[test]
fn the_runbooks_have_the_table() {
    for language in Language::ALL {
        let file = language.file();
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(
            with_table(&text, language).unwrap() == text,
            "{}: write it anew by `cargo run -p node --example runbook`",
            file.display()
        );
    }
}
