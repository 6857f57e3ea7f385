//! What a command says of its report beside its result.

use rollsnap_core::report::{Check, Status};
use rollsnap_core::{Code, Feedback, Report};

use super::output::parts;
use super::progress::Terminal;

/// Says what was not checked, and what has no place in a store that was converted.
pub(super) fn tell(report: &Report, feedback: &mut Terminal) {
    for check in report.checks.iter().filter(|check| check.status == Status::Unknown) {
        feedback.note(&format!("Note: {}", said(check)));
    }
    for check in report.checks.iter().filter(|check| check.code == Code::ConvertLeftOut) {
        feedback.note(&format!("Not carried over: {}", said(check)));
    }
}

fn said(check: &Check) -> String {
    match parts(check) {
        (said, Some(cause)) => format!("{said}: {cause}"),
        (said, None) => said.into(),
    }
}
