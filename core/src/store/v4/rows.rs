//! The store as what the rules ask of one, and its blocks as a chain.

use alloc::string::ToString;
use alloc::vec::Vec;

use super::keys::check_looks;
use super::records::{self, WholeBlock};
use super::store::{Store, StoredMessages};
use super::version::Version;
use crate::chain::{Block, Chain, Entry, Found, Messages, Stored, Work};
use crate::encoding::MessageList;
use crate::feedback::Feedback;
use crate::hash::{BlockHash, CommitmentHash};
use crate::nodes::export::{no_context, no_head};
use crate::problem::Result;
use crate::read_at::ReadAt;
use crate::sqlite::Value;
use crate::store::{CommitmentName, Mark, Publication, RawValue, Rows, Side, State, Walked};

impl<R: ReadAt> Rows for Store<R> {
    fn head(&self) -> Result<Block> {
        Ok(self.singletons().head()?.ok_or_else(no_head)?.0)
    }

    /// Every block has a context: what was kept by the last garbage collection, else the
    /// origination of the rollup.
    fn first_available(&self) -> Result<i32> {
        let collected = self.singletons().gc_levels()?.map(|levels| levels.first_available);
        match collected.or(self.genesis_level) {
            Some(level) => Ok(level),
            None => self.level_numbers()?.first().copied().ok_or_else(no_context),
        }
    }

    /// The store records the finalized level only: its block is the one that the index of levels
    /// names. Where that names none, the walk over the chain tells.
    fn state(&self) -> Result<State> {
        let singletons = self.singletons();
        let head = singletons.head()?.map(|(block, _)| Mark { hash: block.hash, level: block.level });
        let mut finalized = None;
        if let Some(level) = singletons.finalized_level()? {
            let above = || head.is_some_and(|head| level > head.level).then_some(BlockHash::new([0; 32]));
            finalized = self.hash_at(level)?.or_else(above).map(|hash| Mark { hash, level });
        }
        let lpc = singletons.lpc()?;
        let collected = singletons.gc_levels()?;
        Ok(State {
            head,
            finalized,
            lcc: singletons.lcc()?,
            lpc: lpc.map(|content| Mark { hash: content.hash(), level: content.inbox_level }),
            history_mode: singletons.history_mode()?,
            gc_target: collected.map(|levels| levels.first_available),
            gc_triggered_at: collected.map(|levels| levels.last),
        })
    }

    fn block_at(&self, level: i32) -> Result<Option<Block>> {
        let Some(hash) = self.hash_at(level)? else { return Ok(None) };
        match self.block(&hash)? {
            Stored::Found((block, _)) => Ok(Some(block)),
            _ => Ok(None),
        }
    }

    fn top_level(&self) -> Result<Option<i32>> {
        Ok(self.level_numbers()?.last().copied())
    }

    fn lowest_level(&self) -> Result<Option<i32>> {
        Ok(self.level_numbers()?.first().copied())
    }

    fn publications(&self, each: &mut dyn FnMut(Publication)) -> Result<()> {
        check_looks(&self.published, &self.commitments)?;
        for binding in self.published.keys() {
            let (key, value) = binding?;
            let (Some(key), Ok(published)) = (key.first_chunk(), records::published(&value)) else {
                continue;
            };
            let hash = CommitmentHash::new(*key);
            let content = self.commitment(&hash)?;
            each(Publication {
                commitment: CommitmentName::Hash(hash),
                first_level: Some(published.first),
                own_level: published.by_us,
                known: content != Stored::Missing,
                inbox_level: if let Stored::Found(content) = content {
                    Some(content.inbox_level)
                } else {
                    None
                },
            });
        }
        Ok(())
    }

