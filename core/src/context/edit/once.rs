//! A hash that is known once it was computed, without memory of its own beside the object that has it.

use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::context::pack::Hash;

/// A hash, or none yet. Whoever sets it sets the same one: it is the hash of something that does not change.
#[derive(Default)]
pub(super) struct OnceHash {
    known: AtomicBool,
    words: [AtomicU64; 4],
}

impl OnceHash {
    pub(super) fn is_known(&self) -> bool {
        self.known.load(Ordering::Acquire)
    }

    pub(super) fn get(&self) -> Option<Hash> {
        if !self.is_known() {
            return None;
        }
        let mut hash = Hash::default();
        for (bytes, word) in hash.as_chunks_mut::<8>().0.iter_mut().zip(&self.words) {
            *bytes = word.load(Ordering::Relaxed).to_ne_bytes();
        }
        Some(hash)
    }

    pub(super) fn set(&self, hash: &Hash) {
        for (bytes, word) in hash.as_chunks::<8>().0.iter().zip(&self.words) {
            word.store(u64::from_ne_bytes(*bytes), Ordering::Relaxed);
        }
        self.known.store(true, Ordering::Release);
    }
}

impl Clone for OnceHash {
    fn clone(&self) -> Self {
        let copy = Self::default();
        if let Some(hash) = self.get() {
            copy.set(&hash);
        }
        copy
    }
}
