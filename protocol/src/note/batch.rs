//! Checking many signatures at once, about twice as fast as one by one.
//!
//! The coefficients of the batch come from a transcript of all keys, messages and signatures
//! (ed25519-dalek's `verify_batch`): no random source, the same verdict every time.
//!
//! Limit: a batch that holds shows what `verify_strict` shows about every signature, with one
//! exception. The *holder of a key* can craft a signature whose R has a small-order part, which
//! `verify_strict` refuses and a batch lets pass one time in eight; nobody else can. A verdict on
//! which parties must agree to the last signature uses [`Note::verify`].

use curve25519_dalek::constants::EIGHT_TORSION;

use super::envelope::Note;
use super::key::VerifierKey;

/// How many signatures are checked together. A wrong one costs single checks of its batch only.
pub const BATCH_SIZE: usize = 512;

/// Encodings of R (sign bit cleared) that are points of small order: `verify_strict` refuses them
/// and the batch does not.
fn small_order() -> Vec<[u8; 32]> {
    let clear = |mut bytes: [u8; 32]| {
        bytes[31] &= 0x7f;
        bytes
    };
    let mut all: Vec<[u8; 32]> = EIGHT_TORSION
        .iter()
        .map(|point| clear(point.compress().to_bytes()))
        .collect();
    // The two that are also written with y = p and y = p + 1.
    for low in [0xed, 0xee] {
        let mut bytes = [0xff; 32];
        bytes[0] = low;
        all.push(clear(bytes));
    }
    all
}

/// Checks for every pair that the key has signed the note. The error holds the indexes of the pairs
/// that fail, ascending: the key has no line on the note, or its first line is wrong. Lines of
/// other keys are not looked at.
pub fn verify_batch(items: &[(&Note, &VerifierKey)]) -> Result<(), Vec<usize>> {
    let lines = items.iter().map(|(note, key)| {
        let blob = note.line_of(key).map_or(&[][..], |line| line.blob());
        Line {
            key,
            text: note.text().as_bytes(),
            blob,
        }
    });
    verify_lines(&lines.collect::<Vec<_>>())
}

/// What one key has put under one text. A blob that cannot be a signature, an empty one for
/// example, is a wrong one.
#[derive(Clone, Copy)]
pub(super) struct Line<'a> {
    pub(super) key: &'a VerifierKey,
    pub(super) text: &'a [u8],
    pub(super) blob: &'a [u8],
}

/// [`verify_batch`] over any bytes, notes or not.
pub(super) fn verify_lines(lines: &[Line<'_>]) -> Result<(), Vec<usize>> {
    let small = small_order();
    let mut failed = Vec::new();
    for (number, chunk) in lines.chunks(BATCH_SIZE).enumerate() {
        let (mut places, mut messages, mut signatures, mut keys) = (vec![], vec![], vec![], vec![]);
        for (at, Line { key, text, blob }) in chunk.iter().enumerate() {
            let place = number * BATCH_SIZE + at;
            match key.prepare(text, blob) {
                Some((message, signature)) if !is_small(&small, *signature.r_bytes()) => {
                    places.push(place);
                    messages.push(message);
                    signatures.push(signature);
                    keys.push(*key.dalek());
                }
                _ => failed.push(place),
            }
        }
        let borrowed: Vec<&[u8]> = messages.iter().map(|message| &**message).collect();
        if ed25519_dalek::verify_batch(&borrowed, &signatures, &keys).is_err() {
            for (((place, message), signature), key) in
                places.iter().zip(&messages).zip(&signatures).zip(&keys)
            {
                if key.verify_strict(message, signature).is_err() {
                    failed.push(*place);
                }
            }
        }
    }
    if failed.is_empty() {
        return Ok(());
    }
    failed.sort_unstable();
    Err(failed)
}

fn is_small(small: &[[u8; 32]], mut r: [u8; 32]) -> bool {
    r[31] &= 0x7f;
    small.contains(&r)
}
