//! Which contexts a data directory or a snapshot holds, as far as names and indexes tell.
//!
//! A commit that the index knows may still be unreadable; a commit that it does not know is
//! certainly not there.

use std::fs::{self, File};
use std::io::{ErrorKind, Read};
use std::path::Path;

use rollsnap_core::Result;
use rollsnap_core::context::index::Reader;
use rollsnap_core::hash::ContextHash;

use crate::io;

/// The commits of a context. Eight bytes a commit are kept: enough to tell commits apart, and
/// small for a node that has one for every block.
#[derive(Debug, Default)]
pub struct Contexts {
    commits: Vec<u64>,
    reader: Option<Reader>,
}

impl Contexts {
    /// Reads the context of a data directory.
    ///
    /// # Errors
    /// Any `io.*` code.
    pub fn read(root: &Path) -> Result<Self> {
        let mut contexts = Self::default();
        let mut chunk = vec![0; 1 << 16];
        for name in INDEX_FILES {
            let path = root.join(name);
            let mut file = match File::open(&path) {
                Err(err) if err.kind() == ErrorKind::NotFound => continue,
                other => other.map_err(|err| io::problem("read", &path, err))?,
            };
            contexts.begin(name);
            loop {
                match file.read(&mut chunk).map_err(|err| io::problem("read", &path, err))? {
                    0 => break,
                    len => contexts.data(&chunk[..len]),
                }
            }
            contexts.end();
        }
        // A riscv context is a directory of files that are named by their hashes.
        let directory = root.join("context");
        if let Ok(entries) = fs::read_dir(&directory) {
            for entry in entries {
                let entry = entry.map_err(|err| io::problem("read the directory", &directory, err))?;
                contexts.begin(&format!("context/{}", entry.file_name().to_string_lossy()));
            }
        }
        Ok(contexts.complete())
    }

    /// A file of the context begins.
    pub fn begin(&mut self, name: &str) {
        self.reader = INDEX_FILES.contains(&name).then(Reader::default);
        if let Some(hash) = name.strip_prefix("context/").and_then(named_by_hash) {
            self.commits.push(key(&ContextHash::new(hash)));
        }
    }

    /// The next bytes of it.
    pub fn data(&mut self, data: &[u8]) {
        if let Some(reader) = &mut self.reader {
            reader.feed(data, |hash| self.commits.push(key(&hash)));
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

const INDEX_FILES: [&str; 3] = ["context/index/data", "context/index/log", "context/index/log_async"];

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
