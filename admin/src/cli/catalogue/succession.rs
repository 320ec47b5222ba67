//! What changes from an earlier catalogue to the next, before anybody signs it.

use std::path::PathBuf;

use protocol::catalogue::Catalogue;
use protocol::succession::{self, Change, Weight};
use serde_json::{Value, json};

use super::files::load;
use crate::cli::output::{Failure, Output, print, sayln};

/// All changes from these earlier catalogues.
pub fn compare(new: &Catalogue, against: &[PathBuf]) -> Result<Vec<Change>, Failure> {
    let earlier: Vec<Catalogue> = against
        .iter()
        .map(|path| load(path))
        .collect::<Result<_, _>>()?;
    Ok(succession::changes_from_all(&earlier, new))
}

/// Those that may not be.
pub fn refused(changes: &[Change]) -> impl Iterator<Item = &Change> {
    let refused = |change: &&Change| change.kind().weight() == Weight::Refused;
    changes.iter().filter(refused)
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
