//! Makes what is staged durable: where the system can do that for a whole file system and says what went
//! wrong, small files all at once; elsewhere each by itself.

use std::fs::File;
use std::path::Path;

use rollsnap_core::{Code, Feedback, Problem, Result};

use super::files::{list, lstat};
use crate::io::{problem, sync_dir};

/// Files from here on are synced by themselves in any case, so that the user can stop in between, in bytes.
const LARGE: u64 = 4 << 20;

/// How a staging directory is made durable.
#[derive(Debug)]
pub(super) struct Durable {
    /// The directory, opened before anything was written: an error that the system meets while it
    /// writes, whenever that is, is told to who syncs through this.
    home: File,
    at_once: bool,
}

impl Durable {
    /// For an empty directory.
    pub(super) fn begin(home: &Path) -> Result<Self> {
        let home = File::open(home).map_err(|error| problem("open the directory", home, error))?;
        Ok(Self { at_once: system::syncs_at_once(&home), home })
    }

    /// Makes a tree of regular files and directories below the directory durable, children before parents.
    pub(super) fn sync_tree(&self, root: &Path, feedback: &dyn Feedback) -> Result<()> {
        let mut dirs = vec![root.to_owned()];
        let mut next = 0;
        while let Some(dir) = dirs.get(next).cloned() {
            feedback.checkpoint()?;
            for path in list(&dir)? {
                match lstat(&path)? {
                    Some(metadata) if metadata.is_dir() => dirs.push(path),
                    Some(metadata) if metadata.is_file() => {
                        if !self.at_once || metadata.len() >= LARGE {
                            feedback.checkpoint()?;
                            sync(&path)?;
                        }
                    }
                    // Opening a pipe would wait for ever, a link leads elsewhere.
                    _ => {
                        return Err(Problem::new(Code::IoOther)
                            .headline("a staged entry is neither a regular file nor a directory")
                            .path(path.display()));
                    }
                }
            }
            next += 1;
        }
        if self.at_once {
            return system::sync_at_once(&self.home).map_err(|error| problem("sync", root, error));
        }
        // A parent always stands before its children.
        dirs.iter().rev().try_for_each(|dir| sync_dir(dir))
    }
}

fn sync(path: &Path) -> Result<()> {
    File::open(path).and_then(|file| file.sync_all()).map_err(|error| problem("sync", path, error))
}

#[cfg(target_os = "linux")]
mod system {
    use std::fs::File;
    use std::io;

    use rustix::fs::{fstatfs, syncfs};
    use rustix::system::uname;

    /// File systems that write everything, names too, and the disk's cache: ext2 to ext4, XFS, Btrfs, F2FS
    /// and tmpfs, by the numbers in statfs(2).
    const KNOWN: [u32; 5] = [0xef53, 0x5846_5342, 0x9123_683e, 0xf2f5_2010, 0x0102_1994];

    /// Since Linux 5.8 syncfs(2) says when something could not be written.
    const TELLS: (u32, u32) = (5, 8);

    pub(super) fn syncs_at_once(file: &File) -> bool {
        let known = fstatfs(file).is_ok_and(|about| KNOWN.contains(&(about.f_type as u32)));
        known && release(&uname().release().to_string_lossy()) >= Some(TELLS)
    }

    pub(super) fn sync_at_once(file: &File) -> io::Result<()> {
        Ok(syncfs(file)?)
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
    use std::fs::File;
    use std::io;

    pub(super) fn syncs_at_once(_: &File) -> bool {
        false
    }

    pub(super) fn sync_at_once(file: &File) -> io::Result<()> {
        file.sync_all()
    }
}
