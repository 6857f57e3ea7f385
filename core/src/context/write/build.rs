//! A context with a single commit, made of a tree.

use alloc::collections::BTreeMap;
use alloc::string::ToString;
use alloc::vec::Vec;

use super::{Shell, Sink, prefix_name};
use crate::code::Code;
use crate::context::edit::{NewObject, Persist, Tree};
use crate::context::pack::{
    Child, Commit, ENTRIES, Hash, Head, Inode, Kind, MAX_DICT_STEPS, Mapping, Pointer, Step, Value, hashing,
};
use crate::hash::ContextHash;
use crate::problem::{Problem, Result};

/// Longest name of an entry, in bytes, so that two of them fit into what readers take for an inode.
const MAX_NAME: usize = 64 << 10;

/// Longest name that never goes into the dictionary, in bytes.
const SHORT_NAME: usize = 3;

/// Depth at which no name is told from another any more.
const MAX_DEPTH: u32 = 50;

/// How much is handed over at once, in bytes.
const CHUNK: usize = 256 << 10;

/// Number of prefix and mapping of a context that was never anything else.
const GENERATION: u64 = 1;

/// Builds a context from the bottom: contents first, then directories of what is there already, and
/// at last the commit. Memory: the dictionary.
///
/// Nothing is merged: what is given twice is written twice. An [`Object`] may be used more than once.
pub struct Builder<'a> {
    sink: &'a mut dyn Sink,
    buffer: Vec<u8>,
    /// Global offset of the next object.
    end: u64,
    numbers: BTreeMap<Vec<u8>, u64>,
}

/// What was written already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Object {
    hash: Hash,
    offset: u64,
    node: bool,
}

/// An entry of a directory and the bits that place it.
#[derive(Clone, Copy)]
struct Entry<'a> {
    bits: u64,
    name: &'a [u8],
    object: Object,
}

impl Object {
    /// Its hash.
    pub fn hash(&self) -> &Hash {
        &self.hash
    }
}

impl<'a> Builder<'a> {
    /// Begins.
    ///
    /// # Errors
    /// What the sink reports.
    pub fn new(sink: &'a mut dyn Sink) -> Result<Self> {
        sink.create(&prefix_name(GENERATION))?;
        Ok(Self { sink, buffer: Vec::new(), end: 0, numbers: BTreeMap::new() })
    }

    /// Writes contents.
    ///
    /// # Errors
    /// What the sink reports.
    pub fn contents(&mut self, bytes: &[u8]) -> Result<Object> {
        let hash = hashing::contents(bytes);
        Ok(Object { hash, offset: self.append(hash, Kind::Contents, bytes)?, node: false })
    }

    /// Writes a directory with these entries, in any order.
    ///
    /// # Errors
    /// [`Code::ContextShape`] when there is no entry, a name is empty, too long or stands twice; what
    /// the sink reports.
    pub fn directory(&mut self, entries: &[(&[u8], Object)]) -> Result<Object> {
        let mut entries: Vec<Entry<'_>> =
            entries.iter().map(|&(name, object)| Entry { bits: hashing::bits(name), name, object }).collect();
        entries.sort_unstable_by_key(|entry| (entry.bits, entry.name));
        let wrong = |what: &str| Err(Problem::new(Code::ContextShape).found(what));
        if entries.is_empty() {
            return wrong("a directory without entries");
        }
        if entries.iter().any(|entry| entry.name.is_empty() || entry.name.len() > MAX_NAME) {
            return wrong("a name that is empty or longer than 64 KiB");
        }
        if entries.windows(2).any(|pair| pair[0].name == pair[1].name) {
            return wrong("two entries of the same name");
        }
        self.inode(&mut entries, 0)
    }

    /// Writes a tree, all of it.
    ///
    /// # Errors
    /// As [`Tree::persist`].
    pub fn tree(&mut self, tree: &Tree) -> Result<Object> {
        let written = tree.persist(self)?;
        Ok(Object { hash: written.hash, offset: written.offset, node: true })
    }

