//! Independent crates agree with our notes and our tree: `signed_note` (Cloudflare's port of Go's
//! `note`, over ed25519-dalek 2) and `ct-merkle` (RFC 6962). What we sign and prove they accept,
//! and the reverse; what one refuses the other refuses, on the published vectors and on random
//! cases.
//!
//! Where the two are meant to differ, the case carries a [`Stricter`] reason, found from the input
//! alone; a difference without one fails. The fixed cases of each reason are in `differences_of_*`.
#![allow(clippy::unwrap_used)]

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{Cursor, Read as _};
use std::path::Path;

use ct_merkle::mem_backed_tree::MemoryBackedTree;
use ct_merkle::{ConsistencyProof, InclusionProof, RootHash};
use kit::rounds;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use protocol::log::{Hash, Tree, leaf_hash, root_of, tile, verify_consistency, verify_inclusion};
use protocol::note::{Alg, MAX_NOTE_BYTES, Note, SigningKey, VerifierKey, check_name};
use protocol::text::hex;
use sha2::Sha256;
use signed_note::{
    NoteError, StandardSigner, StandardVerifier, VerificationError, Verifier, VerifierList,
};

// ---------------------------------------------------------------------------------------------------------------- notes

/// What a reader makes of a note.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Said {
    Malformed,
    Unverified,
    Wrong,
    Ambiguous,
    /// Text, and the keys that have signed, in the order of their lines.
    Good(String, Vec<(String, u32)>),
}

impl Said {
    fn word(&self) -> &'static str {
        match self {
            Said::Malformed => "malformed",
            Said::Unverified => "unverified",
            Said::Wrong => "wrong",
            Said::Ambiguous => "ambiguous",
            Said::Good(..) => "good",
        }
    }
}

fn ours(bytes: &[u8], known: &[VerifierKey]) -> Said {
    let Ok(note) = Note::parse(bytes) else {
        return Said::Malformed;
    };
    match note.verify(known) {
        Ok(keys) => {
            let keys = keys
                .iter()
                .map(|k| (k.name().to_owned(), u32::from_be_bytes(k.id())))
                .collect();
            Said::Good(note.text().to_owned(), keys)
        }
        Err(e) => match e.code() {
            "note.signature" => Said::Wrong,
            "note.unverified" => Said::Unverified,
            "note.ambiguous_key" => Said::Ambiguous,
            other => panic!("verifying says {other}"),
        },
    }
}

fn list(known: &[VerifierKey]) -> VerifierList {
    VerifierList::new(
        known
            .iter()
            .map(|k| Box::new(StandardVerifier::new(k.as_str()).unwrap()) as Box<dyn Verifier>)
            .collect(),
    )
}

fn theirs(bytes: &[u8], known: &[VerifierKey]) -> Said {
    let Ok(note) = signed_note::Note::from_bytes(bytes) else {
        return Said::Malformed;
    };
    match note.verify(&list(known)) {
        Ok((keys, _)) => {
            let text = String::from_utf8(note.text().to_vec()).unwrap();
            Said::Good(
                text,
                keys.iter().map(|s| (s.name().to_owned(), s.id())).collect(),
            )
        }
        Err(NoteError::InvalidSignature { .. }) => Said::Wrong,
        Err(NoteError::UnverifiedNote) => Said::Unverified,
        Err(NoteError::VerificationError(VerificationError::AmbiguousKey { .. })) => {
            Said::Ambiguous
        }
        Err(other) => panic!("verifying says {other}"),
    }
}

/// Why we refuse a note that they take. All are limits of SPEC.md 1, told from the bytes alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stricter {
    /// More than 16 signature lines; they take 100.
    Lines,
    /// A signer name of more than 255 bytes; they have no limit.
    Name,
}

fn stricter(bytes: &[u8]) -> Option<Stricter> {
    let text = std::str::from_utf8(bytes).ok()?;
    let (_, lines) = text.rsplit_once("\n\n")?;
    let names = lines
        .lines()
        .filter_map(|line| line.strip_prefix("— ")?.split_once(' '))
        .map(|(name, _)| name);
    if lines.lines().count() > 16 {
        return Some(Stricter::Lines);
    }
    names
        .into_iter()
        .any(|n| n.len() > 255)
        .then_some(Stricter::Name)
}

