//! What the targets share: keys of the test world, documents around fuzzed JSON, and notes that are signed here.

use protocol::note::{Alg, Note, SigningKey, VerifierKey};

fn signer() -> SigningKey {
    SigningKey::from_seed("root-a", Alg::Ed25519, [9; 32]).expect("a fixed name")
}

/// The root key that the reader was given.
pub fn root() -> VerifierKey {
    signer().vkey()
}

/// A witness.
pub fn witness() -> VerifierKey {
    SigningKey::from_seed("1403/witness", Alg::CosignatureV1, [2; 32]).expect("a fixed name").vkey()
}

/// The text as it is, where it is a document already, else as the JSON of one.
pub fn document(kind: &str, text: &str) -> String {
    if text.starts_with("countersign/") { text.to_string() } else { format!("countersign/{kind}/v1\n{text}\n") }
}

/// The text with a good signature of [`root`]; none where it cannot be a note's text.
pub fn signed(text: &str) -> Option<Note> {
    Note::sign(text, &[&signer()]).ok()
}
