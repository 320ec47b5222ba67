//! Codes and periods: each has one text, which is what was read.
#![no_main]

use std::fmt::Display;
use std::str::FromStr;

use libfuzzer_sys::fuzz_target;
use protocol::ids::{CertificateNumber, CreditCode, EventId, IdNumber, Tier, UnitId};
use protocol::period::{Month, Period};

fn one_text<T: FromStr + Display>(text: &str) {
    if let Ok(read) = text.parse::<T>() {
        assert_eq!(read.to_string(), text);
    }
}

fuzz_target!(|text: &str| {
    one_text::<UnitId>(text);
    one_text::<EventId>(text);
    one_text::<Month>(text);
    one_text::<Period>(text);
    // These are read leniently (spaces, full-width digits, small letters): written again they are
    // the same for good.
    let _ = text.parse::<Tier>();
    let _ = text.parse::<IdNumber>();
    let _ = text.parse::<CertificateNumber>();
    let _ = text.parse::<CreditCode>();
});