/// Both say the same of these bytes, or we are stricter for a reason. Returns what they say.
fn agree(bytes: &[u8], known: &[VerifierKey]) -> Result<Said, TestCaseError> {
    let (we, they) = (ours(bytes, known), theirs(bytes, known));
    if we != they {
        let reason = stricter(bytes).filter(|_| we == Said::Malformed);
        prop_assert!(
            reason.is_some(),
            "we say {we:?}, they say {they:?} of {:?}",
            String::from_utf8_lossy(bytes)
        );
    }
    Ok(they)
}

const NAMES: [&str; 4] = ["140321", "140321/王芳", "countersign/140321", "a"];

fn key(name: &str, seed: u8) -> SigningKey {
    SigningKey::from_seed(name, Alg::Ed25519, [seed; 32]).unwrap()
}

/// Keys of few names, so that names and ids meet often.
fn keys() -> impl Strategy<Value = Vec<(usize, u8)>> {
    vec((0..NAMES.len(), 0u8..5), 1..6)
}

#[derive(Debug, Clone)]
enum Change {
    Flip(Index, u8),
    Remove(Index),
    Insert(Index, &'static str),
    /// Copies one line to another place.
    Copy(Index, Index),
    Swap(Index, Index),
    Cut(Index),
    /// This many lines of strangers behind the last.
    Strangers(usize),
}

fn change() -> impl Strategy<Value = Change> {
    let bits =
        any::<Index>().prop_flat_map(|at| (0u8..8).prop_map(move |bit| Change::Flip(at, bit)));
    let pieces = prop::sample::select(vec![
        "\n", "\n\n", "\0", "\t", "\r", "\u{7f}", "\u{85}", "\u{a0}", "\u{2003}", "\u{2028}", "+",
        "=", " ", "  ", "— ", "-", "—", "A", "é", "\u{1}",
    ]);
    prop_oneof![
        4 => bits,
        2 => any::<Index>().prop_map(Change::Remove),
        4 => (any::<Index>(), pieces).prop_map(|(at, piece)| Change::Insert(at, piece)),
        2 => (any::<Index>(), any::<Index>()).prop_map(|(a, b)| Change::Copy(a, b)),
        1 => (any::<Index>(), any::<Index>()).prop_map(|(a, b)| Change::Swap(a, b)),
        1 => any::<Index>().prop_map(Change::Cut),
        1 => prop::sample::select(vec![1, 11, 15, 16, 17, 99, 100, 101]).prop_map(Change::Strangers),
    ]
}

fn altered(note: &[u8], changes: &[Change]) -> Vec<u8> {
    let mut bytes = note.to_vec();
    for change in changes {
        if bytes.is_empty() {
            break;
        }
        let lines = |bytes: &[u8]| {
            bytes
                .split_inclusive(|b| *b == b'\n')
                .map(<[u8]>::to_vec)
                .collect::<Vec<_>>()
        };
        match change {
            Change::Flip(at, bit) => {
                let at = at.index(bytes.len());
                bytes[at] ^= 1 << bit;
            }
            Change::Remove(at) => drop(bytes.remove(at.index(bytes.len()))),
            Change::Insert(at, piece) => {
                let at = at.index(bytes.len() + 1);
                bytes.splice(at..at, piece.bytes());
            }
            Change::Copy(from, to) => {
                let mut all = lines(&bytes);
                let line = all[from.index(all.len())].clone();
                all.insert(to.index(all.len() + 1), line);
                bytes = all.concat();
            }
            Change::Swap(a, b) => {
                let mut all = lines(&bytes);
                let n = all.len();
                all.swap(a.index(n), b.index(n));
                bytes = all.concat();
            }
            Change::Cut(at) => bytes.truncate(at.index(bytes.len())),
            Change::Strangers(n) => {
                (0..*n).for_each(|i| bytes.extend(format!("— s{i} AAAAAAA=\n").bytes()))
            }
        }
    }
    bytes
}

#[test]
fn random_notes_have_the_same_bytes_and_open_both_ways() {
    rounds(
        300,
        (
            "([a-z ]{0,8}|[—\u{85}\u{a0}中é]{1,3})(\n[ -~]{0,12}){0,4}\n",
            keys(),
            any::<bool>(),
        ),
        |(text, signers, all)| {
            let signers: BTreeMap<_, _> = signers
                .into_iter()
                .map(|(n, s)| ((n, s), key(NAMES[n], s)))
                .collect();
            let signers: Vec<SigningKey> = signers.into_values().collect();
            let note = Note::sign(&text, &signers.iter().collect::<Vec<_>>()).unwrap();
            // Their signers read our keys, and sign the same.
            let peers: Vec<StandardSigner> = signers
                .iter()
                .map(|k| StandardSigner::new(&k.encode()).unwrap())
                .collect();
            let mut same = signed_note::Note::new(text.as_bytes(), &[]).unwrap();
            same.add_sigs(
                &peers
                    .iter()
                    .map(|k| k as &dyn signed_note::Signer)
                    .collect::<Vec<_>>(),
            )
            .unwrap();
            prop_assert_eq!(same.to_bytes(), note.as_bytes());
            let known: Vec<VerifierKey> = signers
                .iter()
                .map(SigningKey::vkey)
                .take(if all { signers.len() } else { 1 })
                .collect();
            let said = agree(&same.to_bytes(), &known)?;
            let keys = known
                .iter()
                .map(|k| (k.name().to_owned(), u32::from_be_bytes(k.id())))
                .collect();
            prop_assert_eq!(said, Said::Good(text, keys));
            Ok(())
        },
    );
}

#[test]
fn altered_notes_are_refused_by_both() {
    let seen: RefCell<BTreeMap<&str, u32>> = RefCell::default();
    let values = (
        "[a-z]{1,4}(\n\n?[a-z]{0,4}){0,2}\n",
        keys(),
        keys(),
        vec(change(), 0..4),
    );
    rounds(6000, values, |(text, signers, known, changes)| {
        let signers: BTreeSet<(usize, u8)> = signers.into_iter().collect();
        let signers: Vec<SigningKey> = signers.into_iter().map(|(n, s)| key(NAMES[n], s)).collect();
        let note = Note::sign(&text, &signers.iter().collect::<Vec<_>>()).unwrap();
        // Some are the signers', some strangers of the same names.
        let known: BTreeSet<(usize, u8)> = known.into_iter().collect();
        let known: Vec<VerifierKey> = known
            .into_iter()
            .map(|(n, s)| key(NAMES[n], s).vkey())
            .collect();
        let bytes = altered(note.as_bytes(), &changes);
        let said = agree(&bytes, &known)?;
        if let Said::Good(read, keys) = &said {
            // Whatever was done to it: what is accepted is what somebody signed.
            prop_assert_eq!(read, &text);
            let is_signer = |(name, id): &(String, u32)| {
                let mut signers = signers.iter();
                signers.any(|k| k.name() == name && u32::from_be_bytes(k.id()) == *id)
            };
            prop_assert!(keys.iter().all(is_signer));
        }
        *seen.borrow_mut().entry(said.word()).or_default() += 1;
        Ok(())
    });
    let seen = seen.into_inner();
    for word in ["good", "wrong", "unverified", "malformed"] {
        assert!(
            seen.get(word).is_some_and(|n| *n >= 100),
            "too few notes are {word} to show anything: {seen:?}"
        );
    }
}

/// Bytes of each part of an evidence file, entries of bundles singly. Files that are no zip have
/// none.
fn notes_in(zip: &[u8]) -> Vec<Vec<u8>> {
    let Ok(mut archive) = zip::ZipArchive::new(Cursor::new(zip)) else {
        return vec![];
    };
    let mut all = Vec::new();
    for n in 0..archive.len() {
        let mut bytes = Vec::new();
        let Ok(mut part) = archive.by_index(n) else {
            continue;
        };
        let Ok(path) = part.name().map(std::borrow::Cow::into_owned) else {
            continue;
        };
        if part.read_to_end(&mut bytes).is_err() {
            continue;
        }
        if path.contains("/entries/") {
            all.extend(tile::decode_bundle(&bytes).unwrap_or_default());
        } else if path.ends_with(".note") {
            all.push(bytes);
        }
    }
    all
}

/// Every Ed25519 verifier key that a document names, wherever it stands.
fn named_keys(value: &serde_json::Value, keys: &mut BTreeSet<VerifierKey>) {
    match value {
        serde_json::Value::String(text) => keys.extend(
            text.parse::<VerifierKey>()
                .ok()
                .filter(|k| k.alg() == Alg::Ed25519),
        ),
        serde_json::Value::Array(list) => list.iter().for_each(|v| named_keys(v, keys)),
        serde_json::Value::Object(map) => map.values().for_each(|v| named_keys(v, keys)),
        _ => {}
    }
}

fn vectors() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/vectors")
}

