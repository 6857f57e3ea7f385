//! The forms in which a changed store is written: what nodes write, byte for byte.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::records::{BLOCK_HEADER, WholeBlock};
use crate::encoding::Commitment;
use crate::encoding::primitive::natural_bytes;
use crate::hash::{CommitmentHash, ContextHash};
use crate::index::{KeyOrder, Shape};
use crate::store::Mark;

/// A table of the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TableName {
    /// `l2_blocks`
    Blocks,
    /// `messages`
    Messages,
    /// `inboxes`
    Inboxes,
    /// `commitments`
    Commitments,
    /// `levels_to_hashes`
    Levels,
    /// `commitments_published_at_level`
    Published,
}

impl TableName {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Blocks, Self::Messages, Self::Inboxes, Self::Commitments, Self::Levels, Self::Published];

    /// Its directory below `storage/`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Blocks => "l2_blocks",
            Self::Messages => "messages",
            Self::Inboxes => "inboxes",
            Self::Commitments => "commitments",
            Self::Levels => "levels_to_hashes",
            Self::Published => "commitments_published_at_level",
        }
    }

    /// What the entries of its index look like. With a file of values, their offset (8 bytes) and a header are the value
    /// of an entry.
    pub const fn shape(self) -> Shape {
        let (key, value, order) = match self {
            Self::Blocks => (32, 8 + BLOCK_HEADER, KeyOrder::Boxed),
            Self::Messages => (32, 8 + 32, KeyOrder::Bytes),
            Self::Inboxes | Self::Commitments | Self::Published => (32, 8, KeyOrder::Bytes),
            Self::Levels => (4, 32, KeyOrder::Bytes),
        };
        Shape { key, value, order }
    }

    /// Whether it has a file of values.
    pub const fn has_values(self) -> bool {
        !matches!(self, Self::Levels | Self::Published)
    }

    /// The directory with the files of its index, in that of a generation.
    pub fn index_of(self, generation: &str) -> String {
        let below = if self.has_values() { "index/index" } else { "index" };
        format!("{generation}/{below}")
    }
}

/// The header of a block, which is in its index, and the body, which is in the file of values.
pub fn block_bytes((block, evaluation): &WholeBlock) -> (Vec<u8>, Vec<u8>) {
    // Zeros stand for none. There is no block without a context.
    let commitment = block.commitment.unwrap_or(CommitmentHash::ZERO);
    let context = block.context.unwrap_or(ContextHash::new([0; 32]));
    let header: [&[u8]; 8] = [
        block.hash.as_bytes(),
        &block.level.to_be_bytes(),
        block.predecessor.as_bytes(),
        commitment.as_bytes(),
        block.previous_commitment.as_bytes(),
        context.as_bytes(),
        evaluation.inbox_witness.as_bytes(),
        evaluation.inbox_hash.as_bytes(),
    ];
    let mut body = natural_bytes(evaluation.initial_tick);
    body.extend_from_slice(&evaluation.num_ticks.to_be_bytes());
    (header.concat(), body)
}

/// A whole block, as `l2_head` has it.
pub fn head_bytes(block: &WholeBlock) -> Vec<u8> {
    let (mut header, body) = block_bytes(block);
    header.extend_from_slice(&body);
    header
}

/// A commitment with the tag of its form, as `lpc` and the file of values have it.
pub fn commitment_bytes(commitment: &Commitment) -> Vec<u8> {
    [&[0][..], &commitment.to_bytes()].concat()
}

/// What `lcc` has: hash, level.
pub fn lcc_bytes(mark: &Mark<CommitmentHash>) -> Vec<u8> {
    [&mark.hash.as_bytes()[..], &mark.level.to_be_bytes()].concat()
}

/// A value in the file of values: its length, and the bytes.
pub fn value_bytes(value: &[u8]) -> Vec<u8> {
    [&(value.len() as u32).to_be_bytes()[..], value].concat()
}
