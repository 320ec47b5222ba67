//! Numbers that are not what they were, or not what they should be: a corrected ID number keeps one
//! file, and a number whose check digit does not fit is taken once a second person has compared it.
#![allow(missing_docs, clippy::unwrap_used)]

use std::os::unix::fs::PermissionsExt;

use kit::on_disk::*;
use node::desk::record::{self, Imported};
use node::desk::{ImportRequest, import};
use node::exchange::Form;
use protocol::catalogue::{Catalogue, EventType};
use protocol::note::{Alg, Note};
use protocol::person::Role;
use protocol::published;

/// The world's catalogue with two more types: a corrected number, and one confirmed as it stands.
fn with_numbers() -> Catalogue {
    let mut next = catalogue();
    next.version = 2;
    let renumbered: EventType = serde_json::from_value(serde_json::json!({
        "code": "E51", "type": "person.renumbered", "zh": "证件变更", "en": "Renumbered",
        "subject": "person", "key": "id_no", "pi": "P2", "levels": ["county"],
        "fields": [
            { "name": "id_no", "zh": "身份证号", "en": "ID number", "kind": "id_number" },
            { "name": "former", "zh": "原身份证号", "en": "Former", "kind": "id_number", "optional": true },
        ],
        "effect": { "former": "former" },
    }))
    .unwrap();
    let confirmed: EventType = serde_json::from_value(serde_json::json!({
        "code": "E71", "type": "number.confirmed", "zh": "证号核实", "en": "Confirmed",
        "subject": "unit", "pi": "P3", "levels": ["county"],
        "fields": [{ "name": "number", "zh": "号码", "en": "Number", "kind": "text" }],
        "effect": { "confirms": "number" },
    }))
    .unwrap();
    next.events.extend([renumbered, confirmed]);
    next
}

fn world() -> World {
    let mut w = World::empty();
    let text = published::catalogue_text(&with_numbers()).unwrap();
    let note = Note::sign(&text, &[&w.root]).unwrap();
    let documents = [note.as_bytes().to_vec()];
    assert_eq!(w.desk(A).books().install(&documents).unwrap(), 1);
    w
}

fn import_as(desk: &mut Desk, person: &str, event: &str, text: &str) -> Imported {
    let request = ImportRequest {
        operator: desk.name(person),
        form: Form::Csv,
        event: Some(event.into()),
        valid_rows: false,
        dry_run: false,
    };
    import(desk.books(), &request, text.as_bytes(), at("2026-01-20")).unwrap()
}

fn codes(imported: &Imported) -> Vec<&str> {
    imported.faults.iter().map(|f| f.code.as_str()).collect()
}

#[track_caller]
fn records(desk: &mut Desk, event: &str, text: &str) -> Vec<u64> {
    let imported = import_as(desk, "luru", event, text);
    assert!(imported.faults.is_empty(), "{:#?}", imported.faults);
    imported.recorded.iter().map(|r| r.index).collect()
}

/// A number whose check digit does not fit.
fn unfit(n: u32) -> String {
    let good = id_no(n);
    let last = if good.ends_with('1') { '2' } else { '1' };
    format!("{}{last}", &good[..17])
}

#[test]
fn a_person_whose_number_was_corrected_is_counted_once() {
    let mut w = world();
    let a = w.desk(A);
    let (old, new, newer) = (id_no(1), id_no(2), id_no(3));
    records(a, "E01", &format!("id_no,occurred_on\n{old},2026-01-05\n"));
    let hire = |id: &str, employer: &str| {
        format!("id_no,employer,wage_fen,occurred_on\n{id},{employer},300000,2026-01-08\n")
    };
    let unknown = import_as(a, "luru", "E02", &hire(&new, "甲"));
    assert_eq!(codes(&unknown), ["subject.unknown"]);
    for text in [&unknown.faults[0].zh, &unknown.faults[0].en] {
        assert!(
            text.contains("原身份证号") || text.contains("former number"),
            "{text}"
        );
    }
    // In one file, and under both numbers from then on, before and after a start.
    let change =
        |new: &str, old: &str| format!("id_no,former,occurred_on\n{new},{old},2026-01-07\n");
    records(a, "E51", &change(&new, &old));
    records(a, "E02", &hire(&new, "甲"));
    a.reopen();
    records(a, "E02", &hire(&old, "乙"));
    records(a, "E51", &change(&newer, &new));
    let again = import_as(a, "luru", "E02", &hire(&newer, "甲"));
    assert_eq!(codes(&again), ["spell.open"]);
    let twice = import_as(
        a,
        "luru",
        "E01",
        &format!("id_no,occurred_on\n{newer},2026-01-09\n"),
    );
    assert_eq!(codes(&twice), ["subject.registered"]);
    a.close("2026-01", after("2026-01"));
    // One person hired, employed and under sixty; hired twice.
    for (figure, value) in [("I1", 1), ("I2", 1), ("I9", 1), ("I10", 2)] {
        assert_eq!(a.figure("2026-01", figure).0, value, "{figure}");
    }
}

