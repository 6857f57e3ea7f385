//! Directories that are held open: everything in them is reached through a descriptor, never by walking a path
//! again.
//!
//! Somebody else may write to the directory too: a data directory belongs to the node's user while root imports
//! into it, a destination to a group, `/tmp` to everybody. Whoever may write there can replace any name by a link
//! between two of our calls. So a directory is opened once, and what is done in it names one entry of that very
//! directory (`openat`, `fstatat`, `renameat`, `unlinkat`); a link is never followed on the way, kind and owner are
//! read from the descriptor that is used, and opening waits for nobody.
//!
//! | file | what for |
//! |---|---|
//! | `durable` | making what was written last |
//! | `entry` | what has a name, without following it |
//! | `remove` | deleting a tree: no link is followed, no other file system entered |
//! | `tree` | a tree of new files that grows |
//! | `room` | how much may be written there |
//! | `space` | whether that suffices for a job, before it begins |
//! | `read` | files that somebody else wrote: regular ones only, and whose links are followed |
//! | `made` | directories that a job makes for itself, and takes away again |
//! | `owner` | whose the new files are, when root makes them |
//! | `system` | what the file system says of itself: what may be written, modes, mounts, FUSE |
//! | `without` | what a file system lacks and is done without |

mod durable;
mod entry;
mod made;
mod owner;
mod read;
mod remove;
mod room;
pub(crate) mod space;
mod system;
mod tree;
mod without;

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use rollsnap_core::{Code, Problem, Result};
use rustix::fs::{
    AtFlags, CWD, Mode, OFlags, RenameFlags, fstat, fsync, mkdirat, openat, renameat, renameat_with, statat,
    unlinkat,
};
use rustix::io::Errno;

use crate::io::problem;

pub(crate) use durable::Durable;
pub use entry::{Entry, Kind};
pub use made::MadeDirs;
pub use owner::Owner;
pub(crate) use owner::{adopt, give};
pub use read::read_small;
pub(crate) use read::{open_regular, open_unwaited};
pub(crate) use room::Room;
pub use space::SpaceCheck;
pub use tree::Tree;
pub(crate) use tree::{Descent, set_time};
pub(crate) use without::{Ornament, say_what_lacks, sync_data, sync_file};

/// How a directory is opened.
const DIRECTORY: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

/// How a file is opened that others may have put there: a FIFO is not waited for, a terminal does not become ours.
const READ: OFlags = OFlags::RDONLY.union(OFlags::NONBLOCK).union(OFlags::NOCTTY).union(OFlags::CLOEXEC);

/// How a new file is made: nothing that exists is opened.
const NEW: OFlags =
    OFlags::RDWR.union(OFlags::CREATE).union(OFlags::EXCL).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// A directory that is open. Clones share the descriptor. Methods take the name of one entry: a path with more
/// than one part is refused.
#[derive(Clone, Debug)]
pub struct Dir {
    fd: Arc<OwnedFd>,
    /// What it was called when it was opened, for messages.
    path: PathBuf,
}

impl Dir {
    /// Opens the directory that the operator names, who may name it by a link.
    ///
    /// # Errors
    /// Any `io.*` code.
    pub fn open(path: &Path) -> Result<Self> {
        let named = if path.as_os_str().is_empty() { Path::new(".") } else { path };
        let fd = match openat(CWD, named, DIRECTORY, Mode::empty()) {
            // Names in it can be reached all the same where only listing them is forbidden.
            #[cfg(target_os = "linux")]
            Err(Errno::ACCESS) => openat(CWD, named, DIRECTORY | OFlags::PATH, Mode::empty()),
            other => other,
        };
        let fd = fd.map_err(|err| problem("open the directory", path, err.into()))?;
        Ok(Self::of(fd, path.into()))
    }

    /// The same; `None` when there is nothing.
    ///
    /// # Errors
    /// Any `io.*` code.
    pub fn open_if_there(path: &Path) -> Result<Option<Self>> {
        match Self::open(path) {
            Err(problem) if problem.code() == Code::IoNotFound => Ok(None),
            other => other.map(Some),
        }
    }

