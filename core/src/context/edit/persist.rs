//! Handing a tree over to a writer, from the bottom: what is not stored yet becomes objects of a
//! context.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::objects::{ObjectStore, lost, set};
use super::part::{Child, Inode, Part, Place, Slots};
use super::value::Value;
use super::{Bytes, Effects, Tree};
use crate::code::Code;
use crate::context::pack::{self, ENTRIES, Hash, Kind, Pointer, Step};
use crate::problem::{Problem, Result};

/// Takes new objects, children before parents.
pub trait Persist {
    /// Whether new objects may refer to those of this store by their offsets: whether they go to
    /// the same context. A writer of a new context says no, and is given everything.
    fn extends(&self, store: &ObjectStore) -> bool {
        let _ = store;
        false
    }

    /// Writes an object. Its global offset, above those of all that it refers to.
    ///
    /// # Errors
    /// Whatever stands in the way.
    fn put(&mut self, hash: &Hash, object: &NewObject<'_>) -> Result<u64>;
}

/// An object to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NewObject<'a> {
    /// Contents.
    Contents(&'a [u8]),
    /// A directory with one or two entries, or a part of one.
    Values {
        /// Whether it is a directory; else an inner part.
        root: bool,
        /// In the order of their names.
        entries: &'a [NewEntry<'a>],
    },
    /// A directory with more entries, or a part of one.
    Tree {
        /// How far below the root of the directory; that itself has 0.
        depth: u64,
        /// How many entries there are below.
        len: u64,
        /// Offsets of the parts with bit 0 and with bit 1.
        parts: [Option<u64>; ENTRIES],
    },
}

/// An entry of a directory to be written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NewEntry<'a> {
    /// Its name.
    pub name: &'a [u8],
    /// Whether it leads to a directory; else to contents.
    pub directory: bool,
    /// Global offset of what it leads to.
    pub offset: u64,
}

/// What was handed over.
#[must_use = "`keep` makes the tree remember what is stored"]
pub struct Written {
    /// Global offset of the directory.
    pub offset: u64,
    /// Its hash.
    pub hash: Hash,
    /// How many objects were written.
    pub objects: u64,
    places: Vec<(Stored, u64)>,
}

/// Something in memory that is stored now.
enum Stored {
    Part(Arc<Inode>),
    Value(Arc<Value>),
}

/// What was written in this pass: a part or value in memory, by its address, or an object of another
/// context.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Known {
    Memory(usize),
    Elsewhere(usize, u64),
}

/// A part whose children are being written.
struct Frame {
    inode: Arc<Inode>,
    /// Whether the part is in the tree, or was loaded for this pass only.
    held: bool,
    hash: Hash,
    known: Known,
    depth: u32,
    bits: u64,
    /// Offsets of the children so far.
    done: Vec<Option<u64>>,
}

/// One pass.
struct Pass<'w> {
    writer: &'w mut dyn Persist,
    known: BTreeMap<Known, u64>,
    places: Vec<(Stored, u64)>,
    objects: u64,
}

impl NewObject<'_> {
    /// What it is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Contents(_) => Kind::Contents,
            Self::Values { root: true, .. } | Self::Tree { depth: 0, .. } => Kind::Root,
            Self::Values { .. } | Self::Tree { .. } => Kind::Inner,
        }
    }

    /// Appends its value, as the entry of a pack has it. `number` gives the number of a name in the
    /// dictionary, if it has one.
    pub fn write(&self, number: &mut dyn FnMut(&[u8]) -> Option<u64>, out: &mut Vec<u8>) {
        match *self {
            Self::Contents(bytes) => out.extend_from_slice(bytes),
            Self::Values { entries, .. } => {
                let mut values = [None; ENTRIES];
                for (place, entry) in values.iter_mut().zip(entries) {
                    let step = number(entry.name).map_or(Step::Inline(entry.name), Step::Dict);
                    let child = pack::Child::Offset(entry.offset);
                    *place = Some(pack::Value { step, node: entry.directory, child });
                }
                pack::Inode::Values(values).put(out);
            }
            Self::Tree { depth, len, parts } => {
                let mut pointers = [None; ENTRIES];
                let there = (0..).zip(parts).filter_map(|(index, part)| Some((index, part?)));
                for (place, (index, offset)) in pointers.iter_mut().zip(there) {
                    *place = Some(Pointer { index, child: pack::Child::Offset(offset) });
                }
                pack::Inode::Tree { depth, len, pointers }.put(out);
            }
        }
    }
}

impl Tree {
    /// Hands everything over that the writer's context does not have, children before parents, what
    /// is shared once. The tree is hashed first, without the effects of [`Tree::hash`] on clones of it.
    ///
    /// The tree does not remember it before [`Written::keep`], so that a writer can fail and begin
    /// again. A commit is what usually follows: [`Tree::commit`].
    ///
    /// Memory: what is written and in memory is remembered, 24 bytes each; of other contexts 24 bytes
    /// an object, and nothing is kept loaded.
    ///
    /// # Errors
    /// [`Code::ContextShape`] for the empty tree, which has no object; those of the writer; as
    /// [`Tree::hash`].
    pub fn persist(&self, writer: &mut dyn Persist) -> Result<Written> {
        let effects = Effects::new();
        let hash = self.clone().noting(Some(effects.clone())).hash()?;
        effects.undo();
        let Some(directory) = &self.root else {
            return Err(Problem::new(Code::ContextShape).found("a directory without entries"));
        };
        let mut pass = Pass { writer, known: BTreeMap::new(), places: Vec::new(), objects: 0 };
        let offset = pass.directory(&directory.root)?;
        Ok(Written { offset, hash, objects: pass.objects, places: pass.places })
    }
}

