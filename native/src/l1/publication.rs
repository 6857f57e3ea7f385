//! Is a commitment published on L1? The search of the nodes, and rule I5d that goes before it.
//!
//! L1 forgets a commitment some time after it was cemented, but never within a challenge window
//! of its publication. So it is looked for at levels one window apart, from before the time when
//! it can have been published up to the newest block.
//!
//! Unlike the nodes we tell "no" from "no answer": a node that does not serve the storage of
//! rollups, or has pruned it, says nothing about a commitment.

use std::iter;

use rollsnap_core::hash::{CommitmentHash, RollupAddress};
use rollsnap_core::{Code, Feedback, Problem, Result};

use super::rpc::{At, L1};

/// First line of the nodes whenever the search does not find the commitment.
const NOT_PUBLISHED: &str = "Commitment of snapshot is not published on L1.";

/// How many levels are looked at: on a public network that is a century.
const MAX_PROBES: u64 = 4096;

/// What to look for, and where to begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The rollup.
    pub rollup: RollupAddress,
    /// Its commitment.
    pub commitment: CommitmentHash,
    /// About when it was published. Before an import (I6): the level of the header. After one to
    /// a lower level (P3): the level of publication that the store records, else the inbox level
    /// of the commitment. Before an export (E10): that inbox level.
    pub hint: i32,
}

/// What L1 says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is published.
    Published {
        /// The level at which L1 was seen to know it; not that of its publication.
        at_level: i32,
    },
    /// L1 answered everywhere, and does not know it: [`Code::L1Commitment`].
    NotPublished(Problem),
    /// Whether it is published cannot be said: an `l1.*` code tells why. The first line is that of
    /// the nodes, which do not know the difference.
    CouldNotCheck(Problem),
}

impl Outcome {
    /// For a job that goes on only if the commitment is published.
    ///
    /// # Errors
    /// The problem, of either kind.
    pub fn into_result(self) -> Result<()> {
        match self {
            Self::Published { .. } => Ok(()),
            Self::NotPublished(problem) | Self::CouldNotCheck(problem) => Err(problem),
        }
    }
}

/// Rule I5d: the header level must be above the savepoint, or L1 cannot know what was published
/// then. It applies before an import only, with [`is_postponed`] and `--no-check` as exceptions.
///
/// # Errors
/// [`Code::L1Savepoint`]
pub fn above_savepoint(header_level: i32, savepoint: i32) -> Result<()> {
    if header_level > savepoint {
        return Ok(());
    }
    Err(Problem::new(Code::L1Savepoint).headline(format!(
        "Cannot verify the commitment publication of the snapshot: the snapshot's head level \
         {header_level} is at or below the L1 node's savepoint {savepoint}. Use an archive L1 node, \
         or skip the check with --no-checks."
    )))
}

/// Whether rules I5d and I6 give way to P3: a `--level` below the header level is asked for, and
/// which commitment counts is known after the import only.
pub fn is_postponed(header_level: i32, requested: Option<i32>) -> bool {
    requested.is_some_and(|level| level < header_level)
}

/// Rules I5d and I6, in this order. `wanted.hint` is the level of the header.
///
/// # Errors
/// [`Code::Cancelled`] only; all else is an [`Outcome`].
pub fn before_import(l1: &L1, wanted: &Wanted, feedback: &mut dyn Feedback) -> Result<Outcome> {
    let savepoint = match l1.savepoint(feedback) {
        Ok(savepoint) => savepoint,
        Err(problem) => return could_not_check(problem),
    };
    match above_savepoint(wanted.hint, savepoint) {
        Ok(()) => search(l1, wanted, feedback),
        Err(problem) => Ok(Outcome::CouldNotCheck(problem)),
    }
}

/// Looks for a published commitment.
///
/// # Errors
/// [`Code::Cancelled`] only; all else is an [`Outcome`].
pub fn search(l1: &L1, wanted: &Wanted, feedback: &mut dyn Feedback) -> Result<Outcome> {
    look(l1, wanted, feedback).or_else(could_not_check)
}