    fn of(fd: OwnedFd, path: PathBuf) -> Self {
        Self { fd: Arc::new(fd), path }
    }

    /// What it was called when it was opened.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What an entry is called in messages.
    pub fn place(&self, name: impl AsRef<Path>) -> PathBuf {
        self.path.join(name)
    }

    /// The directory itself.
    ///
    /// # Errors
    /// Any `io.*` code.
    pub fn about(&self) -> Result<Entry> {
        fstat(&self.fd).map(Entry::of).map_err(|err| problem("look at", &self.path, err.into()))
    }

    /// What has this name, without following a link; `None` when nothing has.
    ///
    /// # Errors
    /// Any `io.*` code.
    pub fn look(&self, name: impl AsRef<Path>) -> Result<Option<Entry>> {
        let name = name.as_ref();
        match one(name).and_then(|name| statat(&self.fd, name, AtFlags::SYMLINK_NOFOLLOW)) {
            Ok(found) => Ok(Some(Entry::of(found))),
            Err(Errno::NOENT) => Ok(None),
            Err(err) => Err(self.problem("look at", name, err)),
        }
    }

    /// Whether something has this name, be it a link that leads nowhere.
    ///
    /// # Errors
    /// Any `io.*` code.
    pub fn has(&self, name: impl AsRef<Path>) -> Result<bool> {
        Ok(self.look(name)?.is_some())
    }

    /// The names of all entries, sorted.
    ///
    /// # Errors
    /// Any `io.*` code.
    pub fn names(&self) -> Result<Vec<OsString>> {
        let list = || -> Result<Vec<OsString>, Errno> {
            let mut names = Vec::new();
            for entry in rustix::fs::Dir::read_from(&self.fd)? {
                let name = entry?.file_name().to_bytes().to_vec();
                if name != b"." && name != b".." {
                    names.push(OsString::from_vec(name));
                }
            }
            names.sort_unstable();
            Ok(names)
        };
        list().map_err(|err| problem("list the directory", &self.path, err.into()))
    }

    /// Opens a directory in it; `None` when nothing has this name. What is no directory, a link to one too, is
    /// an error.
    ///
    /// # Errors
    /// Any `io.*` code.
    pub fn enter(&self, name: impl AsRef<Path>) -> Result<Option<Self>> {
        let name = name.as_ref();
        match self.descend(name) {
            Ok(dir) => Ok(Some(dir)),
            Err(Errno::NOENT) => Ok(None),
            Err(err) => Err(self.strange(name, "a directory", "open the directory", err)),
        }
    }

    fn descend(&self, name: &Path) -> Result<Self, Errno> {
        let fd = openat(&self.fd, one(name)?, DIRECTORY | OFlags::NOFOLLOW, Mode::empty())?;
        Ok(Self::of(fd, self.place(name)))
    }

    /// Makes a directory that is ours alone, and opens it.
    ///
    /// # Errors
    /// Any `io.*` code; of the kind `AlreadyExists` where something has this name, or was put in its place.
    pub fn make(&self, name: impl AsRef<Path>) -> io::Result<Self> {
        let name = name.as_ref();
        mkdirat(&self.fd, one(name)?, Mode::RWXU)?;
        let made = self.descend(name)?;
        let about = Entry::of(fstat(&made.fd)?);
        let is_private = about.is_private() || (about.is_ours() && made.has_no_modes());
        let ours = is_private && made.names().is_ok_and(|names| names.is_empty());
        if ours { Ok(made) } else { Err(Errno::EXIST.into()) }
    }

    /// Opens a regular file in it for reading; `None` when nothing has this name. A link is not followed, and
    /// nothing is waited for.
    ///
    /// # Errors
    /// Any `io.*` code; [`Code::IoOther`] for what is no regular file.
    pub fn file(&self, name: impl AsRef<Path>) -> Result<Option<File>> {
        let name = name.as_ref();
        match one(name).and_then(|name| openat(&self.fd, name, READ | OFlags::NOFOLLOW, Mode::empty())) {
            Ok(fd) => read::regular(fd, &self.place(name)).map(Some),
            Err(Errno::NOENT) => Ok(None),
            Err(err) => Err(self.strange(name, "a regular file", "open", err)),
        }
    }

