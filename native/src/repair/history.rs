//! The blocks of a store one after the other, with the commitments that they have, whichever version it is of.

use rollsnap_core::chain::{Block, Evaluation, Stored};
use rollsnap_core::encoding::Commitment;
use rollsnap_core::hash::{BlockHash, CommitmentHash};
use rollsnap_core::store::v4::{self, Protocol, WholeBlock};
use rollsnap_core::{Code, Feedback, Place, Problem, Result};

use crate::files::Part;
use crate::store::{AnyStore, Rows, Store};

/// What is done with a block of the chain.
pub(super) type EachBlock<'a> = &'a mut dyn FnMut(Block, Evaluation, &mut dyn Feedback) -> Result<()>;

/// What the repair of commitments reads.
pub(super) trait History {
    /// The protocols that the node has met.
    fn protocols(&self) -> Result<Vec<Protocol>>;

    /// The block that the index of levels names at a level.
    fn block_at(&self, level: i32) -> Result<Option<Block>>;

    /// The ticks at which the block at a level begins and ends, as far as they are recorded and can be that.
    fn ticks(&self, level: i32) -> Result<Option<(u128, u128)>>;

    /// Every block that the index of levels names from one level to another, both included, in their order.
    fn each_block(&self, levels: (i32, i32), feedback: &mut dyn Feedback, each: EachBlock<'_>) -> Result<()>;

    /// Every commitment that can be read: its name, and what it says.
    fn each_commitment(
        &self,
        feedback: &dyn Feedback,
        each: &mut dyn FnMut(CommitmentHash, Commitment),
    ) -> Result<()>;

    /// The commitment that each block names, of the chain or not.
    fn each_named_commitment(
        &self,
        feedback: &dyn Feedback,
        each: &mut dyn FnMut(BlockHash, CommitmentHash),
    ) -> Result<()>;
}

/// That of the store, whichever it is.
pub(super) fn history(store: &AnyStore) -> Box<dyn History + '_> {
    match store {
        AnyStore::Database(store) => Box::new(store),
        AnyStore::Files(store) => Box::new(&**store),
    }
}

impl History for &Store {
    fn protocols(&self) -> Result<Vec<Protocol>> {
        Store::protocols(self)
    }

    fn block_at(&self, level: i32) -> Result<Option<Block>> {
        Rows::block_at(*self, level)
    }

    fn ticks(&self, level: i32) -> Result<Option<(u128, u128)>> {
        Store::ticks(self, level)
    }

    fn each_block(&self, levels: (i32, i32), feedback: &mut dyn Feedback, each: EachBlock<'_>) -> Result<()> {
        Store::each_block(self, levels, feedback, each)
    }

    fn each_commitment(
        &self,
        feedback: &dyn Feedback,
        each: &mut dyn FnMut(CommitmentHash, Commitment),
    ) -> Result<()> {
        Store::each_commitment(self, feedback, each)
    }

    fn each_named_commitment(
        &self,
        feedback: &dyn Feedback,
        each: &mut dyn FnMut(BlockHash, CommitmentHash),
    ) -> Result<()> {
        Store::each_named_commitment(self, feedback, each)
    }
}

impl History for &v4::Store<Part> {
    fn protocols(&self) -> Result<Vec<Protocol>> {
        Ok(self.singletons().protocols()?.unwrap_or_default())
    }

    fn block_at(&self, level: i32) -> Result<Option<Block>> {
        Rows::block_at(*self, level)
    }

    fn ticks(&self, level: i32) -> Result<Option<(u128, u128)>> {
        let Ok((_, evaluation)) = at(self, level)? else { return Ok(None) };
        let end = evaluation.final_tick();
        Ok(end.map(|end| (evaluation.initial_tick, end)))
    }

    fn each_block(
        &self,
        (from, to): (i32, i32),
        feedback: &mut dyn Feedback,
        each: EachBlock<'_>,
    ) -> Result<()> {
        for level in from..=to {
            feedback.checkpoint()?;
            let (block, evaluation) = at(self, level)??;
            each(block, evaluation, feedback)?;
        }
        Ok(())
    }

    fn each_commitment(
        &self,
        feedback: &dyn Feedback,
        each: &mut dyn FnMut(CommitmentHash, Commitment),
    ) -> Result<()> {
        let (allowance, mut taken) = (feedback.allowance(), 0);
        for hash in self.commitment_hashes() {
            feedback.checkpoint()?;
            // Whoever goes through them keeps them, in a tree.
            taken += 2 * size_of::<(CommitmentHash, Commitment)>() as u64;
            allowance.check(taken, "the commitments of the store")?;
            let hash = hash?;
            // What cannot be read is no commitment, and is written anew where it should be one.
            if let Stored::Found(content) = self.commitment(&hash)? {
                each(hash, content);
            }
        }
        Ok(())
    }

    fn each_named_commitment(
        &self,
        feedback: &dyn Feedback,
        each: &mut dyn FnMut(BlockHash, CommitmentHash),
    ) -> Result<()> {
        for header in self.block_headers() {
            feedback.checkpoint()?;
            let block = header?.block;
            block.commitment.into_iter().for_each(|commitment| each(block.hash, commitment));
        }
        Ok(())
    }
}

/// The block of the chain at a level, or what is wrong with it.
fn at(store: &v4::Store<Part>, level: i32) -> Result<Result<WholeBlock>> {
    let missing = || Problem::new(Code::ChainBlock).at(Place::Level(level));
    let Some(hash) = store.hash_at(level)? else { return Ok(Err(missing())) };
    Ok(match store.block(&hash)? {
        Stored::Found(found) if found.0.level == level => Ok(found),
        Stored::Malformed(why) => Err(Problem::new(Code::StoreValue).at(Place::Level(level)).found(why)),
        _ => Err(missing()),
    })
}
