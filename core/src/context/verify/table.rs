//! What is known of every object that was met: where it is, what it is, the hash that it says it
//! has, and for parts of directories the facts by which their parents are judged.
//!
//! Objects come part by part and ascending in each. An object takes 36 bytes, a part of a
//! directory 52: positions are told relative to a block, and arrays grow by pieces, so that no
//! growth ever copies them.

use alloc::vec::Vec;

use super::super::pack::{Hash, Kind};
use super::outside::{Outside, Seen};
use super::shape::Facts;

/// How far the positions of one block may be apart, in bytes.
const BLOCK: u64 = 1 << 16;

/// How many objects a block has at most: their numbers in it must fit ten bits.
const BLOCK_OBJECTS: u32 = 1 << 10;

/// Objects known so far.
#[derive(Debug, Default)]
pub(super) struct Table {
    parts: Vec<Directory>,
    positions: Pieces<u16>,
    metas: Pieces<u16>,
    hashes: Pieces<Hash>,
    facts: Pieces<Facts>,
    /// How many blocks the parts have.
    blocks: usize,
    /// What is not walked through, and was looked at because something refers to it.
    outside: Outside,
}

/// Where an object is: the number of a part of the table, and its position in that file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Spot {
    pub(super) part: u32,
    pub(super) position: u64,
}

/// An object of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Object {
    pub(super) index: usize,
    pub(super) facts: usize,
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

#[derive(Debug, Default)]
struct Directory {
    blocks: Vec<Block>,
    /// The block where something was found last: the next thing is mostly near.
    recent: usize,
    last: Option<u64>,
}

#[derive(Clone, Copy, Debug)]
struct Block {
    /// Position of its first object.
    start: u64,
    objects: usize,
    facts: usize,
    count: u32,
    with_facts: u32,
}

impl Table {
    /// A new part; gives its number.
    pub(super) fn part(&mut self) -> u32 {
        self.parts.push(Directory::default());
        (self.parts.len() - 1) as u32
    }

    /// Adds an object behind the others of its part. `None` when it is not behind them.
    pub(super) fn push(&mut self, spot: Spot, kind: Kind, hash: &Hash) -> Option<Object> {
        let Spot { part, position } = spot;
        let directory = self.parts.get_mut(part as usize)?;
        if directory.last.is_some_and(|last| position <= last) {
            return None;
        }
        directory.last = Some(position);
        let index = self.positions.len();
        let fits = |block: &&mut Block| {
            position - block.start < BLOCK
                && block.count < BLOCK_OBJECTS
                && block.objects + block.count as usize == index
                && block.facts + block.with_facts as usize == self.facts.len()
        };
        if directory.blocks.last_mut().as_ref().is_none_or(|block| !fits(block)) {
            let (objects, facts) = (index, self.facts.len());
            directory.blocks.push(Block { start: position, objects, facts, count: 0, with_facts: 0 });
            self.blocks += 1;
        }
        let block = directory.blocks.last_mut()?;
        let number = block.with_facts as u16;
        self.positions.push((position - block.start) as u16);
        self.metas.push(code(kind) | number << 2);
        self.hashes.push(*hash);
        let facts = block.facts + usize::from(number);
        block.count += 1;
        if kind == Kind::Inner {
            self.facts.push(Facts::PENDING);
            block.with_facts += 1;
        }
        Some(Object { index, facts, kind })
    }

    /// The object that begins at this spot.
    pub(super) fn find(&mut self, spot: Spot) -> Option<Object> {
        self.walked(spot).or_else(|| self.outside.find(spot))
    }

    /// Adds an object that is not walked through.
    pub(super) fn add_outside(&mut self, spot: Spot, seen: Seen) {
        self.outside.add(spot, seen);
    }

    /// Where the objects are that are not walked through, ascending.
    pub(super) fn outside(&self) -> impl Iterator<Item = Spot> {
        self.outside.spots()
    }

