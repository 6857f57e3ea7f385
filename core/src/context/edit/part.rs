//! What a directory is made of: parts, each with one or two entries, or with a part for each value
//! of one bit of the names' hashes; in memory, or stored and not loaded yet.
//!
//! A part that several trees share never changes. One that belongs to a single tree is changed in
//! place ([`super::change`]).

use alloc::sync::Arc;
use alloc::vec::Vec;

use once_cell::race::OnceBox;

use super::Bytes;
use super::directory::{Directory, Form};
use super::objects::{ObjectStore, lost, set};
use super::once::OnceHash;
use super::value::Value;
use super::way::{Name, Way};
use crate::context::pack::{ENTRIES, Hash, Kind, hashing};
use crate::problem::Result;

/// A directory, or the part of one where the hashes of all names begin with the same bits.
#[derive(Clone)]
pub(super) enum Part {
    /// Stored, and loaded when it is needed.
    Stored(Arc<Stub>),
    /// In memory; it may be stored too.
    Here(Arc<Inode>),
}

/// Where something is stored.
#[derive(Clone)]
pub(super) struct Place {
    pub(super) store: Arc<ObjectStore>,
    /// Global offset.
    pub(super) offset: u64,
}

/// A stored part.
pub(super) struct Stub {
    pub(super) place: Place,
    hash: OnceHash,
    inode: OnceBox<Arc<Inode>>,
}

/// A part in memory.
pub(super) struct Inode {
    /// Which series of changes it belongs to ([`Directory::epoch`]): its entries are pending changes
    /// of a directory in the same epoch, and stored for all others.
    pub(super) epoch: u64,
    /// How many entries below are pending and neither stored subtrees nor removals.
    pub(super) fresh: u64,
    /// How many entries there are below.
    pub(super) len: u64,
    pub(super) slots: Slots,
    pub(super) hash: OnceHash,
    pub(super) place: OnceBox<Place>,
}

/// What a part consists of.
#[derive(Clone)]
pub(super) enum Slots {
    /// One or two entries, in the order of their names.
    Values([Option<Entry>; ENTRIES]),
    /// The parts with bit 0 and with bit 1.
    Tree([Option<Part>; ENTRIES]),
}

/// An entry of a directory.
#[derive(Clone)]
pub(super) struct Entry {
    pub(super) name: Bytes,
    pub(super) child: Child,
}

/// What an entry leads to.
#[derive(Clone)]
pub(super) enum Child {
    /// A directory that is stored, or counts as stored.
    Directory(Part),
    /// A directory that was put in. Where the part is of another epoch, only its content counts.
    Object(Arc<Directory>),
    /// Contents that are stored, or count as stored.
    Value(Arc<Value>),
    /// Contents that were put in.
    NewValue(Arc<Value>),
}

impl Part {
    pub(super) fn new(inode: Inode) -> Self {
        Self::Here(Arc::new(inode))
    }

    /// What is in it; it is the part that `depth` bits lead to.
    pub(super) fn inode(&self, depth: u32, bits: u64) -> Result<&Arc<Inode>> {
        match self {
            Self::Here(inode) => Ok(inode),
            Self::Stored(stub) => stub.inode(depth, bits),
        }
    }

    /// The entry of a name and the epoch of its part.
    pub(super) fn entry(&self, name: &Name<'_>) -> Result<Option<(&Entry, u64)>> {
        let mut way = Way::new(name);
        let mut part = self;
        loop {
            let inode = part.inode(way.depth, way.taken())?;
            match &inode.slots {
                Slots::Values(entries) => {
                    let entry = entries.iter().flatten().find(|entry| *entry.name == **name);
                    return Ok(entry.map(|entry| (entry, inode.epoch)));
                }
                Slots::Tree(parts) => match parts.get(way.step()).and_then(Option::as_ref) {
                    Some(next) => part = next,
                    None => return Ok(None),
                },
            }
        }
    }

