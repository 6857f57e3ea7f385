//! Objects that a share of a proof does not walk through, and that something in it refers to.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::super::pack::{Hash, Kind};
use super::shape::Facts;
use super::table::{Object, Spot};

/// The numbers of these objects begin here, where those of a table never come to.
const FIRST: usize = !(usize::MAX >> 1);

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
    numbers: BTreeMap<Spot, usize>,
    seen: Vec<Seen>,
}

impl Outside {
    pub(super) fn add(&mut self, spot: Spot, seen: Seen) {
        if self.numbers.insert(spot, self.seen.len()).is_none() {
            self.seen.push(seen);
        }
    }

    pub(super) fn find(&self, spot: Spot) -> Option<Object> {
        let number = self.numbers.get(&spot)?;
        let kind = self.seen.get(*number)?.kind;
        Some(Object { index: FIRST + number, facts: usize::MAX, kind })
    }

    pub(super) fn get(&self, object: Object) -> Option<&Seen> {
        self.seen.get(object.index.checked_sub(FIRST)?)
    }

    /// Where they are, ascending.
    pub(super) fn spots(&self) -> impl Iterator<Item = Spot> {
        self.numbers.keys().copied()
    }

    /// Memory that they take, in bytes.
    pub(super) fn taken(&self) -> u64 {
        (self.seen.len() * (size_of::<Seen>() + size_of::<(Spot, usize)>() + NODE)) as u64
    }
}
