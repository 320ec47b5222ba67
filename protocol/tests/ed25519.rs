//! What SPEC.md section 1 promises of signatures beyond RFC 8032, on notes and through the
//! functions that the checks call: keys of small order and second encodings are no keys, second
//! forms of a signature are none, and the rule for statements says the same of a signature alone and
//! in any batch. It differs from the strict rule by the cofactor alone, which is shown. RFC 8032's and Wycheproof's vectors are in `src/note/known.rs`.
#![allow(clippy::unwrap_used)]

use curve25519_dalek::constants::{ED25519_BASEPOINT_POINT as B, EIGHT_TORSION};
use curve25519_dalek::edwards::{CompressedEdwardsY, EdwardsPoint};
use curve25519_dalek::scalar::{Scalar, clamp_integer};
use kit::rounds;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use protocol::note::{Alg, BATCH_SIZE, Note, NoteError, SigningKey, VerifierKey, verify_batch};
use sha2::{Digest as _, Sha512};

const TEXT: &str = "text\n";

fn code<T: std::fmt::Debug>(result: Result<T, NoteError>) -> &'static str {
    result.unwrap_err().code()
}

/// The order of the group, little-endian.
fn order() -> [u8; 32] {
    let mut bytes = (Scalar::ZERO - Scalar::ONE).to_bytes();
    bytes[0] += 1;
    bytes
}

/// a + b as numbers of 32 bytes, or nothing where it does not fit.
fn sum(a: &[u8; 32], b: &[u8; 32]) -> Option<[u8; 32]> {
    let (mut out, mut carry) = ([0; 32], 0);
    for n in 0..32 {
        let s = u16::from(a[n]) + u16::from(b[n]) + carry;
        (out[n], carry) = (s as u8, s >> 8);
    }
    (carry == 0).then_some(out)
}

/// p = 2^255 - 19.
fn prime() -> [u8; 32] {
    let mut p = [0xff; 32];
    (p[0], p[31]) = (0xed, 0x7f);
    p
}

/// Every text of 32 bytes that RFC 8032 or a lenient reader could take for this point: with y or y
/// + p, with either sign where x is 0. The canonical one is the first.
fn encodings(point: &EdwardsPoint) -> Vec<[u8; 32]> {
    let canonical = point.compress().to_bytes();
    let mut y = canonical;
    let sign = y[31] & 0x80;
    y[31] &= 0x7f;
    let mut all = vec![canonical];
    let signs = if point + point == EdwardsPoint::default() {
        vec![0, 0x80]
    } else {
        vec![sign]
    };
    for y in [Some(y), sum(&y, &prime()).filter(|y| y[31] < 0x80)]
        .into_iter()
        .flatten()
    {
        for sign in &signs {
            let mut bytes = y;
            bytes[31] |= sign;
            if !all.contains(&bytes) {
                all.push(bytes);
            }
        }
    }
    all
}

/// A key whose secret scalar is known, so that any signature that its holder could make can be made
/// here.
struct Holder {
    secret: Scalar,
    public: [u8; 32],
    key: VerifierKey,
}

