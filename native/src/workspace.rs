//! The hidden directory next to the output in which an export works, and who else makes a file.
//!
//! It goes when the job ends, however it ends. Only a crash leaves one behind: a job marks
//! its directory by a lock that lives as long as its process, so the next job can tell what is
//! abandoned, and removes it. The marked file comes first and goes last: a directory without it is
//! empty, and anybody may remove it.

use std::fs::{self, File};
use std::io::{Error, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rollsnap_core::{Feedback, Result};
use rustix::fs::{FlockOperation, flock};

use crate::io;

const PREFIX: &str = ".rollsnap-work-";
const OWNER: &str = "owner";

/// How often a directory may be taken for abandoned by another job before it is locked.
const ATTEMPTS: u32 = 100;

/// A working directory; dropping it removes it.
#[derive(Debug)]
pub(crate) struct Workspace {
    dir: PathBuf,
    removed: bool,
    /// What was made for it; goes after it.
    parent: io::MadeDirs,
    /// Locked while the job lives.
    _owner: File,
}

impl Workspace {
    /// Makes one in the directory `parent`, which is made if missing.
    pub(crate) fn create(parent: &Path, feedback: &mut dyn Feedback) -> Result<Self> {
        let made = io::MadeDirs::create(parent)?;
        sweep(parent, feedback);
        let create = || {
            for _ in 0..ATTEMPTS {
                let dir = tempfile::Builder::new().prefix(PREFIX).tempdir_in(parent)?;
                if let Some(owner) = own(dir.path())? {
                    return Ok((dir.keep(), owner));
                }
            }
            Err(Error::other("others keep removing it"))
        };
        let (dir, owner) =
            create().map_err(|err| io::problem("create a working directory in", parent, err))?;
        Ok(Self { dir, removed: false, parent: made, _owner: owner })
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Removes it after the job is done, and says so if that fails.
    pub(crate) fn remove(mut self, feedback: &mut dyn Feedback) {
        self.removed = true;
        std::mem::take(&mut self.parent).keep();
        if let Err(err) = clear(&self.dir) {
            let problem = io::problem("remove", &self.dir, err);
            feedback.note(&format!(
                "The file is complete, but its working directory could not be removed: {problem}. \
                 The next command that writes there tries again"
            ));
        }
    }
}

impl Drop for Workspace {
    fn drop(&mut self) {
        if !self.removed {
            // Nobody is there to be told; the next job tries again.
            let _ = clear(&self.dir);
        }
    }
}

/// Marks a new directory. `None` when the sweep of another job has been faster.
fn own(dir: &Path) -> std::io::Result<Option<File>> {
    let owner = match File::create_new(dir.join(OWNER)) {
        Err(err) if err.kind() == ErrorKind::NotFound => return Ok(None),
        other => other?,
    };
    match flock(&owner, FlockOperation::NonBlockingLockExclusive) {
        Err(err) if err == rustix::io::Errno::WOULDBLOCK => return Ok(None),
        other => other?,
    }
    Ok((owner.metadata()?.nlink() > 0).then_some(owner))
}

/// Removes the directory, the marked file last.
fn clear(dir: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            fs::remove_dir_all(entry.path())?;
        } else if entry.file_name() != OWNER {
            fs::remove_file(entry.path())?;
        }
    }
    match fs::remove_file(dir.join(OWNER)) {
        Err(err) if err.kind() != ErrorKind::NotFound => return Err(err),
        _ => {}
    }
    fs::remove_dir(dir)
}

/// Removes what interrupted jobs left in a directory. Whatever cannot be removed stays: it is
/// in nobody's way.
fn sweep(parent: &Path, feedback: &mut dyn Feedback) {
    let Ok(entries) = fs::read_dir(parent) else { return };
    for entry in entries.flatten() {
        let named = entry.file_name().to_str().is_some_and(|name| name.starts_with(PREFIX));
        let path = entry.path();
        if named && remove_abandoned(&path) {
            feedback.note(&format!("Removed {}, left by an interrupted command", path.display()));
        }
    }
}

/// A directory whose owner is locked belongs to a running job. One without owner is empty: if
/// a job is just about to mark it, it makes another.
fn remove_abandoned(path: &Path) -> bool {
    match File::open(path.join(OWNER)) {
        Ok(owner) => flock(&owner, FlockOperation::NonBlockingLockExclusive).is_ok() && clear(path).is_ok(),
        Err(err) => err.kind() == ErrorKind::NotFound && fs::remove_dir(path).is_ok(),
    }
}
