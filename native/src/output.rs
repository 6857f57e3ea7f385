//! Where a file goes that a job makes, and under which name (`docs/FORMAT.md`, section 5).

use std::ffi::OsStr;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use rollsnap_core::feedback::Notice;
use rollsnap_core::header::file_name;
use rollsnap_core::report::Compression;
use rollsnap_core::{Code, Feedback, Header, Problem, Result};

use crate::dir::{self, Dir, Entry, Kind};
use crate::io;
use crate::workspace::Workspace;

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
    /// What a user means by one path: the file, or one of the nodes' name in it, where it is a directory or ends with
    /// a slash.
    ///
    /// # Errors
    /// `io.*` when it cannot be looked at.
    pub fn at(path: &Path) -> Result<Self> {
        let is_directory = path.as_os_str().as_encoded_bytes().ends_with(b"/") || io::is_dir(path)?;
        Ok(if is_directory { Self::Directory(Some(path.into())) } else { Self::File(path.into()) })
    }

    /// What can be said before the level is known.
    pub(crate) fn check_early(&self, force: bool) -> Result<()> {
        io::not_an_address(&self.directory())?;
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

    /// The path of the file, as the nodes print it; with `kind` behind the name that they give.
    pub(crate) fn path(&self, header: &Header, kind: &str, compression: Compression) -> PathBuf {
        match self {
            Self::File(path) => path.clone(),
            Self::Directory(directory) => {
                let suffix = if compression == Compression::None { ".uncompressed" } else { "" };
                let name = file_name(header) + kind + suffix;
                directory.as_ref().map_or_else(|| PathBuf::from(&name), |directory| directory.join(&name))
            }
        }
    }

    /// Whether the path may be written: there is nothing, or a file that the user gives up.
    pub(crate) fn check(&self, path: &Path, force: bool) -> Result<()> {
        // A directory that is missing is made later.
        match Dir::open_if_there(&self.directory())? {
            Some(directory) => may_write(directory.look(last(path)?)?, path, force),
            None => Ok(()),
        }
    }

    /// Gives a finished file in the working directory its name beside it, all at once.
    /// From then on the file is there, whatever may be said about its directory.
    pub(crate) fn put(
        work: &Workspace,
        finished: &str,
        path: &Path,
        force: bool,
        feedback: &mut dyn Feedback,
    ) -> Result<()> {
        Self::put_from(work.held(), finished, work.parent(), path, force, feedback)
    }

    /// As [`Output::put`], from one directory to another of the same file system.
    pub(crate) fn put_from(
        from: &Dir,
        finished: &str,
        directory: &Dir,
        path: &Path,
        force: bool,
        feedback: &mut dyn Feedback,
    ) -> Result<()> {
        let last = last(path)?;
        may_write(directory.look(last)?, path, force)?;
        let renamed = match force {
            true => from.move_over(finished, directory, last),
            false => from.move_to_new(finished, directory, last),
        };
        renamed.map_err(|err| match err.kind() {
            ErrorKind::AlreadyExists => exists(path),
            _ => io::problem("create", path, err),
        })?;
        if let Err(problem) = directory.sync() {
            feedback.notice(Notice::Remark(&format!(
                "{} is complete and in its place, but after a power failure its name may be missing: {problem}",
                path.display()
            )));
        }
        Ok(())
    }
}

/// Writes a short file beside its name, and gives it that when it is complete and on the disk.
///
/// # Errors
/// [`Code::OutputExists`]; any `io.*` code.
pub(crate) fn write_file(path: &Path, bytes: &[u8], force: bool, feedback: &mut dyn Feedback) -> Result<()> {
    const FINISHED: &str = "file";
    let place = Output::File(path.into());
    place.check_early(force)?;
    let work = Workspace::create(&place.directory(), feedback)?;
    let failed = |err| io::problem("write", path, err);
    let mut file = work.held().create(FINISHED, 0o644).map_err(failed)?;
    file.write_all(bytes).and_then(|()| dir::sync_file(&file)).map_err(failed)?;
    Output::put(&work, FINISHED, path, force, feedback)?;
    work.remove(feedback);
    dir::say_what_lacks(feedback);
    Ok(())
}

/// The name of the file in its directory.
fn last(path: &Path) -> Result<&OsStr> {
    path.file_name().ok_or_else(|| io::problem("write", path, ErrorKind::IsADirectory.into()))
}

fn may_write(found: Option<Entry>, path: &Path, force: bool) -> Result<()> {
    match found.map(|found| found.kind) {
        None => Ok(()),
        Some(Kind::Directory) => Err(io::problem("write", path, ErrorKind::IsADirectory.into())),
        Some(Kind::File) if force => Ok(()),
        Some(Kind::Link) if force => {
            Err(exists(path).found("a symbolic link, which --force does not replace"))
        }
        Some(_) if force => Err(exists(path).found("a special file, which --force does not replace")),
        Some(_) => Err(exists(path)),
    }
}

fn exists(path: &Path) -> Problem {
    Problem::new(Code::OutputExists).path(path.display())
}