impl Holder {
    fn new(seed: u8) -> Holder {
        let signing = SigningKey::from_seed("k", Alg::Ed25519, [seed; 32]).unwrap();
        let secret = Scalar::from_bytes_mod_order(clamp_integer(
            Sha512::digest([seed; 32])[..32].try_into().unwrap(),
        ));
        Holder {
            secret,
            public: *signing.vkey().public(),
            key: signing.vkey(),
        }
    }
    /// The same secret, with a part of small order in the public key.
    fn mixed(seed: u8, torsion: &EdwardsPoint) -> Holder {
        let Holder { secret, .. } = Holder::new(seed);
        let public = (secret * B + torsion).compress().to_bytes();
        Holder {
            secret,
            public,
            key: VerifierKey::from_public("k", Alg::Ed25519, &public).unwrap(),
        }
    }
    fn challenge(&self, r: &[u8; 32], text: &str) -> Scalar {
        let hash: [u8; 64] = Sha512::new()
            .chain_update(r)
            .chain_update(self.public)
            .chain_update(text)
            .finalize()
            .into();
        Scalar::from_bytes_mod_order_wide(&hash)
    }
    /// R as these bytes, S = nonce + k·a.
    fn signature(&self, r: &[u8; 32], nonce: Scalar, text: &str) -> [u8; 64] {
        let s = nonce + self.challenge(r, text) * self.secret;
        [*r, s.to_bytes()].concat().try_into().unwrap()
    }
    /// Whether the equation holds with the cofactor, and without it, over R and A as points: no
    /// rule of ours.
    fn equations(&self, signature: &[u8; 64], text: &str) -> (bool, bool) {
        let (r, s) = signature.split_first_chunk::<32>().unwrap();
        let point = |bytes: [u8; 32]| CompressedEdwardsY(bytes).decompress().unwrap();
        let s = Scalar::from_canonical_bytes(s.try_into().unwrap()).unwrap();
        let rest = s * B - self.challenge(r, text) * point(self.public) - point(*r);
        (
            rest.mul_by_cofactor() == EdwardsPoint::default(),
            rest == EdwardsPoint::default(),
        )
    }
    fn note(&self, text: &str, signature: &[u8]) -> Note {
        let other = SigningKey::from_seed("other", Alg::Ed25519, [99; 32]).unwrap();
        Note::sign(text, &[&other])
            .unwrap()
            .add_line("k", self.key.id(), signature)
            .unwrap()
    }
    fn single(&self, text: &str, signature: &[u8]) -> bool {
        match self
            .note(text, signature)
            .verify(std::slice::from_ref(&self.key))
        {
            Ok(_) => true,
            Err(e) => {
                assert_eq!(e.code(), "note.signature");
                false
            }
        }
    }
    /// In a batch of its own, and in one of honest notes.
    fn batch(&self, text: &str, signature: &[u8]) -> bool {
        let (note, honest) = (self.note(text, signature), Holder::new(77));
        let good = honest.note(
            "a\n",
            &honest.signature(&B.compress().to_bytes(), Scalar::ONE, "a\n"),
        );
        let alone = verify_batch(&[(&note, &self.key)]);
        let among = verify_batch(&[
            (&good, &honest.key),
            (&note, &self.key),
            (&good, &honest.key),
        ]);
        assert!(alone == Ok(()) || alone == Err(vec![0]));
        assert!(among == Ok(()) || among == Err(vec![1]));
        assert_eq!(
            alone.is_ok(),
            among.is_ok(),
            "the company of a signature decides on it"
        );
        alone.is_ok()
    }
}

#[test]
fn points_of_small_order_and_second_encodings_are_no_keys() {
    let all: Vec<[u8; 32]> = EIGHT_TORSION.iter().flat_map(encodings).collect();
    // Eight, and six more texts: 0 + p and 1 + p, and the sign of x = 0.
    assert_eq!(all.len(), 14);
    for bytes in all {
        for alg in [Alg::Ed25519, Alg::CosignatureV1] {
            let refused = code(VerifierKey::from_public("k", alg, &bytes));
            assert!(
                ["note.weak_key", "note.verifier_key"].contains(&refused),
                "{bytes:?}"
            );
        }
    }
    // The few points with y below 19 have a second text; it is refused, and so is every number from
    // p on that is a point.
    let mut second = 0;
    for low in 0..19u8 {
        for sign in [0, 0x80] {
            let mut bytes = [0; 32];
            (bytes[0], bytes[31]) = (low, sign);
            let point = CompressedEdwardsY(bytes).decompress();
            let mut again = sum(
                &{
                    let mut y = bytes;
                    y[31] = 0;
                    y
                },
                &prime(),
            )
            .unwrap();
            again[31] |= sign;
            assert!(
                VerifierKey::from_public("k", Alg::Ed25519, &again).is_err(),
                "p + {low}"
            );
            if low > 1 && point.is_some() {
                assert!(
                    VerifierKey::from_public("k", Alg::Ed25519, &bytes).is_ok(),
                    "{low}"
                );
                second += 1;
            }
        }
    }
    assert!(second > 10, "{second} points below 19");
    // Not on the curve.
    let mut two = [0; 32];
    two[0] = 2;
    assert_eq!(
        code(VerifierKey::from_public("k", Alg::Ed25519, &two)),
        "note.verifier_key"
    );
}

