//! What has a name in a directory, as the file system tells it without following a link.

use std::fs::Metadata;
use std::os::fd::AsFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt};

use rustix::fs::{FileType, Stat};
use rustix::process::geteuid;

/// What something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link.
    Link,
    /// A FIFO.
    Fifo,
    /// A socket.
    Socket,
    /// A device, or something that only this system knows.
    Device,
}

impl Kind {
    /// `a regular file`, and so on.
    pub const fn words(self) -> &'static str {
        match self {
            Self::File => "a regular file",
            Self::Directory => "a directory",
            Self::Link => "a symbolic link",
            Self::Fifo => "a FIFO",
            Self::Socket => "a socket",
            Self::Device => "a device",
        }
    }
}

/// An entry of a directory, or an open file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What it is.
    pub kind: Kind,
    /// Its permission bits, with the special ones.
    pub mode: u32,
    /// The number of the user that it belongs to.
    pub user: u32,
    /// The number of the group that it belongs to.
    pub group: u32,
    /// Device and inode, which together are unlike those of everything else.
    pub id: (u64, u64),
    /// How many names it has.
    pub links: u64,
    /// Its length, in bytes.
    pub len: u64,
    /// The time of its last modification, in seconds since 1970.
    pub modified: i64,
    /// The time of the last change of anything about it, in seconds since 1970 and nanoseconds.
    pub changed: (i64, i64),
}

impl Entry {
    /// The types of the fields differ from system to system.
    #[allow(clippy::unnecessary_cast, reason = "necessary on other systems")]
    pub(super) fn of(stat: Stat) -> Self {
        let kind = match FileType::from_raw_mode(stat.st_mode as _) {
            FileType::RegularFile => Kind::File,
            FileType::Directory => Kind::Directory,
            FileType::Symlink => Kind::Link,
            FileType::Fifo => Kind::Fifo,
            FileType::Socket => Kind::Socket,
            _ => Kind::Device,
        };
        Self {
            kind,
            mode: stat.st_mode as u32 & 0o7777,
            user: stat.st_uid as u32,
            group: stat.st_gid as u32,
            id: (stat.st_dev as u64, stat.st_ino as u64),
            links: stat.st_nlink as u64,
            len: u64::try_from(stat.st_size).unwrap_or_default(),
            modified: stat.st_mtime as i64,
            changed: (stat.st_ctime as i64, stat.st_ctime_nsec as i64),
        }
    }

    /// What the standard library has found.
    pub(crate) fn of_metadata(found: &Metadata) -> Self {
        let kind = match found.file_type() {
            kind if kind.is_file() => Kind::File,
            kind if kind.is_dir() => Kind::Directory,
            kind if kind.is_symlink() => Kind::Link,
            kind if kind.is_fifo() => Kind::Fifo,
            kind if kind.is_socket() => Kind::Socket,
            _ => Kind::Device,
        };
        Self {
            kind,
            mode: found.mode() & 0o7777,
            user: found.uid(),
            group: found.gid(),
            id: (found.dev(), found.ino()),
            links: found.nlink(),
            len: found.len(),
            modified: found.mtime(),
            changed: (found.ctime(), found.ctime_nsec()),
        }
    }

    /// An open file.
    ///
    /// # Errors
    /// Those of the system.
    pub fn of_file(file: impl AsFd) -> std::io::Result<Self> {
        Ok(Self::of(rustix::fs::fstat(file)?))
    }

    /// Whether it belongs to the user that this process acts as.
    pub fn is_ours(&self) -> bool {
        self.user == geteuid().as_raw()
    }

    /// Whether it is ours, and nobody but us (and root) may change what is in it.
    pub fn is_private(&self) -> bool {
        self.is_ours() && self.mode & 0o022 == 0
    }

    /// Whether what lies in the directory `above` may be what a command of ours left there: it belongs to us, to
    /// root, or to the owner of that directory, who may do there as he likes anyway.
    pub fn is_trusted_in(&self, above: &Self) -> bool {
        self.is_ours() || self.user == 0 || self.user == above.user
    }
}
