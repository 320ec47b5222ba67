//! `Plan::from_toml`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use protocol::plan::Plan;

fuzz_target!(|text: &str| {
    if let Ok(plan) = Plan::from_toml(text) {
        assert!(plan.target.len() <= text.len());
        let _ = protocol::published::plan_text(text);
    }
});
