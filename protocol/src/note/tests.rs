//! Tests of notes and keys: Go's and C2SP's vectors, then what must be refused.

use super::*;
use crate::digest::Digest;

use proptest::prelude::*;

/// golang.org/x/mod/sumdb/note, `note_test.go`.
const GO_TEXT: &str = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
const GO_SECRET: &str =
    "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
const GO_KEY: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const GO_LINE: &str = "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
const ENOCH_KEY: &str = "EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop";
const ENOCH_LINE: &str = "— EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n";

fn signer(name: &str, seed: u8) -> SigningKey {
    SigningKey::from_seed(name, Alg::Ed25519, [seed; 32]).unwrap()
}

fn parse(text: &str) -> Result<Note, NoteError> {
    Note::parse(text.as_bytes())
}

fn code<T: std::fmt::Debug>(result: Result<T, NoteError>) -> &'static str {
    result.unwrap_err().code()
}

#[test]
fn vector_of_go() {
    let key = SigningKey::decode(GO_SECRET).unwrap();
    assert_eq!(key.vkey().to_string(), GO_KEY);
    assert_eq!(*key.encode(), GO_SECRET);
    let note = Note::sign(GO_TEXT, &[&key]).unwrap();
    let bytes = format!("{GO_TEXT}\n{GO_LINE}");
    assert_eq!(note.as_bytes(), bytes.as_bytes());
    assert_eq!(parse(&bytes).unwrap(), note);
    assert_eq!(
        (note.text(), note.digest()),
        (GO_TEXT, Digest::of(GO_TEXT.as_bytes()))
    );
    let known: VerifierKey = GO_KEY.parse().unwrap();
    assert_eq!(note.verify(std::slice::from_ref(&known)), Ok(vec![known]));
}

#[test]
fn second_signer_of_go() {
    // EnochRoot's key is the one of the seed of zeroes.
    let enoch = signer("EnochRoot", 0);
    assert_eq!(enoch.vkey().to_string(), ENOCH_KEY);
    let peter = SigningKey::decode(GO_SECRET).unwrap();
    let both = format!("{GO_TEXT}\n{GO_LINE}{ENOCH_LINE}");
    let note = Note::sign(GO_TEXT, &[&peter, &enoch]).unwrap();
    assert_eq!(note.as_bytes(), both.as_bytes());
    let one = Note::sign(GO_TEXT, &[&peter]).unwrap();
    assert_eq!(one.add_signature(&enoch).unwrap(), note);
    assert_eq!(
        one.merge(&Note::sign(GO_TEXT, &[&enoch]).unwrap()).unwrap(),
        note
    );
    assert_eq!(
        note.verify(&[enoch.vkey(), peter.vkey()]).unwrap(),
        [peter.vkey(), enoch.vkey()]
    );
    assert_eq!(note.verify(&[enoch.vkey()]).unwrap(), [enoch.vkey()]);
}

#[test]
fn vector_of_c2sp() {
    let key: VerifierKey = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
        .parse()
        .unwrap();
    let note = parse(
        "This is an example message.\n\n— example.com/foo \
        Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n",
    )
    .unwrap();
    assert_eq!(
        (key.name(), key.id(), key.alg()),
        ("example.com/foo", [0x53, 0x0d, 0x90, 0x3a], Alg::Ed25519)
    );
    assert_eq!(note.verify(&[key]).unwrap().len(), 1);
    // A key whose base64 contains a plus sign, and one for cosignatures (transparency-dev/formats).
    let plus: VerifierKey = "TEST+7997405c+AQcC+FTVKf0jlTdHDY3rbevmnKxxPjigCXlVtGe6RIr6"
        .parse()
        .unwrap();
    assert_eq!(plus.name(), "TEST");
    let witness: VerifierKey =
        "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2"
            .parse()
            .unwrap();
    assert_eq!(witness.alg(), Alg::CosignatureV1);
}

