//! Evidence about the contents of a snapshot or a data directory, and the verdict *Consistent*, which follows from
//! it and from nothing else.

use alloc::format;
use alloc::vec::Vec;

use super::{Check, Problems, Report, ShareInfo, Status, Verdict};
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
        self.judge(report, whole, None);
    }

    /// The same of a share, which is not enough for a "yes" to the whole. Gives the answer to what it had to check; when
    /// nobody looked at the origination, that is for the first share to say.
    pub(super) fn judge(self, report: &mut Report, whole: bool, share: Option<&ShareInfo>) -> Verdict {
        let origination = share.is_none_or(|share| share.number == 1);
        let Self { problems, checks } = self;
        // Messages without a witness may be anything, and so may objects that nobody read, half of a state, and outboxes of
        // other blocks.
        let open = [Code::MessagesWitness, Code::ContextUnchecked, Code::ContextDual, Code::OutboxMessages];
        let is_open = |check: &Check| open.contains(&check.code) && check.status == Status::Unknown;
        let unproved = checks.iter().any(|check| is_open(check) || check.is_hindered());
        let judged = checks.iter().any(|check| check.code == Code::StateGenesis)
            || problems.count_of(Code::StateGenesis) > 0;
        checks.into_iter().for_each(|check| report.add(check));
        if origination && !judged {
            report.add(Check::unknown(Code::StateGenesis, GENESIS_NOT_CHECKED));
        }
        problems.iter().for_each(|problem| report.add(Check::of(problem)));
        report.checks_left_out = report.checks_left_out.saturating_add(problems.left_out());
        let accused = problems.codes().any(Code::is_about_contents);
        let answer = match (accused, whole && !unproved && problems.is_empty()) {
            (true, _) => Verdict::No,
            (false, false) => Verdict::Unknown,
            (false, true) => Verdict::Yes,
        };
        let is_part = answer == Verdict::Yes && share.is_some_and(|share| share.of > 1);
        report.verdicts.consistent = if is_part { Verdict::Unknown } else { answer };
        answer
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

#[cfg(test)]
mod tests {
    use super::*;

    fn concluded(evidence: Evidence, whole: bool) -> Verdict {
        let mut report = Report::new();
        evidence.conclude(&mut report, whole);
        report.verdicts.consistent
    }

    #[test]
    fn only_contents_that_say_no_give_a_no() {
        let nothing = Evidence::default;
        let damaged = || Evidence::from(Problem::new(Code::ChainBlock));
        let unread = || Evidence::from(Problem::new(Code::IoPermission));
        let open = || Evidence::from(Check::unknown(Code::ContextUnchecked, "not checked"));
        let half = || Evidence::from(Check::open(&Problem::new(Code::ContextDual)));
        let hindered = || Evidence::from(Check::open(&Problem::new(Code::LimitMemory)));
        let holds = || Evidence::from(Check::yes(Code::ChainBlock, "holds"));
        assert_eq!(concluded(nothing(), true), Verdict::Yes);
        assert_eq!(concluded(holds(), true), Verdict::Yes);
        for (evidence, expected) in [
            (holds(), Verdict::Unknown),
            (unread(), Verdict::Unknown),
            (open(), Verdict::Unknown),
            (half(), Verdict::Unknown),
            (hindered(), Verdict::Unknown),
            (damaged(), Verdict::No),
        ] {
            assert_eq!(concluded(evidence, false), expected);
        }
        for other in [open(), half(), hindered(), unread(), damaged()] {
            let mut evidence = other;
            let expected = if evidence.problems.iter().any(|problem| problem.code() == Code::ChainBlock) {
                Verdict::No
            } else {
                Verdict::Unknown
            };
            evidence.merge(holds());
            assert_eq!(concluded(evidence, true), expected);
        }
        let mut both = unread();
        both.merge(damaged());
        assert_eq!(concluded(both, true), Verdict::No);
    }

    #[test]
    fn what_is_refused_names_the_first_and_counts_the_others() {
        let texts = |count: usize| {
            let mut evidence = Evidence::default();
            (0..count).for_each(|_| evidence.problems.push(Problem::new(Code::ChainBlock)));
            evidence.refuse().unwrap_err().cause().map(alloc::string::String::from)
        };
        assert_eq!(texts(1), None);
        assert_eq!(texts(2).as_deref(), Some("and one more; rollsnap verify shows both"));
        assert_eq!(texts(4).as_deref(), Some("and 3 more; rollsnap verify shows all"));
        let mut report = Report::new();
        assert!(Evidence::from(Problem::new(Code::ChainBlock)).require(&mut report).is_err());
        assert_eq!((report.verdicts.consistent, report.checks.len()), (Verdict::Unknown, 0));
        Evidence::from(Check::yes(Code::ChainBlock, "holds")).require(&mut report).unwrap();
        assert_eq!(report.verdicts.consistent, Verdict::Yes);
    }
}
