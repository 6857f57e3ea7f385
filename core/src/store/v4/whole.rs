//! Everything that a store holds, for whoever carries it elsewhere.

use alloc::vec::Vec;

use super::records::{self, BlockHeader, Published};
use super::store::Store;
use crate::chain::Stored;
use crate::encoding::Inbox;
use crate::hash::{BlockHash, CommitmentHash, InboxHash};
use crate::problem::Result;
use crate::read_at::ReadAt;

/// Bytes before the cell in the value of an inbox: its version, and its level.
const BEFORE_CELL: usize = 5;

/// Bytes of an offset, before the header in an index.
const OFFSET: usize = 8;

impl<R: ReadAt> Store<R> {
    /// The levels of the index of levels, ascending. Four bytes of memory each.
    ///
    /// # Errors
    /// [`Code::StoreDamaged`](crate::Code::StoreDamaged), and what the source reports, as for all of these.
    pub fn levels(&self) -> Result<Vec<i32>> {
        self.level_numbers()
    }

    /// Every block once, canonical or not, in no order.
    pub fn block_hashes(&self) -> impl Iterator<Item = Result<BlockHash>> + '_ {
        self.blocks
            .keys()
            .filter_map(|binding| first_of(binding).transpose())
            .map(|key| key.map(BlockHash::new))
    }

    /// What the index of blocks has of every block, once, in no order. An entry that stands under another key than its
    /// hash is left out: nobody finds it.
    pub fn block_headers(&self) -> impl Iterator<Item = Result<BlockHeader>> + '_ {
        self.blocks.keys().filter_map(|binding| {
            let (key, value) = match binding {
                Ok(binding) => binding,
                Err(problem) => return Some(Err(problem)),
            };
            let header = records::header(value.get(OFFSET..).unwrap_or_default()).ok()?;
            (header.block.hash.as_bytes()[..] == key[..]).then_some(Ok(header))
        })
    }

    /// Every commitment once, in no order.
    pub fn commitment_hashes(&self) -> impl Iterator<Item = Result<CommitmentHash>> + '_ {
        let keys = self.commitments.keys().filter_map(|binding| first_of(binding).transpose());
        keys.map(|key| key.map(CommitmentHash::new))
    }

    /// Every commitment with its publication, in no order.
    pub fn published_commitments(&self) -> impl Iterator<Item = Result<(CommitmentHash, Published)>> + '_ {
        self.published.keys().filter_map(|binding| {
            let (key, value) = match binding {
                Ok(binding) => binding,
                Err(problem) => return Some(Err(problem)),
            };
            // Both have fixed lengths.
            let key = key.first_chunk().copied()?;
            Some(Ok((CommitmentHash::new(key), records::published(&value).ok()?)))
        })
    }

    /// The inbox of a hash, and the bytes of its newest cell.
    pub fn inbox_with_cell(&self, hash: &InboxHash) -> Result<Stored<(Inbox, Vec<u8>)>> {
        let Some(mut record) = self.inboxes.find(hash.as_bytes())? else { return Ok(Stored::Missing) };
        Ok(match self.inboxes.decode(&record, records::inbox) {
            Ok(inbox) => {
                let cell = record.value.as_mut().map(|value| value.split_off(BEFORE_CELL.min(value.len())));
                Stored::Found((inbox, cell.unwrap_or_default()))
            }
            Err(why) => Stored::Malformed(why),
        })
    }
}

fn first_of(binding: Result<(Vec<u8>, Vec<u8>)>) -> Result<Option<[u8; 32]>> {
    binding.map(|(key, _)| key.first_chunk().copied())
}
