//! Data that lack contexts, as a compact snapshot brings them.

use rollsnap_core::{Code, Place, Problem, Result};

use crate::store::{Family, Rows};
use crate::verify::{self, Staged};

/// Contexts are missing: all after that of the first available block.
pub(crate) struct Compact {
    first: i32,
    head: i32,
    family: Family,
}

impl Compact {
    /// Whether the snapshot is compact. A node rebuilds what is missing by replaying every block.
    pub(crate) fn of(staged: &Staged<'_>) -> Result<Option<Self>> {
        let store = &staged.store;
        let family = Family::of_store(store);
        let head = store.head()?;
        let level = store.first_available()?;
        let first = store.block_at(level)?;
        let compact = verify::is_compact(staged.contexts(), first.as_ref(), &head);
        Ok(compact.then_some(Self { first: level, head: head.level, family }))
    }

    pub(crate) fn refusal(&self) -> Problem {
        let Self { first, head, family } = self;
        let level = match family {
            Family::Octez => {
                format!("--level {first} takes the store back to the level whose context is there; ")
            }
            Family::Mavkit => String::new(),
        };
        Problem::new(Code::ContextCompact).at(Place::Level(*first)).because(format_args!(
            "the contexts of the levels up to {head} have to be rebuilt by replaying their messages, which a node does \
             while it imports the snapshot, and rollsnap does not. {level}--keep-compact imports everything as it is"
        ))
    }

    pub(crate) fn consequence(&self) -> String {
        let Self { first, head, .. } = self;
        format!(
            "Kept compact: there is one context, that of level {first}, and the store names others up to level {head}. \
             A node that is started now cannot go on (\"The context … for block … cannot be checkouted\"): it rebuilds \
             contexts only while it imports a compact snapshot itself"
        )
    }
}
