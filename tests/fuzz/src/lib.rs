//! What the targets share: keys of the test world, documents around fuzzed JSON, and notes that are
//! signed here.

use std::sync::LazyLock;

use protocol::catalogue::Catalogue;
use protocol::digest::Digest;
use protocol::note::{Alg, Note, SigningKey, VerifierKey};

/// The keys of `tests/kit`: with them, the files of `tests/vectors` verify.
fn key(name: &str, alg: Alg, seed: u8) -> SigningKey {
    let mut bytes = *Digest::of(name.as_bytes()).as_bytes();
    bytes[0] = seed;
    SigningKey::from_seed(name, alg, bytes).expect("a fixed name")
}

/// The root key that the reader was given.
pub fn root() -> &'static VerifierKey {
    static ROOT: LazyLock<VerifierKey> = LazyLock::new(|| key("root-a", Alg::Ed25519, 9).vkey());
    &ROOT
}

/// A witness.
pub fn witness() -> VerifierKey {
    key("1403/witness", Alg::CosignatureV1, 2).vkey()
}

/// The text as it is, where it is a document already, else as the JSON of one.
pub fn document(kind: &str, text: &str) -> String {
    if text.starts_with("countersign/") {
        text.to_string()
    } else {
        format!("countersign/{kind}/v1\n{text}\n")
    }
}

/// The text with good signatures of both root keys; none where it cannot be a note's text. The keys
/// are made once: making them costs more than reading most inputs.
pub fn signed(text: &str) -> Option<Note> {
    static ROOTS: LazyLock<[SigningKey; 2]> =
        LazyLock::new(|| ["root-a", "root-b"].map(|name| key(name, Alg::Ed25519, 9)));
    Note::sign(text, &ROOTS.each_ref()).ok()
}

/// The catalogue of `tests/kit`.
pub fn catalogue() -> &'static Catalogue {
    static SMALL: LazyLock<Catalogue> = LazyLock::new(|| {
        let text = include_str!("../../kit/data/catalogue.toml");
        Catalogue::from_files(&[("catalogue.toml".into(), text.into())]).expect("a fixed file")
    });
    &SMALL
}
