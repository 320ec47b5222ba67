//! `evidence::file::read`, and the verification of what was read. A file that is read is written
//! again as the same bytes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use protocol::evidence::{file, report};

fuzz_target!(|data: &[u8]| {
    if let Ok(evidence) = file::read(data) {
        assert_eq!(file::write(&evidence).as_deref(), Ok(data));
        let _ = report::verify(&evidence, fuzz::root());
    }
});
