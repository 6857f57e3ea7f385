//! The outboxes that states of the PVM hold, level by level: each state has those of a window of levels that ends with its
//! own.

use alloc::vec::Vec;
use core::fmt;

use super::States;
use crate::context::edit::Tree;
use crate::hash::ContextHash;
use crate::problem::Result;
use crate::pvm;

/// After so many outboxes a state is opened anew: what was read of it is kept in memory.
const FRESH: u64 = 2048;

/// Reads outboxes from the contexts that are there.
pub struct Outboxes<'a> {
    states: States<'a>,
    /// By level, the lowest first.
    contexts: Vec<(i32, ContextHash)>,
    current: Option<Current>,
    /// The commit that could not be read last.
    unread: Option<ContextHash>,
}

/// The state that is open.
struct Current {
    level: i32,
    commit: ContextHash,
    tree: Tree,
    read: u64,
}

impl<'a> Outboxes<'a> {
    /// From these contexts, each with the level of its block.
    pub fn new(states: States<'a>, mut contexts: Vec<(i32, ContextHash)>) -> Self {
        contexts.sort_unstable();
        Self { states, contexts, current: None, unread: None }
    }

    /// The messages in the outbox of a level; `None` where no state has it any more, or not yet. It is quickest when levels
    /// come from the highest to the lowest.
    ///
    /// # Errors
    /// What reading a state can meet, if it says nothing about the state itself.
    pub fn messages(&mut self, level: i32) -> Result<Option<Vec<Vec<u8>>>> {
        if let Some(current) = self.current.as_mut().filter(|current| level <= current.level)
            && let Some(messages) = current.messages(level, self.states)?
        {
            return Ok(Some(messages));
        }
        // The next state at or above it has it, or none has.
        let at = self.contexts.partition_point(|(of, _)| *of < level);
        let Some((of, commit)) = self.contexts.get(at).copied() else { return Ok(None) };
        if self.unread == Some(commit)
            || self.current.as_ref().is_some_and(|current| current.commit == commit)
        {
            return Ok(None);
        }
        self.current = match (self.states)(&commit) {
            Ok(tree) => tree.map(|tree| Current { level: of, commit, tree, read: 0 }),
            // The checks of the context say what is wrong with it.
            Err(problem) if problem.code().is_about_contents() => None,
            Err(problem) => return Err(problem),
        };
        match &mut self.current {
            Some(current) => current.messages(level, self.states),
            None => {
                self.unread = Some(commit);
                Ok(None)
            }
        }
    }
}

impl fmt::Debug for Outboxes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outboxes").field("contexts", &self.contexts.len()).finish_non_exhaustive()
    }
}

impl Current {
    fn messages(&mut self, level: i32, states: States<'_>) -> Result<Option<Vec<Vec<u8>>>> {
        self.read = self.read.saturating_add(1);
        if self.read.is_multiple_of(FRESH)
            && let Some(tree) = states(&self.commit)?
        {
            self.tree = tree;
        }
        match pvm::outbox(&self.tree, level) {
            Err(problem) if problem.code().is_about_contents() => Ok(None),
            found => found,
        }
    }
}
