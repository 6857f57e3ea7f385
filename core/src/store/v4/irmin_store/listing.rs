//! The entries of one directory, each part of it proved by its hash.
//!
//! Up to 256 entries a directory has the hash of the list of them, whatever parts it is stored in;
//! a larger one that of its first part, and every part that of what it consists of.

use alloc::vec;
use alloc::vec::Vec;

use super::{IrminStore, shape, wrong_hash};
use crate::context::MAX_BITS;
use crate::context::pack::{Hash, InodeOf, Kind, Value, hashing, max_inode};
use crate::problem::Result;
use crate::read_at::Files;

/// Most entries of a part.
const ENTRIES: usize = 32;

/// Most entries of a directory whose hash is that of the list of them.
const STABLE: u64 = 256;

/// An entry.
pub(super) struct Entry {
    pub(super) name: Vec<u8>,
    pub(super) is_directory: bool,
    /// Global offset of what it names.
    pub(super) offset: u64,
    /// The hash that this says it has.
    pub(super) hash: Hash,
}

/// What is left of a directory.
pub(super) struct Listing {
    /// Entries of parts that were read.
    ready: Vec<Entry>,
    /// Parts that were not.
    parts: Vec<Part>,
    /// How many entries are still to come, by what the directory says.
    left: u64,
    directory: u64,
}

struct Part {
    offset: u64,
    hash: Hash,
    depth: u64,
}

/// A part that was read.
struct Read {
    entries: Vec<Entry>,
    parts: Vec<Part>,
    /// How many entries there are in it and below, by what it says.
    len: u64,
    /// What its hash is made of, unless it is the first of a small directory.
    image: Vec<u8>,
}

impl Listing {
    /// Begins with the directory at a global offset, which must have this hash. Every part that is
    /// read takes its length from `budget`.
    pub(super) fn new<F: Files>(
        store: &IrminStore<F>,
        offset: u64,
        hash: Hash,
        budget: &mut u64,
    ) -> Result<Self> {
        let first = store.part(&Part { offset, hash, depth: 0 }, Kind::Root, budget)?;
        let mut listing =
            Self { ready: first.entries, parts: first.parts, left: first.len, directory: offset };
        if listing.left > STABLE {
            prove(offset, &hash, &first.image)?;
            return Ok(listing);
        }
        let mut all = Vec::new();
        while let Some(part) = listing.parts.pop() {
            let read = store.part(&part, Kind::Inner, budget)?;
            listing.parts.extend(read.parts);
            all.extend(read.entries);
            if all.len() as u64 > STABLE {
                return Err(shape(offset, "more entries than it says"));
            }
        }
        listing.ready.append(&mut all);
        listing.ready.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        let mut image = Vec::new();
        let list = listing.ready.iter().map(|entry| (&*entry.name, entry.is_directory, entry.hash));
        hashing::put_root(list, &mut image);
        prove(offset, &hash, &image)?;
        Ok(listing)
    }

    /// The next entry.
    pub(super) fn next<F: Files>(
        &mut self,
        store: &IrminStore<F>,
        budget: &mut u64,
    ) -> Result<Option<Entry>> {
        while self.ready.is_empty() {
            let Some(part) = self.parts.pop() else {
                return if self.left == 0 { Ok(None) } else { Err(self.miscounted()) };
            };
            let read = store.part(&part, Kind::Inner, budget)?;
            prove(part.offset, &part.hash, &read.image)?;
            self.ready = read.entries;
            self.parts.extend(read.parts);
        }
        self.left = self.left.checked_sub(1).ok_or_else(|| self.miscounted())?;
        Ok(self.ready.pop())
    }

    fn miscounted(&self) -> crate::Problem {
        shape(self.directory, "another number of entries than it says")
    }
}

impl<F: Files> IrminStore<F> {
    fn part(&self, part: &Part, kind: Kind, budget: &mut u64) -> Result<Read> {
        let Part { offset, depth, .. } = *part;
        let mut value = Vec::new();
        let head = self.context.object(offset, kind, max_inode(ENTRIES), &mut value)?;
        *budget = budget
            .checked_sub(head.entry_len())
            .ok_or_else(|| shape(offset, "directories that are larger than the store"))?;
        let inode = InodeOf::<ENTRIES>::parse(&value);
        let inode = inode.map_err(|why| crate::context::no_entry(offset, why))?;
        let mut image = Vec::new();
        match inode {
            InodeOf::Values(values) => {
                let entries = values.iter().flatten().map(|value| self.entry(offset, value));
                let entries: Vec<Entry> = entries.collect::<Result<_>>()?;
                let list = entries.iter().map(|entry| (&*entry.name, entry.is_directory, entry.hash));
                hashing::put_values(list, &mut image);
                Ok(Read { len: entries.len() as u64, entries, parts: Vec::new(), image })
            }
            InodeOf::Tree { depth: said, len, pointers } => {
                if said != depth || depth >= MAX_BITS {
                    return Err(shape(offset, "a part of another depth"));
                }
                let mut parts = vec![];
                let mut hashes = vec![];
                for pointer in pointers.iter().flatten() {
                    let place = self.place(offset, pointer.child)?;
                    let hash = self.context.head(place)?.hash;
                    parts.push(Part { offset: place, hash, depth: depth + 1 });
                    hashes.push((pointer.index, hash));
                }
                hashing::put_tree(depth, len, hashes.into_iter(), &mut image);
                Ok(Read { entries: Vec::new(), parts, len, image })
            }
        }
    }

    fn entry(&self, part: u64, value: &Value<'_>) -> Result<Entry> {
        let offset = self.place(part, value.child)?;
        let name = self.context.name_of(part, value.step)?.to_vec();
        Ok(Entry { name, is_directory: value.node, offset, hash: self.context.head(offset)?.hash })
    }
}

fn prove(offset: u64, expected: &Hash, image: &[u8]) -> Result<()> {
    let found = hashing::hash(image);
    if found == *expected { Ok(()) } else { Err(wrong_hash(offset, expected, &found)) }
}