/// Every note of every published file, honest or refused: both open it with the same keys, or both
/// refuse it.
#[test]
fn notes_of_the_vectors() {
    let vectors = vectors();
    let names = |dir: &Path| {
        std::fs::read_dir(dir)
            .unwrap()
            .map(|f| f.unwrap().path())
            .collect::<Vec<_>>()
    };
    let (mut notes, mut keys) = (BTreeSet::new(), BTreeSet::new());
    for path in names(&vectors)
        .into_iter()
        .chain(names(&vectors.join("refuse")))
        .filter(|p| p.extension().is_some_and(|e| e == "zip"))
    {
        notes.extend(notes_in(&std::fs::read(path).unwrap()));
    }
    let json: serde_json::Value =
        serde_json::from_slice(&std::fs::read(vectors.join("notes.json")).unwrap()).unwrap();
    named_keys(&json, &mut keys);
    notes.insert(json["note"].as_str().unwrap().as_bytes().to_vec());
    let refused: Vec<&str> = json["refused"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| r["note"].as_str().unwrap())
        .collect();
    for note in &notes {
        let second = std::str::from_utf8(note)
            .ok()
            .and_then(|n| n.lines().nth(1))
            .and_then(|l| serde_json::from_str(l).ok());
        named_keys(&second.unwrap_or_default(), &mut keys);
    }
    let keys: Vec<VerifierKey> = keys.into_iter().collect();
    assert!(
        notes.len() > 400 && keys.len() > 20,
        "{} notes, {} keys",
        notes.len(),
        keys.len()
    );
    let mut count: BTreeMap<&str, u32> = BTreeMap::new();
    for note in &notes {
        *count.entry(agree(note, &keys).unwrap().word()).or_default() += 1;
    }
    assert!(
        count["good"] > 300 && count["wrong"] > 0 && count["malformed"] > 0,
        "{count:?}"
    );
    for note in refused {
        agree(note.as_bytes(), &keys).unwrap();
        assert!(
            !matches!(ours(note.as_bytes(), &keys), Said::Good(..)),
            "{note:?}"
        );
    }
}

