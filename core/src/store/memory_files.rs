//! Files that are kept in memory as they come, while they are few and small: those of a store, those
//! of a context.

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::sync::Arc;

use super::pieces::Pieces;

/// Most files that are kept. A store of version 4 with as many stale generations as are read has
/// about half as many.
pub(crate) const MAX_FILES: u64 = 4096;

/// What is kept whatever was read of the snapshot, in bytes.
const FREE: u64 = 16 << 20;

/// For each byte that was read of the snapshot, so many bytes more. A store becomes three to six times as long when
/// it is unpacked.
const SHARE: u64 = 32;

/// Keeps files, until they are too many or too many bytes.
#[derive(Debug)]
pub(crate) struct MemoryFiles {
    most: u64,
    /// Most files.
    max_files: u64,
    files: BTreeMap<String, Pieces>,
    open: Option<String>,
    /// How many files began, and the bytes that they announced, kept or not.
    count: u64,
    announced: u64,
    kept: u64,
    /// How many bytes of the snapshot were read by now.
    read: u64,
    full: bool,
    /// Whether that is because so small a snapshot cannot have as much.
    swollen: bool,
}

impl MemoryFiles {
    /// Keeps at most so many bytes.
    pub(crate) fn new(most: u64) -> Self {
        Self::holding(most, MAX_FILES)
    }

    /// Keeps at most so many bytes, in so many files.
    pub(crate) fn holding(most: u64, max_files: u64) -> Self {
        Self {
            most,
            max_files,
            files: BTreeMap::new(),
            open: None,
            count: 0,
            announced: 0,
            kept: 0,
            read: 0,
            full: false,
            swollen: false,
        }
    }

    /// So many bytes of the snapshot were read by now.
    pub(crate) fn read(&mut self, bytes: u64) {
        self.read = self.read.max(bytes);
    }

    /// A file of `size` bytes begins.
    pub(crate) fn begin(&mut self, name: &str, size: u64) {
        self.count += 1;
        self.announced = self.announced.saturating_add(size);
        if self.announced > self.most || self.count > self.max_files {
            self.give_up();
        }
        if !self.full {
            self.files.insert(name.to_string(), Pieces::default());
            self.open = Some(name.to_string());
        }
    }

    /// The next bytes of it.
    pub(crate) fn data(&mut self, data: &[u8]) {
        let Some(file) = self.open.as_ref().and_then(|name| self.files.get_mut(name)) else { return };
        self.kept = self.kept.saturating_add(data.len() as u64);
        if self.kept > FREE.saturating_add(self.read.saturating_mul(SHARE)) {
            self.swollen = true;
            self.give_up();
        } else if !file.push(data) {
            self.give_up();
        }
    }

    /// It ends.
    pub(crate) fn end(&mut self) {
        self.open = None;
    }

    /// The files by name; `None` once there were too many.
    pub(crate) fn files(&self) -> Option<&BTreeMap<String, Pieces>> {
        (!self.full).then_some(&self.files)
    }

    /// The files by name, to be shared; `None` once there were too many.
    pub(crate) fn into_files(self) -> Option<BTreeMap<String, Arc<Pieces>>> {
        let shared = |(name, pieces)| (name, Arc::new(pieces));
        (!self.full).then(|| self.files.into_iter().map(shared).collect())
    }

    /// How many files have begun, kept or not.
    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    /// How many bytes they have.
    pub(crate) fn announced(&self) -> u64 {
        self.announced
    }

    /// Most bytes that are kept.
    pub(crate) fn most(&self) -> u64 {
        self.most
    }

    /// Whether it was given up because so small a snapshot cannot have as much.
    pub(crate) fn is_swollen(&self) -> bool {
        self.swollen
    }

    /// Forgets everything.
    pub(crate) fn give_up(&mut self) {
        self.full = true;
        self.files = BTreeMap::new();
        self.open = None;
    }
}
