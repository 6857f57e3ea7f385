//! Which contexts a data directory or a snapshot holds, as far as names and indexes tell.
//!
//! A commit that the index knows may still be unreadable; a commit that it does not know is
//! certainly not there.

use alloc::vec::Vec;

use super::index::Reader;
use crate::hash::ContextHash;

/// The commits of a context. Eight bytes a commit are kept: enough to tell commits apart, and
/// small for a node that has one for every block.
#[derive(Debug, Default)]
pub struct Contexts {
    commits: Vec<u64>,
    reader: Option<Reader>,
}

impl Contexts {
    /// A file of the context begins.
    pub fn begin(&mut self, name: &str) {
        self.reader = INDEX_FILES.contains(&name).then(Reader::default);
        if let Some(hash) = name.strip_prefix("context/").and_then(named_by_hash) {
            self.commits.push(key(&ContextHash::new(hash)));
        }
    }

    /// The next bytes of it.
    pub fn data(&mut self, data: &[u8]) {
        let commits = &mut self.commits;
        if let Some(reader) = &mut self.reader {
            reader.feed(data, |hash| commits.push(key(&hash)));
        }
    }

    /// It ends.
    pub fn end(&mut self) {
        self.reader = None;
    }

    /// Nothing more comes: makes ready for [`Contexts::contains`].
    #[must_use]
    pub fn complete(mut self) -> Self {
        self.commits.sort_unstable();
        self.commits.dedup();
        self
    }

    /// Whether there is a commit of this hash.
    pub fn contains(&self, hash: &ContextHash) -> bool {
        self.commits.binary_search(&key(hash)).is_ok()
    }

    /// How many commits there are.
    pub fn len(&self) -> usize {
        self.commits.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.commits.is_empty()
    }
}

/// The files of an index, any of which may be missing.
pub const INDEX_FILES: [&str; 3] = ["context/index/data", "context/index/log", "context/index/log_async"];

fn key(hash: &ContextHash) -> u64 {
    hash.as_bytes().first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes))
}

/// The hash that a file name of 64 hexadecimal digits stands for.
fn named_by_hash(name: &str) -> Option<[u8; 32]> {
    let (pairs, rest) = name.as_bytes().as_chunks::<2>();
    let mut hash = [0; 32];
    if !rest.is_empty() || pairs.len() != hash.len() {
        return None;
    }
    for (byte, pair) in hash.iter_mut().zip(pairs) {
        *byte = u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(hash)
}