/// Where the readings of a note differ, and why.
#[test]
fn differences_of_notes() {
    let a = key("a", 1);
    let note = Note::sign("text\n", &[&a]).unwrap();
    let plain = String::from_utf8(note.as_bytes().to_vec()).unwrap();
    let both = |bytes: &[u8], known: &[VerifierKey]| {
        (ours(bytes, known).word(), theirs(bytes, known).word())
    };
    let vkey = a.vkey();
    let known = std::slice::from_ref(&vkey);
    let strangers = |n: usize| {
        plain.clone()
            + &(0..n)
                .map(|i| format!("— s{i} AAAAAAA=\n"))
                .collect::<String>()
    };
    // 16 lines are what C2SP asks for; a statement has one, a rollup four.
    assert_eq!(both(strangers(15).as_bytes(), known), ("good", "good"));
    assert_eq!(both(strangers(16).as_bytes(), known), ("malformed", "good"));
    assert_eq!(both(strangers(99).as_bytes(), known), ("malformed", "good"));
    assert_eq!(
        both(strangers(100).as_bytes(), known),
        ("malformed", "malformed")
    );
    // Names are bounded so that an index can hold them.
    for (length, we) in [(255, "good"), (256, "malformed")] {
        let named = format!("{plain}— {} AAAAAAA=\n", "n".repeat(length));
        assert_eq!(both(named.as_bytes(), known), (we, "good"));
    }
    // Size: 2^20 bytes here, 10^6 there. The only place where we take what they refuse.
    for (length, we, they) in [
        (1_000_000, "good", "good"),
        (1_000_001, "good", "malformed"),
        (MAX_NOTE_BYTES, "good", "malformed"),
    ] {
        let overhead = plain.len() - "text\n".len();
        let text = "x".repeat(length - overhead - 1) + "\n";
        let large = Note::sign(&text, &[&a]).unwrap();
        assert_eq!(large.as_bytes().len(), length);
        assert_eq!(both(large.as_bytes(), known), (we, they));
        let larger = [b"x", large.as_bytes()].concat();
        assert!(length < MAX_NOTE_BYTES || both(&larger, known) == ("malformed", "malformed"));
    }
    // A key that the caller lists twice is one key here: the same unit may stand in two registry
    // versions.
    assert_eq!(
        both(note.as_bytes(), &[vkey.clone(), vkey.clone()]),
        ("good", "ambiguous")
    );
    // They write a note without signatures, which neither reads; we do not make it.
    let unsigned = signed_note::Note::new(b"text\n", &[]).unwrap().to_bytes();
    assert_eq!(both(&unsigned, known), ("malformed", "malformed"));
    assert!(Note::sign("text\n", &[]).is_err());
    // They replace a line of the same key and put it last; we keep the note as it is.
    let mut twice = signed_note::Note::from_bytes(
        Note::sign("text\n", &[&a, &key("b", 2)])
            .unwrap()
            .as_bytes(),
    )
    .unwrap();
    twice
        .add_sigs(&[&StandardSigner::new(&a.encode()).unwrap()])
        .unwrap();
    let first = Note::sign("text\n", &[&a, &key("b", 2)]).unwrap();
    assert_eq!(first.add_signature(&a).unwrap(), first);
    assert_eq!(
        twice.to_bytes(),
        Note::sign("text\n", &[&key("b", 2), &a])
            .unwrap()
            .as_bytes()
    );
}

