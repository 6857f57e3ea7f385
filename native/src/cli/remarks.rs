//! What a command says of its report beside its result.

use std::time::Instant;

use rollsnap_core::report::{Check, Status};
use rollsnap_core::{Code, Feedback, Report};

use super::output::parts;
use super::progress::Terminal;

/// Says what was not checked, and what has no place in a store that was converted. What no store can prove is not worth
/// a line each time: `verify` has it.
pub(super) fn tell(report: &Report, feedback: &mut Terminal) {
    let open = |check: &&Check| check.status == Status::Unknown && check.code != Code::StoreUnproved;
    for check in report.checks.iter().filter(open) {
        feedback.note(&format!("Note: {}", said(check)));
    }
    for check in report.checks.iter().filter(|check| check.code == Code::ConvertLeftOut) {
        feedback.note(&format!("Not carried over: {}", said(check)));
    }
}

/// Says what was made, beside the line that the nodes print: what it is and how large, and how long that took.
pub(super) fn made(what: std::fmt::Arguments<'_>, since: Instant, feedback: &mut Terminal) {
    feedback.note(&format!("{what} in {:.1} s", since.elapsed().as_secs_f64()));
}

/// What the line about the result says of locks.
pub(super) fn lock(report: &Report) -> &'static str {
    let none = report.checks.iter().any(|check| check.code == Code::LockNone);
    if none { ", without locks," } else { "" }
}

fn said(check: &Check) -> String {
    match parts(check) {
        (said, Some(cause)) => format!("{said}: {cause}"),
        (said, None) => said.into(),
    }
}