#[test]
fn malformed_notes_are_refused() {
    let good = format!("{GO_TEXT}\n{GO_LINE}");
    assert!(parse(&good).is_ok());
    let line = GO_LINE.trim_end();
    for bad in [
        "",
        "\n",
        "\n\n",
        "text\n",
        "text\n\n",
        GO_LINE,
        &format!("{GO_TEXT}{GO_LINE}"), // no empty line
        &good[..good.len() - 1],        // no newline at the end
        &format!("{good}\n"),           // a second empty line
        &format!("{good}x\n"),
        &format!("{good}\n{line}"),
        &format!("{GO_TEXT}\n{}", GO_LINE.replace('—', "-")),
        &format!("{GO_TEXT}\n{}", GO_LINE.replace("— ", "—")),
        &format!("{GO_TEXT}\n{}", GO_LINE.replace("— ", "—\u{a0}")),
        &format!("{GO_TEXT}\n{line} \n"),
        &format!("{GO_TEXT}\n {GO_LINE}"),
        &format!("{GO_TEXT}\n— PeterNeumann\n"),
        &format!("{GO_TEXT}\n— PeterNeumann \n"),
        &format!("{GO_TEXT}\n— PeterNeumann AAAAAA==\n"), // 4 bytes
        &format!("{GO_TEXT}\n— PeterNeumann AAAAAAB\n"),  // no padding
        &format!("{GO_TEXT}\n— PeterNeumann AAAAAAB=\n"), // spare bits
        &good.replace('\n', "\r\n"),
        &good.replace("know", "kn\tow"),
        &good.replace("know", "kn\0ow"),
    ] {
        assert_eq!(code(parse(bad)), "note.malformed", "{bad:?}");
    }
    for name in ["", "a+b"] {
        assert_eq!(
            code(parse(&format!("{GO_TEXT}\n— {name} AAAAAAA=\n"))),
            "note.name",
            "{name:?}"
        );
    }
    assert_eq!(
        code(parse(&format!("{GO_TEXT}\n— a\u{2003}b AAAAAAA=\n"))),
        "note.name"
    );
    assert_eq!(
        code(parse(&format!(
            "{GO_TEXT}\n— {} AAAAAAA=\n",
            "n".repeat(256)
        ))),
        "note.name"
    );
    assert_eq!(
        code(Note::parse(b"text\xff\n\n\xe2\x80\x94 a AAAAAAA=\n")),
        "note.malformed"
    );
    assert_eq!(
        code(Note::parse(&vec![b'a'; MAX_NOTE_BYTES + 1])),
        "note.too_large"
    );
    let lines = |n: usize| {
        (0..n)
            .map(|i| format!("— n{i} AAAAAAA=\n"))
            .collect::<String>()
    };
    assert!(parse(&format!("t\n\n{}", lines(16))).is_ok());
    assert_eq!(
        code(parse(&format!("t\n\n{}", lines(17)))),
        "note.too_many_signatures"
    );
}

#[test]
fn the_text_ends_at_the_last_empty_line() {
    let key = signer("k", 1);
    for text in ["\n", "\n\n", "a\n\nb\n", "a\n\n\n", "a\n\n— k AAAAAAA=\n"] {
        let note = Note::sign(text, &[&key]).unwrap();
        assert_eq!(note.text(), text);
        let again = Note::parse(note.as_bytes()).unwrap();
        assert_eq!(
            (again.text(), again.verify(&[key.vkey()]).unwrap().len()),
            (text, 1)
        );
        assert_eq!(again, note);
    }
}

#[test]
fn verification_follows_go() {
    let (a, b, stranger) = (signer("a", 1), signer("b", 2), signer("a", 3));
    let note = Note::sign("text\n", &[&a, &b]).unwrap();
    let changed = parse(
        &String::from_utf8(note.as_bytes().to_vec())
            .unwrap()
            .replace("text", "test"),
    )
    .unwrap();
    // A wrong signature of a known key refuses the note, also when another one holds.
    assert_eq!(code(changed.verify(&[a.vkey()])), "note.signature");
    let (good, bad) = (
        note.signatures()[0].clone(),
        changed.signatures()[1].clone(),
    );
    let flipped: Vec<u8> = bad.blob().iter().map(|byte| byte ^ 1).collect();
    let mixed = Note::sign("text\n", &[&a])
        .unwrap()
        .add_line("b", b.id(), &flipped)
        .unwrap();
    assert_eq!(code(mixed.verify(&[a.vkey(), b.vkey()])), "note.signature");
    assert_eq!(mixed.verify(&[a.vkey()]).unwrap(), [a.vkey()]);
    // The name alone, or the id alone, finds no key.
    assert_eq!(code(note.verify(&[stranger.vkey()])), "note.unverified");
    assert_eq!(code(note.verify(&[])), "note.unverified");
    let renamed = Note::sign("text\n", &[&b])
        .unwrap()
        .add_line("c", a.id(), good.blob())
        .unwrap();
    assert_eq!(code(renamed.verify(&[a.vkey()])), "note.unverified");
    // Wrong lengths.
    for length in [1, 63, 65, 72] {
        let short = Note::sign("text\n", &[&b])
            .unwrap()
            .add_line("a", a.id(), &vec![1; length])
            .unwrap();
        assert_eq!(code(short.verify(&[a.vkey(), b.vkey()])), "note.signature");
    }
    // A repeated line is ignored, and so is a second, wrong one behind the right one; not in front
    // of it.
    let line = good.line();
    let wrong = Signature {
        blob: vec![9; 64],
        ..good.clone()
    }
    .line();
    assert_ne!(line, wrong);
    for lines in [format!("{line}{line}"), format!("{line}{wrong}")] {
        assert_eq!(
            parse(&format!("text\n\n{lines}"))
                .unwrap()
                .verify(&[a.vkey()])
                .unwrap(),
            [a.vkey()]
        );
    }
    assert_eq!(
        code(
            parse(&format!("text\n\n{wrong}{line}"))
                .unwrap()
                .verify(&[a.vkey()])
        ),
        "note.signature"
    );
    // One known key given twice is one key.
    assert_eq!(note.verify(&[a.vkey(), a.vkey()]).unwrap(), [a.vkey()]);
}

