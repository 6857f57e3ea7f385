//! Files by name, read at random: in a directory, or as windows over an uncompressed snapshot.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{File, Metadata};
use std::io::ErrorKind;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rollsnap_core::members::CONTEXT;
use rollsnap_core::{Code, Files, Problem, ReadAt, Result};

use crate::dir::{self, Dir, Kind};
use crate::{interrupt, io};

/// Where the files of a context, or of a whole data directory, are. Names are relative to it.
#[derive(Clone, Debug)]
pub enum FileSet {
    /// In a directory that the operator names.
    Directory(PathBuf),
    /// In the directory of this name, in one that the operator names.
    Below(PathBuf, &'static str),
    /// In a directory that is held open.
    Held(Dir),
    /// In one file, each at its place.
    Windows(BTreeMap<String, Part>),
}

/// A file, or a part of one.
#[derive(Clone, Debug)]
pub struct Part {
    bytes: Bytes,
    path: PathBuf,
    start: u64,
    len: u64,
}

#[derive(Clone, Debug)]
enum Bytes {
    File(Arc<File>),
    Distant(Arc<dyn Distant>),
}

/// Bytes that are not in a file of this machine.
pub(crate) trait Distant: ReadAt + fmt::Debug + Send + Sync {
    /// All bytes from `offset` on will be read in their order: they are fetched ahead, until what this gives is dropped.
    fn stream(&self, offset: u64) -> Box<dyn Send>;

    /// Nothing before `offset` will be read any more.
    fn passed(&self, offset: u64);

    /// The number of the source that has brought the byte at `offset`.
    fn brought_by(&self, offset: u64) -> usize;

    /// The numbers of the sources to ask again for bytes that `suspect` has brought: others before itself, and itself twice
    /// where there is no other.
    fn sources_to_ask(&self, suspect: usize) -> Vec<usize>;

    /// Fetches bytes anew from one source.
    fn fetch_from(&self, source: usize, offset: u64, len: u64) -> Result<Vec<u8>>;

    /// These bytes are right: whoever reads them gets these.
    fn mend(&self, offset: u64, bytes: &[u8]);

    /// What a source is called.
    fn source_name(&self, source: usize) -> String;

    /// Tells the user that bytes of a source were not right, and what is known about that.
    fn blame(&self, source: usize, how: &str);

    /// Asks a source no more whose bytes are damaged, as long as there are others.
    fn discard(&self, source: usize, why: &str);
}

impl Part {
    /// The whole file at a path; `None` when there is none.
    ///
    /// # Errors
    /// Any `io.*` code; [`Code::IoOther`] for what is no regular file.
    pub fn open(path: &Path) -> Result<Option<Self>> {
        dir::open_regular(path)?.map(|file| Self::of_file(file, path)).transpose()
    }

    /// The whole file below a directory, by a name with `/`; `None` when there is none. Which links are followed,
    /// [`Dir::read`] says.
    ///
    /// # Errors
    /// As [`Part::open`].
    pub fn open_in(dir: &Dir, name: &str) -> Result<Option<Self>> {
        dir.read(name)?.map(|file| Self::of_file(file, &dir.place(name))).transpose()
    }

    fn of_file(file: File, path: &Path) -> Result<Self> {
        let metadata = file.metadata().map_err(|err| io::problem("read", path, err))?;
        Ok(Self::of(file, path, metadata.len()))
    }

    /// The whole of an open file of this length; `path` is for messages.
    pub fn of(file: File, path: &Path, len: u64) -> Self {
        Self { bytes: Bytes::File(file.into()), path: path.into(), start: 0, len }
    }

    /// The whole of what is somewhere else; `path` is for messages.
    pub(crate) fn distant(bytes: Arc<dyn Distant>, path: &Path) -> Self {
        Self { len: bytes.len(), bytes: Bytes::Distant(bytes), path: path.into(), start: 0 }
    }

    /// What is not in a file of this machine, and where in it this part begins.
    pub(crate) fn far(&self) -> Option<(&dyn Distant, u64)> {
        match &self.bytes {
            Bytes::File(_) => None,
            Bytes::Distant(bytes) => Some((&**bytes, self.start)),
        }
    }

    /// Nothing before `offset` will be read any more.
    pub(crate) fn passed(&self, offset: u64) {
        if let Some((bytes, start)) = self.far() {
            bytes.passed(start.saturating_add(offset));
        }
    }

