//! Random cases made by Go's `golang.org/x/mod/sumdb/note` and `tlog`: both sides must write the
//! same bytes and say the same.
//!
//! `tests/go-judge/run` makes the file and names it in `COUNTERSIGN_GO_CASES`. Without it there is
//! nothing to check here.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use protocol::digest::Digest;
use protocol::log::{
    Checkpoint, Hash, TilePath, Tree, add_cosignature, leaf_hash, parse_path, root_of, tile,
    verify_consistency, verify_cosignature, verify_inclusion,
};
use protocol::note::{Note, SigningKey, VerifierKey, check_name};
use protocol::text::{b64, hex};
use serde::{Deserialize, Deserializer, de::Error};

const VARIABLE: &str = "COUNTERSIGN_GO_CASES";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Cases {
    seed: i64,
    refused_in_names: Vec<u32>,
    vkeys: Vec<VkeyCase>,
    signed: Vec<SignedCase>,
    judged: Vec<JudgedCase>,
    checkpoints: Vec<CheckpointCase>,
    checkpoint_texts: Vec<TextCase>,
    tree: TreeCase,
    verdicts: Vec<ProofCase>,
    big: BigCase,
    new_tiles: Vec<NewTilesCase>,
    paths: Vec<PathCase>,
}

/// Where `stricter` is not empty, Go takes it and we refuse it, for this reason.
#[derive(Deserialize)]
struct VkeyCase {
    vkey: String,
    ok: bool,
    stricter: String,
}

#[derive(Deserialize)]
struct SignedCase {
    #[serde(deserialize_with = "bytes")]
    text: Vec<u8>,
    skeys: Vec<String>,
    vkeys: Vec<VerifierKey>,
    #[serde(deserialize_with = "bytes")]
    note: Vec<u8>,
}

#[derive(Deserialize)]
struct JudgedCase {
    #[serde(deserialize_with = "bytes")]
    note: Vec<u8>,
    known: Vec<String>,
    well: bool,
    verdict: String,
    signers: Option<Vec<String>>,
    #[serde(deserialize_with = "bytes")]
    text: Vec<u8>,
    stricter: String,
}

#[derive(Deserialize)]
struct CheckpointCase {
    origin: String,
    size: u64,
    root: Hex,
    text: String,
    skey: String,
    #[serde(deserialize_with = "bytes")]
    signed: Vec<u8>,
    witness: Option<Vec<CosignCase>>,
    #[serde(deserialize_with = "bytes")]
    whole: Vec<u8>,
}

#[derive(Deserialize)]
struct CosignCase {
    skey: String,
    vkey: VerifierKey,
    time: u64,
}

#[derive(Deserialize)]
struct TextCase {
    #[serde(deserialize_with = "bytes")]
    text: Vec<u8>,
    ok: bool,
    size: u64,
    root: String,
    stricter: String,
}

/// Proofs are lists of indexes into `hashes`.
#[derive(Deserialize)]
struct TreeCase {
    leaves: Vec<Option<String>>,
    hashes: Vec<Hex>,
    roots: Vec<usize>,
    inclusion: Vec<Vec<Vec<usize>>>,
    consistency: Vec<Vec<Vec<usize>>>,
}

#[derive(Deserialize)]
struct ProofCase {
    /// The index, for inclusion.
    old: u64,
    /// The size, for inclusion.
    new: u64,
    start: Hex,
    root: Hex,
    proof: Vec<Hex>,
    include: bool,
    ok: bool,
}

#[derive(Deserialize)]
struct BigCase {
    prefix: String,
    size: u64,
    roots: BTreeMap<u64, Hex>,
    proofs: Vec<ProofCase>,
    tiles: Vec<TileCase>,
}

#[derive(Deserialize)]
struct TileCase {
    level: u8,
    n: u64,
    width: u16,
    size: u64,
    path: String,
    sha256: Hex,
}

#[derive(Deserialize)]
struct NewTilesCase {
    old: u64,
    new: u64,
    tiles: Vec<(u8, u64, u16)>,
}

#[derive(Deserialize)]
struct PathCase {
    path: String,
    ok: bool,
    /// None for entries.
    level: Option<u8>,
    n: u64,
    width: u16,
}

/// A hash in lowercase hexadecimal.
struct Hex(Hash);

impl<'de> Deserialize<'de> for Hex {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let bytes = hex::decode(&String::deserialize(d)?).and_then(|bytes| bytes.try_into().ok());
        bytes
            .map(Self)
            .ok_or_else(|| D::Error::custom("not a hash"))
    }
}

