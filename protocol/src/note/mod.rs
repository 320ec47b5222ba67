//! The one envelope of everything signed: C2SP signed notes (`c2sp.org/signed-note` v1.0.0),
//! byte-compatible with Go's `golang.org/x/mod/sumdb/note`.
//!
//! ```text
//! <text: one or more lines, UTF-8, no control characters below U+0020 other than newline>
//! <empty line>
//! — <name> <base64 of key id (4 bytes) and signature>
//! ```
//!
//! The signed bytes are the text with its last newline, without the empty line. The text ends at
//! the *last* empty line. A note keeps the exact bytes that it was parsed from. Verify first, read
//! the text afterwards.
//!
//! Stricter than Go: 16 signatures instead of 100, names of at most 255 bytes, notes of at most 1
//! MiB, canonical base64 only, key ids in lower case, Ed25519 by `verify_strict`, weak and
//! non-canonical public keys refused. What this accepts, Go accepts, but for a verifier key that
//! the caller lists twice, which Go calls ambiguous.
//!
//! | file | holds |
//! |---|---|
//! | `envelope` | parsing, signing, verifying |
//! | `key` | signer names, signing keys, verifier keys |
//! | `alg`, `limits`, `error` | algorithm tags, limits, what is refused and why |
//! | `document` | the project's own text: `countersign/<kind>/v1` and one JSON object |
//! | `batch` | many signatures at once |
//! | `lines` | notes of which every line must be known and hold |

mod alg;
mod batch;
mod document;
mod envelope;
mod error;
mod key;
#[cfg(test)]
mod known;
mod limits;
mod lines;
#[cfg(test)]
mod tests;

pub use alg::Alg;
pub use batch::{BATCH_SIZE, verify_batch};
pub use document::{document, read_document};
pub use envelope::{Note, Signature};
pub use error::NoteError;
pub(crate) use key::{MAX_TIME, split_cosignature};
pub use key::{SigningKey, VerifierKey, check_name};
pub use limits::{MAX_KIND_BYTES, MAX_NAME_BYTES, MAX_NOTE_BYTES, MAX_SIGNATURES};
pub use lines::{LineError, every_line};
