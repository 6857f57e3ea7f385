//! Which files of a data directory go into a snapshot, besides the edited copy of the database
//! (`docs/FORMAT.md`, section 5): a walk that knows the traps of links and special files.

use std::fs;
use std::io::{Error, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rollsnap_core::feedback::Notice;
use rollsnap_core::members::{CONTEXT, LPC, METADATA, PRE_IMAGES, STORAGE, VERSION};
use rollsnap_core::{Code, Feedback, Problem, Result};
use rustix::io::Errno;

use crate::dir::{Dir, Entry, Kind};
use crate::io;

/// About how much memory a file takes until it is archived, in bytes: its name twice, and what is known of it.
const TAKEN: u64 = 512;

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
    /// Time of the last change, in seconds since 1970; 0 for one before that, which an archive cannot hold.
    pub mtime: u64,
}

impl SourceFile {
    /// The file at a path.
    ///
    /// # Errors
    /// Any `io.*` code.
    pub fn look_at(name: &str, path: &Path) -> Result<Self> {
        let found = fs::metadata(path).map_err(|err| io::problem("look at", path, err))?;
        Ok(Self::of(name.into(), path.into(), &Entry::of_metadata(&found)))
    }

    fn of(name: String, path: PathBuf, found: &Entry) -> Self {
        let mtime = u64::try_from(found.modified).unwrap_or_default();
        Self { name, path, size: found.len, mode: found.mode & 0o777, mtime }
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
    /// The first file whose time is before 1970, and how many there are.
    early: Option<(PathBuf, u64)>,
}

impl Listing {
    /// Lists what a snapshot takes from the data directory `root`. Links are followed, by the rule of
    /// [`Dir::read`]. Empty directories leave no trace.
    ///
    /// # Errors
    /// [`Code::SourceFile`] naming what cannot be archived: a dangling link, a link that leads back to
    /// a directory above, a FIFO, socket or device, a name that is not UTF-8, has
    /// a backslash or a control character, or is longer than 100 bytes; [`Code::Cancelled`]; any
    /// `io.*` code.
    pub fn of(root: &Path, tops: &[Top], feedback: &dyn Feedback) -> Result<Self> {
        let since = SystemTime::now();
        let mut walk =
            Walk { feedback, files: Vec::new(), directories: Vec::new(), above: Vec::new(), early: None };
        let held = Dir::open_if_there(root)?;
        for (top, wanted) in tops.iter().flat_map(|top| top.entries()) {
            match &held {
                // An absent top is fine; a dangling link in its place is not.
                Some(held) if held.has(top)? => walk.visit((*top).into(), held, top.as_ref(), *wanted)?,
                _ => walk.directories.push((root.join(top), None)),
            }
        }
        let Walk { mut files, directories, early, .. } = walk;
        files.sort_unstable_by(|a, b| a.name.as_bytes().cmp(b.name.as_bytes()));
        Ok(Self { root: root.into(), tops: tops.into(), files, directories, since, early })
    }

    /// The list as it is now. For files that are written once: those that were found before are not
    /// looked at again unless some directory has changed.
    ///
    /// # Errors
    /// As [`Listing::of`].
    pub fn renewed(self, feedback: &dyn Feedback) -> Result<Self> {
        if self.is_current() { Ok(self) } else { Self::of(&self.root, &self.tops, feedback) }
    }

