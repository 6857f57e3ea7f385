//! Data that lack contexts, as a compact snapshot brings them.

use rollsnap_core::chain::Block;
use rollsnap_core::{Problem, Result};

use crate::store::{Family, Rows};
use crate::verify::{self, Staged};

/// Contexts are missing: all after that of the first available block.
pub(crate) struct Compact {
    /// The first available block, whose context is there.
    pub(crate) first: Block,
    /// The head.
    pub(crate) head: Block,
    family: Family,
}

impl Compact {
    /// Whether the snapshot is compact. What is missing is rebuilt by running every block again.
    pub(crate) fn of(staged: &Staged<'_>) -> Result<Option<Self>> {
        let store = &staged.store;
        let family = Family::of_store(store);
        let head = store.head()?;
        let first = store.block_at(store.first_available()?)?;
        let compact = verify::is_compact(staged.contexts(), first.as_ref(), &head);
        Ok(first.filter(|_| compact).map(|first| Self { first, head, family }))
    }

    /// Why it is not imported, with the ways on where contexts cannot be rebuilt.
    pub(crate) fn refused(&self, problem: Problem) -> Problem {
        let level = match self.family {
            Family::Octez => {
                let first = self.first.level;
                format!("--level {first} takes the store back to the level whose context is there; ")
            }
            Family::Mavkit => String::new(),
        };
        let why = problem.cause().map_or_else(String::new, |cause| format!("{cause}; "));
        problem.because(format_args!(
            "{why}the snapshot is compact, and its contexts cannot be rebuilt. {level}--keep-compact imports everything \
             as it is"
        ))
    }

    pub(crate) fn consequence(&self) -> String {
        let (first, head) = (self.first.level, self.head.level);
        format!(
            "Kept compact: there is one context, that of level {first}, and the store names others up to level {head}. \
             A node that is started now cannot go on (\"The context … for block … cannot be checkouted\"); rollsnap \
             repair contexts rebuilds the others"
        )
    }
}
