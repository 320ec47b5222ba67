//! `Rollup::parse`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use protocol::rollup::Rollup;

fuzz_target!(|text: &str| {
    if let Ok(rollup) = Rollup::parse(&fuzz::document("rollup", text)) {
        let again = rollup.to_text().expect("it was read");
        assert_eq!(Rollup::parse(&again).as_ref(), Ok(&rollup));
        for figure in &rollup.figures {
            let _ = figure.own.is_consistent();
            let _ = figure.scope().clone().add(&figure.own, &figure.id);
        }
    }
});
