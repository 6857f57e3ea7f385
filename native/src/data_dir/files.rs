//! Which files of a data directory go into a snapshot, besides the edited copy of the database
//! (`docs/FORMAT.md`, section 5): a walk that knows the traps of links and special files.

use std::fs::{self, Metadata};
use std::io::{Error, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

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

impl SourceFile {
    /// The file at a path.
    ///
    /// # Errors
    /// Any `io.*` code.
    pub fn look_at(name: &str, path: &Path) -> Result<Self> {
        let metadata = fs::metadata(path).map_err(|err| io::problem("look at", path, err))?;
        Ok(Self::of(name.into(), path.into(), &metadata))
    }

    fn of(name: String, path: PathBuf, metadata: &Metadata) -> Self {
        let mtime = u64::try_from(metadata.mtime()).unwrap_or_default();
        Self { name, path, size: metadata.len(), mode: metadata.mode() & 0o777, mtime }
    }
}

/// Something that a snapshot takes from a data directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Top {
    /// Everything below `context`.
    Context,
    /// The file `metadata`.
    Metadata,
    /// Everything below the directories of pre-images.
    PreImages,
    /// The store of version 4: everything below `storage` but the operator's own `storage/lpc`.
    Storage,
    /// What begins with `storage/version`.
    Version,
}

/// Files that were found, and how to tell whether there are others by now.
#[derive(Clone, Debug)]
pub struct Listing {
    root: PathBuf,
    tops: Vec<Top>,
    /// Sorted by the bytes of their names.
    pub files: Vec<SourceFile>,
    /// The directories, and when something was last added to or removed from each; `None`: not there.
    directories: Vec<(PathBuf, Option<Changed>)>,
    since: SystemTime,
}

impl Listing {
    /// Lists what a snapshot takes from the data directory `root`. Links are followed. Empty
    /// directories leave no trace.
    ///
    /// # Errors
    /// [`Code::SourceFile`] naming what cannot be archived: a dangling link, a link that leads back to
    /// a directory above, a FIFO, socket or device, a time before 1970, a name that is not UTF-8, has
    /// a backslash or a control character, or is longer than 100 bytes; [`Code::Cancelled`]; any
    /// `io.*` code.
    pub fn of(root: &Path, tops: &[Top], feedback: &dyn Feedback) -> Result<Self> {
        let since = SystemTime::now();
        let mut walk = Walk { feedback, files: Vec::new(), directories: Vec::new(), above: Vec::new() };
        for (top, wanted) in tops.iter().flat_map(|top| top.entries()) {
            let path = root.join(top);
            match fs::symlink_metadata(&path) {
                // An absent top is fine; a dangling link in its place is not.
                Err(err) if err.kind() == ErrorKind::NotFound => walk.directories.push((path, None)),
                Err(err) => return Err(io::problem("look at", &path, err)),
                Ok(_) => walk.visit((*top).into(), path, *wanted)?,
            }
        }
        let Walk { mut files, directories, .. } = walk;
        files.sort_unstable_by(|a, b| a.name.as_bytes().cmp(b.name.as_bytes()));
        Ok(Self { root: root.into(), tops: tops.into(), files, directories, since })
    }

    /// The list as it is now. For files that are written once: those that were found before are not
    /// looked at again unless some directory has changed.
    ///
    /// # Errors
    /// As [`Listing::of`].
    pub fn renewed(self, feedback: &dyn Feedback) -> Result<Self> {
        if self.is_current() { Ok(self) } else { Self::of(&self.root, &self.tops, feedback) }
    }

    /// A change within the same tick of the file system's clock as the listing cannot be seen, so a
    /// directory must have been at rest for a while.
    fn is_current(&self) -> bool {
        let Some(rest) = self.since.duration_since(UNIX_EPOCH).ok().and_then(|now| now.checked_sub(REST))
        else {
            return false;
        };
        let at_rest = i64::try_from(rest.as_secs()).unwrap_or_default();
        self.directories.iter().all(|(path, before)| {
            let now = fs::metadata(path).ok().map(|metadata| Changed::of(&metadata));
            now == *before && before.is_none_or(|before| before.seconds < at_rest)
        })
    }
}

/// What tells that a directory has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Changed {
    device: u64,
    inode: u64,
    seconds: i64,
    nanoseconds: i64,
}

impl Changed {
    fn of(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            seconds: metadata.ctime(),
            nanoseconds: metadata.ctime_nsec(),
        }
    }
}

/// How long a directory must have been at rest: the coarsest clock of a file system ticks every two
/// seconds.
const REST: Duration = Duration::from_secs(2);

impl Top {
    /// What is looked at, and which names in it are wanted.
    const fn entries(self) -> &'static [(&'static str, Wanted)] {
        match self {
            Self::Context => &[("context", Wanted::Below)],
            Self::Metadata => &[("metadata", Wanted::Itself)],
            Self::PreImages => {
                &[("arith", Wanted::Below), ("riscv", Wanted::Below), ("wasm_2_0_0", Wanted::Below)]
            }
            Self::Storage => &[("storage", Wanted::BelowBut("storage/lpc"))],
            Self::Version => &[("storage", Wanted::StartsWith("storage/version"))],
        }
    }
}

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
    /// The same without this one.
    BelowBut(&'static str),
    /// The files below it whose names start so.
    StartsWith(&'static str),
}

struct Walk<'a> {
    feedback: &'a dyn Feedback,
    files: Vec<SourceFile>,
    directories: Vec<(PathBuf, Option<Changed>)>,
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
        if metadata.mtime() < 0 {
            return Err(refused(&path, "its time of change is before 1970"));
        }
        self.files.push(SourceFile::of(name, path, &metadata));
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
        self.directories.push((path.into(), Some(Changed::of(metadata))));
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
            Self::BelowBut(own) => name != own,
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
