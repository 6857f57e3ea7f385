//! What a check found.

use alloc::string::String;
use alloc::vec::Vec;

use super::super::pack::Kind;
use super::failures::MAX_FAILURES;
use crate::hash::{ContextHash, StateHash};
use crate::problem::Problem;
use crate::report::Tally;

/// What a check of a context found.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// What is wrong: objects in the order of their offsets first.
    pub failures: Vec<Problem>,
    /// How many failures are not listed.
    pub failures_left_out: u64,
    /// What is strange, but harms nobody.
    pub warnings: Vec<Problem>,
    /// What could not be checked, and why.
    pub unchecked: Vec<Problem>,
    /// Control file, mapping or dictionary are not what was known beforehand.
    pub differs: bool,
    /// The commits that are there, in the order of their offsets.
    pub commits: Vec<Commit>,
    /// What was checked.
    pub totals: Totals,
}

/// A commit that is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Commit {
    /// Its hash: the context hash of a block.
    pub hash: ContextHash,
    /// Its global offset.
    pub offset: u64,
    /// Length of its entry, in bytes.
    pub len: u64,
    /// Hash of its root directory.
    pub root: [u8; 32],
    /// Hash of the PVM state in it: the state hash of a block.
    pub state: Option<StateHash>,
    /// Whether it was made for a refutation game: its root is the PVM state itself.
    pub refutation: bool,
}

/// Numbers of a check.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Contents.
    pub contents: Tally,
    /// Directories.
    pub directories: Tally,
    /// Inner parts of directories.
    pub inner: Tally,
    /// Commits.
    pub commits: Tally,
    /// Each file that holds objects.
    pub parts: Vec<PartTotal>,
    /// Depth of the deepest tree of inodes.
    pub deepest: u64,
    /// Memory taken for what was known of objects, in bytes.
    pub memory: usize,
    /// Bytes of it that were in temporary space.
    pub spilled: u64,
    /// Bytes that were put off to the end of the check.
    pub put_off: u64,
}

/// The objects of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartTotal {
    /// Name of the file, below `context/`.
    pub name: String,
    /// Its objects.
    pub objects: Tally,
}

impl Outcome {
    /// Whether nothing is wrong and nothing was left unchecked.
    pub fn is_clean(&self) -> bool {
        self.failures.is_empty() && self.unchecked.is_empty()
    }

    pub(super) fn fail(&mut self, problem: Problem) {
        if self.failures.len() < MAX_FAILURES {
            self.failures.push(problem);
        } else {
            self.failures_left_out += 1;
        }
    }

    pub(super) fn warn(&mut self, problem: Problem) {
        if self.warnings.len() < MAX_FAILURES {
            self.warnings.push(problem);
        }
    }

    pub(super) fn note(&mut self, problem: Problem, failure: bool) {
        if failure { self.fail(problem) } else { self.warn(problem) }
    }
}

impl Totals {
    /// All objects.
    pub fn all(&self) -> Tally {
        [self.contents, self.directories, self.inner, self.commits].into_iter().sum()
    }

    pub(super) fn add(&mut self, kind: Kind, len: u64) {
        let tally = match kind {
            Kind::Contents => &mut self.contents,
            Kind::Root => &mut self.directories,
            Kind::Inner => &mut self.inner,
            Kind::Commit => &mut self.commits,
        };
        tally.add(len);
    }
}