    /// The protocols alone; outboxes are not recorded. What the tables hold beside the chain is not looked at: finding it
    /// takes several searches for each key.
    fn side(
        &mut self,
        side: Side,
        _: Walked,
        feedback: &dyn Feedback,
        each: &mut dyn FnMut(&[RawValue<'_>]) -> Result<()>,
    ) -> Result<()> {
        if side != Side::Protocols {
            return Ok(());
        }
        for protocol in self.singletons().protocols()?.into_iter().flatten() {
            feedback.checkpoint()?;
            let numbers = [protocol.proto_level, protocol.level, i32::from(protocol.activates)];
            let [number, level, activates] = numbers.map(|number| Some(Value::Integer(number.into())));
            each(&[Some(Value::Text(&protocol.hash.to_string())), number, level, activates])?;
        }
        Ok(())
    }

    fn is_in_files(&self) -> bool {
        true
    }

    fn with_chain<T>(&mut self, read: impl FnOnce(&mut dyn Chain) -> Result<T>) -> Result<T> {
        let head = self.singletons().head()?;
        let work = self.work();
        read(&mut Blocks { store: self, head, below: None, messages: Stored::Missing, work })
    }
}

/// The blocks of the store.
struct Blocks<'s, R> {
    store: &'s Store<R>,
    /// The block that `l2_head` holds.
    head: Option<WholeBlock>,
    /// The levels of the index that were not passed yet, ascending; read when they are first asked for.
    below: Option<Vec<i32>>,
    /// Those of the block that was found last.
    messages: Stored<StoredMessages>,
    work: Work,
}

impl<R: ReadAt> Chain for Blocks<'_, R> {
    fn find(&mut self, hash: &BlockHash) -> Result<Option<Found<'_>>> {
        let (block, level) = self.store.block_and_level(hash)?;
        let level = level.map_or(i64::MAX, i64::from);
        let found = |entry| Ok(Some(Found { level, entry, empty_status: false }));
        let (block, evaluation) = match block {
            Stored::Missing => return Ok(None),
            Stored::Malformed(why) => return found(Stored::Malformed(why)),
            Stored::Found(found) => found,
        };
        let other = |(head, at): &WholeBlock| head.hash == *hash && (*head, *at) != (block, evaluation);
        if self.head.as_ref().is_some_and(other) {
            return found(Stored::Malformed("storage/l2_head holds another block under its hash".into()));
        }
        self.work.check()?;
        // A list can be large: not two of them at once.
        self.messages = Stored::Missing;
        self.messages = self.store.messages(&evaluation.inbox_witness)?;
        if let Stored::Found(found) = &self.messages {
            self.work.messages(found.count, found.list.len());
        }
        let commitment = match &block.commitment {
            Some(hash) => self.store.commitment(hash)?,
            None => Stored::Missing,
        };
        let entry = Entry {
            messages: parsed(&block, &self.messages, self.store.version()),
            inbox: self.store.inbox(&evaluation.inbox_hash)?,
            commitment,
            at_level: self.store.hash_at(block.level)?,
            block,
            evaluation,
        };
        found(Stored::Found(entry))
    }

    fn named_at(&mut self, level: i64) -> Result<Option<BlockHash>> {
        i32::try_from(level).map_or(Ok(None), |level| self.store.hash_at(level))
    }

    fn named_below(&mut self, bound: i64) -> Result<Option<BlockHash>> {
        if self.below.is_none() {
            self.below = Some(self.store.level_numbers()?);
        }
        // The walk goes down only: what was passed is not looked at again.
        while let Some(level) = self.below.as_mut().and_then(Vec::pop) {
            if i64::from(level) >= bound {
                continue;
            }
            let Some(hash) = self.store.hash_at(level)? else { continue };
            if self.store.block_and_level(&hash)?.1 == Some(level) {
                return Ok(Some(hash));
            }
        }
        Ok(None)
    }
}

fn parsed<'a>(block: &Block, stored: &'a Stored<StoredMessages>, version: Version) -> Stored<Messages<'a>> {
    let found = match stored {
        Stored::Found(found) => found,
        Stored::Missing => return Stored::Missing,
        Stored::Malformed(why) => return Stored::Malformed(why.clone()),
    };
    // What older versions keep is a block with these messages, maybe one that layer 1 took back: it
    // says nothing about this one.
    let predecessor = if version >= Version::V4 { found.kept_with } else { block.predecessor };
    match MessageList::parse(&found.list) {
        Ok(list) => Stored::Found(Messages { list, inbox_level: None, predecessor: Some(predecessor) }),
        Err(err) => Stored::Malformed(err.to_string()),
    }
}
