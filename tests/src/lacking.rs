//! A file system that lacks something: calls of a kind always fail (`tests/crash/lacking.c`).

use std::fs;
use std::process::{Command, Output};

use crate::preload::Library;

static LIBRARY: Library = Library::new("lacking");

/// Runs the command where these kinds of calls fail, each with its error number. How many calls failed; 0 where it did
/// not end by itself.
pub fn run(mut command: Command, lacking: &[(&str, i32)]) -> (Output, u64) {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let file = dir.path().join("count");
    let list: Vec<_> = lacking.iter().map(|(name, errno)| format!("{name}={errno}")).collect();
    command.env("LD_PRELOAD", LIBRARY.path()).env("LACKING", list.join(" ")).env("LACKING_COUNT_FILE", &file);
    let output = command.output().expect("the command starts");
    let count = fs::read_to_string(&file).ok().and_then(|text| text.trim().parse().ok()).unwrap_or_default();
    (output, count)
}
