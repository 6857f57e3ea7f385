//! A directory tree that grows: each file is created through the handle of the directory it is in, so
//! that no path is walked for it and no link is followed.

use std::fs::{FileTimes, Permissions};
use std::io::{Error, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rollsnap_core::Result;
use rustix::fs::{CWD, Mode, OFlags, mkdirat, openat};
use rustix::io::Errno;

use crate::io;
use crate::steady::SteadyFile;

const DIRECTORY: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

/// Everything is new, and nothing that exists is opened.
const NEW_FILE: OFlags =
    OFlags::WRONLY.union(OFlags::CREATE).union(OFlags::EXCL).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// The tree below a directory, and the file of it that is being written.
#[derive(Debug)]
pub(super) struct Tree {
    path: PathBuf,
    root: OwnedFd,
    /// From the root down to the directory of the last file. Names of members are short, so there
    /// are few of them.
    above: Vec<(String, OwnedFd)>,
    open: Option<(String, SteadyFile)>,
}

impl Tree {
    pub(super) fn open(path: &Path) -> Result<Self> {
        let root = openat(CWD, path, DIRECTORY, Mode::empty());
        let root = root.map_err(|err| io::problem("open the directory", path, err.into()))?;
        Ok(Self { path: path.into(), root, above: Vec::new(), open: None })
    }

    /// Creates a file and the directories above it; `name` is relative, with `/`.
    pub(super) fn create(&mut self, name: String) -> Result<()> {
        let (parents, last) = name.rsplit_once('/').unwrap_or(("", &name));
        let created = self
            .enter(parents)
            .and_then(|()| openat(self.innermost(), last, NEW_FILE, Mode::from_raw_mode(0o666)));
        match created {
            Ok(file) => {
                self.open = Some((name, SteadyFile::new(file.into())));
                Ok(())
            }
            Err(err) => Err(self.problem("create", &name, err.into())),
        }
    }

    /// Appends to the file that was created last.
    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<()> {
        match &mut self.open {
            Some((name, file)) => match file.write_all(bytes) {
                Err(err) => Err(io::problem("write", &self.path.join(name), err)),
                Ok(()) => Ok(()),
            },
            None => Ok(()),
        }
    }

    /// Gives the file its permissions and its time, in seconds since 1970.
    pub(super) fn complete(&mut self, mode: u32, mtime: u64) -> Result<()> {
        let Some((name, file)) = self.open.take() else { return Ok(()) };
        let time = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(mtime));
        let file = file.file();
        let permitted = file.set_permissions(Permissions::from_mode(mode));
        let done = permitted.and_then(|()| match time {
            Some(time) => file.set_times(FileTimes::new().set_modified(time)),
            None => Ok(()),
        });
        done.map_err(|err| self.problem("write", &name, err))
    }

    /// Goes to a directory, which is made where it is missing.
    fn enter(&mut self, parents: &str) -> Result<(), Errno> {
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
            let open = || openat(parent, part, DIRECTORY | OFlags::NOFOLLOW, Mode::empty());
            let directory = match open() {
                Err(Errno::NOENT) => {
                    mkdirat(parent, part, Mode::from_raw_mode(0o777))?;
                    open()
                }
                other => other,
            };
            self.above.push((part.into(), directory?));
        }
        Ok(())
    }

    fn innermost(&self) -> &OwnedFd {
        self.above.last().map_or(&self.root, |(_, directory)| directory)
    }

    fn problem(&self, doing: &str, name: &str, err: Error) -> rollsnap_core::Problem {
        io::problem(doing, &self.path.join(name), err)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{MetadataExt, symlink};

    use rollsnap_core::Code;

    use super::*;

    #[test]
    fn files_are_made_in_any_order_of_directories() {
        let dir = tempfile::tempdir().unwrap();
        let mut tree = Tree::open(dir.path()).unwrap();
        for name in ["a/b/c/1", "top", "a/b/2", "a/bc/3", "d/4", "a/b/c/5"] {
            tree.create(name.into()).unwrap();
            tree.write(name.as_bytes()).unwrap();
            tree.complete(0o640, 1_700_000_000).unwrap();
            let path = dir.path().join(name);
            assert_eq!(fs::read(&path).unwrap(), name.as_bytes());
            let metadata = fs::metadata(&path).unwrap();
            assert_eq!((metadata.mode() & 0o7777, metadata.mtime()), (0o640, 1_700_000_000));
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
        for name in ["link/new", "file", "there", "there/below"] {
            let mut tree = Tree::open(dir.path()).unwrap();
            let problem = tree.create(name.into()).unwrap_err();
            assert_eq!(problem.code(), Code::IoOther, "{name}");
            assert!(problem.to_string().contains(name), "{problem}");
        }
        assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 1);
        assert_eq!(fs::read(outside.path().join("precious")).unwrap(), b"kept");
        assert_eq!(fs::read(dir.path().join("there")).unwrap(), b"kept");
    }
}
