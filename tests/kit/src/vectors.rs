//! Known answers for other languages, from fixed seeds and the small catalogue. Written by `cargo
//! run -p protocol --example vectors`; the test `vectors` checks that the files in `tests/vectors`
//! are exactly these.

use curve25519_dalek::Scalar;
use protocol::commitment::{OpenScalar, PeriodKey, hash_to_group, zero};
use protocol::evidence::disclosure::{Disclosure, FORMAT, ShownRow};
use protocol::evidence::{file, report};
use protocol::log::checkpoint::{Checkpoint, add_cosignature, origin_of};
use protocol::log::tree::{Tree, leaf_hash};
use protocol::note::{Alg, Note};
use protocol::published;
use protocol::text::hex;
use serde_json::{Value as Json, json};

use crate::*;

/// Name and bytes of each file.
pub fn files() -> Vec<(&'static str, Vec<u8>)> {
    let w = World::honest();
    let small = file::write(&small_evidence()).unwrap();
    let whole = file::write(&w.evidence()).unwrap();
    let json = |v: Json| {
        let mut bytes = serde_json::to_vec_pretty(&v).unwrap();
        bytes.push(b'\n');
        bytes
    };
    vec![
        ("notes.json", json(notes())),
        ("log.json", json(log())),
        ("groups.json", json(groups(&w))),
        ("period.json", json(period(&w))),
        ("record.json", json(record(&w))),
        ("evidence.json", json(evidence(&w, &small, &whole))),
        ("evidence-small.zip", small),
        ("evidence-world.zip", whole),
    ]
}

pub fn plain(note: &Note) -> String {
    String::from_utf8(note.as_bytes().to_vec()).unwrap()
}

fn notes() -> Json {
    let signer = key("140321", Alg::Ed25519, 0);
    let person = key("140321/li", Alg::Ed25519, 1);
    let witness = key("1403/witness", Alg::CosignatureV1, 2);
    let text = "countersign/plan/v1\n{\"名\":\"县\"}\n";
    let note = Note::sign(text, &[&signer, &person]).unwrap();
    let good = plain(&note);
    let keys: Vec<Json> = [&signer, &person, &witness]
        .iter()
        .map(|k| json!({ "name": k.name(), "alg": k.alg() as u8, "signing_key": k.encode().to_string(), "key_id": hex::encode(&k.id()), "vkey": k.vkey().as_str() }))
        .collect();
    let line = good.lines().last().unwrap();
    let forms = [
        ("no empty line", good.replace("\n\n", "\n")),
        ("no last newline", good.trim_end().to_string()),
        ("no signature line", format!("{text}\n")),
        ("hyphen instead of em dash", good.replace('—', "-")),
        ("carriage return", good.replacen('\n', "\r\n", 1)),
        ("control character in the text", good.replace('县', "\u{1}")),
        ("base64 without padding", good.replace("=\n", "\n")),
        (
            "17 signature lines",
            format!("{text}\n{}", format!("{line}\n").repeat(17)),
        ),
        ("text after the signatures", format!("{good}x\n")),
    ];
    let mut refused: Vec<Json> = forms
        .iter()
        .map(|(why, n)| json!({ "why": why, "note": n, "form": false }))
        .collect();
    assert!(
        forms
            .iter()
            .all(|(why, n)| Note::parse(n.as_bytes()).is_err() || panic!("{why}"))
    );
    let wrong = [
        ("text changed", good.replace('县', "市")),
        ("a known key's signature is another's", {
            let other = Note::sign("countersign/plan/v1\n{}\n", &[&person]).unwrap();
            let line = &other.signatures()[0];
            plain(
                &Note::sign(text, &[&signer])
                    .unwrap()
                    .add_line(line.name(), line.key_id(), line.blob())
                    .unwrap(),
            )
        }),
        (
            "signed by unknown keys only",
            plain(&Note::sign(text, &[&key("x", Alg::Ed25519, 0)]).unwrap()),
        ),
    ];
    let known = [signer.vkey(), person.vkey()];
    assert!(
        wrong
            .iter()
            .all(|(_, n)| Note::parse(n.as_bytes()).unwrap().verify(&known).is_err())
    );
    refused.extend(
        wrong
            .iter()
            .map(|(why, n)| json!({ "why": why, "note": n, "form": true })),
    );
    json!({
        "about": "SPEC.md 1. `keys` are test keys: never use them. A refused note has the right form or not (`form`); none verifies with the vkeys of `keys[0]` and `keys[1]`.",
        "keys": keys,
        "text": text,
        "digest": note.digest(),
        "note": good,
        "refused": refused,
    })
}

