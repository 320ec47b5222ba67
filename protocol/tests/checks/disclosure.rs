//! Single fields shown to somebody.

use crate::common::*;

fn refused(change: &dyn Fn(&mut Disclosure), part: &str) {
    let mut d = disclosed();
    change(&mut d);
    let e = disclosure::verify(&d, &WORLD.roots[0].vkey()).unwrap_err();
    assert!(e.to_string().contains(part), "{part:?}: {e}");
}

#[test]
fn a_disclosure_shows_what_was_recorded() {
    let root = WORLD.roots[0].vkey();
    let good = disclosed();
    assert_eq!(
        disclosure::verify(&good, &root).unwrap().event,
        "employment.started"
    );
    assert!(!serde_json::to_string(&good).unwrap().contains(&id_no(1)));
    refused(
        &|d| d.fields[0].field.2 = text("别的厂"),
        "field \"employer\" is not in the record",
    );
    refused(
        &|d| d.fields[0].field.1 = "name".into(),
        "not in the record",
    );
    refused(
        &|d| d.fields[0].field.0 = "AAAA".into(),
        "not in the record",
    );
    refused(&|d| d.fields[1].proof.swap(0, 1), "not in the record");
    refused(&|d| d.fields[1].position = 0, "not in the record");
    refused(&|d| d.fields[1].of = 64, "not in the record");
    let flip = |s: &mut String| s.replace_range(0..1, if s.starts_with('0') { "1" } else { "0" });
    refused(&|d| flip(&mut d.proof[0]), "not in the tree");
    refused(&|d| d.index = 6, "not in the tree");
    refused(&|d| d.proof.clear(), "hashes");
    refused(
        &|d| d.statement = String::from_utf8(WORLD.desk(A).entries[6].clone()).unwrap(),
        "not in the tree",
    );
    refused(&|d| d.unit = unit(B), "another log");
    refused(
        &|d| {
            d.checkpoint =
                String::from_utf8(WORLD.desk(B).checkpoint(5).as_bytes().to_vec()).unwrap()
        },
        "another log",
    );
    refused(&|d| d.format = "x".into(), "not a disclosure");
}

#[test]
fn a_disclosed_row_opens_its_commitment() {
    let row = |d: &mut Disclosure, f: &dyn Fn(&mut ShownRow)| f(d.row.as_mut().unwrap());
    refused(
        &|d| row(d, &|r| r.blinding.0 += Scalar::ONE),
        "does not open to this row",
    );
    refused(
        &|d| row(d, &|r| drop(r.columns.pop())),
        "does not open to this row",
    );
    refused(
        &|d| row(d, &|r| r.columns[0] = "I1:in:sex:-".into()),
        "does not open to this row",
    );
    refused(
        &|d| row(d, &|r| r.columns.push("I1:in:sex:-".into())),
        "counts 2 times for figure I1",
    );
    refused(
        &|d| row(d, &|r| r.columns.push(r.columns[0].clone())),
        "shown twice",
    );
    refused(
        &|d| row(d, &|r| r.columns[0] = "nothing".into()),
        "unknown column",
    );
}

#[test]
fn a_disclosure_brings_the_catalogue_that_the_roots_signed() {
    let mut unsigned = WORLD.counting.catalogue.clone();
    unsigned.version = 2;
    let roots = [&WORLD.roots[0], &WORLD.roots[1]];
    let other = Note::sign(
        &protocol::published::catalogue_text(&unsigned).unwrap(),
        &roots,
    )
    .unwrap();
    refused(
        &|d| d.catalogue = String::from_utf8(other.as_bytes().to_vec()).unwrap(),
        "not the one that the statement names",
    );
    let few = Note::sign(
        &protocol::published::catalogue_text(&WORLD.counting.catalogue).unwrap(),
        &[roots[0]],
    )
    .unwrap();
    refused(
        &|d| d.catalogue = String::from_utf8(few.as_bytes().to_vec()).unwrap(),
        "signed by 1 of the 2 root keys",
    );
}