    /// The same, for reading and writing.
    ///
    /// # Errors
    /// As [`Dir::file`].
    pub(crate) fn file_for_writing(&self, name: impl AsRef<Path>) -> Result<Option<File>> {
        let name = name.as_ref();
        // Asked before it is opened: opening a device can do something to it.
        match self.look(name)? {
            None => return Ok(None),
            Some(found) if found.kind != Kind::File => {
                return Err(not_a("a regular file", &self.place(name), found.kind));
            }
            Some(_) => {}
        }
        let flags = READ.difference(OFlags::RDONLY) | OFlags::RDWR | OFlags::NOFOLLOW;
        match one(name).and_then(|name| openat(&self.fd, name, flags, Mode::empty())) {
            Ok(fd) => read::regular(fd, &self.place(name)).map(Some),
            Err(Errno::NOENT) => Ok(None),
            Err(err) => Err(self.strange(name, "a regular file", "open", err)),
        }
    }

    /// Makes a new file for reading and writing; the umask applies to the mode.
    ///
    /// # Errors
    /// Of the kind `AlreadyExists` where something has this name.
    pub fn create(&self, name: impl AsRef<Path>, mode: u32) -> io::Result<File> {
        Ok(openat(&self.fd, one(name.as_ref())?, NEW, Mode::from_raw_mode(mode))?.into())
    }

    /// Moves an entry to another directory, where nothing must have the name as far as the file system can tell.
    ///
    /// # Errors
    /// Those of the system.
    pub fn move_to_new(
        &self,
        name: impl AsRef<Path>,
        to: &Self,
        as_name: impl AsRef<Path>,
    ) -> io::Result<()> {
        let (name, as_name) = (one(name.as_ref())?, one(as_name.as_ref())?);
        match renameat_with(&self.fd, name, &to.fd, as_name, RenameFlags::NOREPLACE) {
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {
                match statat(&to.fd, as_name, AtFlags::SYMLINK_NOFOLLOW) {
                    Err(Errno::NOENT) => Ok(renameat(&self.fd, name, &to.fd, as_name)?),
                    Ok(_) => Err(Errno::EXIST.into()),
                    Err(err) => Err(err.into()),
                }
            }
            other => Ok(other?),
        }
    }

    /// Moves an entry to another directory, in the place of what has the name there.
    ///
    /// # Errors
    /// Those of the system.
    pub fn move_over(&self, name: impl AsRef<Path>, to: &Self, as_name: impl AsRef<Path>) -> io::Result<()> {
        Ok(renameat(&self.fd, one(name.as_ref())?, &to.fd, one(as_name.as_ref())?)?)
    }

    /// Deletes an entry that is no directory; a link itself, not what it leads to.
    ///
    /// # Errors
    /// Those of the system.
    pub fn unlink(&self, name: impl AsRef<Path>) -> io::Result<()> {
        Ok(unlinkat(&self.fd, one(name.as_ref())?, AtFlags::empty())?)
    }

    /// Deletes an empty directory.
    ///
    /// # Errors
    /// Those of the system.
    pub fn rmdir(&self, name: impl AsRef<Path>) -> io::Result<()> {
        Ok(unlinkat(&self.fd, one(name.as_ref())?, AtFlags::REMOVEDIR)?)
    }

    /// Makes the names in it survive a crash, where the file system can.
    ///
    /// # Errors
    /// Any `io.*` code.
    pub fn sync(&self) -> Result<()> {
        Ornament::SyncOfDirectories
            .spare(fsync(&self.fd))
            .map_err(|err| problem("sync the directory", &self.path, err.into()))
    }

    /// What went wrong with an entry.
    fn problem(&self, doing: &str, name: &Path, err: Errno) -> Problem {
        problem(doing, &self.place(name), err.into())
    }

