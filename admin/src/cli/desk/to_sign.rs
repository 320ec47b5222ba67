//! A report on its way to somebody who signs it: what he reads and what he signs, in one file, so
//! that his machine needs no node.

use std::path::Path;

use node::fault::FaultCode;
use protocol::catalogue::{self, Catalogue};
use protocol::note::{self, Note};
use protocol::readable::ReadableReport;
use protocol::rollup::HeldRollup;
use serde::{Deserialize, Serialize};

use crate::api::{ApiError, Client};
use crate::cli::output::{Failure, read, replace};

/// The form of the file.
const FORMAT: &str = "countersign/to-sign/v1";

/// A report with what its reader needs.
#[derive(Debug)]
pub struct ToSign {
    /// The report.
    pub held: HeldRollup,
    /// The catalogue that it was counted by; its digest is in what is signed.
    pub catalogue: Option<Catalogue>,
    /// What its signatories signed before it, as the node shows it.
    pub before: Option<ReadableReport>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct OnDisk {
    format: String,
    note: String,
    catalogue: Option<String>,
    before: Option<ReadableReport>,
}

impl ToSign {
    /// From a node.
    ///
    /// # Errors
    /// No such report, or the node does not answer.
    pub fn fetch(client: &Client, held: HeldRollup) -> Result<ToSign, Failure> {
        let catalogue = client.get("/api/catalogue").ok();
        let catalogue = catalogue.and_then(|bytes| catalogue_of(&bytes, &held));
        let before = match &held.rollup.after {
            None => None,
            Some(after) => match client.readable(None, Some(after.period), Some(after.revision)) {
                Ok(report) => Some(report),
                // What it had closed before is not there any more: then nothing is compared.
                Err(ApiError::Refused(_)) => None,
                Err(error) => return Err(error.into()),
            },
        };
        Ok(ToSign {
            before: before.filter(|report| is_named(&held, report)),
            catalogue,
            held,
        })
    }

    /// From a file.
    ///
    /// # Errors
    /// Another file, or what the system says.
    pub fn load(file: &Path) -> Result<ToSign, Failure> {
        let wrong = |why: String| {
            let message = format!("{}: {why}", file.display());
            Failure::coded(FaultCode::SignFile, message)
        };
        let there: OnDisk =
            serde_json::from_slice(&read(file)?).map_err(|e| wrong(e.to_string()))?;
        if there.format != FORMAT {
            return Err(wrong(format!("its format is not {FORMAT}")));
        }
        let held = HeldRollup::new(Note::parse(there.note.as_bytes())?)?;
        let catalogue = there.catalogue.as_deref().map(str::as_bytes);
        Ok(ToSign {
            catalogue: catalogue.and_then(|bytes| catalogue_of(bytes, &held)),
            before: there.before.filter(|report| is_named(&held, report)),
            held,
        })
    }

    /// Writes it for somebody else.
    ///
    /// # Errors
    /// What the system says.
    pub fn save(&self, client: &Client, file: &Path) -> Result<(), Failure> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let catalogue = client.get("/api/catalogue").ok();
        let on_disk = OnDisk {
            format: FORMAT.to_string(),
            note: text(self.held.note.as_bytes()),
            catalogue: catalogue.map(|bytes| text(&bytes)),
            before: self.before.clone(),
        };
        let mut json = serde_json::to_vec(&on_disk).map_err(Failure::of)?;
        json.push(b'\n');
        replace(file, &json)
    }

    /// What changed since what was signed before.
    pub fn difference(&self) -> Option<node::queries::figures::Difference> {
        let (catalogue, before) = (self.catalogue.as_ref()?, self.before.as_ref()?);
        let mut after = ReadableReport::of(&self.held, catalogue, None);
        after.name = before.name.clone();
        Some(node::queries::figures::between(before, &after))
    }
}

/// Whether this is the report that the other one follows: its digest is in what is signed.
fn is_named(held: &HeldRollup, report: &ReadableReport) -> bool {
    let after = held.rollup.after.as_ref();
    after.is_some_and(|after| after.rollup == report.digest)
}

fn catalogue_of(bytes: &[u8], held: &HeldRollup) -> Option<Catalogue> {
    let note = Note::parse(bytes).ok()?;
    let json = note::read_document(note.text(), catalogue::KIND).ok()?;
    let catalogue = Catalogue::from_json(json).ok();
    catalogue.filter(|c| c.digest() == held.rollup.catalogue)
}
