//! The files of a directory, for the readers of the core: opened once, read anywhere.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use rollsnap_core::{Files, ReadAt, Result};

use crate::io;

/// A directory, such as the `context` of a node.
#[derive(Clone, Debug)]
pub struct Directory {
    root: PathBuf,
}

/// A file of it. It stays readable when its name goes; bytes that are added later do not count.
#[derive(Debug)]
pub struct OpenFile {
    path: PathBuf,
    file: File,
    len: u64,
}

impl Directory {
    /// The directory at this path, which need not exist.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.root
    }
}

impl Files for Directory {
    type File = OpenFile;

    fn open(&self, name: &str) -> Result<Option<OpenFile>> {
        let path = self.root.join(name);
        let is_missing =
            |err: &std::io::Error| matches!(err.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory);
        // Whatever is no file is not opened: a FIFO would wait for its writer.
        let found = match fs::metadata(&path) {
            Ok(metadata) if !metadata.is_file() => return Ok(None),
            Ok(_) => {
                File::open(&path).and_then(|file| file.metadata().map(|metadata| (file, metadata.len())))
            }
            Err(err) => Err(err),
        };
        match found {
            Ok((file, len)) => Ok(Some(OpenFile { file, len, path })),
            Err(err) if is_missing(&err) => Ok(None),
            Err(err) => Err(io::problem("read", &path, err)),
        }
    }

    fn names(&self, directory: &str) -> Result<Vec<String>> {
        let path = self.root.join(directory);
        let failed = |err| io::problem("list the directory", &path, err);
        let entries = match fs::read_dir(&path) {
            Err(err) if matches!(err.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                return Ok(Vec::new());
            }
            other => other.map_err(failed)?,
        };
        let mut names = Vec::new();
        for entry in entries {
            let entry = entry.map_err(failed)?;
            let is_dir = fs::metadata(entry.path()).is_ok_and(|metadata| metadata.is_dir());
            // What is not UTF-8 is no name that anything could ask for.
            if let Some(name) = entry.file_name().to_str().filter(|_| !is_dir) {
                names.push(name.to_owned());
            }
        }
        names.sort_unstable();
        Ok(names)
    }
}

impl ReadAt for OpenFile {
    fn len(&self) -> u64 {
        self.len
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> Result<()> {
        self.file.read_exact_at(out, offset).map_err(|err| io::problem("read", &self.path, err))
    }
}