/// Go writes bytes as base64, and no bytes as null.
fn bytes<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<u8>, D::Error> {
    let text = Option::<String>::deserialize(d)?.unwrap_or_default();
    b64::decode(&text).ok_or_else(|| D::Error::custom("not base64"))
}

/// Counts, so that one run tells all disagreements.
#[derive(Default)]
struct Count {
    passed: u64,
    failed: u64,
    section: u64,
}

impl Count {
    fn check(&mut self, holds: bool, what: impl FnOnce() -> String) {
        if holds {
            self.passed += 1;
            return;
        }
        self.failed += 1;
        if self.failed <= 40 {
            println!("FAIL {}", what());
        }
    }

    fn done(&mut self, section: &str) {
        println!(
            "  our side: {section:<33} {:>7} checked",
            self.passed + self.failed - self.section
        );
        self.section = self.passed + self.failed;
    }
}

fn show(bytes: &[u8]) -> String {
    String::from_utf8_lossy(&bytes[..bytes.len().min(400)])
        .escape_debug()
        .to_string()
}

#[test]
fn go_and_we_agree() {
    let Some(path) = std::env::var_os(VARIABLE) else {
        println!(
            "skipped: {VARIABLE} names no file; `tests/go-judge/run` makes one with Go and runs this test"
        );
        return;
    };
    let cases: Cases = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    let mut count = Count::default();
    keys(&cases, &mut count);
    signed(&cases.signed, &mut count);
    judged(&cases.judged, &mut count);
    checkpoints(&cases, &mut count);
    tree(&cases.tree, &mut count);
    cases
        .verdicts
        .iter()
        .for_each(|case| proof(case, &mut count));
    count.done("altered proofs");
    big(&cases.big, &mut count);
    tiles(&cases, &mut count);
    println!("go_cases: {} passed, {} failed", count.passed, count.failed);
    assert_eq!(
        count.failed, 0,
        "Go disagrees: COUNTERSIGN_GO_SEED={} tests/go-judge/run repeats this",
        cases.seed
    );
}

fn keys(cases: &Cases, count: &mut Count) {
    // Go takes control characters in names, but no note can hold them.
    let refused = |c: char| cases.refused_in_names.contains(&u32::from(c)) || c < ' ';
    let other: Vec<char> = ('\0'..=char::MAX)
        .filter(|&c| check_name(&format!("a{c}b")).is_err() != refused(c))
        .collect();
    count.check(other.is_empty(), || {
        format!("in names, Go and we differ on {other:?}")
    });
    count.done("characters in names");
    for case in &cases.vkeys {
        let ours = case.vkey.parse::<VerifierKey>();
        let expected = case.ok && case.stricter.is_empty();
        count.check(ours.is_ok() == expected, || {
            format!(
                "the key {:?} ({}): Go {}, we {ours:?}",
                case.vkey, case.stricter, case.ok
            )
        });
        if let Ok(key) = ours {
            count.check(key.to_string() == case.vkey, || {
                format!("the text of the key {}", case.vkey)
            });
        }
    }
    count.done("verifier keys");
}

fn signed(cases: &[SignedCase], count: &mut Count) {
    for case in cases {
        let keys: Vec<SigningKey> = case
            .skeys
            .iter()
            .map(|text| SigningKey::decode(text).unwrap())
            .collect();
        let same = keys
            .iter()
            .map(SigningKey::vkey)
            .eq(case.vkeys.iter().cloned());
        count.check(same, || format!("the public halves of {:?}", case.vkeys));
        let text = std::str::from_utf8(&case.text).unwrap();
        // Ed25519 has one signature for a key and a text: what we sign is what Go signs, so Go
        // opens ours.
        let ours = Note::sign(text, &keys.iter().collect::<Vec<_>>());
        let same = ours.as_ref().is_ok_and(|note| note.as_bytes() == case.note);
        count.check(same, || {
            format!("we sign {} otherwise: {ours:?}", show(&case.note))
        });
        let read = Note::parse(&case.note);
        let same = read.as_ref().is_ok_and(|note| {
            note.text() == text && note.verify(&case.vkeys).as_ref() == Ok(&case.vkeys)
        });
        count.check(same, || {
            format!("we do not open {}: {read:?}", show(&case.note))
        });
    }
    count.done("notes signed by Go");
}

