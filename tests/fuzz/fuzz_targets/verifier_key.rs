//! `VerifierKey`, and that a key has one text.
#![no_main]

use libfuzzer_sys::fuzz_target;
use protocol::note::VerifierKey;

fuzz_target!(|text: &str| {
    if let Ok(key) = text.parse::<VerifierKey>() {
        assert_eq!(key.to_string(), text);
        assert_eq!(
            VerifierKey::from_public(key.name(), key.alg(), key.public()).as_ref(),
            Ok(&key)
        );
    }
});
