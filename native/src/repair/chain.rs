//! The chain of a store, as its blocks alone tell it: from a block down along the predecessors.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use rollsnap_core::chain::Block;
use rollsnap_core::hash::BlockHash;
use rollsnap_core::{Code, Feedback, Place, Problem, Result};

use super::block_store::BlockStore;

/// Progress is reported once for this many blocks.
const STRIDE: u64 = 1000;

/// Memory of a hash in a set, in bytes.
const HASH: u64 = 48;

/// The chain below blocks.
pub(super) struct Chains<'s> {
    pub(super) store: &'s dyn BlockStore,
    /// The lowest level at which the store has blocks: where a chain must lead to.
    pub(super) bottom: i32,
    /// Blocks from which no chain leads down.
    broken: HashSet<BlockHash>,
}

/// A chain that leads to the bottom.
#[derive(Debug, Default)]
pub(super) struct Chain {
    /// Its blocks at the levels that were asked for.
    pub(super) at: BTreeMap<i32, Block>,
}

impl<'s> Chains<'s> {
    /// Those of a store that begins at level `genesis`, if it has forgotten nothing.
    ///
    /// # Errors
    /// [`Code::ChainBlock`] for a store without blocks, and for one that lacks its first ones and must not.
    pub(super) fn new(store: &'s dyn BlockStore, genesis: Option<i32>) -> Result<Self> {
        let lowest = store.lowest_block_level()?.and_then(|level| i32::try_from(level).ok());
        let bottom = lowest.ok_or_else(|| Problem::new(Code::ChainBlock).found("no block at all"))?;
        match genesis.filter(|genesis| bottom > *genesis) {
            None => Ok(Self { store, bottom, broken: HashSet::new() }),
            Some(genesis) => Err(Problem::new(Code::ChainBlock)
                .at(Place::Level(genesis))
                .expected("the block of the origination, which an archive keeps")
                .found(format_args!("level {bottom} as the first one"))),
        }
    }

    /// Follows the predecessors of a block down to the bottom; `None` where they do not lead there. `each` is given every
    /// block on the way.
    pub(super) fn below(
        &mut self,
        top: &Block,
        wanted: &BTreeSet<i32>,
        feedback: &mut dyn Feedback,
        each: &mut dyn FnMut(&Block) -> Result<()>,
    ) -> Result<Option<Chain>> {
        let mut chain = Chain::default();
        let mut way = Vec::new();
        let (mut current, mut done) = (*top, 0u64);
        loop {
            if self.broken.contains(&current.hash) {
                break;
            }
            way.push(current.hash);
            done += 1;
            if done.is_multiple_of(STRIDE) {
                feedback.checkpoint()?;
                feedback.advance(STRIDE);
                let taken =
                    (way.capacity() * size_of::<BlockHash>()) as u64 + self.broken.len() as u64 * HASH;
                feedback.allowance().check(taken, "the blocks of the chain")?;
            }
            each(&current)?;
            if wanted.contains(&current.level) {
                chain.at.insert(current.level, current);
            }
            if current.level == self.bottom {
                return Ok(Some(chain));
            }
            match self.store.block_of(&current.predecessor)? {
                // Levels count down, so this ends.
                Some(next) if next.level == current.level.saturating_sub(1) && next.level >= self.bottom => {
                    current = next;
                }
                _ => break,
            }
        }
        self.broken.extend(way);
        Ok(None)
    }

    /// Whether the chain of a block leads through another one below it, by whole blocks only.
    pub(super) fn leads_through(
        &self,
        top: &Block,
        through: &Block,
        feedback: &dyn Feedback,
    ) -> Result<bool> {
        let mut current = *top;
        while current.level > through.level {
            feedback.checkpoint()?;
            if !self.store.is_whole(&current)? {
                return Ok(false);
            }
            match self.store.block_of(&current.predecessor)? {
                Some(next) if next.level == current.level.saturating_sub(1) => current = next,
                _ => return Ok(false),
            }
        }
        Ok(current.hash == through.hash)
    }
}