fn judged(cases: &[JudgedCase], count: &mut Count) {
    for case in cases {
        let known: Vec<VerifierKey> = case
            .known
            .iter()
            .filter_map(|vkey| vkey.parse().ok())
            .collect();
        let note = Note::parse(&case.note);
        let late = case.stricter == "R of small order";
        let well = case.well && (case.stricter.is_empty() || late);
        count.check(note.is_ok() == well, || {
            format!(
                "the form ({}): Go {}, we {:?}: {}",
                case.stricter,
                case.well,
                note.as_ref().err(),
                show(&case.note)
            )
        });
        let Ok(note) = note else { continue };
        let ours = note.verify(&known);
        let word = match &ours {
            Ok(_) => "ok",
            Err(error) => match error.code() {
                "note.signature" => "invalid",
                "note.unverified" => "unverified",
                "note.ambiguous_key" => "ambiguous",
                other => other,
            },
        };
        let expected = if late { "invalid" } else { &case.verdict };
        count.check(word == expected, || {
            format!(
                "Go says {}, we say {word}: {}",
                case.verdict,
                show(&case.note)
            )
        });
        if let Ok(signers) = ours {
            let same = signers
                .iter()
                .map(VerifierKey::as_str)
                .eq(case.signers.iter().flatten());
            count.check(same && note.text().as_bytes() == case.text, || {
                format!("text or signers: {}", show(&case.note))
            });
            count.check(note.as_bytes() == case.note, || {
                format!("the bytes are not kept: {}", show(&case.note))
            });
        }
    }
    count.done("altered notes");
}

fn checkpoints(cases: &Cases, count: &mut Count) {
    for case in &cases.checkpoints {
        let ours = Checkpoint::new(&case.origin, case.size, case.root.0).unwrap();
        count.check(ours.text() == case.text, || {
            format!("we write {:?}", case.text)
        });
        count.check(Checkpoint::parse(&case.text).as_ref() == Ok(&ours), || {
            format!("we do not read {:?}", case.text)
        });
        let mut note = ours.sign(&SigningKey::decode(&case.skey).unwrap()).unwrap();
        count.check(note.as_bytes() == case.signed, || {
            format!("we sign {} otherwise", show(&case.signed))
        });
        for witness in case.witness.iter().flatten() {
            note = add_cosignature(
                &note,
                &SigningKey::decode(&witness.skey).unwrap(),
                witness.time,
            )
            .unwrap();
            let found =
                Note::parse(&case.whole).map(|whole| verify_cosignature(&whole, &witness.vkey));
            count.check(found == Ok(Ok(witness.time)), || {
                format!("{}: {found:?} in {}", witness.vkey, show(&case.whole))
            });
        }
        count.check(note.as_bytes() == case.whole, || {
            format!("we cosign {} otherwise", show(&case.whole))
        });
    }
    for case in &cases.checkpoint_texts {
        let ours = std::str::from_utf8(&case.text).ok().map(Checkpoint::parse);
        let expected = case.ok && case.stricter.is_empty();
        let ours = ours.and_then(Result::ok);
        count.check(ours.is_some() == expected, || {
            format!(
                "the checkpoint ({}): Go {}, we {ours:?}: {}",
                case.stricter,
                case.ok,
                show(&case.text)
            )
        });
        if let Some(ours) = ours {
            let same = ours.size() == case.size && hex::encode(&ours.root()) == case.root;
            count.check(same, || format!("size or root of {}", show(&case.text)));
        }
    }
    count.done("checkpoints and cosignatures");
}