    /// What the file system says of the file now.
    ///
    /// # Errors
    /// Any `io.*` code; [`Code::IoOther`] for what is no file of this machine.
    pub fn metadata(&self) -> Result<Metadata> {
        let Bytes::File(file) = &self.bytes else {
            return Err(io::problem("look at", &self.path, ErrorKind::Unsupported.into()));
        };
        file.metadata().map_err(|err| io::problem("look at", &self.path, err))
    }

    /// The same file, as long as it is by now.
    ///
    /// # Errors
    /// Any `io.*` code.
    pub fn renewed(mut self) -> Result<Self> {
        self.len = self.metadata()?.len().saturating_sub(self.start);
        Ok(self)
    }

    /// A part of this one; `None` when it is not that long.
    pub fn window(&self, start: u64, len: u64) -> Option<Self> {
        let end = start.checked_add(len).filter(|end| *end <= self.len);
        end.map(|_| Self { start: self.start + start, len, ..self.clone() })
    }
}

impl ReadAt for Part {
    fn len(&self) -> u64 {
        self.len
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> Result<()> {
        interrupt::checkpoint()?;
        let end = offset.checked_add(out.len() as u64).filter(|end| *end <= self.len);
        if end.is_none() {
            return Err(io::problem("read", &self.path, ErrorKind::UnexpectedEof.into()));
        }
        let read = match &self.bytes {
            Bytes::File(file) => file.read_exact_at(out, self.start + offset),
            Bytes::Distant(bytes) => return bytes.read_at(self.start + offset, out),
        };
        read.map_err(|err| match (err.kind(), self.metadata()) {
            (ErrorKind::UnexpectedEof, Ok(now)) => Problem::new(Code::SourceChanged)
                .path(self.path.display())
                .expected(format_args!("at least {} bytes", self.start + self.len))
                .found(now.len()),
            _ => io::problem("read", &self.path, err),
        })
    }

    fn expect(&self, offset: u64, len: u64) {
        if let Bytes::Distant(bytes) = &self.bytes {
            let len = len.min(self.len.saturating_sub(offset));
            bytes.expect(self.start.saturating_add(offset), len);
        }
    }
}

impl FileSet {
    /// The context of the data directory `root`.
    pub fn context_of(root: &Path) -> Self {
        Self::Below(root.into(), CONTEXT)
    }

    /// Whether there is a directory, or a file that has the parts.
    ///
    /// # Errors
    /// Any `io.*` code.
    pub fn is_there(&self) -> Result<bool> {
        Ok(matches!(self, Self::Windows(_)) || self.directory()?.is_some())
    }

    /// The same with the directory held open, for many files; where there is none, as it is.
    ///
    /// # Errors
    /// Any `io.*` code.
    pub fn held(&self) -> Result<Self> {
        Ok(self.directory()?.map_or_else(|| self.clone(), Self::Held))
    }

    /// The directory, held open; `None` when there is none.
    fn directory(&self) -> Result<Option<Dir>> {
        match self {
            Self::Directory(root) => Dir::open_if_there(root),
            Self::Below(root, name) => {
                let Some(root) = Dir::open_if_there(root)? else { return Ok(None) };
                root.read_directory(name)
            }
            Self::Held(directory) => Ok(Some(directory.clone())),
            Self::Windows(_) => Ok(None),
        }
    }
}

impl Files for FileSet {
    type File = Part;

    fn open(&self, name: &str) -> Result<Option<Part>> {
        if let Self::Windows(parts) = self {
            return Ok(parts.get(name).cloned());
        }
        self.directory()?.map_or(Ok(None), |directory| Part::open_in(&directory, name))
    }

    fn names(&self, directory: &str) -> Result<Vec<String>> {
        let mut names = match self {
            Self::Directory(_) | Self::Below(..) | Self::Held(_) => match self.directory()? {
                Some(root) => names_in(&root, directory)?,
                None => Vec::new(),
            },
            Self::Windows(parts) => {
                let prefix = if directory.is_empty() { String::new() } else { format!("{directory}/") };
                let below = parts.keys().filter_map(|name| name.strip_prefix(&prefix));
                below.filter(|name| !name.contains('/')).map(Into::into).collect()
            }
        };
        names.sort_unstable();
        Ok(names)
    }
}

/// Names that are not text are none that a node gives.
fn names_in(root: &Dir, directory: &str) -> Result<Vec<String>> {
    let Some(directory) = root.read_directory(directory)? else { return Ok(Vec::new()) };
    let mut names = Vec::new();
    for name in directory.names()? {
        interrupt::checkpoint()?;
        let Ok(name) = name.into_string() else { continue };
        if directory.look(&name)?.is_some_and(|found| found.kind != Kind::Directory) {
            names.push(name);
        }
    }
    Ok(names)
}
