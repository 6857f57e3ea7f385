//! *Anchored*: layer 1 knows the last commitment, or it is the one that the user expects.

use rollsnap_core::report::Check;
use rollsnap_core::{Code, Feedback, Header, Problem, Report, Result, Verdict};

use super::{Contents, Options, settle};
use crate::jobs::Phases;

/// What holds the last commitment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchor {
    /// The user's own knowledge.
    Expected,
    /// A layer 1 node.
    Layer1,
}

pub(super) fn check(
    _contents: &Contents,
    header: Option<&Header>,
    options: &Options,
    report: &mut Report,
    _phases: &mut Phases,
    _feedback: &mut dyn Feedback,
) -> Result<()> {
    if let (Some(expected), Some(header)) = (options.expected, header) {
        let found = header.last_commitment;
        report.verdicts.anchored = if expected == found {
            let text = format!("the last commitment is the expected one, {expected}");
            settle(report, Vec::new(), vec![Check::yes(Code::L1Commitment, text)])
        } else {
            let problem = Problem::new(Code::L1Commitment).expected(expected).found(found);
            settle(report, vec![problem], Vec::new())
        };
    } else if report.verdicts.anchored == Verdict::Unknown {
        report.add(Check::unknown(
            Code::L1Commitment,
            "not checked: whether the last commitment is published on layer 1 (no --endpoint)",
        ));
    }
    Ok(())
}
