//! Objects of a context in memory, which trees write to and load from: a stand-in for a context
//! that grows.

use std::sync::{Arc, Mutex, MutexGuard};

use rollsnap_core::context::edit::{Bytes, NewObject, ObjectStore, Persist, Source, Tree, Written};
use rollsnap_core::context::pack::{Hash, Head, Kind};
use rollsnap_core::{Code, Problem, Result};

/// The objects back to back, as in a suffix, and the names of a dictionary. Clones are the same.
#[derive(Clone, Debug, Default)]
pub struct Objects(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    bytes: Vec<u8>,
    names: Vec<Bytes>,
    reads: u64,
}

/// Objects, and trees that stand on them.
#[derive(Debug)]
pub struct Growing {
    /// The objects.
    pub objects: Objects,
    /// What trees load from.
    pub store: Arc<ObjectStore>,
}

impl Objects {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap()
    }

    /// How many bytes there are.
    pub fn len(&self) -> u64 {
        self.lock().bytes.len() as u64
    }

    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How often something was read.
    pub fn reads(&self) -> u64 {
        self.lock().reads
    }

    /// Appends an object, whatever it says.
    pub fn append(&self, hash: &Hash, kind: Kind, value: &[u8]) -> u64 {
        let mut inner = self.lock();
        let offset = inner.bytes.len() as u64;
        Head::put(hash, kind, value, &mut inner.bytes);
        offset
    }

    /// Changes the bytes.
    pub fn edit(&self, change: impl FnOnce(&mut Vec<u8>)) {
        change(&mut self.lock().bytes);
    }

    /// The number of a name in the dictionary: longer names get one, until there are 100.
    pub fn number(&self, name: &[u8]) -> Option<u64> {
        let mut inner = self.lock();
        let found = inner.names.iter().position(|other| **other == *name);
        if found.is_none() && name.len() > 3 && inner.names.len() < 100 {
            inner.names.push(name.into());
            return Some(inner.names.len() as u64 - 1);
        }
        found.map(|number| number as u64)
    }
}

impl Source for Objects {
    fn head(&self, offset: u64) -> Result<Head> {
        let mut inner = self.lock();
        inner.reads += 1;
        let rest = usize::try_from(offset).ok().and_then(|offset| inner.bytes.get(offset..));
        let rest = rest.filter(|rest| !rest.is_empty()).ok_or_else(|| Problem::new(Code::ContextChild))?;
        Head::parse(rest).ok().flatten().ok_or_else(|| Problem::new(Code::ContextEntry))
    }

    fn object(&self, offset: u64, kind: Kind, most: u64, value: &mut Vec<u8>) -> Result<Head> {
        let head = self.head(offset)?;
        if head.kind != kind {
            return Err(Problem::new(Code::ContextChild));
        }
        let inner = self.lock();
        let start = offset as usize + head.len;
        let end = start.saturating_add(usize::try_from(head.value_len.min(most + 1)).unwrap());
        let bytes = inner.bytes.get(start..end).filter(|bytes| bytes.len() as u64 <= most);
        value.clear();
        value.extend_from_slice(bytes.ok_or_else(|| Problem::new(Code::ContextEntry))?);
        Ok(head)
    }

    fn name(&self, _: u64, number: u64) -> Result<Bytes> {
        let inner = self.lock();
        let name = usize::try_from(number).ok().and_then(|number| inner.names.get(number));
        name.cloned().ok_or_else(|| Problem::new(Code::ContextEntry))
    }
}

impl Default for Growing {
    fn default() -> Self {
        Self::new()
    }
}

impl Growing {
    /// Nothing yet.
    pub fn new() -> Self {
        let objects = Objects::default();
        Self { store: ObjectStore::new(objects.clone()), objects }
    }

    /// The same, with each part of a directory checked when it is loaded.
    pub fn checked() -> Self {
        let objects = Objects::default();
        Self { store: ObjectStore::checked(objects.clone()), objects }
    }

    /// Writes what is new in a tree, and lets the tree know.
    pub fn write(&self, tree: &mut Tree) -> Result<u64> {
        let written: Written = tree.persist(&mut Writer(self))?;
        let offset = written.offset;
        written.keep(&self.store);
        tree.commit()?;
        Ok(offset)
    }
}

/// Appends.
#[derive(Debug)]
pub struct Writer<'g>(pub &'g Growing);

impl Persist for Writer<'_> {
    fn extends(&self, store: &ObjectStore) -> bool {
        core::ptr::eq(store, &raw const *self.0.store)
    }

    fn put(&mut self, hash: &Hash, object: &NewObject<'_>) -> Result<u64> {
        let objects = &self.0.objects;
        let mut value = Vec::new();
        object.write(&mut |name| objects.number(name), &mut value);
        Ok(objects.append(hash, object.kind(), &value))
    }
}
