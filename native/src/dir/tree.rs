//! A tree of new files that grows: each one is created through the handle of the directory it is in, so that no
//! path is walked for it and no link is followed.

use std::fs::{File, FileTimes};
use std::io::{BufWriter, Error, ErrorKind, IntoInnerError, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rollsnap_core::Result;
use rustix::fs::{Mode, mkdirat};
use rustix::io::Errno;

use super::room::Room;
use super::space::SpaceCheck;
use super::{Dir, one};
use crate::io;
use crate::sparse::SparseFile;

/// The way down from a directory to the one that was entered last.
#[derive(Debug)]
pub(crate) struct Descent {
    root: Dir,
    /// From the root down. Names of members are short, so there are few of them.
    above: Vec<(String, Dir)>,
}

impl Descent {
    pub(crate) fn from(root: &Dir) -> Self {
        Self { root: root.clone(), above: Vec::new() }
    }

    /// Goes to a directory; `parents` is relative to the root, with `/`. What is missing on the way is made. A link
    /// is not followed.
    pub(crate) fn enter(&mut self, parents: &str) -> Result<&Dir, Errno> {
        let mut parts = parents.split('/').filter(|part| !part.is_empty()).peekable();
        let mut shared = 0;
        while let Some((name, _)) = self.above.get(shared)
            && parts.next_if_eq(&&**name).is_some()
        {
            shared += 1;
        }
        self.above.truncate(shared);
        for part in parts {
            let parent = self.innermost();
            let name = one(Path::new(part))?;
            let directory = match parent.descend(name) {
                Err(Errno::NOENT) => {
                    mkdirat(parent, name, Mode::from_raw_mode(0o755))?;
                    parent.descend(name)
                }
                other => other,
            };
            self.above.push((part.into(), directory?));
        }
        Ok(self.innermost())
    }

    fn innermost(&self) -> &Dir {
        self.above.last().map_or(&self.root, |(_, directory)| directory)
    }
}

/// The tree below a directory, and the file of it that is being written.
#[derive(Debug)]
pub struct Tree {
    descent: Descent,
    open: Option<(String, BufWriter<SparseFile>)>,
    /// Whether files of an earlier run may be in the way.
    replaces: bool,
    room: Room,
    /// Whether a file is refused for which there is no room.
    reserves: bool,
    untimed: u64,
}

/// From this size on it is asked whether there is room for a file, in bytes. Smaller ones are too many.
const LARGE: u64 = 1 << 20;

impl Tree {
    /// Below a directory.
    pub fn below(root: &Dir) -> Self {
        Self {
            descent: Descent::from(root),
            open: None,
            replaces: false,
            room: Room::new(root),
            reserves: true,
            untimed: 0,
        }
    }

    /// The same without looking for room, where the user does not want that.
    pub(crate) fn within(self, space: SpaceCheck) -> Self {
        Self { reserves: !space.skipped, ..self }
    }

    /// The same, in which an earlier run may have made some of the files: they are made again.
    #[must_use]
    pub(crate) fn replacing(mut self) -> Self {
        self.replaces = true;
        self
    }

    /// So many bytes were read by now of the snapshot that the files come from.
    pub fn read(&mut self, bytes: u64) {
        self.room.read(bytes);
    }

    /// Creates a file and the directories above it; `name` is relative, with `/`. The umask applies to the mode. The
    /// file will have `size` bytes; 0 if that is not known.
    ///
    /// # Errors
    /// Any `io.*` code.
    pub fn create(&mut self, name: String, mode: u32, size: u64) -> Result<()> {
        if size >= LARGE && self.reserves {
            self.room.reserve(&self.descent.root.place(&name), size)?;
        }
        let (parents, last) = name.rsplit_once('/').unwrap_or(("", &name));
        let replaces = self.replaces;
        let created = self.descent.enter(parents).map_err(Error::from).and_then(|parent| {
            match parent.create(last, mode) {
                Err(err) if replaces && err.kind() == ErrorKind::AlreadyExists => {
                    parent.unlink(last).and_then(|()| parent.create(last, mode))
                }
                other => other,
            }
        });
        match created {
            Ok(file) => {
                self.open = Some((name, BufWriter::new(SparseFile::new(file))));
                Ok(())
            }
            Err(err) => Err(self.problem("create", &name, err)),
        }
    }

    /// Goes on with a file that is there, of which `there` bytes count. It will have `size` bytes.
    ///
    /// # Errors
    /// Any `io.*` code.
    pub(crate) fn reopen(&mut self, name: String, there: u64, size: u64) -> Result<()> {
        let place = self.descent.root.place(&name);
        if self.reserves {
            self.room.reserve(&place, size.saturating_sub(there))?;
        }
        let (parents, last) = name.rsplit_once('/').unwrap_or(("", &name));
        let parent = self.descent.enter(parents).map_err(|err| io::problem("open", &place, err.into()))?;
        let file = parent.file_for_writing(last)?;
        let file = file.ok_or_else(|| io::problem("open", &place, ErrorKind::NotFound.into()))?;
        let file = SparseFile::going_on(file, there).map_err(|err| io::problem("write", &place, err))?;
        self.open = Some((name, BufWriter::new(file)));
        Ok(())
    }

    /// Hands what was written to the operating system.
    ///
    /// # Errors
    /// Any `io.*` code.
    pub(crate) fn flush(&mut self) -> Result<()> {
        let Some((name, file)) = &mut self.open else { return Ok(()) };
        file.flush().map_err(|err| io::problem("write", &self.descent.root.place(&*name), err))
    }

    /// Appends to the file that was created last. Blocks of zeros stay holes.
    ///
    /// # Errors
    /// Any `io.*` code; [`LimitSpace`](rollsnap_core::Code::LimitSpace) for more than the snapshot can need, as far
    /// as it was [read](Tree::read).
    pub fn write(&mut self, bytes: &[u8]) -> Result<()> {
        let Some((name, file)) = &mut self.open else { return Ok(()) };
        let before = file.get_ref().taken();
        file.write_all(bytes).map_err(|err| io::problem("write", &self.descent.root.place(&*name), err))?;
        self.room.take(Path::new(name), file.get_ref().taken() - before)
    }

    /// Completes the file, and gives it its time, in seconds since 1970. A time that it cannot be given is no error,
    /// but counted. (SMB shares and some file systems of FUSE refuse to set times, and the nodes set none.)
    ///
    /// # Errors
    /// Any `io.*` code.
    pub fn complete(&mut self, mtime: Option<u64>) -> Result<()> {
        let Some((name, file)) = self.open.take() else { return Ok(()) };
        let time = mtime.and_then(|mtime| SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(mtime)));
        let complete = || {
            let file = file.into_inner().map_err(IntoInnerError::into_error)?.complete()?;
            time.map_or(Ok(true), |time| set_time(&file, time))
        };
        let is_timed = complete().map_err(|err| self.problem("write", &name, err))?;
        self.untimed += u64::from(!is_timed);
        Ok(())
    }

    /// How many files have not got their times, because the file system does not let its users set them.
    pub fn untimed(&self) -> u64 {
        self.untimed
    }

    fn problem(&self, doing: &str, name: &str, err: Error) -> rollsnap_core::Problem {
        io::problem(doing, &self.descent.root.place(PathBuf::from(name)), err)
    }
}

