//! The registry chain: notes one behind the other, divided by a byte that no note has; and
//! documents that are signed here.
#![no_main]

use libfuzzer_sys::fuzz_target;
use protocol::note::Note;
use protocol::registry::{Registry, VerifiedRegistry};

fuzz_target!(|data: &[u8]| {
    let notes: Vec<Note> = data
        .split(|b| *b == 0)
        .filter_map(|n| Note::parse(n).ok())
        .collect();
    let _ = VerifiedRegistry::chain(&notes, fuzz::root());
    // With good signatures, so that what the document says is looked at. Only what can be read is
    // signed: two signatures and their checks cost far more than a text that is no registry.
    let documents = data
        .split(|b| *b == 0)
        .filter_map(|d| std::str::from_utf8(d).ok())
        .map(|d| fuzz::document("registry", d));
    let notes: Vec<Note> = documents
        .filter(|text| Registry::parse(text).is_ok())
        .filter_map(|text| fuzz::signed(&text))
        .collect();
    if let Ok(chain) = VerifiedRegistry::chain(&notes, fuzz::root()) {
        for version in &chain {
            for unit in &version.registry().units {
                for month in [Some(unit.since), unit.until(), unit.since.next()] {
                    let Some(month) = month else { continue };
                    let path = version.registry().path(&unit.id, month);
                    assert_eq!(path.last(), Some(&unit.id));
                    let below = version.registry().subtree(&path[0], month);
                    assert!(below.iter().any(|u| u.id == unit.id));
                    let ever = version.registry().ever_below(&path[0]);
                    assert!(ever.iter().any(|u| u.id == unit.id));
                    let above = version.registry().ever_above(&unit.id);
                    let mut ancestors = path[..path.len() - 1].iter();
                    assert!(ancestors.all(|id| above.iter().any(|u| u.id == *id)));
                }
            }
        }
    }
});