/// Whether we take this key text, and whether they do.
fn both(text: &str) -> (bool, bool) {
    (
        text.parse::<VerifierKey>().is_ok(),
        StandardVerifier::new(text).is_ok(),
    )
}

/// Key texts: what we take they take, but for cosignature keys; what we refuse beyond them is told
/// by the case.
#[test]
fn differences_of_keys() {
    let vkey = key("a", 1).vkey();
    let text = vkey.as_str();
    let of_alg = |alg: u8, name: &str, public: [u8; 32]| {
        let data = [&[alg][..], &public].concat();
        format!(
            "{name}+{:08x}+{}",
            signed_note::key_id(name, &data),
            protocol::text::b64::encode(&data)
        )
    };
    let of = |name: &str, public| of_alg(1, name, public);
    let mut y = [0; 32];
    y[0] = 3;
    assert_eq!(
        (
            both(text),
            both(&of("a", *vkey.public())),
            both(&of("a", y))
        ),
        ((true, true), (true, true), (true, true))
    );
    let id = text.split('+').nth(1).unwrap();
    for wrong in [
        "",
        "a",
        "a+",
        "a++",
        &text[1..],
        &text.replace("a+", "b+"),
        &text.replace(id, &id[..7]),
        &text.replace(id, "00000000"),
        &format!("{text}="),
        &text[..text.len() - 1],
        &format!(" {text}"),
        &of("a b", *vkey.public()),
        &of("a\u{a0}b", *vkey.public()),
        // ECDSA, which neither takes here.
        &of_alg(2, "a", *vkey.public()),
    ] {
        assert_eq!(both(wrong), (false, false), "{wrong:?}");
    }
    let stricter = [
        // One key has one text.
        (
            text.replace(id, &id.to_uppercase()),
            id.to_uppercase() != id,
        ),
        // A control character can stand in no note, so no line could be its.
        (of("a\u{1}b", *vkey.public()), true),
        (of(&"n".repeat(256), *vkey.public()), true),
        // Of small order (the identity), and y = 3 written as p + 3: keys that verify what nobody
        // signed, or have two texts.
        (
            of("a", {
                let mut y = [0; 32];
                y[0] = 1;
                y
            }),
            true,
        ),
        (
            of("a", {
                let mut y = [0xff; 32];
                (y[0], y[31]) = (0xf0, 0x7f);
                y
            }),
            true,
        ),
    ];
    for (text, differs) in stricter {
        assert!(
            differs && both(&text) == (false, true),
            "{text:?}: {:?}",
            both(&text)
        );
    }
}

#[test]
fn cosignature_keys_and_names() {
    // Algorithm 4, cosignatures, is C2SP's tlog-cosignature: they do not have it.
    let witness = SigningKey::from_seed("a/witness", Alg::CosignatureV1, [1; 32]).unwrap();
    assert_eq!(both(witness.vkey().as_str()), (true, false));
    assert!(StandardSigner::new(&witness.encode()).is_err());
    // Names, character by character.
    for c in ('\0'..=char::MAX).filter(|c| u32::from(*c) < 0x3100 || u32::from(*c) % 251 == 0) {
        let name = format!("a{c}b");
        let control = c < ' ';
        assert_eq!(
            check_name(&name).is_ok(),
            signed_note::is_key_name_valid(&name) && !control,
            "{c:?}"
        );
    }
}

// ----------------------------------------------------------------------------------------------------------------- tree

type Peer = MemoryBackedTree<Sha256, Vec<u8>>;

