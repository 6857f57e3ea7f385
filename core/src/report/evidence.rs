//! Evidence about the contents of a snapshot or a data directory, and the verdict *Consistent*, which follows from
//! it and from nothing else.

use alloc::format;
use alloc::vec::Vec;

use super::{Check, Problems, Report, Status, Verdict};
use crate::code::Code;
use crate::problem::{Problem, Result};

/// What was found out by some checks. Evidence of several parts is [merged](Evidence::merge), and then either
/// [concluded](Evidence::conclude) from or [required](Evidence::require) to hold.
#[derive(Clone, Debug, Default)]
pub struct Evidence {
    /// What does not hold, and what kept a check from being done.
    pub problems: Problems,
    /// What holds, what is strange, and what was not checked.
    pub checks: Vec<Check>,
}

/// What a report says when nobody looked at the origination.
pub(crate) const GENESIS_NOT_CHECKED: &str = "not checked: whether the origination gives the genesis state";

impl Evidence {
    /// Adds what was found elsewhere, behind what is there.
    pub fn merge(&mut self, other: Self) {
        self.problems.append(other.problems);
        self.checks.extend(other.checks);
    }

    /// Forgets all problems but the first, for those who stop there.
    pub fn keep_first_problem(&mut self) {
        self.problems.keep_first();
    }

    /// What holds, if nothing speaks against it.
    ///
    /// # Errors
    /// The first problem, if any, with a word about the others. What a node would say comes before what only
    /// rollsnap finds.
    pub fn refuse(self) -> Result<Vec<Check>> {
        let Self { mut problems, checks } = self;
        let Some(first) = problems.take_foremost() else { return Ok(checks) };
        Err(match problems.count() {
            0 => first,
            1 => first.because("and one more; rollsnap verify shows both"),
            others => first.because(format!("and {others} more; rollsnap verify shows all")),
        })
    }

    /// Completes a report by evidence that must hold: for jobs that go on with nothing else.
    ///
    /// # Errors
    /// As [`Evidence::refuse`].
    pub fn require(self, report: &mut Report) -> Result<()> {
        let checks = self.refuse()?;
        Self { checks, ..Self::default() }.conclude(report, true);
        Ok(())
    }

    /// Adds what holds and what does not to a report, and gives the verdict *Consistent*. `whole`: the file around the
    /// contents holds; without its last bytes, the rest of a snapshot cannot vouch for the whole. Neither can what was
    /// read where something could not be.
    pub fn conclude(self, report: &mut Report, whole: bool) {
        let Self { problems, checks } = self;
        // Messages without a witness may be anything, and so may objects that nobody read.
        let open = [Code::MessagesWitness, Code::ContextUnchecked];
        let is_open = |check: &Check| open.contains(&check.code) && check.status == Status::Unknown;
        let unproved = checks.iter().any(|check| is_open(check) || check.is_hindered());
        let judged = checks.iter().any(|check| check.code == Code::StateGenesis)
            || problems.count_of(Code::StateGenesis) > 0;
        checks.into_iter().for_each(|check| report.add(check));
        if !judged {
            report.add(Check::unknown(Code::StateGenesis, GENESIS_NOT_CHECKED));
        }
        problems.iter().for_each(|problem| report.add(Check::of(problem)));
        report.checks_left_out = report.checks_left_out.saturating_add(problems.left_out());
        let accused = problems.codes().any(Code::is_about_contents);
        report.verdicts.consistent = match (accused, whole && !unproved && problems.is_empty()) {
            (true, _) => Verdict::No,
            (false, false) => Verdict::Unknown,
            (false, true) => Verdict::Yes,
        };
    }
}

impl From<Problem> for Evidence {
    fn from(problem: Problem) -> Self {
        Self { problems: Problems::from_iter([problem]), checks: Vec::new() }
    }
}

impl From<Check> for Evidence {
    fn from(check: Check) -> Self {
        Self { problems: Problems::default(), checks: Vec::from([check]) }
    }
}
