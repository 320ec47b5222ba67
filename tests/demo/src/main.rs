//! `countersign-demo`: the demonstration and made-up ledgers. The commands are in
//! [`countersign_demo::commands`].

use std::process::ExitCode;

/// The year's evidence is checked on all cores: see `node/src/main.rs`.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    countersign_demo::commands::main()
}