    fn walked(&mut self, spot: Spot) -> Option<Object> {
        let directory = self.parts.get_mut(spot.part as usize)?;
        let block = directory.find(spot.position)?;
        let within = u16::try_from(spot.position - block.start).ok()?;
        let (mut low, mut high) = (block.objects, block.objects + block.count as usize);
        while low < high {
            let middle = low + (high - low) / 2;
            if *self.positions.get(middle)? < within { low = middle + 1 } else { high = middle }
        }
        let there = low < block.objects + block.count as usize && *self.positions.get(low)? == within;
        if there { self.object(low, block.facts) } else { None }
    }

    /// The hash that an object says it has.
    pub(super) fn hash(&self, object: Object) -> &Hash {
        match self.outside.get(object) {
            Some(seen) => &seen.hash,
            None => self.hashes.get(object.index).unwrap_or(&[0; 32]),
        }
    }

    /// The facts of a part of a directory; pending for anything else.
    pub(super) fn facts(&self, object: Object) -> Facts {
        if let Some(seen) = self.outside.get(object) {
            return seen.facts;
        }
        let facts = self.facts.get(object.facts).filter(|_| object.kind == Kind::Inner);
        facts.copied().unwrap_or(Facts::PENDING)
    }

    /// Tells the facts of a part of a directory.
    pub(super) fn set_facts(&mut self, object: Object, facts: Facts) {
        if object.kind == Kind::Inner
            && let Some(place) = self.facts.get_mut(object.facts)
        {
            *place = facts;
        }
    }

    /// Puts a remark on an object.
    pub(super) fn set(&mut self, object: Object, flag: Flag) {
        if let Some(meta) = self.metas.get_mut(object.index) {
            *meta |= flag as u16;
        }
    }

    /// Whether an object has a remark.
    pub(super) fn has(&self, object: Object, flag: Flag) -> bool {
        if let Some(seen) = self.outside.get(object) {
            return flag == Flag::Checked || flag == Flag::State && seen.state.is_some();
        }
        self.metas.get(object.index).is_some_and(|meta| meta & flag as u16 != 0)
    }

    /// The objects of a part, ascending, with their positions.
    pub(super) fn iter(&self, part: u32) -> impl Iterator<Item = (u64, Object)> {
        let blocks = self.parts.get(part as usize).map(|part| &part.blocks[..]).unwrap_or_default();
        blocks.iter().flat_map(move |block| {
            (block.objects..block.objects + block.count as usize).filter_map(move |index| {
                let position = block.start + u64::from(*self.positions.get(index)?);
                Some((position, self.object(index, block.facts)?))
            })
        })
    }

    /// Memory that the objects take, in bytes; what is set aside for more is not counted. This can be asked
    /// for at any time.
    pub(super) fn taken(&self) -> u64 {
        const OBJECT: usize = 2 * size_of::<u16>() + size_of::<Hash>();
        let objects = self.positions.len() * OBJECT + self.facts.len() * size_of::<Facts>();
        (objects + self.blocks * size_of::<Block>()) as u64 + self.outside.taken()
    }

    /// Memory taken, in bytes.
    pub(super) fn memory(&self) -> usize {
        let blocks: usize = self.parts.iter().map(|part| part.blocks.capacity() * size_of::<Block>()).sum();
        blocks + self.positions.memory() + self.metas.memory() + self.hashes.memory() + self.facts.memory()
    }

    fn object(&self, index: usize, facts: usize) -> Option<Object> {
        let meta = *self.metas.get(index)?;
        let kind = [Kind::Contents, Kind::Root, Kind::Inner, Kind::Commit][usize::from(meta & 3)];
        let number = meta >> 2 & (BLOCK_OBJECTS as u16 - 1);
        Some(Object { index, facts: facts + usize::from(number), kind })
    }
}

impl Directory {
    /// The last block that begins at or before this position.
    fn find(&mut self, position: u64) -> Option<Block> {
        let recent = self.recent;
        let holds = |at: usize| {
            self.blocks.get(at).is_some_and(|block| block.start <= position)
                && self.blocks.get(at + 1).is_none_or(|next| next.start > position)
        };
        let at = if holds(recent) {
            recent
        } else {
            self.blocks.partition_point(|block| block.start <= position).checked_sub(1)?
        };
        self.recent = at;
        self.blocks.get(at).copied()
    }
}

