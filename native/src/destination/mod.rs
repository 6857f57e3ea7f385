//! The data directory that an import or a conversion fills: what may be there before, whom it is for, and what
//! of it is replaced.

mod compact;
mod plan;

use std::path::Path;

use rollsnap_core::feedback::Notice;
use rollsnap_core::members::{METADATA, TOP_LEVEL};
use rollsnap_core::nodes::import::populated;
use rollsnap_core::{Code, Feedback, Problem, Result};

use crate::data_dir::{DataDir, Lock};
use crate::dir::{Dir, Entry, Kind, MadeDirs, Owner, adopt, give};
use crate::swap::Staging;

pub(crate) use compact::Compact;
pub(crate) use plan::plan;

/// A data directory that exists and is locked.
pub(crate) struct Destination {
    lock: Lock,
    dirs: MadeDirs,
    /// Whom everything is for, where it is somebody else.
    owner: Option<Owner>,
    /// Whether the user has said so.
    told: bool,
}

impl Destination {
    /// Makes the directory if needed and takes its lock (rule I2). When root does it, everything is for the owner
    /// that the user tells, or of the directory; for that of the one it is made in where it is new.
    pub(crate) fn prepare(root: &Path, told: Option<Owner>) -> Result<Self> {
        let dirs = MadeDirs::create(root)?;
        let owner = match told {
            Some(owner) => Some(owner),
            None => adopt(dirs.made_in().unwrap_or(dirs.dir()))?,
        };
        if let Some(owner) = &owner {
            dirs.give(owner, told.is_some())?;
        }
        Ok(Self { lock: Lock::try_node_of(dirs.dir())?, dirs, owner, told: told.is_some() })
    }

    /// Gives what is staged to whom it is for.
    pub(crate) fn give(&self, staging: &Staging) -> Result<()> {
        self.owner.as_ref().map_or(Ok(()), |owner| give(staging.held(), owner, self.told))
    }

    /// Says so when all is in place. Where the user tells an owner, the directory itself is his as well: a node makes
    /// files in it.
    pub(crate) fn given(&self, feedback: &mut dyn Feedback) {
        let Some(owner) = &self.owner else { return };
        let place = self.dirs.dir().path().display();
        if !self.told {
            // Where the file system has no owners, it is not so, and that is said elsewhere.
            let is_his = |found: Entry| Owner::of(&found) == *owner;
            if !self.dirs.dir().look(METADATA).is_ok_and(|found| found.is_some_and(is_his)) {
                return;
            }
            feedback.notice(Notice::Owner(&format!(
                "Everything belongs to {owner} now, as does the directory {place} (--owner)"
            )));
            return;
        }
        match owner.takes(self.dirs.dir(), self.dirs.dir().path()).and_then(|()| self.lock.give(owner)) {
            Ok(()) => feedback.notice(Notice::Owner(&format!(
                "Everything in {place} that was imported belongs to {owner} now"
            ))),
            Err(problem) => feedback
                .notice(Notice::Owner(&format!("What was imported belongs to {owner} now, but {problem}"))),
        }
    }

    /// The import is done: the directory stays, its lock is let go.
    pub(crate) fn keep(self) {
        self.dirs.keep();
    }

    /// Undoes [`Destination::prepare`].
    pub(crate) fn discard(self) {
        // Nothing depends on it: an empty directory or lock file that stays does no harm.
        let _ = self.lock.discard();
    }
}

/// Rule I1.
pub(crate) fn not_populated(root: &Path, force: bool) -> Result<()> {
    if force || !DataDir::new(root).is_populated()? {
        return Ok(());
    }
    Err(populated(root.display()))
}

/// A link in the place of a directory would be replaced itself, and what it points to orphaned. What another file
/// system is mounted on cannot be replaced at all.
pub(crate) fn no_links(root: &Path) -> Result<()> {
    let root = Dir::open(root)?;
    // A volume of the same disk has the same device.
    let (device, _) = root.about()?.id;
    for name in TOP_LEVEL {
        let refused = || Problem::new(Code::ImportLink).path(root.place(name).display());
        match root.look(name)? {
            Some(found) if found.kind == Kind::Link => return Err(refused()),
            Some(found) if found.id.0 != device || root.is_mounted_on(name)? => {
                return Err(refused().headline(
                    "an entry of the data directory is a mount point, which the import cannot replace",
                ));
            }
            _ => {}
        }
    }
    Ok(())
}
