//! The store as a whole: opened once, then looked up.

use alloc::vec::Vec;

use super::records::{self, Published, WholeBlock};
use super::singletons::Singletons;
use super::table::Table;
use super::version::{self, Version};
use super::write::TableName;
use crate::allowance::Allowance;
use crate::chain::{Stored, Work};
use crate::code::Code;
use crate::encoding::{Commitment, Inbox, Inflater, Malformed, MessageList};
use crate::hash::{BlockHash, CommitmentHash, InboxHash, WitnessHash};
use crate::members::{self, STORAGE};
use crate::problem::{Problem, Result};
use crate::read_at::{Files, ReadAt};

/// A store in files, of version 2, 3 or 4.
#[derive(Debug)]
pub struct Store<R> {
    version: Version,
    recorded: Option<Version>,
    singletons: Singletons,
    pub(super) blocks: Table<R>,
    messages: Table<R>,
    pub(super) inboxes: Table<R>,
    pub(super) commitments: Table<R>,
    levels: Table<R>,
    pub(super) published: Table<R>,
    notices: Vec<Problem>,
    pub(super) genesis_level: Option<i32>,
}

/// Messages as they are stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredMessages {
    /// The predecessor of their block; in versions 2 and 3 their block.
    pub kept_with: BlockHash,
    /// The list, as [`MessageList`](crate::encoding::MessageList) reads it.
    pub list: Vec<u8>,
    /// How many they are.
    pub count: usize,
}

impl<R: ReadAt> Store<R> {
    /// Opens the store below `storage/`. The keys of its logs are read.
    ///
    /// # Errors
    /// [`Code::StoreMissing`], [`Code::StoreVersion`] for other versions, [`Code::StoreDamaged`] for
    /// what a node would not open either, and what the source reports.
    pub fn open<F: Files<File = R>>(files: &F) -> Result<Self> {
        if !version::has_files(files)? {
            return Err(Problem::new(Code::StoreMissing).path(STORAGE));
        }
        let recorded = version::recorded_version(files)?;
        let version = match recorded {
            Some(version) => version,
            None => version::guess(files)?,
        };
        let version = version.readable()?;
        if files.open(IRMIN_STORE[0])?.is_none() && files.open(IRMIN_STORE[1])?.is_none() {
            return Err(Problem::damaged_store(
                members::IRMIN_STORE,
                "its headers of data availability are missing",
            )
            .because("no node opens the store without them"));
        }
        let values = |name, most| Table::with_values(files, name, most);
        let pure = |name| Table::pure(files, name);
        let mut store = Self {
            version,
            recorded,
            singletons: Singletons::read(files)?,
            blocks: values(TableName::Blocks, SHORT)?,
            messages: values(TableName::Messages, Inflater::MAX)?,
            inboxes: values(TableName::Inboxes, SHORT)?,
            commitments: values(TableName::Commitments, SHORT)?,
            levels: pure(TableName::Levels)?,
            published: pure(TableName::Published)?,
            notices: Vec::new(),
            genesis_level: None,
        };
        if recorded.is_none() {
            store.version = store.told_by_messages()?;
        }
        store.notices = store.look_around();
        Ok(store)
    }

    /// Tells it the level of the rollup's origination, which the metadata have and the store has not:
    /// without it, and before the first garbage collection, the oldest level of the index of levels
    /// is taken for the first available one.
    #[must_use]
    pub fn with_genesis_level(mut self, level: Option<i32>) -> Self {
        self.genesis_level = level;
        self
    }

    /// The version that it is read as.
    pub fn version(&self) -> Version {
        self.version
    }

    /// The version that `storage/version` records; `None` without that file.
    pub fn recorded_version(&self) -> Option<Version> {
        self.recorded
    }

    /// What is not wrong and still worth telling: data that no node looks at, an older version.
    pub fn notices(&self) -> &[Problem] {
        &self.notices
    }

    /// The small files.
    pub fn singletons(&self) -> &Singletons {
        &self.singletons
    }