fn code(kind: Kind) -> u16 {
    match kind {
        Kind::Contents => 0,
        Kind::Root => 1,
        Kind::Inner => 2,
        Kind::Commit => 3,
    }
}

/// A long array in pieces.
#[derive(Debug)]
struct Pieces<T>(Vec<Vec<T>>);

impl<T> Pieces<T> {
    const LEN: usize = 1 << 14;

    fn push(&mut self, value: T) {
        match self.0.last_mut() {
            Some(last) if last.len() < Self::LEN => last.push(value),
            // Only the first piece begins small.
            last => {
                let mut piece = Vec::with_capacity(if last.is_some() { Self::LEN } else { 0 });
                piece.push(value);
                self.0.push(piece);
            }
        }
    }

    fn len(&self) -> usize {
        self.0.last().map_or(0, |last| (self.0.len() - 1) * Self::LEN + last.len())
    }

    fn get(&self, index: usize) -> Option<&T> {
        self.0.get(index / Self::LEN)?.get(index % Self::LEN)
    }

    fn get_mut(&mut self, index: usize) -> Option<&mut T> {
        self.0.get_mut(index / Self::LEN)?.get_mut(index % Self::LEN)
    }

    fn memory(&self) -> usize {
        let pieces: usize = self.0.iter().map(|piece| piece.capacity() * size_of::<T>()).sum();
        pieces + self.0.capacity() * size_of::<Vec<T>>()
    }
}

impl<T> Default for Pieces<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Objects of all kinds at irregular distances in two parts, compared with a plain list.
    #[test]
    fn what_was_put_in_is_found() {
        let mut table = Table::default();
        let mut plain = Vec::new();
        for part in 0..2 {
            assert_eq!(table.part(), part);
            let mut position = u64::from(part) * 7;
            for number in 0..40_000u64 {
                let kind = [Kind::Contents, Kind::Inner, Kind::Root, Kind::Inner][(number % 4) as usize];
                let mut hash = [part as u8; 32];
                hash[..8].copy_from_slice(&number.to_le_bytes());
                let spot = Spot { part, position };
                let object = table.push(spot, kind, &hash).unwrap();
                table.set_facts(object, Facts::values(number, 1, 64));
                if number % 3 == 0 {
                    table.set(object, Flag::Used);
                }
                plain.push((spot, kind, hash, number));
                position += 34 + number * number % 977 + if number % 5000 == 0 { 300_000 } else { 0 };
            }
        }
        for (spot, kind, hash, number) in &plain {
            let object = table.find(*spot).unwrap();
            assert_eq!((object.kind, table.hash(object)), (*kind, hash));
            assert_eq!(table.has(object, Flag::Used), number % 3 == 0);
            if *kind == Kind::Inner {
                assert_eq!(table.facts(object), Facts::values(*number, 1, 64));
            }
            assert_eq!(table.find(Spot { position: spot.position + 1, ..*spot }), None);
        }
        let listed: Vec<u64> = table.iter(1).map(|(position, _)| position).collect();
        let wanted: Vec<u64> =
            plain.iter().filter(|(spot, ..)| spot.part == 1).map(|(spot, ..)| spot.position).collect();
        assert_eq!(listed, wanted);
        let (first, ..) = plain[0];
        assert_eq!(table.push(first, Kind::Root, &[0; 32]), None);
        assert_eq!(table.find(Spot { part: 9, position: 0 }), None);
    }

    #[test]
    fn memory_of_an_object() {
        let mut table = Table::default();
        table.part();
        for number in 0..1 << 20 {
            table.push(Spot { part: 0, position: number * 90 }, Kind::Inner, &[0; 32]);
        }
        assert!(table.memory() < 55 << 20, "{}", table.memory());
    }
}
