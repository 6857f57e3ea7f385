//! The messages of a level, and the witness that stands for them.

use alloc::vec::Vec;

use super::{Malformed, blake2b, primitive, skip_list};
use crate::hash::{BlockHash, WitnessHash};

/// Longest message that layer 1 takes, in bytes.
pub const MAX_MESSAGE: usize = 4096;

/// Most messages of a level: a million that users send (the constant `smart_rollup_max_number_of_messages_per_level` of
/// every protocol that has rollups), and those that layer 1 adds itself, of which there are a handful.
pub const MAX_MESSAGES: usize = 1_000_000 + 16;

/// The messages of one level, in order, as layer 1 serializes them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
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
    /// When the bytes are not that, to the last one, or are more than [`MAX_MESSAGES`].
    pub fn parse(mut input: &'a [u8]) -> Result<Self, Malformed> {
        let mut list = primitive::prefixed(&mut input)?;
        primitive::end(input)?;
        let mut messages = Vec::new();
        while !list.is_empty() {
            if messages.len() == MAX_MESSAGES {
                return Err(TOO_MANY);
            }
            messages.push(primitive::prefixed(&mut list)?);
        }
        Ok(Self { messages })
    }

    /// The messages.
    pub fn messages(&self) -> &[&'a [u8]] {
        &self.messages
    }

    /// Whether any of layer 1's own messages is among them. A store that was migrated from a very
    /// old one has lists without any of them, of which the witness cannot be computed; a list
    /// that lacks only some was altered, and its witness tells.
    pub fn is_whole(&self) -> bool {
        self.messages.iter().any(|message| {
            [START_OF_LEVEL, END_OF_LEVEL].contains(message) || message.starts_with(INFO_PER_LEVEL)
        })
    }

    /// Whether users and contracts have sent all of it: what very old nodes stored of a level.
    pub fn is_of_users(&self) -> bool {
        self.messages.iter().all(|message| message.starts_with(EXTERNAL) || message.starts_with(TRANSFER))
    }

    /// What the info-per-level message says: the second one of a whole list.
    pub fn info(&self) -> Option<Info> {
        let mut message = self.messages.get(1)?.strip_prefix(INFO_PER_LEVEL)?;
        let timestamp = i64::from_be_bytes(primitive::bytes(&mut message).ok()?);
        let predecessor = BlockHash::new(primitive::bytes(&mut message).ok()?);
        primitive::end(message).ok()?;
        Some(Info { timestamp, predecessor })
    }

    /// Whether the level is the first one of another protocol, which layer 1 says in third place.
    pub fn migrates(&self) -> bool {
        self.messages.get(2).is_some_and(|message| message.starts_with(MIGRATION))
    }

    /// Hash of the last cell of the skip list of the messages; `None` for an empty list.
    pub fn witness(&self) -> Option<WitnessHash> {
        let mut last = None;
        let mut pointers = Vec::new();
        for (index, message) in (0..).zip(&self.messages) {
            if let Some(hash) = last {
                skip_list::advance(index - 1, &mut pointers, hash);
            }
            last = Some(blake2b(&[&blake2b(&[message]), pointers.as_flattened()]));
        }
        last.map(WitnessHash::new)
    }
}

/// Counts the messages of a list while its bytes come, so that one with too many is given up before all of it is there.
#[derive(Debug, Default)]
pub struct Count {
    /// Where the next message begins.
    at: usize,
    messages: usize,
}

impl Count {
    /// Looks at what has come so far. What is wrong with its form, [`MessageList::parse`] says when all has come.
    ///
    /// # Errors
    /// When there are too many messages.
    pub fn look(&mut self, list: &[u8]) -> Result<(), Malformed> {
        // The length of all comes first, and what lies beyond it is no message.
        let Some(all) = list.first_chunk().map(|all| u32::from_be_bytes(*all) as usize) else {
            return Ok(());
        };
        let list = list.get(..all.saturating_add(4)).unwrap_or(list);
        let mut next = self.at.max(4);
        while let Some(length) = list.get(next..).and_then(<[u8]>::first_chunk) {
            self.messages += 1;
            if self.messages > MAX_MESSAGES {
                return Err(TOO_MANY);
            }
            next = next.saturating_add(4).saturating_add(u32::from_be_bytes(*length) as usize);
        }
        self.at = next;
        Ok(())
    }
}

const TOO_MANY: Malformed = Malformed("it has more messages than layer 1 takes at a level, a million");

const START_OF_LEVEL: &[u8] = &[0, 1];
const END_OF_LEVEL: &[u8] = &[0, 2];
const INFO_PER_LEVEL: &[u8] = &[0, 3];
const MIGRATION: &[u8] = &[0, 4];
const TRANSFER: &[u8] = &[0, 0];
const EXTERNAL: &[u8] = &[1];
