//! The data directory of a stopped node, opened to look at.

use std::path::PathBuf;

use node::books::Books;
use node::books::keys::Keys;
use node::fault::FaultCode;
use protocol::ids::UnitId;
use protocol::note::VerifierKey;

use super::arguments::vkey;
use super::output::Failure;
use crate::keyring;

/// Where a stopped node's things are.
#[derive(Debug, clap::Args)]
pub struct DataDirectory {
    /// Data directory
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Directory with node.key, witness.key and vault.key
    #[arg(long, value_name = "DIR")]
    keys: PathBuf,
    /// A root key, known from outside: a verifier key, or a file with one; repeat for as many as
    /// must sign
    #[arg(long, required = true, value_name = "VKEY", value_parser = vkey)]
    pub root: Vec<VerifierKey>,
}

impl DataDirectory {
    /// Opens the books, also where the guard is missing. `code` is the failure's code where there
    /// is no journal.
    ///
    /// # Errors
    /// No journal, keys that cannot be used, or damage.
    pub fn open(&self, code: FaultCode) -> Result<Books, Failure> {
        // Opening creates what is missing; a mistyped path must not become a data directory.
        if !self.data.join("journal").is_dir() {
            let message = format!("{}: there is no journal in it", self.data.display());
            return Err(Failure::coded(code, message)
                .help("give the directory that the node's configuration names as `data`"));
        }
        let name = keyring::read_key(&self.keys.join("node.key"))?
            .name()
            .to_string();
        let unit: UnitId = name.parse().map_err(|e| {
            Failure::coded(
                FaultCode::KeysUnusable,
                format!("node.key is named {name}: {e}"),
            )
        })?;
        let keys = Keys::load(&self.keys, &unit)?;
        Ok(Books::open_unguarded(
            &self.data,
            keys,
            self.root.clone(),
            unit,
        )?)
    }
}
