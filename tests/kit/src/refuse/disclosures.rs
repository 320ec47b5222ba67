//! Disclosures of single fields that do not follow from a statement.

use super::making::*;

pub(super) fn cases(b: &mut Book, w: &World) {
    fields(b, w);
    statement_and_checkpoint(b, w);
    row(b, w);
    catalogue_and_members(b, w);
}

type Change<'a> = &'a dyn Fn(&mut Disclosure);

fn refused(b: &mut Book, w: &World, name: &str, case: &str, part: &str, change: Change<'_>) {
    let mut d = disclosure(w);
    change(&mut d);
    let bytes = serde_json::to_vec_pretty(&d).unwrap();
    let file = format!("disclosure-{name}.json");
    b.add(&file, case, UNREADABLE, part, bytes);
}

fn row_of(d: &mut Disclosure, change: &dyn Fn(&mut ShownRow)) {
    change(d.row.as_mut().unwrap());
}

fn fields(b: &mut Book, w: &World) {
    refused(
        b,
        w,
        "value",
        "a field with another value",
        "field \"employer\" is not in the record",
        &|d| d.fields[0].field.2 = text("别的厂"),
    );
    refused(
        b,
        w,
        "name",
        "a field under another name",
        "not in the record",
        &|d| d.fields[0].field.1 = "name".into(),
    );
    refused(
        b,
        w,
        "salt",
        "a field with a salt of three bytes",
        "not in the record",
        &|d| d.fields[0].field.0 = "AAAA".into(),
    );
    refused(
        b,
        w,
        "field-proof",
        "a field whose proof has two hashes in the other order",
        "not in the record",
        &|d| d.fields[1].proof.swap(0, 1),
    );
    refused(
        b,
        w,
        "position",
        "a field at another position",
        "not in the record",
        &|d| d.fields[1].position = 0,
    );
    refused(
        b,
        w,
        "of",
        "a record of more than 64 fields",
        "not in the record",
        &|d| d.fields[1].of = 65,
    );
}

fn statement_and_checkpoint(b: &mut Book, w: &World) {
    let desk = w.desk(A);
    let entry = |n: usize| String::from_utf8(desk.entries[n].clone()).unwrap();
    refused(
        b,
        w,
        "proof",
        "another hash in the statement's proof",
        "not in the tree",
        &|d| d.proof[0] = "00".repeat(32),
    );
    refused(
        b,
        w,
        "proof-empty",
        "a statement without its proof",
        "hashes",
        &|d| d.proof.clear(),
    );
    refused(b, w, "index", "another index", "not in the tree", &|d| {
        d.index = 6
    });
    refused(
        b,
        w,
        "statement",
        "another statement of the same log",
        "not in the tree",
        &|d| d.statement = entry(6),
    );
    refused(b, w, "unit", "another unit's name", "another log", &|d| {
        d.unit = unit(B)
    });
    refused(
        b,
        w,
        "checkpoint",
        "another unit's checkpoint",
        "another log",
        &|d| d.checkpoint = plain(&w.desk(B).checkpoint(5)),
    );
    refused(
        b,
        w,
        "checkpoint-key",
        "a checkpoint signed by another unit's node",
        "not signed by the unit's node key",
        &|d| {
            d.checkpoint = plain(
                &Note::sign(desk.checkpoint(desk.size()).text(), &[&w.desk(B).node]).unwrap(),
            );
        },
    );
    refused(b, w, "format", "another format", "not a disclosure", &|d| {
        d.format = "countersign-disclosure-v2".into()
    });
    refused(b, w, "registry", "no registry", "no registry", &|d| {
        d.registries.clear()
    });
}

fn row(b: &mut Book, w: &World) {
    refused(
        b,
        w,
        "blinding",
        "a row with another blinding",
        "does not open to this row",
        &|d| row_of(d, &|r| r.blinding.0 += Scalar::ONE),
    );
    refused(
        b,
        w,
        "row-short",
        "a row without its last amount bit",
        "does not open to this row",
        &|d| row_of(d, &|r| drop(r.columns.pop())),
    );
    refused(
        b,
        w,
        "row-other",
        "a row that says that the person was not counted",
        "does not open to this row",
        &|d| row_of(d, &|r| r.columns[0] = "I1:in:sex:-".into()),
    );
    refused(
        b,
        w,
        "row-both",
        "a row that counts and does not count",
        "counts 2 times for figure I1",
        &|d| row_of(d, &|r| r.columns.push("I1:in:sex:-".into())),
    );
    refused(
        b,
        w,
        "row-twice",
        "a row with one column twice",
        "shown twice",
        &|d| row_of(d, &|r| r.columns.push(r.columns[0].clone())),
    );
    refused(
        b,
        w,
        "row-unknown",
        "a row with a column that does not exist",
        "unknown column",
        &|d| row_of(d, &|r| r.columns[0] = "nothing".into()),
    );
}

fn catalogue_and_members(b: &mut Book, w: &World) {
    let roots = [&w.roots[0], &w.roots[1]];
    let mut other = w.counting.catalogue.clone();
    other.version = 2;
    let other = Note::sign(&published::catalogue_text(&other).unwrap(), &roots).unwrap();
    refused(
        b,
        w,
        "catalogue",
        "another signed catalogue",
        "not the one that the statement names",
        &|d| d.catalogue = plain(&other),
    );
    let few = Note::sign(
        &published::catalogue_text(&w.counting.catalogue).unwrap(),
        &[roots[0]],
    )
    .unwrap();
    refused(
        b,
        w,
        "catalogue-few",
        "a catalogue signed by one of the two roots that are needed",
        "signed by 1 of the 2 root keys",
        &|d| d.catalogue = plain(&few),
    );
    let extra = replaced(
        &serde_json::to_string_pretty(&disclosure(w)).unwrap(),
        "\"index\":",
        "\"note\": 1,\n  \"index\":",
    );
    b.add(
        "disclosure-member-unknown.json",
        "a member that no disclosure has",
        UNREADABLE,
        "unknown field",
        extra.into_bytes(),
    );
    let twice = replaced(
        &serde_json::to_string_pretty(&disclosure(w)).unwrap(),
        "\"index\":",
        "\"index\": 6,\n  \"index\":",
    );
    b.add(
        "disclosure-member-twice.json",
        "a member that stands twice",
        UNREADABLE,
        "duplicate field",
        twice.into_bytes(),
    );
}
