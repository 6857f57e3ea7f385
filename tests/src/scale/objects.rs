//! What a context is made of, and how it is counted.

use rollsnap_core::context::pack::Hash;
use serde::Serialize;

/// An object that was written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Made {
    /// Global offset.
    pub(super) offset: u64,
    /// Its hash.
    pub(super) hash: Hash,
}

/// An entry of a directory.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry<'a> {
    /// Its name.
    pub(super) name: &'a [u8],
    /// Whether it is a directory; else contents.
    pub(super) directory: bool,
    /// What it is.
    pub(super) to: Made,
}

/// Number and bytes of objects, heads included.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Count {
    /// How many.
    pub count: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// What was written.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Counts {
    /// Contents.
    pub contents: Count,
    /// Roots of directories.
    pub directories: Count,
    /// Parts of directories.
    pub inner: Count,
    /// Commits.
    pub commits: Count,
    /// All of them.
    pub objects: Count,
}

/// Where objects go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// Never collected: chunks alone.
    Chunks,
    /// Collected at the first commit, which is in a prefix with gaps; then chunks.
    Prefix,
}
