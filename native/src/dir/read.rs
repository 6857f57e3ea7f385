//! Files that somebody else wrote: only regular ones are read, and nothing is waited for.
//!
//! Operators keep a context or pre-images on another volume and put links in their place. Such a link is followed
//! when it belongs to us, to root, or to the owner of the directory that it lies in: whoever that is could have put
//! the content there instead. A link that a third user left in a directory where others may write as well is
//! refused. For root one thing more is asked of a link of somebody else: that what it leads to could be read by him
//! too, so that nobody gets to see through an export what he may not see.

use std::fs::File;
use std::io::{Error, ErrorKind, Read};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rollsnap_core::{Code, Problem, Result};
use rustix::fs::{CWD, Mode, OFlags, fstat, openat, readlinkat};
use rustix::io::Errno;
use rustix::process::geteuid;

use super::{DIRECTORY, Dir, Entry, Kind, READ, not_a, one};
use crate::io::problem;

/// Opens the regular file that the operator names, who may name it by a link; `None` when nothing is there.
///
/// # Errors
/// Any `io.*` code; [`Code::IoOther`] for what is no regular file.
pub(crate) fn open_regular(path: &Path) -> Result<Option<File>> {
    // Asked before it is opened: opening a device can do something to it.
    match std::fs::metadata(path) {
        Err(err) if is_missing(&err) => return Ok(None),
        Err(err) => return Err(problem("read", path, err)),
        Ok(_) => {}
    }
    match openat(CWD, path, READ, Mode::empty()) {
        Ok(fd) => regular(fd, path).map(Some),
        Err(err) if is_missing(&err.into()) => Ok(None),
        // A socket cannot be opened.
        Err(Errno::NXIO | Errno::OPNOTSUPP) => Err(not_a("a regular file", path, Kind::Socket)),
        Err(err) => Err(problem("read", path, err.into())),
    }
}

/// Opens what the operator names for reading, also a pipe or a device, without waiting for anybody.
///
/// # Errors
/// Those of the system.
pub(crate) fn open_unwaited(path: &Path) -> std::io::Result<File> {
    // Elsewhere a pipe whose writer has not come yet would look like one whose writer is gone.
    let flags = if cfg!(target_os = "linux") { READ } else { READ.difference(OFlags::NONBLOCK) };
    Ok(openat(CWD, path, flags, Mode::empty())?.into())
}

/// The whole content of a small file below a directory, or `None` if there is no such file. `name` is relative to
/// the directory, with `/`; which links are followed, [`Dir::read`] says.
///
/// # Errors
/// Any `io.*` code; `io.other` when it is longer than `limit` bytes, and for what is no regular file.
pub fn read_small(directory: &Path, name: &str, limit: u64) -> Result<Option<Vec<u8>>> {
    let Some(directory) = Dir::open_if_there(directory)? else { return Ok(None) };
    let Some(file) = directory.read(name)? else { return Ok(None) };
    let read = || {
        let mut bytes = Vec::new();
        file.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > limit {
            let text = format!("it is longer than {limit} bytes");
            return Err(Error::new(ErrorKind::InvalidData, text));
        }
        Ok(bytes)
    };
    read().map(Some).map_err(|err| problem("read", &directory.place(name), err))
}