fn log() -> Json {
    let leaves: Vec<Vec<u8>> = (0_u8..11).map(|n| vec![n; usize::from(n)]).collect();
    let tree: Tree = leaves.iter().map(|l| leaf_hash(l)).collect();
    let all = |hashes: Vec<[u8; 32]>| hashes.iter().map(|h| hex::encode(h)).collect::<Vec<_>>();
    let n = leaves.len() as u64;
    let roots: Vec<String> = (0..=n)
        .map(|s| hex::encode(&tree.root_at(s).unwrap()))
        .collect();
    let mut inclusion = Vec::new();
    let mut consistency = Vec::new();
    for size in 1..=n {
        for index in [0, size / 2, size - 1] {
            inclusion.push(json!({ "index": index, "size": size, "proof": all(tree.inclusion_proof(index, size).unwrap()) }));
        }
        for old in [1, size / 2, size.saturating_sub(1), size] {
            consistency.push(json!({ "old": old, "new": size, "proof": all(tree.consistency_proof(old, size).unwrap()) }));
        }
    }
    let node = key("140321", Alg::Ed25519, 0);
    let witness = key("1403/witness", Alg::CosignatureV1, 2);
    let checkpoint = Checkpoint::new(&origin_of(&unit(A)), n, tree.root()).unwrap();
    let signed = checkpoint.sign(&node).unwrap();
    let cosigned = add_cosignature(&signed, &witness, 1_770_000_000).unwrap();
    let entries: Vec<&[u8]> = leaves.iter().map(Vec::as_slice).collect();
    json!({
        "about": "SPEC.md 4. Leaves in hex; roots[s] is the root of the first s leaves.",
        "leaves": leaves.iter().map(|l| hex::encode(l)).collect::<Vec<_>>(),
        "leaf_hashes": (0..n).map(|i| hex::encode(&tree.leaf(i).unwrap())).collect::<Vec<_>>(),
        "roots": roots,
        "inclusion": inclusion,
        "consistency": consistency,
        "bundle": hex::encode(&protocol::log::encode_bundle(&entries).unwrap()),
        "checkpoint": { "text": checkpoint.text(), "note": plain(&signed), "vkey": node.vkey().as_str() },
        "cosignature": { "time": 1_770_000_000, "witness": witness.vkey().as_str(), "note": plain(&cosigned) },
    })
}

fn groups(w: &World) -> Json {
    let generators: Vec<Json> = [
        ("blind", "blind"),
        ("column", ""),
        ("column", "abc"),
        ("column", "sha256:00\nI1:in:sex:1"),
    ]
    .iter()
    .map(|(role, message)| {
        json!({
            "role": role, "message": message,
            "dst": format!("countersign-V1-{role}-ristretto255_XMD:SHA-512_R255MAP_RO_"),
            "point": hex::encode(hash_to_group(message.as_bytes(), role).compress().as_bytes()),
        })
    })
    .collect();
    let schemas: Vec<Json> = w
        .counting
        .catalogue
        .events
        .iter()
        .map(|e| {
            let s = w.counting.generators.schema(&e.name).unwrap();
            let bases: Vec<String> = if e.is_clear() {
                vec![]
            } else {
                s.names()
                    .iter()
                    .map(|n| {
                        hex::encode(
                            protocol::commitment::column_base(s, n)
                                .compress()
                                .as_bytes(),
                        )
                    })
                    .collect()
            };
            json!({ "event": e.name, "columns": s.names(), "digest": s.digest(), "bases": bases })
        })
        .collect();
    let month_key = PeriodKey::new([7; 32]);
    let event = "employment.started";
    let schema = w.counting.generators.schema(event).unwrap();
    let rows: Vec<Json> = ["017f22e2-79b0-7cc3-98c4-dc0c0c07398f", "017f22e2-79b0-7cc3-98c4-dc0c0c073990"]
        .iter()
        .enumerate()
        .map(|(n, id)| {
            let row: Vec<(usize, i64)> = (0..schema.columns()).filter(|c| c % (n + 2) == 0).map(|c| (c, 1)).collect();
            let r = month_key.blinding(id);
            let c = w.counting.generators.commit(event, &row, &r).unwrap();
            json!({ "event": event, "id": id, "columns": row.iter().map(|(c, _)| c).collect::<Vec<_>>(), "blinding": OpenScalar(r), "commitment": c })
        })
        .collect();
    let refused = [
        "00".repeat(32),
        "ff".repeat(32),
        format!("01{}", "00".repeat(31)),
        format!("ed{}7f", "ff".repeat(30)),
    ];
    json!({
        "about": "SPEC.md 5. All points and scalars are 32 bytes in hex. `commitments` are over arbitrary columns (set to 1), to fix the arithmetic.",
        "generators": generators,
        "catalogue": { "toml": CATALOGUE, "digest": w.counting.digest },
        "schemas": schemas,
        "period_key": hex::encode(month_key.as_bytes()),
        "commitments": rows,
        "refused_points": refused,
        "refused_scalars": ["ff".repeat(32), "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010"],
    })
}

