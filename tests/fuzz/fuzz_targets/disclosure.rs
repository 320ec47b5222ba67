//! `Disclosure`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use protocol::evidence::disclosure::{self, Disclosure};

fuzz_target!(|data: &[u8]| {
    if let Ok(disclosure) = serde_json::from_slice::<Disclosure>(data) {
        let _ = disclosure::verify(&disclosure, fuzz::root());
    }
});
