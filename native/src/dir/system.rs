//! What the file system says of a directory: what may be written in it, whether its modes mean anything, what is mounted
//! there, and whether a program serves it. Nothing is tried by making something.

#[cfg(doc)]
use rollsnap_core::Code;
use rollsnap_core::Result;
use rustix::fs::{Access, AtFlags, Mode, accessat, fchmod, fstat};
use rustix::io::Errno;

use super::{Dir, Entry, Ornament, one};
use crate::io::problem;

impl Dir {
    /// Refuses where the system says that no entry may be made in it. Nothing is tried.
    ///
    /// # Errors
    /// [`Code::IoPermission`].
    pub(crate) fn check_writable(&self) -> Result<()> {
        self.may(".", Access::WRITE_OK | Access::EXEC_OK)
    }

    /// Refuses where the system says that a file of this name may not be opened for writing, or not be made.
    ///
    /// # Errors
    /// As above, and those of looking.
    pub(crate) fn check_openable(&self, name: &str) -> Result<()> {
        match self.has(name)? {
            true => self.may(name, Access::WRITE_OK),
            false => self.check_writable(),
        }
    }

    fn may(&self, name: &str, wanted: Access) -> Result<()> {
        match accessat(&self.fd, name, wanted, AtFlags::EACCESS) {
            Err(err @ (Errno::ACCESS | Errno::PERM | Errno::ROFS)) => {
                let path = if name == "." { self.path.clone() } else { self.place(name) };
                Err(problem("write to", &path, err.into()))
            }
            // What else the system says is met again, or not.
            _ => Ok(()),
        }
    }

    /// Whether what is in it takes memory, and is gone when the machine is.
    #[cfg(target_os = "linux")]
    pub(crate) fn is_in_memory(&self) -> bool {
        use rustix::fs::FsWord;
        /// tmpfs and ramfs, by the numbers in statfs(2).
        const IN_MEMORY: [FsWord; 2] = [0x0102_1994, 0x8584_58f6];
        // The number is signed on some machines.
        let kind = rustix::fs::fstatfs(&self.fd).map(|found| found.f_type & 0xffff_ffff);
        kind.is_ok_and(|kind| IN_MEMORY.contains(&kind))
    }

    /// Nothing says so here.
    #[cfg(not(target_os = "linux"))]
    pub(crate) fn is_in_memory(&self) -> bool {
        false
    }

    /// Whether something is mounted on the entry, as far as the system says.
    ///
    /// # Errors
    /// Any `io.*` code.
    #[cfg(target_os = "linux")]
    pub(crate) fn is_mounted_on(&self, name: &str) -> Result<bool> {
        use rustix::fs::{StatxAttributes, StatxFlags, statx};
        let flags = AtFlags::SYMLINK_NOFOLLOW | AtFlags::NO_AUTOMOUNT;
        match one(name.as_ref()).and_then(|name| statx(&self.fd, name, flags, StatxFlags::TYPE)) {
            Ok(found) => Ok(found.stx_attributes.contains(StatxAttributes::MOUNT_ROOT)),
            // Before Linux 4.11, and where a sandbox forbids it, only the device tells.
            Err(Errno::NOENT | Errno::NOSYS | Errno::PERM) => Ok(false),
            Err(err) => Err(self.problem("look at", name.as_ref(), err)),
        }
    }

    /// Nothing says so here.
    ///
    /// # Errors
    /// None.
    #[cfg(not(target_os = "linux"))]
    pub(crate) fn is_mounted_on(&self, _: &str) -> Result<bool> {
        Ok(false)
    }

    /// Whether the file system gives this directory, which is ours, the same mode whatever is asked for: then it says
    /// nothing about who may write there.
    pub(super) fn has_no_modes(&self) -> bool {
        let changed = fchmod(&self.fd, Mode::RWXU);
        let lacks = changed.is_err() || fstat(&self.fd).is_ok_and(|found| !Entry::of(found).is_private());
        lacks && Ornament::Modes.spare(Err(Errno::NOTSUP)).is_ok()
    }

    /// Whether nobody but us may change what is in something that was found in it, as far as the file system tells: one
    /// without modes gives everything that of the directory.
    pub(crate) fn keeps_private(&self, found: &Entry) -> bool {
        let is_as_all = || self.about().is_ok_and(|all| all.mode & 0o777 == found.mode & 0o777);
        found.is_private() || (found.is_ours() && self.gives_one_mode() && is_as_all())
    }

    #[cfg(target_os = "linux")]
    fn gives_one_mode(&self) -> bool {
        use rustix::fs::FsWord;
        /// FAT, exFAT, NTFS (two drivers), CIFS, SMB (two versions), folders of VirtualBox: the magic numbers of Linux.
        const WITHOUT_MODES: [FsWord; 8] =
            [0x4d44, 0x2011_bab0, 0x7366_746e, 0x5346_544e, 0xff53_4d42, 0xfe53_4d42, 0x517b, 0x786f_4256];
        // The number is signed on some machines.
        let kind = rustix::fs::fstatfs(&self.fd).map(|found| found.f_type & 0xffff_ffff);
        kind.is_ok_and(|kind| WITHOUT_MODES.contains(&kind))
    }

    #[cfg(not(target_os = "linux"))]
    fn gives_one_mode(&self) -> bool {
        false
    }

    /// Whether a program serves the file system: it may do other things than those of the kernel.
    #[cfg(target_os = "linux")]
    pub(crate) fn is_fuse(&self) -> bool {
        use rustix::fs::FsWord;
        /// `FUSE_SUPER_MAGIC` in statfs(2).
        const FUSE: FsWord = 0x6573_5546;
        rustix::fs::fstatfs(&self.fd).is_ok_and(|found| found.f_type == FUSE)
    }

    /// Nothing says so here, so it may be.
    #[cfg(not(target_os = "linux"))]
    pub(crate) fn is_fuse(&self) -> bool {
        true
    }
}
