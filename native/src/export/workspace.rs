//! The hidden directory next to the output in which an export works.
//!
//! It goes when the export ends, however it ends. Only a crash leaves one behind: an export marks
//! its directory by a lock that lives as long as its process, so the next export can tell what is
//! abandoned, and removes it.

use std::fs::{self, File};
use std::path::Path;

use rollsnap_core::{Feedback, Result};
use rustix::fs::{FlockOperation, flock};
use tempfile::TempDir;

use crate::io;

const PREFIX: &str = ".rollsnap-export-";
const OWNER: &str = "owner";

/// A working directory; dropping it removes it.
#[derive(Debug)]
pub(super) struct Workspace {
    dir: TempDir,
    /// What was made for it; goes after it.
    parent: io::MadeDirs,
    /// Locked while the export lives.
    _owner: File,
}

impl Workspace {
    /// Makes one in the directory `parent`, which is made if missing.
    pub(super) fn create(parent: &Path, feedback: &mut dyn Feedback) -> Result<Self> {
        let made = io::MadeDirs::create(parent)?;
        sweep(parent, feedback);
        let create = || {
            let dir = tempfile::Builder::new().prefix(PREFIX).tempdir_in(parent)?;
            let owner = File::create(dir.path().join(OWNER))?;
            flock(&owner, FlockOperation::NonBlockingLockExclusive)?;
            Ok((dir, owner))
        };
        let (dir, owner) =
            create().map_err(|err| io::problem("create a working directory in", parent, err))?;
        Ok(Self { dir, parent: made, _owner: owner })
    }

    pub(super) fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Removes it and says so if that fails.
    pub(super) fn remove(self) -> Result<()> {
        let path = self.dir.path().to_path_buf();
        self.parent.keep();
        self.dir.close().map_err(|err| io::problem("remove", &path, err))
    }
}

/// Removes what interrupted exports left in a directory. Whatever cannot be removed stays: it is
/// in nobody's way.
fn sweep(parent: &Path, feedback: &mut dyn Feedback) {
    let Ok(entries) = fs::read_dir(parent) else { return };
    for entry in entries.flatten() {
        let named = entry.file_name().to_str().is_some_and(|name| name.starts_with(PREFIX));
        let path = entry.path();
        if named && is_abandoned(&path) && fs::remove_dir_all(&path).is_ok() {
            feedback.note(&format!("Removed {}, left by an interrupted export", path.display()));
        }
    }
}

/// A directory whose owner is locked belongs to a running export, and so may one that has no
/// owner yet.
fn is_abandoned(path: &Path) -> bool {
    let owner = File::open(path.join(OWNER));
    owner.is_ok_and(|owner| flock(&owner, FlockOperation::NonBlockingLockExclusive).is_ok())
}
