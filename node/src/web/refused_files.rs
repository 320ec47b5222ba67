//! Files of events that were refused in this run of the node: a month that is closed without them is
//! one that somebody meant to fill in. Only counts are kept, nothing of what the files said.

use std::collections::BTreeMap;
use std::sync::Mutex;

use chrono::{DateTime, Utc};

use crate::clock::stamp;
use crate::desk::preview::RefusedFiles;
use crate::fault::Fault;

/// More kinds of files than any unit's people send.
const MAX_KINDS: usize = 1_000;

/// Who sent a file, and of which event type.
type Kind = (String, Option<String>);

/// The files that were refused, by who sent them and of which type.
#[derive(Debug, Default)]
pub struct RefusedImports(Mutex<BTreeMap<Kind, RefusedFiles>>);

impl RefusedImports {
    /// A file came. One without faults makes up for those of its kind that were refused before.
    pub fn note(&self, (by, event): Kind, faults: &[Fault], at: DateTime<Utc>) {
        let Ok(mut kept) = self.0.lock() else {
            return;
        };
        let kind = (by.clone(), event.clone());
        if faults.is_empty() {
            kept.remove(&kind);
            return;
        }
        if kept.len() >= MAX_KINDS && !kept.contains_key(&kind) {
            return;
        }
        let files = kept.get(&kind).map_or(1, |before| before.files + 1);
        let mut codes = BTreeMap::new();
        for fault in faults {
            *codes.entry(fault.code.to_string()).or_default() += 1;
        }
        let refused = RefusedFiles {
            event,
            by,
            at: stamp(at),
            files,
            codes,
        };
        kept.insert(kind, refused);
    }

    /// All of them.
    pub fn list(&self) -> Vec<RefusedFiles> {
        let kept = self.0.lock();
        kept.map(|kept| kept.values().cloned().collect())
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::FaultCode;

    #[test]
    fn a_file_that_goes_through_makes_up_for_those_before() {
        let refused = RefusedImports::default();
        let at = "2026-02-03T04:00:00Z".parse().unwrap();
        let kind = |event: &str| ("140321/luru".to_string(), Some(event.to_string()));
        let fault = || Fault::new(FaultCode::IdLength, "zh", "en");
        refused.note(kind("E16"), &[fault(), fault()], at);
        refused.note(kind("E16"), &[fault()], at);
        refused.note(kind("E01"), &[], at);
        let list = refused.list();
        assert_eq!((list.len(), list[0].files), (1, 2));
        assert_eq!(
            list[0].codes,
            BTreeMap::from([("id.length".to_string(), 1)])
        );
        refused.note(kind("E16"), &[], at);
        assert!(refused.list().is_empty());
    }
}
