//! Compression on all cores into one gzip member, which the nodes read like any other.
//!
//! The stream is cut into pieces of fixed size. Threads deflate them independently, each with the
//! last 32 KiB before it as dictionary and a sync point behind it, and the results stand one after the
//! other in one member: the bytes do not depend on the number of threads. At every few pieces the
//! dictionary is left out, so that reading can begin there; where that is goes into the gzip header
//! (`docs/FORMAT.md`, section 5).

mod encoder;
mod stream;

#[cfg(test)]
mod tests;

use std::num::NonZeroUsize;

pub use encoder::{Encoder, Level};
pub use stream::{Deflater, Finished, Patch};

use crate::pool;

/// What a [`Deflater`] needs to know.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// How hard to compress.
    pub level: Level,
    /// How many threads compress; more than 32 count as 32.
    pub jobs: NonZeroUsize,
    /// About how many bytes will come, for the space that is reserved for the index. `None` when
    /// nobody knows; `Some(0)` for no index.
    pub expected: Option<u64>,
}

impl Options {
    /// One thread a core, as far as the system tells.
    pub fn all_cores() -> NonZeroUsize {
        pool::cores()
    }
}

impl Default for Options {
    fn default() -> Self {
        Self { level: Level::default(), jobs: Self::all_cores(), expected: None }
    }
}
