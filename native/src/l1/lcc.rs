//! Rule P4: the store has the last cemented commitment (LCC) of L1 at the LCC's level.

use rollsnap_core::hash::{BlockHash, CommitmentHash};
use rollsnap_core::{Code, Place, Problem, Result};

use crate::store::Mark;

/// What the rule asks the store.
pub trait Blocks {
    /// The canonical block at a level, as `l2_levels` names it, whether that block exists or not.
    ///
    /// # Errors
    /// Whatever reading the store can meet.
    fn hash_at(&mut self, level: i32) -> Result<Option<BlockHash>>;

    /// The commitment made at a block (`Some(None)`: none is due there); `None` if the store has
    /// no such block.
    ///
    /// # Errors
    /// Whatever reading the store can meet.
    fn commitment_at(&mut self, block: &BlockHash) -> Result<Option<Option<CommitmentHash>>>;
}

/// How the rule is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// The store has this very commitment at that level.
    Agrees,
    /// The store ends below the level of the LCC: there is nothing to compare.
    NotReached,
}

/// Compares the LCC at the L1 head with the store, whose newest block is at `head_level`.
///
/// # Errors
/// [`Code::L1Lcc`] with the texts of the nodes, and what reading the store can meet.
pub fn check(lcc: &Mark<CommitmentHash>, head_level: i32, blocks: &mut dyn Blocks) -> Result<Kept> {
    let Mark { hash: expected, level } = *lcc;
    if level > head_level {
        return Ok(Kept::NotReached);
    }
    let wrong = |text| Problem::new(Code::L1Lcc).headline(text).at(Place::Level(level));
    let Some(block) = blocks.hash_at(level)? else {
        return Err(wrong(format!("No block for LCC level {level}")));
    };
    let Some(commitment) = blocks.commitment_at(&block)? else {
        return Err(wrong(format!("Unknown block {block} for LCC level {level}")));
    };
    match commitment {
        None => Err(wrong(format!("No commitment for block {block} for LCC level {level}"))),
        Some(found) if found == expected => Ok(Kept::Agrees),
        Some(found) => Err(wrong(format!(
            "Snapshot contains {found} for LCC at level {level} but was expected to be {expected}."
        ))
        .expected(expected)
        .found(found)),
    }
}