fn root_hash(root: &Hash, size: u64) -> RootHash<Sha256> {
    RootHash::new((*root).into(), size)
}

/// What both say of an inclusion proof; they must say the same.
fn inclusion(leaf: &Vec<u8>, index: u64, size: u64, proof: &[Hash], root: &Hash) -> bool {
    let we = verify_inclusion(&leaf_hash(leaf), index, size, proof, root).is_ok();
    let they = root_hash(root, size)
        .verify_inclusion(leaf, index, &InclusionProof::from_bytes(proof.concat()))
        .is_ok();
    assert_eq!(we, they, "leaf {index} in {size}, {} hashes", proof.len());
    we
}

/// The same for a consistency proof. `old` is at least 1: see `differences_of_trees`.
fn consistency(old: u64, old_root: &Hash, new: u64, new_root: &Hash, proof: &[Hash]) -> bool {
    let we = verify_consistency(old, old_root, new, new_root, proof).is_ok();
    let proof = ConsistencyProof::<Sha256>::try_from_bytes(proof.concat()).unwrap();
    let they = root_hash(new_root, new)
        .verify_consistency(&root_hash(old_root, old), &proof)
        .is_ok();
    assert_eq!(we, they, "from {old} to {new}");
    we
}

/// A proof with one thing done to it: hashes flipped, swapped, dropped, added. None of these can
/// hold.
fn alterations(proof: &[Hash], at: usize, bit: usize) -> Vec<Vec<Hash>> {
    let mut all = vec![[proof, &[[7; 32]]].concat()];
    if !proof.is_empty() {
        let at = at % proof.len();
        let mut flipped = proof.to_vec();
        flipped[at][bit / 8 % 32] ^= 1 << (bit % 8);
        let mut without = proof.to_vec();
        without.remove(at);
        all.extend([flipped, without]);
        if proof.len() > 1 {
            let mut swapped = proof.to_vec();
            swapped.swap(at, (at + 1) % proof.len());
            all.push(swapped);
        }
    }
    all
}

#[test]
fn trees_have_the_same_roots_and_proofs_both_ways() {
    rounds(
        12,
        (
            vec(vec(any::<u8>(), 0..40), 1..400),
            vec(any::<(Index, Index, usize)>(), 60),
        ),
        |(leaves, places)| {
            let hashes: Vec<Hash> = leaves.iter().map(|l| leaf_hash(l)).collect();
            let (mut tree, mut peer) = (Tree::new(), Peer::new());
            let mut sizes: Vec<Peer> = vec![peer.clone()];
            for leaf in &leaves {
                tree.push(leaf_hash(leaf));
                peer.push(leaf.clone());
                let (ours, theirs) = (tree.root(), peer.root());
                prop_assert_eq!(&ours[..], theirs.as_bytes().as_slice());
                prop_assert_eq!(peer.root().num_leaves(), tree.len());
                // Enough of the smaller trees to ask them for proofs.
                sizes.push(
                    if places
                        .iter()
                        .any(|(a, _, _)| a.index(leaves.len()) + 1 == leaves_in(&peer))
                    {
                        peer.clone()
                    } else {
                        Peer::new()
                    },
                );
            }
            for (size, index, spot) in &places {
                let size = size.index(leaves.len()) + 1;
                let index = index.index(size);
                prop_assert_eq!(tree.root_at(size as u64).unwrap(), root_of(&hashes[..size]));
                inclusion_agrees(&tree, &sizes[size], &leaves[index], (index, size), *spot)?;
                consistency_agrees(&tree, &sizes[size], (index, size), *spot)?;
            }
            Ok(())
        },
    );
}

/// One proof that a leaf is in the tree of a size, of both makings, and what is no proof of it.
fn inclusion_agrees(
    tree: &Tree,
    peer: &Peer,
    leaf: &Vec<u8>,
    (index, size): (usize, usize),
    spot: usize,
) -> Result<(), TestCaseError> {
    let (new, at) = (size as u64, index as u64);
    let root = tree.root_at(new).unwrap();

    let proof = tree.inclusion_proof(at, new).unwrap();
    let made = peer.prove_inclusion(index);
    prop_assert_eq!(proof.concat(), made.as_bytes());
    prop_assert!(inclusion(leaf, at, new, &proof, &root));
    for altered in alterations(&proof, spot, spot / 7) {
        prop_assert!(altered == proof || !inclusion(leaf, at, new, &altered, &root));
    }
    let mut wrong = root;
    wrong[spot % 32] ^= 1;
    prop_assert!(!inclusion(leaf, at, new, &proof, &wrong));
    let mut other = leaf.clone();
    other.push(0);
    prop_assert!(!inclusion(&other, at, new, &proof, &root));
    // Another place or size may have a proof of the same form: both must say the same
    // of it.
    for (at, new) in [
        (at + 1, new),
        (at ^ 1, new),
        (at, new + 1),
        (at, new - 1),
        (at, new * 2),
        (new, new),
    ] {
        inclusion(leaf, at, new, &proof, &root);
    }

    Ok(())
}

