//! `Catalogue::from_json`, and compiling what was read.
#![no_main]

use libfuzzer_sys::fuzz_target;
use protocol::catalogue::Catalogue;
use protocol::compiled::CompiledCatalogue;

fuzz_target!(|text: &str| {
    if let Ok(catalogue) = Catalogue::from_json(text) {
        assert_eq!(
            Catalogue::from_json(&catalogue.to_json()).as_ref(),
            Ok(&catalogue)
        );
        let _ = CompiledCatalogue::new(catalogue);
    }
});
