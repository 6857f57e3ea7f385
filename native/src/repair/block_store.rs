//! What the repairs of a chain read of a store, of whichever version it is.

use rollsnap_core::chain::Block;
use rollsnap_core::hash::{BlockHash, CommitmentHash};
use rollsnap_core::store::shortened;
use rollsnap_core::{Feedback, HistoryMode, Result};

use super::filed::Filed;
use super::known::Row;
use crate::store::{AnyStore, Store};

/// A mark of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MarkName {
    Head,
    Finalized,
    Lcc,
    Lpc,
}

impl MarkName {
    pub(super) const ALL: [Self; 4] = [Self::Head, Self::Finalized, Self::Lcc, Self::Lpc];

    /// Its row in a store of version 5.
    pub(super) const fn row(self) -> &'static str {
        match self {
            Self::Head => "l2_head",
            Self::Finalized => "finalized_level",
            Self::Lcc => "lcc",
            Self::Lpc => "lpc",
        }
    }

    /// Its file in older stores.
    pub(super) const fn file(self) -> &'static str {
        match self {
            Self::Finalized => "last_finalized_level",
            other => other.row(),
        }
    }
}

/// A store whose blocks are looked at one by one, also such as are not what they should be.
pub(super) trait BlockStore {
    /// Whether it lies in files, as before version 5: its finalized block is marked by the level alone.
    fn is_in_files(&self) -> bool;

    /// Whether it is an archive, which forgets nothing.
    fn is_archive(&self) -> Result<bool>;

    /// What stands in the place of a mark.
    fn mark(&self, name: MarkName) -> Result<Row>;

    /// The block of a hash, if it can be read.
    fn block_of(&self, hash: &BlockHash) -> Result<Option<Block>>;

    /// The lowest level at which there are blocks.
    fn lowest_block_level(&self) -> Result<Option<i64>>;

    /// The highest level below this one at which there are blocks.
    fn block_level_below(&self, level: i64) -> Result<Option<i64>>;

    /// The blocks of a level that can be read, whichever chain they are of.
    fn blocks_of_level(&self, level: i64) -> Result<Vec<Block>>;

    /// What the index of levels names at a level: the text that stands there, if it is one.
    fn level_row(&self, level: i32) -> Result<Option<Option<String>>>;

    /// The entries of the index of levels above a level, the highest first.
    fn levels_above(&self, level: i32, each: &mut dyn FnMut(i64, Option<String>) -> Result<()>)
    -> Result<()>;

    /// Whether what hangs on a block is there: its messages, its inbox, and its commitment, if it has one.
    fn is_whole(&self, block: &Block) -> Result<bool>;

    /// The inbox level of a commitment, if the store has it.
    fn commitment_level(&self, hash: &CommitmentHash) -> Result<Option<i32>>;
}

/// The store, whichever it is.
///
/// # Errors
/// What reading its blocks says; [`rollsnap_core::Code::LimitMemory`] for more of them than may be kept.
pub(super) fn block_store<'s>(
    store: &'s AnyStore,
    feedback: &dyn Feedback,
) -> Result<Box<dyn BlockStore + 's>> {
    Ok(match store {
        AnyStore::Database(store) => Box::new(store),
        AnyStore::Files(store) => Box::new(Filed::new(store, feedback)?),
    })
}

impl BlockStore for &Store {
    fn is_in_files(&self) -> bool {
        false
    }

    fn is_archive(&self) -> Result<bool> {
        let mode = self.mark_row("history_mode")?.and_then(|(mode, _)| mode);
        Ok(mode.is_some_and(|mode| HistoryMode::from_name(&mode) == Some(HistoryMode::Archive)))
    }

    fn mark(&self, name: MarkName) -> Result<Row> {
        Ok(match self.mark_row(name.row())? {
            Some((None, None)) => Row::Missing,
            Some((Some(hash), Some(level))) => Row::Found(shortened(&hash), level),
            Some((text, _)) => {
                Row::Malformed(text.map_or_else(|| "a level alone".into(), |text| shortened(&text)))
            }
            None => Row::Malformed("neither a text nor a level".into()),
        })
    }

    fn block_of(&self, hash: &BlockHash) -> Result<Option<Block>> {
        Store::block_of(self, hash)
    }

    fn lowest_block_level(&self) -> Result<Option<i64>> {
        Store::lowest_block_level(self)
    }

    fn block_level_below(&self, level: i64) -> Result<Option<i64>> {
        Store::block_level_below(self, level)
    }

    fn blocks_of_level(&self, level: i64) -> Result<Vec<Block>> {
        Store::blocks_of_level(self, level)
    }

    fn level_row(&self, level: i32) -> Result<Option<Option<String>>> {
        Store::level_row(self, level)
    }

    fn levels_above(
        &self,
        level: i32,
        each: &mut dyn FnMut(i64, Option<String>) -> Result<()>,
    ) -> Result<()> {
        Store::levels_above(self, level, each)
    }

    fn is_whole(&self, block: &Block) -> Result<bool> {
        Store::is_whole(self, block)
    }

    fn commitment_level(&self, hash: &CommitmentHash) -> Result<Option<i32>> {
        Store::commitment_level(self, hash)
    }
}
