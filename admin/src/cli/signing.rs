//! What commands that sign documents share.

use std::path::{Path, PathBuf};

use protocol::note::{Note, Signature, SigningKey};
use serde_json::json;

use super::output::{Failure, Output, sayln};
use crate::keyring;

/// Reads key files, in their order.
///
/// # Errors
/// A file that holds no key, or that others can read.
pub fn read_keys(paths: &[PathBuf]) -> Result<Vec<SigningKey>, Failure> {
    let keys = paths.iter().map(|p| Ok(keyring::read_key(p)?));
    keys.collect()
}

/// The names of those who signed a note.
pub fn signers(note: &Note) -> Vec<&str> {
    note.signatures().iter().map(Signature::name).collect()
}

/// Tells of a note that was signed into a file.
pub fn print_signed(note: &Note, output: &Path, out: &Output) {
    let names = signers(note);
    let answer = json!({ "digest": note.digest(), "signed_by": names, "file": output });
    out.answer(answer, || {
        sayln!(
            "{}: {}, signed by {}",
            output.display(),
            note.digest(),
            names.join(", ")
        );
    });
}
