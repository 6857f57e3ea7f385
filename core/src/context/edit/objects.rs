//! Where a tree loads what it does not hold: objects of a context, by their offsets.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::sync::atomic::{AtomicU64, Ordering};

use once_cell::race::OnceBox;

use super::Bytes;
use super::part::{Child, Entry, Inode, Part, Place, Slots, Stub};
use super::value::Value;
use crate::code::Code;
use crate::context::pack::{self, ENTRIES, Hash, Head, Kind, MAX_INODE, Malformed, Step, hashing};
use crate::context::{Context, MAX_BITS, earlier, no_entry, path};
use crate::problem::{Place as Where, Problem, Result};
use crate::read_at::Files;

/// Most bytes of contents that are loaded: 16 MiB. The PVM's chunks have 512, its messages 4096.
pub const MAX_CONTENTS: u64 = 16 << 20;

/// Reads the objects of one context. Offsets are global, and what is at one never changes.
pub trait Source: Send + Sync {
    /// The head of the object at an offset.
    ///
    /// # Errors
    /// [`Code::ContextChild`] when nothing is there, [`Code::ContextEntry`] when it is no object;
    /// whatever the files report.
    fn head(&self, offset: u64) -> Result<Head>;

    /// Head and value of the object of this kind at an offset.
    ///
    /// # Errors
    /// As [`Source::head`]; [`Code::ContextChild`] when the object is of another kind,
    /// [`Code::ContextEntry`] when its value has more than `most` bytes.
    fn object(&self, offset: u64, kind: Kind, most: u64, value: &mut Vec<u8>) -> Result<Head>;

    /// The name of this number in the dictionary, for the object at an offset.
    ///
    /// # Errors
    /// [`Code::ContextEntry`] when there is none.
    fn name(&self, offset: u64, number: u64) -> Result<Bytes>;
}

impl<F> Source for Context<F>
where
    F: Files + Send + Sync,
    F::File: Send + Sync,
{
    fn head(&self, offset: u64) -> Result<Head> {
        Self::head(self, offset)
    }

    fn object(&self, offset: u64, kind: Kind, most: u64, value: &mut Vec<u8>) -> Result<Head> {
        Self::object(self, offset, kind, most, value)
    }

    fn name(&self, offset: u64, number: u64) -> Result<Bytes> {
        self.name_of(offset, Step::Dict(number)).map(Bytes::from)
    }
}

/// A source that others hold too.
impl<S: Source + ?Sized> Source for Arc<S> {
    fn head(&self, offset: u64) -> Result<Head> {
        (**self).head(offset)
    }

    fn object(&self, offset: u64, kind: Kind, most: u64, value: &mut Vec<u8>) -> Result<Head> {
        (**self).object(offset, kind, most, value)
    }

    fn name(&self, offset: u64, number: u64) -> Result<Bytes> {
        (**self).name(offset, number)
    }
}

/// The objects of one context, with a count of what trees have loaded of them.
pub struct ObjectStore {
    source: Box<dyn Source>,
    checked: bool,
    loaded: AtomicU64,
}

impl ObjectStore {
    /// The objects of a source. Contents are always compared with their hashes; of directories only
    /// the form is checked, so that a wrong one shows in the hash of the tree after a change, at the
    /// latest.
    pub fn new(source: impl Source + 'static) -> Arc<Self> {
        Arc::new(Self { source: Box::new(source), checked: false, loaded: AtomicU64::new(0) })
    }

    /// The same, but each part of a directory is compared with its hash when it is loaded. That
    /// takes two more reads a part.
    pub fn checked(source: impl Source + 'static) -> Arc<Self> {
        Arc::new(Self { source: Box::new(source), checked: true, loaded: AtomicU64::new(0) })
    }

    /// About how many bytes trees have taken for what they loaded since they were shrunk last
    /// ([`Tree::shrink`](super::Tree::shrink)).
    pub fn loaded(&self) -> u64 {
        self.loaded.load(Ordering::Relaxed)
    }

    pub(super) fn forget_loaded(&self) {
        self.loaded.store(0, Ordering::Relaxed);
    }

