//! Signatures with a part of small order in R, which only the holder of a key can make: right with
//! the cofactor, wrong without it.

use curve25519_dalek::constants::{ED25519_BASEPOINT_POINT, EIGHT_TORSION};
use curve25519_dalek::scalar::{Scalar, clamp_integer};
use protocol::digest::Digest;
use protocol::note::{Note, SigningKey};
use sha2::{Digest as _, Sha512};

/// The note of this text with such a line of `signer`, a key that [`crate::key`] made of this seed
/// byte. `shift` is added to s: 0 for a line that is right with the cofactor.
pub fn signed_with_small_part(text: &str, signer: &SigningKey, seed: u8, shift: u8) -> Note {
    let key = signer.vkey();
    let mut bytes = *Digest::of(key.name().as_bytes()).as_bytes();
    bytes[0] = seed;
    let expanded = Sha512::digest(bytes);
    let half: [u8; 32] = expanded[..32].try_into().unwrap();
    let secret = Scalar::from_bytes_mod_order(clamp_integer(half));
    let public = (secret * ED25519_BASEPOINT_POINT).compress();
    assert_eq!(public.as_bytes(), key.public(), "the seed of this key");
    let nonce = Scalar::from(7_u64);
    let r = (nonce * ED25519_BASEPOINT_POINT + EIGHT_TORSION[1]).compress();
    let hash = Sha512::new()
        .chain_update(r.as_bytes())
        .chain_update(public.as_bytes())
        .chain_update(text);
    let k = Scalar::from_bytes_mod_order_wide(&hash.finalize().into());
    let s = nonce + k * secret + Scalar::from(shift);
    let blob = [*r.as_bytes(), s.to_bytes()].concat();
    // A note has at least one line: another's, which goes again.
    let other = Note::sign(text, &[&crate::node_key("other")]).unwrap();
    let before = String::from_utf8(other.as_bytes().to_vec()).unwrap();
    let added = other.add_line(key.name(), key.id(), &blob).unwrap();
    let both = String::from_utf8(added.as_bytes().to_vec()).unwrap();
    let line = both.strip_prefix(&before).unwrap();
    Note::parse(format!("{text}\n{line}").as_bytes()).unwrap()
}
