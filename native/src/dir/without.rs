//! What a file system does not have, and is done without: network shares and file systems of FUSE lack some of what
//! local disks have. Where that makes a difference, a job says so once, in one line.

use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicU8, Ordering};

use rollsnap_core::Feedback;
use rollsnap_core::feedback::Notice;
use rustix::io::Errno;

/// Something that local disks have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ornament {
    /// Bringing the names of a directory to the disk.
    SyncOfDirectories,
    /// Bringing the content of a file to the disk.
    SyncOfFiles,
    /// Locks.
    Locks,
    /// Another owner than the one that the file system gives.
    Owners,
    /// Modes: who may read and write a file.
    Modes,
}

/// Those that were done without since the last job said so, a bit for each.
static LACKING: AtomicU8 = AtomicU8::new(0);

impl Ornament {
    const ALL: [Self; 5] =
        [Self::SyncOfDirectories, Self::SyncOfFiles, Self::Locks, Self::Owners, Self::Modes];

    const fn consequence(self) -> &'static str {
        match self {
            Self::SyncOfDirectories => {
                "a sync of directories (after a power failure a new name may be missing)"
            }
            Self::SyncOfFiles => "a sync of files (after a power failure their ends may be missing)",
            Self::Locks => "locks (nothing keeps a node from starting meanwhile)",
            Self::Modes => "modes (whoever may use the file system may change what is there)",
            Self::Owners => "a change of owners (new files belong to whom the file system gives them)",
        }
    }

    /// Goes on where the file system lacks it, and remembers to say so.
    ///
    /// # Errors
    /// What else went wrong.
    pub(crate) fn spare(self, result: Result<(), Errno>) -> Result<(), Errno> {
        match result {
            Err(err) if self.is_lacking(err) => {
                LACKING.fetch_or(1 << self as u8, Ordering::Relaxed);
                Ok(())
            }
            other => other,
        }
    }

    /// Whether the system says so. An I/O error is no such thing.
    fn is_lacking(self, err: Errno) -> bool {
        let special = match self {
            // A directory that may be used and not listed is open in a way that cannot be synced.
            Self::SyncOfDirectories => err == Errno::BADF,
            Self::SyncOfFiles | Self::Modes => false,
            Self::Locks => err == Errno::NOLCK,
            Self::Owners => err == Errno::PERM,
        };
        special || matches!(err, Errno::INVAL | Errno::NOSYS | Errno::NOTSUP)
    }
}

/// Brings a file to the disk.
///
/// # Errors
/// Those of the system.
pub(crate) fn sync_file(file: &File) -> io::Result<()> {
    Ok(Ornament::SyncOfFiles.spare(rustix::fs::fsync(file.as_fd()))?)
}

/// Brings the content of a file to the disk, and of what is known about it as much as its reading needs.
///
/// # Errors
/// Those of the system.
pub(crate) fn sync_data(file: &File) -> io::Result<()> {
    Ok(Ornament::SyncOfFiles.spare(rustix::fs::fdatasync(file.as_fd()))?)
}

/// Says what was done without, at the end of a job.
pub(crate) fn say_what_lacks(feedback: &mut dyn Feedback) {
    let lacking = LACKING.swap(0, Ordering::Relaxed);
    let list: Vec<_> = Ornament::ALL.into_iter().filter(|one| lacking & (1 << *one as u8) != 0).collect();
    if !list.is_empty() {
        let list: Vec<_> = list.into_iter().map(Ornament::consequence).collect();
        feedback.notice(Notice::Lacking(&format!(
            "The file system does not support everything: {}",
            list.join(", ")
        )));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_lacking_is_spared_and_what_fails_is_not() {
        for (ornament, spared, failed) in [
            (Ornament::SyncOfDirectories, Errno::INVAL, Errno::IO),
            (Ornament::SyncOfFiles, Errno::NOSYS, Errno::NOSPC),
            (Ornament::Locks, Errno::NOLCK, Errno::AGAIN),
            (Ornament::Owners, Errno::PERM, Errno::ROFS),
        ] {
            assert_eq!(ornament.spare(Err(spared)), Ok(()), "{ornament:?}");
            assert_eq!(ornament.spare(Err(failed)), Err(failed), "{ornament:?}");
        }
    }
}