#[test]
fn what_cannot_be_signed() {
    let (a, b) = (signer("a", 1), signer("b", 2));
    for text in ["", "text", "te\rxt\n", "te\0xt\n"] {
        assert_eq!(code(Note::sign(text, &[&a])), "note.malformed", "{text:?}");
    }
    assert_eq!(code(Note::sign("text\n", &[])), "note.malformed");
    assert_eq!(code(Note::sign("text\n", &[&a, &a])), "note.duplicate");
    let many: Vec<SigningKey> = (0..17).map(|i| signer(&format!("s{i}"), i)).collect();
    assert_eq!(
        code(Note::sign("text\n", &many.iter().collect::<Vec<_>>())),
        "note.too_many_signatures"
    );
    let full = Note::sign("text\n", &many[..16].iter().collect::<Vec<_>>()).unwrap();
    assert_eq!(
        code(full.add_signature(&many[16])),
        "note.too_many_signatures"
    );
    assert_eq!(full.add_signature(&many[3]).unwrap(), full);
    assert_eq!(
        code(Note::sign(&("x".repeat(MAX_NOTE_BYTES - 20) + "\n"), &[&a])),
        "note.too_large"
    );
    let cosigner = SigningKey::from_seed("w", Alg::CosignatureV1, [7; 32]).unwrap();
    assert_eq!(code(Note::sign("text\n", &[&cosigner])), "note.algorithm");
    let note = Note::sign("text\n", &[&a]).unwrap();
    assert_eq!(code(note.add_signature(&cosigner)), "note.algorithm");
    assert_eq!(code(note.add_line("x y", [0; 4], &[1])), "note.name");
    assert_eq!(code(note.add_line("x", [0; 4], &[])), "note.malformed");
    assert_eq!(code(note.add_line("a", a.id(), &[1; 64])), "note.duplicate");
    assert_eq!(
        code(note.merge(&Note::sign("test\n", &[&b]).unwrap())),
        "note.different_text"
    );
    // Merging keeps what one has.
    let wrong = Note::sign("text\n", &[&b])
        .unwrap()
        .add_line("a", a.id(), &[1; 64])
        .unwrap();
    assert_eq!(
        note.merge(&wrong)
            .unwrap()
            .verify(&[a.vkey(), b.vkey()])
            .unwrap()
            .len(),
        2
    );
}

#[test]
fn names() {
    for good in [
        "140321",
        "140321/王芳",
        "countersign/140321",
        "a-b.c_d:e",
        &"n".repeat(255),
    ] {
        assert_eq!(check_name(good), Ok(()), "{good}");
    }
    for bad in [
        "",
        "a b",
        "a\u{3000}b",
        "a\nb",
        "a\u{85}",
        "\u{1}",
        "a+b",
        &"n".repeat(256),
    ] {
        assert_eq!(
            code(SigningKey::from_seed(bad, Alg::Ed25519, [1; 32])),
            "note.name",
            "{bad:?}"
        );
    }
}

