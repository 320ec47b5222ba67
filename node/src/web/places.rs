//! Places for evidence files that are being taken out: one for each caller, and so many in all, as
//! each holds its notes and a thread.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

/// How many evidence files may be taken out at the same time.
pub const MAX_EVIDENCE_FILES: usize = 8;

/// The places, by the name of who has one.
#[derive(Debug, Default)]
pub struct EvidencePlaces(Mutex<BTreeSet<String>>);

/// One place; free again when it is dropped.
#[derive(Debug)]
pub struct EvidencePlace {
    places: Arc<EvidencePlaces>,
    caller: String,
}

impl EvidencePlaces {
    /// A place for this caller; none while it has one, or while all are taken.
    pub fn take(places: &Arc<EvidencePlaces>, caller: &str) -> Option<EvidencePlace> {
        let mut held = places.0.lock().unwrap_or_else(PoisonError::into_inner);
        if held.len() >= MAX_EVIDENCE_FILES || !held.insert(caller.to_owned()) {
            return None;
        }
        Some(EvidencePlace {
            places: places.clone(),
            caller: caller.to_owned(),
        })
    }
}

impl Drop for EvidencePlace {
    fn drop(&mut self) {
        let mut held = self.places.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.remove(&self.caller);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_caller_has_one_and_all_together_have_an_end() {
        let places = Arc::new(EvidencePlaces::default());
        let first = EvidencePlaces::take(&places, "a").unwrap();
        assert!(EvidencePlaces::take(&places, "a").is_none());
        let more: Vec<EvidencePlace> = (1..MAX_EVIDENCE_FILES)
            .map(|n| EvidencePlaces::take(&places, &n.to_string()).unwrap())
            .collect();
        assert!(EvidencePlaces::take(&places, "b").is_none());
        drop(first);
        let again = EvidencePlaces::take(&places, "a");
        assert!(again.is_some());
        drop(more);
        assert!(EvidencePlaces::take(&places, "b").is_some());
    }
}
