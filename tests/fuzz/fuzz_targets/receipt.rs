//! `Receipt::parse` and `Arrivals::parse`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use protocol::evidence::Arrivals;
use protocol::receipt::Receipt;

fuzz_target!(|text: &str| {
    if let Ok(receipt) = Receipt::parse(&fuzz::document("receipt", text)) {
        let again = receipt.to_text().expect("it was read");
        assert_eq!(Receipt::parse(&again).as_ref(), Ok(&receipt));
    }
    if let Ok(arrivals) = Arrivals::parse(&fuzz::document("arrivals", text)) {
        let again = arrivals.to_text().expect("it was read");
        assert_eq!(Arrivals::parse(&again).as_ref(), Ok(&arrivals));
    }
});
