//! How much the blocks of a chain may ask for: in proportion to the bytes that they come from.
//!
//! A few bytes can stand for a million messages, each of which has to be hashed, and one value can be named by many
//! blocks. Messages that users pay for do not shrink like that, and a block has hashes of its own.

use super::{Entry, Stored};
use crate::code::Code;
use crate::problem::{Problem, Result};

/// Bytes of messages that may be read in any case, and for each byte that they come from.
const BYTES: (u64, u64) = (256 << 20, 32);

/// How many messages may be read in any case. One more for each byte that they come from.
const MESSAGES: u64 = 2_000_000;

/// How many blocks may be read in any case; for so many bytes that they come from, one more. A block has a hash, and
/// those of its witness, its inbox and its state.
const BLOCKS: (u64, u64) = (1 << 16, 64);

/// How many faults may be found in any case; for so many bytes that they come from, one more. Each takes some
/// hundred bytes of memory.
const FAULTS: (u64, u64) = (1 << 16, 128);

/// What was read so far, and of how much.
#[derive(Clone, Copy, Debug, Default)]
pub struct Work {
    /// Bytes that it comes from, as they lie there: compressed, if they are.
    packed: u64,
    blocks: u64,
    bytes: u64,
    messages: u64,
}

impl Work {
    /// What is read comes from so many bytes.
    pub const fn of(packed: u64) -> Self {
        Self { packed, blocks: 0, bytes: 0, messages: 0 }
    }

    /// So many bytes more turn out to be what it comes from.
    pub fn packed(&mut self, bytes: u64) {
        self.packed = self.packed.saturating_add(bytes);
    }

    /// One more block was read.
    ///
    /// # Errors
    /// [`Code::ChainWork`] when those are more than there can be.
    pub fn block(&mut self) -> Result<()> {
        self.blocks = self.blocks.saturating_add(1);
        self.check_blocks(self.blocks)
    }

    /// Refuses to go through so many blocks.
    ///
    /// # Errors
    /// [`Code::ChainWork`].
    pub fn check_blocks(&self, blocks: u64) -> Result<()> {
        let (free, share) = BLOCKS;
        if blocks <= free.saturating_add(self.packed / share) {
            return Ok(());
        }
        let found = format_args!("{blocks} blocks in {} bytes", self.packed);
        Err(Problem::new(Code::ChainWork).found(found))
    }

    /// Refuses to go on after so many faults.
    ///
    /// # Errors
    /// [`Code::ChainWork`].
    pub fn check_faults(&self, faults: u64) -> Result<()> {
        let (free, share) = FAULTS;
        if faults <= free.saturating_add(self.packed / share) {
            return Ok(());
        }
        let found = format_args!("{faults} faults in {} bytes", self.packed);
        Err(Problem::new(Code::ChainWork).found(found))
    }

    /// So many more messages were read, with so many bytes.
    pub fn messages(&mut self, count: usize, bytes: usize) {
        self.bytes = self.bytes.saturating_add(bytes as u64);
        self.messages = self.messages.saturating_add(count as u64);
    }

    /// The messages of a block were read.
    pub(super) fn messages_of(&mut self, entry: &Stored<Entry<'_>>) {
        if let Stored::Found(Entry { messages: Stored::Found(messages), .. }) = entry {
            let messages = messages.list.messages();
            self.messages(messages.len(), messages.iter().map(|message| 4 + message.len()).sum());
        }
    }

    /// Refuses to go on with messages that are more than this, and many times what they come from.
    ///
    /// # Errors
    /// [`Code::MessagesWork`].
    pub fn check(&self) -> Result<()> {
        let (free, share) = BYTES;
        let bytes = free.saturating_add(self.packed.saturating_mul(share));
        let messages = MESSAGES.saturating_add(self.packed);
        if self.bytes <= bytes && self.messages <= messages {
            return Ok(());
        }
        let Self { packed, bytes, messages, .. } = self;
        let found = format_args!("{messages} messages, {bytes} bytes, in {packed} bytes");
        Err(Problem::new(Code::MessagesWork).found(found))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_in_proportion() {
        let mut work = Work::of(6400);
        for _ in 0..(1 << 16) + 100 {
            work.block().unwrap();
        }
        assert_eq!(work.block().unwrap_err().code(), Code::ChainWork);
        work.check_faults((1 << 16) + 50).unwrap();
        assert_eq!(work.check_faults((1 << 16) + 51).unwrap_err().code(), Code::ChainWork);
        work.messages(2_006_400, 0);
        work.check().unwrap();
        work.messages(1, 0);
        assert_eq!(work.check().unwrap_err().code(), Code::MessagesWork);
        work.packed(1);
        work.check().unwrap();
        work.messages(0, (256 << 20) + 6401 * 32);
        work.check().unwrap();
        work.messages(0, 1);
        assert_eq!(work.check().unwrap_err().code(), Code::MessagesWork);
    }
}
