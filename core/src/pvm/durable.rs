//! The durable storage of a kernel: keys, values and the operations on them.
//!
//! The value of a key is the directory `@` below it: its `length` (8 bytes, big-endian) and, below
//! `contents`, chunks of 512 bytes named by their number. Chunks that were never written are absent
//! and read as zeros.

use alloc::vec;
use alloc::vec::Vec;

use super::codec::{Decimal, Steps, damaged, join};
use crate::context::edit::{Bytes, Look, Node, Path, Subtree, Tree};
use crate::encoding::primitive;
use crate::problem::{Problem, Result};

/// The name below a key that leads to its value.
const VALUE: &[u8] = b"@";
const LENGTH: &[u8] = b"length";
const CONTENTS: &[u8] = b"contents";

/// Length of a chunk, in bytes.
pub(super) const CHUNK: usize = 512;

/// Longest value, in bytes.
pub(super) const MAX_VALUE: u64 = i32::MAX as u64;

/// The durable storage. A clone costs nothing.
#[derive(Clone, Debug, Default)]
pub(super) struct Durable(pub(super) Tree);

/// A value of the durable storage, not read yet.
pub(super) struct Value<'k> {
    key: &'k Steps<'k>,
    tree: Subtree<'k>,
    length: u64,
}

/// A change of a value, prepared.
pub(super) struct Change {
    /// The chunks that change, each by its number and as a whole.
    chunks: Vec<(u64, Bytes)>,
    /// The end of what is written.
    end: u64,
    /// The length of the value before; `None` when there was none.
    length: Option<u64>,
}

impl Durable {
    /// The value of a key, if it has one.
    pub(super) fn value<'k>(&'k self, key: &'k Steps<'k>) -> Result<Option<Value<'k>>> {
        self.value_on(key, &path_to_value(key))
    }

    /// The same, on the path that is made for it.
    pub(super) fn value_on<'k>(&'k self, key: &'k Steps<'k>, path: &Path<'_>) -> Result<Option<Value<'k>>> {
        let tree = match self.0.look_on(path)? {
            None => return Ok(None),
            Some(Look::Directory(tree)) => tree,
            Some(Look::Value(_)) => return Err(at(key, &[]).expected("a directory").found("a value")),
        };
        let length = match tree.look(&[LENGTH])? {
            Some(Look::Value(bytes)) => (*bytes).try_into().ok().map(u64::from_be_bytes),
            _ => None,
        };
        let length = length.ok_or_else(|| at(key, &[LENGTH]).expected("a length of 8 bytes"))?;
        if length > MAX_VALUE {
            let wanted = format_args!("at most {MAX_VALUE} bytes");
            return Err(at(key, &[LENGTH]).expected(wanted).found(length));
        }
        Ok(Some(Value { key, tree, length }))
    }

    /// Whether a key has a value.
    pub(super) fn has_value(&self, key: &Steps<'_>) -> Result<bool> {
        self.0.mem_tree(&join(key, &[VALUE]))
    }

    /// Hash of the value of a key, if it has one.
    pub(super) fn value_hash(&self, key: &Steps<'_>) -> Result<Option<[u8; 32]>> {
        self.0.hash_of(&join(key, &[VALUE]))
    }

    /// Writes into a value, from an offset up to its length on; a value that is not there is made.
    pub(super) fn write(&mut self, key: &Steps<'_>, offset: u64, bytes: &[u8]) -> Result<()> {
        let path = path_to_value(key);
        let change = Change::new(self.value_on(key, &path)?.as_ref(), offset, bytes)?;
        self.apply(path, change)
    }

    /// Makes a change of the value at a path, which must be as it was when the change was prepared.
    pub(super) fn apply(&mut self, path: Path<'_>, change: Change) -> Result<()> {
        let Some(length) = change.length else {
            return self.0.add_on(&path, Node::Directory(new_value(change.chunks, change.end)?));
        };
        let names: Vec<Decimal> = change.chunks.iter().map(|(number, _)| Decimal::new(*number)).collect();
        let mut path = path;
        path.push(CONTENTS);
        for (name, (_, chunk)) in names.iter().zip(change.chunks) {
            path.push(name.name());
            self.0.add_on(&path, Node::Value(chunk))?;
            path.pop();
        }
        if change.end > length {
            path.pop();
            path.push(LENGTH);
            self.0.add_on(&path, Node::Value(Bytes::from(&change.end.to_be_bytes()[..])))?;
        }
        Ok(())
    }

    /// Writes nothing at the start: makes an empty value, or leaves the one that is there as it is.
    pub(super) fn touch(&mut self, key: &Steps<'_>) -> Result<()> {
        self.write(key, 0, &[])
    }

    /// The directory of a value, to be reused by [`Durable::write_again`]: only what is at hand.
    pub(super) fn directory_of(&self, key: &Steps<'_>) -> Option<Tree> {
        match self.0.look(&join(key, &[VALUE])) {
            Ok(Some(Look::Directory(tree))) => Some(tree.to_tree()),
            _ => None,
        }
    }

    /// Writes a value that had the directory `old` before it was deleted, and is often the same as then: what is known of
    /// that is not found out again. A value that is there stays, but for what is written.
    pub(super) fn write_again(&mut self, key: &Steps<'_>, bytes: &[u8], old: Option<&Tree>) -> Result<()> {
        let Some(old) = old else { return self.write(key, 0, bytes) };
        if self.has_value(key)? {
            return self.write(key, 0, bytes);
        }
        let change = Change::new(None, 0, bytes)?;
        let new = new_value(change.chunks, change.end)?;
        self.0.add_tree(&join(key, &[VALUE]), new.reusing(old))
    }

    /// Makes a value of zeros, without chunks.
    pub(super) fn create(&mut self, key: &Steps<'_>, length: u64) -> Result<()> {
        self.set_length(key, length)
    }

    /// Replaces a value.
    pub(super) fn set(&mut self, key: &Steps<'_>, bytes: &[u8]) -> Result<()> {
        self.delete_value(key)?;
        self.write(key, 0, bytes)
    }

    /// Removes a key, with its value and all below it.
    pub(super) fn delete(&mut self, key: &Steps<'_>) -> Result<()> {
        self.0.remove(key)
    }

    /// Removes a value and leaves what is below the key.
    pub(super) fn delete_value(&mut self, key: &Steps<'_>) -> Result<()> {
        self.0.remove(&join(key, &[VALUE]))
    }

    /// Puts what is at a key in the place of what is at another one. Says whether there is something.
    pub(super) fn copy(&mut self, from: &Steps<'_>, to: &Steps<'_>) -> Result<bool> {
        let Some(tree) = self.0.find_tree(from)? else { return Ok(false) };
        self.0.add_tree(to, tree)?;
        Ok(true)
    }

    /// As [`Durable::copy`], and removes it from where it was before it is put.
    pub(super) fn shift(&mut self, from: &Steps<'_>, to: &Steps<'_>) -> Result<bool> {
        let Some(tree) = self.0.find_tree(from)? else { return Ok(false) };
        self.0.remove(from)?;
        self.0.add_tree(to, tree)?;
        Ok(true)
    }

    fn set_length(&mut self, key: &Steps<'_>, length: u64) -> Result<()> {
        self.0.add(&join(key, &[VALUE, LENGTH]), &length.to_be_bytes()[..])
    }
}

