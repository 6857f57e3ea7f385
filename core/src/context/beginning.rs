//! The beginning of each file of a context that streams by: enough to read its first commit afterwards,
//! which in a store that was never collected is that of the origination.

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::Context;
use super::edit::{ObjectStore, Tree};
use crate::code::Code;
use crate::feedback::Silent;
use crate::hash::ContextHash;
use crate::problem::{Problem, Result};
use crate::read_at::{Files, ReadAt};

/// Most bytes of a file that are kept: 1 MiB. A boot sector has at most 32 KiB.
const MAX_FILE: usize = 1 << 20;

/// Most bytes that are kept in all: 8 MiB.
const MAX_ALL: usize = 8 << 20;

/// Most files of which something is kept. A context has about a dozen.
const MAX_FILES: usize = 64;

/// Keeps the beginnings of files. Names are relative to the context.
#[derive(Debug, Default)]
pub struct Beginning {
    files: BTreeMap<String, File>,
    open: Option<String>,
    kept: usize,
}

/// The files, for a context that owns what it reads.
struct Kept(BTreeMap<String, File>);

/// A file, of which the beginning is there.
#[derive(Clone, Debug, Default)]
struct File {
    len: u64,
    bytes: Arc<Vec<u8>>,
}

impl Beginning {
    /// A file of `size` bytes begins.
    pub fn begin(&mut self, name: &str, size: u64) {
        let wanted = name.starts_with("store.") || name.starts_with("index/");
        self.open = (wanted && self.files.len() < MAX_FILES).then(|| name.to_string());
        if let Some(name) = &self.open {
            self.files.insert(name.clone(), File { len: size, bytes: Arc::default() });
        }
    }

    /// The next bytes of it.
    pub fn data(&mut self, data: &[u8]) {
        let Some(file) = self.open.as_ref().and_then(|name| self.files.get_mut(name)) else { return };
        let room = (MAX_FILE - file.bytes.len()).min(MAX_ALL - self.kept);
        let part = data.get(..room).unwrap_or(data);
        let Some(bytes) = Arc::get_mut(&mut file.bytes).filter(|_| !part.is_empty()) else { return };
        if bytes.try_reserve(part.len()).is_ok() {
            bytes.extend_from_slice(part);
            self.kept += part.len();
        }
    }

    /// It ends.
    pub fn end(&mut self) {
        self.open = None;
    }

    /// The PVM state of a commit; `first` is the commit with the lowest offset, whose place is known without an index.
    ///
    /// # Errors
    /// As [`pvm_state`], and [`Code::ContextUnchecked`] when it lies behind what was kept.
    pub fn pvm_state(&self, first: Option<(ContextHash, u64)>, commit: &ContextHash) -> Result<Option<Tree>> {
        let context = Context::open(Kept(self.files.clone()))?;
        let offset = first.filter(|(hash, _)| hash == commit).map(|(_, offset)| offset);
        pvm_state(context, commit, offset)
    }
}

/// The PVM state of a commit, to be read as it is needed; `None` when the commit has none. Where its offset is known,
/// the index is not looked at.
///
/// # Errors
/// [`Code::ContextCommit`] when there is no such commit, and those of [`Context::checkout`] and [`Tree::find_tree`].
pub fn pvm_state<F>(
    context: impl Into<Arc<Context<F>>>,
    commit: &ContextHash,
    offset: Option<u64>,
) -> Result<Option<Tree>>
where
    F: Files + Send + Sync + 'static,
    F::File: Send + Sync,
{
    let context = context.into();
    let root = match offset {
        Some(offset) => context.commit_at(offset)?,
        // It keeps nothing of the index, and files that are read for long stop by themselves.
        None => context.checkout(commit, &Silent)?,
    };
    if root.hash != *commit {
        return Err(Problem::new(Code::ContextCommit).expected(commit).found(root.hash));
    }
    Tree::load(&ObjectStore::checked(context), root.root).find_tree(&["pvm_state"])
}

impl ReadAt for File {
    fn len(&self) -> u64 {
        self.len
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> Result<()> {
        let end = offset.saturating_add(out.len() as u64);
        if end > self.bytes.len() as u64 && end <= self.len {
            return Err(Problem::new(Code::ContextUnchecked)
                .headline("it lies too far behind the beginning of the context"));
        }
        self.bytes.as_slice().read_at(offset, out)
    }
}

impl Files for Kept {
    type File = File;

    fn open(&self, name: &str) -> Result<Option<File>> {
        Ok(self.0.get(name).cloned())
    }

    fn names(&self, directory: &str) -> Result<Vec<String>> {
        (&self.0).names(directory)
    }
}
