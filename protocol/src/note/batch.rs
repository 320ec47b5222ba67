//! Signatures of statements: many at once, about twice as fast as one by one, and with the same
//! answer for every reader.
//!
//! # The rule (SPEC 1)
//! A and R are canonical encodings and not of small order, s < ℓ, and
//! `8·(s·B − R − k·A)` is the neutral point. It is the strict rule of [`Note::verify`] but for the
//! factor 8, RFC 8032's cofactor. *Why not without it*: the holder of a key can give R a part of
//! small order. Singly such a signature fails the equation without cofactor; in a batch the part
//! vanishes one time in eight, depending on what else is in the batch. A county could so sign a leaf
//! that a node accepts, month by month, and that whoever reads the whole log refuses for ever. With
//! the cofactor the part vanishes always: a batch holds exactly if each of its signatures holds.
//!
//! The coefficients come from a hash over all keys, signatures and messages: no random source, and
//! nobody can choose signatures that cancel each other out, except by 2^128 tries.

use curve25519_dalek::constants::{ED25519_BASEPOINT_POINT, EIGHT_TORSION};
use curve25519_dalek::edwards::{CompressedEdwardsY, EdwardsPoint};
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::{IsIdentity, VartimeMultiscalarMul};
use sha2::{Digest as _, Sha512};

use super::envelope::Note;
use super::key::VerifierKey;

/// How many signatures are checked together. A wrong one costs single checks of its batch only.
pub const BATCH_SIZE: usize = 512;

/// What goes first into the hash of a batch.
const TRANSCRIPT: &[u8] = b"countersign-batch-v1\n";

/// Checks for every pair that the key has signed the note, by the rule for statements. The error
/// holds the indexes of the pairs that fail, ascending: the key has no line on the note, or its
/// first line is wrong. Lines of other keys are not looked at.
///
/// # Errors
/// The indexes of what does not hold.
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
    let mut failed = Vec::new();
    for (number, chunk) in lines.chunks(BATCH_SIZE).enumerate() {
        let mut equations = Vec::with_capacity(chunk.len());
        for (at, line) in chunk.iter().enumerate() {
            let place = number * BATCH_SIZE + at;
            match Equation::of(line) {
                Some(equation) => equations.push((place, equation)),
                None => failed.push(place),
            }
        }
        if !hold_together(&equations) {
            let wrong = equations.iter().filter(|(_, equation)| !equation.holds());
            failed.extend(wrong.map(|(place, _)| *place));
        }
    }
    if failed.is_empty() {
        return Ok(());
    }
    failed.sort_unstable();
    Err(failed)
}

/// `8·(s·B − R − k·A) = 0` of one signature, whose parts have been found canonical.
struct Equation {
    s: Scalar,
    /// SHA-512 over R, A and the message.
    k: Scalar,
    r: EdwardsPoint,
    a: EdwardsPoint,
    /// R's bytes, for the transcript.
    r_bytes: [u8; 32],
    /// A's bytes, for the transcript.
    a_bytes: [u8; 32],
}

impl Equation {
    /// None where the line is no signature: another length, s not below ℓ, R not canonical or of
    /// small order.
    fn of(line: &Line<'_>) -> Option<Equation> {
        let (message, signature) = line.key.prepare(line.text, line.blob)?;
        let (r_bytes, a_bytes) = (*signature.r_bytes(), *line.key.public());
        let s = Option::from(Scalar::from_canonical_bytes(*signature.s_bytes()))?;
        if !is_canonical(&r_bytes) {
            return None;
        }
        let r = CompressedEdwardsY(r_bytes).decompress()?;
        if EIGHT_TORSION.contains(&r) {
            return None;
        }
        let challenge = Sha512::new()
            .chain_update(r_bytes)
            .chain_update(a_bytes)
            .chain_update(&*message)
            .finalize();
        Some(Equation {
            s,
            k: Scalar::from_bytes_mod_order_wide(&challenge.into()),
            r,
            a: line.key.dalek().to_edwards(),
            r_bytes,
            a_bytes,
        })
    }

    fn holds(&self) -> bool {
        let rest = EdwardsPoint::vartime_double_scalar_mul_basepoint(&self.k, &self.a, &-self.s);
        (rest + self.r).mul_by_cofactor().is_identity()
    }
}

/// Whether y is below p, and x = 0 is written without a sign: the one encoding of a point, if it is
/// a point.
fn is_canonical(encoded: &[u8; 32]) -> bool {
    let mut y = *encoded;
    y[31] &= 0x7f;
    // p = 2^255 − 19: only texts of which all bytes but the first are at their highest can reach it.
    let at_top = y[31] == 0x7f && y[1..31].iter().all(|byte| *byte == 0xff);
    if at_top && y[0] >= 0xed {
        return false;
    }
    // x is 0 for y = 1 and y = −1 only.
    let is_one = y[0] == 1 && y[1..].iter().all(|byte| *byte == 0);
    let is_minus_one = at_top && y[0] == 0xec;
    encoded[31] & 0x80 == 0 || !(is_one || is_minus_one)
}

/// Whether all equations hold, by one that holds if they do: their sum, each with a coefficient of
/// its own.
fn hold_together(equations: &[(usize, Equation)]) -> bool {
    let coefficients = coefficients(equations);
    let with_coefficients = || equations.iter().map(|(_, e)| e).zip(&coefficients);
    let of_b: Scalar = with_coefficients().map(|(e, z)| z * e.s).sum();
    let of_a = with_coefficients().map(|(e, z)| z * e.k);
    let scalars = std::iter::once(-of_b)
        .chain(coefficients.iter().copied())
        .chain(of_a);
    let points = std::iter::once(ED25519_BASEPOINT_POINT)
        .chain(equations.iter().map(|(_, e)| e.r))
        .chain(equations.iter().map(|(_, e)| e.a));
    EdwardsPoint::vartime_multiscalar_mul(scalars, points)
        .mul_by_cofactor()
        .is_identity()
}

/// 128 bits for each equation, from a hash over all of them.
fn coefficients(equations: &[(usize, Equation)]) -> Vec<Scalar> {
    let mut transcript = Sha512::new().chain_update(TRANSCRIPT);
    for (_, e) in equations {
        // k stands for the message.
        transcript.update(e.r_bytes);
        transcript.update(e.a_bytes);
        transcript.update(e.s.to_bytes());
        transcript.update(e.k.to_bytes());
    }
    let seed = transcript.finalize();
    let numbers = 0..equations.len() as u64;
    let coefficient = |n: u64| {
        let hash = Sha512::new()
            .chain_update(seed)
            .chain_update(n.to_be_bytes())
            .finalize();
        let mut low = [0; 16];
        low.copy_from_slice(&hash[..16]);
        Scalar::from(u128::from_le_bytes(low))
    };
    numbers.map(coefficient).collect()
}
