//! Where a snapshot goes, and under which name (`docs/FORMAT.md`, section 5).

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use rollsnap_core::header::file_name;
use rollsnap_core::{Code, Header, Problem, Result};
use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;

use super::Compression;
use crate::io;

/// Where the snapshot goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Into this directory (made if missing; the current one if `None`), under the name that the
    /// nodes give.
    Directory(Option<PathBuf>),
    /// To this file.
    File(PathBuf),
}

impl Output {
    /// What can be said before the level is known.
    pub(crate) fn check_early(&self, force: bool) -> Result<()> {
        match self {
            Self::File(path) => self.check(path, force),
            Self::Directory(_) => Ok(()),
        }
    }

    /// The directory of the file.
    pub(crate) fn directory(&self) -> PathBuf {
        let directory = match self {
            Self::Directory(directory) => directory.as_deref(),
            Self::File(path) => path.parent(),
        };
        let here = || Path::new(".");
        directory.filter(|path| !path.as_os_str().is_empty()).unwrap_or_else(here).into()
    }

    /// The path of the file, as the nodes print it.
    pub(super) fn path(&self, header: &Header, compression: Compression) -> PathBuf {
        match self {
            Self::File(path) => path.clone(),
            Self::Directory(directory) => {
                let suffix = if compression == Compression::None { ".uncompressed" } else { "" };
                let name = file_name(header) + suffix;
                directory.as_ref().map_or_else(|| PathBuf::from(&name), |directory| directory.join(&name))
            }
        }
    }

    /// Whether the path may be written: there is nothing, or a file that the user gives up.
    pub(super) fn check(&self, path: &Path, force: bool) -> Result<()> {
        match fs::symlink_metadata(path) {
            Err(err) if err.kind() == ErrorKind::NotFound => Ok(()),
            Err(err) => Err(io::problem("look at", path, err)),
            Ok(metadata) if metadata.is_dir() => {
                Err(io::problem("write", path, ErrorKind::IsADirectory.into()))
            }
            Ok(metadata) if metadata.is_file() && force => Ok(()),
            Ok(metadata) if force => Err(exists(path).found(if metadata.is_symlink() {
                "a symbolic link, which --force does not replace"
            } else {
                "a special file, which --force does not replace"
            })),
            Ok(_) => Err(exists(path)),
        }
    }

    /// Gives the finished file its name, all at once.
    pub(crate) fn put(&self, finished: &Path, path: &Path, force: bool) -> Result<()> {
        self.check(path, force)?;
        let renamed = if force { fs::rename(finished, path) } else { rename_to_new(finished, path) };
        renamed.map_err(|err| match err.kind() {
            ErrorKind::AlreadyExists => exists(path),
            _ => io::problem("create", path, err),
        })?;
        io::sync_dir(&self.directory())
    }
}

fn exists(path: &Path) -> Problem {
    Problem::new(Code::OutputExists).path(path.display())
}

/// A rename that never replaces, where the file system can do that.
fn rename_to_new(from: &Path, to: &Path) -> std::io::Result<()> {
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => fs::rename(from, to),
        other => other.map_err(Into::into),
    }
}