/// The same for the proof that the tree of a size continues a smaller one.
fn consistency_agrees(
    tree: &Tree,
    peer: &Peer,
    (index, size): (usize, usize),
    spot: usize,
) -> Result<(), TestCaseError> {
    let (old, new) = (index as u64 + 1, size as u64);
    let root = tree.root_at(new).unwrap();
    let mut wrong = root;
    wrong[spot % 32] ^= 1;
    let old_root = tree.root_at(old).unwrap();
    let proof = tree.consistency_proof(old, new).unwrap();
    let made = peer.prove_consistency(size - index - 1);
    prop_assert_eq!(proof.concat(), made.as_bytes());
    prop_assert!(consistency(old, &old_root, new, &root, &proof));
    for altered in alterations(&proof, spot, spot / 7) {
        prop_assert!(altered == proof || !consistency(old, &old_root, new, &root, &altered));
    }
    prop_assert!(!consistency(old, &old_root, new, &wrong, &proof));
    let mut forked = old_root;
    forked[spot % 32] ^= 1;
    prop_assert!(!consistency(old, &forked, new, &root, &proof));
    prop_assert!(
        old == new || !consistency(new, &root, old, &old_root, &proof),
        "a log shrinks"
    );
    for (old, new) in [
        (old + 1, new),
        (old, new + 1),
        (old, new * 2),
        (old * 2, new * 2),
        (old, new.saturating_sub(1)),
    ] {
        consistency(old, &old_root, new, &root, &proof);
    }
    Ok(())
}

fn leaves_in(peer: &Peer) -> usize {
    usize::try_from(peer.len()).unwrap()
}

/// All proofs of all small trees, each way.
#[test]
fn every_proof_of_small_trees() {
    let leaf = |n: u64| n.to_be_bytes().to_vec();
    let (mut tree, mut peer) = (Tree::new(), Peer::new());
    for size in 1..=40u64 {
        tree.push(leaf_hash(&leaf(size - 1)));
        peer.push(leaf(size - 1));
        let root = tree.root();
        for index in 0..size {
            let proof = tree.inclusion_proof(index, size).unwrap();
            assert_eq!(
                proof.concat(),
                peer.prove_inclusion(usize::try_from(index).unwrap())
                    .as_bytes()
            );
            for other in 0..size {
                assert_eq!(
                    inclusion(&leaf(other), index, size, &proof, &root),
                    other == index
                );
                assert_eq!(
                    inclusion(&leaf(index), other, size, &proof, &root),
                    other == index
                );
            }
            let old = index + 1;
            let proof = tree.consistency_proof(old, size).unwrap();
            assert_eq!(
                proof.concat(),
                peer.prove_consistency(usize::try_from(size - old).unwrap())
                    .as_bytes()
            );
            for other in 1..=size {
                let holds = consistency(other, &tree.root_at(other).unwrap(), size, &root, &proof);
                assert_eq!(
                    holds,
                    other == old,
                    "{other} to {size} by the proof from {old}"
                );
            }
        }
    }
}

fn decoded(value: &serde_json::Value) -> Vec<u8> {
    hex::decode(value.as_str().unwrap()).unwrap()
}

fn proof_of(value: &serde_json::Value) -> Vec<Hash> {
    value["proof"]
        .as_array()
        .unwrap()
        .iter()
        .map(|h| decoded(h).try_into().unwrap())
        .collect()
}

