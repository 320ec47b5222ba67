//! What a clerk imports: CSV and JSON lines, in UTF-8 or GB18030. Decoded text is decoded once.
#![no_main]

use libfuzzer_sys::fuzz_target;
use node::exchange::{Form, decode, parse};

fuzz_target!(|data: &[u8]| {
    if let Ok(text) = decode(data) {
        if !text.starts_with('\u{feff}') {
            assert_eq!(decode(text.as_bytes()).ok().as_ref(), Some(&text));
        }
    }
    let catalogue = fuzz::catalogue();
    for event in catalogue.events.iter().take(12) {
        let _ = parse(data, Form::Csv, Some(&event.code), catalogue);
    }
    let _ = parse(data, Form::Csv, None, catalogue);
    let _ = parse(data, Form::Jsonl, None, catalogue);
});