    /// The same, or what it is where it should have been something else.
    fn strange(&self, name: &Path, wanted: &str, doing: &str, err: Errno) -> Problem {
        match self.look(name) {
            Ok(Some(found)) if found.kind.words() != wanted && is_of_kind(err) => {
                not_a(wanted, &self.place(name), found.kind)
            }
            _ => self.problem(doing, name, err),
        }
    }
}

impl AsFd for Dir {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// What stands in the place of something else.
fn not_a(wanted: &str, path: &Path, found: Kind) -> Problem {
    Problem::new(Code::IoOther)
        .headline(format!("{} is not {wanted}", path.display()))
        .because(format_args!("it is {}", found.words()))
}

/// Whether the system refuses because an entry is of another kind.
fn is_of_kind(err: Errno) -> bool {
    matches!(err, Errno::LOOP | Errno::MLINK | Errno::NOTDIR | Errno::ISDIR | Errno::NXIO | Errno::NODEV)
}

/// A name of one entry. Everything else would leave the directory.
fn one(name: &Path) -> Result<&Path, Errno> {
    let mut parts = name.components();
    match (parts.next(), parts.next()) {
        (Some(Component::Normal(part)), None) if part == name.as_os_str() => Ok(name),
        _ => Err(Errno::INVAL),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_name_is_one_entry() {
        let outside = tempfile::tempdir().unwrap();
        let dir = Dir::open(&outside.path().join(".")).unwrap();
        for name in ["", ".", "..", "/", "/etc", "a/b", "a/", "../a", "./a"] {
            assert!(dir.look(name).is_err() && dir.create(name, 0o600).is_err(), "{name:?}");
            assert!(
                dir.unlink(name).is_err() && dir.rmdir(name).is_err() && dir.make(name).is_err(),
                "{name:?}"
            );
        }
        assert_eq!(dir.names().unwrap(), Vec::<OsString>::new());
    }

    /// Names are those of the directory that was opened, whatever its path leads to by now.
    #[test]
    fn a_directory_that_was_moved_is_still_held() {
        let temp = tempfile::tempdir().unwrap();
        let (here, there) = (temp.path().join("here"), temp.path().join("there"));
        fs::create_dir(&here).unwrap();
        let dir = Dir::open(&here).unwrap();
        fs::rename(&here, &there).unwrap();
        fs::create_dir(temp.path().join("victim")).unwrap();
        fs::write(temp.path().join("victim/file"), "precious").unwrap();
        symlink(temp.path().join("victim"), &here).unwrap();
        dir.create("file", 0o644).unwrap();
        dir.make("made").unwrap();
        assert_eq!(dir.names().unwrap(), ["file", "made"]);
        dir.unlink("file").unwrap();
        dir.rmdir("made").unwrap();
        assert_eq!(fs::read(temp.path().join("victim/file")).unwrap(), b"precious");
        assert_eq!(fs::read_dir(there).unwrap().count(), 0);
    }

    #[test]
    fn what_is_no_file_is_named_and_not_waited_for() {
        let temp = tempfile::tempdir().unwrap();
        let dir = Dir::open(temp.path()).unwrap();
        fs::write(temp.path().join("file"), "text").unwrap();
        fs::create_dir(temp.path().join("directory")).unwrap();
        symlink("file", temp.path().join("link")).unwrap();
        symlink("/dev/zero", temp.path().join("zero")).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(temp.path().join("socket")).unwrap();
        rustix::fs::mknodat(&dir, "fifo", rustix::fs::FileType::Fifo, Mode::RWXU, 0).unwrap();
        for (name, what) in [
            ("directory", "a directory"),
            ("link", "a symbolic link"),
            ("zero", "a symbolic link"),
            ("socket", "a socket"),
            ("fifo", "a FIFO"),
        ] {
            let text = dir.file(name).unwrap_err().to_string();
            assert!(text.contains(name) && text.contains(what), "{text}");
            assert_eq!(dir.enter(name).is_ok(), name == "directory");
        }
        assert!(dir.file("file").unwrap().is_some() && dir.file("none").unwrap().is_none());
        assert!(dir.enter("file").is_err() && dir.enter("none").unwrap().is_none());
    }
}
