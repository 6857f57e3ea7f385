//! What layer 1 says about a commitment, and the rule about its savepoint.

use alloc::format;

use super::search::Wanted;
use crate::code::Code;
use crate::nodes::import;
use crate::problem::{Problem, Result};
use crate::report::Check;

/// First line where the search got no answer. The nodes do not know the difference.
const NOT_CHECKED: &str = "Could not check whether the commitment of the snapshot is published on L1.";

/// What layer 1 says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is published.
    Published {
        /// The level at which layer 1 was seen to know it; not that of its publication.
        at_level: i32,
    },
    /// Layer 1 answered everywhere, and does not know it: [`Code::L1Commitment`].
    NotPublished(Problem),
    /// Whether it is published cannot be said, for this reason: an `l1.*` code.
    CouldNotCheck(Problem),
}

impl Outcome {
    /// For a job that goes on only if the commitment is published.
    ///
    /// # Errors
    /// The problem, of either kind; its first line says which.
    pub fn into_result(self) -> Result<()> {
        match self {
            Self::Published { .. } => Ok(()),
            Self::NotPublished(problem) => Err(problem),
            Self::CouldNotCheck(problem) => Err(headed(problem)),
        }
    }

    /// As a report has it.
    pub fn check(&self) -> Check {
        match self {
            Self::Published { at_level } => {
                let text = format!("layer 1 knows the last commitment, seen at level {at_level}");
                Check::yes(Code::L1Commitment, text)
            }
            Self::NotPublished(problem) => Check::of(problem),
            Self::CouldNotCheck(problem) => Check::open(&headed(problem.clone())),
        }
    }

    /// Why it could not be checked, if that is what happened.
    pub fn hindrance(&self) -> Option<&Problem> {
        if let Self::CouldNotCheck(problem) = self { Some(problem) } else { None }
    }
}

/// With a first line that says what could not be checked; that of the savepoint says so itself.
fn headed(problem: Problem) -> Problem {
    match problem.code() {
        Code::L1Savepoint => problem,
        code => Problem::new(code).headline(NOT_CHECKED).because(problem.sentence()),
    }
}

/// Not published, though layer 1 answered at all levels from `start` on. `knows_rollup`: its newest block does.
pub(super) fn not_published(
    wanted: &Wanted,
    start: i32,
    step: i32,
    head: i32,
    knows_rollup: bool,
) -> Outcome {
    let Wanted { rollup, commitment, .. } = wanted;
    let text = import::not_located(commitment, rollup, (start, head), step);
    let network = " This chain knows no such rollup: is the L1 node of the right network?";
    let text = if knows_rollup { text } else { text + network };
    Outcome::NotPublished(import::not_published(text))
}

/// Rule I5d: the header level must be above the savepoint, or layer 1 cannot know what was published then. It applies
/// before an import only, with [`is_postponed`] and `--no-check` as exceptions.
///
/// # Errors
/// [`Code::L1Savepoint`]
pub fn above_savepoint(header_level: i32, savepoint: i32) -> Result<()> {
    if header_level > savepoint {
        return Ok(());
    }
    Err(import::below_savepoint(header_level, savepoint))
}

/// The same rule for those who have searched all the same, and found nothing: the node may have known the commitment
/// and forgotten it.
pub(super) fn forgotten(hint: i32, savepoint: i32) -> Problem {
    Problem::new(Code::L1Savepoint)
        .headline("Cannot verify the commitment publication: the L1 node may have forgotten the commitment")
        .because(format_args!("it was published about level {hint}, and the node's savepoint is {savepoint}"))
}

/// Whether rules I5d and I6 give way to P3: a `--level` below the header level is asked for, and which commitment counts
/// is known after the import only.
pub fn is_postponed(header_level: i32, requested: Option<i32>) -> bool {
    requested.is_some_and(|level| level < header_level)
}
