//! Blocks one by one, with all that a store records of what their evaluation came to: for a replay.

use rollsnap_core::chain::{Entry, Messages, Stored};
use rollsnap_core::encoding::MessageList;
use rollsnap_core::hash::{BlockHash, CommitmentHash};
use rollsnap_core::replay::{Outbox, Recorded};
use rollsnap_core::store::Decoder;
use rollsnap_core::store::v4::{self, StoredMessages};
use rollsnap_core::{Code, Place, Problem, Result};

use super::any::AnyStore;
use super::batch::{Batch, select};
use super::problem::said;
use super::read::Store;
use crate::files::Part;

/// Longest status that is read, in bytes: as long as nodes may write it.
const MAX_STATUS: usize = 4096;

/// Looks the blocks of a store up, each with what hangs on it.
pub struct Records<'s> {
    store: Source<'s>,
}

enum Source<'s> {
    Database(Box<OfDatabase<'s>>),
    Files(OfFiles<'s>),
}

struct OfDatabase<'s> {
    store: &'s Store,
    query: String,
    has_state_hash: bool,
    /// The lowest level of which an outbox is recorded.
    first_outbox: Option<i32>,
    batch: Batch,
    decoder: Decoder,
}

struct OfFiles<'s> {
    store: &'s v4::Store<Part>,
    /// Those of the block that was looked up last.
    messages: Stored<StoredMessages>,
}

impl<'s> Records<'s> {
    /// Those of a store.
    ///
    /// # Errors
    /// [`Code::StoreDamaged`], any `io.*` code.
    pub fn new(store: &'s AnyStore) -> Result<Self> {
        Ok(Self {
            store: match store {
                AnyStore::Database(store) => Source::Database(Box::new(OfDatabase::new(store)?)),
                AnyStore::Files(store) => Source::Files(OfFiles { store, messages: Stored::Missing }),
            },
        })
    }

    /// How many bytes of the database may be kept in memory; at first it is 2 MiB.
    ///
    /// # Errors
    /// [`Code::StoreDamaged`], any `io.*` code.
    pub fn keep_pages(&mut self, bytes: u64) -> Result<()> {
        let Source::Database(of) = &self.store else { return Ok(()) };
        let kibibytes = i64::try_from(bytes >> 10).unwrap_or(i64::MAX);
        let kept = of.store.reading().pragma_update(None, "cache_size", -kibibytes);
        kept.map_err(|err| said("keep pages of it", of.store.path(), err))
    }

    /// The block that the index of levels names at a level.
    ///
    /// # Errors
    /// [`Code::ChainBlock`] without one; [`Code::StoreValue`], [`Code::LevelsChain`] for one that cannot be that;
    /// [`Code::StoreDamaged`], [`Code::MessagesWork`], any `io.*` code.
    pub fn at(&mut self, level: i32) -> Result<Recorded<'_>> {
        match &mut self.store {
            Source::Database(store) => store.at(level),
            Source::Files(store) => store.at(level),
        }
    }
}

impl Records<'_> {
    /// The ticks at which the block at a level begins and ends, as the store records them; `None` where it does not. For
    /// an estimate of what a replay takes.
    ///
    /// # Errors
    /// [`Code::StoreDamaged`], any `io.*` code.
    pub fn ticks(&mut self, level: i32) -> Result<Option<(u128, u128)>> {
        match &mut self.store {
            Source::Database(store) => store.ticks(level),
            Source::Files(files) => {
                let Some(hash) = files.store.hash_at(level)? else { return Ok(None) };
                let Stored::Found((_, evaluation)) = files.store.block(&hash)? else { return Ok(None) };
                Ok(evaluation.final_tick().map(|end| (evaluation.initial_tick, end)))
            }
        }
    }
}

impl<'s> OfDatabase<'s> {
    fn new(store: &'s Store) -> Result<Self> {
        let has_state_hash = store.has_state_hash()?;
        let condition = "WHERE b.block_hash = (SELECT block_hash FROM l2_levels WHERE level = ?1)";
        let query = format!("{} {condition}", select(has_state_hash));
        let first = "SELECT min(outbox_level) FROM outbox_messages";
        let first_outbox =
            store.one("outbox_messages", first, [], |row| row.opt_level(0, "outbox_level"))?.flatten();
        let (batch, decoder) = (Batch::default(), Decoder::default());
        Ok(Self { store, query, has_state_hash, first_outbox, batch, decoder })
    }

