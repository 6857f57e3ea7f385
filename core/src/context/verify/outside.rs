//! Objects that a share of a proof does not walk through, and that something in it refers to.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::super::pack::{Hash, Kind};
use super::shape::Facts;
use super::table::Spot;

/// What an entry of a map takes beside key and value, in bytes: about as much.
pub(super) const NODE: usize = 32;

/// What a parent must know of an object.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    pub(super) kind: Kind,
    /// The hash that it says it has.
    pub(super) hash: Hash,
    /// Of a part of a directory.
    pub(super) facts: Facts,
    /// Of a directory that holds a PVM state and nothing else: the hash of that.
    pub(super) state: Option<Hash>,
}

/// The objects that were looked at.
#[derive(Debug, Default)]
pub(super) struct Outside {
    numbers: BTreeMap<Spot, u32>,
    seen: Vec<Seen>,
}

impl Outside {
    pub(super) fn add(&mut self, spot: Spot, seen: Seen) {
        let next = self.seen.len() as u32;
        if self.numbers.insert(spot, next).is_none() {
            self.seen.push(seen);
        }
    }

    /// The number of the object at a spot, and its kind.
    pub(super) fn find(&self, spot: Spot) -> Option<(u32, Kind)> {
        let number = self.numbers.get(&spot)?;
        Some((*number, self.get(*number)?.kind))
    }

    pub(super) fn get(&self, number: u32) -> Option<&Seen> {
        self.seen.get(number as usize)
    }

    /// Where they are, ascending.
    pub(super) fn spots(&self) -> impl Iterator<Item = Spot> {
        self.numbers.keys().copied()
    }

    /// Memory that they take, in bytes.
    pub(super) fn taken(&self) -> u64 {
        (self.seen.len() * (size_of::<Seen>() + size_of::<(Spot, u32)>() + NODE)) as u64
    }
}