    /// The hash: it must have been computed where the part is not stored.
    pub(super) fn hash(&self, depth: u32) -> Result<Hash> {
        match self {
            Self::Here(inode) => inode.hash.get().ok_or_else(lost),
            Self::Stored(stub) => stub.hash(depth),
        }
    }

    /// Whether the hash can be had without computing one.
    pub(super) fn has_hash(&self) -> bool {
        match self {
            Self::Here(inode) => inode.hash.is_known(),
            Self::Stored(_) => true,
        }
    }

    /// The same part, of which nothing is loaded.
    pub(super) fn unloaded(&self) -> Self {
        match self {
            Self::Stored(stub) => Self::Stored(Arc::new(stub.unloaded())),
            Self::Here(inode) => match inode.place.get() {
                Some(place) => {
                    let stub = Stub { hash: inode.hash.clone(), ..Stub::at(place.clone()) };
                    Self::Stored(Arc::new(stub))
                }
                None => self.clone(),
            },
        }
    }
}

impl Stub {
    pub(super) fn new(store: &Arc<ObjectStore>, offset: u64) -> Self {
        Self::at(Place { store: store.clone(), offset })
    }

    pub(super) fn at(place: Place) -> Self {
        Self { place, hash: OnceHash::default(), inode: OnceBox::new() }
    }

    fn inode(&self, depth: u32, bits: u64) -> Result<&Arc<Inode>> {
        match self.inode.get() {
            Some(inode) => Ok(inode),
            None => {
                let inode = self.load(depth, bits)?;
                self.place.store.add_loaded(inode.footprint());
                Ok(set(&self.inode, Arc::new(inode)))
            }
        }
    }

    /// Loads it, and does not keep it.
    pub(super) fn load(&self, depth: u32, bits: u64) -> Result<Inode> {
        let (hash, inode) = self.place.store.inode(self.place.offset, depth, bits)?;
        self.hash.set(&hash);
        Ok(inode)
    }

    fn hash(&self, depth: u32) -> Result<Hash> {
        if let Some(hash) = self.hash.get() {
            return Ok(hash);
        }
        let kind = if depth == 0 { Kind::Root } else { Kind::Inner };
        let hash = self.place.store.hash(self.place.offset, kind)?;
        self.hash.set(&hash);
        Ok(hash)
    }

    /// What was loaded of it.
    pub(super) fn loaded(&self) -> Option<&Arc<Inode>> {
        self.inode.get()
    }

    fn unloaded(&self) -> Self {
        Self { hash: self.hash.clone(), ..Self::at(self.place.clone()) }
    }
}

impl Inode {
    pub(super) fn new(epoch: u64, fresh: u64, len: u64, slots: Slots) -> Self {
        Self { epoch, fresh, len, slots, hash: OnceHash::default(), place: OnceBox::new() }
    }

    /// A part with one entry.
    pub(super) fn single(epoch: u64, entry: Entry) -> Self {
        let fresh = u64::from(entry.child.is_fresh());
        Self::new(epoch, fresh, 1, Slots::Values([Some(entry), None]))
    }

    /// The hash that its entries or parts give it, which must have theirs.
    pub(super) fn image_hash(&self, depth: u32) -> Result<Hash> {
        let mut image = Vec::new();
        self.put_image(depth, &mut image)?;
        Ok(hashing::hash(&image))
    }