fn period(w: &World) -> Json {
    let desk = w.desk(A);
    let held = w.held(A, JAN);
    let size = held.rollup.log.size;
    let entries: Vec<String> = desk.entries[..size as usize]
        .iter()
        .map(|e| String::from_utf8(e.clone()).unwrap())
        .collect();
    let mut sum = zero();
    for i in 0..size {
        let s = desk.statement(i);
        sum += s.row().map_or(zero(), |c| *c.point());
        if let Some(target) = s.voids() {
            let taken = desk.statement(target.index);
            sum -= taken.row().map_or(zero(), |c| *c.point());
        }
    }
    let (generators, opening) = (&w.counting.generators, &held.rollup.opening);
    let sums = opening.sums.iter();
    let sums = sums.map(|(event, columns)| (generators, event.as_str(), columns.as_slice()));
    let opened = generators.check_opening(&sum, sums, &opening.blinding.0);
    assert!(opened.is_ok());
    json!({
        "about": "SPEC.md 6 to 8. All leaves of county 140321 up to its rollup of 2026-01, one of them voided; sum is S, the opening in the rollup opens it.",
        "unit": A, "period": JAN,
        "root_vkeys": w.roots.iter().map(|k| k.vkey().to_string()).collect::<Vec<_>>(),
        "registry": plain(&w.registries[0]),
        "entries": entries,
        "sum": hex::encode(sum.compress().as_bytes()),
        "opening": held.rollup.opening,
        "rollup": plain(&held.note),
        "digest": held.digest(),
        "refused_blinding": OpenScalar(held.rollup.opening.blinding.0 + Scalar::ONE),
    })
}

/// Two fields and the row of an employment that county A recorded.
pub fn disclosure(w: &World) -> Disclosure {
    let desk = w.desk(A);
    let index = 7;
    let (record, columns, blinding) = &desk.records[&index];
    let size = desk.size();
    let proof = tree_of(&desk.entries).inclusion_proof(index, size).unwrap();
    let sign = |text: String| Note::sign(&text, &[&w.roots[0], &w.roots[1]]).unwrap();
    Disclosure {
        format: FORMAT.into(),
        unit: unit(A),
        index,
        statement: String::from_utf8(desk.entries[index as usize].clone()).unwrap(),
        proof: proof.iter().map(|h| hex::encode(h)).collect(),
        checkpoint: plain(&desk.checkpoint(size)),
        registries: w.registries.iter().map(plain).collect(),
        catalogue: plain(&sign(
            published::catalogue_text(&w.counting.catalogue).unwrap(),
        )),
        fields: record.disclose(&["employer", "wage"]).unwrap(),
        row: Some(ShownRow {
            columns: columns.clone(),
            blinding: OpenScalar(*blinding),
        }),
    }
}

fn record(w: &World) -> Json {
    let (record, _, _) = &w.desk(A).records[&7];
    let disclosure = disclosure(w);
    protocol::evidence::disclosure::verify(&disclosure, &w.roots[0].vkey()).unwrap();
    json!({
        "about": "SPEC.md 3 and 10. The record is private in life; here are its arrays, its root, and a disclosure of two fields and the row.",
        "record": record,
        "root": record.root(),
        "root_vkey": w.roots[0].vkey().as_str(),
        "disclosure": disclosure,
    })
}

fn evidence(w: &World, small: &[u8], whole: &[u8]) -> Json {
    let verdicts = |bytes: &[u8]| {
        let r = report::verify(&file::read(bytes).unwrap(), &w.roots[0].vkey()).unwrap();
        assert!(r.holds());
        let units: Vec<Json> = r
            .units
            .iter()
            .flat_map(|u| u.months.iter().map(move |m| (u, m)))
            .map(|(u, m)| {
                let checks: serde_json::Map<String, Json> = m.verdicts.iter().map(|v| (v.check.to_string(), json!(v.outcome))).collect();
                json!({ "unit": u.unit, "period": m.period, "revision": m.revision, "rollup": m.rollup, "checks": checks, "decision": m.decision })
            })
            .collect();
        let targets: Vec<Json> = r
            .targets
            .iter()
            .map(|t| json!({ "target": t.target, "judgement": t.judgement, "basis": t.basis }))
            .collect();
        json!({ "holds": r.holds(), "leaves": r.leaves, "rollups": units, "targets": targets })
    };
    json!({
        "about": "SPEC.md 9 and 11. What the verification of the two files gives with this root key.",
        "root_vkey": w.roots[0].vkey().as_str(),
        "evidence-small.zip": { "sha256": protocol::digest::Digest::of(small), "report": verdicts(small) },
        "evidence-world.zip": { "sha256": protocol::digest::Digest::of(whole), "report": verdicts(whole) },
    })
}
