//! A system that fails under a command that reads: one call, or all from one on, report an error
//! (`tests/crash/faults.c`).

use std::fs;
use std::process::{Command, Output};

use crate::preload::Library;

static LIBRARY: Library = Library::new("faults");

/// Calls of a kind: `open`, `read`, `stat`, `list`, `lock`, `map`, `access`, `accept` or `thread`.
pub type Kind = &'static str;

/// Which calls fail.
#[derive(Clone, Copy, Debug)]
pub enum Which {
    /// This one, counted from 1.
    Only(u64),
    /// This one and all after it.
    From(u64),
}

/// How many calls of a kind the command makes when none fails.
pub fn count(mut command: Command, kind: Kind) -> u64 {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let file = dir.path().join("count");
    command.env("LD_PRELOAD", LIBRARY.path()).env("FAULT_CALL", kind).env("FAULT_COUNT_FILE", &file);
    command.output().expect("the command starts");
    let text = fs::read_to_string(&file).expect("the library writes the count when the command exits");
    text.trim().parse().expect("a count is a number")
}

/// Runs the command while calls of a kind report this error number.
pub fn run(mut command: Command, kind: Kind, errno: i32, which: Which) -> Output {
    prepare(&mut command, kind, errno, which);
    command.output().expect("the command starts")
}

/// Has calls of a kind report this error number when the command runs.
pub fn prepare(command: &mut Command, kind: Kind, errno: i32, which: Which) {
    command.env("LD_PRELOAD", LIBRARY.path()).env("FAULT_CALL", kind).env("FAULT_ERRNO", errno.to_string());
    match which {
        Which::Only(number) => command.env("FAULT_AT", number.to_string()),
        Which::From(number) => command.env("FAULT_FROM", number.to_string()),
    };
}
