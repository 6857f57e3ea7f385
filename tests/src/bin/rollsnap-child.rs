//! The command `rollsnap` itself, as a program that tests of this package can start.

use std::process::ExitCode;

fn main() -> ExitCode {
    rollsnap::cli::main()
}
