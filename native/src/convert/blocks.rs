//! The blocks, and what hangs on each: messages, inbox, state.

use std::fmt::Display;

use rollsnap_core::chain::{Block, Stored, Work};
use rollsnap_core::context::{Contexts, Found};
use rollsnap_core::encoding::MessageList;
use rollsnap_core::hash::{BlockHash, StateHash};
use rollsnap_core::store::Rows;
use rollsnap_core::store::v4::{self, Version, WholeBlock};
use rollsnap_core::words::plural;
use rollsnap_core::{Allowance, Feedback, Problem, Result};

use super::left_out::LeftOut;
use crate::deflate::{self, Level};
use crate::files::Part;
use crate::store::NewStore;

/// Carries blocks over.
pub(super) struct Blocks<'a> {
    old: &'a v4::Store<Part>,
    new: &'a NewStore,
    contexts: &'a Contexts,
    encoder: deflate::Encoder,
    packed: Vec<u8>,
    work: Work,
    /// Lists of messages without those of layer 1, in the chain.
    partial: u64,
}

/// How much of a list is deflated at once, in bytes.
const PIECE: usize = 1 << 20;

/// Which levels have a block that counts.
pub(super) enum Levels {
    /// Those of the index of levels.
    Index(Vec<i32>),
    /// Those along the predecessors of the head, the newest first: the index of levels of version 2
    /// may name blocks that layer 1 took back.
    Chain(Vec<(i32, BlockHash)>),
}

impl Levels {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Index(levels) => levels.len(),
            Self::Chain(blocks) => blocks.len(),
        }
    }
}

impl<'a> Blocks<'a> {
    /// `allowance`: what a file of this length may ask for, if the old store comes from one.
    pub(super) fn new(
        old: &'a v4::Store<Part>,
        new: &'a NewStore,
        contexts: &'a Contexts,
        allowance: Allowance,
    ) -> Self {
        let encoder = deflate::Encoder::new(Level::default());
        let work = allowance.file_bytes().map_or_else(|| old.work(), Work::of);
        Self { old, new, contexts, encoder, packed: Vec::new(), work, partial: 0 }
    }

    /// The levels from `first` to `head` that have a block.
    pub(super) fn levels(old: &v4::Store<Part>, first: i32, head: i32) -> Result<Levels> {
        if old.version() > Version::V2 {
            let mut levels = old.levels()?;
            levels.retain(|level| (first..=head).contains(level));
            return Ok(Levels::Index(levels));
        }
        let mut chain = Vec::new();
        let mut next = Some(old.head()?.hash);
        let mut above = i32::MAX;
        while let Some(hash) = next.take() {
            let Some((block, _)) = required(old.block(&hash)?, "storage/l2_blocks", &hash)? else { break };
            // Each is one lower than the one before: what is not is for the check to tell.
            if block.level < first || block.level >= above {
                break;
            }
            above = block.level;
            chain.push((block.level, hash));
            next = Some(block.predecessor);
        }
        Ok(Levels::Chain(chain))
    }

    /// The blocks of the chain, in the order of their levels.
    pub(super) fn canonical(&mut self, levels: &Levels, feedback: &mut dyn Feedback) -> Result<()> {
        // Better now than after the first of them were written.
        self.work.check_blocks(levels.len() as u64)?;
        match levels {
            Levels::Index(levels) => {
                for level in levels {
                    if let Some(hash) = self.old.hash_at(*level)? {
                        self.level(*level, &hash, feedback)?;
                    }
                }
            }
            Levels::Chain(blocks) => {
                for (level, hash) in blocks.iter().rev() {
                    self.level(*level, hash, feedback)?;
                }
            }
        }
        Ok(())
    }

