//! The durable storage of a WASM kernel, with the keys that the kernel knows.
//!
//! The value of key `/evm/x` is the directory `pvm_state/durable/evm/x/@`: its `length` (8 bytes,
//! big-endian) and, below `contents`, the chunks `0`, `1` and so on.

use alloc::format;
use alloc::vec::Vec;

use super::tree::{Link, Object};
use super::{Tree, path};
use crate::code::Code;
use crate::problem::{Place, Problem, Result};
use crate::read_at::Files;

/// The name under which the value of a key is, beside the keys below it.
pub(super) const VALUE: &[u8] = b"@";

/// The directory of the durable storage, in that of the state.
pub(super) const ROOT: &[u8] = b"durable";

/// The length of a value, in its directory.
pub(super) const LENGTH: &[u8] = b"length";

/// The chunks of a value, in its directory.
pub(super) const CONTENTS: &[u8] = b"contents";

/// What is at a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    /// Its value, if it has one.
    pub value: Option<Value>,
    /// Whether there are keys below it.
    pub below: bool,
}

/// The value of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Value {
    /// Length, in bytes.
    pub size: u64,
    /// Global offset of the directory that holds its chunks; `None` when there are none.
    chunks: Option<u64>,
    /// Global offset of the directory `@`.
    offset: u64,
}

/// Keys side by side: the last step of each, and what is there.
pub type Keys = Vec<(Vec<u8>, Key)>;

/// The path of a key in the tree, without the `@` of its value.
pub fn path_of(key: &[Vec<u8>]) -> Vec<Vec<u8>> {
    [&b"pvm_state"[..], b"durable"].into_iter().map(<[u8]>::to_vec).chain(key.iter().cloned()).collect()
}

impl<F: Files> Tree<'_, F> {
    /// What is at a key; `None` when nothing is.
    ///
    /// # Errors
    /// As [`Tree::get`], and [`Code::ContextState`] for a value without a length.
    pub fn key(&self, key: &[Vec<u8>]) -> Result<Option<Key>> {
        match self.get(&path_of(key))? {
            Some(Object::Directory(directory)) => self.key_at(directory.offset).map(Some),
            _ => Ok(None),
        }
    }

    /// The keys right below a key, in the order of names: the last step of each, and what is there.
    ///
    /// # Errors
    /// As [`Tree::key`].
    pub fn keys(&self, key: &[Vec<u8>]) -> Result<Option<Keys>> {
        let Some(Object::Directory(directory)) = self.get(&path_of(key))? else { return Ok(None) };
        let mut keys = Vec::new();
        for link in self.context().entries_of(directory.offset)? {
            if link.directory && link.name != VALUE {
                keys.push((link.name, self.key_at(link.offset)?));
            }
        }
        Ok(Some(keys))
    }

    /// The bytes of a value, in pieces of one chunk.
    ///
    /// # Errors
    /// [`Code::ContextState`] when chunks are missing or too short; those of `piece`; as
    /// [`super::Context::read_contents`].
    pub fn read_value<E: From<Problem>>(
        &self,
        value: &Value,
        mut piece: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut left = value.size;
        let mut number = 0u64;
        while left > 0 {
            let name = format!("{number}");
            let chunk = match value.chunks {
                Some(chunks) => self.context().entry_of(chunks, name.as_bytes())?,
                None => None,
            };
            let missing = || broken(value.offset, format_args!("{left} bytes more, in chunk {name}"));
            let chunk = chunk.ok_or_else(missing)?;
            let Object::Contents(chunk) = self.context().follow(&chunk)? else {
                return Err(missing().into());
            };
            if chunk.size == 0 {
                return Err(missing().into());
            }
            // The last chunk may be filled up with zeros.
            self.context().read_contents(&chunk, |bytes| {
                let len = usize::try_from(left).map_or(bytes.len(), |left| left.min(bytes.len()));
                left -= len as u64;
                piece(bytes.get(..len).unwrap_or_default())
            })?;
            number += 1;
        }
        Ok(())
    }

    fn key_at(&self, directory: u64) -> Result<Key> {
        let context = self.context();
        let entries = context.directory(directory)?.entries;
        match context.entry_of(directory, VALUE)? {
            Some(Link { directory: true, offset, .. }) => {
                Ok(Key { value: Some(self.value_at(offset)?), below: entries > 1 })
            }
            _ => Ok(Key { value: None, below: true }),
        }
    }

    fn value_at(&self, offset: u64) -> Result<Value> {
        let context = self.context();
        let length = match context.entry_of(offset, LENGTH)? {
            Some(link) => context.follow(&link)?,
            None => return Err(broken(offset, format_args!("the length of a value"))),
        };
        let mut bytes = Vec::new();
        if let Object::Contents(length) = length
            && length.size == 8
        {
            context.read_contents(&length, |piece| {
                bytes.extend_from_slice(piece);
                Ok::<(), Problem>(())
            })?;
        }
        let size = self::length(offset, &bytes)?;
        let chunks = context.entry_of(offset, CONTENTS)?;
        let chunks = chunks.filter(|link| link.directory).map(|link| link.offset);
        Ok(Value { size, chunks, offset })
    }
}

/// The length that the bytes of its contents say; `offset` is that of the directory of the value.
pub(super) fn length(offset: u64, bytes: &[u8]) -> Result<u64> {
    let bytes: Option<&[u8; 8]> = bytes.try_into().ok();
    let size = bytes.map(|bytes| u64::from_be_bytes(*bytes)).filter(|size| size >> 63 == 0);
    size.ok_or_else(|| broken(offset, format_args!("a length of 8 bytes")))
}

pub(super) fn broken(offset: u64, expected: core::fmt::Arguments<'_>) -> Problem {
    Problem::new(Code::ContextState)
        .headline("a value of the durable storage cannot be read")
        .at(Place::Context(offset))
        .expected(expected)
        .found("nothing")
}

/// A key as the kernel writes it.
pub fn show<S: AsRef<[u8]>>(key: &[S]) -> alloc::string::String {
    format!("/{}", path::show(key))
}
