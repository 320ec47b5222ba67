//! `Checkpoint::parse`, and that a checkpoint has one text.
#![no_main]

use libfuzzer_sys::fuzz_target;
use protocol::log::Checkpoint;

fuzz_target!(|text: &str| {
    if let Ok(checkpoint) = Checkpoint::parse(text) {
        assert_eq!(checkpoint.text(), text);
    }
});