    /// Blocks of branches that lost: the node keeps them too. What is older than the first level that
    /// a node uses stays behind.
    pub(super) fn others(&mut self, first: i32, left: &mut LeftOut, feedback: &dyn Feedback) -> Result<()> {
        let (mut older, mut damaged) = (0, 0);
        for hash in self.old.block_hashes() {
            feedback.checkpoint()?;
            let hash = hash?;
            match self.old.block(&hash)? {
                Stored::Found((block, _)) if block.level < first => older += 1,
                Stored::Found(block) if !self.new.has_block(&hash)? => drop(self.block(&block)?),
                // None of these is in the chain.
                Stored::Malformed(_) => damaged += 1,
                Stored::Found(_) | Stored::Missing => {}
            }
        }
        let why = "garbage collection has given them up, and no node uses them";
        let what = plural(older, "block", "blocks");
        left.count(older, &format!("{what} below the first available level {first}"), why);
        let what = plural(damaged, "block", "blocks");
        left.count(damaged, &format!("{what} outside the chain"), "they cannot be read");
        Ok(())
    }

    /// How many lists of messages lack those of layer 1, as a very old node stored them.
    pub(super) fn partial(&self) -> u64 {
        self.partial
    }

    fn level(&mut self, level: i32, hash: &BlockHash, feedback: &mut dyn Feedback) -> Result<()> {
        feedback.checkpoint()?;
        self.new.level(level, hash)?;
        if let Some(block) = required(self.old.block(hash)?, "storage/l2_blocks", hash)? {
            self.partial += u64::from(self.block(&block)?);
        }
        feedback.advance(1);
        Ok(())
    }

    /// Whether its messages lack those of layer 1, as the empty list of the origination does too.
    fn block(&mut self, (block, at): &WholeBlock) -> Result<bool> {
        let mut is_partial = false;
        self.work.block()?;
        let state = self.state(block)?;
        self.new.block(block, at, state.as_ref())?;
        let witness = at.inbox_witness;
        if let Some(messages) = required(self.old.messages(&witness)?, "storage/messages", &witness)? {
            self.work.messages(messages.count, messages.list.len());
            self.work.check()?;
            let list = MessageList::parse(&messages.list);
            is_partial = list.is_ok_and(|list| !list.is_whole());
            self.pack(&messages.list);
            self.new.messages(&witness, block.level, &self.packed)?;
        }
        let inbox = self.old.inbox_with_cell(&at.inbox_hash)?;
        if let Some((inbox, cell)) = required(inbox, "storage/inboxes", &at.inbox_hash)? {
            self.new.inbox(&at.inbox_hash, inbox.level, &cell)?;
        }
        Ok(is_partial)
    }

    /// Deflates a list, piece by piece: the compressor wants as much room as its input has.
    fn pack(&mut self, list: &[u8]) {
        self.packed.clear();
        let mut at = 0;
        loop {
            let end = list.len().min(at + PIECE);
            let from = at.saturating_sub(deflate::Encoder::WINDOW);
            let piece = list.get(from..end).unwrap_or_default();
            self.encoder.encode(piece, at - from, end == list.len(), &mut self.packed);
            at = end;
            if end == list.len() {
                return;
            }
        }
    }

    /// The state after a block: that of its commitment, else that in its context.
    fn state(&self, block: &Block) -> Result<Option<StateHash>> {
        if let Some(hash) = &block.commitment
            && let Stored::Found(commitment) = self.old.commitment(hash)?
        {
            return Ok(Some(commitment.compressed_state));
        }
        Ok(match block.context.map(|context| self.contexts.find(&context)) {
            Some(Found::Read(state)) => state,
            _ => None,
        })
    }
}

/// What is stored, if anything is. What cannot be read cannot be carried over.
pub(super) fn required<T>(stored: Stored<T>, table: &str, key: &dyn Display) -> Result<Option<T>> {
    match stored {
        Stored::Found(found) => Ok(Some(found)),
        Stored::Missing => Ok(None),
        Stored::Malformed(why) => Err(Problem::damaged_store(table, &format!("{key} cannot be read: {why}"))),
    }
}
