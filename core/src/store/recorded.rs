//! What a database records of the evaluation of a block beside its row: for a replay.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::v4::Protocol;
use super::{Rows, Store};
use crate::code::Code;
use crate::hash::{BlockHash, CommitmentHash};
use crate::problem::{Place, Problem, Result};
use crate::read_at::ReadAt;
use crate::sqlite::Value;

/// Longest status that is read, in bytes: as long as nodes may write it.
const MAX_STATUS: usize = 4096;

/// Most protocols that are read: there were some twenty in eight years.
const MAX_PROTOCOLS: usize = 4096;

impl<R: ReadAt> Store<'_, R> {
    /// The protocols that the node has met, the newest first.
    ///
    /// # Errors
    /// [`Code::StoreValue`], [`Code::StoreDamaged`].
    pub fn protocols(&self) -> Result<Vec<Protocol>> {
        let mut protocols = Vec::new();
        for row in self.table("protocols")?.scan()? {
            let row = row?;
            let activates = row.get::<i64>("first_is_activation")? != 0;
            let row = self.cells(&row, "protocols");
            protocols.push(Protocol {
                level: row.level("first_level")?,
                activates,
                proto_level: row.level("proto_level")?,
                hash: row.hash("hash")?,
            });
            if protocols.len() > MAX_PROTOCOLS {
                return Err(Problem::damaged_store(self.path, "it names thousands of protocols"));
            }
        }
        protocols.sort_by_key(|protocol| core::cmp::Reverse((protocol.level, protocol.proto_level)));
        Ok(protocols)
    }

    /// Whether a slot of the data availability layer is recorded as attested, at the block that settled that; `None` where
    /// nothing is recorded.
    ///
    /// # Errors
    /// [`Code::StoreDamaged`].
    pub fn is_attested(&self, block: &BlockHash, slot: u8) -> Result<Option<bool>> {
        let table = self.table("dal_slots_statuses")?;
        for row in table.find("block_hash", Value::Text(&block.to_string()))? {
            let row = row?;
            if row.get::<i64>("slot_index")? == i64::from(slot) {
                return Ok(Some(row.get::<i64>("attested")? != 0));
            }
        }
        Ok(None)
    }

    /// The lowest level of which an outbox is recorded.
    ///
    /// # Errors
    /// [`Code::StoreDamaged`].
    pub fn first_outbox(&self) -> Result<Option<i32>> {
        // Its key is the number of the row.
        let table = self.table("outbox_messages")?;
        let Some(row) = table.scan()?.next() else { return Ok(None) };
        self.cells(&row?, "outbox_messages").opt_level("outbox_level")
    }

    /// The messages of the outbox of a level: a set of bits as a decimal number.
    ///
    /// # Errors
    /// [`Code::StoreValue`], [`Code::StoreDamaged`].
    pub fn outbox(&self, level: i32) -> Result<Option<String>> {
        let table = self.table("outbox_messages")?;
        let Some(row) = table.find_one("outbox_level", Value::Integer(level.into()))? else {
            return Ok(None);
        };
        Ok(self.cells(&row, "outbox_messages").opt_text("messages")?.map(ToString::to_string))
    }

    /// What the machine does after a block at a level, in bytes; `None` where that is not recorded.
    ///
    /// # Errors
    /// [`Code::StoreValue`], [`Code::StoreDamaged`].
    pub fn status(&self, block: &BlockHash, level: i32) -> Result<Option<Vec<u8>>> {
        if !self.has_state_hash {
            return Ok(None);
        }
        let table = self.table("l2_blocks")?;
        let Some(row) = table.find_one("block_hash", Value::Text(&block.to_string()))? else {
            return Ok(None);
        };
        match row.get("pvm_status")? {
            Value::Null => Ok(None),
            Value::Blob(bytes) if (1..=MAX_STATUS).contains(&bytes.len()) => Ok(Some(bytes.to_vec())),
            _ => Err(Problem::new(Code::StoreValue)
                .at(Place::Level(level))
                .expected("pvm_status: a tag, or a text")
                .found("something else")),
        }
    }

    /// The tick at which the block of a commitment ends, as far as the store has it.
    ///
    /// # Errors
    /// [`Code::StoreValue`], [`Code::StoreDamaged`].
    pub fn final_tick_of(&self, commitment: &CommitmentHash) -> Result<Option<u128>> {
        let commitments = self.table("commitments")?;
        let Some(row) = commitments.find_one("hash", Value::Text(&commitment.to_string()))? else {
            return Ok(None);
        };
        let level = self.cells(&row, "commitments").level("inbox_level")?;
        let Some(block) = self.block_at(level)? else { return Ok(None) };
        let blocks = self.table("l2_blocks")?;
        let Some(row) = blocks.find_one("block_hash", Value::Text(&block.hash.to_string()))? else {
            return Ok(None);
        };
        let ticks = row.get::<Option<i64>>("num_ticks")?;
        let begin = self
            .cells(&row, "l2_blocks")
            .opt_text("initial_tick")?
            .and_then(|text| text.parse::<u128>().ok());
        Ok(begin.zip(ticks).and_then(|(begin, ticks)| begin.checked_add_signed(ticks.into())))
    }
}
