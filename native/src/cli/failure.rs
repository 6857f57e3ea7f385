//! What went wrong, for programs: the `error` of a report, and the last event of `--progress json`.

use std::ffi::OsString;

use rollsnap_core::report::Check;
use rollsnap_core::{Code, Place, Problem, Report};
use serde::Serialize;

/// A problem that ended a command.
#[derive(Serialize)]
pub(super) struct Failure<'a> {
    code: Code,
    exit_status: u8,
    /// The first line of the text for people.
    message: &'a str,
    /// What to do about it; empty where there is nothing to add.
    advice: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<&'a Place>,
    #[serde(skip_serializing_if = "Option::is_none")]
    member: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expected: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    found: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<&'a str>,
}

impl<'a> From<&'a Problem> for Failure<'a> {
    fn from(problem: &'a Problem) -> Self {
        Self {
            code: problem.code(),
            exit_status: problem.code().class().exit_status(),
            message: problem.title(),
            advice: problem.advice(),
            at: problem.place(),
            member: problem.member_name(),
            expected: problem.expected_text(),
            found: problem.found_text(),
            cause: problem.cause(),
        }
    }
}

/// The report of a command that failed: the check that did not hold, and nothing else.
#[derive(Serialize)]
pub(super) struct Failed<'a> {
    #[serde(flatten)]
    report: Report,
    error: Failure<'a>,
}

impl<'a> From<&'a Problem> for Failed<'a> {
    fn from(problem: &'a Problem) -> Self {
        let mut report = Report::new();
        report.add(Check::of(problem));
        Self { report, error: problem.into() }
    }
}

/// A report, and the exit status that follows from it.
#[derive(Serialize)]
pub(super) struct Answered<'a> {
    #[serde(flatten)]
    pub(super) report: &'a Report,
    pub(super) exit_status: u8,
}

/// The event of a failure.
#[derive(Serialize)]
pub(super) struct Event<'a> {
    event: &'static str,
    #[serde(flatten)]
    failure: Failure<'a>,
}

impl<'a> From<&'a Problem> for Event<'a> {
    fn from(problem: &'a Problem) -> Self {
        Self { event: "error", failure: problem.into() }
    }
}

/// What a command line that is not understood asks for all the same: JSON as the result, and JSON as progress.
pub(super) fn wanted(args: impl Iterator<Item = OsString>) -> (bool, bool) {
    let args: Vec<OsString> = args.take_while(|arg| arg != "--").collect();
    let progress = args.windows(2).any(|pair| pair[0] == "--progress" && pair[1] == "json");
    (args.iter().any(|arg| arg == "--json"), progress || args.iter().any(|arg| arg == "--progress=json"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_is_seen_in_any_command_line() {
        let of = |line: &str| wanted(line.split(' ').map(OsString::from));
        assert_eq!(of("rollsnap"), (false, false));
        assert_eq!(of("rollsnap inof --json x"), (true, false));
        assert_eq!(of("rollsnap --progress json inof"), (false, true));
        assert_eq!(of("rollsnap inof --progress=json --json"), (true, true));
        assert_eq!(of("rollsnap cat x -- --json --progress=json"), (false, false));
        assert_eq!(of("rollsnap --progress"), (false, false));
    }
}
