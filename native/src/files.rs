//! Files by name, read at random: in a directory, or as windows over an uncompressed snapshot.

use std::collections::BTreeMap;
use std::fs::{self, File, Metadata};
use std::io::ErrorKind;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rollsnap_core::{Code, Files, Problem, ReadAt, Result};

use crate::io;

/// Where the files of a context, or of a whole data directory, are. Names are relative to it.
#[derive(Clone, Debug)]
pub enum FileSet {
    /// In a directory.
    Directory(PathBuf),
    /// In one file, each at its place.
    Windows(BTreeMap<String, Part>),
}

/// A file, or a part of one.
#[derive(Clone, Debug)]
pub struct Part {
    file: Arc<File>,
    path: PathBuf,
    start: u64,
    len: u64,
}

impl Part {
    /// The whole file at a path; `None` when there is none.
    ///
    /// # Errors
    /// Any `io.*` code; [`Code::IoOther`] for what is no regular file.
    pub fn open(path: &Path) -> Result<Option<Self>> {
        let failed = |err| io::problem("read", path, err);
        // Asked before it is opened: a FIFO would wait for somebody to write to it.
        let metadata = match std::fs::metadata(path) {
            Err(err) if matches!(err.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                return Ok(None);
            }
            other => other.map_err(failed)?,
        };
        if !metadata.is_file() {
            return Err(Problem::new(Code::IoOther)
                .headline(format!("cannot read {}", path.display()))
                .because("it is not a regular file"));
        }
        let file = match File::open(path) {
            Err(err) if err.kind() == ErrorKind::NotFound => return Ok(None),
            other => other.map_err(failed)?,
        };
        let metadata = file.metadata().map_err(failed)?;
        Ok(Some(Self { file: file.into(), path: path.into(), start: 0, len: metadata.len() }))
    }

    /// The whole of an open file of this length; `path` is for messages.
    pub fn of(file: File, path: &Path, len: u64) -> Self {
        Self { file: file.into(), path: path.into(), start: 0, len }
    }

    /// What the file system says of the file now.
    ///
    /// # Errors
    /// Any `io.*` code.
    pub fn metadata(&self) -> Result<Metadata> {
        self.file.metadata().map_err(|err| io::problem("look at", &self.path, err))
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
        let end = offset.checked_add(out.len() as u64).filter(|end| *end <= self.len);
        let read = match end {
            Some(_) => self.file.read_exact_at(out, self.start + offset),
            None => return Err(io::problem("read", &self.path, ErrorKind::UnexpectedEof.into())),
        };
        read.map_err(|err| match (err.kind(), self.metadata()) {
            (ErrorKind::UnexpectedEof, Ok(now)) => Problem::new(Code::SourceChanged)
                .path(self.path.display())
                .expected(format_args!("at least {} bytes", self.start + self.len))
                .found(now.len()),
            _ => io::problem("read", &self.path, err),
        })
    }
}

impl Files for FileSet {
    type File = Part;

    fn open(&self, name: &str) -> Result<Option<Part>> {
        match self {
            Self::Directory(root) => Part::open(&root.join(name)),
            Self::Windows(parts) => Ok(parts.get(name).cloned()),
        }
    }

    fn names(&self, directory: &str) -> Result<Vec<String>> {
        let mut names = match self {
            Self::Directory(root) => names_in(&root.join(directory))?,
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
fn names_in(directory: &Path) -> Result<Vec<String>> {
    let failed = |err| io::problem("read the directory", directory, err);
    let entries = match fs::read_dir(directory) {
        Err(err) if matches!(err.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(Vec::new());
        }
        other => other.map_err(failed)?,
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(failed)?;
        let directory = entry.file_type().map_err(failed)?.is_dir();
        names.extend(entry.file_name().into_string().ok().filter(|_| !directory));
    }
    Ok(names)
}
