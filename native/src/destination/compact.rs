//! Data that lack contexts, as a compact snapshot brings them.

use rollsnap_core::chain::Block;
use rollsnap_core::members::PvmKind;
use rollsnap_core::nodes::contents::unreadable;
use rollsnap_core::replay::no_start;
use rollsnap_core::store::{Lacking, Metadata};
use rollsnap_core::{Code, Problem, Result};

use crate::store::{Family, Rows};
use crate::verify::Staged;

/// Contexts are missing: all after that of the first available block, or some.
pub(crate) struct Compact {
    /// The first available block.
    pub(crate) first: Block,
    /// The head.
    pub(crate) head: Block,
    /// What is missing.
    pub(crate) lacking: Lacking,
    /// The newest block whose context is missing.
    newest: Block,
    family: Family,
}

impl Compact {
    /// Whether contexts are missing.
    pub(crate) fn of(staged: &Staged<'_>) -> Result<Option<Self>> {
        let store = &staged.store;
        let family = Family::of_store(store);
        let head = store.head()?;
        let first = store.block_at(store.first_available()?)?;
        let lacking = Lacking::read(store, staged.contexts(), &head)?;
        let Some((first, lacking)) = first.zip(lacking) else { return Ok(None) };
        let newest = store.block_at(lacking.levels.1)?.unwrap_or(head);
        Ok(Some(Self { first, head, lacking, newest, family }))
    }

    /// Whether nodes rebuild what is missing while they import it. A snapshot whose newest context is there is a full one
    /// to them.
    pub(crate) fn is_for_nodes(&self) -> bool {
        self.lacking.has_first && !self.lacking.has_newest
    }

    /// Whether an import runs the blocks whose contexts are missing.
    ///
    /// # Errors
    /// [`Code::ReplayStart`] when there is no context to begin with, and nodes cannot do without those that are missing.
    pub(crate) fn is_rebuilt(&self, metadata: &Metadata, check: bool) -> Result<bool> {
        match self.lacking {
            Lacking { has_first: true, has_newest: true, .. } => Ok(metadata.kind == PvmKind::Wasm200),
            Lacking { has_first: true, .. } => Ok(true),
            // What the checks say of it is said in the words of the nodes.
            Lacking { has_newest: false, first, .. } if !check => {
                Err(no_start(first.saturating_add(1)).because(format_args!(
                    "{}, and blocks can be run again only from the context of level {first} on; --keep-compact imports \
                     everything as it is",
                    self.lacking.words()
                )))
            }
            _ => Ok(false),
        }
    }

    /// Why it is not imported, with the ways on where contexts cannot be rebuilt.
    pub(crate) fn refused(&self, problem: Problem) -> Problem {
        let level = match self.family {
            Family::Octez => {
                let level = self.lacking.before;
                format!("--level {level} takes the store back to the level whose context is there; ")
            }
            Family::Mavkit => String::new(),
        };
        let why = problem.cause().map_or_else(String::new, |cause| format!("{cause}; "));
        let what = match self.lacking.is_compact() {
            true => "the snapshot is compact, and its contexts cannot be rebuilt".to_owned(),
            false => format!("{}, and cannot be rebuilt", self.lacking.words()),
        };
        // It can be had elsewhere.
        let way = match problem.code() {
            Code::PreImageMissing => {
                "the same import goes on when the pre-image is there. --keep-compact imports everything as it is, for \
                 rollsnap repair pre-images and repair contexts"
            }
            _ => "--keep-compact imports everything as it is",
        };
        problem.because(format_args!("{why}{what}. {level}{way}"))
    }

    /// A context is missing in a snapshot that is a full one to nodes, and cannot be rebuilt.
    pub(crate) fn gap(&self, problem: &Problem) -> Problem {
        let Block { hash, level, .. } = &self.newest;
        unreadable(Code::ChainContext, "context", hash, *level).because(format_args!(
            "{}, and cannot be rebuilt: {}",
            self.lacking.words(),
            problem.sentence()
        ))
    }

    pub(crate) fn consequence(&self) -> String {
        let (first, head) = (self.first.level, self.head.level);
        let there = match self.lacking.is_compact() {
            true => format!(
                "Kept compact: there is one context, that of level {first}, and the store names others up to level {head}"
            ),
            false => format!("Kept as it is: {}", self.lacking.words()),
        };
        if self.lacking.has_newest {
            return format!("{there}. A node does not find what it needs of these levels");
        }
        let rebuilt =
            if self.lacking.has_first { "; rollsnap repair contexts rebuilds the others" } else { "" };
        format!(
            "{there}. A node that is started now cannot go on (\"The context … for block … cannot be checkouted\"){rebuilt}"
        )
    }
}
