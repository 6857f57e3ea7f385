//! The `rollsnap` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    rollsnap::cli::main()
}
