//! What the values of the branch are: for each block the slots that were published at it
//! (`dal/slot_headers/BLOCK`), and in older stores which of them were confirmed
//! (`dal/slots_statuses/BLOCK`).

use alloc::string::String;
use alloc::vec::Vec;

use super::IrminStore;
use crate::context::path;
use crate::encoding::Malformed;
use crate::encoding::primitive::{bytes, end, int32, prefixed};
use crate::hash::{BlockHash, SlotCommitment};
use crate::members::IRMIN_STORE;
use crate::problem::{Problem, Result};
use crate::read_at::Files;

/// Something about a slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Slot {
    /// It was published.
    Header {
        /// The block that tells.
        block: BlockHash,
        /// Number of the slot.
        index: u8,
        /// The level at which it was published.
        published_level: i32,
        /// The commitment to its content.
        commitment: SlotCommitment,
    },
    /// Layer 1 has confirmed it, or not.
    Status {
        /// The block that tells.
        block: BlockHash,
        /// Number of the slot.
        index: u8,
        /// Whether it was confirmed.
        confirmed: bool,
    },
    /// A value of another name, which no node of version 4 reads.
    Other(String),
}

impl<F: Files> IrminStore<F> {
    /// Every slot that the branch knows, block after block, in no order.
    ///
    /// # Errors
    /// As [`IrminStore::values`], and [`Code::StoreDamaged`](crate::Code::StoreDamaged) for a value that cannot be
    /// decoded.
    pub fn slots(&self, each: &mut dyn FnMut(Slot) -> Result<()>) -> Result<()> {
        self.values(&mut |names, value| {
            let kind = match names {
                [dal, kind, _] if dal == b"dal" && kind == b"slot_headers" => Some(headers as Decode),
                [dal, kind, _] if dal == b"dal" && kind == b"slots_statuses" => Some(statuses as Decode),
                _ => None,
            };
            let (Some(decode), Some(block)) = (kind, names.last()) else {
                return each(Slot::Other(path::show(names)));
            };
            let wrong = |why: Malformed| {
                let place = alloc::format!("{IRMIN_STORE}, {}", path::show(names));
                Problem::damaged_store(
                    &place,
                    &alloc::format!("the slots of a block cannot be decoded: {why}"),
                )
            };
            let text = str::from_utf8(block).ok();
            let block = text.and_then(|text| text.parse().ok()).ok_or(Malformed("it is named by no block"));
            for slot in block.and_then(|block| decode(block, value)).map_err(wrong)? {
                each(slot)?;
            }
            Ok(())
        })
    }
}

type Decode = fn(BlockHash, &[u8]) -> Result<Vec<Slot>, Malformed>;

/// `length of all (4) ‖ (index (1) ‖ 00 ‖ published level (4) ‖ index (1) ‖ commitment (48))*`
fn headers(block: BlockHash, mut input: &[u8]) -> Result<Vec<Slot>, Malformed> {
    let mut list = prefixed(&mut input)?;
    end(input)?;
    let mut slots = Vec::new();
    while !list.is_empty() {
        let [key, version] = bytes(&mut list)?;
        let published_level = int32(&mut list)?;
        let [index] = bytes(&mut list)?;
        let commitment = SlotCommitment::new(bytes(&mut list)?);
        if version != 0 {
            return Err(Malformed("the version of a slot header is not 0"));
        }
        if key != index {
            return Err(Malformed("a slot is under the number of another"));
        }
        slots.push(Slot::Header { block, index, published_level, commitment });
    }
    Ok(slots)
}

/// `length of all (4) ‖ (index (1) ‖ 00 for confirmed, 01 for not)*`
fn statuses(block: BlockHash, mut input: &[u8]) -> Result<Vec<Slot>, Malformed> {
    let mut list = prefixed(&mut input)?;
    end(input)?;
    let mut slots = Vec::new();
    while !list.is_empty() {
        let [index, status] = bytes(&mut list)?;
        let confirmed = match status {
            0 => true,
            1 => false,
            _ => return Err(Malformed("a slot is neither confirmed nor unconfirmed")),
        };
        slots.push(Slot::Status { block, index, confirmed });
    }
    Ok(slots)
}
