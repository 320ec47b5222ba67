//! The formats change only with a version: the committed vectors are reproduced byte for byte.
#![allow(clippy::unwrap_used)]

mod support;
#[path = "support/vectors.rs"]
mod vectors;

#[test]
fn committed_vectors_are_reproduced() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/vectors");
    for (name, bytes) in vectors::files() {
        let committed = std::fs::read(folder.join(name)).unwrap();
        assert!(committed == bytes, "{name} differs: a format changed without a version, or run `cargo run -p protocol --example vectors`");
    }
}
