//! What is known of every object that was met: where it is, what it is, the hash that it says it
//! has, and for parts of directories the facts by which their parents are judged.
//!
//! Objects come part by part and ascending in each, and are kept in [blocks](block). An object takes
//! 36 bytes, a part of a directory 52. What does not fit into the memory that is meant for it goes to
//! temporary space, block by block, and comes back when something in it is asked for. Writers put
//! children shortly before their parents, so most of what is asked for is still there.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::super::pack::{Hash, Kind};
use super::block::{Block, Slot};
use super::outside::{Outside, Seen};
use super::shape::Facts;
use crate::problem::{Problem, Result};
use crate::scratch::Scratch;

/// Number of the slot of a block that is not in memory.
const AWAY: u32 = u32::MAX;

/// A block that was asked for stays at least as long as so many objects are checked.
const PINNED: u32 = 2;

/// Objects known so far.
#[derive(Debug)]
pub(super) struct Table {
    parts: Vec<Directory>,
    slots: Vec<Slot>,
    /// Slots without a block.
    free: Vec<u32>,
    /// Bytes of memory that the slots take.
    resident: u64,
    /// Bytes that all objects take, wherever they are.
    bytes: u64,
    /// How many blocks the parts have.
    blocks: usize,
    /// Temporary space, and how many bytes of memory are meant for blocks.
    room: Option<(Box<dyn Scratch>, u64)>,
    /// Where the next block goes in temporary space.
    end: u64,
    buffer: Vec<u8>,
    /// The slot that is looked at next when room is needed.
    hand: usize,
    /// How many objects were checked, in order to tell which blocks are in use.
    now: u32,
    /// Why temporary space cannot be used. Nothing that was found after that counts.
    failed: Option<Problem>,
    /// What is not walked through, and was looked at because something refers to it.
    outside: Outside,
}

/// Where an object is: the number of a part of the table, and its position in that file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Spot {
    pub(super) part: u32,
    pub(super) position: u64,
}

/// An object of the table, until the next but one [`Table::rest`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Object {
    /// The slot of its block; [`AWAY`] for what is not walked through.
    slot: u32,
    /// Its number in the block, or among those that are not walked through.
    index: u32,
    /// The number of its facts in the block.
    facts: u16,
    pub(super) kind: Kind,
}

/// Remarks on an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub(super) enum Flag {
    /// It was checked, as far as it could be.
    Checked = 1 << 12,
    /// There is a `pvm_state` in it.
    State = 1 << 13,
    /// Something below it is missing, so that it could not be checked.
    Broken = 1 << 14,
    /// Something refers to it.
    Used = 1 << 15,
}

/// The blocks of a part.
#[derive(Debug, Default)]
struct Directory {
    blocks: Vec<Place>,
    /// The block where something was found last: the next thing is mostly near.
    recent: usize,
    last: Option<u64>,
}

/// Where a block is.
#[derive(Clone, Copy, Debug)]
struct Place {
    block: Block,
    /// Where in temporary space; only what has been there has a place.
    stored: Option<core::num::NonZeroU64>,
    /// In memory, or [`AWAY`].
    slot: u32,
}

impl Default for Table {
    fn default() -> Self {
        Self {
            parts: Vec::new(),
            slots: Vec::new(),
            free: Vec::new(),
            resident: 0,
            bytes: 0,
            blocks: 0,
            room: None,
            // No block is stored at 0.
            end: 1,
            buffer: Vec::new(),
            hand: 0,
            now: 0,
            failed: None,
            outside: Outside::default(),
        }
    }
}

impl Table {
    /// Blocks that take more memory than this, in bytes, go to temporary space.
    pub(super) fn spill(&mut self, scratch: Box<dyn Scratch>, most: u64) {
        self.room = Some((scratch, most));
    }

    /// From now on so many bytes of memory are meant for blocks.
    pub(super) fn keep(&mut self, most: u64) {
        if let Some((_, kept)) = &mut self.room {
            *kept = most;
        }
    }

    /// A new part; gives its number.
    pub(super) fn part(&mut self) -> u32 {
        self.parts.push(Directory::default());
        (self.parts.len() - 1) as u32
    }

    /// Adds an object behind the others of its part. `None` when it is not behind them.
    pub(super) fn push(&mut self, spot: Spot, kind: Kind, hash: &Hash) -> Option<Object> {
        let Spot { part, position } = spot;
        let directory = self.parts.get(part as usize)?;
        if directory.last.is_some_and(|last| position <= last) {
            return None;
        }
        // What was in temporary space once has its size for good.
        let open =
            directory.blocks.last().filter(|place| place.stored.is_none() && place.block.takes(position));
        let number = match open {
            Some(place) => place.slot,
            None => self.begin(part, position)?,
        };
        let directory = self.parts.get_mut(part as usize)?;
        directory.last = Some(position);
        let place = directory.blocks.last_mut()?;
        let slot = self.slots.get_mut(number as usize)?;
        let before = slot.memory();
        let (index, facts) = slot.push(&mut place.block, position, kind, hash);
        self.resident = self.resident + slot.memory() - before;
        self.bytes += Slot::taken(kind);
        slot.touched = self.now;
        Some(Object { slot: number, index, facts, kind })
    }