#[test]
fn two_files_do_not_become_one_and_a_void_ends_the_new_number() {
    let mut w = world();
    let a = w.desk(A);
    let (old, new, other) = (id_no(1), id_no(2), id_no(3));
    let persons = format!("id_no,occurred_on\n{old},2026-01-05\n{other},2026-01-05\n");
    records(a, "E01", &persons);
    let change =
        |new: &str, old: &str| format!("id_no,former,occurred_on\n{new},{old},2026-01-07\n");
    for (new, old, code) in [
        (&other, &old, "person.two_files"),
        (&old, &old, "person.same_number"),
        (&new, &id_no(4), "subject.unknown"),
    ] {
        let refused = import_as(a, "luru", "E51", &change(new, old));
        assert_eq!(codes(&refused), [code]);
    }
    let index = records(a, "E51", &change(&new, &old))[0];
    assert_eq!(
        codes(&import_as(a, "luru", "E51", &change(&new, &other))),
        ["person.two_files"]
    );
    a.void(index, at("2026-01-20")).unwrap();
    // The number is nobody's again: it may be given to the other file.
    records(a, "E51", &change(&new, &other));
}

#[test]
fn a_number_that_does_not_fit_needs_a_second_person() {
    let mut w = world();
    let a = w.desk(A);
    let (number, other) = (unfit(1), unfit(2));
    let second = key(&a.name("er"), Alg::Ed25519);
    let file = a.home.join("keys/er.key");
    std::fs::write(&file, second.encode().as_str()).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    a.reopen();
    let roles = [Role::Recorder];
    record::enrol(a.books(), &second.vkey(), &roles, at("2026-01-05")).unwrap();
    let persons = format!("id_no,occurred_on\n{number},2026-01-05\n{other},2026-01-05\n");
    let refused = import_as(a, "luru", "E01", &persons);
    assert_eq!(codes(&refused), ["id.check_digit", "id.check_digit"]);
    assert!(
        refused.faults[0].zh.contains("证号核实"),
        "{}",
        refused.faults[0].zh
    );
    let confirm = |number: &str| format!("number,occurred_on\n{number},2026-01-06\n");
    for (number, code) in [
        (&id_no(1), "confirm.needless"),
        (&"12".to_string(), "confirm.form"),
    ] {
        assert_eq!(
            codes(&import_as(a, "luru", "E71", &confirm(number))),
            [code]
        );
    }
    // By the one who records with it: not enough.
    records(a, "E71", &confirm(&number));
    let refused = import_as(a, "luru", "E01", &persons);
    assert_eq!(codes(&refused), ["confirm.second", "id.check_digit"]);
    // By both: taken, with everything else that is known of the number, also after a start.
    let both = format!("number,occurred_on\n{number},2026-01-06\n{other},2026-01-06\n");
    let confirmed = import_as(a, "er", "E71", &both.replace("-06", "-07"));
    assert!(confirmed.faults.is_empty(), "{:#?}", confirmed.faults);
    a.reopen();
    records(a, "E01", &persons);
    let hire = format!("id_no,employer,wage_fen,occurred_on\n{number},甲,300000,2026-01-08\n");
    records(a, "E02", &hire);
    // What else is wrong with a row is told alone.
    let broken = import_as(
        a,
        "luru",
        "E02",
        &hire.replace("300000", "x").replace("甲", "乙"),
    );
    assert_eq!(codes(&broken), ["money.form"]);
    a.void(confirmed.recorded[0].index, at("2026-01-20"))
        .unwrap();
    let refused = import_as(a, "luru", "E02", &hire.replace("甲", "乙"));
    assert_eq!(codes(&refused), ["confirm.second"]);
    a.close("2026-01", after("2026-01"));
    assert_eq!(a.figure("2026-01", "I9").0, 2);
}