impl Value<'_> {
    /// Its length, in bytes.
    pub(super) fn len(&self) -> u64 {
        self.length
    }

    /// Up to `len` bytes from an offset on.
    pub(super) fn read(&self, offset: u64, len: u64) -> Result<Vec<u8>> {
        let end = self.length.min(offset.saturating_add(len));
        let mut bytes = vec![0; usize::try_from(end.saturating_sub(offset)).unwrap_or(0)];
        let mut rest = &mut bytes[..];
        let mut from = offset;
        let mut chunk = [0; CHUNK];
        while !rest.is_empty() {
            let within = (from % CHUNK as u64) as usize;
            self.chunk(from / CHUNK as u64, &mut chunk)?;
            let part = chunk.get(within..).unwrap_or_default();
            let (place, after) = rest.split_at_mut(part.len().min(rest.len()));
            place.copy_from_slice(part.get(..place.len()).unwrap_or_default());
            from += place.len() as u64;
            rest = after;
        }
        Ok(bytes)
    }

    fn chunk(&self, number: u64, out: &mut [u8; CHUNK]) -> Result<()> {
        let name = Decimal::new(number);
        let wrong = || at(self.key, &[CONTENTS, name.name()]).expected("a chunk of 512 bytes");
        match self.tree.look(&[CONTENTS, name.name()])? {
            None => *out = [0; CHUNK],
            Some(Look::Value(bytes)) => {
                let mut input = &*bytes;
                *out = primitive::bytes(&mut input).map_err(|_| wrong().found(bytes.len()))?;
                primitive::end(input).map_err(|_| wrong().found(bytes.len()))?;
            }
            Some(Look::Directory(_)) => return Err(wrong().found("a directory")),
        }
        Ok(())
    }
}

/// The path to the directory of a value.
pub(super) fn path_to_value<'k>(key: &Steps<'k>) -> Path<'k> {
    Path::new(key.iter().copied().chain([VALUE]))
}

/// The directory of a new value.
fn new_value(chunks: Vec<(u64, Bytes)>, length: u64) -> Result<Tree> {
    let mut contents = Tree::new();
    for (number, chunk) in chunks {
        contents.add(&[Decimal::new(number).name()], chunk)?;
    }
    let length = Node::Value(Bytes::from(&length.to_be_bytes()[..]));
    Tree::pair([(CONTENTS, Node::Directory(contents)), (LENGTH, length)])
}

impl Change {
    /// What writing bytes into a value, or where none is, will change.
    pub(super) fn new(old: Option<&Value<'_>>, offset: u64, bytes: &[u8]) -> Result<Self> {
        let (mut from, mut rest) = (offset, bytes);
        let mut chunks = Vec::new();
        while !rest.is_empty() {
            let (number, within) = (from / CHUNK as u64, (from % CHUNK as u64) as usize);
            let (part, after) = rest.split_at(rest.len().min(CHUNK - within));
            let mut chunk = [0; CHUNK];
            if let Some(old) = old {
                old.chunk(number, &mut chunk)?;
            }
            if let Some(place) = chunk.get_mut(within..within + part.len()) {
                place.copy_from_slice(part);
            }
            chunks.push((number, Bytes::from(chunk)));
            (rest, from) = (after, from + part.len() as u64);
        }
        Ok(Self { chunks, end: from, length: old.map(Value::len) })
    }
}

/// A value is malformed.
fn at(key: &Steps<'_>, within: &Steps<'_>) -> Problem {
    damaged(&[&[&b"durable"[..]], key, &[VALUE], within].concat())
}
