//! The chain of L2 blocks, whatever store it comes from, and its checks
//! (`docs/FORMAT.md`, section 8).
//!
//! [`Walk`] goes from the head down along the predecessors. It says which block it wants next, is
//! given an [`Entry`], and reports what does not agree. [`follow`] feeds it from a [`Chain`], which
//! a database, an old store's files and a test can all be.

mod follow;
mod links;
mod old_lists;
mod walk;
mod work;

use alloc::string::String;

use crate::encoding::{Commitment, Inbox, MessageList};
use crate::hash::{BlockHash, CommitmentHash, ContextHash, InboxHash, StateHash, WitnessHash};

pub use follow::{Chain, Found, follow};
pub use old_lists::OldLists;
pub use walk::{Marks, Migrations, Summary, Walk};
pub use work::Work;

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

/// What is evaluated at a block, and how far that takes the PVM.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Evaluation {
    /// Witness of its messages.
    pub inbox_witness: WitnessHash,
    /// Its inbox.
    pub inbox_hash: InboxHash,
    /// Tick at which its evaluation starts.
    pub initial_tick: u128,
    /// How many ticks it takes.
    pub num_ticks: i64,
    /// Hash of the PVM state after it, where the store records that.
    pub state_hash: Option<StateHash>,
}

impl Evaluation {
    /// Tick at which it ends; `None` when no tick can be that.
    pub fn final_tick(&self) -> Option<u128> {
        self.initial_tick.checked_add_signed(i128::from(self.num_ticks))
    }
}

/// What was found where something should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stored<T> {
    /// This.
    Found(T),
    /// Nothing.
    Missing,
    /// Something that cannot be read, and why.
    Malformed(String),
}

/// The messages of a block, and what is stored beside them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Messages<'a> {
    /// The list itself.
    pub list: MessageList<'a>,
    /// The level that they are stored under, where the store records that.
    pub inbox_level: Option<i32>,
    /// The predecessor that is stored with them, where the store records that.
    pub predecessor: Option<BlockHash>,
}

/// A block with everything that hangs on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// The block.
    pub block: Block,
    /// What is evaluated at it.
    pub evaluation: Evaluation,
    /// Its messages, looked up by its witness.
    pub messages: Stored<Messages<'a>>,
    /// Its inbox, looked up by its hash.
    pub inbox: Stored<Inbox>,
    /// The content of its commitment, if it has one, looked up by its hash.
    pub commitment: Stored<Commitment>,
    /// The block that the index of levels names at its level.
    pub at_level: Option<BlockHash>,
}
