//! What a clerk imports: CSV, JSON lines and workbooks, in any encoding. Decoded text is decoded once.
#![no_main]

use libfuzzer_sys::fuzz_target;
use node::exchange::{Form, decode, parse};

fuzz_target!(|data: &[u8]| {
    // The first byte says how the rest is read: to read each input in every way costs fourteen
    // times as much and finds no more, since an input is of one form and one type.
    let Some((way, data)) = data.split_first() else {
        return;
    };
    if let Ok(text) = decode(data) {
        if !text.starts_with('\u{feff}') {
            assert_eq!(decode(text.as_bytes()).ok().as_ref(), Some(&text));
        }
    }
    let catalogue = fuzz::catalogue();
    let event = catalogue.events.get(usize::from(way / 3));
    let form = Form::ALL[usize::from(way % 3)];
    let _ = parse(data, form, event.map(|e| e.code.as_str()), catalogue);
});