    fn at(&mut self, level: i32) -> Result<Recorded<'_>> {
        let failed = |err| said("read a block", self.store.path(), err);
        self.batch.clear();
        {
            let mut query = self.store.reading().prepare_cached(&self.query).map_err(failed)?;
            let mut rows = query.query([level]).map_err(failed)?;
            if let Some(row) = rows.next().map_err(failed)? {
                self.batch.push(row);
            }
        }
        if self.batch.len() == 0 {
            return Err(at(Code::ChainBlock, level));
        }
        let (outbox, status) = (self.outbox(level)?, self.status(level)?);
        let found = self.decoder.read(&self.batch.raw(0))?;
        let entry = checked(found.entry, level)?;
        let previous_tick = match &entry.block.commitment {
            Some(_) => previous_tick(self.store, &entry.block.previous_commitment)?,
            None => None,
        };
        Ok(Recorded { entry, previous_tick, status, outbox })
    }

    fn ticks(&self, level: i32) -> Result<Option<(u128, u128)>> {
        let query = "SELECT level, initial_tick, num_ticks FROM l2_blocks \
                     WHERE block_hash = (SELECT block_hash FROM l2_levels WHERE level = ?1)";
        let ticks = self.store.one("l2_blocks", query, [level], |row| {
            Ok((row.opt_text(1, "initial_tick")?, row.opt_number(2, "num_ticks")?))
        })?;
        Ok(ticks.and_then(|(initial, ticks)| {
            let initial: u128 = initial?.parse().ok()?;
            Some((initial, initial.checked_add_signed(ticks?.into())?))
        }))
    }

    fn outbox(&self, level: i32) -> Result<Outbox> {
        let query = "SELECT messages FROM outbox_messages WHERE outbox_level = ?1";
        let row =
            self.store.one("outbox_messages", query, [level], |row| row.opt_text(0, "messages"))?.flatten();
        match row {
            Some(bits) => Ok(Outbox::Messages(bits)),
            // Older nodes recorded none, and a converted store has those of later levels only.
            None if self.first_outbox.is_none_or(|first| level < first) => Ok(Outbox::NotRecorded),
            None => Ok(Outbox::Nothing),
        }
    }

    fn status(&self, level: i32) -> Result<Option<Vec<u8>>> {
        if !self.has_state_hash {
            return Ok(None);
        }
        let query = "SELECT pvm_status FROM l2_blocks \
                     WHERE block_hash = (SELECT block_hash FROM l2_levels WHERE level = ?1)";
        let failed = |err| said("read the status of a block", self.store.path(), err);
        let mut query = self.store.reading().prepare_cached(query).map_err(failed)?;
        let mut rows = query.query([level]).map_err(failed)?;
        let Some(row) = rows.next().map_err(failed)? else { return Ok(None) };
        match row.get_ref(0).map_err(failed)? {
            rusqlite::types::ValueRef::Null => Ok(None),
            rusqlite::types::ValueRef::Blob(bytes) if (1..=MAX_STATUS).contains(&bytes.len()) => {
                Ok(Some(bytes.to_vec()))
            }
            other => Err(at(Code::StoreValue, level).expected("pvm_status: a tag, or a text").found(
                match other.as_blob() {
                    Ok(bytes) => format!("{} bytes", bytes.len()),
                    Err(_) => other.data_type().to_string(),
                },
            )),
        }
    }
}

/// The tick at which the block of a commitment ends, as far as the store has it.
fn previous_tick(store: &Store, commitment: &CommitmentHash) -> Result<Option<u128>> {
    let query = "SELECT b.level, b.initial_tick, b.num_ticks FROM commitments AS c \
                 JOIN l2_levels AS l ON l.level = c.inbox_level \
                 JOIN l2_blocks AS b ON b.block_hash = l.block_hash WHERE c.hash = ?1";
    let ticks = store.one("l2_blocks", query, [commitment.to_string()], |row| {
        Ok((row.opt_text(1, "initial_tick")?, row.opt_number(2, "num_ticks")?))
    })?;
    Ok(ticks.and_then(|(initial, ticks)| {
        let initial: u128 = initial?.parse().ok()?;
        initial.checked_add_signed(ticks?.into())
    }))
}

impl OfFiles<'_> {
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

    fn tick_of(&self, commitment: &CommitmentHash) -> Result<Option<u128>> {
        let Stored::Found(content) = self.store.commitment(commitment)? else { return Ok(None) };
        let Some(hash) = self.store.hash_at(content.inbox_level)? else { return Ok(None) };
        match self.store.block(&hash)? {
            Stored::Found((_, evaluation)) => Ok(evaluation.final_tick()),
            _ => Ok(None),
        }
    }
}

fn checked(entry: Stored<Entry<'_>>, level: i32) -> Result<Entry<'_>> {
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

impl std::fmt::Debug for Records<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Records").finish_non_exhaustive()
    }
}