    /// Writes the commit of a root directory, and completes the context. Its hash.
    ///
    /// # Errors
    /// [`Code::ContextShape`] when the root is no directory; what the sink reports.
    pub fn commit(mut self, root: Object, author: &[u8], message: &[u8]) -> Result<ContextHash> {
        if !root.node {
            return Err(Problem::new(Code::ContextShape).expected("a directory").found("contents"));
        }
        let child = Child::Offset(root.offset);
        let commit = Commit { root: child, parents: 0, date: 0, author, message };
        let hash = commit.hash(&root.hash);
        let mut value = Vec::new();
        commit.put(&mut value);
        let offset = self.append(hash, Kind::Commit, &value)?;
        self.flush()?;
        let mut names: Vec<(&u64, &Vec<u8>)> =
            self.numbers.iter().map(|(name, number)| (number, name)).collect();
        names.sort_unstable();
        let shell = Shell {
            commit: hash,
            offset,
            len: self.end - offset,
            generation: GENERATION,
            mapping: &Mapping::of([(0, self.end)]),
        };
        shell.write(names.into_iter().map(|(_, name)| &**name), self.sink)?;
        Ok(ContextHash::new(hash))
    }

    /// Writes a directory, or the part of one that shares the first `depth` bits, which are all
    /// sorted. The recursion ends at [`MAX_DEPTH`].
    fn inode(&mut self, entries: &mut [Entry<'_>], depth: u32) -> Result<Object> {
        let kind = if depth == 0 { Kind::Root } else { Kind::Inner };
        let mut image = Vec::new();
        let mut value = Vec::new();
        if entries.len() <= ENTRIES {
            entries.sort_unstable_by_key(|entry| entry.name);
            let hashed = entries.iter().map(|entry| (entry.name, entry.object.node, entry.object.hash));
            match kind {
                Kind::Root => hashing::put_root(hashed, &mut image),
                _ => hashing::put_values(hashed, &mut image),
            }
            let mut values = [None; ENTRIES];
            for (place, entry) in values.iter_mut().zip(entries.iter()) {
                let step = self.number(entry.name).map_or(Step::Inline(entry.name), Step::Dict);
                let child = Child::Offset(entry.object.offset);
                *place = Some(Value { step, node: entry.object.node, child });
            }
            Inode::Values(values).put(&mut value);
        } else {
            if depth >= MAX_DEPTH {
                return Err(Problem::new(Code::ContextShape).found("names that cannot be told apart"));
            }
            let len = entries.len() as u64;
            let ones = entries.partition_point(|entry| entry.bits << depth >> 63 == 0);
            let (zeros, ones) = entries.split_at_mut(ones);
            let mut pointers = [None; ENTRIES];
            let mut hashes = Vec::new();
            let halves = [(0, zeros), (1, ones)].into_iter().filter(|(_, half)| !half.is_empty());
            for (place, (index, half)) in pointers.iter_mut().zip(halves) {
                let object = self.inode(half, depth + 1)?;
                *place = Some(Pointer { index, child: Child::Offset(object.offset) });
                hashes.push((index, object.hash));
            }
            hashing::put_tree(u64::from(depth), len, hashes.into_iter(), &mut image);
            Inode::Tree { depth: u64::from(depth), len, pointers }.put(&mut value);
        }
        let hash = hashing::hash(&image);
        Ok(Object { hash, offset: self.append(hash, kind, &value)?, node: true })
    }

    /// The number of a name in the dictionary, which it gets if it is worth one.
    fn number(&mut self, name: &[u8]) -> Option<u64> {
        if let Some(number) = self.numbers.get(name) {
            return Some(*number);
        }
        if name.len() <= SHORT_NAME || self.numbers.len() >= MAX_DICT_STEPS {
            return None;
        }
        let number = self.numbers.len() as u64;
        self.numbers.insert(name.into(), number);
        Some(number)
    }

    /// Appends an entry; its global offset.
    fn append(&mut self, hash: Hash, kind: Kind, value: &[u8]) -> Result<u64> {
        let offset = self.end;
        Head::put(&hash, kind, value, &mut self.buffer);
        self.end += Head::entry_len_of(value.len() as u64);
        if self.buffer.len() >= CHUNK {
            self.flush()?;
        }
        Ok(offset)
    }

    fn flush(&mut self) -> Result<()> {
        self.sink.write(&self.buffer)?;
        self.buffer.clear();
        Ok(())
    }
}

/// All of a tree, into a context of its own.
impl Persist for Builder<'_> {
    fn put(&mut self, hash: &Hash, object: &NewObject<'_>) -> Result<u64> {
        let mut value = Vec::new();
        object.write(&mut |name| self.number(name), &mut value);
        self.append(*hash, object.kind(), &value)
    }
}

impl core::fmt::Debug for Builder<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Builder").field("end", &self.end.to_string()).finish_non_exhaustive()
    }
}
