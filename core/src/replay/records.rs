//! Blocks one by one, with all that a store records of what their evaluation came to.

use alloc::boxed::Box;
use alloc::string::ToString;
use alloc::vec::Vec;

use super::outbox::Outbox;
use super::recorded::Recorded;
use crate::chain::{Chain, Entry, Messages, Stored};
use crate::code::Code;
use crate::encoding::MessageList;
use crate::hash::{BlockHash, CommitmentHash};
use crate::problem::{Place, Problem, Result};
use crate::read_at::ReadAt;
use crate::store::v4::{self, Protocol, StoredMessages};
use crate::store::{Opened, Store, Tables};

/// Looks the blocks of a store up, each with what hangs on it.
pub trait Blocks {
    /// The block that the index of levels names at a level.
    ///
    /// # Errors
    /// [`Code::ChainBlock`] without one; [`Code::StoreValue`], [`Code::LevelsChain`] for one that cannot be that;
    /// [`Code::StoreDamaged`], [`Code::MessagesWork`], whatever reading reports.
    fn at(&mut self, level: i32) -> Result<Recorded<'_>>;
}

/// The protocols that a store has met, the newest first.
///
/// # Errors
/// [`Code::StoreValue`], [`Code::StoreDamaged`], whatever reading reports.
pub fn protocols<R: ReadAt>(store: &Opened<Store<'_, R>, R>) -> Result<Vec<Protocol>> {
    let mut protocols = match store {
        Opened::Database(store) => store.protocols()?,
        Opened::Files(store) => store.singletons().protocols()?.unwrap_or_default(),
    };
    protocols.sort_by_key(|protocol| core::cmp::Reverse((protocol.level, protocol.proto_level)));
    Ok(protocols)
}

/// The blocks of a store that is read without a database engine.
pub enum Records<'s, R> {
    /// Version 5.
    Database(Box<OfDatabase<'s, R>>),
    /// An older version.
    Files(OfFiles<'s, R>),
}

impl<'s, R: ReadAt> Records<'s, R> {
    /// Those of a store.
    ///
    /// # Errors
    /// [`Code::StoreDamaged`], whatever reading reports.
    pub fn new(store: &'s Opened<Store<'s, R>, R>) -> Result<Self> {
        Ok(match store {
            Opened::Database(store) => {
                let (tables, first_outbox) = (store.tables()?, store.first_outbox()?);
                Self::Database(Box::new(OfDatabase { store, tables, first_outbox }))
            }
            Opened::Files(store) => Self::Files(OfFiles::new(store)),
        })
    }
}

impl<R: ReadAt> Blocks for Records<'_, R> {
    fn at(&mut self, level: i32) -> Result<Recorded<'_>> {
        match self {
            Self::Database(records) => records.at(level),
            Self::Files(records) => records.at(level),
        }
    }
}

/// The blocks of a database.
pub struct OfDatabase<'s, R> {
    store: &'s Store<'s, R>,
    tables: Tables<'s, R>,
    /// The lowest level of which an outbox is recorded.
    first_outbox: Option<i32>,
}

impl<R: ReadAt> OfDatabase<'_, R> {
    fn at(&mut self, level: i32) -> Result<Recorded<'_>> {
        let hash = self.tables.named_at(level.into())?.ok_or_else(|| at(Code::ChainBlock, level))?;
        let status = self.store.status(&hash, level)?;
        let outbox = match self.store.outbox(level)? {
            Some(bits) => Outbox::Messages(bits),
            None => Outbox::absent(level, self.first_outbox),
        };
        let found = self.tables.find(&hash)?.ok_or_else(|| at(Code::ChainBlock, level).found(hash))?;
        let entry = checked(found.entry, level)?;
        let previous_tick = match &entry.block.commitment {
            Some(_) => self.store.final_tick_of(&entry.block.previous_commitment)?,
            None => None,
        };
        Ok(Recorded { entry, previous_tick, status, outbox })
    }
}

/// The blocks of a store in files.
pub struct OfFiles<'s, R> {
    store: &'s v4::Store<R>,
    /// Those of the block that was looked up last.
    messages: Stored<StoredMessages>,
}

impl<'s, R: ReadAt> OfFiles<'s, R> {
    /// Those of a store.
    pub fn new(store: &'s v4::Store<R>) -> Self {
        Self { store, messages: Stored::Missing }
    }

    /// The ticks at which the block at a level begins and ends; `None` where the store does not say.
    ///
    /// # Errors
    /// [`Code::StoreDamaged`], whatever reading reports.
    pub fn ticks(&self, level: i32) -> Result<Option<(u128, u128)>> {
        let Some(hash) = self.store.hash_at(level)? else { return Ok(None) };
        let Stored::Found((_, evaluation)) = self.store.block(&hash)? else { return Ok(None) };
        Ok(evaluation.final_tick().map(|end| (evaluation.initial_tick, end)))
    }

    fn tick_of(&self, commitment: &CommitmentHash) -> Result<Option<u128>> {
        let Stored::Found(content) = self.store.commitment(commitment)? else { return Ok(None) };
        Ok(self.ticks(content.inbox_level)?.map(|(_, end)| end))
    }
}

impl<R: ReadAt> Blocks for OfFiles<'_, R> {
    fn at(&mut self, level: i32) -> Result<Recorded<'_>> {
        let store = self.store;
        let hash: BlockHash = store.hash_at(level)?.ok_or_else(|| at(Code::ChainBlock, level))?;
        let (block, evaluation) = match store.block(&hash)? {
            Stored::Found(found) => found,
            Stored::Missing => return Err(at(Code::ChainBlock, level).found(hash)),
            Stored::Malformed(why) => return Err(at(Code::StoreValue, level).found(why)),
        };
        // A list can be large: not two of them at once.
        self.messages = Stored::Missing;
        self.messages = store.messages(&evaluation.inbox_witness)?;
        let messages = match &self.messages {
            Stored::Found(stored) => match MessageList::parse(&stored.list) {
                Ok(list) => {
                    Stored::Found(Messages { list, inbox_level: None, predecessor: Some(stored.kept_with) })
                }
                Err(why) => Stored::Malformed(why.to_string()),
            },
            Stored::Missing => Stored::Missing,
            Stored::Malformed(why) => Stored::Malformed(why.clone()),
        };
        let (mut commitment, mut previous_tick) = (Stored::Missing, None);
        if let Some(hash) = &block.commitment {
            commitment = store.commitment(hash)?;
            previous_tick = self.tick_of(&block.previous_commitment)?;
        }
        let inbox = store.inbox(&evaluation.inbox_hash)?;
        let at_level = Some(hash);
        let entry = Entry { block, evaluation, messages, inbox, commitment, at_level };
        let entry = checked(Stored::Found(entry), level)?;
        Ok(Recorded { entry, previous_tick, status: None, outbox: Outbox::NotRecorded })
    }
}

/// What was found where the block of a level should be.
///
/// # Errors
/// [`Code::ChainBlock`], [`Code::StoreValue`], [`Code::LevelsChain`].
pub fn checked(entry: Stored<Entry<'_>>, level: i32) -> Result<Entry<'_>> {
    match entry {
        Stored::Found(entry) if entry.block.level == level => Ok(entry),
        Stored::Found(entry) => Err(at(Code::LevelsChain, level).expected(level).found(entry.block.level)),
        Stored::Missing => Err(at(Code::ChainBlock, level)),
        Stored::Malformed(why) => Err(at(Code::StoreValue, level).found(why)),
    }
}

fn at(code: Code, level: i32) -> Problem {
    Problem::new(code).at(Place::Level(level))
}
