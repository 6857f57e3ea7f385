//! What repairs of marks and levels read of a store: single rows, also such as are not what they should be.

use rollsnap_core::Result;
use rollsnap_core::chain::Block;
use rollsnap_core::hash::BlockHash;
use rollsnap_core::store::StateRow;

use super::problem::said;
use super::read::{Store, Typed};

impl Store {
    /// A row of `rollup_node_state`; `None` for one that holds something else than a text and a level.
    pub(crate) fn mark_row(&self, name: &'static str) -> Result<Option<StateRow>> {
        readable(self.state_row(name))
    }

    /// The block of a hash, if its row can be read.
    pub(crate) fn block_of(&self, hash: &BlockHash) -> Result<Option<Block>> {
        Ok(readable(self.block(hash))?.flatten())
    }

    /// The highest level below this one at which there are blocks.
    pub(crate) fn block_level_below(&self, level: i64) -> Result<Option<i64>> {
        let query = "SELECT max(level) FROM l2_blocks WHERE level < ?1";
        Ok(self.one("l2_blocks", query, [level], |row| row.opt_number(0, "level"))?.flatten())
    }

    /// The lowest level at which there are blocks.
    pub(crate) fn lowest_block_level(&self) -> Result<Option<i64>> {
        let query = "SELECT min(level) FROM l2_blocks";
        Ok(self.one("l2_blocks", query, [], |row| row.opt_number(0, "level"))?.flatten())
    }

    /// The blocks of a level that can be read, whichever chain they are of; of more than layer 1 ever had at one level the
    /// first ones.
    pub(crate) fn blocks_of_level(&self, level: i64) -> Result<Vec<Block>> {
        let query = "SELECT block_hash FROM l2_blocks WHERE level = ?1 ORDER BY block_hash LIMIT 100";
        let hashes = self.column("l2_blocks", query, level)?;
        let blocks = hashes.iter().filter_map(|hash| hash.as_deref()?.parse().ok());
        blocks.filter_map(|hash| self.block_of(&hash).transpose()).collect()
    }

    /// What the index of levels names at a level: the text that stands there, if it is one.
    pub(crate) fn level_row(&self, level: i32) -> Result<Option<Option<String>>> {
        let query = "SELECT block_hash FROM l2_levels WHERE level = ?1";
        self.one("l2_levels", query, [level], |row| Ok(readable(row.opt_text(0, "block_hash"))?.flatten()))
    }

    /// The rows of the index of levels above a level, the highest first.
    pub(crate) fn levels_above(
        &self,
        level: i32,
        each: &mut dyn FnMut(i64, Option<String>) -> Result<()>,
    ) -> Result<()> {
        let failed = |err| said("read the levels", self.path(), err);
        let query = "SELECT level, block_hash FROM l2_levels WHERE level > ?1 ORDER BY level DESC";
        let mut query = self.reading().prepare(query).map_err(failed)?;
        let mut rows = query.query([level]).map_err(failed)?;
        while let Some(row) = rows.next().map_err(failed)? {
            let row = Typed::of(row, "l2_levels", self.path());
            let level = row.opt_number(0, "level")?.unwrap_or(i64::MAX);
            each(level, readable(row.opt_text(1, "block_hash"))?.flatten())?;
        }
        Ok(())
    }

    /// Whether what hangs on a block is there: its messages, its inbox, and its commitment, if it has one.
    pub(crate) fn is_whole(&self, block: &Block) -> Result<bool> {
        let query = "SELECT EXISTS (SELECT 1 FROM messages AS m WHERE m.payload_hashes_hash = b.inbox_witness) \
                     AND EXISTS (SELECT 1 FROM inboxes AS i WHERE i.hash = b.inbox_hash) \
                     AND (b.commitment_hash IS NULL \
                          OR EXISTS (SELECT 1 FROM commitments AS c WHERE c.hash = b.commitment_hash)) \
                     FROM l2_blocks AS b WHERE b.block_hash = ?1";
        let whole =
            self.one("l2_blocks", query, [block.hash.to_string()], |row| row.opt_number(0, "level"))?;
        Ok(whole.flatten() == Some(1))
    }

    fn column(&self, table: &'static str, query: &str, level: i64) -> Result<Vec<Option<String>>> {
        let failed = |err| said(&format!("read table {table}"), self.path(), err);
        let mut query = self.reading().prepare_cached(query).map_err(failed)?;
        let mut rows = query.query([level]).map_err(failed)?;
        let mut found = Vec::new();
        while let Some(row) = rows.next().map_err(failed)? {
            let text = readable(Typed::of(row, table, self.path()).opt_text(0, "block_hash"))?;
            found.push(text.flatten());
        }
        Ok(found)
    }
}

/// What could be read; `None` for what the bytes do not give.
fn readable<T>(read: Result<T>) -> Result<Option<T>> {
    match read {
        Ok(value) => Ok(Some(value)),
        Err(problem) if problem.code().is_about_contents() => Ok(None),
        Err(problem) => Err(problem),
    }
}
