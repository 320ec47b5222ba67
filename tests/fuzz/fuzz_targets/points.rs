//! Commitments and blinding sums: 32 bytes have one meaning and one text, and the identity is no
//! commitment.
#![no_main]

use libfuzzer_sys::fuzz_target;
use protocol::commitment::{Commitment, OpenScalar};

fuzz_target!(|data: &[u8]| {
    if let Ok(commitment) = Commitment::from_bytes(data) {
        assert_eq!(&commitment.as_bytes()[..], data);
        assert_eq!(&commitment.point().compress().to_bytes()[..], data);
        assert_ne!(data, [0; 32]);
    }
    if let Ok(text) = std::str::from_utf8(data) {
        if let Ok(read) = serde_json::from_str::<Commitment>(text) {
            assert_eq!(
                serde_json::from_str::<Commitment>(&serde_json::to_string(&read).expect("hex"))
                    .expect("hex"),
                read
            );
        }
        if let Ok(read) = serde_json::from_str::<OpenScalar>(text) {
            assert_eq!(
                serde_json::from_str::<OpenScalar>(&serde_json::to_string(&read).expect("hex"))
                    .expect("hex"),
                read
            );
        }
    }
});
