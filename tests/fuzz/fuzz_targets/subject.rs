//! NATS subjects: each has one text.
#![no_main]

use libfuzzer_sys::fuzz_target;
use node::link::{Subject, UnitPath};

fuzz_target!(|text: &str| {
    if let Ok(subject) = text.parse::<Subject>() {
        assert_eq!(subject.to_string(), text);
    }
    let _ = text.parse::<UnitPath>();
});
