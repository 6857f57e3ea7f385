//! Fault injection from outside: kills a command, or lets one of its calls fail, just before call
//! number N that changes the file system. The program under test has no hooks for it; a small
//! library (`tests/crash/crash.c`, compiled on first use with `cc`) is loaded before libc.
//!
//! Calls are numbered from 1 over the whole process. A command under test must make the same
//! calls in every run up to N: run it with one thread that writes, and on equal input.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitStatus, Output};

use crate::preload::Library;

static LIBRARY: Library = Library::new("crash");

/// What happens at call N.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// SIGKILL before the call.
    Kill,
    /// SIGKILL after half of the call if it is a write, before it otherwise.
    Torn,
    /// The call is not made and reports this error number (28: no space, 5: I/O error); the
    /// calls after it are made.
    Fail(i32),
    /// The same, and SIGKILL before this later call: a crash while the error is dealt with.
    FailThenKill(i32, u64),
}

/// One call that changes the file system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// `open`, `write`, `sync`, `rename`, `unlink`, `rmdir`, `mkdir`, `link`, `truncate`, …
    pub name: String,
    /// The path, or what its descriptor refers to; of two (`rename`, `link`), both.
    pub paths: Vec<String>,
}

/// How many calls the command makes. It must succeed.
pub fn count(command: Command) -> u64 {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let file = dir.path().join("count");
    let mut command = prepare(command);
    run_well(command.env("CRASH_COUNT_FILE", &file));
    let text = fs::read_to_string(&file).expect("the library writes the count when the command exits");
    let calls = text.trim().parse().expect("a count is a number");
    assert_ne!(calls, 0, "the library saw no call: {command:?}");
    calls
}

/// The calls that the command makes, in order. It must succeed. Paths must be free of spaces.
pub fn trace(command: Command) -> Vec<Call> {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let file = dir.path().join("trace");
    run_well(prepare(command).env("CRASH_TRACE_FILE", &file));
    let text = fs::read_to_string(&file).expect("the library writes the trace");
    let call = |line: &str| {
        let mut words = line.split(' ').skip(1).map(str::to_owned);
        Call { name: words.next().expect("a call has a name"), paths: words.collect() }
    };
    text.lines().map(call).collect()
}

/// Runs the command with a fault at call `n` and collects what it prints. With `n` above
/// [`count`] nothing happens to it.
pub fn run_at(command: Command, n: u64, how: How) -> Output {
    let mut command = prepare(command);
    command.env("CRASH_AT", n.to_string());
    match how {
        How::Kill => command.env("CRASH_HOW", "kill"),
        How::Torn => command.env("CRASH_HOW", "torn"),
        How::Fail(errno) => command.env("CRASH_HOW", errno.to_string()),
        How::FailThenKill(errno, later) => {
            command.env("CRASH_HOW", errno.to_string()).env("CRASH_THEN", later.to_string())
        }
    };
    command.output().expect("the command starts")
}

/// Runs the command and kills it just before call `n`.
pub fn run_killed_at(command: Command, n: u64) -> ExitStatus {
    run_at(command, n, How::Kill).status
}

/// Whether the process was ended by the injected SIGKILL.
pub fn was_killed(status: ExitStatus) -> bool {
    status.signal() == Some(9)
}

fn run_well(command: &mut Command) {
    let output = command.output().expect("the command starts");
    assert!(output.status.success(), "{command:?}: {output:?}");
}

fn prepare(mut command: Command) -> Command {
    for name in ["CRASH_AT", "CRASH_HOW", "CRASH_THEN", "CRASH_COUNT_FILE", "CRASH_TRACE_FILE"] {
        command.env_remove(name);
    }
    command.env("LD_PRELOAD", LIBRARY.path());
    command
}