    /// The object that begins at this spot.
    pub(super) fn find(&mut self, spot: Spot) -> Option<Object> {
        self.walked(spot).or_else(|| {
            let (number, kind) = self.outside.find(spot)?;
            Some(Object { slot: AWAY, index: number, facts: 0, kind })
        })
    }

    /// Adds an object that is not walked through.
    pub(super) fn add_outside(&mut self, spot: Spot, seen: Seen) {
        self.outside.add(spot, seen);
    }

    /// Where the objects are that are not walked through, ascending.
    pub(super) fn outside(&self) -> impl Iterator<Item = Spot> {
        self.outside.spots()
    }

    /// The hash that an object says it has.
    pub(super) fn hash(&self, object: Object) -> &Hash {
        let hash = match object.slot {
            AWAY => self.outside.get(object.index).map(|seen| &seen.hash),
            slot => self.slots.get(slot as usize).and_then(|slot| slot.hash(object.index)),
        };
        hash.unwrap_or(&[0; 32])
    }

    /// The facts of a part of a directory; pending for anything else.
    pub(super) fn facts(&self, object: Object) -> Facts {
        let facts = match object.slot {
            AWAY => self.outside.get(object.index).map(|seen| seen.facts),
            _ if object.kind != Kind::Inner => None,
            slot => self.slots.get(slot as usize).and_then(|slot| slot.facts(object.facts)),
        };
        facts.unwrap_or(Facts::PENDING)
    }

    /// Tells the facts of a part of a directory.
    pub(super) fn set_facts(&mut self, object: Object, facts: Facts) {
        if object.kind == Kind::Inner
            && let Some(slot) = self.slots.get_mut(object.slot as usize)
        {
            slot.set_facts(object.facts, facts);
        }
    }

    /// Puts a remark on an object.
    pub(super) fn set(&mut self, object: Object, flag: Flag) {
        if let Some(slot) = self.slots.get_mut(object.slot as usize) {
            slot.set(object.index, flag as u16);
        }
    }

    /// Whether an object has a remark.
    pub(super) fn has(&self, object: Object, flag: Flag) -> bool {
        if object.slot == AWAY {
            let seen = self.outside.get(object.index);
            return seen
                .is_some_and(|seen| flag == Flag::Checked || flag == Flag::State && seen.state.is_some());
        }
        self.slots.get(object.slot as usize).is_some_and(|slot| slot.meta(object.index) & flag as u16 != 0)
    }

    /// Gives the objects of a part, ascending, to `each`: position and kind.
    ///
    /// # Errors
    /// What temporary space and `each` report.
    pub(super) fn each(&mut self, part: u32, mut each: impl FnMut(u64, Kind) -> Result<()>) -> Result<()> {
        let blocks = self.parts.get(part as usize).map_or(0, |part| part.blocks.len());
        for number in 0..blocks {
            let place = self.parts.get(part as usize).and_then(|part| part.blocks.get(number));
            let Some(Place { block, stored, slot }) = place.copied() else { continue };
            if let Some(slot) = self.slots.get(slot as usize) {
                slot.each(&block, &mut each)?;
            } else if let (Some(stored), Some((scratch, _))) = (stored, &mut self.room) {
                self.buffer.resize(block.index_len(), 0);
                scratch.read_at(stored.get(), &mut self.buffer)?;
                block.each(&self.buffer, &mut each)?;
            }
        }
        Ok(())
    }

    /// An object was checked: what takes too much memory goes to temporary space, but for what the last objects
    /// asked for.
    pub(super) fn rest(&mut self) {
        self.now = self.now.wrapping_add(1);
        let Some((_, most)) = &self.room else { return };
        let most = *most;
        // Twice around: at first all may have been asked for since the hand came by.
        let mut left = 2 * self.slots.len();
        while self.resident > most && left > 0 && self.failed.is_none() {
            left -= 1;
            self.hand = if self.hand + 1 < self.slots.len() { self.hand + 1 } else { 0 };
            let Some(slot) = self.slots.get_mut(self.hand) else { return };
            let recent = self.now.wrapping_sub(slot.touched) < PINNED;
            if slot.is_free() || recent || core::mem::take(&mut slot.wanted) {
                continue;
            }
            if let Err(problem) = self.put_away(self.hand as u32) {
                self.failed = Some(problem);
            }
        }
    }

    /// Whether temporary space could be used so far.
    ///
    /// # Errors
    /// What it reported. Nothing that was found after that counts.
    pub(super) fn check(&self) -> Result<()> {
        self.failed.clone().map_or(Ok(()), Err)
    }

    /// Bytes that the objects take, in memory or in temporary space; what is set aside for more is not counted. This
    /// can be asked for at any time.
    pub(super) fn taken(&self) -> u64 {
        self.bytes + self.around()
    }

    /// Bytes of memory that the objects take, without those in temporary space. This can be asked for at any time.
    pub(super) fn resident(&self) -> u64 {
        let blocks = if self.room.is_some() { self.resident } else { self.bytes };
        blocks + self.around()
    }

