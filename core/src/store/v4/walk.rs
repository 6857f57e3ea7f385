//! The store feeds the walk over its chain: each block is looked up by its hash, with its
//! messages, inbox and commitment.

use alloc::string::ToString;
use alloc::vec::Vec;

use super::store::{Store, StoredMessages};
use super::version::Version;
use crate::chain::{Block, Entry, Marks, Messages, Stored, Summary, Walk};
use crate::context::Contexts;
use crate::encoding::MessageList;
use crate::feedback::Feedback;
use crate::hash::BlockHash;
use crate::problem::{Problem, Result};
use crate::read_at::ReadAt;

/// How many blocks are checked between two looks at whether to go on.
const STRIDE: u64 = 1000;

impl<R: ReadAt> Store<R> {
    /// Walks the chain from the head to the first available block, and looks every context up in
    /// `contexts` where they are known. Every problem goes to `sink`; progress is told in blocks.
    ///
    /// # Errors
    /// [`Code::StoreDamaged`](crate::Code::StoreDamaged) when an index cannot be read,
    /// [`Code::Cancelled`](crate::Code::Cancelled).
    pub fn walk(
        &self,
        marks: Marks,
        contexts: Option<&Contexts>,
        feedback: &mut dyn Feedback,
        sink: &mut dyn FnMut(Problem),
    ) -> Result<Summary> {
        let mut sink = |problem| sink(problem);
        let mut walk = Walk::new(marks);
        let mut below = Below { levels: None, position: i64::MAX };
        let mut done = 0;
        while let Some(wanted) = walk.wanted() {
            let (block, level) = self.block_and_level(wanted)?;
            let Some(level) = level.filter(|level| i64::from(*level) < below.position) else {
                match level {
                    Some(level) => walk.take_misplaced(level, &mut sink),
                    None => walk.take(Stored::Missing, &mut sink),
                }
                let bound = i64::from(walk.expected_level()).min(below.position);
                let Some(hash) = below.next(self, bound)? else { break };
                walk.resume(hash);
                continue;
            };
            below.position = level.into();
            match block {
                Stored::Found(block) => {
                    let messages = self.messages(&block.inbox_witness)?;
                    walk.take(Stored::Found(self.entry(block, &messages, contexts)?), &mut sink);
                }
                Stored::Missing => walk.take(Stored::Missing, &mut sink),
                Stored::Malformed(why) => {
                    walk.take(Stored::Malformed(why), &mut sink);
                    if let Some(hash) = self.hash_at(level.saturating_sub(1))? {
                        walk.resume(hash);
                    }
                }
            }
            done += 1;
            if done % STRIDE == 0 {
                feedback.advance(STRIDE);
                feedback.checkpoint()?;
            }
        }
        feedback.advance(done % STRIDE);
        Ok(walk.finish(&mut sink))
    }

    fn entry<'a>(
        &self,
        block: Block,
        messages: &'a Stored<StoredMessages>,
        contexts: Option<&Contexts>,
    ) -> Result<Entry<'a>> {
        let commitment = match &block.commitment {
            Some(hash) => self.commitment(hash)?,
            None => Stored::Missing,
        };
        Ok(Entry {
            messages: self.parsed(&block, messages),
            inbox: self.inbox(&block.inbox_hash)?,
            commitment,
            at_level: self.hash_at(block.level)?,
            has_context: block.context.zip(contexts).map(|(hash, contexts)| contexts.contains(&hash)),
            block,
        })
    }

    fn parsed<'a>(&self, block: &Block, stored: &'a Stored<StoredMessages>) -> Stored<Messages<'a>> {
        let found = match stored {
            Stored::Found(found) => found,
            Stored::Missing => return Stored::Missing,
            Stored::Malformed(why) => return Stored::Malformed(why.clone()),
        };
        // What older versions keep is a block with these messages, maybe one that layer 1 took
        // back: it says nothing about this one.
        let predecessor = if self.version() >= Version::V4 { found.kept_with } else { block.predecessor };
        match MessageList::parse(&found.list) {
            Ok(list) => Stored::Found(Messages { list, inbox_level: None, predecessor: Some(predecessor) }),
            Err(err) => Stored::Malformed(err.to_string()),
        }
    }
}

/// Where the chain goes on below a hole.
struct Below {
    /// The levels of the index, ascending; read when the first hole is met.
    levels: Option<Vec<i32>>,
    /// Level of the block that was taken last: what comes must be below it.
    position: i64,
}

impl Below {
    /// The highest block below this level that the index names and the store holds there.
    fn next<R: ReadAt>(&mut self, store: &Store<R>, bound: i64) -> Result<Option<BlockHash>> {
        if self.levels.is_none() {
            self.levels = Some(store.level_numbers()?);
        }
        // What was passed is not looked at again.
        while let Some(level) = self.levels.as_mut().and_then(Vec::pop) {
            if i64::from(level) >= bound {
                continue;
            }
            let Some(hash) = store.hash_at(level)? else { continue };
            if store.block_and_level(&hash)?.1 == Some(level) {
                return Ok(Some(hash));
            }
        }
        Ok(None)
    }
}