#[test]
fn s_has_one_form() {
    let holder = Holder::new(1);
    let nonce = Scalar::from(5u8);
    let honest = holder.signature(&(nonce * B).compress().to_bytes(), nonce, TEXT);
    assert!(holder.single(TEXT, &honest) && holder.batch(TEXT, &honest));
    let (r, s) = honest.split_first_chunk::<32>().unwrap();
    let s: [u8; 32] = s.try_into().unwrap();
    // S + n·ℓ is the same number for a reader who reduces it.
    let (mut larger, mut forms) = (s, 0);
    while let Some(next) = sum(&larger, &order()) {
        larger = next;
        forms += 1;
        let signature = [&r[..], &larger].concat();
        assert!(
            !holder.single(TEXT, &signature) && !holder.batch(TEXT, &signature),
            "S + {forms}·ℓ"
        );
    }
    assert!(forms >= 14, "{forms}");
    for s in [order(), [0xff; 32], [0; 32], Scalar::ONE.to_bytes()] {
        let signature = [&r[..], &s].concat();
        assert!(
            !holder.single(TEXT, &signature) && !holder.batch(TEXT, &signature),
            "{s:?}"
        );
    }
    for length in [1, 32, 63, 65, 72, 128] {
        let mut signature = honest.to_vec();
        signature.resize(length, 0);
        assert!(
            !holder.single(TEXT, &signature) && !holder.batch(TEXT, &signature),
            "{length} bytes"
        );
    }
}

#[test]
fn r_of_small_order_and_second_encodings_of_r_are_refused() {
    let holder = Holder::new(2);
    let mut plain = 0;
    for torsion in EIGHT_TORSION {
        for r in encodings(&torsion) {
            // S = k·a, so that the equation holds with the cofactor, and for R = 0 without it as
            // well.
            let signature = holder.signature(&r, Scalar::ZERO, TEXT);
            plain += u32::from(
                CompressedEdwardsY(r).decompress().is_some()
                    && holder.equations(&signature, TEXT).1,
            );
            assert!(!holder.single(TEXT, &signature), "R = {r:?}");
            assert!(!holder.batch(TEXT, &signature), "R = {r:?}");
        }
    }
    assert!(plain >= 1, "without the rule on R, one of these holds");
    // Points of large order whose y is below 19: written as y + p.
    let mut tried = 0;
    for low in 2..19u8 {
        let mut y = [0; 32];
        y[0] = low;
        let Some(point) = CompressedEdwardsY(y).decompress() else {
            continue;
        };
        tried += 1;
        for r in &encodings(&point)[1..] {
            // Nobody knows the logarithm of such a point, so nobody can make it hold; the form
            // alone must refuse it.
            let signature = holder.signature(r, Scalar::ONE, TEXT);
            assert!(!holder.single(TEXT, &signature) && !holder.batch(TEXT, &signature));
        }
    }
    assert!(tried > 5, "{tried}");
}

/// Parts of small order in R or A. The strict rule has no cofactor: it refuses where they do not
/// cancel out. The rule for statements has it, and says the same of a signature alone and in any
/// company. Only who knows the secret can make one: the equation with the cofactor always holds.
#[test]
fn cofactors() {
    let (mut cancelled, mut refused) = (0, 0);
    let mut judge = |holder: &Holder, text: &str, signature: [u8; 64]| {
        let (with, without) = holder.equations(&signature, text);
        assert!(with, "made so that it holds with the cofactor");
        let single = holder.single(text, &signature);
        assert_eq!(
            single, without,
            "the strict rule is the equation without the cofactor"
        );
        assert!(
            holder.batch(text, &signature),
            "statements have the cofactor"
        );
        if single {
            cancelled += 1;
        } else {
            refused += 1;
        }
        // The same parts, and a signature that is wrong otherwise.
        let mut wrong = signature;
        wrong[32] ^= 1;
        assert!(!holder.batch(text, &wrong) && !holder.single(text, &wrong));
    };
    for (n, torsion) in EIGHT_TORSION.iter().enumerate().skip(1) {
        let (plain, mixed) = (Holder::new(3), Holder::mixed(3, torsion));
        for round in 0..20u64 {
            let text = format!("{n} {round}\n");
            let nonce = Scalar::from(round + 7);
            let r = (nonce * B).compress().to_bytes();
            let with = (nonce * B + torsion).compress().to_bytes();
            judge(&plain, &text, plain.signature(&with, nonce, &text));
            judge(&mixed, &text, mixed.signature(&r, nonce, &text));
            judge(&mixed, &text, mixed.signature(&with, nonce, &text));
        }
    }
    assert!(
        cancelled > 20 && refused > 200,
        "{cancelled} hold strictly, {refused} do not"
    );
}

