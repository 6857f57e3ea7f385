//! The search for the block that is to be the head of a store.

use std::collections::BTreeSet;

use rollsnap_core::chain::Block;
use rollsnap_core::context::{Context, Index, State};
use rollsnap_core::hash::BlockHash;
use rollsnap_core::{Code, Feedback, Place, Problem, Result};

use super::Subject;
use super::block_store::BlockStore;
use super::chain::{Chain, Chains};
use super::known::Row;
use crate::context::Moment;
use crate::files::FileSet;

/// What the contexts of blocks are looked up in.
pub(super) struct Contexts {
    context: Context<Moment>,
    index: Index,
}

impl Contexts {
    pub(super) fn open(subject: &Subject<'_, '_>, feedback: &dyn Feedback) -> Result<Self> {
        let context = Context::open(Moment::take(&FileSet::context_of(subject.before.root))?)?;
        let index = context.index(feedback)?;
        Ok(Self { context, index })
    }

    /// Whether the state of a block may be had: its own, or where none was written, the newest one below it.
    fn has(&self, block: &Block, store: &dyn BlockStore, feedback: &dyn Feedback) -> Result<bool> {
        let mut block = *block;
        loop {
            feedback.checkpoint()?;
            if let Some(context) = block.context {
                let Some(entry) = self.index.get(&context) else { return Ok(false) };
                return Ok(matches!(self.context.state_of(entry)?, State::Available(_)));
            }
            match store.block_of(&block.predecessor)? {
                Some(next) if next.level < block.level => block = next,
                _ => return Ok(false),
            }
        }
    }
}

/// Looks for the block that is to be the head.
pub(super) struct Search<'s> {
    pub(super) chains: Chains<'s>,
    pub(super) contexts: Contexts,
    /// The levels whose blocks are returned for each chain.
    pub(super) wanted: BTreeSet<i32>,
}

impl Search<'_> {
    /// The chain below a block that can be the head.
    fn chain(&mut self, block: &Block, feedback: &mut dyn Feedback) -> Result<Option<Chain>> {
        let store = self.chains.store;
        if !store.is_whole(block)? || !self.contexts.has(block, store, feedback)? {
            return Ok(None);
        }
        self.chains.below(block, &self.wanted, feedback, &mut |_| Ok(()))
    }

    /// The head that is recorded, if it can be one; else the highest block that can.
    pub(super) fn head(&mut self, recorded: &Row, feedback: &mut dyn Feedback) -> Result<(Block, Chain)> {
        if let Some(mark) = recorded.mark::<BlockHash>()
            && let Some(block) = self.chains.store.block_of(&mark.hash)?
            && block.level == mark.level
            && let Some(chain) = self.chain(&block, feedback)?
        {
            return self.above(block, chain, feedback);
        }
        let mut below = i64::MAX;
        while let Some(level) = self.chains.store.block_level_below(below)? {
            below = level;
            let mut found = Vec::new();
            for block in self.chains.store.blocks_of_level(level)? {
                if let Some(chain) = self.chain(&block, feedback)? {
                    found.push((block, chain));
                }
            }
            if found.len() > 1 {
                let named = i32::try_from(level).ok().map(|level| self.chains.store.level_row(level));
                let named = named.transpose()?.flatten().flatten();
                if found.iter().any(|(block, _)| Some(block.hash.to_string()) == named) {
                    found.retain(|(block, _)| Some(block.hash.to_string()) == named);
                }
            }
            match found.len() {
                0 => {}
                1 => return found.pop().ok_or_else(|| none(self.chains.bottom)),
                several => {
                    return Err(Problem::new(Code::RepairHead)
                        .at(Place::Level(below.try_into().unwrap_or(i32::MAX)))
                        .found(format_args!("{several} blocks of which each could be the head")));
                }
            }
        }
        Err(none(self.chains.bottom))
    }

    /// The highest block that follows a sound head and can be one itself.
    fn above(&mut self, head: Block, chain: Chain, feedback: &mut dyn Feedback) -> Result<(Block, Chain)> {
        let mut below = i64::MAX;
        while let Some(level) =
            self.chains.store.block_level_below(below)?.filter(|at| *at > head.level.into())
        {
            below = level;
            let mut found = Vec::new();
            for block in self.chains.store.blocks_of_level(level)? {
                let store = self.chains.store;
                if self.chains.leads_through(&block, &head, feedback)?
                    && self.contexts.has(&block, store, feedback)?
                {
                    found.push(block);
                }
            }
            if let [block] = found[..]
                && let Some(chain) = self.chain(&block, feedback)?
            {
                return Ok((block, chain));
            }
        }
        Ok((head, chain))
    }
}

fn none(bottom: i32) -> Problem {
    Problem::new(Code::RepairHead).because(format_args!(
        "from no block with a context does the chain lead down to level {bottom}, the lowest one that is there"
    ))
}
