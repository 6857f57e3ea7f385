//! Blocks one by one, with all that a store records of what their evaluation came to: for a replay.

use rollsnap_core::hash::CommitmentHash;
use rollsnap_core::replay::{Blocks, OfFiles, Outbox, Recorded, checked};
use rollsnap_core::store::Decoder;
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
    Files(OfFiles<'s, Part>),
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

impl<'s> Records<'s> {
    /// Those of a store.
    ///
    /// # Errors
    /// [`Code::StoreDamaged`], any `io.*` code.
    pub fn new(store: &'s AnyStore) -> Result<Self> {
        Ok(Self {
            store: match store {
                AnyStore::Database(store) => Source::Database(Box::new(OfDatabase::new(store)?)),
                AnyStore::Files(store) => Source::Files(OfFiles::new(store)),
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
}

impl Blocks for Records<'_> {
    fn at(&mut self, level: i32) -> Result<Recorded<'_>> {
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
            Source::Database(store) => store.store.ticks(level),
            Source::Files(files) => files.ticks(level),
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

    fn outbox(&self, level: i32) -> Result<Outbox> {
        let row = self.store.outbox(level)?;
        Ok(row.map_or_else(|| Outbox::absent(level, self.first_outbox), |row| Outbox::Messages(row.messages)))
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

fn at(code: Code, level: i32) -> Problem {
    Problem::new(code).at(Place::Level(level))
}

impl std::fmt::Debug for Records<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Records").finish_non_exhaustive()
    }
}