fn look(l1: &L1, wanted: &Wanted, feedback: &mut dyn Feedback) -> Result<Outcome> {
    let Wanted { rollup, commitment, hint } = wanted;
    let head = l1.head_level(feedback)?;
    let savepoint = l1.savepoint(feedback)?;
    let from = head.min(savepoint.max(*hint));
    let step = l1.challenge_window(from, feedback)?;
    let start = savepoint.max(from.saturating_sub(step));
    let count = count(start, step, head);
    if count > MAX_PROBES {
        return Err(Problem::new(Code::L1Answer).because(format_args!(
            "it would take {count} requests to search levels {start} to {head} in steps of {step}"
        )));
    }
    let mut failures = Failures::default();
    for level in probes(start, step, head) {
        match l1.commitment(At::Level(level), rollup, commitment, feedback) {
            Ok(Some(_)) => return Ok(Outcome::Published { at_level: level }),
            Ok(None) => failures.answered(),
            // A rollup that this chain does not know has published nothing on it.
            Err(problem) if problem.code() == Code::L1UnknownRollup => failures.answered(),
            Err(problem) if problem.code() == Code::Cancelled => return Err(problem),
            Err(problem) => failures.failed(problem)?,
        }
    }
    failures.verdict(count)?;
    let text = format!(
        "Could not locate commitment {commitment} for rollup {rollup} on L1 between levels {start} \
         and {head} (step {step})."
    );
    Ok(Outcome::NotPublished(Problem::new(Code::L1Commitment).headline(NOT_PUBLISHED).because(text)))
}

/// `start`, `start + step`, … and at last exactly `head`.
fn probes(start: i32, step: i32, head: i32) -> impl Iterator<Item = i32> {
    let after = move |level: &i32| (*level < head).then(|| level.saturating_add(step).min(head));
    iter::successors(Some(start.min(head)), after)
}

/// How many levels these are.
fn count(start: i32, step: i32, head: i32) -> u64 {
    let distance = u64::try_from(i64::from(head) - i64::from(start)).unwrap_or(0);
    distance.div_ceil(u64::from(step.unsigned_abs().max(1))) + 1
}

/// Probes that got no answer.
#[derive(Default)]
struct Failures {
    first: Option<Problem>,
    number: u64,
    unreachable_in_a_row: u32,
}

impl Failures {
    fn answered(&mut self) {
        self.unreachable_in_a_row = 0;
    }

    /// Remembers it. A node that has gone away is not asked about all levels: each costs time.
    fn failed(&mut self, problem: Problem) -> Result<()> {
        self.number += 1;
        let gone = problem.code() == Code::L1Unreachable;
        self.unreachable_in_a_row = if gone { self.unreachable_in_a_row + 1 } else { 0 };
        if self.unreachable_in_a_row == 2 {
            return Err(problem);
        }
        self.first.get_or_insert(problem);
        Ok(())
    }

    /// `Err` if a probe failed: the commitment may stand just there.
    fn verdict(self, count: u64) -> Result<()> {
        match self.first {
            None => Ok(()),
            Some(problem) if self.number == count => Err(problem),
            Some(problem) => Err(Problem::new(problem.code())
                .headline(format!("{} of {count} levels could not be looked at", self.number))
                .because(problem.sentence())),
        }
    }
}

fn could_not_check(problem: Problem) -> Result<Outcome> {
    if problem.code() == Code::Cancelled {
        return Err(problem);
    }
    let problem = Problem::new(problem.code()).headline(NOT_PUBLISHED).because(problem.sentence());
    Ok(Outcome::CouldNotCheck(problem))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probes_end_exactly_at_the_head() {
        let levels = |start, step, head| {
            let levels: Vec<i32> = probes(start, step, head).collect();
            assert_eq!(levels.len() as u64, count(start, step, head));
            levels
        };
        assert_eq!(levels(1013, 10, 1029), [1013, 1023, 1029]);
        assert_eq!(levels(1009, 10, 1029), [1009, 1019, 1029]);
        assert_eq!(levels(1029, 10, 1029), [1029]);
        assert_eq!(levels(1035, 10, 1029), [1029]);
        assert_eq!(levels(i32::MAX - 3, 2, i32::MAX), [i32::MAX - 3, i32::MAX - 1, i32::MAX]);
        assert_eq!(count(i32::MIN, 1, i32::MAX), 1 << 32);
    }

    #[test]
    fn the_header_must_be_above_the_savepoint() {
        assert_eq!(above_savepoint(1023, 1022), Ok(()));
        for (savepoint, text) in [
            (
                1025,
                "Cannot verify the commitment publication of the snapshot: the snapshot's head level 1023 is at or below the L1 node's savepoint 1025. Use an archive L1 node, or skip the check with --no-checks.",
            ),
            (
                1023,
                "Cannot verify the commitment publication of the snapshot: the snapshot's head level 1023 is at or below the L1 node's savepoint 1023. Use an archive L1 node, or skip the check with --no-checks.",
            ),
        ] {
            let problem = above_savepoint(1023, savepoint).unwrap_err();
            assert_eq!((problem.code(), problem.title()), (Code::L1Savepoint, text));
        }
    }

    #[test]
    fn only_a_lower_level_postpones() {
        assert!(is_postponed(1023, Some(1022)));
        assert!(!is_postponed(1023, Some(1023)));
        assert!(!is_postponed(1023, None));
    }
}
