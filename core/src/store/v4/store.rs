//! The store as a whole: opened once, then looked up.

use alloc::vec::Vec;

use super::records::{self, BLOCK_HEADER, Published};
use super::singletons::Singletons;
use super::table::Table;
use super::version::{self, Version};
use crate::chain::{Block, Marks, Stored};
use crate::code::Code;
use crate::encoding::{Commitment, Inbox, Malformed, MessageList};
use crate::hash::{BlockHash, CommitmentHash, InboxHash, WitnessHash};
use crate::index::{KeyOrder, Shape};
use crate::problem::{Problem, Result};
use crate::read_at::{Files, ReadAt};
use crate::store::{Mark, State, damaged, no_head};

/// A store in files, of version 2, 3 or 4.
#[derive(Debug)]
pub struct Store<R> {
    version: Version,
    recorded: Option<Version>,
    singletons: Singletons,
    blocks: Table<R>,
    messages: Table<R>,
    inboxes: Table<R>,
    commitments: Table<R>,
    levels: Table<R>,
    published: Table<R>,
    notices: Vec<Problem>,
}

/// Messages as they are stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredMessages {
    /// The predecessor of their block; in versions 2 and 3 their block.
    pub kept_with: BlockHash,
    /// The list, as [`MessageList`](crate::encoding::MessageList) reads it.
    pub list: Vec<u8>,
}

impl<R: ReadAt> Store<R> {
    /// Opens the store below `storage/`. The keys of its logs are read.
    ///
    /// # Errors
    /// [`Code::StoreMissing`], [`Code::StoreVersion`] for other versions, [`Code::StoreDamaged`] for
    /// what a node would not open either, and what the source reports.
    pub fn open<F: Files<File = R>>(files: &F) -> Result<Self> {
        let names = files.names("storage/")?;
        if !names.iter().any(|name| name != "storage/version") {
            return Err(Problem::new(Code::StoreMissing).path("storage"));
        }
        let recorded = version::recorded(files)?.map(version::known).transpose()?;
        let version = match recorded {
            Some(version) => version,
            None => version::guess(files, &names)?,
        };
        let version = version.readable()?;
        if !names.iter().any(|name| IRMIN_STORE.contains(&&**name)) {
            return Err(damaged("storage/irmin_store", "its headers of data availability are missing")
                .because("no node opens the store without them"));
        }
        let values = |name, shape| Table::with_values(files, &names, name, shape);
        let pure = |name, shape| Table::pure(files, &names, name, shape);
        let mut store = Self {
            version,
            recorded,
            singletons: Singletons::read(files)?,
            blocks: values("l2_blocks", shape(32, 8 + BLOCK_HEADER, KeyOrder::Boxed))?,
            messages: values("messages", shape(32, 8 + 32, KeyOrder::Bytes))?,
            inboxes: values("inboxes", shape(32, 8, KeyOrder::Bytes))?,
            commitments: values("commitments", shape(32, 8, KeyOrder::Bytes))?,
            levels: pure("levels_to_hashes", shape(4, 32, KeyOrder::Bytes))?,
            published: pure("commitments_published_at_level", shape(32, 8, KeyOrder::Bytes))?,
            notices: Vec::new(),
        };
        if recorded.is_none() {
            store.version = store.told_by_messages();
        }
        store.notices = store.look_around();
        Ok(store)
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
        [
            ("l2_blocks", &self.blocks),
            ("messages", &self.messages),
            ("inboxes", &self.inboxes),
            ("commitments", &self.commitments),
            ("levels_to_hashes", &self.levels),
            ("commitments_published_at_level", &self.published),
        ]
    }

    /// The newest block (rule E5).
    ///
    /// # Errors
    /// [`Code::StoreNoHead`], [`Code::StoreDamaged`].
    pub fn head(&self) -> Result<Block> {
        self.singletons.head()?.ok_or_else(no_head)
    }

    /// The oldest level that can be used: after a garbage collection what it kept, else the
    /// origination of the rollup, as the metadata tell it.
    ///
    /// # Errors
    /// [`Code::StoreDamaged`].
    pub fn first_available(&self, genesis_level: Option<i32>) -> Result<Option<i32>> {
        Ok(self.singletons.gc_levels()?.map(|levels| levels.first_available).or(genesis_level))
    }