#[test]
fn wrong_keys_are_refused() {
    let key = |text: &str| code(text.parse::<VerifierKey>());
    let weak = |bytes: [u8; 32]| code(VerifierKey::from_public("k", Alg::Ed25519, &bytes));
    for bad in [
        "",
        "name",
        "name+c74f20a3",
        "PeterNeumann+c74f20a3+",
        "PeterNeumann+c74f20a3+AQ==",
        "PeterNeumann+c74f20a3+!",
        &GO_KEY[..GO_KEY.len() - 1],
        &format!("{GO_KEY}="),
        GO_SECRET,
    ] {
        assert_eq!(key(bad), "note.verifier_key", "{bad}");
    }
    for bad in [
        GO_KEY.replace("c74f20a3", "c74f20a4"),
        GO_KEY.replace("c74f20a3", "C74F20A3"),
        GO_KEY.replace("c74f20a3", ""),
        GO_KEY.replace("PeterN", "Petern"),
    ] {
        assert_eq!(key(&bad), "note.key_id", "{bad}");
    }
    assert_eq!(key(&GO_KEY.replace("PeterN", "Peter N")), "note.name");
    // Algorithm 2 (ECDSA) is not known here.
    assert_eq!(key(&GO_KEY.replace("+AR", "+Ah")), "note.verifier_key");
    // Small order: y = 1 (identity), 0, -1; not canonical: y = p + 1; not on the curve: y = 2.
    let y = |low: u8, fill: u8, high: u8| {
        let mut bytes = [fill; 32];
        (bytes[0], bytes[31]) = (low, high);
        bytes
    };
    for bytes in [
        y(1, 0, 0),
        y(0, 0, 0),
        y(0xec, 0xff, 0x7f),
        y(0xee, 0xff, 0x7f),
        y(0xed, 0xff, 0x7f),
        y(1, 0, 0x80),
    ] {
        assert_eq!(weak(bytes), "note.weak_key", "{bytes:?}");
    }
    // y = p + 3 is the point y = 3 in a second form.
    assert!(VerifierKey::from_public("k", Alg::Ed25519, &y(3, 0, 0)).is_ok());
    assert_eq!(weak(y(0xf0, 0xff, 0x7f)), "note.weak_key");
    assert_eq!(weak(y(2, 0, 0)), "note.verifier_key");
}

#[test]
fn wrong_secrets_are_refused_and_never_shown() {
    let secret = "AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
    for bad in [
        GO_SECRET.replace("PRIVATE+KEY+", ""),
        GO_SECRET.replace("PRIVATE", "private"),
        GO_SECRET.replace("+c74f20a3", ""),
        GO_SECRET.replace("c74f20a3", "c74f20a4"),
        GO_SECRET.replace("c74f20a3", secret),
        GO_SECRET.replace("+AYE", "+AoE"),
        GO_SECRET[..GO_SECRET.len() - 4].to_owned(),
        GO_SECRET.replace("PeterNeumann", "Peter Neumann"),
        format!("{GO_SECRET}\n"),
    ] {
        let error = SigningKey::decode(&bad).unwrap_err();
        assert!(
            !format!("{error} {error:?}").contains("FALVFGyN"),
            "{bad}: {error}"
        );
    }
    let key = SigningKey::decode(GO_SECRET).unwrap();
    assert_eq!(
        format!("{key:?}"),
        "SigningKey(PeterNeumann+c74f20a3, redacted)"
    );
}

#[test]
fn the_algorithm_is_part_of_the_key() {
    let (note_key, witness) = (
        signer("k", 5),
        SigningKey::from_seed("k", Alg::CosignatureV1, [5; 32]).unwrap(),
    );
    assert_eq!(note_key.vkey().public(), witness.vkey().public());
    assert_ne!(note_key.id(), witness.id());
    assert_ne!(note_key.vkey(), witness.vkey());
    assert_eq!(
        SigningKey::decode(&witness.encode()).unwrap().vkey(),
        witness.vkey()
    );
    let note = Note::sign("text\n", &[&note_key]).unwrap();
    assert_eq!(code(note.verify(&[witness.vkey()])), "note.unverified");
    let json = serde_json::to_string(&witness.vkey()).unwrap();
    assert_eq!(
        serde_json::from_str::<VerifierKey>(&json).unwrap(),
        witness.vkey()
    );
}

/// Two equal arrays may have one place in optimised code: what is made from one must leave it as
/// it is.
#[test]
fn one_seed_is_one_key() {
    let vkey = |name: &str, seed: [u8; 32], alg: Alg| {
        let name = format!("999999/{name}");
        SigningKey::from_seed(&name, alg, seed).unwrap().vkey()
    };
    let first = vkey("k", [51; 32], Alg::Ed25519);
    for (name, other) in [
        ("the same", vkey("k", [51; 32], Alg::Ed25519)),
        ("once more", vkey("k", [51; 32], Alg::Ed25519)),
    ] {
        assert_eq!(first, other, "{name}");
    }
    assert_ne!(first, vkey("k", [0; 32], Alg::Ed25519));
}

