//! The levels at which a commitment is looked for, and those that got no answer.

use alloc::format;

use crate::code::Code;
use crate::problem::{Problem, Result};

/// How many levels are looked at: on a public network that is a century.
pub const MAX_PROBES: u64 = 4096;

/// `start`, `start + step`, … and at last exactly `head`.
#[derive(Clone, Debug)]
pub(super) struct Probes {
    pub(super) start: i32,
    pub(super) step: i32,
    pub(super) head: i32,
    /// The one whose answer is waited for.
    level: i32,
    done: u64,
    count: u64,
    failures: Failures,
}

/// Levels without an answer.
#[derive(Clone, Debug, Default)]
struct Failures {
    first: Option<Problem>,
    number: u64,
    unreachable_in_a_row: u32,
}

impl Probes {
    /// # Errors
    /// [`Code::L1Answer`]: there would be more than [`MAX_PROBES`].
    pub(super) fn new(start: i32, step: i32, head: i32) -> Result<Self> {
        let distance = u64::try_from(i64::from(head) - i64::from(start)).unwrap_or(0);
        let count = distance.div_ceil(u64::from(step.unsigned_abs().max(1))) + 1;
        if count > MAX_PROBES {
            return Err(Problem::new(Code::L1Answer).because(format_args!(
                "it would take {count} requests to search levels {start} to {head} in steps of {step}"
            )));
        }
        Ok(Self { start, step, head, level: start.min(head), done: 0, count, failures: Failures::default() })
    }

    /// The level to look at.
    pub(super) fn level(&self) -> i32 {
        self.level
    }

    /// Whether that is the last one.
    pub(super) fn is_last(&self) -> bool {
        self.level >= self.head
    }

    /// How many levels have been looked at, and how many there are.
    pub(super) fn progress(&self) -> (u64, u64) {
        (self.done, self.count)
    }

    /// There was an answer.
    pub(super) fn answered(&mut self) {
        self.failures.unreachable_in_a_row = 0;
    }

    /// There was none. A node that has gone away is not asked about all levels: each costs time.
    ///
    /// # Errors
    /// The problem of such a node.
    pub(super) fn failed(&mut self, problem: Problem) -> Result<()> {
        let failures = &mut self.failures;
        failures.number += 1;
        let gone = problem.code() == Code::L1Unreachable;
        failures.unreachable_in_a_row = if gone { failures.unreachable_in_a_row + 1 } else { 0 };
        if failures.unreachable_in_a_row == 2 {
            return Err(problem);
        }
        failures.first.get_or_insert(problem);
        Ok(())
    }

    /// Goes on to the next level; to none after the last.
    pub(super) fn advance(&mut self) {
        self.done += 1;
        self.level = self.level.saturating_add(self.step.max(1)).min(self.head);
    }

    /// After the last level: whether all of them could be looked at.
    ///
    /// # Errors
    /// What kept it from being done: the commitment may stand just there.
    pub(super) fn verdict(&self) -> Result<()> {
        let Failures { first, number, .. } = &self.failures;
        match first {
            None => Ok(()),
            Some(problem) if *number == self.count => Err(problem.clone()),
            Some(problem) => Err(Problem::new(problem.code())
                .headline(format!("{number} of {} levels could not be looked at", self.count))
                .because(problem.sentence())),
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    #[test]
    fn probes_end_exactly_at_the_head() {
        let levels = |start, step, head| {
            let mut probes = Probes::new(start, step, head).unwrap();
            let mut levels = Vec::from([probes.level()]);
            while !probes.is_last() {
                probes.advance();
                levels.push(probes.level());
            }
            assert_eq!(probes.progress().1, levels.len() as u64);
            levels
        };
        assert_eq!(levels(1013, 10, 1029), [1013, 1023, 1029]);
        assert_eq!(levels(1009, 10, 1029), [1009, 1019, 1029]);
        assert_eq!(levels(1029, 10, 1029), [1029]);
        assert_eq!(levels(1035, 10, 1029), [1029]);
        assert_eq!(levels(i32::MAX - 3, 2, i32::MAX), [i32::MAX - 3, i32::MAX - 1, i32::MAX]);
        assert_eq!(levels(i32::MIN, i32::MAX, i32::MAX), [i32::MIN, -1, i32::MAX - 1, i32::MAX]);
    }

    #[test]
    fn there_are_not_more_than_that() {
        assert!(Probes::new(0, 1, 4095).is_ok());
        let problem = Probes::new(i32::MIN, 1, i32::MAX).unwrap_err();
        assert_eq!(problem.code(), Code::L1Answer);
        let text =
            "it would take 4294967296 requests to search levels -2147483648 to 2147483647 in steps of 1";
        assert_eq!(problem.cause(), Some(text));
    }
}