    pub(super) fn add_loaded(&self, bytes: usize) {
        self.loaded.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// The hash that the object of this kind at an offset says it has.
    pub(super) fn hash(&self, offset: u64, kind: Kind) -> Result<Hash> {
        let head = self.source.head(offset)?;
        if head.kind != kind {
            return Err(Problem::new(Code::ContextChild)
                .at(Where::Context(offset))
                .expected(kind.words())
                .found(head.kind.words()));
        }
        Ok(head.hash)
    }

    /// The contents at an offset, which have their hash.
    pub(super) fn contents(&self, offset: u64) -> Result<(Hash, Bytes)> {
        let mut value = Vec::new();
        let head = self.source.object(offset, Kind::Contents, MAX_CONTENTS, &mut value)?;
        self.same_hash(offset, &head.hash, &hashing::contents(&value))?;
        Ok((head.hash, value.into()))
    }

    /// The part of a directory at an offset: its root if `depth` is 0, else the part that all names
    /// lead to whose hash begins with these `depth` bits.
    pub(super) fn inode(self: &Arc<Self>, offset: u64, depth: u32, bits: u64) -> Result<(Hash, Inode)> {
        let kind = if depth == 0 { Kind::Root } else { Kind::Inner };
        let mut value = Vec::new();
        let head = self.source.object(offset, kind, MAX_INODE, &mut value)?;
        let inode = match pack::Inode::parse(&value).map_err(|why| no_entry(offset, why))? {
            pack::Inode::Values(values) => self.values(offset, depth, bits, &values)?,
            pack::Inode::Tree { depth: said, len, pointers } => {
                if said != u64::from(depth) || said >= MAX_BITS {
                    return Err(Problem::new(Code::ContextShape)
                        .at(Where::Context(offset))
                        .expected(format_args!("depth {depth}, below {MAX_BITS}"))
                        .found(said));
                }
                if len <= ENTRIES as u64 {
                    return Err(shape(offset, "parts where its few entries would do"));
                }
                let mut parts = [const { None }; ENTRIES];
                for pointer in pointers.iter().flatten() {
                    let at = usize::try_from(pointer.index).ok();
                    let place = at.and_then(|at| parts.get_mut(at)).filter(|place| place.is_none());
                    let place =
                        place.ok_or_else(|| shape(offset, "the bits of its parts are not 0 and 1"))?;
                    let child = earlier(offset, pointer.child)?;
                    *place = Some(Part::Stored(Arc::new(Stub::new(self, child))));
                }
                if parts.iter().all(Option::is_none) {
                    return Err(shape(offset, "a directory without parts"));
                }
                Inode::new(0, 0, len, Slots::Tree(parts))
            }
        };
        if self.checked {
            self.same_hash(offset, &head.hash, &inode.image_hash(depth)?)?;
        }
        Ok((head.hash, inode))
    }

    fn values(
        self: &Arc<Self>,
        offset: u64,
        depth: u32,
        bits: u64,
        values: &[Option<pack::Value<'_>>; ENTRIES],
    ) -> Result<Inode> {
        let mut entries = [const { None }; ENTRIES];
        let mut last: Option<Bytes> = None;
        let mut len = 0;
        for (entry, value) in entries.iter_mut().zip(values.iter().flatten()) {
            let name = match value.step {
                Step::Inline(name) => name.into(),
                Step::Dict(number) => self.source.name(offset, number)?,
            };
            if last.as_ref().is_some_and(|last| *last >= name) {
                return Err(shape(offset, "entries that are not in the order of their names"));
            }
            if depth > 0 && hashing::bits(&name) >> (64 - depth) != bits {
                return Err(shape(offset, "an entry where the hash of its name does not lead"));
            }
            let child = earlier(offset, value.child)?;
            let child = if value.node {
                Child::Directory(Part::Stored(Arc::new(Stub::new(self, child))))
            } else {
                Child::Value(Arc::new(Value::stored(Place { store: self.clone(), offset: child })))
            };
            last = Some(name.clone());
            *entry = Some(Entry { name, child });
            len += 1;
        }
        if len == 0 {
            return Err(shape(offset, "a directory without entries"));
        }
        Ok(Inode::new(0, 0, len, Slots::Values(entries)))
    }

    fn same_hash(&self, offset: u64, stored: &Hash, found: &Hash) -> Result<()> {
        if stored == found {
            return Ok(());
        }
        Err(Problem::new(Code::ContextHash)
            .at(Where::Context(offset))
            .expected(path::hex(stored))
            .found(path::hex(found)))
    }
}

impl fmt::Debug for ObjectStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ObjectStore").field("loaded", &self.loaded()).finish_non_exhaustive()
    }
}

/// A stored directory does not have the form that its entries give it.
pub(super) fn shape(offset: u64, found: &str) -> Problem {
    Problem::new(Code::ContextShape).at(Where::Context(offset)).found(found)
}

/// What must have been stored is neither there nor in memory.
pub(super) fn lost() -> Problem {
    no_entry(0, Malformed("it is neither stored nor in memory"))
}

/// Sets a cell that nobody else sets to something else.
pub(super) fn set<T>(cell: &OnceBox<T>, value: T) -> &T {
    cell.get_or_init(|| Box::new(value))
}