fn is_missing(err: &Error) -> bool {
    matches!(err.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

/// Lets an open file pass if it is a regular one.
pub(super) fn regular(fd: OwnedFd, path: &Path) -> Result<File> {
    let found = fstat(&fd).map(Entry::of).map_err(|err| problem("look at", path, err.into()))?;
    if found.kind == Kind::File { Ok(fd.into()) } else { Err(not_a("a regular file", path, found.kind)) }
}

impl Dir {
    /// Opens a regular file below the directory for reading, by a name with `/`; links are followed by the rule of
    /// this file. `None` when nothing has this name.
    ///
    /// # Errors
    /// Any `io.*` code; [`Code::IoOther`] for what is no regular file, and for links that are not followed.
    pub fn read(&self, name: &str) -> Result<Option<File>> {
        let (parents, last) = name.rsplit_once('/').unwrap_or(("", name));
        let Some(parent) = self.read_directory(parents)? else { return Ok(None) };
        match parent.follow(last.as_ref(), READ)? {
            Some(fd) => regular(fd, &parent.place(last)).map(Some),
            None => Ok(None),
        }
    }

    /// Opens a directory below it for reading, in the same way; the empty name is the directory itself. `None` when
    /// nothing has this name, or something else than a directory.
    ///
    /// # Errors
    /// As [`Dir::read`].
    pub fn read_directory(&self, name: &str) -> Result<Option<Self>> {
        let mut dir = self.clone();
        for part in name.split('/').filter(|part| !part.is_empty()) {
            match dir.follow(part.as_ref(), DIRECTORY)? {
                Some(fd) => dir = Self::of(fd, dir.place(part)),
                None => return Ok(None),
            }
        }
        Ok(Some(dir))
    }

    /// The same of one entry, whatever its name.
    ///
    /// # Errors
    /// As [`Dir::read`].
    pub(crate) fn read_below(&self, name: &Path) -> Result<Option<Self>> {
        Ok(self.follow(name, DIRECTORY)?.map(|fd| Self::of(fd, self.place(name))))
    }

    /// What has this name, or what a link of this name leads to: a directory is opened for it, a file is not.
    ///
    /// # Errors
    /// As [`Dir::read`].
    pub fn look_through(&self, name: &Path) -> Result<Option<Entry>> {
        match self.look(name)? {
            Some(found) if found.kind == Kind::Link => {}
            other => return Ok(other),
        }
        let Some(fd) = self.through(name, LOOK)? else { return Ok(None) };
        let found = fstat(&fd).map_err(|err| problem("look at", &self.place(name), err.into()))?;
        Ok(Some(Entry::of(found)))
    }

    /// Opens an entry with these flags; a link is followed by the rule of this file.
    fn follow(&self, name: &Path, flags: OFlags) -> Result<Option<OwnedFd>> {
        let failed = |err: Errno| problem("read", &self.place(name), err.into());
        match openat(self, one(name).map_err(failed)?, flags | OFlags::NOFOLLOW, Mode::empty()) {
            Err(Errno::LOOP | Errno::MLINK) => {}
            Err(Errno::NOTDIR) => match self.look(name)? {
                Some(found) if found.kind == Kind::Link => {}
                _ => return Ok(None),
            },
            Err(Errno::NOENT) => return Ok(None),
            Err(Errno::NXIO | Errno::OPNOTSUPP) => {
                return Err(not_a("a regular file", &self.place(name), Kind::Socket));
            }
            other => return other.map(Some).map_err(failed),
        }
        self.through(name, flags)
    }

    /// Opens what a link of this name leads to, by the rule of this file.
    fn through(&self, name: &Path, flags: OFlags) -> Result<Option<OwnedFd>> {
        let failed = |err: Errno| problem("read", &self.place(name), err.into());
        let Some((link, target)) = self.link(name).map_err(failed)? else { return Ok(None) };
        let refused = |why: String| {
            Problem::new(Code::IoOther)
                .headline(format!("the link {} is not followed", self.place(name).display()))
                .because(why)
        };
        if !link.is_trusted_in(&self.about()?) {
            return Err(refused(format!(
                "it belongs to the user {}, and the directory to another one",
                link.user
            )));
        }
        let fd = match openat(self, &*target, flags, Mode::empty()) {
            Err(Errno::NOTDIR) if flags.contains(OFlags::DIRECTORY) => return Ok(None),
            Err(Errno::NXIO | Errno::OPNOTSUPP) => {
                return Err(not_a("a regular file", &self.place(name), Kind::Socket));
            }
            other => other.map_err(failed)?,
        };
        let found = fstat(&fd).map(Entry::of).map_err(failed)?;
        if geteuid().is_root() && !is_readable_by(&found, &link) {
            return Err(refused(format!(
                "it belongs to the user {}, who may not read what it leads to",
                link.user
            )));
        }
        Ok(Some(fd))
    }

    /// A link, and where it leads: both of the same one, whatever is swapped meanwhile.
    #[cfg(target_os = "linux")]
    fn link(&self, name: &Path) -> Result<Option<(Entry, PathBuf)>, Errno> {
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let fd = match openat(self, name, flags, Mode::empty()) {
            Err(Errno::NOENT) => return Ok(None),
            other => other?,
        };
        let found = Entry::of(fstat(&fd)?);
        if found.kind != Kind::Link {
            // It was swapped at this very moment.
            return Err(Errno::AGAIN);
        }
        Ok(Some((found, path_of(readlinkat(&fd, "", Vec::new())?))))
    }

    #[cfg(not(target_os = "linux"))]
    fn link(&self, name: &Path) -> Result<Option<(Entry, PathBuf)>, Errno> {
        use rustix::fs::{AtFlags, statat};
        let look = || statat(self, name, AtFlags::SYMLINK_NOFOLLOW).map(Entry::of);
        let found = look()?;
        let target = path_of(readlinkat(self, name, Vec::new())?);
        if look()? == found { Ok(Some((found, target))) } else { Err(Errno::AGAIN) }
    }
}

/// How something is opened only to be looked at.
#[cfg(target_os = "linux")]
const LOOK: OFlags = OFlags::PATH.union(OFlags::CLOEXEC);
#[cfg(not(target_os = "linux"))]
const LOOK: OFlags = READ;

/// Whether the owner of a link may read what it leads to, as far as owner, group and mode tell.
fn is_readable_by(found: &Entry, link: &Entry) -> bool {
    link.user == 0
        || found.user == link.user
        || found.mode & 0o004 != 0
        || (found.group == link.group && found.mode & 0o040 != 0)
}

fn path_of(target: std::ffi::CString) -> PathBuf {
    use std::os::unix::ffi::OsStringExt;
    std::ffi::OsString::from_vec(target.into_bytes()).into()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, lchown, symlink};

    use super::*;

    #[test]
    fn links_of_the_owner_are_followed_and_those_of_others_are_not() {
        let temp = tempfile::tempdir().unwrap();
        let (inside, outside) = (temp.path().join("inside"), temp.path().join("outside"));
        fs::create_dir_all(outside.join("deep")).unwrap();
        fs::write(outside.join("deep/file"), "text").unwrap();
        fs::create_dir(&inside).unwrap();
        symlink("../outside", inside.join("link")).unwrap();
        symlink(outside.join("deep/file"), inside.join("file")).unwrap();
        symlink("nowhere", inside.join("dangling")).unwrap();
        symlink("/dev/zero", inside.join("zero")).unwrap();
        let dir = Dir::open(&inside).unwrap();
        assert!(dir.read("link/deep/file").unwrap().is_some());
        assert!(dir.read("file").unwrap().is_some());
        assert_eq!(dir.look_through("file".as_ref()).unwrap().unwrap().len, 4);
        assert_eq!(dir.read("dangling").unwrap_err().code(), Code::IoNotFound);
        assert!(dir.read("zero").unwrap_err().to_string().contains("it is a device"));
        assert!(dir.read_directory("file").unwrap().is_none());
        assert!(dir.read("none").unwrap().is_none() && dir.read("file/below").unwrap().is_none());
        if !geteuid().is_root() {
            return;
        }
        lchown(inside.join("link"), Some(4711), Some(4711)).unwrap();
        let problem = dir.read("link/deep/file").unwrap_err().to_string();
        assert!(problem.contains("inside/link is not followed"), "{problem}");
        // In a directory of the same user, but only to what that user may read.
        lchown(&inside, Some(4711), Some(4711)).unwrap();
        assert!(dir.read("link/deep/file").unwrap().is_some());
        fs::set_permissions(&outside, fs::Permissions::from_mode(0o700)).unwrap();
        let problem = dir.read("link/deep/file").unwrap_err().to_string();
        assert!(problem.contains("may not read"), "{problem}");
    }

    #[test]
    fn small_files_are_read_up_to_the_limit() {
        let dir = tempfile::tempdir().unwrap();
        let read = |limit| read_small(dir.path(), "file", limit);
        assert_eq!(read(4).unwrap(), None);
        fs::write(dir.path().join("file"), b"1234").unwrap();
        assert_eq!(read(4).unwrap().as_deref(), Some(b"1234".as_slice()));
        assert_eq!(read(3).unwrap_err().code(), Code::IoOther);
        fs::create_dir(dir.path().join("directory")).unwrap();
        let problem = read_small(dir.path(), "directory", 3).unwrap_err();
        assert!(problem.to_string().contains("not a regular file"), "{problem}");
        assert_eq!(read_small(&dir.path().join("none"), "file", 3).unwrap(), None);
    }
}
