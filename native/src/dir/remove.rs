//! Deleting a tree, whoever may write in it.

use std::os::fd::OwnedFd;
use std::path::Path;

use rollsnap_core::{Code, Problem, Result};
use rustix::fs::{AtFlags, Mode, OFlags, fchmod, openat, unlinkat};
use rustix::io::Errno;

use super::{DIRECTORY, Dir, Entry, Kind, one};
use crate::io::problem;

/// How deep directories are entered: each one takes a descriptor. No tree of ours comes near it.
const DEPTH: usize = 128;

impl Dir {
    /// Deletes an entry and everything in it. Links are deleted, not followed; another file system mounted inside
    /// is not entered.
    ///
    /// # Errors
    /// Any `io.*` code. What could be deleted before is gone.
    pub fn remove_tree(&self, name: impl AsRef<Path>) -> Result<()> {
        let device = self.about()?.id.0;
        remove(self, name.as_ref(), device, DEPTH)
    }

    /// Deletes the directory `held`, which has this name here, and everything in it. What somebody else has put in
    /// its place meanwhile stays.
    ///
    /// # Errors
    /// As [`Dir::remove_tree`].
    pub fn remove_held(&self, name: impl AsRef<Path>, held: &Self) -> Result<()> {
        held.clear(None)?;
        let name = name.as_ref();
        match self.look(name)? {
            None => Ok(()),
            Some(found) if found.id == held.about()?.id => {
                self.rmdir(name).map_err(|err| problem("delete the directory", &self.place(name), err))
            }
            Some(_) => Err(Problem::new(Code::IoOther)
                .headline("something has taken the place of a directory that is to be deleted")
                .path(self.place(name).display())),
        }
    }

    /// Deletes everything in the directory but the entry `keep`.
    ///
    /// # Errors
    /// As [`Dir::remove_tree`].
    pub fn clear(&self, keep: Option<&str>) -> Result<()> {
        clear(self, keep, self.about()?.id.0, DEPTH)
    }
}

fn clear(dir: &Dir, keep: Option<&str>, device: u64, depth: usize) -> Result<()> {
    for name in dir.names()? {
        if keep.is_none_or(|keep| name != keep) {
            remove(dir, name.as_ref(), device, depth)?;
        }
    }
    Ok(())
}

fn remove(dir: &Dir, name: &Path, device: u64, depth: usize) -> Result<()> {
    let failed = |doing, err: Errno| Err(problem(doing, &dir.place(name), err.into()));
    let found = match dir.look(name)? {
        None => return Ok(()),
        Some(found) => found,
    };
    if found.kind == Kind::Directory {
        if found.id.0 != device {
            return Err(mounted(dir, name));
        }
        let Some(depth) = depth.checked_sub(1) else {
            return Err(Problem::new(Code::IoOther)
                .headline("directories are nested too deeply to be deleted")
                .path(dir.place(name).display()));
        };
        match within(dir, name) {
            Ok(fd) => {
                let inner = Dir::of(fd, dir.place(name));
                let about = inner.about()?;
                if about.id.0 != device {
                    return Err(mounted(dir, name));
                }
                open_up(&inner, &about)?;
                clear(&inner, None, device, depth)?;
            }
            Err(Errno::NOENT) => return Ok(()),
            Err(Errno::XDEV) => return Err(mounted(dir, name)),
            // Somebody has put something else in its place: that goes, and not what it leads to.
            Err(Errno::NOTDIR | Errno::LOOP) => {}
            Err(err) => return failed("open the directory", err),
        }
        match unlinkat(dir, one(name).unwrap_or(name), AtFlags::REMOVEDIR) {
            Ok(()) | Err(Errno::NOENT) => return Ok(()),
            Err(Errno::NOTDIR) => {}
            Err(err) => return failed("delete the directory", err),
        }
    }
    match unlinkat(dir, one(name).unwrap_or(name), AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => Ok(()),
        Err(err) => failed("delete", err),
    }
}

fn mounted(dir: &Dir, name: &Path) -> Problem {
    Problem::new(Code::IoOther)
        .headline("another file system is mounted in a directory that is to be deleted")
        .path(dir.place(name).display())
}

/// Opens a directory on the same mount. Where the kernel can be asked for that (openat2, Linux 5.6) it also sees a
/// directory of the same file system that is mounted a second time, which has the same device.
fn within(dir: &Dir, name: &Path) -> Result<OwnedFd, Errno> {
    let flags = DIRECTORY | OFlags::NOFOLLOW;
    let name = one(name)?;
    let opened = on_this_mount(dir, name, flags).unwrap_or_else(|| openat(dir, name, flags, Mode::empty()));
    match opened {
        // Write-protected as it is, its owner may delete it.
        Err(Errno::ACCESS) => unlock(dir, name).and_then(|()| openat(dir, name, flags, Mode::empty())),
        other => other,
    }
}

#[cfg(target_os = "linux")]
fn on_this_mount(dir: &Dir, name: &Path, flags: OFlags) -> Option<Result<OwnedFd, Errno>> {
    use rustix::fs::{ResolveFlags, openat2};
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_XDEV;
    match openat2(dir, name, flags, Mode::empty(), resolve) {
        // Too old a kernel, or a sandbox that does not know the call.
        Err(Errno::NOSYS | Errno::PERM) => None,
        other => Some(other),
    }
}

