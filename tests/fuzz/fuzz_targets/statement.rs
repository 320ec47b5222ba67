//! `Statement::parse`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use protocol::statement::Statement;

fuzz_target!(|text: &str| {
    if let Ok(statement) = Statement::parse(&fuzz::document("statement", text)) {
        // What was read can be written, and says the same.
        let again = statement.to_text().expect("it was read");
        assert_eq!(Statement::parse(&again).as_ref(), Ok(&statement));
    }
});
