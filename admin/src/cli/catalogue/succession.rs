//! What changes from an earlier catalogue to the next, before anybody signs it.

use std::path::{Path, PathBuf};

use node::fault::FaultCode;
use protocol::authoring::CatalogueErrors;
use protocol::catalogue::{Catalogue, KIND};
use protocol::note::{self, Note};
use protocol::succession::{self, Change, Weight};
use serde_json::{Value, json};

use super::files::examine;
use crate::cli::output::{Failure, Output, print, read, sayln};

/// All changes from these earlier catalogues.
pub fn compare(new: &Catalogue, against: &[PathBuf]) -> Result<Vec<Change>, Failure> {
    let earlier: Vec<Catalogue> = against
        .iter()
        .map(|path| earlier(path))
        .collect::<Result<_, _>>()?;
    Ok(succession::changes_from_all(&earlier, new))
}

/// Those that may not be.
pub fn refused(changes: &[Change]) -> impl Iterator<Item = &Change> {
    let refused = |change: &&Change| change.kind().weight() == Weight::Refused;
    changes.iter().filter(refused)
}

/// A signed catalogue, or the files of one.
fn earlier(path: &Path) -> Result<Catalogue, Failure> {
    if path.is_dir() {
        return examine(path)?.map_err(|CatalogueErrors(errors)| {
            let message = format!(
                "{}: the catalogue has {} fault(s)",
                path.display(),
                errors.len()
            );
            Failure::coded(FaultCode::CatalogueFaults, message)
        });
    }
    let unreadable =
        |e: String| Failure::coded(FaultCode::CatalogueJson, format!("{}: {e}", path.display()));
    // Whose signatures it has is the node's question; here it is compared only.
    let note = Note::parse(&read(path)?).map_err(|e| unreadable(e.to_string()))?;
    let json = note::read_document(note.text(), KIND).map_err(|e| unreadable(e.to_string()))?;
    Catalogue::from_json(json).map_err(|e| unreadable(e.to_string()))
}

/// What may be and people should know.
pub fn tell(changes: &[Change], out: &Output) {
    for change in changes {
        out.note(format!("{}\n  {change}", change.zh()));
    }
}

/// A row for each change.
pub fn table(changes: &[Change], out: &Output) {
    if changes.is_empty() {
        return;
    }
    let mut rows = out.table(&["", "place", "code", "what it means"]);
    for change in changes {
        let kind = change.kind();
        let mark = match kind.weight() {
            Weight::Refused => "✗",
            Weight::Noted => "·",
        };
        let sentence = format!("{}\n{kind}", kind.zh());
        rows.add_row([mark, change.place(), kind.code(), &sentence]);
    }
    print(&rows);
    let refused = refused(changes).count();
    let (zh, en) = if refused > 0 {
        ("不能签署", "cannot be signed")
    } else {
        ("可以接续", "follows")
    };
    sayln!(
        "{} 项改动，其中 {refused} 项不可：{zh} / {} change(s), {refused} of them may not be: {en}",
        changes.len(),
        changes.len()
    );
}

/// The same for programs.
pub fn as_json(changes: &[Change]) -> Value {
    let one = |change: &Change| {
        let kind = change.kind();
        json!({
            "place": change.place(),
            "code": kind.code(),
            "refused": kind.weight() == Weight::Refused,
            "zh": kind.zh(),
            "en": kind.to_string(),
        })
    };
    changes.iter().map(one).collect()
}