#[cfg(not(target_os = "linux"))]
fn on_this_mount(_: &Dir, _: &Path, _: OFlags) -> Option<Result<OwnedFd, Errno>> {
    None
}

/// Lets the owner list a directory that is closed to him. The descriptor that names it cannot be used for this
/// itself, but the link to it in `/proc` leads to nothing else.
#[cfg(target_os = "linux")]
fn unlock(dir: &Dir, name: &Path) -> Result<(), Errno> {
    use std::os::fd::AsRawFd;

    use rustix::fs::{CWD, chmod, fstat, statat};

    let fd = openat(
        dir,
        name,
        OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC,
        Mode::empty(),
    )?;
    let itself = format!("/proc/self/fd/{}", fd.as_raw_fd());
    let same = statat(CWD, &*itself, AtFlags::empty())?;
    let held = fstat(&fd)?;
    if (same.st_dev, same.st_ino) != (held.st_dev, held.st_ino) {
        return Err(Errno::ACCESS);
    }
    chmod(&*itself, Mode::RWXU)
}

#[cfg(not(target_os = "linux"))]
fn unlock(_: &Dir, _: &Path) -> Result<(), Errno> {
    Err(Errno::ACCESS)
}

/// Lets the owner empty a directory that is write-protected.
fn open_up(dir: &Dir, about: &Entry) -> Result<()> {
    if about.mode & 0o700 == 0o700 || !about.is_ours() {
        return Ok(());
    }
    fchmod(dir, Mode::RWXU).map_err(|err| problem("get access to the directory", dir.path(), err.into()))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn a_tree_goes_and_what_its_links_lead_to_stays() {
        let temp = tempfile::tempdir().unwrap();
        let victim = temp.path().join("victim");
        fs::create_dir(&victim).unwrap();
        fs::write(victim.join("file"), "precious").unwrap();
        let tree = temp.path().join("tree");
        fs::create_dir_all(tree.join("a/b/c")).unwrap();
        fs::write(tree.join("a/b/file"), "x").unwrap();
        symlink(&victim, tree.join("a/link")).unwrap();
        symlink(victim.join("file"), tree.join("file")).unwrap();
        fs::hard_link(victim.join("file"), tree.join("hard")).unwrap();
        for (path, mode) in [("a/b/c", 0o000), ("a/b", 0o500), ("a", 0o300)] {
            fs::set_permissions(tree.join(path), fs::Permissions::from_mode(mode)).unwrap();
        }
        let dir = Dir::open(temp.path()).unwrap();
        dir.remove_tree("tree").unwrap();
        dir.remove_tree("tree").unwrap();
        assert_eq!(dir.names().unwrap(), ["victim"]);
        assert_eq!(fs::read(victim.join("file")).unwrap(), b"precious");
        symlink(&victim, temp.path().join("link")).unwrap();
        dir.remove_tree("link").unwrap();
        assert_eq!(dir.names().unwrap(), ["victim"]);
        assert_eq!(fs::read_dir(&victim).unwrap().count(), 1);
    }

    #[test]
    fn a_tree_that_is_too_deep_is_refused() {
        let temp = tempfile::tempdir().unwrap();
        let dir = Dir::open(temp.path()).unwrap();
        let mut inner = dir.make("deep").unwrap();
        for _ in 0..2 * DEPTH {
            inner = inner.make("d").unwrap();
        }
        assert!(dir.remove_tree("deep").unwrap_err().to_string().contains("nested too deeply"));
        // Both halves are shallow enough.
        let mut middle = dir.enter("deep").unwrap().unwrap();
        for _ in 0..DEPTH {
            middle = middle.enter("d").unwrap().unwrap();
        }
        middle.clear(None).unwrap();
        dir.remove_tree("deep").unwrap_or_default();
        dir.clear(None).unwrap_or_default();
    }

    /// While a tree is deleted, its directories are swapped for links again and again.
    #[test]
    fn nothing_outside_goes_when_directories_are_swapped_for_links() {
        use std::sync::atomic::{AtomicBool, Ordering};
        let temp = tempfile::tempdir().unwrap();
        let victim = temp.path().join("victim");
        fs::create_dir(&victim).unwrap();
        for n in 0..50 {
            fs::write(victim.join(format!("{n}")), "precious").unwrap();
        }
        let dir = Dir::open(temp.path()).unwrap();
        let stop = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    let (inner, aside) = (temp.path().join("tree/inner"), temp.path().join("aside"));
                    if fs::rename(&inner, &aside).is_ok() {
                        let _ = symlink(&victim, &inner);
                        let _ = fs::remove_file(&inner);
                        let _ = fs::rename(&aside, &inner);
                        let _ = fs::remove_dir_all(&aside);
                    }
                }
            });
            // What cannot be made at this moment is not missed: the other thread must be told to stop in any case.
            for _ in 0..60 {
                let _ = fs::create_dir_all(temp.path().join("tree/inner"));
                for n in 0..50 {
                    let _ = fs::create_dir(temp.path().join(format!("tree/inner/of-ours-{n}")));
                }
                let _ = dir.remove_tree("tree");
            }
            stop.store(true, Ordering::Relaxed);
        });
        for n in 0..50 {
            assert_eq!(fs::read(victim.join(format!("{n}"))).unwrap(), b"precious");
        }
    }
}