    /// What the node remembers about where it is. The finalized level is known, its hash is that of
    /// the index of levels.
    ///
    /// # Errors
    /// [`Code::StoreDamaged`].
    pub fn state(&self) -> Result<State> {
        let finalized = match self.singletons.finalized_level()? {
            Some(level) => self.hash_at(level)?.map(|hash| Mark { hash, level }),
            None => None,
        };
        let lpc = self.singletons.lpc()?;
        Ok(State {
            head: self.singletons.head()?.map(|block| Mark { hash: block.hash, level: block.level }),
            finalized,
            lcc: self.singletons.lcc()?,
            lpc: lpc.map(|content| Mark { hash: content.hash(), level: content.inbox_level }),
            history_mode: self.singletons.history_mode()?,
        })
    }

    /// What a walk over the chain must know beforehand. Without a first available level that is
    /// that of the head.
    ///
    /// # Errors
    /// [`Code::StoreNoHead`], [`Code::StoreDamaged`].
    pub fn marks(&self, genesis_level: Option<i32>) -> Result<Marks> {
        let head = self.head()?;
        // The index of levels names the block; where it names none, the walk tells.
        let finalized = match self.singletons.finalized_level()? {
            Some(level) if level > head.level => Some((head.hash, level)),
            Some(level) => self.hash_at(level)?.map(|hash| (hash, level)),
            None => None,
        };
        Ok(Marks {
            head: (head.hash, head.level),
            first_available: self.first_available(genesis_level)?.unwrap_or(head.level),
            genesis_level,
            finalized,
            lcc: self.singletons.lcc()?.map(|mark| (mark.hash, mark.level)),
            top_level: self.level_numbers()?.last().copied(),
        })
    }

    /// The block of a hash.
    ///
    /// # Errors
    /// [`Code::StoreDamaged`] when an index is damaged, as for the next ones.
    pub fn block(&self, hash: &BlockHash) -> Result<Stored<Block>> {
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
        if let Err(why) = self.messages.decode(&record, |list| MessageList::parse(list).map(drop)) {
            return Ok(Stored::Malformed(why));
        }
        Ok(match (record.value, record.header.first_chunk()) {
            (Ok(list), Some(hash)) => {
                Stored::Found(StoredMessages { kept_with: BlockHash::new(*hash), list })
            }
            _ => Stored::Missing,
        })
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

    /// Reads the sorted part of every index, and tells where a node does not find what it holds.
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
    pub(super) fn block_and_level(&self, hash: &BlockHash) -> Result<(Stored<Block>, Option<i32>)> {
        let Some(record) = self.blocks.find(hash.as_bytes())? else { return Ok((Stored::Missing, None)) };
        let level = record.header.get(32..).and_then(|rest| rest.first_chunk().copied());
        let level = level.map(i32::from_be_bytes);
        let block = self.blocks.decode(&record, |body| records::block(&record.header, body));
        let block = match block {
            Ok(block) if block.hash == *hash => Stored::Found(block),
            Ok(block) => Stored::Malformed(alloc::format!("under its hash is block {}", block.hash)),
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
    fn told_by_messages(&self) -> Version {
        let Ok(Some(head)) = self.singletons.head() else { return Version::V4 };
        match self.messages(&head.inbox_witness) {
            Ok(Stored::Found(messages)) if messages.kept_with == head.hash => Version::V3,
            _ => Version::V4,
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

const fn shape(key: usize, value: usize, order: KeyOrder) -> Shape {
    Shape { key, value, order }
}

fn value<R: ReadAt, T>(
    table: &Table<R>,
    key: &[u8],
    decode: impl FnOnce(&[u8]) -> Result<T, Malformed>,
) -> Result<Stored<T>> {
    let Some(record) = table.find(key)? else { return Ok(Stored::Missing) };
    Ok(table.decode(&record, decode).map_or_else(Stored::Malformed, Stored::Found))
}