#[test]
fn strictness() {
    // A signature whose R is the identity: s = k·a. Only the holder of the key can make it; the
    // plain check takes it.
    use curve25519_dalek::scalar::{Scalar, clamp_integer};
    use sha2::{Digest as _, Sha512};
    let seed = [9; 32];
    let key = SigningKey::from_seed("k", Alg::Ed25519, seed).unwrap();
    let a = Scalar::from_bytes_mod_order(clamp_integer(
        Sha512::digest(seed)[..32].try_into().unwrap(),
    ));
    let mut r = [0; 32];
    r[0] = 1;
    let k = Sha512::new()
        .chain_update(r)
        .chain_update(key.vkey().public())
        .chain_update(b"text\n")
        .finalize();
    let s = Scalar::from_bytes_mod_order_wide(&k.into()) * a;
    let blob = [r, s.to_bytes()].concat();
    let signature = ed25519_dalek::Signature::from_slice(&blob).unwrap();
    assert!(ed25519_dalek::Verifier::verify(key.vkey().dalek(), b"text\n", &signature).is_ok());
    let note = Note::sign("text\n", &[&signer("x", 1)])
        .unwrap()
        .add_line("k", key.id(), &blob)
        .unwrap();
    assert_eq!(code(note.verify(&[key.vkey()])), "note.signature");
    assert_eq!(verify_batch(&[(&note, &key.vkey())]), Err(vec![0]));
}

#[test]
fn batches_find_exactly_what_is_wrong() {
    let keys: Vec<SigningKey> = (0..5).map(|i| signer(&format!("k{i}"), i)).collect();
    let vkeys: Vec<VerifierKey> = keys.iter().map(SigningKey::vkey).collect();
    let count = BATCH_SIZE + 70;
    let mut notes: Vec<Note> = (0..count)
        .map(|i| Note::sign(&format!("note {i}\n"), &[&keys[i % 5], &keys[(i + 1) % 5]]).unwrap())
        .collect();
    let items = |notes: &[Note]| {
        verify_batch(
            &notes
                .iter()
                .enumerate()
                .map(|(i, n)| (n, &vkeys[i % 5]))
                .collect::<Vec<_>>(),
        )
    };
    assert_eq!(items(&notes), Ok(()));
    assert_eq!(verify_batch(&[]), Ok(()));
    let change = |note: &Note| {
        parse(
            &String::from_utf8(note.as_bytes().to_vec())
                .unwrap()
                .replace("note ", "n0te "),
        )
        .unwrap()
    };
    for wrong in [0, 7, BATCH_SIZE - 1, BATCH_SIZE, count - 1] {
        notes[wrong] = change(&notes[wrong]);
    }
    notes[3] = Note::sign("note 3\n", &[&keys[0]]).unwrap();
    notes[4] = Note::sign("note 4\n", &[&keys[0]])
        .unwrap()
        .add_line("k4", keys[4].id(), &[1; 63])
        .unwrap();
    assert_eq!(
        items(&notes),
        Err(vec![0, 3, 4, 7, BATCH_SIZE - 1, BATCH_SIZE, count - 1])
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = Note::parse(&bytes);
        let text = String::from_utf8_lossy(&bytes);
        let _ = text.parse::<VerifierKey>();
        let _ = SigningKey::decode(&text);
    }

    #[test]
    fn a_parsed_note_keeps_its_bytes(text in "([a—\n ]{0,6}\n)?", lines in "(— [ab]{1,2} [AB]{7}=\n|— a AAAAAAAA\n|\n){0,4}") {
        let bytes = format!("{text}\n{lines}");
        if let Ok(note) = parse(&bytes) {
            prop_assert_eq!(note.as_bytes(), bytes.as_bytes());
            let rebuilt: String = note.signatures().iter().map(Signature::line).collect();
            prop_assert_eq!(format!("{}\n{}", note.text(), rebuilt), bytes);
        }
    }

    #[test]
    fn what_is_signed_verifies_and_nothing_else(text in "[a-z\n]{0,20}\n", seed: [u8; 32], at: prop::sample::Index, bit in 0u8..5) {
        let key = SigningKey::from_seed("k", Alg::Ed25519, seed).unwrap();
        let note = Note::sign(&text, &[&key]).unwrap();
        prop_assert_eq!(Note::parse(note.as_bytes()).unwrap().verify(&[key.vkey()]).unwrap().len(), 1);
        let mut bytes = note.as_bytes().to_vec();
        let place = at.index(bytes.len());
        bytes[place] ^= 1 << bit;
        if let Ok(changed) = Note::parse(&bytes) {
            prop_assert!(changed.verify(&[key.vkey()]).is_err());
        }
    }
}
