//! `countersign-demo`: the demonstration and made-up ledgers. The commands are in
//! [`countersign_demo::commands`].

use std::process::ExitCode;

fn main() -> ExitCode {
    countersign_demo::commands::main()
}
