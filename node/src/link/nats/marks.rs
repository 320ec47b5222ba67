//! What each stream must still hold: the last message that the server acknowledged to this unit.
//!
//! It outlives the process, in a file of its own: a node that starts again while the server comes
//! back with an older store has to notice it, too. The journal is no place for it: it changes with
//! every message, and if the file is lost nothing is but this.

use std::collections::BTreeMap;
use std::fs::{OpenOptions, Permissions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use serde::{Deserialize, Serialize};

/// So many losses are part of the store's name. Each was made up for when the name was new.
const MAX_LOSSES: usize = 16;

/// A message that is in a stream, as the server said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Mark {
    /// Under this subject, which nobody but the unit may use.
    pub(super) subject: String,
    /// With this number in the stream; numbers only grow.
    pub(super) seq: u64,
}

/// The last acknowledged message of each stream, and what was found to be lost.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Marks {
    last: BTreeMap<String, Mark>,
    losses: Vec<String>,
}

impl Marks {
    /// What an earlier process has written; nothing where there is no such file, or none that can
    /// be read.
    pub(super) fn read(file: &Path) -> Marks {
        let read = match std::fs::read(file) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Marks::default(),
            read => read.map_err(|e| e.to_string()),
        };
        let marks =
            read.and_then(|bytes| serde_json::from_slice(&bytes).map_err(|e| e.to_string()));
        marks.unwrap_or_else(|error| {
            tracing::warn!(file = %file.display(), error, "what the streams must hold is not known");
            Marks::default()
        })
    }

    /// Writes them for the next process, whole or not at all.
    ///
    /// # Errors
    /// The disk's error.
    pub(super) fn write(&self, file: &Path) -> std::io::Result<()> {
        let new = file.with_extension("tmp");
        // As everything beside it: it tells what the unit sends and when.
        let mut options = OpenOptions::new();
        let mut written = options
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&new)?;
        // One that is left over from an older program keeps its mode otherwise.
        written.set_permissions(Permissions::from_mode(0o600))?;
        written.write_all(&serde_json::to_vec(self)?)?;
        written.sync_data()?;
        std::fs::rename(new, file)
    }

    /// The server stored a message. Answers may be worked on in another order than they came.
    pub(super) fn stored(&mut self, stream: &str, subject: &str, seq: u64) {
        if self.last(stream).is_none_or(|mark| mark.seq < seq) {
            let subject = subject.to_owned();
            self.last.insert(stream.to_owned(), Mark { subject, seq });
        }
    }

    /// The last acknowledged message of a stream.
    pub(super) fn last(&self, stream: &str) -> Option<&Mark> {
        self.last.get(stream)
    }

    /// The newest message of the mark's subject that the stream holds has the number `seq`, 0 where
    /// there is none. True: what was acknowledged is no longer there, so it is another store, or an
    /// older state of it. The mark is the one of the time of the question: a message that was stored
    /// since is not in the answer.
    pub(super) fn compare(&mut self, stream: &str, asked: &Mark, seq: u64) -> bool {
        let lost = seq < asked.seq;
        if lost {
            self.last.remove(stream);
            let surplus = (self.losses.len() + 1).saturating_sub(MAX_LOSSES);
            self.losses.drain(..surplus);
            self.losses
                .push(format!("{stream} without {} {}", asked.subject, asked.seq));
        }
        lost
    }

    /// What was found to be lost: part of the store's name.
    pub(super) fn losses(&self) -> impl Iterator<Item = String> + '_ {
        self.losses.iter().cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_message_that_was_acknowledged_and_is_gone_is_a_loss() {
        let mut marks = Marks::default();
        marks.stored("S", "a", 7);
        marks.stored("S", "b", 6);
        let asked = marks.last("S").cloned().unwrap();
        assert_eq!((asked.subject.as_str(), asked.seq), ("a", 7));
        assert!(!marks.compare("S", &asked, 7));
        // A repetition whose answer was lost stands there under a higher number.
        assert!(!marks.compare("S", &asked, 9));
        // Stored after the question: the answer does not know it.
        marks.stored("S", "a", 9);
        assert!(!marks.compare("S", &asked, 7));
        assert_eq!(marks.losses().count(), 0);
        for (newest, sent) in [(6, 9), (0, 3)] {
            marks.stored("S", "a", sent);
            let asked = marks.last("S").cloned().unwrap();
            assert!(marks.compare("S", &asked, newest));
            assert_eq!(marks.last("S"), None, "told once");
        }
        let losses: Vec<String> = marks.losses().collect();
        assert_eq!(losses, ["S without a 9", "S without a 3"]);
    }
    #[test]
    fn the_next_process_knows_them() {
        let dir = std::env::temp_dir().join(format!("marks-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let file = dir.join("stored");
        assert_eq!(Marks::read(&file), Marks::default());
        let mut marks = Marks::default();
        for seq in 1..40 {
            marks.stored("S", "a", seq);
            let asked = marks.last("S").cloned().unwrap();
            assert!(marks.compare("S", &asked, 0));
        }
        marks.stored("S", "b", 7);
        // What an older program left behind is no reason to let others read it.
        std::fs::write(file.with_extension("tmp"), "").unwrap();
        marks.write(&file).unwrap();
        let mode = std::fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let read = Marks::read(&file);
        assert_eq!(read, marks);
        assert_eq!(read.losses().count(), MAX_LOSSES);
        std::fs::write(&file, b"{").unwrap();
        assert_eq!(Marks::read(&file), Marks::default());
        std::fs::remove_dir_all(dir).unwrap();
    }
}
