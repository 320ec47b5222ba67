//! `tile::decode_bundle`, deliveries, tile paths, and that a bundle has one encoding.
#![no_main]

use libfuzzer_sys::fuzz_target;
use protocol::log::{Delivery, decode_bundle, encode_bundle, parse_path};

fuzz_target!(|data: &[u8]| {
    if let Ok(entries) = decode_bundle(data) {
        let entries: Vec<&[u8]> = entries.iter().map(Vec::as_slice).collect();
        assert_eq!(encode_bundle(&entries).as_deref(), Ok(data));
    }
    let _ = (Delivery::read(0, data), Delivery::reopen(data));
    if let Ok(text) = std::str::from_utf8(data) {
        let _ = parse_path(text);
    }
});
