//! `Note::parse`, and that a note read is the bytes it was read from.
#![no_main]

use libfuzzer_sys::fuzz_target;
use protocol::note::Note;

fuzz_target!(|data: &[u8]| {
    if let Ok(note) = Note::parse(data) {
        assert_eq!(note.as_bytes(), data);
        let _ = note.verify(std::slice::from_ref(fuzz::root()));
        let _ = protocol::log::verify_cosignature(&note, &fuzz::witness());
    }
});
