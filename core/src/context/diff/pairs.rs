//! The entries in which two directories differ, part by part.

use alloc::vec;
use alloc::vec::Vec;

use crate::context::Context;
use crate::context::pack::hashing;
use crate::context::parts::{Linked, Named, Part, bit};
use crate::problem::Result;
use crate::read_at::Files;

/// An entry that only one of the directories has, or that differs.
#[derive(Debug)]
pub(super) struct Pair {
    pub(super) name: Vec<u8>,
    pub(super) left: Option<Linked>,
    pub(super) right: Option<Linked>,
}

impl Pair {
    /// Itself, if its sides differ.
    pub(super) fn unless_same(self) -> Option<Self> {
        let what = |side: &Option<Linked>| side.as_ref().map(|side| (side.link.directory, side.hash));
        (what(&self.left) != what(&self.right)).then_some(self)
    }
}

/// Two directories, of which parts are still to be compared. No more than two for each bit, since the innermost come first.
pub(super) struct Pairs(Vec<Sides>);

/// Two parts that the same bits lead to.
struct Sides {
    depth: u64,
    bits: u64,
    left: Side,
    right: Side,
}

/// One directory's part.
enum Side {
    /// Stored as one.
    Stored(Named),
    /// The entries that would be in it: none, or some of those of a part nearer to the root.
    Entries(Vec<Linked>),
}

/// The same, read.
enum Read {
    Tree([Side; 2]),
    Entries(Vec<Linked>),
}

impl Pairs {
    pub(super) fn new(left: Option<Named>, right: Option<Named>) -> Self {
        let side = |named: Option<Named>| named.map_or(Side::Entries(Vec::new()), Side::Stored);
        Self(vec![Sides { depth: 0, bits: 0, left: side(left), right: side(right) }])
    }

    /// Compares two more parts, and adds what differs in them. Gives false when there are none left.
    pub(super) fn next<L: Files, R: Files>(
        &mut self,
        left: &Context<L>,
        right: &Context<R>,
        out: &mut Vec<Pair>,
    ) -> Result<bool> {
        let Some(Sides { depth, bits, left: a, right: b }) = self.0.pop() else { return Ok(false) };
        if let (Side::Stored(a), Side::Stored(b)) = (&a, &b)
            && a.hash == b.hash
        {
            return Ok(true);
        }
        match (a.read(left, depth, bits)?, b.read(right, depth, bits)?) {
            (Read::Entries(a), Read::Entries(b)) => merge(a, b, out),
            (a, b) => {
                let ([a0, a1], [b0, b1]) = (a.split(depth), b.split(depth));
                let depth = depth + 1;
                self.0.push(Sides { depth, bits: bits << 1 | 1, left: a1, right: b1 });
                self.0.push(Sides { depth, bits: bits << 1, left: a0, right: b0 });
            }
        }
        Ok(true)
    }
}

impl Side {
    fn read<F: Files>(self, context: &Context<F>, depth: u64, bits: u64) -> Result<Read> {
        let named = match self {
            Self::Entries(entries) => return Ok(Read::Entries(entries)),
            Self::Stored(named) => named,
        };
        Ok(match context.named_part(&named, depth, bits)? {
            Part::Values(entries) => Read::Entries(entries),
            Part::Tree(_, parts) => {
                Read::Tree(parts.map(|part| part.map_or(Side::Entries(Vec::new()), Side::Stored)))
            }
        })
    }
}

impl Read {
    /// What is in its two parts.
    fn split(self, depth: u64) -> [Side; 2] {
        match self {
            Self::Tree(parts) => parts,
            Self::Entries(entries) => {
                let is_first = |entry: &Linked| bit(hashing::bits(&entry.link.name), depth) == 0;
                let (first, second) = entries.into_iter().partition(is_first);
                [Side::Entries(first), Side::Entries(second)]
            }
        }
    }
}

/// Adds the entries in which two short lists differ.
fn merge(left: Vec<Linked>, mut right: Vec<Linked>, out: &mut Vec<Pair>) {
    for entry in left {
        let other = right.iter().position(|other| other.link.name == entry.link.name);
        let other = other.map(|at| right.swap_remove(at));
        out.extend(Pair { name: entry.link.name.clone(), left: Some(entry), right: other }.unless_same());
    }
    let only = |entry: Linked| Pair { name: entry.link.name.clone(), left: None, right: Some(entry) };
    out.extend(right.into_iter().map(only));
}
