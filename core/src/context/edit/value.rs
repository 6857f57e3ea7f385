//! Contents: the bytes of one key.

use alloc::vec::Vec;

use once_cell::race::OnceBox;

use super::Bytes;
use super::objects::{lost, set};
use super::once::OnceHash;
use super::part::Place;
use crate::context::pack::{Hash, Kind, hashing};
use crate::problem::Result;

/// Contents longer than this are hashed alone, where they are: a copy of them would take longer than is gained.
const LONG: usize = 8 << 10;

/// Contents: in memory, stored, or both.
pub(super) struct Value {
    /// What it was made with, without the box that what is loaded has.
    given: Option<Bytes>,
    loaded: OnceBox<Bytes>,
    hash: OnceHash,
    pub(super) place: OnceBox<Place>,
}

impl Value {
    pub(super) fn new(bytes: Bytes) -> Self {
        let (loaded, place) = (OnceBox::new(), OnceBox::new());
        Self { given: Some(bytes), loaded, hash: OnceHash::default(), place }
    }

    pub(super) fn stored(place: Place) -> Self {
        let value =
            Self { given: None, loaded: OnceBox::new(), hash: OnceHash::default(), place: OnceBox::new() };
        set(&value.place, place);
        value
    }

    /// The bytes, if they are in memory.
    pub(super) fn in_memory(&self) -> Option<&Bytes> {
        self.given.as_ref().or_else(|| self.loaded.get())
    }

    pub(super) fn bytes(&self) -> Result<Bytes> {
        if let Some(bytes) = self.in_memory() {
            return Ok(bytes.clone());
        }
        let place = self.place.get().ok_or_else(lost)?;
        let (hash, bytes) = place.store.contents(place.offset)?;
        self.hash.set(&hash);
        place.store.add_loaded(size_of::<Bytes>() + 16 + bytes.len());
        Ok(set(&self.loaded, bytes).clone())
    }

    /// The bytes, which are not kept where they have to be loaded.
    pub(super) fn read(&self) -> Result<Bytes> {
        match (self.in_memory(), self.place.get()) {
            (Some(bytes), _) => Ok(bytes.clone()),
            (None, Some(place)) => place.store.contents(place.offset).map(|(_, bytes)| bytes),
            (None, None) => Err(lost()),
        }
    }

    pub(super) fn hash(&self) -> Result<Hash> {
        if let Some(hash) = self.hash.get() {
            return Ok(hash);
        }
        let hash = match (self.in_memory(), self.place.get()) {
            (Some(bytes), _) => hashing::contents(bytes),
            (None, Some(place)) => place.store.hash(place.offset, Kind::Contents)?,
            (None, None) => return Err(lost()),
        };
        self.hash.set(&hash);
        Ok(hash)
    }

    /// Whether the hash is not known, and the contents are in memory and short enough to be copied.
    pub(super) fn is_to_be_hashed(&self) -> bool {
        !self.hash.is_known() && self.in_memory().is_some_and(|bytes| bytes.len() <= LONG)
    }

    /// Appends what is hashed; nothing for contents that are not in memory.
    pub(super) fn put_image(&self, out: &mut Vec<u8>) {
        if let Some(bytes) = self.in_memory() {
            hashing::put_contents(bytes, out);
        }
    }

    pub(super) fn set_hash(&self, hash: &Hash) {
        self.hash.set(hash);
    }

    /// Whether both are the same bytes.
    pub(super) fn same(&self, other: &Self) -> Result<bool> {
        match (self.in_memory(), other.in_memory()) {
            (Some(a), Some(b)) => Ok(a == b),
            _ => Ok(self.hash()? == other.hash()?),
        }
    }

    /// About how many bytes of memory it takes.
    pub(super) fn footprint(&self) -> usize {
        let bytes = self.in_memory().map_or(0, |bytes| 32 + bytes.len());
        size_of::<Self>() + 16 + size_of::<Place>() + bytes
    }

    /// The same contents without their bytes, if those are in memory and stored.
    pub(super) fn unloaded(&self) -> Option<Self> {
        let place = self.place.get().filter(|_| self.in_memory().is_some())?;
        Some(Self { hash: self.hash.clone(), ..Self::stored(place.clone()) })
    }
}