    /// Appends what is hashed. Its entries or parts must have their hashes.
    pub(super) fn put_image(&self, depth: u32, image: &mut Vec<u8>) -> Result<()> {
        match &self.slots {
            Slots::Values(entries) => {
                let mut hashed = [(&[][..], false, [0; 32]); ENTRIES];
                let mut count = 0;
                for (place, entry) in hashed.iter_mut().zip(entries.iter().flatten()) {
                    *place = (&entry.name, entry.child.is_directory(), entry.child.hash()?);
                    count += 1;
                }
                let hashed = hashed.get(..count).unwrap_or_default().iter().copied();
                if depth == 0 {
                    hashing::put_root(hashed, image);
                } else {
                    hashing::put_values(hashed, image);
                }
            }
            Slots::Tree(parts) => {
                let mut hashed = [(0, [0; 32]); ENTRIES];
                let mut count = 0;
                let parts = (0..).zip(parts).filter_map(|(bit, part)| Some((bit, part.as_ref()?)));
                for (place, (bit, part)) in hashed.iter_mut().zip(parts) {
                    *place = (bit, part.hash(depth + 1)?);
                    count += 1;
                }
                let hashed = hashed.get(..count).unwrap_or_default().iter().copied();
                hashing::put_tree(u64::from(depth), self.len, hashed, image);
            }
        }
        Ok(())
    }

    /// About how many bytes of memory it takes, with what it holds alone.
    pub(super) fn footprint(&self) -> usize {
        let below = match &self.slots {
            Slots::Values(entries) => {
                entries.iter().flatten().map(|entry| 16 + entry.name.len() + size_of::<Value>()).sum()
            }
            Slots::Tree(_) => ENTRIES * (16 + size_of::<Stub>()),
        };
        size_of::<Self>() + 16 + below
    }
}

impl Child {
    pub(super) fn is_directory(&self) -> bool {
        matches!(self, Self::Directory(_) | Self::Object(_))
    }

    /// The first part of a directory.
    pub(super) fn root(&self) -> Option<&Part> {
        match self {
            Self::Directory(part) => Some(part),
            Self::Object(directory) => Some(&directory.root),
            Self::Value(_) | Self::NewValue(_) => None,
        }
    }

    /// Whether it was put in and is no stored subtree.
    pub(super) fn is_fresh(&self) -> bool {
        match self {
            Self::Directory(_) | Self::Value(_) => false,
            Self::Object(directory) => directory.form != Form::Stored,
            Self::NewValue(_) => true,
        }
    }

    fn hash(&self) -> Result<Hash> {
        match self {
            Self::Directory(part) => part.hash(0),
            Self::Object(directory) => directory.root.hash(0),
            Self::Value(value) | Self::NewValue(value) => value.hash(),
        }
    }
}

impl Clone for Inode {
    /// The same entries, to be changed: neither hash nor place go with them.
    fn clone(&self) -> Self {
        Self::new(self.epoch, self.fresh, self.len, self.slots.clone())
    }
}

impl Drop for Inode {
    /// Takes apart what nobody else holds step by step, since trees can be deeper than the stack is.
    fn drop(&mut self) {
        let mut todo = Vec::new();
        self.take_apart(&mut todo);
        while let Some(part) = todo.pop() {
            let inode = match part {
                Part::Here(inode) => Some(inode),
                Part::Stored(stub) => {
                    let loaded = stub.loaded().cloned();
                    drop(stub);
                    loaded
                }
            };
            if let Some(mut inode) = inode.and_then(Arc::into_inner) {
                inode.take_apart(&mut todo);
            }
        }
    }
}

impl Inode {
    /// Takes the parts out that nobody else seems to hold.
    fn take_apart(&mut self, todo: &mut Vec<Part>) {
        let mut take = |part: Part| {
            let alone = match &part {
                Part::Here(inode) => Arc::strong_count(inode) == 1,
                Part::Stored(stub) => Arc::strong_count(stub) == 1 && stub.loaded().is_some(),
            };
            if alone {
                todo.push(part);
            }
        };
        match &mut self.slots {
            Slots::Tree(parts) => parts.iter_mut().filter_map(Option::take).for_each(take),
            Slots::Values(entries) => {
                for entry in entries.iter_mut().filter_map(Option::take) {
                    match entry.child {
                        Child::Directory(part) => take(part),
                        Child::Object(directory) => {
                            if let Some(directory) = Arc::into_inner(directory) {
                                take(directory.root);
                            }
                        }
                        Child::Value(_) | Child::NewValue(_) => {}
                    }
                }
            }
        }
    }
}