    /// Says so when files have times that an archive cannot hold.
    pub(crate) fn say_early(&self, feedback: &mut dyn Feedback) {
        if let Some((first, count)) = &self.early {
            let others = match count - 1 {
                0 => String::new(),
                more => format!(", and those of {more} more"),
            };
            feedback.notice(Notice::Remark(&format!(
                "The time of {} is before 1970 and becomes that of 1970{others}: an archive holds no other",
                first.display()
            )));
        }
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
            let now = fs::metadata(path).ok().map(|found| Changed::of(&Entry::of_metadata(&found)));
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
    fn of(found: &Entry) -> Self {
        let ((device, inode), (seconds, nanoseconds)) = (found.id, found.changed);
        Self { device, inode, seconds, nanoseconds }
    }
}

/// How long a directory must have been at rest: the coarsest clock of a file system ticks every two
/// seconds.
const REST: Duration = Duration::from_secs(2);

impl Top {
    /// What is looked at, and which names in it are wanted.
    const fn entries(self) -> &'static [(&'static str, Wanted)] {
        match self {
            Self::Context => &[(CONTEXT, Wanted::Below)],
            Self::Metadata => &[(METADATA, Wanted::Itself)],
            Self::PreImages => &[
                (PRE_IMAGES[0], Wanted::Below),
                (PRE_IMAGES[1], Wanted::Below),
                (PRE_IMAGES[2], Wanted::Below),
            ],
            Self::Storage => &[(STORAGE, Wanted::BelowBut(LPC))],
            Self::Version => &[(STORAGE, Wanted::StartsWith(VERSION))],
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
    early: Option<(PathBuf, u64)>,
}

impl Walk<'_> {
    fn visit(&mut self, name: String, parent: &Dir, last: &Path, wanted: Wanted) -> Result<()> {
        if !wanted.admits(&name) {
            return Ok(());
        }
        let path = parent.place(last);
        check_name(&name, &path)?;
        let found = match parent.look_through(last) {
            Ok(Some(found)) => found,
            Ok(None) => return Err(io::problem("look at", &path, ErrorKind::NotFound.into())),
            Err(problem) => return Err(unreadable(&path).unwrap_or(problem)),
        };
        if found.kind == Kind::Directory {
            let below = parent.read_below(last)?;
            return below.map_or(Ok(()), |below| self.descend(&name, &below, wanted));
        }
        let is_file_of_top = !name.contains('/');
        if is_file_of_top && !matches!(wanted, Wanted::Itself) {
            return Ok(());
        }
        if found.kind != Kind::File {
            return Err(refused(&path, "it is a FIFO, a socket or a device, not a file"));
        }
        if self.files.len() == MAX_FILES {
            return Err(refused(&path, "there are too many files"));
        }
        if found.modified < 0 {
            self.early.get_or_insert_with(|| (path.clone(), 0)).1 += 1;
        }
        let taken = TAKEN.saturating_mul(self.files.len() as u64 + 1);
        self.feedback.allowance().check(taken, "the names of the files of the data directory")?;
        self.files.push(SourceFile::of(name, path, &found));
        Ok(())
    }

    fn descend(&mut self, name: &str, dir: &Dir, wanted: Wanted) -> Result<()> {
        if matches!(wanted, Wanted::Itself) {
            return Ok(());
        }
        self.feedback.checkpoint()?;
        let about = dir.about()?;
        if self.above.contains(&about.id) {
            return Err(refused(dir.path(), "the link leads back to a directory above it"));
        }
        self.above.push(about.id);
        self.directories.push((dir.path().into(), Some(Changed::of(&about))));
        for last in dir.names()? {
            self.feedback.checkpoint()?;
            let name = format!("{name}/{}", last.to_string_lossy());
            if wanted.admits(&name) && last.to_str().is_none() {
                return Err(refused(&dir.place(&last), "its name is not UTF-8 text"));
            }
            self.visit(name, dir, last.as_ref(), wanted)?;
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

/// What is wrong with a link that leads to nothing.
fn unreadable(path: &Path) -> Option<Problem> {
    let is_link = fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_symlink());
    let err: Error = fs::metadata(path).err().filter(|_| is_link)?;
    if err.kind() == ErrorKind::NotFound {
        return Some(refused(path, "the link leads nowhere"));
    }
    (Errno::from_io_error(&err) == Some(Errno::LOOP)).then(|| refused(path, "the link leads back to itself"))
}

fn refused(path: &Path, why: &str) -> Problem {
    // Quoted, because the name itself may be what is wrong.
    Problem::new(Code::SourceFile).path(format_args!("{path:?}")).because(why)
}