/// Sets the time of a file; whether it could be set.
///
/// # Errors
/// Those of the system, where it lets its users set times.
pub(crate) fn set_time(file: &File, time: SystemTime) -> Result<bool, Error> {
    match file.set_times(FileTimes::new().set_modified(time)) {
        Err(err) if is_not_permitted(&err) => Ok(false),
        other => other.map(|()| true),
    }
}

/// Whether the file system does not have it, or does not let its users have it.
fn is_not_permitted(err: &Error) -> bool {
    let errno = Errno::from_io_error(err);
    matches!(errno, Some(Errno::PERM | Errno::NOSYS | Errno::NOTSUP | Errno::INVAL))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{MetadataExt, symlink};

    use rollsnap_core::Code;

    use super::*;

    fn tree(path: &Path) -> Tree {
        Tree::below(&Dir::open(path).unwrap())
    }

    #[test]
    fn files_are_made_in_any_order_of_directories() {
        let dir = tempfile::tempdir().unwrap();
        let mut tree = tree(dir.path());
        for name in ["a/b/c/1", "top", "a/b/2", "a/bc/3", "d/4", "a/b/c/5"] {
            tree.create(name.into(), 0o600, 0).unwrap();
            tree.write(name.as_bytes()).unwrap();
            tree.complete(Some(1_700_000_000)).unwrap();
            let path = dir.path().join(name);
            assert_eq!(fs::read(&path).unwrap(), name.as_bytes());
            let metadata = fs::metadata(&path).unwrap();
            assert_eq!((metadata.mode() & 0o7777, metadata.mtime()), (0o600, 1_700_000_000));
        }
    }

    #[test]
    fn nothing_that_exists_is_written_to_or_followed() {
        let dir = tempfile::tempdir().unwrap();
        let outside = tempfile::tempdir().unwrap();
        fs::write(outside.path().join("precious"), "kept").unwrap();
        symlink(outside.path(), dir.path().join("link")).unwrap();
        symlink(outside.path().join("precious"), dir.path().join("file")).unwrap();
        fs::write(dir.path().join("there"), "kept").unwrap();
        for (name, code) in [
            ("link/new", Code::IoNotDirectory),
            ("file", Code::IoOther),
            ("there", Code::IoOther),
            ("there/below", Code::IoNotDirectory),
            ("../outside", Code::IoOther),
        ] {
            let problem = tree(dir.path()).create(name.into(), 0o644, 0).unwrap_err();
            assert_eq!(problem.code(), code, "{name}");
            assert!(problem.to_string().contains(name), "{problem}");
        }
        assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 1);
        assert_eq!(fs::read(outside.path().join("precious")).unwrap(), b"kept");
        assert_eq!(fs::read(dir.path().join("there")).unwrap(), b"kept");
    }
}