    /// What is always in memory.
    pub(super) fn around(&self) -> u64 {
        (self.blocks * size_of::<Place>()) as u64 + self.outside.taken()
    }

    /// Memory taken, in bytes.
    pub(super) fn memory(&self) -> usize {
        let places: usize = self.parts.iter().map(|part| part.blocks.capacity() * size_of::<Place>()).sum();
        places + self.resident as usize + self.slots.capacity() * size_of::<Slot>()
    }

    /// Bytes of temporary space.
    pub(super) fn spilled(&self) -> u64 {
        self.end - 1
    }

    fn walked(&mut self, spot: Spot) -> Option<Object> {
        let number = self.parts.get_mut(spot.part as usize)?.find(spot.position)?;
        let place = self.parts.get(spot.part as usize)?.blocks.get(number)?;
        let (block, mut slot) = (place.block, place.slot);
        let within = u16::try_from(spot.position - block.start).ok()?;
        if slot == AWAY {
            slot = match self.bring_back(spot.part, number) {
                Ok(slot) => slot?,
                Err(problem) => {
                    self.failed.get_or_insert(problem);
                    return None;
                }
            };
        }
        let found = self.slots.get_mut(slot as usize)?;
        (found.touched, found.wanted) = (self.now, true);
        let (index, facts, kind) = found.find(within)?;
        Some(Object { slot, index, facts, kind })
    }

    /// A new block at the end of a part; gives its slot.
    fn begin(&mut self, part: u32, start: u64) -> Option<u32> {
        let directory = self.parts.get(part as usize)?;
        // The one before is whole now.
        if let Some(slot) = directory.blocks.last().and_then(|place| self.slots.get_mut(place.slot as usize))
        {
            self.resident -= slot.shrink();
        }
        let slot = self.slot(part, directory.blocks.len())?;
        let place = Place { block: Block::at(start), stored: None, slot };
        self.parts.get_mut(part as usize)?.blocks.push(place);
        self.blocks += 1;
        Some(slot)
    }

    /// An empty slot for a block.
    fn slot(&mut self, part: u32, block: usize) -> Option<u32> {
        let number = match self.free.pop() {
            Some(number) => number,
            None => {
                let number = u32::try_from(self.slots.len()).ok().filter(|number| *number != AWAY)?;
                self.slots.push(Slot::default());
                number
            }
        };
        let slot = self.slots.get_mut(number as usize)?;
        slot.take_for(part, block);
        (slot.touched, slot.wanted) = (self.now, true);
        Some(number)
    }

    /// Puts the block of a slot into temporary space.
    fn put_away(&mut self, number: u32) -> Result<()> {
        let (Some(slot), Some((scratch, _))) = (self.slots.get_mut(number as usize), &mut self.room) else {
            return Ok(());
        };
        let (part, block) = slot.owner();
        let Some(place) = self.parts.get_mut(part as usize).and_then(|part| part.blocks.get_mut(block))
        else {
            return Ok(());
        };
        if slot.changed || place.stored.is_none() {
            self.buffer.clear();
            slot.put(&mut self.buffer);
            let at = place.stored.map_or(self.end, core::num::NonZeroU64::get);
            scratch.write_at(at, &self.buffer)?;
            if place.stored.is_none() {
                place.stored = core::num::NonZeroU64::new(at);
                self.end = at + self.buffer.len() as u64;
            }
        }
        place.slot = AWAY;
        self.resident -= slot.memory();
        slot.release();
        self.free.push(number);
        Ok(())
    }

    /// Brings a block back into memory; gives its slot.
    fn bring_back(&mut self, part: u32, block: usize) -> Result<Option<u32>> {
        self.check()?;
        let place = self.parts.get(part as usize).and_then(|part| part.blocks.get(block)).copied();
        let Some(Place { block: facts, stored: Some(stored), .. }) = place else { return Ok(None) };
        let Some((scratch, _)) = &mut self.room else { return Ok(None) };
        self.buffer.resize(facts.len(), 0);
        scratch.read_at(stored.get(), &mut self.buffer)?;
        let Some(number) = self.slot(part, block) else { return Ok(None) };
        let buffer = core::mem::take(&mut self.buffer);
        if let Some(slot) = self.slots.get_mut(number as usize) {
            slot.fill(&facts, &buffer);
            self.resident += slot.memory();
        }
        self.buffer = buffer;
        if let Some(place) = self.parts.get_mut(part as usize).and_then(|part| part.blocks.get_mut(block)) {
            place.slot = number;
        }
        Ok(Some(number))
    }
}

impl Directory {
    /// The number of the last block that begins at or before this position.
    fn find(&mut self, position: u64) -> Option<usize> {
        let recent = self.recent;
        let start = |at: usize| self.blocks.get(at).map(|place| place.block.start);
        let holds = |at: usize| {
            start(at).is_some_and(|start| start <= position)
                && start(at + 1).is_none_or(|next| next > position)
        };
        let at = if holds(recent) {
            recent
        } else {
            self.blocks.partition_point(|place| place.block.start <= position).checked_sub(1)?
        };
        self.recent = at;
        Some(at)
    }
}

#[cfg(test)]
mod tests;