impl Written {
    /// Remembers what is stored now: the objects can be read from this store at the offsets that
    /// the writer gave. To be called when that is so, and lasting.
    pub fn keep(self, store: &Arc<ObjectStore>) {
        for (stored, offset) in self.places {
            let place = Place { store: store.clone(), offset };
            match stored {
                Stored::Part(inode) => {
                    store.add_loaded(inode.footprint());
                    set(&inode.place, place);
                }
                Stored::Value(value) => {
                    store.add_loaded(value.footprint());
                    set(&value.place, place);
                }
            }
        }
    }
}

impl core::fmt::Debug for Written {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Written")
            .field("offset", &self.offset)
            .field("objects", &self.objects)
            .finish_non_exhaustive()
    }
}

impl Pass<'_> {
    /// Writes a directory and all below it. No recursion: directories can be nested deeper than any
    /// stack.
    fn directory(&mut self, root: &Part) -> Result<u64> {
        let mut stack = match self.enter(root, 0, 0)? {
            Ok(offset) => return Ok(offset),
            Err(frame) => Vec::from([frame]),
        };
        while let Some(frame) = stack.last_mut() {
            let next = frame.done.len();
            let below = match &frame.inode.slots {
                Slots::Tree(parts) => parts.get(next).map(|part| match part {
                    Some(part) => {
                        let bits = frame.bits << 1 | u64::from(next == 1);
                        self.enter(part, frame.depth + 1, bits).map(Some)
                    }
                    None => Ok(None),
                }),
                Slots::Values(entries) => {
                    entries.get(next).and_then(Option::as_ref).map(|entry| match &entry.child {
                        Child::Directory(part) => self.enter(part, 0, 0).map(Some),
                        Child::Object(directory) => self.enter(&directory.root, 0, 0).map(Some),
                        Child::Value(value) | Child::NewValue(value) => {
                            self.value(value).map(|offset| Some(Ok(offset)))
                        }
                    })
                }
            };
            match below.transpose()? {
                Some(Some(Err(frame))) => stack.push(frame),
                Some(Some(Ok(offset))) => frame.done.push(Some(offset)),
                Some(None) => frame.done.push(None),
                None => {
                    let Some(frame) = stack.pop() else { break };
                    let offset = self.part(frame)?;
                    match stack.last_mut() {
                        Some(above) => above.done.push(Some(offset)),
                        None => return Ok(offset),
                    }
                }
            }
        }
        Err(lost())
    }

    /// The offset of a part, or what is to be done for it.
    fn enter(&self, part: &Part, depth: u32, bits: u64) -> Result<Result<u64, Frame>> {
        let place = match part {
            Part::Stored(stub) => Some(&stub.place),
            Part::Here(inode) => inode.place.get(),
        };
        if let Some(place) = place.filter(|place| self.writer.extends(&place.store)) {
            return Ok(Ok(place.offset));
        }
        let known = match part {
            Part::Stored(stub) => elsewhere(&stub.place),
            Part::Here(inode) => Known::Memory(Arc::as_ptr(inode).addr()),
        };
        if let Some(offset) = self.known.get(&known) {
            return Ok(Ok(*offset));
        }
        let (inode, held) = match part {
            Part::Here(inode) => (inode.clone(), true),
            Part::Stored(stub) => (Arc::new(stub.load(depth, bits)?), false),
        };
        let hash = part.hash(depth)?;
        Ok(Err(Frame { inode, held, hash, known, depth, bits, done: Vec::with_capacity(ENTRIES) }))
    }

    /// Writes a part whose children are written.
    fn part(&mut self, frame: Frame) -> Result<u64> {
        let depth = u64::from(frame.depth);
        let mut done = frame.done.iter().copied();
        let offset = match &frame.inode.slots {
            Slots::Values(values) => {
                let mut entries = [NewEntry::default(); ENTRIES];
                let mut count = 0;
                for ((place, entry), offset) in entries.iter_mut().zip(values.iter().flatten()).zip(done) {
                    let (name, directory) = (&*entry.name, entry.child.is_directory());
                    *place = NewEntry { name, directory, offset: offset.ok_or_else(lost)? };
                    count += 1;
                }
                let entries = entries.get(..count).unwrap_or_default();
                self.writer.put(&frame.hash, &NewObject::Values { root: depth == 0, entries })?
            }
            Slots::Tree(_) => {
                let parts = [done.next().flatten(), done.next().flatten()];
                self.writer.put(&frame.hash, &NewObject::Tree { depth, len: frame.inode.len, parts })?
            }
        };
        self.objects += 1;
        self.known.insert(frame.known, offset);
        if frame.held {
            self.places.push((Stored::Part(frame.inode), offset));
        }
        Ok(offset)
    }

    fn value(&mut self, value: &Arc<Value>) -> Result<u64> {
        let known = match value.place.get() {
            Some(place) if self.writer.extends(&place.store) => return Ok(place.offset),
            Some(place) => elsewhere(place),
            None => Known::Memory(Arc::as_ptr(value).addr()),
        };
        if let Some(offset) = self.known.get(&known) {
            return Ok(*offset);
        }
        let bytes: Bytes = value.read()?;
        let offset = self.writer.put(&value.hash()?, &NewObject::Contents(&bytes))?;
        self.objects += 1;
        self.known.insert(known, offset);
        if value.place.get().is_none() {
            self.places.push((Stored::Value(value.clone()), offset));
        }
        Ok(offset)
    }
}

fn elsewhere(place: &Place) -> Known {
    Known::Elsewhere(Arc::as_ptr(&place.store).addr(), place.offset)
}
