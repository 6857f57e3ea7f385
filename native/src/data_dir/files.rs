//! Which files of a data directory go into a snapshot, besides the edited copy of the database
//! (`docs/FORMAT.md`, section 5): a walk that knows the traps of links and special files.

use std::fs::{self, Metadata};
use std::io::{Error, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rollsnap_core::{Code, Feedback, Problem, Result};
use rustix::io::Errno;

use crate::io;

/// A file to archive. Size, mode and time are those of the file itself, also where the data
/// directory has a link to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceFile {
    /// Path relative to the data directory, with `/`.
    pub name: String,
    /// Where it is read.
    pub path: PathBuf,
    /// Length, in bytes.
    pub size: u64,
    /// Permission bits, as in `0o644`.
    pub mode: u32,
    /// Time of the last change, in seconds since 1970.
    pub mtime: u64,
}

/// The files that a snapshot of a store of version 5 takes from the data directory `root`, without
/// `store.sqlite`, sorted by the bytes of their names: `metadata`, everything below `context` and
/// the pre-image directories, and what begins with `storage/version`. Links are followed. Empty
/// directories leave no trace.
///
/// # Errors
/// [`Code::SourceFile`] naming what cannot be archived: a dangling link, a link that leads back to
/// a directory above, a FIFO, socket or device, a time before 1970, a name that is not UTF-8, has
/// a backslash or a control character, or is longer than 100 bytes; [`Code::Cancelled`]; any
/// `io.*` code.
pub fn snapshot_files(root: &Path, feedback: &dyn Feedback) -> Result<Vec<SourceFile>> {
    files_of(root, feedback, |_| true)
}

/// The same without what is below `context`, which is not looked at.
///
/// # Errors
/// As [`snapshot_files`].
pub fn files_beside_context(root: &Path, feedback: &dyn Feedback) -> Result<Vec<SourceFile>> {
    files_of(root, feedback, |top| top != "context")
}

fn files_of(root: &Path, feedback: &dyn Feedback, takes: impl Fn(&str) -> bool) -> Result<Vec<SourceFile>> {
    let mut walk = Walk { feedback, files: Vec::new(), above: Vec::new() };
    for (top, wanted) in TOPS.into_iter().filter(|(top, _)| takes(top)) {
        let path = root.join(top);
        match fs::symlink_metadata(&path) {
            // An absent top is fine; a dangling link in its place is not.
            Err(err) if err.kind() == ErrorKind::NotFound => {}
            Err(err) => return Err(io::problem("look at", &path, err)),
            Ok(_) => walk.visit(top.into(), path, wanted)?,
        }
    }
    let mut files = walk.files;
    files.sort_unstable_by(|a, b| a.name.as_bytes().cmp(b.name.as_bytes()));
    Ok(files)
}

/// What is looked at, and which names in it are wanted.
const TOPS: [(&str, Wanted); 6] = [
    ("arith", Wanted::Below),
    ("context", Wanted::Below),
    ("metadata", Wanted::Itself),
    ("riscv", Wanted::Below),
    ("storage", Wanted::StartsWith("storage/version")),
    ("wasm_2_0_0", Wanted::Below),
];

/// Length of the name field of a member, in bytes.
const MAX_NAME: usize = 100;

/// How many files are listed at most. Links between directories can make a small tree look
/// endless without leading back to themselves.
const MAX_FILES: usize = 1 << 24;

#[derive(Clone, Copy)]
enum Wanted {
    /// Only the file of this name.
    Itself,
    /// All files below the directory of this name.
    Below,
    /// The files below it whose names start so.
    StartsWith(&'static str),
}

struct Walk<'a> {
    feedback: &'a dyn Feedback,
    files: Vec<SourceFile>,
    /// Device and inode of the directories on the way down, to recognise a link that leads back.
    /// Names of at most [`MAX_NAME`] bytes bound its length, and with it the recursion.
    above: Vec<(u64, u64)>,
}

impl Walk<'_> {
    fn visit(&mut self, name: String, path: PathBuf, wanted: Wanted) -> Result<()> {
        if !wanted.admits(&name) {
            return Ok(());
        }
        check_name(&name, &path)?;
        let metadata = fs::metadata(&path).map_err(|err| unreadable(&path, err))?;
        if metadata.is_dir() {
            return self.descend(&name, &path, &metadata, wanted);
        }
        let is_file_of_top = !name.contains('/');
        if is_file_of_top && !matches!(wanted, Wanted::Itself) {
            return Ok(());
        }
        if !metadata.is_file() {
            return Err(refused(&path, "it is a FIFO, a socket or a device, not a file"));
        }
        if self.files.len() == MAX_FILES {
            return Err(refused(&path, "there are too many files"));
        }
        let mtime = u64::try_from(metadata.mtime())
            .map_err(|_| refused(&path, "its time of change is before 1970"))?;
        self.files.push(SourceFile {
            name,
            path,
            size: metadata.len(),
            mode: metadata.mode() & 0o777,
            mtime,
        });
        Ok(())
    }

    fn descend(&mut self, name: &str, path: &Path, metadata: &Metadata, wanted: Wanted) -> Result<()> {
        if matches!(wanted, Wanted::Itself) {
            return Ok(());
        }
        self.feedback.checkpoint()?;
        let id = (metadata.dev(), metadata.ino());
        if self.above.contains(&id) {
            return Err(refused(path, "the link leads back to a directory above it"));
        }
        self.above.push(id);
        let list = |err| io::problem("list the directory", path, err);
        for entry in fs::read_dir(path).map_err(list)? {
            let entry = entry.map_err(list)?;
            let child = entry.path();
            let last = entry.file_name();
            let name = format!("{name}/{}", last.to_string_lossy());
            if wanted.admits(&name) && last.to_str().is_none() {
                return Err(refused(&child, "its name is not UTF-8 text"));
            }
            self.visit(name, child, wanted)?;
        }
        self.above.pop();
        Ok(())
    }
}

impl Wanted {
    fn admits(self, name: &str) -> bool {
        match self {
            Self::Itself | Self::Below => true,
            Self::StartsWith(start) => name.starts_with(start) || !name.contains('/'),
        }
    }
}

fn check_name(name: &str, path: &Path) -> Result<()> {
    if name.len() > MAX_NAME {
        return Err(refused(path, "its name is longer than 100 bytes"));
    }
    if name.chars().any(|c| c == '\\' || c.is_control()) {
        return Err(refused(path, "its name has a backslash or a control character"));
    }
    Ok(())
}

fn unreadable(path: &Path, err: Error) -> Problem {
    let is_link = fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_symlink());
    if is_link && err.kind() == ErrorKind::NotFound {
        return refused(path, "the link leads nowhere");
    }
    if is_link && Errno::from_io_error(&err) == Some(Errno::LOOP) {
        return refused(path, "the link leads back to itself");
    }
    io::problem("look at", path, err)
}

fn refused(path: &Path, why: &str) -> Problem {
    // Quoted, because the name itself may be what is wrong.
    Problem::new(Code::SourceFile).path(format_args!("{path:?}")).because(why)
}
