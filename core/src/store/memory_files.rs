//! Files that are kept as they come, while they are few and small: those of a store, those of a context. They are
//! kept in memory, and where there is temporary space the large ones there.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::sync::Arc;

use super::kept::{Kept, KeptFiles, SharedFile};
use crate::problem::{Problem, Result};
use crate::scratch::Scratch;

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
    files: BTreeMap<String, Kept>,
    open: Option<String>,
    /// For files that are not kept in memory.
    space: Option<Box<dyn Scratch>>,
    /// How many bytes of it are taken.
    taken: u64,
    /// Whether that is the snapshot itself, where the files stand already.
    in_place: bool,
    /// Bytes of files in memory, as they were announced, and most of them where there is temporary space.
    near: u64,
    most_near: u64,
    /// Why the temporary space took no more.
    failed: Option<Problem>,
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
            space: None,
            taken: 0,
            in_place: false,
            near: 0,
            most_near: u64::MAX,
            failed: None,
            count: 0,
            announced: 0,
            kept: 0,
            read: 0,
            full: false,
            swollen: false,
        }
    }

    /// Files that do not fit into `most_near` bytes of memory go to temporary space.
    #[must_use]
    pub(crate) fn spilling(self, space: Box<dyn Scratch>, most_near: u64) -> Self {
        Self { space: Some(space), most_near, ..self }
    }

    /// Files are read where they stand: nothing is kept of them, and how large they are does not matter.
    #[must_use]
    pub(crate) fn in_place(self, source: Box<dyn Scratch>) -> Self {
        Self { space: Some(source), in_place: true, most: u64::MAX, ..self }
    }

    /// So many bytes of the snapshot were read by now.
    pub(crate) fn read(&mut self, bytes: u64) {
        self.read = self.read.max(bytes);
    }

    /// A file of `size` bytes begins, which stands at this offset of an uncompressed snapshot.
    pub(crate) fn begin(&mut self, name: &str, size: u64, at: u64) {
        self.count += 1;
        self.announced = self.announced.saturating_add(size);
        if self.announced > self.most || self.count > self.max_files {
            self.give_up();
        }
        if !self.full {
            let file = match &self.space {
                Some(_) if self.in_place => Kept::there(at),
                Some(_) if self.near.saturating_add(size) > self.most_near => Kept::far(self.taken),
                _ => {
                    self.near = self.near.saturating_add(size);
                    Kept::default()
                }
            };
            self.files.insert(name.to_string(), file);
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
        } else {
            let pushed = file.push(data, self.space.as_mut().map(|space| &mut **space as &mut dyn Scratch));
            self.unless_failed(pushed);
        }
    }

    /// It ends.
    pub(crate) fn end(&mut self) {
        let Some(file) = self.open.take().and_then(|name| self.files.get_mut(&name)) else { return };
        let ended = file.end(self.space.as_mut().map(|space| &mut **space as &mut dyn Scratch));
        self.taken = file.end_in_space().unwrap_or(self.taken);
        self.unless_failed(ended);
    }

    fn unless_failed(&mut self, done: Result<()>) {
        if let Err(problem) = done {
            self.failed = Some(problem);
            self.give_up();
        }
    }

    /// The files by name; `None` once there were too many.
    pub(crate) fn files(&self) -> Option<KeptFiles<'_>> {
        (!self.full).then_some(KeptFiles { files: &self.files, space: self.space.as_deref() })
    }

    /// The files by name, to be shared; `None` once there were too many.
    pub(crate) fn into_files(self) -> Option<BTreeMap<String, SharedFile>> {
        let space: Option<Arc<dyn Scratch>> = self.space.map(Arc::from);
        let shared = |(name, kept)| (name, SharedFile { kept: Arc::new(kept), space: space.clone() });
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

    /// Why memory or temporary space took no more, where that is why it was given up.
    pub(crate) fn failure(&self) -> Option<&Problem> {
        self.failed.as_ref()
    }

    /// Forgets everything.
    pub(crate) fn give_up(&mut self) {
        self.full = true;
        self.files = BTreeMap::new();
        self.space = None;
        self.open = None;
    }
}
