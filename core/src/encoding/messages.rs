//! The messages of a level, and the witness that stands for them.

use alloc::vec::Vec;

use super::{Malformed, blake2b, primitive, skip_list};
use crate::hash::{BlockHash, WitnessHash};

/// Longest message that layer 1 takes, in bytes.
pub const MAX_MESSAGE: usize = 4096;

/// The messages of one level, in order, as layer 1 serializes them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageList<'a> {
    messages: Vec<&'a [u8]>,
}

/// What the second message of every level tells about the block before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Info {
    /// Its time, in seconds since 1970.
    pub timestamp: i64,
    /// Its hash.
    pub predecessor: BlockHash,
}

impl<'a> MessageList<'a> {
    /// Reads `total length ‖ (length ‖ message)*`.
    ///
    /// # Errors
    /// When the bytes are not that, to the last one.
    pub fn parse(mut input: &'a [u8]) -> Result<Self, Malformed> {
        let mut list = primitive::prefixed(&mut input)?;
        primitive::end(input)?;
        let mut messages = Vec::new();
        while !list.is_empty() {
            messages.push(primitive::prefixed(&mut list)?);
        }
        Ok(Self { messages })
    }

    /// The messages.
    pub fn messages(&self) -> &[&'a [u8]] {
        &self.messages
    }

    /// Whether any of layer 1's own messages is among them. A store that was migrated from a very
    /// old one has lists without all of them, of which the witness cannot be computed; a list
    /// that lacks only some was altered, and its witness tells.
    pub fn is_whole(&self) -> bool {
        self.messages.iter().any(|message| {
            [START_OF_LEVEL, END_OF_LEVEL].contains(message) || message.starts_with(INFO_PER_LEVEL)
        })
    }

    /// What the info-per-level message says: the second one of a whole list.
    pub fn info(&self) -> Option<Info> {
        let mut message = self.messages.get(1)?.strip_prefix(INFO_PER_LEVEL)?;
        let timestamp = i64::from_be_bytes(primitive::bytes(&mut message).ok()?);
        let predecessor = BlockHash::new(primitive::bytes(&mut message).ok()?);
        primitive::end(message).ok()?;
        Some(Info { timestamp, predecessor })
    }

    /// Hash of the last cell of the skip list of the messages; `None` for an empty list.
    pub fn witness(&self) -> Option<WitnessHash> {
        let mut last: Option<(u128, Vec<[u8; 32]>, [u8; 32])> = None;
        for message in &self.messages {
            let (index, pointers) = match &last {
                None => (0, Vec::new()),
                Some((index, pointers, hash)) => {
                    (index + 1, skip_list::next_pointers(*index, pointers, *hash))
                }
            };
            let hash = blake2b(&[&blake2b(&[message]), pointers.as_flattened()]);
            last = Some((index, pointers, hash));
        }
        last.map(|(.., hash)| WitnessHash::new(hash))
    }
}

const START_OF_LEVEL: &[u8] = &[0, 1];
const END_OF_LEVEL: &[u8] = &[0, 2];
const INFO_PER_LEVEL: &[u8] = &[0, 3];