/// `tests/vectors/log.json` as ct-merkle sees it, and the logs of both evidence files.
#[test]
fn logs_of_the_vectors() {
    let json: serde_json::Value =
        serde_json::from_slice(&std::fs::read(vectors().join("log.json")).unwrap()).unwrap();
    let list = |name: &str| json[name].as_array().unwrap().clone();
    let leaves: Vec<Vec<u8>> = list("leaves").iter().map(decoded).collect();
    let roots: Vec<Hash> = list("roots")
        .iter()
        .map(|r| decoded(r).try_into().unwrap())
        .collect();
    let mut peer = Peer::new();
    assert_eq!(peer.root().as_bytes().as_slice(), roots[0]);
    for (leaf, root) in leaves.iter().zip(&roots[1..]) {
        peer.push(leaf.clone());
        assert_eq!(peer.root().as_bytes().as_slice(), root);
    }
    for case in list("inclusion") {
        let (index, size) = (
            case["index"].as_u64().unwrap(),
            case["size"].as_u64().unwrap(),
        );
        let (index_at, size_at) = (
            usize::try_from(index).unwrap(),
            usize::try_from(size).unwrap(),
        );
        assert!(inclusion(
            &leaves[index_at],
            index,
            size,
            &proof_of(&case),
            &roots[size_at]
        ));
    }
    for case in list("consistency").iter().filter(|c| c["old"] != 0) {
        let (old, new) = (case["old"].as_u64().unwrap(), case["new"].as_u64().unwrap());
        let root = |n: u64| roots[usize::try_from(n).unwrap()];
        assert!(consistency(
            old,
            &root(old),
            new,
            &root(new),
            &proof_of(case)
        ));
    }
    for file in ["evidence-small.zip", "evidence-world.zip"] {
        let evidence =
            protocol::evidence::file::read(&std::fs::read(vectors().join(file)).unwrap()).unwrap();
        for (id, part) in &evidence.units {
            let mut peer = Peer::new();
            let mut read = 0;
            for (size, checkpoint) in &part.checkpoints {
                for entry in &part.entries[read..usize::try_from(*size).unwrap()] {
                    peer.push(entry.clone());
                    read += 1;
                }
                let checkpoint = protocol::log::Checkpoint::parse(checkpoint.text()).unwrap();
                assert_eq!(
                    (checkpoint.size(), &checkpoint.root()[..]),
                    (peer.len(), peer.root().as_bytes().as_slice()),
                    "{file}: {id}"
                );
            }
            assert!(read > 0 && read == part.entries.len());
        }
    }
}

/// Where the readings of a proof differ, and why.
#[test]
fn differences_of_trees() {
    let tree: Tree = (0..5u8).map(|n| leaf_hash(&[n])).collect();
    let (empty, root) = (tree.root_at(0).unwrap(), tree.root());
    // A log of size 0 is the start of every log: a unit's first checkpoint extends nothing.
    // ct-merkle has no such proof.
    assert!(verify_consistency(0, &empty, 5, &root, &[]).is_ok());
    let none = ConsistencyProof::<Sha256>::try_from_bytes(vec![]).unwrap();
    assert!(
        root_hash(&root, 5)
            .verify_consistency(&root_hash(&empty, 0), &none)
            .is_err()
    );
    // Both refuse an empty tree with another root, or with a proof.
    assert!(
        verify_consistency(0, &root, 5, &root, &[]).is_err()
            && verify_consistency(0, &empty, 5, &root, &[root]).is_err()
    );
    // Sizes from 2^63 on: no checkpoint has them (they are refused there), so proofs of them are
    // never asked for. Up to there both have the same number of hashes.
    for size in [1 << 40, (1 << 62) + 1, (1 << 63) - 1, 1 << 63] {
        for index in [0, 1, 12_345, size / 2, size - 2, size - 1] {
            let they = ct_merkle::indices_for_inclusion_proof(size, index).len();
            let found = verify_inclusion(&empty, index, size, &[], &root).unwrap_err();
            assert_eq!(
                found,
                protocol::log::tree::ProofError::Length {
                    expected: they,
                    found: 0
                },
                "{index} in {size}"
            );
            if index + 1 < size {
                let they =
                    ct_merkle::indices_for_consistency_proof(index + 1, size - index - 1).len();
                let found = verify_consistency(index + 1, &root, size, &root, &vec![root; 300])
                    .unwrap_err();
                assert_eq!(
                    found,
                    protocol::log::tree::ProofError::Length {
                        expected: they,
                        found: 300
                    },
                    "{index} to {size}"
                );
            }
        }
    }
    // An entry is at most 65,535 bytes in a bundle; as a leaf any bytes are hashed alike.
    let long = vec![9; 70_000];
    let mut peer = Peer::new();
    peer.push(long.clone());
    assert_eq!(peer.root().as_bytes().as_slice(), leaf_hash(&long));
}
