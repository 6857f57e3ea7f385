//! Makes what is staged durable: where the system can do that for a whole file system and says what went
//! wrong, small files all at once; elsewhere each by itself.

use std::cell::Cell;
use std::collections::BTreeSet;

use rollsnap_core::{Code, Feedback, Problem, Result};
use rustix::io::Errno;

use super::{Dir, Kind, sync_file};
use crate::io::problem;

/// Files from here on are synced by themselves in any case, so that the user can stop in between, in bytes.
const LARGE: u64 = 4 << 20;

/// How a staging directory is made durable.
#[derive(Debug)]
pub(crate) struct Durable {
    /// The directory, opened before anything was written: an error that the system meets while it
    /// writes, whenever that is, is told to who syncs through this.
    home: Dir,
    at_once: Cell<bool>,
}

impl Durable {
    /// For an empty directory.
    pub(crate) fn begin(home: &Dir) -> Self {
        Self { at_once: Cell::new(system::syncs_at_once(home)), home: home.clone() }
    }

    /// Makes a tree of regular files and directories below the directory durable, children before parents. Links
    /// may only be in the `linked` entries.
    pub(crate) fn sync_tree(
        &self,
        root: &Dir,
        linked: &BTreeSet<String>,
        feedback: &dyn Feedback,
    ) -> Result<()> {
        self.sync(root, &|| {
            for name in root.names()? {
                let links = name.to_str().is_some_and(|name| linked.contains(name));
                self.sync_entry(root, name.as_ref(), links, feedback)?;
            }
            Ok(())
        })
    }

    /// Makes all that was written to the directory durable, while somebody else goes on writing: where the system does that
    /// at once, it is not looked through.
    pub(crate) fn sync_all(&self, root: &Dir) -> Result<()> {
        let quick = self.at_once.get().then(|| system::sync_at_once(&self.home));
        match quick {
            Some(Ok(())) => Ok(()),
            _ => self.sync_tree(root, &BTreeSet::new(), &crate::interrupt::Quiet),
        }
    }

    /// Makes one entry of the directory durable, and its name.
    pub(crate) fn sync_one(&self, root: &Dir, name: &str, feedback: &dyn Feedback) -> Result<()> {
        self.sync(root, &|| self.sync_entry(root, name.as_ref(), false, feedback))
    }

    /// What is to be done for each entry, and what for all at once.
    fn sync(&self, root: &Dir, each: &dyn Fn() -> Result<()>) -> Result<()> {
        each()?;
        if self.at_once.get() {
            match system::sync_at_once(&self.home) {
                // A sandbox may forbid the call, and a file system lack it.
                Err(Errno::NOSYS | Errno::INVAL | Errno::NOTSUP | Errno::PERM) => {
                    self.at_once.set(false);
                    each()?;
                }
                other => return other.map_err(|error| problem("sync", root.path(), error.into())),
            }
        }
        root.sync()
    }

    /// Names of members are short, so directories are not nested deeply.
    fn sync_entry(
        &self,
        dir: &Dir,
        name: &std::path::Path,
        links: bool,
        feedback: &dyn Feedback,
    ) -> Result<()> {
        let found = dir.look(name)?;
        match found.map(|found| (found.kind, found.len)) {
            None => Ok(()),
            Some((Kind::Directory, _)) => {
                feedback.checkpoint()?;
                let Some(inner) = dir.enter(name)? else { return Ok(()) };
                for name in inner.names()? {
                    self.sync_entry(&inner, name.as_ref(), links, feedback)?;
                }
                if self.at_once.get() { Ok(()) } else { inner.sync() }
            }
            Some((Kind::File, len)) if !self.at_once.get() || len >= LARGE => {
                feedback.checkpoint()?;
                let Some(file) = dir.file(name)? else { return Ok(()) };
                sync_file(&file).map_err(|error| problem("sync", &dir.place(name), error))
            }
            Some((Kind::File, _)) => Ok(()),
            // Its directory is synced.
            Some((Kind::Link, _)) if links => Ok(()),
            Some(_) => Err(Problem::new(Code::IoOther)
                .headline("a staged entry is neither a regular file nor a directory")
                .path(dir.place(name).display())),
        }
    }
}

#[cfg(target_os = "linux")]
mod system {
    use std::os::fd::AsFd;

    use rustix::fs::{fstatfs, syncfs};
    use rustix::io::Errno;
    use rustix::system::uname;

    /// File systems that write everything, names too, and the disk's cache: ext2 to ext4, XFS, Btrfs, F2FS
    /// and tmpfs, by the numbers in statfs(2).
    const KNOWN: [u32; 5] = [0xef53, 0x5846_5342, 0x9123_683e, 0xf2f5_2010, 0x0102_1994];

    /// Since Linux 5.8 syncfs(2) says when something could not be written.
    const TELLS: (u32, u32) = (5, 8);

    pub(super) fn syncs_at_once(file: impl AsFd) -> bool {
        let known = fstatfs(file).is_ok_and(|about| KNOWN.contains(&(about.f_type as u32)));
        known && release(&uname().release().to_string_lossy()) >= Some(TELLS)
    }

    pub(super) fn sync_at_once(file: impl AsFd) -> Result<(), Errno> {
        syncfs(file)
    }

    /// The first two numbers of `6.1.0-13-amd64`.
    fn release(text: &str) -> Option<(u32, u32)> {
        let mut numbers = text.split(|char: char| !char.is_ascii_digit());
        Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
    }

    #[test]
    fn releases_are_compared_as_numbers() {
        for (text, tells) in [("6.1.0-13-amd64", true), ("5.10.0", true), ("5.8", true), ("5.7.19", false)] {
            assert_eq!(release(text) >= Some(TELLS), tells, "{text}");
        }
        assert_eq!(release("unknown"), None);
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use std::os::fd::AsFd;

    use rustix::io::Errno;

    pub(super) fn syncs_at_once(_: impl AsFd) -> bool {
        false
    }

    pub(super) fn sync_at_once(file: impl AsFd) -> Result<(), Errno> {
        rustix::fs::fsync(file)
    }
}
