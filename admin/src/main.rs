//! `countersign`: the command line. The commands are in [`admin::cli`].

use std::process::ExitCode;

/// An evidence file is checked on all cores: see `node/src/main.rs`.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    admin::cli::main()
}
