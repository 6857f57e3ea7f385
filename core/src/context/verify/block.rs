//! Some objects of the table that lie near each other, and the slot of memory that holds them.
//!
//! In temporary space a block is the positions of its objects relative to the first one (two bytes each, little-endian
//! as all numbers here), what they are (two bytes each), their hashes (32 bytes each), and the facts of the parts of
//! directories among them (16 bytes each).

use alloc::vec::Vec;

use super::super::pack::{Hash, Kind};
use super::shape::Facts;
use crate::problem::Result;

/// How far the positions of one block may be apart, in bytes.
const SPAN: u64 = 1 << 16;

/// How many objects a block has at most: their numbers in it must fit ten bits.
const OBJECTS: u16 = 1 << 10;

/// Bytes of a position and of what an object is.
const INDEX: usize = 2 * size_of::<u16>();

/// What a block consists of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Block {
    /// Position of its first object.
    pub(super) start: u64,
    count: u16,
    with_facts: u16,
}

/// Memory for one block.
#[derive(Debug, Default)]
pub(super) struct Slot {
    /// The block that it holds: part and number in it.
    owner: Option<(u32, u32)>,
    /// When something in it was asked for last.
    pub(super) touched: u32,
    /// Something in it was asked for since somebody looked.
    pub(super) wanted: bool,
    /// It differs from what is in temporary space.
    pub(super) changed: bool,
    positions: Vec<u16>,
    metas: Vec<u16>,
    hashes: Vec<Hash>,
    facts: Vec<Facts>,
}

impl Block {
    /// An empty one, whose first object is at this position.
    pub(super) const fn at(start: u64) -> Self {
        Self { start, count: 0, with_facts: 0 }
    }

    /// Whether an object at this position, which is behind all others, fits into it.
    pub(super) const fn takes(&self, position: u64) -> bool {
        position - self.start < SPAN && self.count < OBJECTS
    }

    /// Bytes in temporary space.
    pub(super) const fn len(&self) -> usize {
        self.count as usize * (INDEX + size_of::<Hash>()) + self.with_facts as usize * Facts::LEN
    }

    /// Bytes in temporary space that say where the objects are and of which kind.
    pub(super) const fn index_len(&self) -> usize {
        self.count as usize * INDEX
    }

    /// Gives the objects, ascending, to `each`, from the first bytes in temporary space.
    pub(super) fn each(&self, index: &[u8], each: &mut impl FnMut(u64, Kind) -> Result<()>) -> Result<()> {
        let (positions, metas) = index.split_at(index.len() / 2);
        let mut numbers = numbers(positions).zip(numbers(metas));
        numbers.try_for_each(|(within, meta)| each(self.start + u64::from(within), kind_of(meta)))
    }
}

impl Slot {
    /// Bytes that an object takes.
    pub(super) const fn taken(kind: Kind) -> u64 {
        let facts = if matches!(kind, Kind::Inner) { size_of::<Facts>() } else { 0 };
        (INDEX + size_of::<Hash>() + facts) as u64
    }

    /// It holds this block from now on, and nothing of it yet.
    pub(super) fn take_for(&mut self, part: u32, block: usize) {
        (self.owner, self.changed) = (Some((part, block as u32)), false);
    }

    /// Whether it holds no block.
    pub(super) const fn is_free(&self) -> bool {
        self.owner.is_none()
    }

    /// The block that it holds: part and number.
    pub(super) fn owner(&self) -> (u32, usize) {
        self.owner.map_or((u32::MAX, usize::MAX), |(part, block)| (part, block as usize))
    }

    /// Adds an object; gives its number, and that of its facts.
    pub(super) fn push(&mut self, block: &mut Block, position: u64, kind: Kind, hash: &Hash) -> (u32, u16) {
        let (index, facts) = (block.count, block.with_facts);
        grow(&mut self.positions, (position - block.start) as u16);
        grow(&mut self.metas, kind as u16 | facts << 2);
        grow(&mut self.hashes, *hash);
        block.count += 1;
        if kind == Kind::Inner {
            grow(&mut self.facts, Facts::PENDING);
            block.with_facts += 1;
        }
        self.changed = true;
        (u32::from(index), facts)
    }

