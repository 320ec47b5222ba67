//! `countersign`: the command line. The commands are in [`admin::cli`].

use std::process::ExitCode;

fn main() -> ExitCode {
    admin::cli::main()
}
