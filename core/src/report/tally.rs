//! How many objects, and how large.

use serde::{Deserialize, Serialize};

/// Objects, and the bytes of their entries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// How many.
    pub count: u64,
    /// Their entries, in bytes: hash, kind, length and value.
    pub bytes: u64,
}

impl Tally {
    /// One more, of so many bytes.
    pub(crate) fn add(&mut self, bytes: u64) {
        self.count += 1;
        self.bytes = self.bytes.saturating_add(bytes);
    }
}

impl core::iter::Sum for Tally {
    fn sum<I: Iterator<Item = Self>>(tallies: I) -> Self {
        tallies.fold(Self::default(), |all, more| Self {
            count: all.count.saturating_add(more.count),
            bytes: all.bytes.saturating_add(more.bytes),
        })
    }
}
