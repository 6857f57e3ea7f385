//! What a store holds, typed.

use crate::hash::{BlockHash, CommitmentHash, ContextHash};
use crate::header::HistoryMode;

/// Something that the node remembers with its level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark<H> {
    /// Which block or commitment.
    pub hash: H,
    /// Level of the block, or inbox level of the commitment.
    pub level: i32,
}

/// What the node remembers about where it is. `None` where it has not recorded it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct State {
    /// The newest block.
    pub head: Option<Mark<BlockHash>>,
    /// The newest block that layer 1 will not take back.
    pub finalized: Option<Mark<BlockHash>>,
    /// The last cemented commitment that the node knows.
    pub lcc: Option<Mark<CommitmentHash>>,
    /// The last commitment that this operator published.
    pub lpc: Option<Mark<CommitmentHash>>,
    /// What the node keeps of the past.
    pub history_mode: Option<HistoryMode>,
}

/// An L2 block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    /// Its hash, which is that of its L1 block.
    pub hash: BlockHash,
    /// Its level.
    pub level: i32,
    /// The block before it.
    pub predecessor: BlockHash,
    /// The commitment made at this block, if one is due here.
    pub commitment: Option<CommitmentHash>,
    /// The commitment before that.
    pub previous_commitment: CommitmentHash,
    /// The commit of its context, if it was written to disk.
    pub context: Option<ContextHash>,
}

impl Block {
    /// The commitment that stands for the state at this block: its own, else the one before.
    pub fn most_recent_commitment(&self) -> CommitmentHash {
        self.commitment.unwrap_or(self.previous_commitment)
    }
}