    /// Every table with its name, for listing.
    pub fn tables(&self) -> [(&'static str, &Table<R>); 6] {
        TableName::ALL.map(|name| (name.as_str(), self.table(name)))
    }

    /// A table.
    pub fn table(&self, name: TableName) -> &Table<R> {
        match name {
            TableName::Blocks => &self.blocks,
            TableName::Messages => &self.messages,
            TableName::Inboxes => &self.inboxes,
            TableName::Commitments => &self.commitments,
            TableName::Levels => &self.levels,
            TableName::Published => &self.published,
        }
    }

    /// The block of a hash.
    ///
    /// # Errors
    /// [`Code::StoreDamaged`] when an index is damaged, as for the next ones.
    pub fn block(&self, hash: &BlockHash) -> Result<Stored<WholeBlock>> {
        Ok(self.block_and_level(hash)?.0)
    }

    /// The canonical block at a level.
    pub fn hash_at(&self, level: i32) -> Result<Option<BlockHash>> {
        let found = self.levels.find(&level.to_be_bytes())?;
        Ok(found.and_then(|record| record.header.first_chunk().copied()).map(BlockHash::new))
    }

    /// The messages of a witness; their list has its form.
    pub fn messages(&self, witness: &WitnessHash) -> Result<Stored<StoredMessages>> {
        let Some(record) = self.messages.find(witness.as_bytes())? else { return Ok(Stored::Missing) };
        let count = |list: &[u8]| MessageList::parse(list).map(|list| list.messages().len());
        let count = match self.messages.decode(&record, count) {
            Ok(count) => count,
            Err(why) => return Ok(Stored::Malformed(why)),
        };
        Ok(match (record.value, record.header.first_chunk()) {
            (Ok(list), Some(hash)) => {
                Stored::Found(StoredMessages { kept_with: BlockHash::new(*hash), list, count })
            }
            _ => Stored::Missing,
        })
    }

    /// What reading blocks and their messages may come to: what is stored is read once, but that many blocks name
    /// the same value is not what a node writes.
    pub fn work(&self) -> Work {
        Work::of(self.messages.values_len())
    }

    /// Refuses to go through more publications than the file can name commitments.
    ///
    /// # Errors
    /// [`Code::LimitMemory`](crate::Code::LimitMemory).
    pub fn check_publications(&self, allowance: &Allowance) -> Result<()> {
        allowance.check_hashes(self.published.entries(), "the publications of commitments")
    }

    /// The inbox of a hash.
    pub fn inbox(&self, hash: &InboxHash) -> Result<Stored<Inbox>> {
        value(&self.inboxes, hash.as_bytes(), records::inbox)
    }

    /// The content of a commitment.
    pub fn commitment(&self, hash: &CommitmentHash) -> Result<Stored<Commitment>> {
        value(&self.commitments, hash.as_bytes(), records::commitment)
    }

    /// When a commitment was published; `None` where that is not recorded.
    pub fn published(&self, hash: &CommitmentHash) -> Result<Option<Published>> {
        let found = self.published.find(hash.as_bytes())?;
        Ok(found.and_then(|record| records::published(&record.header).ok()))
    }

    /// Reads the sorted part of every index, and tells where a node does not find what should be there.
    ///
    /// # Errors
    /// [`Code::StoreDamaged`] for a fan-out table that leads nowhere, and what the source reports.
    pub fn misplaced(&self) -> Result<Vec<Problem>> {
        let mut found = Vec::new();
        for (_, table) in self.tables() {
            found.extend(table.misplaced()?);
        }
        Ok(found)
    }

    /// The block of a hash, and its level where that at least can be read.
    pub(super) fn block_and_level(&self, hash: &BlockHash) -> Result<(Stored<WholeBlock>, Option<i32>)> {
        let Some(record) = self.blocks.find(hash.as_bytes())? else { return Ok((Stored::Missing, None)) };
        let level = record.header.get(32..).and_then(|rest| rest.first_chunk().copied());
        let level = level.map(i32::from_be_bytes);
        let block = match self.blocks.decode(&record, |body| records::block(&record.header, body)) {
            Ok((block, _)) if block.hash != *hash => {
                Stored::Malformed(alloc::format!("under its hash is block {}", block.hash))
            }
            Ok(found) => Stored::Found(found),
            Err(why) => Stored::Malformed(why),
        };
        Ok((block, level))
    }

    /// The levels of the index, ascending.
    pub(super) fn level_numbers(&self) -> Result<Vec<i32>> {
        let mut levels = Vec::new();
        for binding in self.levels.keys() {
            let (key, _) = binding?;
            levels.extend(key.first_chunk().map(|level| i32::from_be_bytes(*level)));
        }
        levels.sort_unstable();
        Ok(levels)
    }

    /// Versions 2 and 3 keep messages with their block, version 4 with its predecessor.
    fn told_by_messages(&self) -> Result<Version> {
        let Ok(Some((head, evaluation))) = self.singletons.head() else { return Ok(Version::V4) };
        match self.messages(&evaluation.inbox_witness) {
            Ok(Stored::Found(messages)) if messages.kept_with == head.hash => Ok(Version::V3),
            Err(problem) if !problem.code().is_about_contents() => Err(problem),
            _ => Ok(Version::V4),
        }
    }

    fn look_around(&self) -> Vec<Problem> {
        let mut notices = Vec::new();
        if self.recorded.is_none() {
            notices.push(version::check_version(None).err());
        }
        if self.version != Version::V4 {
            let found = alloc::format!("version {}: {}", self.version.number(), self.version.differs());
            notices.push(Some(Problem::new(Code::StoreVersion).expected("version 4").found(found)));
        }
        let hidden = self.tables().into_iter().flat_map(|(_, table)| table.notices().cloned().map(Some));
        notices.extend(hidden.collect::<Vec<_>>());
        notices.into_iter().flatten().collect()
    }
}

/// One of these is in `irmin_store`, whatever version of its format it has.
const IRMIN_STORE: [&str; 2] = ["storage/irmin_store/store.control", "storage/irmin_store/store.pack"];

/// Longest value of all tables but that of messages, in bytes. A block has a number and eight bytes, a
/// commitment 77, an inbox 45 and 32 for each back pointer, of which there are as many as its index has digits to
/// base 4.
const SHORT: usize = 4096;

fn value<R: ReadAt, T>(
    table: &Table<R>,
    key: &[u8],
    decode: impl FnOnce(&[u8]) -> Result<T, Malformed>,
) -> Result<Stored<T>> {
    let Some(record) = table.find(key)? else { return Ok(Stored::Missing) };
    Ok(table.decode(&record, decode).map_or_else(Stored::Malformed, Stored::Found))
}