    /// The object at a position relative to the first one: its number, that of its facts, and its kind.
    pub(super) fn find(&self, within: u16) -> Option<(u32, u16, Kind)> {
        let at = self.positions.binary_search(&within).ok()?;
        let meta = *self.metas.get(at)?;
        Some((at as u32, meta >> 2 & (OBJECTS - 1), kind_of(meta)))
    }

    pub(super) fn hash(&self, index: u32) -> Option<&Hash> {
        self.hashes.get(index as usize)
    }

    pub(super) fn facts(&self, number: u16) -> Option<Facts> {
        self.facts.get(usize::from(number)).copied()
    }

    pub(super) fn set_facts(&mut self, number: u16, facts: Facts) {
        if let Some(place) = self.facts.get_mut(usize::from(number)).filter(|place| **place != facts) {
            *place = facts;
            self.changed = true;
        }
    }

    /// What is known of an object: its kind, the number of its facts, and flags.
    pub(super) fn meta(&self, index: u32) -> u16 {
        self.metas.get(index as usize).copied().unwrap_or_default()
    }

    /// Sets a flag.
    pub(super) fn set(&mut self, index: u32, flag: u16) {
        if let Some(meta) = self.metas.get_mut(index as usize).filter(|meta| **meta & flag == 0) {
            *meta |= flag;
            self.changed = true;
        }
    }

    /// Gives the objects, ascending, to `each`.
    pub(super) fn each(&self, block: &Block, each: &mut impl FnMut(u64, Kind) -> Result<()>) -> Result<()> {
        let mut numbers = self.positions.iter().zip(&self.metas);
        numbers.try_for_each(|(within, meta)| each(block.start + u64::from(*within), kind_of(*meta)))
    }

    /// Appends what goes to temporary space.
    pub(super) fn put(&self, out: &mut Vec<u8>) {
        out.extend(self.positions.iter().chain(&self.metas).flat_map(|number| number.to_le_bytes()));
        out.extend_from_slice(self.hashes.as_flattened());
        self.facts.iter().for_each(|facts| out.extend(facts.to_bytes()));
    }

    /// Takes what was in temporary space.
    pub(super) fn fill(&mut self, block: &Block, bytes: &[u8]) {
        let (index, rest) = bytes.split_at_checked(block.index_len()).unwrap_or_default();
        let (positions, metas) = index.split_at(index.len() / 2);
        let hashes = usize::from(block.count) * size_of::<Hash>();
        let (hashes, facts) = rest.split_at_checked(hashes).unwrap_or_default();
        self.positions.extend(numbers(positions));
        self.metas.extend(numbers(metas));
        self.hashes.extend_from_slice(hashes.as_chunks().0);
        self.facts.extend(facts.as_chunks().0.iter().map(Facts::from_bytes));
        self.changed = false;
    }

    /// Gives memory back that is set aside for more objects; how many bytes.
    pub(super) fn shrink(&mut self) -> u64 {
        let before = self.memory();
        self.positions.shrink_to_fit();
        self.metas.shrink_to_fit();
        self.hashes.shrink_to_fit();
        self.facts.shrink_to_fit();
        before - self.memory()
    }

    /// Holds no block any more, and takes no memory.
    pub(super) fn release(&mut self) {
        *self = Self::default();
    }

    /// Memory taken, in bytes.
    pub(super) fn memory(&self) -> u64 {
        let index = size_of::<u16>() * (self.positions.capacity() + self.metas.capacity());
        let hashes = size_of::<Hash>() * self.hashes.capacity();
        (index + hashes + size_of::<Facts>() * self.facts.capacity()) as u64
    }
}

/// Adds an item to a list that has a thousand at most.
fn grow<T>(list: &mut Vec<T>, item: T) {
    if list.len() == list.capacity() {
        list.reserve_exact((list.len() / 2).max(64).min(usize::from(OBJECTS)));
    }
    list.push(item);
}

fn numbers(bytes: &[u8]) -> impl Iterator<Item = u16> {
    bytes.as_chunks().0.iter().map(|bytes| u16::from_le_bytes(*bytes))
}

fn kind_of(meta: u16) -> Kind {
    Kind::ALL[usize::from(meta & 3)]
}
