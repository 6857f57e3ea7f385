//! Which contexts a data directory or a snapshot holds, as far as names and indexes tell.
//!
//! A commit that the index knows may still be unreadable; a commit that it does not know is
//! certainly not there. Once the objects were read, that is what counts.

use alloc::vec::Vec;

use super::index::Reader;
use crate::growing::Growing;
use crate::hash::{ContextHash, StateHash};

/// The commits of a context. Eight bytes a commit are kept: enough to tell commits apart, and
/// small for a node that has one for every block. Of a context whose objects were read it is 65
/// bytes, with the state of each commit.
#[derive(Debug)]
pub struct Contexts {
    commits: Growing<u64>,
    reader: Option<Reader>,
    read: Option<Vec<(ContextHash, Option<StateHash>)>>,
    files: bool,
    may_lack: bool,
}

/// What is known of a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// There is none.
    No,
    /// The index knows it. Whether it can be read is not known.
    Listed,
    /// It was read, and has this PVM state; `None`: it has none.
    Read(Option<StateHash>),
}

impl Contexts {
    /// A file of the context begins: its name below the context.
    pub fn begin(&mut self, name: &str) {
        self.reader = INDEX_FILES.contains(&name).then(Reader::default);
        if let Some(hash) = named_by_hash(name) {
            self.commits.push(key(&ContextHash::new(hash)));
            self.files = true;
        }
    }

    /// The next bytes of it.
    pub fn data(&mut self, data: &[u8]) {
        let commits = &mut self.commits;
        if let Some(reader) = &mut self.reader {
            reader.feed(data, |hash| commits.push(key(&hash)));
        }
    }

    /// Memory that they take, in bytes.
    pub fn taken(&self) -> u64 {
        self.commits.taken()
    }

    /// It ends.
    pub fn end(&mut self) {
        self.reader = None;
    }

    /// Nothing more comes: makes ready for [`Contexts::contains`].
    #[must_use]
    pub fn complete(mut self) -> Self {
        self.commits.compact();
        self
    }

    /// The objects of the context were read: these are the commits, each with the hash of its PVM
    /// state. What the index alone knows does not count any more.
    #[must_use]
    pub fn read(mut self, commits: impl IntoIterator<Item = (ContextHash, Option<StateHash>)>) -> Self {
        let mut read: Vec<_> = commits.into_iter().collect();
        read.sort_unstable();
        read.dedup_by_key(|(hash, _)| *hash);
        self.read = Some(read);
        self.commits.clear();
        self
    }

    /// What is known of the commit of this hash.
    pub fn find(&self, hash: &ContextHash) -> Found {
        match &self.read {
            Some(read) => match read.binary_search_by_key(hash, |(hash, _)| *hash) {
                Ok(at) => Found::Read(read[at].1),
                Err(_) => Found::No,
            },
            None if self.commits.items().binary_search(&key(hash)).is_ok() => Found::Listed,
            None => Found::No,
        }
    }

    /// Whether there is a commit of this hash, as far as is known.
    pub fn contains(&self, hash: &ContextHash) -> bool {
        self.find(hash) != Found::No
    }

    /// Some that a store names may be missing, as in a compact snapshot that stays one: that is said, and not held against
    /// it as long as the first one is there.
    #[must_use]
    pub fn lacking_some(self) -> Self {
        Self { may_lack: true, ..self }
    }

    /// Whether some may be missing ([`Contexts::lacking_some`]).
    pub fn may_lack(&self) -> bool {
        self.may_lack
    }

    /// Whether these are files named by their hashes, as the kind `riscv` has them: commits, and the
    /// chunks of states.
    pub fn are_files(&self) -> bool {
        self.files && self.read.is_none()
    }

    /// How many commits there are; of files named by their hashes, how many of them.
    pub fn len(&self) -> usize {
        self.read.as_ref().map_or(self.commits.items().len(), Vec::len)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Default for Contexts {
    fn default() -> Self {
        let commits = Growing::new(|commits: &mut Vec<u64>| {
            commits.sort_unstable();
            commits.dedup();
        });
        Self { commits, reader: None, read: None, files: false, may_lack: false }
    }
}

/// The files of the index of a context, any of which may be missing: their names below the context.
pub const INDEX_FILES: [&str; 3] = ["index/data", "index/log", "index/log_async"];

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