fn tree(case: &TreeCase, count: &mut Count) {
    let leaves: Vec<Hash> = case
        .leaves
        .iter()
        .map(|leaf| leaf_hash(&b64::decode(leaf.as_deref().unwrap_or_default()).unwrap()))
        .collect();
    let tree: Tree = leaves.iter().copied().collect();
    let roots: Vec<Hash> = case.roots.iter().map(|&at| case.hashes[at].0).collect();
    let list =
        |proof: &Vec<usize>| -> Vec<Hash> { proof.iter().map(|&at| case.hashes[at].0).collect() };
    count.check(
        roots.len() == leaves.len() + 1 && leaves.len() == 300,
        || "300 leaves".to_owned(),
    );
    for (size, root) in roots.iter().enumerate() {
        let ours = [tree.root_at(size as u64).unwrap(), root_of(&leaves[..size])];
        count.check(ours == [*root; 2], || format!("the root of {size} leaves"));
    }
    for (at, (inclusion, consistency)) in case.inclusion.iter().zip(&case.consistency).enumerate() {
        let size = at + 1;
        let (new, root) = (size as u64, &roots[size]);
        count.check(inclusion.len() == size && consistency.len() == size, || {
            format!("{size} proofs")
        });
        for (index, proof) in inclusion.iter().enumerate() {
            let proof = list(proof);
            let made = tree.inclusion_proof(index as u64, new);
            count.check(made.as_ref() == Some(&proof), || {
                format!("we make another proof of leaf {index} in {size}")
            });
            let ours = verify_inclusion(&leaves[index], index as u64, new, &proof, root);
            count.check(ours.is_ok(), || format!("leaf {index} in {size}: {ours:?}"));
        }
        for (before, proof) in consistency.iter().enumerate() {
            let (old, proof) = (before + 1, list(proof));
            let made = tree.consistency_proof(old as u64, new);
            count.check(made.as_ref() == Some(&proof), || {
                format!("we make another proof from {old} to {size}")
            });
            let ours = verify_consistency(old as u64, &roots[old], new, root, &proof);
            count.check(ours.is_ok(), || format!("from {old} to {size}: {ours:?}"));
        }
    }
    count.done("trees of 1 to 300 leaves, all proofs");
}

fn proof(case: &ProofCase, count: &mut Count) {
    let proof: Vec<Hash> = case.proof.iter().map(|hash| hash.0).collect();
    let ours = if case.include {
        verify_inclusion(&case.start.0, case.old, case.new, &proof, &case.root.0)
    } else {
        verify_consistency(case.old, &case.start.0, case.new, &case.root.0, &proof)
    };
    count.check(ours.is_ok() == case.ok, || {
        format!(
            "inclusion {}: {} in {} with {} hashes: Go {}, we {ours:?}",
            case.include,
            case.old,
            case.new,
            proof.len(),
            case.ok
        )
    });
}

fn big(case: &BigCase, count: &mut Count) {
    let tree: Tree = (0..case.size)
        .map(|i| leaf_hash(format!("{} {i}\n", case.prefix).as_bytes()))
        .collect();
    for (size, root) in &case.roots {
        count.check(tree.root_at(*size) == Some(root.0), || {
            format!("the root of {size} leaves")
        });
    }
    for one in &case.proofs {
        proof(one, count);
        if one.ok {
            let made = if one.include {
                tree.inclusion_proof(one.old, one.new)
            } else {
                tree.consistency_proof(one.old, one.new)
            };
            // An altered proof may still hold, for another size of the same shape: then ours for
            // that size differs.
            let root = tree.root_at(one.new) == Some(one.root.0);
            let same =
                made.is_some_and(|made| made.iter().eq(one.proof.iter().map(|hash| &hash.0)));
            count.check(same || !root, || {
                format!("we make another proof: {} in {}", one.old, one.new)
            });
        }
    }
    for one in &case.tiles {
        let name = || {
            format!(
                "tile {} of level {} in a tree of {}",
                one.n, one.level, one.size
            )
        };
        count.check(
            tile::tile_width(one.level, one.n, one.size) == one.width,
            || format!("the width of {}", name()),
        );
        let ours = tile::hash_tile(&tree, one.level, one.n, one.size);
        count.check(
            ours.is_some_and(|ours| Digest::of(&ours).as_bytes() == &one.sha256.0),
            || format!("the bytes of {}", name()),
        );
        count.check(
            tile::tile_path(one.level, one.n, one.width).as_ref() == Ok(&one.path),
            || format!("the path of {}", name()),
        );
    }
    count.done("a large tree and its tiles");
}

fn tiles(cases: &Cases, count: &mut Count) {
    for case in &cases.new_tiles {
        let ours = tile::new_tiles(case.old, case.new);
        count.check(ours == case.tiles, || {
            format!("the tiles from {} to {}: {ours:?}", case.old, case.new)
        });
    }
    for case in &cases.paths {
        let expected = case.ok.then_some(match case.level {
            Some(level) => TilePath::Hashes {
                level,
                n: case.n,
                width: case.width,
            },
            None => TilePath::Entries {
                n: case.n,
                width: case.width,
            },
        });
        let ours = parse_path(&case.path).ok();
        count.check(ours == expected, || {
            format!("the path {:?}: Go {expected:?}, we {ours:?}", case.path)
        });
    }
    count.done("new tiles and paths");
}