/// What a node read in batches of one size and a verifier in others: the same answer on any borders,
/// for signatures with parts of small order too. Before, one in eight passed some batches.
#[test]
fn borders_of_batches_decide_nothing() {
    let torsion = EIGHT_TORSION[1];
    let holder = Holder::new(4);
    let items: Vec<(String, [u8; 64])> = (0..64_u64)
        .map(|n| {
            let (text, nonce) = (format!("leaf {n}\n"), Scalar::from(n + 3));
            let part = if n % 3 == 0 {
                torsion
            } else {
                EdwardsPoint::default()
            };
            let r = (nonce * B + part).compress().to_bytes();
            let mut signature = holder.signature(&r, nonce, &text);
            signature[40] ^= u8::from(n % 7 == 0);
            (text, signature)
        })
        .collect();
    let notes = Vec::from_iter(items.iter().map(|(text, s)| holder.note(text, s)));
    let wrong: Vec<usize> = (0..64).filter(|n| n % 7 == 0).collect();
    for size in [1, 2, 3, 8, 37, 64] {
        let mut failed = Vec::new();
        for (n, chunk) in notes.chunks(size).enumerate() {
            let pairs: Vec<(&Note, &VerifierKey)> =
                chunk.iter().map(|note| (note, &holder.key)).collect();
            let bad = verify_batch(&pairs).err().unwrap_or_default();
            failed.extend(bad.into_iter().map(|at| n * size + at));
        }
        assert_eq!(failed, wrong, "in batches of {size}");
    }
}

#[derive(Debug, Clone)]
enum Change {
    R(Index, u8),
    S(Index, u8),
    Text,
    Cut(usize),
    Missing,
    Stranger,
}

/// For whatever others can do to honest signatures, a batch names exactly those that fail singly.
#[test]
fn batches_say_what_single_checks_say() {
    let keys: Vec<SigningKey> = (0..4)
        .map(|n| SigningKey::from_seed(&format!("k{n}"), Alg::Ed25519, [n; 32]).unwrap())
        .collect();
    let vkeys: Vec<VerifierKey> = keys.iter().map(SigningKey::vkey).collect();
    let other = SigningKey::from_seed("other", Alg::Ed25519, [99; 32]).unwrap();
    let change = prop_oneof![
        (any::<Index>(), 0u8..8).prop_map(|(at, bit)| Change::R(at, bit)),
        (any::<Index>(), 0u8..8).prop_map(|(at, bit)| Change::S(at, bit)),
        Just(Change::Text),
        (1usize..80).prop_map(Change::Cut),
        Just(Change::Missing),
        Just(Change::Stranger),
    ];
    let one = (
        0..keys.len(),
        "[a-z]{0,4}\n",
        prop::option::weighted(0.2, change),
    );
    let lengths = prop_oneof![9 => 1..40usize, 1 => Just(BATCH_SIZE + 3)];
    rounds(
        30,
        lengths.prop_flat_map(move |n| vec(one.clone(), n)),
        |items| {
            let notes: Vec<(Note, &VerifierKey)> = items
                .iter()
                .map(|(n, text, change)| {
                    let mut blob = Note::sign(text, &[&keys[*n]]).unwrap().signatures()[0]
                        .blob()
                        .to_vec();
                    let mut text = text.clone();
                    let mut key = &vkeys[*n];
                    match change {
                        None => {}
                        Some(Change::R(at, bit)) => blob[at.index(32)] ^= 1 << bit,
                        Some(Change::S(at, bit)) => blob[32 + at.index(32)] ^= 1 << bit,
                        Some(Change::Text) => text.insert(0, 'x'),
                        Some(Change::Cut(length)) => blob.resize(*length, 0),
                        Some(Change::Stranger) => key = &vkeys[(n + 1) % keys.len()],
                        Some(Change::Missing) => {
                            return (Note::sign(&text, &[&other]).unwrap(), key);
                        }
                    }
                    (
                        Note::sign(&text, &[&other])
                            .unwrap()
                            .add_line(keys[*n].name(), keys[*n].id(), &blob)
                            .unwrap(),
                        key,
                    )
                })
                .collect();
            let singly: Vec<usize> = (0..notes.len())
                .filter(|n| {
                    notes[*n]
                        .0
                        .verify(std::slice::from_ref(notes[*n].1))
                        .is_err()
                })
                .collect();
            let wrong: Vec<usize> = (0..items.len())
                .filter(|n| matches!(&items[*n].2, Some(c) if !matches!(c, Change::Cut(64))))
                .collect();
            let borrowed: Vec<(&Note, &VerifierKey)> =
                notes.iter().map(|(note, key)| (note, *key)).collect();
            prop_assert_eq!(&singly, &wrong);
            prop_assert_eq!(verify_batch(&borrowed).err().unwrap_or_default(), singly);
            Ok(())
        },
    );
}
