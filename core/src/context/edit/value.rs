//! Contents: the bytes of one key.

use once_cell::race::OnceBox;

use super::Bytes;
use super::objects::{lost, set};
use super::once::OnceHash;
use super::part::Place;
use crate::context::pack::{Hash, Kind, hashing};
use crate::problem::Result;

/// Contents: in memory, stored, or both.
pub(super) struct Value {
    bytes: OnceBox<Bytes>,
    hash: OnceHash,
    pub(super) place: OnceBox<Place>,
}

impl Value {
    pub(super) fn new(bytes: Bytes) -> Self {
        let value = Self { bytes: OnceBox::new(), hash: OnceHash::default(), place: OnceBox::new() };
        set(&value.bytes, bytes);
        value
    }

    pub(super) fn stored(place: Place) -> Self {
        let value = Self { bytes: OnceBox::new(), hash: OnceHash::default(), place: OnceBox::new() };
        set(&value.place, place);
        value
    }

    pub(super) fn bytes(&self) -> Result<Bytes> {
        if let Some(bytes) = self.bytes.get() {
            return Ok(bytes.clone());
        }
        let place = self.place.get().ok_or_else(lost)?;
        let (hash, bytes) = place.store.contents(place.offset)?;
        self.hash.set(&hash);
        place.store.add_loaded(size_of::<Bytes>() + 16 + bytes.len());
        Ok(set(&self.bytes, bytes).clone())
    }

    /// The bytes, which are not kept where they have to be loaded.
    pub(super) fn read(&self) -> Result<Bytes> {
        match (self.bytes.get(), self.place.get()) {
            (Some(bytes), _) => Ok(bytes.clone()),
            (None, Some(place)) => place.store.contents(place.offset).map(|(_, bytes)| bytes),
            (None, None) => Err(lost()),
        }
    }

    pub(super) fn hash(&self) -> Result<Hash> {
        if let Some(hash) = self.hash.get() {
            return Ok(hash);
        }
        let hash = match (self.bytes.get(), self.place.get()) {
            (Some(bytes), _) => hashing::contents(bytes),
            (None, Some(place)) => place.store.hash(place.offset, Kind::Contents)?,
            (None, None) => return Err(lost()),
        };
        self.hash.set(&hash);
        Ok(hash)
    }

    /// Whether both are the same bytes.
    pub(super) fn same(&self, other: &Self) -> Result<bool> {
        match (self.bytes.get(), other.bytes.get()) {
            (Some(a), Some(b)) => Ok(a == b),
            _ => Ok(self.hash()? == other.hash()?),
        }
    }

    /// About how many bytes of memory it takes.
    pub(super) fn footprint(&self) -> usize {
        let bytes = self.bytes.get().map_or(0, |bytes| 32 + bytes.len());
        size_of::<Self>() + 16 + size_of::<Place>() + bytes
    }

    /// The same contents without their bytes, if those are in memory and stored.
    pub(super) fn unloaded(&self) -> Option<Self> {
        let place = self.place.get().filter(|_| self.bytes.get().is_some())?;
        Some(Self { hash: self.hash.clone(), ..Self::stored(place.clone()) })
    }
}
